package compress_test

import (
	"context"
	"fmt"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/retrieve/compress"
)

func Example() {
	c, err := compress.NewSentences(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	passage := schema.Document{
		PageContent: "Welcome to our shop. Refunds are paid within 30 days. We open at nine.",
		Metadata:    map[string]any{"source": "manual.md", "start": 100, "end": 170},
	}
	short, err := c.Compress(context.Background(), "How fast are refunds paid?", []schema.Document{passage})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range short {
		fmt.Println(p.PageContent, p.Metadata["start"], p.Metadata["end"])
	}
	// Output:
	// Refunds are paid within 30 days. 121 153
}
