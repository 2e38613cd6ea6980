package search

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/cache"
)

// A Retriever keeps the documents that a retriever found. It is safe for concurrent use
// if the wrapped one is.
type Retriever struct {
	*memo
	next schema.Retriever
}

var _ schema.Retriever = (*Retriever)(nil)

// NewRetriever returns a Retriever around next. The index is a name of what is searched
// and how, such as "handbook, 5 passages". nil options mean the defaults. Its error
// wraps [ErrOption].
func NewRetriever(next schema.Retriever, index string, o *Options) (*Retriever, error) {
	if next == nil {
		return nil, fmt.Errorf("%w: the retriever is nil", ErrOption)
	}
	m, err := newMemo(index, time.Minute, func(s string) bool { _, err := decodeDocuments(s); return err == nil }, o)
	if err != nil {
		return nil, err
	}
	return &Retriever{m, next}, nil
}

// Unwrap returns the wrapped retriever.
func (r *Retriever) Unwrap() schema.Retriever { return r.next }

// GetRelevantDocuments returns the documents of a question. They have the form that
// JSON gives them: a []string in their metadata comes back as []any, whole numbers as
// int. Documents that JSON can't hold, such as text that isn't UTF-8, are not stored.
func (r *Retriever) GetRelevantDocuments(ctx context.Context, query string) ([]schema.Document, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("cache/search: %w", err)
	}
	s, ok := r.scope(ctx)
	if !ok {
		r.stats.bypassed.Add(1)
		return r.next.GetRelevantDocuments(ctx, query)
	}
	key, err := keyOf(s, "documents", query)
	if err != nil {
		return nil, fmt.Errorf("cache/search: %w", err)
	}
	found, err := r.collect(ctx, s, []cache.Key{key}, func(ctx context.Context, keys []cache.Key) (map[cache.Key]result, error) {
		docs, err := r.next.GetRelevantDocuments(ctx, query)
		if err != nil {
			return nil, err
		}
		content, ok := encodeDocuments(docs)
		res := result{content: content, life: r.o.TTL}
		switch {
		case !ok:
			res = result{plain: docs}
		case len(docs) == 0:
			res.life = r.o.EmptyTTL
		}
		return map[cache.Key]result{keys[0]: res}, nil
	})
	if err != nil {
		return nil, err
	}
	if plain := found[key].plain; plain != nil {
		return slices.Clone(plain), nil
	}
	return decodeDocuments(found[key].content)
}

// encodeDocuments returns the documents as JSON, or false if JSON can't hold them.
func encodeDocuments(docs []schema.Document) (string, bool) {
	data, err := json.Marshal(docs)
	// encoding/json writes this for bytes that aren't UTF-8, but never for a real U+FFFD.
	if err != nil || bytes.Contains(data, []byte(`\ufffd`)) {
		return "", false
	}
	return string(data), true
}

func decodeDocuments(s string) ([]schema.Document, error) {
	var docs []schema.Document
	if err := json.Unmarshal([]byte(s), &docs); err != nil {
		return nil, fmt.Errorf("cache/search: %w", err)
	}
	for _, d := range docs {
		whole(d.Metadata)
	}
	return docs, nil
}

// whole makes ints of the float64 that JSON reads, where nothing is lost.
func whole(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			v[key] = whole(inner)
		}
	case []any:
		for i, inner := range v {
			v[i] = whole(inner)
		}
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int(v)
		}
	}
	return v
}
