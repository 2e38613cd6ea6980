package weaviate_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/prodailabs/prodai/retrieve/store"
	"github.com/prodailabs/prodai/retrieve/store/storetest"
	"github.com/prodailabs/prodai/retrieve/store/weaviate"
)

func FuzzAnswers(f *testing.F) {
	opening := []string{`{"description": "Passages with vectors of 8 dimensions. Their tenants and filters are in \"terms\".", "vectorIndexConfig": {"distance": "cosine"}}`}
	storetest.FuzzAnswers(f, opening, func(c *http.Client) (store.Database, error) {
		return weaviate.Open(context.Background(), "http://x", "Test", storetest.Dim, &weaviate.Options{HTTPClient: c})
	}, `{"data": {"Get": {"Test": [{"record": "a", "content": null, "meta": "{}", "_additional": {"distance": 0.5, "vector": [1]}}, null]}}}`,
		`{"objects": [{"id": "u", "properties": {"record": "a", "meta": "null"}}], "results": {"successful": 1}}`, `[{"id": "u", "result": {"status": "SUCCESS"}}]`, `[null]`)
}
