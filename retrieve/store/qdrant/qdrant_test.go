package qdrant_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/retrieve/store"
	"github.com/prodailabs/prodai/retrieve/store/qdrant"
	"github.com/prodailabs/prodai/retrieve/store/storetest"
)

// server returns the URL of a Qdrant server, or of testdata/front.py before the local mode
// of the real qdrant-client. .ci/run starts the latter.
func server(t *testing.T) string {
	t.Helper()
	u := os.Getenv("PRODAI_QDRANT")
	if u == "" {
		t.Skip("PRODAI_QDRANT is not set: want the URL of a Qdrant server, or of testdata/front.py, for collections Test_…")
	}
	return u
}

func fresh(*testing.T) string { return storetest.Name() }

func open(t *testing.T, u, name string) store.Database {
	t.Helper()
	db, err := qdrant.Open(context.Background(), u, name, storetest.Dim, &qdrant.Options{EF: 200})
	require.NoError(t, err)
	return db
}

func TestRealQdrantClient(t *testing.T) {
	s := storetest.At(server(t), fresh, open)
	s.NoStringOrder = true
	storetest.Run(t, s)
}

func TestRealCollectionThatDoesNotFit(t *testing.T) {
	u := server(t)
	ctx := context.Background()
	name := fresh(t)
	s := storetest.Open(t, open(t, u, name), &storetest.Embedder{})
	_, err := s.Upsert(ctx, []schema.Document{{PageContent: "kept"}})
	require.NoError(t, err)
	_, err = qdrant.Open(ctx, u, name, 16, nil)
	require.ErrorIs(t, err, store.ErrSchema)
	found, err := s.Search(ctx, "kept", 1, nil)
	require.NoError(t, err)
	require.Len(t, found, 1)
}

// A point of another program has no terms, so its tenant is not known: no search may show it.
func TestRealPointOfAnotherProgramFailsClosed(t *testing.T) {
	u := server(t)
	name := fresh(t)
	s := storetest.Open(t, open(t, u, name), &storetest.Embedder{})
	r, err := http.NewRequest(http.MethodPut, u+"/collections/"+name+"/points?wait=true",
		strings.NewReader(`{"points": [{"id": 1, "vector": [1,0,0,0,0,0,0,0], "payload": {"page_content": "secret", "metadata": {"tenant": "a"}}}]}`))
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
	_, err = s.Search(context.Background(), "secret", 1, nil)
	require.ErrorIs(t, err, store.ErrSchema)
}

// The names of collections are a part of the URL.
func TestNamesAreEscaped(t *testing.T) {
	var paths []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.URL.EscapedPath())
		w.WriteHeader(http.StatusForbidden)
	}))
	defer srv.Close()
	for _, name := range []string{"../x", "a/b", "..", "a?b#c", "日本"} {
		_, err := qdrant.Open(context.Background(), srv.URL, name, 8, &qdrant.Options{APIKey: "secret-key"})
		var e *store.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, 403, e.HTTPStatus())
		require.NotContains(t, err.Error(), "secret-key")
	}
	require.Equal(t, []string{"/collections/..%2Fx", "/collections/a%2Fb", "/collections/%2E%2E", "/collections/a%3Fb%23c", "/collections/%E6%97%A5%E6%9C%AC"}, paths)
}

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		url, name string
		dim       int
		o         qdrant.Options
	}{{"localhost", "n", 8, qdrant.Options{}}, {"http://x", "", 8, qdrant.Options{}}, {"http://x", "n", 0, qdrant.Options{}}, {"http://x", "n", 8, qdrant.Options{EF: -1}}} {
		_, err := qdrant.Open(context.Background(), c.url, c.name, c.dim, &c.o)
		require.ErrorIs(t, err, store.ErrOption, "%+v", c)
	}
}
