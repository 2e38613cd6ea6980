package retrieve

import (
	"context"
	"fmt"

	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/vectorstores"

	"github.com/prodailabs/prodai/retrieve/internal/vectorstore"
)

var (
	_ vectorstores.VectorStore = (*Collection)(nil)
	_ schema.Retriever         = (*Collection)(nil)
)

// AddDocuments is [Collection.Upsert] in the form of langchaingo's vectorstores, and
// returns the ids of the documents. Of the options it takes WithDeduplicater; it
// refuses the others with [ErrOption] instead of ignoring them.
func (c *Collection) AddDocuments(ctx context.Context, docs []schema.Document, options ...vectorstores.Option) ([]string, error) {
	fresh, err := vectorstore.Fresh(ctx, docs, options, ErrOption)
	if err != nil {
		return nil, err
	}
	ids, _, err := c.upsert(ctx, fresh)
	return ids, err
}

// SimilaritySearch is [Collection.Search] in the form of langchaingo's vectorstores. Of
// the options it takes WithFilters with a [Filter], the text of one, or a
// map[string]any of values that must all be equal; WithScoreThreshold, which is
// compared with the cosine before the k best are taken; and WithDeduplicater. It
// refuses the others with [ErrOption]. The tenant and the groups are those of ctx, see
// Options.
func (c *Collection) SimilaritySearch(ctx context.Context, query string, k int, options ...vectorstores.Option) ([]schema.Document, error) {
	o, err := vectorstore.Search(options, "collection", ErrOption)
	if err != nil {
		return nil, err
	}
	if k < 1 {
		return nil, fmt.Errorf("%w: k is %d, want at least 1", ErrOption, k)
	}
	where, err := FilterOf(o.Filters)
	if err != nil {
		return nil, err
	}
	want := k
	if o.ScoreThreshold > 0 || o.Deduplicater != nil { // some are left out
		want = max(k, c.Len())
	}
	results, err := c.Search(ctx, query, want, &Query{Where: where})
	if err != nil {
		return nil, err
	}
	var docs []schema.Document
	for _, r := range results {
		if len(docs) < k && vectorstore.Keeps(ctx, &o, r.Cosine, r.Document) {
			docs = append(docs, r.Document)
		}
	}
	return docs, nil
}

// FilterOf returns the filter that an option of langchaingo gives: nil, a [Filter], the text
// of one, or a map[string]any of values that must all be equal.
func FilterOf(v any) (Filter, error) {
	switch f := v.(type) {
	case nil:
		return Filter{}, nil
	case Filter:
		return f, nil
	case *Filter:
		if f != nil {
			return *f, nil
		}
		return Filter{}, nil
	case string:
		return ParseFilter(f)
	case map[string]any:
		var all []Filter
		for key, value := range f {
			all = append(all, Eq(key, value))
		}
		return And(all...), nil
	}
	return Filter{}, fmt.Errorf("%w: a filter of type %T: want a Filter, the text of one, or a map[string]any", ErrFilter, v)
}
