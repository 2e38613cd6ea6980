package weaviate_test

import (
	"context"
	"fmt"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/retrieve"
	"github.com/prodailabs/prodai/retrieve/embed"
	"github.com/prodailabs/prodai/retrieve/store"
	"github.com/prodailabs/prodai/retrieve/store/weaviate"
)

// A program writes passages into the database and asks it. It needs a server to run.
func Example() {
	if err := search(context.Background()); err != nil {
		fmt.Println(err)
	}
}

func search(ctx context.Context) error {
	e, err := embed.New()
	if err != nil {
		return err
	}
	db, err := weaviate.Open(ctx, "http://localhost:8080", "Passages", 256, nil)
	if err != nil {
		return err
	}
	s, err := store.New(db, e, nil)
	if err != nil {
		return err
	}
	docs := []schema.Document{{PageContent: "You get your money back within 30 days.", Metadata: map[string]any{"id": "1", "lang": "en"}}}
	if _, err := s.Upsert(ctx, docs); err != nil {
		return err
	}
	results, err := s.Search(ctx, "refund", 5, &retrieve.Query{Where: retrieve.Eq("lang", "en")})
	for _, r := range results {
		fmt.Println(r.PageContent)
	}
	return err
}
