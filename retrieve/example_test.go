package retrieve_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/retrieve"
	"github.com/prodailabs/prodai/retrieve/bm25"
	"github.com/prodailabs/prodai/retrieve/embed"
)

func passages(texts ...string) []schema.Document {
	var out []schema.Document
	for _, t := range texts {
		out = append(out, schema.Document{PageContent: t})
	}
	return out
}

func Example() {
	ctx := context.Background()
	e, err1 := embed.New()
	words, err2 := bm25.New(nil)
	c, err3 := retrieve.Open("", e, &retrieve.Options{Words: words}) // a path keeps it in a file
	if err := errors.Join(err1, err2, err3); err != nil {
		fmt.Println(err)
		return
	}
	manual := passages("Purchases may be refunded within 30 days.", "Error E4502 means that the gateway timed out.", "Keys are rotated every 90 days.")
	did, err := c.Sync(ctx, "manual.md", manual)
	fmt.Println(did.Added, "added", err)
	did, err = c.Sync(ctx, "manual.md", manual)
	fmt.Println(did.Embedded, "embedded again", err)
	for _, q := range []string{"How do I get my money back?", "What is E4502?"} {
		found, err := c.Search(ctx, q, 1, nil)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(q, "→", found[0].PageContent)
	}
	// Output:
	// 3 added <nil>
	// 0 embedded again <nil>
	// How do I get my money back? → Purchases may be refunded within 30 days.
	// What is E4502? → Error E4502 means that the gateway timed out.
}

func ExampleRRF() {
	byMeaning := []retrieve.Ranked[string]{{ID: "refunds", Score: 0.71}, {ID: "returns", Score: 0.70}}
	byWords := []retrieve.Ranked[string]{{ID: "returns", Score: 8.2}, {ID: "shipping", Score: 3.1}}
	for _, r := range retrieve.RRF(60, nil, byMeaning, byWords) {
		fmt.Printf("%s %.4f\n", r.ID, r.Score)
	}
	// Output:
	// returns 0.0325
	// refunds 0.0164
	// shipping 0.0161
}

// The title of a passage counts three times as much as its text, and words in quotes are
// looked for as a phrase.
func Example_fields() {
	ctx := context.Background()
	e, err1 := embed.New()
	words, err2 := bm25.New(&bm25.Options{Boosts: map[string]float64{"title": 3}, Phrases: true})
	c, err3 := retrieve.Open("", e, &retrieve.Options{Words: words, DenseWeight: 0, SparseWeight: 1})
	if err := errors.Join(err1, err2, err3); err != nil {
		fmt.Println(err)
		return
	}
	_, err := c.Upsert(ctx, []schema.Document{
		{PageContent: "Go to Settings and press Rotate.", Metadata: map[string]any{"title": "Rotate a key"}},
		{PageContent: "Rotate the API, write the key down.", Metadata: map[string]any{"title": "Welcome"}},
		{PageContent: "Your API key opens your account, so hide it.", Metadata: map[string]any{"title": "Secrets"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, q := range []string{`rotate key`, `"API key"`} {
		found, err := c.Search(ctx, q, 1, nil)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(q, "→", found[0].Metadata["title"])
	}
	// Output:
	// rotate key → Rotate a key
	// "API key" → Secrets
}
