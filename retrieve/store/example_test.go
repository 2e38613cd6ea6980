package store_test

import (
	"context"
	"fmt"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/retrieve"
	"github.com/prodailabs/prodai/retrieve/embed"
	"github.com/prodailabs/prodai/retrieve/store"
)

// ask is written for any store: a collection in this process here, a database elsewhere.
func ask(ctx context.Context, r store.Retriever, question string) error {
	results, err := r.Search(ctx, question, 1, &retrieve.Query{Where: retrieve.Eq("lang", "en")})
	if err != nil {
		return err
	}
	for _, found := range results {
		fmt.Println(found.PageContent)
	}
	return nil
}

// A collection is copied to another store with its vectors, and asked there by the same
// code.
func ExampleCopy() {
	ctx := context.Background()
	e, err := embed.New()
	if err != nil {
		fmt.Println(err)
		return
	}
	home, err := retrieve.Open("", e, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer home.Close()
	_, err = home.Upsert(ctx, []schema.Document{
		{PageContent: "You get your money back within 30 days.", Metadata: map[string]any{"id": "1", "lang": "en"}},
		{PageContent: "Our shop opens at nine.", Metadata: map[string]any{"id": "2", "lang": "en"}},
		{PageContent: "Geld zurück innerhalb von 30 Tagen.", Metadata: map[string]any{"id": "3", "lang": "de"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	// Here the other store would be a database: store.New(db, e, nil), with a db of
	// pgvector.Open or another.
	other, err := retrieve.Open("", e, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer other.Close()
	did, err := store.Copy(ctx, home, other, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(did.Written, "passages copied")
	if err := ask(ctx, other, "How can I get a refund of my money?"); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 3 passages copied
	// You get your money back within 30 days.
}
