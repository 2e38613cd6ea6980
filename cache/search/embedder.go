package search

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/tmc/langchaingo/embeddings"

	"github.com/prodailabs/prodai/cache"
)

// An Embedder keeps the vectors of an embedder. It is safe for concurrent use if the
// wrapped one is. Options.Version is an embedder's too: a revision of its weights, for
// example.
type Embedder struct {
	*memo
	next embeddings.Embedder
}

var _ embeddings.Embedder = (*Embedder)(nil)

// NewEmbedder returns an Embedder around next. The model is the name of the embedding
// model with all that changes its vectors, such as "text-embedding-3-small/512". nil
// options mean the defaults. Its error wraps [ErrOption].
func NewEmbedder(next embeddings.Embedder, model string, o *Options) (*Embedder, error) {
	if next == nil {
		return nil, fmt.Errorf("%w: the embedder is nil", ErrOption)
	}
	m, err := newMemo(model, week, func(s string) bool { return len(s) > 0 && len(s)%4 == 0 && usable(decodeVector(s)) }, o)
	if err != nil {
		return nil, err
	}
	return &Embedder{m, next}, nil
}

// Unwrap returns the wrapped embedder.
func (e *Embedder) Unwrap() embeddings.Embedder { return e.next }

// EmbedDocuments returns a vector for each text. The wrapped embedder receives the texts
// that aren't stored, in one batch, each once. If it fails, so does the call.
func (e *Embedder) EmbedDocuments(ctx context.Context, texts []string) ([][]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("cache/search: %w", err)
	}
	s, ok := e.scope(ctx)
	if !ok {
		e.stats.bypassed.Add(int64(len(texts)))
		return e.next.EmbedDocuments(ctx, texts)
	}
	return e.embed(ctx, s, "document", texts, e.next.EmbedDocuments)
}

// EmbedQuery returns the vector of a question. A question and a document with the same
// text never share a vector.
func (e *Embedder) EmbedQuery(ctx context.Context, text string) ([]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("cache/search: %w", err)
	}
	s, ok := e.scope(ctx)
	if !ok {
		e.stats.bypassed.Add(1)
		return e.next.EmbedQuery(ctx, text)
	}
	out, err := e.embed(ctx, s, "query", []string{text}, func(ctx context.Context, texts []string) ([][]float32, error) {
		v, err := e.next.EmbedQuery(ctx, texts[0])
		return [][]float32{v}, err
	})
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

func (e *Embedder) embed(ctx context.Context, s cache.Scope, kind string, texts []string, next func(context.Context, []string) ([][]float32, error)) ([][]float32, error) {
	keys := make([]cache.Key, len(texts))
	textOf := make(map[cache.Key]string, len(texts))
	for i, text := range texts {
		key, err := keyOf(s, kind, text)
		if err != nil {
			return nil, fmt.Errorf("cache/search: %w", err)
		}
		keys[i], textOf[key] = key, text
	}
	found, err := e.collect(ctx, s, keys, func(ctx context.Context, missing []cache.Key) (map[cache.Key]result, error) {
		batch := make([]string, len(missing))
		for i, key := range missing {
			batch[i] = textOf[key]
		}
		vectors, err := next(ctx, batch)
		if err != nil {
			return nil, err
		}
		if len(vectors) != len(batch) {
			return nil, fmt.Errorf("%w: %d vectors for %d texts", ErrResult, len(vectors), len(batch))
		}
		out := make(map[cache.Key]result, len(missing))
		for i, v := range vectors {
			r := result{content: encodeVector(v)}
			if usable(v) {
				r.life = e.o.TTL
			}
			out[missing[i]] = r
		}
		return out, nil
	})
	if err != nil {
		return nil, err
	}
	out := make([][]float32, len(texts))
	for i, key := range keys {
		out[i] = decodeVector(found[key].content)
	}
	return out, nil
}

// usable reports whether a vector is worth storing.
func usable(v []float32) bool {
	for _, x := range v {
		if f := float64(x); math.IsNaN(f) || math.IsInf(f, 0) {
			return false
		}
	}
	return len(v) > 0
}

// encodeVector returns the bits of a vector, so that it comes back exactly.
func encodeVector(v []float32) string {
	b := make([]byte, 0, 4*len(v))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return string(b)
}

func decodeVector(s string) []float32 {
	out := make([]float32, len(s)/4)
	for i := range out {
		b := s[4*i:]
		out[i] = math.Float32frombits(uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24)
	}
	return out
}
