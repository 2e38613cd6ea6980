package hnsw

import (
	"fmt"
	"slices"

	"github.com/prodailabs/prodai/retrieve/internal/nearest"
)

// SearchOptions configure one search.
type SearchOptions struct {
	// EF is how many candidates the search keeps; it keeps k if that is more.
	// Default: Options.EF.
	EF int

	// Allowed reports whether an id may be found. It is called under the index's lock and
	// must not call methods of the index. Default: all.
	Allowed func(id int) bool
}

// Search returns the k nearest vectors that the graph leads to, best first, ties by
// the lower id; fewer only if there are fewer. allowed, if it is not nil, reports
// whether an id may be found; it must not call methods of the index. Search fails with
// [ErrOption], [ErrDimension], [ErrNotFinite] or [ErrZero].
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
	if o.EF < 0 {
		return nil, fmt.Errorf("%w: SearchOptions.EF is %d: want 1 or more, or 0 (the default, %d)", ErrOption, o.EF, x.o.EF)
	}
	s := x.scratch()
	defer x.pool.Put(s)
	q, err := nearest.Prepare(s.query, query, x.dim, x.o.Metric, false)
	if err != nil {
		return nil, fmt.Errorf("hnsw: query: %w", err)
	}
	s.query = q
	ef := max(k, o.EF)
	if o.EF == 0 {
		ef = max(k, x.o.EF)
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	k = min(k, x.place.len())
	if k == 0 {
		return nil, nil
	}
	ef = min(ef, x.live)
	if x.scanIsCheaper(ef, o.Allowed) {
		return x.scan(q, k, o.Allowed, s), nil
	}
	accept := x.onlyLive()
	if o.Allowed != nil {
		accept = func(slot uint32) bool { return x.state[slot] == stateLive && x.anyAllowed(slot, o.Allowed) }
	}
	p := x.query(q, s)
	found := x.searchLayer(p, []candidate{x.descend(p, 0, s)}, 0, ef, accept, s)
	if x.o.Int8 {
		found = x.rescored(q, found[:min(len(found), rescore*k)], s)
	}
	best := nearest.Best{K: k}
	for _, c := range found {
		x.offer(&best, c, o.Allowed)
	}
	if best.Len() < k && !x.neverScan { // few are allowed, or the graph doesn't lead to all of them
		return x.scan(q, k, o.Allowed, s), nil
	}
	return best.Hits(), nil
}

// rescore·k is how many candidates a search by codes ranks by the vectors
// themselves.
const rescore = 4

// rescored returns candidates with their exact scores.
func (x *Index) rescored(q []float32, found []candidate, s *scratch) []candidate {
	s.slots = s.slots[:0]
	for _, c := range found {
		s.slots = append(s.slots, c.slot)
	}
	return x.scored(&probe{v: q}, s.slots, s)
}

// anyAllowed reports whether a slot has an id that may be found.
func (x *Index) anyAllowed(slot uint32, allowed func(int) bool) bool {
	return allowed(int(x.ids[slot])) || len(x.twins) > 0 && slices.ContainsFunc(x.twins[slot], allowed)
}

// offer adds the allowed ids of a slot; at least one of them is allowed.
func (x *Index) offer(best *nearest.Best, c candidate, allowed func(int) bool) {
	var twins []int
	if len(x.twins) > 0 {
		twins = x.twins[c.slot]
	}
	if len(twins) == 0 || allowed == nil || allowed(int(x.ids[c.slot])) {
		best.Offer(int(x.ids[c.slot]), c.score)
	}
	for _, id := range twins {
		if allowed == nil || allowed(id) {
			best.Offer(id, c.score)
		}
	}
}

// Exact returns the k nearest vectors by comparing all, as Search would with a
// perfect graph.
func (x *Index) Exact(query []float32, k int, allowed func(id int) bool) ([]Hit, error) {
	if k < 1 {
		return nil, fmt.Errorf("%w: k is %d: want 1 or more", ErrOption, k)
	}
	q, err := nearest.Prepare(nil, query, x.dim, x.o.Metric, false)
	if err != nil {
		return nil, fmt.Errorf("hnsw: query: %w", err)
	}
	s := x.scratch()
	defer x.pool.Put(s)
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.scan(q, k, allowed, s), nil
}

// Recall returns the share of the true k nearest vectors of the queries that a
// search with the options finds, 0 to 1. A hit that is as near as the last of the
// true ones counts too. It fails as [Index.SearchWith] does, and with [ErrOption] if
// there are no queries.
func (x *Index) Recall(queries [][]float32, k int, o *SearchOptions) (float64, error) {
	if o == nil {
		o = &SearchOptions{}
	}
	if len(queries) == 0 {
		return 0, fmt.Errorf("%w: there are no queries", ErrOption)
	}
	return nearest.Recall(queries,
		func(q []float32) ([]Hit, error) { return x.SearchWith(q, k, o) },
		func(q []float32) ([]Hit, error) { return x.Exact(q, k, o.Allowed) })
}

// sampled is about how many vectors a search asks a filter, to estimate how many it
// allows.
const sampled = 100

// scanIsCheaper estimates whether comparing all allowed vectors takes less than a
// walk through the graph, which has to visit ef/share vectors to meet ef allowed
// ones.
func (x *Index) scanIsCheaper(ef int, allowed func(int) bool) bool {
	n := x.live
	if x.neverScan {
		return false
	}
	if allowed == nil {
		return n < ef*x.o.M
	}
	seen, yes := 0, 0
	for i := range sampled {
		slot := i * x.slots / sampled
		if x.state[slot] == stateLive {
			seen++
			if x.anyAllowed(uint32(slot), allowed) {
				yes++
			}
		}
	}
	// One more than counted: a share of 0 would be too certain.
	share := float64(yes+1) / float64(seen+1)
	walk := float64(ef*x.o.M) / share
	// Asking the filter costs about a third of a comparison.
	return float64(n)*(share+0.3) < walk
}

// scanRows is how many rows are scored before their scores are looked at.
const scanRows = 256

// scan compares the query with all allowed vectors.
func (x *Index) scan(q []float32, k int, allowed func(int) bool, s *scratch) []Hit {
	best := nearest.Best{K: k}
	flush := func() {
		for _, c := range x.scored(&probe{v: q}, s.slots, s) {
			x.offer(&best, c, allowed)
		}
		s.slots = s.slots[:0]
	}
	s.slots = s.slots[:0]
	for slot := range uint32(x.slots) {
		if x.state[slot] != stateLive || allowed != nil && !x.anyAllowed(slot, allowed) {
			continue
		}
		if s.slots = append(s.slots, slot); len(s.slots) == scanRows {
			flush()
		}
	}
	flush()
	return best.Hits()
}

// onlyLive returns the filter of dead slots, nil if there are none.
func (x *Index) onlyLive() func(uint32) bool {
	if x.dead == 0 {
		return nil
	}
	return func(slot uint32) bool { return x.state[slot] == stateLive }
}

// descend walks from the entry down to a layer, in each layer to the vector that is
// nearer to the probe than all its neighbors.
func (x *Index) descend(p *probe, to int, s *scratch) candidate {
	s.slots = append(s.slots[:0], x.entry)
	at := x.scored(p, s.slots, s)[0]
	for level := x.top; level > to; level-- {
		for moved := true; moved; {
			moved = false
			for _, c := range x.scored(p, x.links(at.slot, level), s) {
				if c.score > at.score {
					at, moved = c, true
				}
			}
		}
	}
	return at
}

// searchLayer returns the ef best vectors that it meets in a layer, best first, of
// those that accept allows (nil: all). It keeps ef of them, and stops when the best
// vector whose links were not followed is worse than the worst kept (algorithm 2 of
// the paper). The result is valid until the next call.
func (x *Index) searchLayer(p *probe, starts []candidate, level, ef int, accept func(uint32) bool, s *scratch) []candidate {
	s.newTag(x.slots)
	if accept == nil {
		return x.searchAll(p, starts, level, ef, s)
	}
	s.open, s.kept = s.open[:0], s.kept[:0]
	for _, c := range starts {
		s.visit(c.slot)
		s.open.push(c)
		if accept(c.slot) {
			s.kept.push(candidate{-c.score, c.slot}, ef)
		}
	}
	for len(s.open) > 0 {
		at := s.open.pop()
		if len(s.kept) == ef && at.score < -s.kept[0].score {
			break
		}
		for _, c := range x.unseen(p, at.slot, level, s) {
			if len(s.kept) == ef && c.score <= -s.kept[0].score {
				continue
			}
			s.open.push(c)
			if accept(c.slot) {
				s.kept.push(candidate{-c.score, c.slot}, ef)
			}
		}
	}
	for i := range s.kept {
		s.kept[i].score = -s.kept[i].score
	}
	slices.SortFunc(s.kept, byScore)
	return s.kept
}

// expanded marks a candidate of searchAll whose links were followed.
const expanded = 1 << 31

// searchAll is searchLayer where each vector is accepted. Then the candidates to
// follow are among the ef best, and one sorted list does for both.
func (x *Index) searchAll(p *probe, starts []candidate, level, ef int, s *scratch) []candidate {
	list := append(s.sorted[:0], starts...)
	slices.SortFunc(list, byScore)
	list = list[:min(ef, len(list))]
	for _, c := range starts {
		s.visit(c.slot)
	}
	for at := 0; at < len(list); {
		c := list[at]
		if c.slot&expanded != 0 {
			at++
			continue
		}
		list[at].slot |= expanded
		for _, n := range x.unseen(p, c.slot, level, s) {
			if len(list) == ef {
				if n.score <= list[ef-1].score {
					continue
				}
				list = list[:ef-1]
			}
			i, j := 0, len(list)
			for i < j {
				if h := int(uint(i+j) >> 1); list[h].score >= n.score {
					i = h + 1
				} else {
					j = h
				}
			}
			list = append(list, candidate{})
			copy(list[i+1:], list[i:])
			list[i] = n
			at = min(at, i)
		}
	}
	for i := range list {
		list[i].slot &^= expanded
	}
	s.sorted = list
	return list
}

// unseen returns the links of a slot that were not visited yet, scored, and marks
// them as visited.
func (x *Index) unseen(p *probe, slot uint32, level int, s *scratch) []candidate {
	s.slots = s.slots[:0]
	for _, l := range x.links(slot, level) {
		if s.visited[l] != s.tag {
			s.visited[l] = s.tag
			s.slots = append(s.slots, l)
		}
	}
	return x.scored(p, s.slots, s)
}
