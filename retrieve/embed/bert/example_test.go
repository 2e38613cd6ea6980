package bert_test

import (
	"context"
	"fmt"

	"github.com/prodailabs/prodai/retrieve/embed/bert"
	"github.com/prodailabs/prodai/retrieve/rerank"
)

// The model of this example is tiny and random, so its vectors mean nothing; a real one is
// loaded in the same way.
func ExampleNewEmbedder() {
	e, err := bert.NewEmbedder("testdata/encoder", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	vectors, err := e.EmbedDocuments(context.Background(), []string{"dog bites man", "man bites dog"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(vectors), e.Dimensions(), vectors[0][0] != vectors[1][0])
	// Output: 2 32 true
}

// A cross-encoder is a ranker of retrieve/rerank.
func ExampleNewCrossEncoder() {
	c, err := bert.NewCrossEncoder("testdata/cross", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	ranked, err := rerank.Scorer(c.Score).Rank(context.Background(), "refund days", []string{"a", "dog bites man"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d %.2f\n", ranked[0].Index, ranked[0].Score)
	// Output: 0 1.04
}
