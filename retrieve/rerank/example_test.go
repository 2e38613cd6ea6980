package rerank_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/retrieve/rerank"
)

// A cross-encoder of your own is a function.
func Example() {
	scorer := rerank.Scorer(func(_ context.Context, question string, texts []string) ([]float64, error) {
		scores := make([]float64, len(texts))
		for i, t := range texts {
			for word := range strings.FieldsSeq(strings.ToLower(question)) {
				scores[i] += float64(strings.Count(strings.ToLower(t), word))
			}
		}
		return scores, nil
	})
	r, err := rerank.New(scorer, &rerank.Options{K: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	found := []schema.Document{{PageContent: "Opening hours"}, {PageContent: "Gift cards have no refund"}, {PageContent: "A refund takes 30 days"}}
	best, err := r.Rerank(context.Background(), "refund days", found)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range best {
		fmt.Println(p.Score, p.PageContent)
	}
	// Output:
	// 2 A refund takes 30 days
	// 1 Gift cards have no refund
}

func ExampleEnds() {
	fmt.Println(rerank.Ends([]string{"best", "second", "third", "fourth", "worst"}))
	// Output: [best third worst fourth second]
}
