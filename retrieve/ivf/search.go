package ivf

import (
	"fmt"

	"github.com/prodailabs/prodai/retrieve/internal/nearest"
	"github.com/prodailabs/prodai/retrieve/vecquant"
)

// SearchOptions configure one search.
type SearchOptions struct {
	// Probes is how many lists the search looks at. Default: Options.Probes.
	Probes int

	// Allowed reports whether an id may be found. It must not call methods of the
	// index. Default: all.
	Allowed func(id int) bool
}

// Search returns the k nearest vectors of the nearest lists, best first, ties by the
// lower id; fewer only if there are fewer: it goes on to further lists until it has k.
// allowed, if it is not nil, reports whether an id may be found; it must not call
// methods of the index. Search fails with [ErrOption], [ErrDimension], [ErrNotFinite] or
// [ErrZero].
func (x *Index) Search(query []float32, k int, allowed func(id int) bool) ([]Hit, error) {
	return x.SearchWith(query, k, &SearchOptions{Allowed: allowed})
}

// SearchWith is [Index.Search] with options; nil means the defaults.
func (x *Index) SearchWith(query []float32, k int, o *SearchOptions) ([]Hit, error) {
	if o == nil {
		o = &SearchOptions{}
	}
	if k < 1 {
		return nil, fmt.Errorf("%w: k is %d: want 1 or more", ErrOption, k)
	}
	if o.Probes < 0 {
		return nil, fmt.Errorf("%w: SearchOptions.Probes is %d: want 1 or more, or 0 (the default)", ErrOption, o.Probes)
	}
	q, err := nearest.Prepare(nil, query, x.dim, x.o.Metric, false)
	if err != nil {
		return nil, fmt.Errorf("ivf: query: %w", err)
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	k = min(k, len(x.place))
	if k == 0 {
		return nil, nil
	}
	s := &search{x: x, q: q, allowed: o.Allowed, best: nearest.Best{K: k}}
	if x.o.Codes != nil {
		s.best.K = k * x.o.Rescore
		if s.codes, err = x.o.Codes.Query(q, x.o.Metric); err != nil {
			return nil, fmt.Errorf("ivf: query: %w", err)
		}
	}
	probes := x.probes(o)
	looked := 0
	for looked < len(x.lists) && (looked < probes || s.best.Len() < k) {
		// Twice as many lists each time there are too few hits: rare filters need many.
		n := min(len(x.lists), max(probes, 2*looked))
		order := x.nearestLists(q, n)
		for _, l := range order[looked:] {
			if err := s.scan(l); err != nil {
				return nil, fmt.Errorf("ivf: query: %w", err)
			}
		}
		looked = n
	}
	if s.codes != nil {
		s.rescore(k)
	}
	return s.best.Hits(), nil
}

// nearestLists returns the n lists whose centers are nearest to the query, best first.
func (x *Index) nearestLists(q []float32, n int) []int {
	if x.centers == nil {
		return []int{0}
	}
	scores := make([]float32, len(x.lists))
	m := MetricL2 // vectors were put into lists by it
	if x.o.Metric == MetricDot {
		m = MetricDot
	}
	nearest.Scores(m, q, x.centers, nil, scores)
	best := nearest.Best{K: n}
	for i, s := range scores {
		if bar, full := best.Bar(); !full || s > bar {
			best.Offer(i, s)
		}
	}
	out := make([]int, 0, n)
	for _, h := range best.Hits() {
		out = append(out, h.ID)
	}
	return out
}

// A search is one in progress.
type search struct {
	x       *Index
	q       []float32
	allowed func(int) bool
	codes   vecquant.Scorer // nil: the vectors are compared
	best    nearest.Best
	scores  []float32
	rows    []uint32
}

// scan offers the vectors of a list.
func (s *search) scan(at int) error {
	l := &s.x.lists[at]
	n := len(l.ids)
	if n == 0 {
		return nil
	}
	if cap(s.scores) < n {
		s.scores = make([]float32, n)
	}
	scores := s.scores[:n]
	switch {
	case s.codes != nil:
		if err := s.codes.Scores(l.codes, scores); err != nil {
			return err
		}
	case s.allowed == nil:
		nearest.Scores(s.x.o.Metric, s.q, l.rows, nil, scores)
	default:
		return s.scanAllowed(l)
	}
	for i, score := range scores {
		if bar, full := s.best.Bar(); full && score < bar {
			continue
		}
		if s.allowed == nil || s.allowed(l.ids[i]) {
			s.best.Offer(l.ids[i], score)
		}
	}
	return nil
}

// scanAllowed asks the filter first, so that only allowed vectors are compared.
func (s *search) scanAllowed(l *list) error {
	s.rows = s.rows[:0]
	for i, id := range l.ids {
		if s.allowed(id) {
			s.rows = append(s.rows, uint32(i))
		}
	}
	scores := s.scores[:len(s.rows)]
	nearest.Scores(s.x.o.Metric, s.q, l.rows, s.rows, scores)
	for i, row := range s.rows {
		s.best.Offer(l.ids[row], scores[i])
	}
	return nil
}

// rescore ranks the candidates by the vectors themselves.
func (s *search) rescore(k int) {
	candidates := s.best.Hits()
	s.best = nearest.Best{K: k}
	var score [1]float32
	for _, h := range candidates {
		at := s.x.place[h.ID]
		nearest.Scores(s.x.o.Metric, s.q, s.x.lists[at.list].rows[at.at*s.x.dim:][:s.x.dim], nil, score[:])
		s.best.Offer(h.ID, score[0])
	}
}

// Recall returns the share of the true k nearest vectors of the queries that a search
// with the options finds, 0 to 1. The true ones are those that a search of all lists,
// without codes, finds. A hit that is as near as the last of them counts too. It fails
// as [Index.SearchWith] does, and with [ErrOption] if there are no queries.
func (x *Index) Recall(queries [][]float32, k int, o *SearchOptions) (float64, error) {
	if o == nil {
		o = &SearchOptions{}
	}
	if len(queries) == 0 {
		return 0, fmt.Errorf("%w: there are no queries", ErrOption)
	}
	return nearest.Recall(queries,
		func(q []float32) ([]Hit, error) { return x.SearchWith(q, k, o) },
		func(q []float32) ([]Hit, error) { return x.exact(q, k, o.Allowed) })
}

// exact compares a query with all vectors, without codes.
func (x *Index) exact(query []float32, k int, allowed func(int) bool) ([]Hit, error) {
	q, err := nearest.Prepare(nil, query, x.dim, x.o.Metric, false)
	if err != nil {
		return nil, fmt.Errorf("ivf: query: %w", err)
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	s := &search{x: x, q: q, allowed: allowed, best: nearest.Best{K: k}}
	for l := range x.lists {
		_ = s.scan(l) // only codes can fail
	}
	return s.best.Hits(), nil
}
