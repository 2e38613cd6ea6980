package retrieve

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/internal/docmeta"
	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/internal/vec"
	"github.com/prodailabs/prodai/retrieve/flat"
)

// A Result is a passage that was found, with its score in each search.
type Result struct {
	schema.Document // its Score is the fused one

	Cosine float64 // similarity of meaning, -1 to 1
	Words  float64 // score of the search by words; 0: no word in common
}

// A Query narrows a search.
type Query struct {
	// Filter reports by its metadata whether a passage may be found. It must not
	// change the metadata. Default: nil, all may be found.
	Filter func(meta map[string]any) bool

	// Where is a condition that the metadata must meet, "id" and "source" included, beside
	// Filter. It is for conditions that come as text or go to other stores. The zero
	// Filter is met by all.
	Where Filter
}

// GetRelevantDocuments returns the Options.K best passages. It is langchaingo's
// schema.Retriever.
func (c *Collection) GetRelevantDocuments(ctx context.Context, query string) ([]schema.Document, error) {
	results, err := c.Search(ctx, query, c.o.K, nil)
	if err != nil {
		return nil, err
	}
	docs := make([]schema.Document, len(results))
	for i, r := range results {
		docs[i] = r.Document
	}
	return docs, nil
}

// Search returns the k best passages for a query, best first, ties by the lower id:
// the rankings by meaning (by cosine; exact unless the collection is large, see
// Options.Index) and by words, fused by [RRF] or, with Options.Normalize, by their scores. A passage that is similar to the query
// in neither way isn't returned. It fails with [ErrOption] if k is below 1, and with
// [ErrFilter], [ErrEmbedder] and [ErrClosed].
func (c *Collection) Search(ctx context.Context, query string, k int, q *Query) ([]Result, error) {
	began := time.Now()
	if k <= 0 {
		return nil, fmt.Errorf("%w: k is %d, want at least 1", ErrOption, k)
	}
	if q == nil {
		q = &Query{}
	}
	if err := q.Where.Check(); err != nil {
		return nil, err
	}
	who := c.caller(ctx)
	byWords, err := c.wordsQuery(ctx, query)
	if err != nil {
		return nil, err
	}
	vector, err := c.embedQuery(ctx, query)
	if err != nil {
		return nil, err
	}
	defer c.mu.RUnlock()
	if c.closed {
		return nil, ErrClosed
	}
	if c.dim == 0 {
		return nil, nil // nothing was ever added
	}
	if err := checkVector(vector, c.dim); err != nil {
		return nil, err
	}
	allowed := func(number int) bool {
		if number < 0 || number >= len(c.slots) || c.slots[number] == nil { // an index may be the program's own, with wrong numbers
			return false
		}
		p := c.slots[number]
		return p.access.allows(who) && (q.Filter == nil || q.Filter(p.Meta)) && q.Where.match(p.get)
	}
	filter := allowed
	if !c.moving && c.limited == 0 && q.Filter == nil && q.Where.Op == OpAll {
		filter = nil // all are allowed, which an index finds faster if it needn't ask
	}
	vector = unit(vector)
	dense, err := c.nearest(vector, max(k, depth), filter)
	if err != nil {
		return nil, err
	}
	var sparse []Ranked[string]
	words := map[string]float64{}
	if c.o.Words != nil {
		if sparse, err = c.searchWords(byWords, max(k, depth), allowed); err != nil {
			return nil, err
		}
		for _, r := range sparse {
			words[r.ID] = r.Score
		}
	}
	fused := c.fuse(dense, sparse)
	results := make([]Result, 0, min(k, len(fused)))
	for _, f := range fused[:min(k, len(fused))] {
		p := c.passages[f.ID]
		results = append(results, Result{Document: p.document(float32(f.Score)), Words: words[f.ID], Cosine: float64(vec.Dot(vector, p.vector()))})
	}
	c.log(ctx, results, time.Since(began), who.tenant)
	return results, nil
}

func (c *Collection) fuse(dense, sparse []Ranked[string]) []Ranked[string] {
	weights := []float64{c.o.DenseWeight, c.o.SparseWeight}
	if c.o.Normalize != nil {
		return WeightedSum(c.o.Normalize, weights, dense, sparse)
	}
	return RRF(rrfK, weights, dense, sparse)
}

// embedQuery returns a query's vector with c.mu locked for reading, unless it fails: the
// embedder is then still that of the index.
func (c *Collection) embedQuery(ctx context.Context, query string) ([]float32, error) {
	for {
		c.mu.RLock()
		embedder, generation := c.embedder, c.generation
		c.mu.RUnlock()
		vector, err := embedder.EmbedQuery(ctx, query)
		if err != nil {
			return nil, fmt.Errorf("retrieve: embed the query: %w", err)
		}
		c.mu.RLock()
		if c.generation == generation {
			return vector, nil
		}
		c.mu.RUnlock() // the embedder was changed meanwhile
	}
}

// searchWords returns the n best allowed passages by the words, ties by the lower id.
func (c *Collection) searchWords(search func(int, func(int) bool) ([]Hit, error), n int, allowed func(int) bool) ([]Ranked[string], error) {
	var hits []Hit
	for want := n + 1; ; want *= 2 { // until all that tie with the last one are there
		var err error
		if hits, err = search(want, allowed); err != nil {
			return nil, fmt.Errorf("retrieve: search the words: %w", err)
		}
		if len(hits) != want || hits[want-1].Score != hits[n-1].Score {
			break // a Words that can't filter returns all that there are
		}
	}
	var out []Ranked[string]
	for _, h := range hits {
		if len(out) >= n && h.Score != out[len(out)-1].Score {
			break // what ties with the last one could be before it
		}
		if allowed(h.ID) {
			out = append(out, Ranked[string]{c.slots[h.ID].ID, h.Score})
		}
	}
	slices.SortStableFunc(out, byRank)
	return out[:min(n, len(out))], nil
}

func (c *Collection) log(ctx context.Context, results []Result, elapsed time.Duration, tenant string) {
	ids, scores := make([]string, len(results)), make([]float64, len(results))
	for i, r := range results {
		ids[i], _ = docmeta.String(r.Metadata, docmeta.ID)
		scores[i] = float64(r.Score)
	}
	c.o.Logger.InfoContext(ctx, event.RetrieveQuery, event.Count, len(results), event.ID, ids, event.Scores, scores,
		event.Elapsed, elapsed, event.Tenant, tenant)
}

// nearest returns the n passages with the largest cosine, best first, ties by
// the lower id, those with none above 0 left out.
func (c *Collection) nearest(vector []float32, n int, allowed func(int) bool) ([]Ranked[string], error) {
	if c.index == nil || !slices.ContainsFunc(vector, func(e float32) bool { return e != 0 }) {
		return nil, nil // nothing has a direction, or the query has none
	}
	// The index breaks ties by number, which depends on the history of the collection.
	// So all that tie with the last one are asked for.
	for want := n + 1; ; want *= 2 {
		hits, err := c.index.Search(vector, want, allowed)
		if err != nil {
			return nil, fmt.Errorf("retrieve: index: %w", err)
		}
		if len(hits) >= want && hits[len(hits)-1].Score == hits[n-1].Score && hits[n-1].Score > 0 {
			continue
		}
		best := make([]Ranked[string], 0, len(hits))
		for _, h := range hits {
			if h.Score > 0 && h.ID >= 0 && h.ID < len(c.slots) && c.slots[h.ID] != nil {
				best = append(best, Ranked[string]{c.slots[h.ID].ID, h.Score})
			}
		}
		slices.SortFunc(best, byRank)
		return best[:min(n, len(best))], nil
	}
}

func byRank(a, b Ranked[string]) int {
	return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
}

// unit returns v scaled to length 1, or v if it is zero.
func unit(v []float32) []float32 {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if sum == 0 {
		return v
	}
	scale := 1 / math.Sqrt(sum)
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(float64(x) * scale) // the scale of denormal numbers is beyond float32
	}
	return out
}

// Recall returns the share of the true k nearest passages of the questions that the
// index finds, 0 to 1: 1 while the collection is searched exactly. It compares the
// questions with all vectors, so it takes longer than as many searches.
func (c *Collection) Recall(ctx context.Context, questions []string, k int) (float64, error) {
	if k < 1 || len(questions) == 0 {
		return 0, fmt.Errorf("%w: k is %d and there are %d questions: want at least 1", ErrOption, k, len(questions))
	}
	var queries [][]float32
	for _, q := range questions {
		v, err := c.embedQuery(ctx, q)
		if err != nil {
			return 0, err
		}
		c.mu.RUnlock()
		queries = append(queries, unit(v))
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.closed {
		return 0, ErrClosed
	}
	if c.index == nil {
		return 1, nil
	}
	exact, err := flat.New(c.dim, &flat.Options{Metric: flat.MetricDot})
	if err != nil {
		return 0, err
	}
	if err := fill(exact, c.present()); err != nil {
		return 0, err
	}
	return IndexRecall(c.index, exact, queries, k)
}
