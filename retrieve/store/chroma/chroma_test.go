package chroma_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/retrieve"
	"github.com/prodailabs/prodai/retrieve/store"
	"github.com/prodailabs/prodai/retrieve/store/chroma"
	"github.com/prodailabs/prodai/retrieve/store/storetest"
)

// server returns the URL of a real server. .ci/run starts one.
func server(t *testing.T) string {
	t.Helper()
	u := os.Getenv("PRODAI_CHROMA")
	if u == "" {
		t.Skip("PRODAI_CHROMA is not set: want the URL of a Chroma server for collections Test_…")
	}
	return u
}

func fresh(*testing.T) string { return storetest.Name() }

func open(t *testing.T, u, name string) store.Database {
	t.Helper()
	db, err := chroma.Open(context.Background(), u, name, storetest.Dim, nil)
	require.NoError(t, err)
	return db
}

func TestRealChroma(t *testing.T) {
	s := storetest.At(server(t), fresh, open)
	s.NoStringOrder = true
	storetest.Run(t, s)
}

// The adapter of langchaingo v0.1.14 asks /api/v1, which the server answers with 410, and
// takes 1 minus the squared distance for a likeness.
func TestRealCollectionThatDoesNotFit(t *testing.T) {
	u := server(t)
	ctx := context.Background()
	name := fresh(t)
	s := storetest.Open(t, open(t, u, name), &storetest.Embedder{})
	_, err := s.Upsert(ctx, []schema.Document{{PageContent: "kept"}})
	require.NoError(t, err)
	_, err = chroma.Open(ctx, u, name, 16, nil)
	require.ErrorIs(t, err, store.ErrSchema)
	found, err := s.Search(ctx, "kept", 1, nil)
	require.NoError(t, err)
	require.InDelta(t, 1, found[0].Cosine, 1e-5)

	other := fresh(t)
	resp, err := http.Post(u+"/api/v2/tenants/default_tenant/databases/default_database/collections", "application/json",
		strings.NewReader(`{"name": "`+other+`", "configuration": {"hnsw": {"space": "l2"}}}`))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	_, err = chroma.Open(ctx, u, other, storetest.Dim, nil)
	require.ErrorIs(t, err, store.ErrSchema)
	require.ErrorContains(t, err, "l2")
}

// The metadata of a replaced record must not shine through.
func TestRealUpsertReplacesAllMetadata(t *testing.T) {
	s := storetest.Open(t, open(t, server(t), fresh(t)), &storetest.Embedder{})
	ctx := context.Background()
	for _, meta := range []map[string]any{{"id": "a", "n": 5, "old": "x"}, {"id": "a", "new": "y"}} {
		_, err := s.Upsert(ctx, []schema.Document{{PageContent: "text", Metadata: meta}})
		require.NoError(t, err)
	}
	for _, f := range []retrieve.Filter{retrieve.Eq("n", 5), retrieve.AtLeast("n", 1), retrieve.Exists("old")} {
		found, err := s.Search(ctx, "text", 5, &retrieve.Query{Where: f})
		require.NoError(t, err)
		require.Empty(t, found, f.String())
	}
}

func TestAnOldServerIsAnError(t *testing.T) {
	for _, answer := range []struct {
		status int
		body   string
	}{{http.StatusGone, `{"error":"The v1 API is deprecated"}`}, {200, `not JSON`}, {200, `{}`}, {302, ``}, {503, ``}} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(answer.status)
			_, _ = w.Write([]byte(answer.body))
		}))
		_, err := chroma.Open(context.Background(), srv.URL, "name", 8, nil)
		require.Error(t, err, "%+v", answer)
		srv.Close()
	}
}

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		url, name string
		dim       int
	}{{"localhost:8000", "name", 8}, {"ftp://x", "name", 8}, {"http://x", "a", 8}, {"http://x", "../../evil", 8}, {"http://x", "name", 0}, {"", "name", 8}} {
		_, err := chroma.Open(context.Background(), c.url, c.name, c.dim, nil)
		require.ErrorIs(t, err, store.ErrOption, "%+v", c)
	}
}
