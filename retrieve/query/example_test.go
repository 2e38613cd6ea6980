package query_test

import (
	"context"
	"fmt"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retrieve/query"
)

// versions is a model for the example; a program has a real one.
type versions struct{}

func (versions) Call(context.Context, string, ...llms.CallOption) (string, error) { return "", nil }

func (versions) GenerateContent(context.Context, []llms.MessageContent, ...llms.CallOption) (*llms.ContentResponse, error) {
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "1. How do refunds work?\n2. When is money returned?"}}}, nil
}

func ExampleMultiQuery() {
	m, err := query.NewMultiQuery(versions{}, &query.Options{N: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	queries, err := m.Queries(context.Background(), "How do I get my money back?")
	fmt.Printf("%q %v\n", queries, err)
	// Output: ["How do I get my money back?" "How do refunds work?" "When is money returned?"] <nil>
}
