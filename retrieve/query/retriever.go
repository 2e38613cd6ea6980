package query

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"sync"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/internal/docmeta"
	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/internal/wrap"
	"github.com/prodailabs/prodai/retrieve"
)

// Searcher finds passages for a query: schema.Retriever of langchaingo, or one of its
// vectorstores with ToRetriever.
type Searcher = schema.Retriever

// RetrieverOptions configure a [Retriever].
type RetrieverOptions struct {
	// K is how many passages are returned at most. Default: 10.
	K int

	// Weights are the weights of the queries' rankings in the fusion, the first query's
	// first. Default: 1 for each query beyond their number.
	Weights []float64

	// Parallel is how many searches are in progress at once. Default: 4.
	Parallel int

	// Logger receives retrieve.fallback. Default: it is discarded.
	Logger *slog.Logger
}

// A Retriever searches with several queries instead of one, and fuses the rankings by
// reciprocal rank. If the transform fails, it searches with the question alone. It is
// langchaingo's schema.Retriever.
type Retriever struct {
	searchers []Searcher
	t         Transform
	o         RetrieverOptions
}

var _ schema.Retriever = (*Retriever)(nil)

// NewRetriever returns a Retriever; nil options mean the defaults. It fails with
// [ErrOption].
func NewRetriever(s Searcher, t Transform, o *RetrieverOptions) (*Retriever, error) {
	if s == nil || t == nil {
		return nil, fmt.Errorf("%w: the searcher or the transform of NewRetriever is nil", ErrOption)
	}
	return newRetriever([]Searcher{s}, t, o)
}

// NewEnsemble returns a Retriever that asks several searchers with the question itself, and
// fuses their rankings: a vector store and a keyword search, or two databases. Weights are
// those of the searchers. It fails with [ErrOption].
func NewEnsemble(searchers []Searcher, o *RetrieverOptions) (*Retriever, error) {
	if len(searchers) == 0 {
		return nil, fmt.Errorf("%w: NewEnsemble has no searcher", ErrOption)
	}
	for i, s := range searchers {
		if s == nil {
			return nil, fmt.Errorf("%w: searcher %d of NewEnsemble is nil", ErrOption, i)
		}
	}
	return newRetriever(searchers, nil, o)
}

func newRetriever(searchers []Searcher, t Transform, o *RetrieverOptions) (*Retriever, error) {
	r := &Retriever{searchers: append([]Searcher(nil), searchers...), t: t}
	if o != nil {
		r.o = *o
	}
	r.o.K, r.o.Parallel = cmp.Or(r.o.K, 10), cmp.Or(r.o.Parallel, 4)
	if r.o.K < 0 || r.o.Parallel < 0 {
		return nil, fmt.Errorf("%w: RetrieverOptions.K and Parallel are %d and %d: want 0 (the defaults, 10 and 4) or more", ErrOption, r.o.K, r.o.Parallel)
	}
	r.o.Weights = append([]float64(nil), r.o.Weights...)
	sum := 0.0
	for _, w := range r.o.Weights {
		if !(w >= 0) || math.IsInf(w, 1) {
			return nil, fmt.Errorf("%w: a weight of RetrieverOptions.Weights is %v: want 0 or more", ErrOption, w)
		}
		sum += w
	}
	if len(r.o.Weights) > 0 && sum == 0 {
		return nil, fmt.Errorf("%w: the weights of RetrieverOptions.Weights are all 0", ErrOption)
	}
	r.o.Logger = event.Logger(r.o.Logger)
	return r, nil
}

// GetRelevantDocuments returns the best passages of all queries, best first, with the fused
// score. A passage that several queries find is returned once, as its best ranking has it:
// two are the same if they have the same "id", or, without ids, the same source, place and
// text. It fails if ctx is done or a search fails.
func (r *Retriever) GetRelevantDocuments(ctx context.Context, question string) ([]schema.Document, error) {
	queries := []string{question}
	if r.t != nil {
		made, err := r.t.Queries(ctx, question)
		switch {
		case ctx.Err() != nil:
			return nil, fmt.Errorf("query: %w", cmp.Or(wrap.ContextError(ctx, err), ctx.Err()))
		case err != nil || len(made) == 0:
			r.o.Logger.WarnContext(ctx, event.RetrieveFallback, event.Stage, "query", event.Count, 1, event.Reason, "failed")
		default:
			queries = made
		}
	}
	found, err := r.search(ctx, queries)
	if err != nil {
		return nil, err
	}
	return fuse(found, r.o.Weights, r.o.K), nil
}

// search returns the ranking of each query by each searcher.
func (r *Retriever) search(ctx context.Context, queries []string) ([][]schema.Document, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	found := make([][]schema.Document, len(queries)*len(r.searchers))
	slots := make(chan struct{}, r.o.Parallel)
	var wg sync.WaitGroup
	for i := range found {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		wg.Go(func() {
			defer func() { <-slots }()
			docs, err := r.searchers[i%len(r.searchers)].GetRelevantDocuments(ctx, queries[i/len(r.searchers)])
			if err != nil {
				cancel(fmt.Errorf("query: search: %w", wrap.ContextError(ctx, err))) // the first cause stays
			}
			found[i] = docs
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return found, nil
}

// fuse fuses rankings by reciprocal rank.
func fuse(found [][]schema.Document, weights []float64, k int) []schema.Document {
	type best struct {
		document schema.Document
		rank     int
	}
	all := map[string]best{}
	runs := make([][]retrieve.Ranked[string], len(found))
	for i, docs := range found {
		for rank, d := range docs {
			key := keyOf(d)
			if b, ok := all[key]; !ok || rank < b.rank {
				all[key] = best{d, rank}
			}
			runs[i] = append(runs[i], retrieve.Ranked[string]{ID: key, Score: float64(d.Score)})
		}
	}
	fused := retrieve.RRF(60, weights, runs...)
	out := make([]schema.Document, 0, min(k, len(fused)))
	for _, f := range fused[:min(k, len(fused))] {
		if f.Score == 0 { // only rankings of no weight have it
			break
		}
		d := all[f.ID].document
		d.Score = float32(f.Score)
		out = append(out, d)
	}
	return out
}

// keyOf returns what two copies of a passage have in common.
func keyOf(d schema.Document) string {
	if id, _ := docmeta.String(d.Metadata, docmeta.ID); id != "" {
		return "id\x00" + id
	}
	source, _ := docmeta.String(d.Metadata, docmeta.Source)
	start, end, _ := docmeta.Span(d.Metadata)
	return strings.Join([]string{"text", source, fmt.Sprint(start, end), d.PageContent}, "\x00")
}
