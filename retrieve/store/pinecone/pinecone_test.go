package pinecone_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/retrieve"
	"github.com/prodailabs/prodai/retrieve/store"
	"github.com/prodailabs/prodai/retrieve/store/pinecone"
	"github.com/prodailabs/prodai/retrieve/store/storetest"
)

func open(t *testing.T, u string, o pinecone.Options) *pinecone.DB {
	t.Helper()
	o.ControlURL = u
	db, err := pinecone.Open(context.Background(), "key", "test", storetest.Dim, &o)
	require.NoError(t, err)
	return db
}

func TestPineconeByItsPublishedRules(t *testing.T) {
	storetest.Run(t, storetest.Setup{
		New: func(t *testing.T, e embeddings.Embedder) storetest.Subject {
			_, u := newFake(t, storetest.Dim)
			return storetest.Open(t, open(t, u, pinecone.Options{Namespace: "it's * a|b"}), e)
		},
		Dying: func(t *testing.T, e embeddings.Embedder) (healthy, dying storetest.Subject, kill func()) {
			f, u := newFake(t, storetest.Dim)
			proxy := storetest.NewProxy(t, f.host)
			db := open(t, u, pinecone.Options{})
			f.host = proxy.Addr() // where the next one finds the index
			return storetest.Open(t, db, e), storetest.Open(t, open(t, u, pinecone.Options{}), e), proxy.Kill
		},
		NoStringOrder: true,
	})
}

// The adapter of langchaingo v0.1.14 sends all vectors at once.
func TestLargeBatchesAreDivided(t *testing.T) {
	ctx := context.Background()
	f, u := newFake(t, storetest.Dim)
	writes := 0
	f.before = func(r *http.Request) int {
		if r.URL.Path == "/vectors/upsert" {
			writes++
		}
		return 0
	}
	s := storetest.Open(t, open(t, u, pinecone.Options{}), &storetest.Embedder{})
	var docs []schema.Document
	for i := range 300 { // about 9 MB
		docs = append(docs, schema.Document{PageContent: strings.Repeat("x", 30_000+i)})
	}
	docs = append(docs, schema.Document{PageContent: strings.Repeat("x", 41<<10), Metadata: map[string]any{"id": "large"}}, schema.Document{PageContent: "(zero)", Metadata: map[string]any{"id": "zero"}})
	did, err := s.Upsert(ctx, docs)
	var some *store.UpsertError
	require.ErrorAs(t, err, &some)
	require.Equal(t, []string{"large", "zero"}, some.IDs())
	require.Equal(t, 300, did.Added)
	require.Len(t, f.rows["__default__"], 300)
	require.LessOrEqual(t, writes, 12)
	_, err = s.Search(ctx, "x", 10001, nil)
	require.ErrorIs(t, err, store.ErrOption)
}

func TestNamespacesAreApart(t *testing.T) {
	ctx := context.Background()
	_, u := newFake(t, storetest.Dim)
	names := []string{"foo", "foo-bar", "fo", "*", "a|b", `x" OR "a"="a`, "&namespace=foo"}
	for _, name := range names {
		s := storetest.Open(t, open(t, u, pinecone.Options{Namespace: name}), &storetest.Embedder{})
		_, err := s.Upsert(ctx, []schema.Document{{PageContent: "of " + name, Metadata: map[string]any{"id": "1"}}})
		require.NoError(t, err)
	}
	for _, name := range names {
		s := storetest.Open(t, open(t, u, pinecone.Options{Namespace: name}), &storetest.Embedder{})
		found, err := s.Search(ctx, "of", 10, nil)
		require.NoError(t, err)
		require.Len(t, found, 1)
		require.Equal(t, "of "+name, found[0].PageContent)
		d, ok, err := s.Get(ctx, "1")
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, "of "+name, d.PageContent)
	}
}

func TestIndexThatDoesNotFit(t *testing.T) {
	ctx := context.Background()
	f, u := newFake(t, 16)
	_, err := pinecone.Open(ctx, "key", "test", 8, &pinecone.Options{ControlURL: u})
	require.ErrorIs(t, err, store.ErrSchema)
	f.dim, f.metric = 8, "dotproduct"
	_, err = pinecone.Open(ctx, "key", "test", 8, &pinecone.Options{ControlURL: u})
	require.ErrorIs(t, err, store.ErrSchema)
	_, err = pinecone.Open(ctx, "key", "other", 8, &pinecone.Options{ControlURL: u})
	var e *store.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, 404, e.HTTPStatus())
	_, err = pinecone.Open(ctx, "wrong-key", "test", 8, &pinecone.Options{ControlURL: u})
	require.ErrorAs(t, err, &e)
	require.Equal(t, 401, e.HTTPStatus())
	require.NotContains(t, err.Error(), "wrong-key")
}

// Only what works later is tried again.
func TestOverloads(t *testing.T) {
	ctx := context.Background()
	f, u := newFake(t, storetest.Dim)
	s := storetest.Open(t, open(t, u, pinecone.Options{}), &storetest.Embedder{})
	for status, want := range map[int]int{429: 2, 503: 2, 500: 2, 401: 1, 403: 1} {
		calls := 0
		f.before = func(r *http.Request) int {
			if r.URL.Path == "/query" {
				calls++
				return status
			}
			return 0
		}
		_, err := s.Search(ctx, "x", 1, nil)
		var e *store.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, status, e.HTTPStatus())
		require.Equal(t, want, calls, "status %d", status)
	}
}

func TestVectorsOfAnotherProgramFailClosed(t *testing.T) {
	f, u := newFake(t, storetest.Dim)
	s := storetest.Open(t, open(t, u, pinecone.Options{}), &storetest.Embedder{})
	f.rows["__default__"] = map[string]row{"1": {ID: "1", Values: []float64{1, 0, 0, 0, 0, 0, 0, 0}, Metadata: map[string]any{"tenant": "a", "text": "secret"}}}
	_, err := s.Search(context.Background(), "x", 1, &retrieve.Query{})
	require.ErrorIs(t, err, store.ErrSchema)
}

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		key, index string
		dim        int
		o          pinecone.Options
	}{{"", "a", 8, pinecone.Options{}}, {"k", "A", 8, pinecone.Options{}}, {"k", "../x", 8, pinecone.Options{}}, {"k", "a", 0, pinecone.Options{}},
		{"k", "a", 8, pinecone.Options{Namespace: "日本"}}, {"k", "a", 8, pinecone.Options{ControlURL: "nowhere"}}} {
		_, err := pinecone.Open(context.Background(), c.key, c.index, c.dim, &c.o)
		require.ErrorIs(t, err, store.ErrOption, "%+v", c)
	}
}
