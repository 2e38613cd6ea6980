package retrieve

import (
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/prodailabs/prodai/retrieve/flat"
	"github.com/prodailabs/prodai/retrieve/hnsw"
	"github.com/prodailabs/prodai/retrieve/internal/nearest"
)

// An Index finds near vectors. The indexes of retrieve/flat, retrieve/hnsw and
// retrieve/ivf are ones. It must be safe for concurrent use.
type Index interface {
	// Add puts a copy of a vector into the index under id, in place of the one that
	// was there.
	Add(id int, vector []float32) error
	// Remove removes a vector and reports whether it was there.
	Remove(id int) bool
	// Search returns the k nearest vectors, best first, of those whose id is allowed;
	// nil allows all. It returns fewer only if there are fewer.
	Search(query []float32, k int, allowed func(id int) bool) ([]Hit, error)
	// Len returns the number of vectors.
	Len() int
	// Save writes the index to a file, so that a crash leaves the old file or the new
	// one. The index's package opens it.
	Save(path string) error
}

var (
	_ Index = (*flat.Index)(nil)
	_ Index = (*hnsw.Index)(nil)
)

// IndexRecall returns the share of the true k nearest vectors of the queries that an
// index finds, 0 to 1. The true ones are those that exact finds, an index of the same
// vectors, such as one of retrieve/flat. A hit whose score equals that of the last
// true one counts too. It fails with [ErrOption] if k is below 1 or there are no
// queries, and as the indexes do.
func IndexRecall(x, exact Index, queries [][]float32, k int) (float64, error) {
	if k < 1 || len(queries) == 0 {
		return 0, fmt.Errorf("%w: k is %d and there are %d queries: want at least 1", ErrOption, k, len(queries))
	}
	return nearest.Recall(queries,
		func(q []float32) ([]Hit, error) { return x.Search(q, k, nil) },
		func(q []float32) ([]Hit, error) { return exact.Search(q, k, nil) })
}

// flatUntil is from how many passages on the default index is a graph. It is near where the
// two take the same time for the depth best of vectors of 256 elements: at 10,000 the scan
// takes .5 to .7 of the graph's time, at 20,000 as long or 1.7 times as long, and at 40,000
// two to three times, by how much of the cache other programs use. BenchmarkCrossing prints
// it. Below, a scan also loses nothing, and a new passage costs 5 µs instead of 450.
const flatUntil = 20_000

// graphEF is how many candidates a search of the chosen graph keeps at least: the
// fusion takes depth of them.
const graphEF = 2 * depth

// newIndex returns an empty index for n vectors. The vectors have length 1, so the
// inner product is the cosine.
func (c *Collection) newIndex(dim, n int) (Index, error) {
	switch {
	case c.o.Index != nil:
		x, err := c.o.Index(dim)
		if err == nil && x == nil {
			err = errors.New("it is nil")
		}
		if err != nil {
			return nil, fmt.Errorf("retrieve: Options.Index for %d dimensions: %w", dim, err)
		}
		return x, nil
	case n < c.flatUntil:
		return flat.New(dim, &flat.Options{Metric: flat.MetricDot})
	}
	return hnsw.New(dim, &hnsw.Options{Metric: hnsw.MetricDot, EF: graphEF, Capacity: n})
}

// fill adds the vectors of passages to an index, on all processors.
func fill(x Index, passages []*passage) error {
	var mu sync.Mutex
	var failed error
	var wg sync.WaitGroup
	next := make(chan *passage)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for p := range next {
				if err := x.Add(p.number, p.vector()); err != nil {
					mu.Lock()
					failed = err
					mu.Unlock()
				}
			}
		})
	}
	for _, p := range passages {
		if !p.zero {
			next <- p
		}
	}
	close(next)
	wg.Wait()
	if failed != nil {
		return fmt.Errorf("retrieve: index: %w", failed)
	}
	return nil
}

// grow replaces the exact index by a graph when the collection has become large. It is
// called under c.writing; searches go on with the old index meanwhile.
func (c *Collection) grow() error {
	if c.o.Index != nil || len(c.passages) < c.flatUntil {
		return nil
	}
	if _, ok := c.index.(*flat.Index); !ok {
		return nil
	}
	x, err := c.newIndex(c.dim, len(c.passages))
	if err != nil {
		return err
	}
	if err := fill(x, c.present()); err != nil {
		return err
	}
	c.mu.Lock()
	c.index = x
	c.mu.Unlock()
	c.saveIndex()
	return nil
}

// present returns the passages by number.
func (c *Collection) present() []*passage {
	out := make([]*passage, 0, len(c.passages))
	for _, p := range c.slots {
		if p != nil {
			out = append(out, p)
		}
	}
	return out
}
