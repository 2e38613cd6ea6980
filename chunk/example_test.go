package chunk_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/prodailabs/prodai/chunk"
	"github.com/prodailabs/prodai/chunk/token/o200k"
	"github.com/prodailabs/prodai/eval/modeltest"
)

// A passage carries the headings above it and its place in the source.
func ExampleMarkdown() {
	manual := "# Returns\n\nRefunds take 14 days.\n\n## Gift cards\n\nGift cards are never refunded.\n"
	c, err := chunk.NewMarkdown(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	chunks, err := c.Chunk(context.Background(), manual)
	for _, c := range chunks {
		fmt.Printf("%d-%d %q %q\n", c.Start, c.End, c.Headings, manual[c.Start:c.End])
	}
	fmt.Println(err)
	// Output:
	// 0-32 ["Returns"] "# Returns\n\nRefunds take 14 days."
	// 34-79 ["Returns" "Gift cards"] "## Gift cards\n\nGift cards are never refunded."
	// <nil>
}

// A budget in tokens is kept by the count of each passage's final text.
func ExampleRecursive() {
	text := "Refunds take 14 days. They go to the card you paid with. Gift cards are never refunded, and neither are shipping costs."
	count := o200k.Encoding().Count
	c, err := chunk.NewRecursive(&chunk.Options{Size: 16, Tokens: count})
	if err != nil {
		fmt.Println(err)
		return
	}
	chunks, err := c.Chunk(context.Background(), text)
	for _, c := range chunks {
		fmt.Printf("%2d tokens: %s\n", count(c.Text), c.Text)
	}
	fmt.Println(err)
	// Output:
	// 16 tokens: Refunds take 14 days. They go to the card you paid with.
	// 12 tokens: Gift cards are never refunded, and neither are shipping costs.
	// <nil>
}

// A model writes what a passage doesn't mention itself. Here the model is a script.
func ExampleContextual() {
	manual := "# Returns\n\nRefunds take 14 days.\n\n## Gift cards\n\nThey are never refunded.\n"
	c, err := chunk.NewMarkdown(&chunk.Options{Size: 40})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	chunks, err := c.Chunk(ctx, manual)
	if err != nil {
		fmt.Println(err)
		return
	}
	model := &modeltest.Script{Turns: []modeltest.Turn{
		modeltest.Say("How long refunds take, in the manual on returns."),
		modeltest.Say("That gift cards aren't refunded, in the manual on returns."),
	}}
	contextual, err := chunk.NewContextual(model, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	described, err := contextual.Describe(ctx, manual, chunks)
	for _, d := range chunk.Documents("manual.md", nil, described) {
		fmt.Printf("%q\n", d.PageContent)
	}
	fmt.Println(err)
	// Output:
	// "How long refunds take, in the manual on returns.\n\n# Returns\n\nRefunds take 14 days."
	// "That gift cards aren't refunded, in the manual on returns.\n\n## Gift cards\n\nThey are never refunded."
	// <nil>
}

// With Unit set, a missing counter is an error.
func ExampleOptions() {
	_, err := chunk.NewRecursive(&chunk.Options{Size: 512, Unit: chunk.UnitTokens})
	fmt.Println(errors.Is(err, chunk.ErrOption))
	_, err = chunk.NewRecursive(&chunk.Options{Size: 512, Unit: chunk.UnitTokens, Ranges: o200k.Encoding().Ranges})
	fmt.Println(err)
	// Output:
	// true
	// <nil>
}

// Documents are what vector stores take; the metadata say where each is from.
func ExampleDocuments() {
	c, err := chunk.NewSentences(&chunk.Options{Size: 25})
	if err != nil {
		fmt.Println(err)
		return
	}
	chunks, err := c.Chunk(context.Background(), "Refunds take 14 days. Cards take two.")
	for _, d := range chunk.Documents("returns.md", map[string]any{"tenant": "acme"}, chunks) {
		fmt.Println(d.Metadata["source"], d.Metadata["start"], d.Metadata["end"], d.Metadata["tenant"], d.PageContent)
	}
	fmt.Println(err)
	// Output:
	// returns.md 0 21 acme Refunds take 14 days.
	// returns.md 22 37 acme Cards take two.
	// <nil>
}

// An edit leaves the ids of most passages as they were.
func ExampleFastCDC() {
	text := ""
	for i := range 2000 {
		text += fmt.Sprintf("Line %d of the log. ", i*i)
	}
	c, err := chunk.NewFastCDC(&chunk.FastCDCOptions{AvgBytes: 1024})
	if err != nil {
		fmt.Println(err)
		return
	}
	before, _ := c.Chunk(context.Background(), text)
	after, _ := c.Chunk(context.Background(), "A line before all others. "+text)
	known := map[string]bool{}
	for i := range before {
		known[before[i].ID()] = true
	}
	changed := 0
	for i := range after {
		if !known[after[i].ID()] {
			changed++
		}
	}
	fmt.Println(changed, "of", len(after) > 20)
	// Output: 1 of true
}
