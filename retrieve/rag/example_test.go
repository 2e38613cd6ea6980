package rag_test

import (
	"context"
	"fmt"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/retrieve"
	"github.com/prodailabs/prodai/retrieve/embed"
	"github.com/prodailabs/prodai/retrieve/rag"
)

func Example() {
	passages := []schema.Document{{
		PageContent: "Purchases may be refunded within 30 days. Gift cards are never refunded.",
		Metadata:    map[string]any{"source": "manual.md", "start": 0, "end": 72},
	}}
	model, err := rag.NewExtractive(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, q := range []string{"Are gift cards refunded?", "Who won the world cup?"} {
		r, err := model.GenerateContent(context.Background(), rag.Prompt(q, passages))
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(r.Choices[0].Content)
	}
	// Output:
	// > Purchases may be refunded within 30 days. **Gift cards are never refunded.** [1]
	// The notes do not answer this. Nearest passages:
	//
	// - Purchases may be refunded within 30 days. Gift cards are never refunded. [1]
}

func ExampleCheckCitations() {
	passages := []schema.Document{{
		PageContent: "Purchases may be refunded within 30 days. Gift cards are never refunded.",
		Metadata:    map[string]any{"source": "manual.md", "start": 0, "end": 72},
	}}
	answer := "Gift cards are never refunded. [1] Shipping to the moon is free. [1] See the annex. [4]"
	for _, c := range rag.CheckCitations(answer, passages).Citations {
		fmt.Printf("%q %d %s %s:%d-%d\n", answer[c.Start:c.End], c.Number, c.Status, c.Source, c.SourceStart, c.SourceEnd)
	}
	// Output:
	// "Gift cards are never refunded." 1 supported manual.md:42-72
	// "Shipping to the moon is free." 1 unsupported manual.md:0-41
	// "See the annex." 4 no such passage :0-0
}

// The whole in one call: search, prompt, answer, checked citations.
func ExampleAsk() {
	ctx := context.Background()
	e, err := embed.New()
	if err != nil {
		fmt.Println(err)
		return
	}
	collection, err := retrieve.Open("", e, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer collection.Close()
	if _, err := collection.Sync(ctx, "manual.md", []schema.Document{{PageContent: "Purchases may be refunded within 30 days."}}); err != nil {
		fmt.Println(err)
		return
	}
	model, err := rag.NewExtractive(nil) // or any other llms.Model
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, err := rag.Ask(ctx, collection, model, "When are purchases refunded?")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer.Text)
	fmt.Println(answer.Citations.Citations[0].Status)
	// Output:
	// > **Purchases may be refunded within 30 days.** [1]
	// quoted
}
