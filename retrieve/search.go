package retrieve

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/internal/docmeta"
	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/internal/vec"
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
// the rankings by meaning (exact, by cosine) and by words, fused by [RRF]. A
// passage that is similar to the query in neither way isn't returned.
func (c *Collection) Search(ctx context.Context, query string, k int, q *Query) ([]Result, error) {
	began := time.Now()
	if k <= 0 {
		return nil, fmt.Errorf("retrieve: k is %d, want at least 1", k)
	}
	vector, err := c.embedder.EmbedQuery(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("retrieve: embed the query: %w", err)
	}
	tenant := ""
	if c.o.Tenant != nil {
		tenant = c.o.Tenant(ctx)
	}
	c.mu.RLock()
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
		if number < 0 || number >= len(c.slots) || c.slots[number] == nil { // the index of words may be the program's own, with wrong numbers
			return false
		}
		p := c.slots[number]
		owner, _ := docmeta.String(p.Meta, docmeta.Tenant)
		return (owner == "" || owner == tenant) && (q == nil || q.Filter == nil || q.Filter(p.Meta))
	}
	vector = unit(vector)
	dense := c.nearest(vector, max(k, depth), allowed)
	var sparse []Ranked[string]
	words := map[string]float64{}
	if c.o.Words != nil {
		for _, h := range c.o.Words.Search(query, len(c.slots)) {
			if len(sparse) == max(k, depth) {
				break
			}
			if allowed(h.ID) {
				sparse = append(sparse, Ranked[string]{c.slots[h.ID].ID, h.Score})
				words[c.slots[h.ID].ID] = h.Score
			}
		}
	}
	fused := RRF(rrfK, []float64{c.o.DenseWeight, c.o.SparseWeight}, dense, sparse)
	results := make([]Result, 0, min(k, len(fused)))
	for _, f := range fused[:min(k, len(fused))] {
		p := c.passages[f.ID]
		results = append(results, Result{Document: p.document(float32(f.Score)), Words: words[f.ID],
			Cosine: float64(vec.Dot(vector, c.vectors[p.number*c.dim:][:c.dim]))})
	}
	c.log(ctx, results, time.Since(began), tenant)
	return results, nil
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
func (c *Collection) nearest(vector []float32, n int, allowed func(int) bool) []Ranked[string] {
	best := &worstFirst{}
	for number, p := range c.slots {
		if !allowed(number) {
			continue
		}
		cosine := vec.Dot(vector, c.vectors[number*c.dim:][:c.dim])
		if cosine <= 0 {
			continue
		}
		r := Ranked[string]{p.ID, float64(cosine)}
		if best.Len() < n {
			heap.Push(best, r)
		} else if byRank(r, (*best)[0]) < 0 {
			(*best)[0] = r
			heap.Fix(best, 0)
		}
	}
	slices.SortFunc(*best, byRank)
	return *best
}

func byRank(a, b Ranked[string]) int {
	return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
}

// worstFirst is a heap of the best so far, with the worst of them on top.
type worstFirst []Ranked[string]

func (h worstFirst) Len() int           { return len(h) }
func (h worstFirst) Less(i, j int) bool { return byRank(h[i], h[j]) > 0 }
func (h worstFirst) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push is heap.Interface's.
func (h *worstFirst) Push(x any) { *h = append(*h, x.(Ranked[string])) }

// Pop is heap.Interface's.
func (h *worstFirst) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
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
