package weaviate_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/retrieve"
	"github.com/prodailabs/prodai/retrieve/store"
	"github.com/prodailabs/prodai/retrieve/store/storetest"
	"github.com/prodailabs/prodai/retrieve/store/weaviate"
)

// server returns the URL of a real server. .ci/full weaviate builds and starts one.
func server(t *testing.T) string {
	t.Helper()
	u := os.Getenv("PRODAI_WEAVIATE")
	if u == "" {
		t.Skip("PRODAI_WEAVIATE is not set: want the URL of a Weaviate server for classes Test_…; .ci/full weaviate starts one")
	}
	return u
}

func fresh(t *testing.T, u string) string {
	t.Helper()
	name := storetest.Name()
	t.Cleanup(func() {
		r, err := http.NewRequest(http.MethodDelete, u+"/v1/schema/"+name, nil)
		require.NoError(t, err)
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	})
	return name
}

func open(t *testing.T, u, class string) store.Database {
	t.Helper()
	db, err := weaviate.Open(context.Background(), u, class, storetest.Dim, nil)
	require.NoError(t, err)
	return db
}

func TestRealWeaviate(t *testing.T) {
	u := server(t)
	storetest.Run(t, storetest.At(u, func(t *testing.T) string { return fresh(t, u) }, open))
}

func TestRealClassThatDoesNotFit(t *testing.T) {
	u := server(t)
	ctx := context.Background()
	class := fresh(t, u)
	s := storetest.Open(t, open(t, u, class), &storetest.Embedder{})
	_, err := s.Upsert(ctx, []schema.Document{{PageContent: "kept"}})
	require.NoError(t, err)
	_, err = weaviate.Open(ctx, u, class, 16, nil)
	require.ErrorIs(t, err, store.ErrSchema)
	other := fresh(t, u)
	resp, err := http.Post(u+"/v1/schema", "application/json", strings.NewReader(`{"class": "`+other+`", "vectorizer": "none", "vectorIndexConfig": {"distance": "l2-squared"}}`))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	_, err = weaviate.Open(ctx, u, other, storetest.Dim, nil)
	require.ErrorIs(t, err, store.ErrSchema)
}

// The adapter of langchaingo v0.1.14 returns three ids and no error for three vectors that
// the server refuses one by one in an answer of status 200.
func TestRealRefusedObjectIsNamed(t *testing.T) {
	u := server(t)
	db := open(t, u, fresh(t, u))
	require.NoError(t, db.Upsert(context.Background(), []retrieve.Record{record("good", storetest.Dim)}))
	err := db.Upsert(context.Background(), []retrieve.Record{record("a", storetest.Dim), record("long", 2*storetest.Dim)})
	var some *store.UpsertError
	require.ErrorAs(t, err, &some)
	require.Equal(t, []string{"long"}, some.IDs())
}

func record(id string, dim int) retrieve.Record {
	v := make([]float32, dim)
	v[0] = 1
	return retrieve.Record{Document: schema.Document{PageContent: "text", Metadata: map[string]any{"id": id}}, Vector: v}
}

// fake answers as the real server did, with some results changed.
func fake(t *testing.T, batch, graphql string) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/v1/schema/"):
			_, _ = io.WriteString(w, `{"description": "Passages with vectors of 8 dimensions. Their tenants and filters are in \"terms\".", "vectorIndexConfig": {"distance": "cosine"}}`)
		case r.URL.Path == "/v1/batch/objects":
			_, _ = io.WriteString(w, batch)
		default:
			_, _ = io.WriteString(w, graphql)
		}
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestAnswersOfStatus200ThatFail(t *testing.T) {
	ctx := context.Background()
	for _, batch := range []string{`[]`, `{}`, `not JSON`, `[{"id": "other", "result": {"status": "SUCCESS"}}]`, `[{"id": "", "result": {"status": "FAILED", "errors": {"error": [{"message": "vector lengths don't match"}]}}}]`} {
		db := open(t, fake(t, batch, `{}`), "Test")
		require.Error(t, db.Upsert(ctx, []retrieve.Record{record("a", 8)}), batch)
	}
	for _, answer := range []string{`{}`, `{"data": null}`, `{"data": {"Get": null}}`, `{"data": {"Get": {"Other": []}}}`, `{"errors": [{"message": "can't extract certainty"}]}`, `[]`, `{"data": {"Get": {"Test": [{}]}}}`} {
		db := open(t, fake(t, `[]`, answer), "Test")
		_, err := db.Search(ctx, make([]float32, 8), 3, nil)
		require.Error(t, err, answer)
	}
	db := open(t, fake(t, `[]`, `{"data": {"Get": {"Test": []}}}`), "Test")
	_, err := db.Search(ctx, make([]float32, 8), 3, nil)
	require.NoError(t, err)
}

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		url, class string
		dim        int
	}{{"localhost", "A", 8}, {"http://x", "lower", 8}, {"http://x", "A) { x } #", 8}, {"http://x", "", 8}, {"http://x", "A", 0}} {
		_, err := weaviate.Open(context.Background(), c.url, c.class, c.dim, nil)
		require.ErrorIs(t, err, store.ErrOption, "%+v", c)
	}
}
