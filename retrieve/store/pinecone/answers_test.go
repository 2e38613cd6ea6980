package pinecone_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/prodailabs/prodai/retrieve/store"
	"github.com/prodailabs/prodai/retrieve/store/pinecone"
	"github.com/prodailabs/prodai/retrieve/store/storetest"
)

func FuzzAnswers(f *testing.F) {
	opening := []string{`{"dimension": 8, "metric": "cosine", "host": "x"}`}
	storetest.FuzzAnswers(f, opening, func(c *http.Client) (store.Database, error) {
		return pinecone.Open(context.Background(), "key", "test", storetest.Dim, &pinecone.Options{HTTPClient: c})
	}, `{"matches": [{"id": "a", "score": 0.5, "metadata": {"text": "x", "json": "{\"id\": \"a\"}", "terms": []}}], "upsertedCount": 1}`,
		`{"vectors": {"a": {"metadata": null}}, "pagination": {"next": "b"}}`, `{"vectors": [{"id": "a"}, null]}`, `{"matches": [null]}`, `[]`)
}
