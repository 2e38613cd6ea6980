package expand_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/retrieve/expand"
)

// A search found one sentence; the model gets those around it.
func ExampleWindow() {
	text := "Keep the receipt. It is needed for a refund. Refunds take 30 days. Gift cards have none."
	w, err := expand.NewWindow(func(context.Context, string) (string, error) { return text, nil }, &expand.WindowOptions{Sentences: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	start := strings.Index(text, "Refunds")
	found := schema.Document{PageContent: "Refunds take 30 days.", Metadata: map[string]any{"source": "manual.md", "start": start, "end": start + 21}}
	large, err := w.Expand(context.Background(), "", []schema.Document{found})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(large[0].PageContent)
	// Output: It is needed for a refund. Refunds take 30 days. Gift cards have none.
}
