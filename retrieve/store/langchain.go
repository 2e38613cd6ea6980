package store

import (
	"context"
	"math"

	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/vectorstores"

	"github.com/prodailabs/prodai/retrieve"
	"github.com/prodailabs/prodai/retrieve/internal/vectorstore"
)

// AddDocuments is [Store.Upsert] in the form of langchaingo's vectorstores, and returns the
// ids of the documents. Of the options it takes WithDeduplicater; it refuses the others
// with [ErrOption] instead of ignoring them. If some documents are not stored, it returns
// an [*UpsertError] and no ids.
func (s *Store) AddDocuments(ctx context.Context, docs []schema.Document, options ...vectorstores.Option) ([]string, error) {
	fresh, err := vectorstore.Fresh(ctx, docs, options, ErrOption)
	if err != nil {
		return nil, err
	}
	ids, _, err := s.upsert(ctx, fresh)
	if err != nil {
		return nil, err
	}
	return ids, nil
}

// SimilaritySearch is [Store.Search] in the form of langchaingo's vectorstores. Of the
// options it takes WithFilters with a [retrieve.Filter], the text of one, or a
// map[string]any of values that must all be equal; WithScoreThreshold, which is compared
// with the cosine; and WithDeduplicater. It refuses the others with [ErrOption]: the
// tenant is that of ctx, see Options.
func (s *Store) SimilaritySearch(ctx context.Context, query string, k int, options ...vectorstores.Option) ([]schema.Document, error) {
	o, err := vectorstore.Search(options, "store", ErrOption)
	if err != nil {
		return nil, err
	}
	where, err := retrieve.FilterOf(o.Filters)
	if err != nil {
		return nil, err
	}
	for want := k; ; want *= 2 { // until the deduplicater leaves k, or there are no more
		results, err := s.Search(ctx, query, want, &retrieve.Query{Where: where})
		if err != nil {
			return nil, err
		}
		var docs []schema.Document
		for _, r := range results {
			if len(docs) < k && vectorstore.Keeps(ctx, &o, r.Cosine, r.Document) {
				docs = append(docs, r.Document)
			}
		}
		if o.Deduplicater == nil || len(docs) == k || len(results) < want || want > math.MaxInt/2 {
			return docs, nil
		}
	}
}
