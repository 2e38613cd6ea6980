package qdrant_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/prodailabs/prodai/retrieve/store"
	"github.com/prodailabs/prodai/retrieve/store/qdrant"
	"github.com/prodailabs/prodai/retrieve/store/storetest"
)

func FuzzAnswers(f *testing.F) {
	opening := []string{`{"result": {"config": {"params": {"vectors": {"size": 8, "distance": "Cosine"}}}}}`}
	storetest.FuzzAnswers(f, opening, func(c *http.Client) (store.Database, error) {
		return qdrant.Open(context.Background(), "http://x", "name", storetest.Dim, &qdrant.Options{HTTPClient: c})
	}, `{"result": {"points": [{"id": 1, "payload": {"id": "a", "text": "", "metadata": {}, "terms": []}, "vector": [1]}], "next_page_offset": 7}}`,
		`{"result": [{"id": "u", "payload": {"id": "a", "text": "x", "metadata": null, "terms": [null]}}], "status": "ok"}`, `{"result": null}`, `[]`)
}
