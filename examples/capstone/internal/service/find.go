package service

import (
	"context"
	"maps"
	"path"
	"slices"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/chunk"
	"github.com/prodailabs/prodai/examples/capstone/internal/corpus"
	"github.com/prodailabs/prodai/retrieve"
	"github.com/prodailabs/prodai/retrieve/bm25"
	"github.com/prodailabs/prodai/retrieve/rag"
)

// A finder finds the passages for a question: the candidates of the hybrid search, put
// in the order of how probably each answers.
type finder struct{ s *Service }

// candidates is how many passages of each part of a question are looked at again.
const candidates = 30

// GetRelevantDocuments is schema.Retriever's.
func (f finder) GetRelevantDocuments(ctx context.Context, question string) ([]schema.Document, error) {
	code := rag.AsksForCode(question)
	allowed := func(meta map[string]any) bool { // programs share words with every question, and answer few
		name, _ := chunk.MetaString(meta, chunk.KeySource)
		return code || !isSource(name)
	}
	var found []schema.Document
	seen := map[string]bool{}
	search := func(query string, filter func(map[string]any) bool) error {
		results, err := f.s.collection.Search(ctx, query, candidates, &retrieve.Query{Filter: filter})
		for _, r := range results {
			if id, _ := chunk.MetaString(r.Metadata, chunk.KeyID); !seen[id] {
				seen[id] = true
				found = append(found, r.Document)
			}
		}
		return err
	}
	queries := rag.Parts(question)
	if len(queries) > 1 {
		queries = append(queries, question)
	}
	queries = append(queries, rag.Compared(question)...)
	for _, query := range queries {
		if err := search(query, allowed); err != nil {
			return nil, err
		}
		near, err := f.s.asked.near(ctx, query, candidates)
		if err != nil {
			return nil, err
		}
		err = search(query, func(meta map[string]any) bool {
			id, _ := chunk.MetaString(meta, chunk.KeyID)
			return near[id] && !seen[id] && allowed(meta)
		})
		if err != nil {
			return nil, err
		}
	}
	return f.s.ranker.Rerank(ctx, question, found, f.s.k)
}

// isSource reports whether a document is a program, not a text.
func isSource(name string) bool { return path.Ext(name) == ".go" && path.Base(name) != "doc.go" }

// learn lets questions be corrected towards the words of documents.
func (s *Service) learn(docs []corpus.Document) {
	s.learning.Lock()
	defer s.learning.Unlock()
	for _, d := range docs {
		if !isSource(d.Source) {
			s.learned[d.Source] = d.Text
		}
	}
	s.speller.Store(rag.NewSpeller(slices.Collect(maps.Values(s.learned)), func(word string) bool {
		if s.embedder.Knows(word) {
			return true
		}
		for _, stem := range bm25.English(word) { // of a document from before this start
			if s.words.Contains(stem) {
				return true
			}
		}
		return false
	}))
}

// correct returns a question without its typing errors.
func (s *Service) correct(question string) string {
	if speller := s.speller.Load(); speller != nil {
		return speller.Correct(question)
	}
	return question
}
