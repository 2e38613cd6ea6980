package service

import (
	"context"
	"fmt"

	"github.com/prodailabs/prodai/chunk"
	"github.com/prodailabs/prodai/chunk/token/o200k"
	"github.com/prodailabs/prodai/examples/capstone/internal/corpus"
	"github.com/prodailabs/prodai/retrieve/embed/tune"
)

// Groups returns the passages of documents that are known to answer questions, as they
// are embedded, each with its questions. Source files have none.
func Groups(ctx context.Context, docs []corpus.Document) ([]tune.Group, error) {
	chunker, err := chunk.NewBlocks(&chunk.Options{Size: passageTokens, Tokens: o200k.Encoding().Count})
	if err != nil {
		return nil, err
	}
	var out []tune.Group
	for _, d := range docs {
		if isSource(d.Source) {
			continue
		}
		chunks, err := chunker.Chunk(ctx, d.Text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.Source, err)
		}
		passages := chunk.Documents(d.Source, nil, underHeadings(chunks))
		for i, c := range chunks {
			if questions := corpus.Asked(c.Text); len(questions) > 0 {
				out = append(out, tune.Group{Texts: append([]string{passages[i].PageContent}, questions...)})
			}
		}
	}
	return out, nil
}
