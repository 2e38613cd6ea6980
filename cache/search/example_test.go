package search_test

import (
	"context"
	"fmt"

	"github.com/prodailabs/prodai/cache/search"
)

// letters is an embedder that prints what it is asked for.
type letters struct{}

func (letters) EmbedDocuments(_ context.Context, texts []string) ([][]float32, error) {
	fmt.Printf("embedding %q\n", texts)
	out := make([][]float32, len(texts))
	for i, t := range texts {
		out[i] = []float32{float32(len(t))}
	}
	return out, nil
}

func (letters) EmbedQuery(_ context.Context, text string) ([]float32, error) {
	return []float32{float32(len(text))}, nil
}

// In the second night only the new passage is embedded.
func ExampleNewEmbedder() {
	cached, err := search.NewEmbedder(letters{}, "letters-1", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, night := range [][]string{{"returns", "shipping"}, {"returns", "payment", "shipping"}} {
		vectors, err := cached.EmbedDocuments(context.Background(), night)
		fmt.Println(vectors, err)
	}
	// Output:
	// embedding ["returns" "shipping"]
	// [[7] [8]] <nil>
	// embedding ["payment"]
	// [[7] [7] [8]] <nil>
}
