package chroma_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/prodailabs/prodai/retrieve/store"
	"github.com/prodailabs/prodai/retrieve/store/chroma"
	"github.com/prodailabs/prodai/retrieve/store/storetest"
)

func FuzzAnswers(f *testing.F) {
	opening := []string{`{"max_batch_size": 100}`, `{"id": "c", "configuration_json": {"hnsw": {"space": "cosine"}}}`}
	storetest.FuzzAnswers(f, opening, func(c *http.Client) (store.Database, error) {
		return chroma.Open(context.Background(), "http://x", "name", storetest.Dim, &chroma.Options{HTTPClient: c})
	}, `{"ids": [["a"]], "documents": [["x"]], "metadatas": [[{"json": "{}"}]], "distances": [[0.5]]}`,
		`{"ids": ["a", "b"], "documents": [null], "metadatas": [{"json": "null"}], "embeddings": [[1]]}`, `{"ids": [["a"]], "documents": [], "metadatas": [[]], "distances": [[1]]}`, `[]`)
}
