package main

import (
	"context"
	"strings"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/retrieve/bm25"
	"github.com/prodailabs/prodai/retrieve/compress"
	"github.com/prodailabs/prodai/retrieve/expand"
	"github.com/prodailabs/prodai/retrieve/query"
	"github.com/prodailabs/prodai/retrieve/rag"
	"github.com/prodailabs/prodai/retrieve/rerank"
)

// keywords is a query transform without a model: it searches with the question, and with its
// words alone, rare ones kept. A program with a model has query.MultiQuery.
type keywords struct{}

func (keywords) Queries(_ context.Context, question string) ([]string, error) {
	words := strings.Join(bm25.English(question), " ")
	if words == "" {
		return []string{question}, nil
	}
	return []string{question, words}, nil
}

// first is a retriever that returns the first k passages of another.
func (l *lab) first(r schema.Retriever, stages ...rag.Stage) (schema.Retriever, error) {
	return rag.New(r, l.extractive, &rag.Options{Stages: stages, Passages: l.k})
}

// compare measures the pipelines, each with one more stage than before, or another.
func (l *lab) compare(ctx context.Context) ([]row, error) {
	var rows []row
	add := func(name string, r schema.Retriever, stages ...rag.Stage) error {
		pipeline, err := l.first(r, stages...)
		if err != nil {
			return err
		}
		measured, err := l.measure(ctx, name, pipeline)
		rows = append(rows, measured)
		return err
	}
	if err := add("meaning", l.dense); err != nil {
		return nil, err
	}
	if err := add("+ words (hybrid)", l.hybrid); err != nil {
		return nil, err
	}
	deep, err := l.measure(ctx, "", l.hybrid)
	if err != nil {
		return nil, err
	}
	rows[1].deep = deep.recall

	expanded, err := query.NewRetriever(l.hybrid, keywords{}, &query.RetrieverOptions{K: candidates})
	if err != nil {
		return nil, err
	}
	if err := add("hybrid, two queries", expanded); err != nil {
		return nil, err
	}
	s, err := l.stages()
	if err != nil {
		return nil, err
	}
	for _, x := range []struct {
		name   string
		stages []rag.Stage
	}{
		{"hybrid + late interaction", []rag.Stage{s.late}},
		{"hybrid + fitted ranker", []rag.Stage{s.fitted}},
		{"  + MMR", []rag.Stage{s.fittedMore, s.diverse}},
		{"  + compression", []rag.Stage{s.fitted, s.compress}},
		{"  + sentence window", []rag.Stage{s.fitted, s.window}},
		{"  + window + compression", []rag.Stage{s.fitted, s.window, s.compress}},
	} {
		if err := add(x.name, l.hybrid, x.stages...); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

type stages struct{ late, fitted, fittedMore, diverse, compress, window rag.Stage }

func (l *lab) stages() (stages, error) {
	var s stages
	tokens, err := rerank.Words(l.embedder)
	if err != nil {
		return s, err
	}
	late, err := rerank.NewLate(tokens, nil)
	if err != nil {
		return s, err
	}
	r, err := rerank.New(late, &rerank.Options{K: l.k})
	if err != nil {
		return s, err
	}
	s.late = rag.Stage{Name: "late", Run: r.Rerank}

	fitted := func(k int) rag.Stage {
		return rag.Stage{Name: "fitted", Run: func(ctx context.Context, question string, passages []schema.Document) ([]schema.Document, error) {
			return l.extractive.Rerank(ctx, question, passages, k)
		}}
	}
	s.fitted, s.fittedMore = fitted(l.k), fitted(3*l.k)

	mmr, err := rerank.NewDiverse(l.embedder, &rerank.DiverseOptions{K: l.k, Relevance: 0.7})
	if err != nil {
		return s, err
	}
	s.diverse = rag.Stage{Name: "mmr", Run: mmr.Rerank}

	c, err := compress.NewSentences(&compress.SentencesOptions{Embedder: l.embedder, Keep: 0.4})
	if err != nil {
		return s, err
	}
	s.compress = rag.Stage{Name: "compress", Run: func(ctx context.Context, question string, passages []schema.Document) ([]schema.Document, error) {
		short, err := c.Compress(ctx, question, passages)
		return short[:min(l.k, len(short))], err
	}}

	w, err := expand.NewWindow(func(_ context.Context, source string) (string, error) { return l.data.Corpora[source], nil }, &expand.WindowOptions{Sentences: 2})
	if err != nil {
		return s, err
	}
	s.window = rag.Stage{Name: "window", Run: w.Expand}
	return s, nil
}
