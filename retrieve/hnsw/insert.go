package hnsw

import (
	"cmp"
	"slices"

	"github.com/prodailabs/prodai/retrieve/internal/nearest"
)

// A candidate is a slot and its score for a query.
type candidate struct {
	score float32
	slot  uint32
}

// byScore orders the best first. Of equal ones the last is first: so copies of one
// vector link to different copies.
func byScore(a, b candidate) int {
	return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(b.slot, a.slot))
}

// An insertion is an Add in progress.
type insertion struct {
	v      []float32
	level  int
	found  [][]candidate // by layer
	missed []uint32      // slots that other Adds linked since the search
	epoch  int
}

// insert adds a vector in two steps. The search for its neighbors needs only the
// reader's lock, so that several Adds and searches run side by side; the links are
// set under the writer's lock. Vectors that other Adds linked in between are in
// missed.
func (x *Index) insert(id int, v []float32) {
	ins := &insertion{v: v, level: x.drawLevel()}
	x.mu.Lock()
	x.adding[ins] = struct{}{}
	ins.epoch = x.epoch
	x.mu.Unlock()

	s := x.scratch()
	x.mu.RLock()
	x.searchNeighbors(ins, s)
	x.mu.RUnlock()

	x.mu.Lock()
	if ins.epoch != x.epoch { // the slots found may have other vectors now
		x.searchNeighbors(ins, s)
	}
	delete(x.adding, ins)
	x.put(id, ins, s)
	clean := x.mustClean()
	x.mu.Unlock()
	x.pool.Put(s)
	if clean {
		x.clean()
	}
}

// put gives the id a slot, and removes it from its earlier one.
func (x *Index) put(id int, ins *insertion, s *scratch) {
	old, replaced := x.place.find(id)
	slot, same := x.twinOf(ins)
	switch {
	case same && replaced && slot == old:
		return
	case same:
		x.twins[slot] = append(x.twins[slot], id)
	default:
		slot = x.link(ins, s)
		x.ids[slot] = int64(id)
		for other := range x.adding {
			other.missed = append(other.missed, slot)
		}
	}
	x.place.set(id, slot)
	if replaced {
		x.drop(id, old)
	}
}

// twinOf returns the slot that has the same vector. Copies share a slot: otherwise
// many copies, linked among themselves, would fill a search's candidates with links
// to nothing else.
func (x *Index) twinOf(ins *insertion) (uint32, bool) {
	same := func(slot uint32) bool { return x.state[slot] == stateLive && slices.Equal(x.row(slot), ins.v) }
	if len(ins.found) > 0 {
		for _, c := range ins.found[0] {
			if c.score < ins.found[0][0].score && x.o.Metric != MetricDot {
				break
			}
			if same(c.slot) {
				return c.slot, true
			}
		}
	}
	for _, slot := range ins.missed {
		if same(slot) {
			return slot, true
		}
	}
	return 0, false
}

// searchNeighbors fills ins.found.
func (x *Index) searchNeighbors(ins *insertion, s *scratch) {
	ins.epoch, ins.missed = x.epoch, nil
	ins.found = ins.found[:0]
	if x.top < 0 {
		return
	}
	shared := min(ins.level, x.top)
	ins.found = slices.Grow(ins.found, shared+1)[:shared+1]
	p := &probe{v: ins.v}
	starts := []candidate{x.descend(p, shared, s)}
	for level := shared; level >= 0; level-- {
		found := x.searchLayer(p, starts, level, x.o.EFConstruction, x.onlyLive(), s)
		ins.found[level] = slices.Clone(found)
		if len(found) > 0 { // all may be dead
			starts = ins.found[level]
		}
	}
}

// link gives the new vector a slot and sets the links from and to it.
func (x *Index) link(ins *insertion, s *scratch) uint32 {
	slot := x.allocate(ins)
	for level := range min(ins.level, x.top) + 1 {
		var found []candidate
		if level < len(ins.found) {
			found = ins.found[level]
		}
		found = slices.DeleteFunc(found, func(c candidate) bool { return x.state[c.slot] != stateLive })
		found = append(found, x.scoreMissed(ins, level, s)...)
		slices.SortFunc(found, byScore)
		x.connect(slot, level, x.choose(found, x.o.M, x.fewest(), s), s)
	}
	if ins.level > x.top {
		x.top, x.entry = ins.level, slot
	}
	return slot
}

// scoreMissed returns the vectors that were added to a layer since the search.
func (x *Index) scoreMissed(ins *insertion, level int, s *scratch) []candidate {
	s.slots = s.slots[:0]
	for _, m := range ins.missed {
		if x.state[m] == stateLive && int(x.level[m]) >= level {
			s.slots = append(s.slots, m)
		}
	}
	return append([]candidate(nil), x.scored(&probe{v: ins.v}, s.slots, s)...)
}

// allocate returns a slot, live and without links, for the vector.
func (x *Index) allocate(ins *insertion) uint32 {
	var slot uint32
	if n := len(x.free); n > 0 {
		slot, x.free = x.free[n-1], x.free[:n-1]
		copy(x.row(slot), ins.v)
	} else {
		slot = uint32(x.slots)
		x.slots++
		x.rows = append(x.rows, ins.v...)
		if x.o.Int8 {
			x.codes = append(x.codes, make([]int8, x.codeSize())...)
		}
		x.base = append(x.base, make([]uint32, x.stride(0))...)
		x.level, x.refs = append(x.level, 0), append(x.refs, 0)
		x.ids, x.state = append(x.ids, 0), append(x.state, stateFree)
	}
	if x.o.Int8 {
		x.encode(slot)
	}
	x.state[slot], x.level[slot], x.refs[slot] = stateLive, uint8(ins.level), 0
	x.live++
	if ins.level > 0 {
		x.upper[slot] = make([]uint32, ins.level*x.stride(1))
	}
	return slot
}

// connect links a slot with its neighbors in a layer, both ways.
func (x *Index) connect(slot uint32, level int, neighbors []candidate, s *scratch) {
	neighbors = slices.Clone(neighbors)
	x.setLinks(slot, level, neighbors)
	for _, n := range neighbors {
		x.linkBack(n.slot, level, candidate{n.score, slot}, s)
	}
	if level == 0 && x.refs[slot] == 0 && len(neighbors) > 0 {
		x.adopt(slot, s)
	}
}

// linkBack adds a link to a slot's list; the links of a full list are chosen anew.
func (x *Index) linkBack(slot uint32, level int, link candidate, s *scratch) {
	list := x.list(slot, level)
	n := int(list[0])
	if slices.Contains(list[1:1+n], link.slot) {
		return
	}
	if n < x.capacity(level) {
		x.addLink(slot, level, link.slot)
		return
	}
	all := append(x.scored(&probe{v: x.row(slot)}, list[1:1+n], s), link)
	slices.SortFunc(all, byScore)
	chosen := slices.Clone(x.choose(all, x.capacity(level), x.fewest(), s))
	if level == 0 {
		chosen = x.keepLastRefs(chosen, list[1:1+n])
	}
	x.setLinks(slot, level, chosen)
}

func (x *Index) addLink(slot uint32, level int, to uint32) {
	list := x.list(slot, level)
	list[0]++
	list[list[0]] = to
	if level == 0 {
		x.refs[to]++
	}
}

// adopt makes some vector near a slot link to it in the lowest layer, if no vector
// has chosen to: otherwise no search would find the slot.
func (x *Index) adopt(slot uint32, s *scratch) {
	s.newTag(x.slots)
	s.visit(slot)
	queue := slices.Clone(x.links(slot, 0))
	for i := 0; i < len(queue); i++ {
		list := x.list(queue[i], 0)
		links := list[1 : 1+list[0]]
		if len(links) < x.capacity(0) {
			x.addLink(queue[i], 0, slot)
			return
		}
		for j, l := range slices.Backward(links) {
			if x.refs[l] > 1 {
				x.refs[l]--
				x.refs[slot]++
				links[j] = slot
				return
			}
		}
		for _, l := range links {
			if s.visited[l] != s.tag {
				s.visit(l)
				queue = append(queue, l)
			}
		}
	}
}

// keepLastRefs restores old links that are the last ones to a vector: without them
// it could not be found any more.
func (x *Index) keepLastRefs(chosen []candidate, old []uint32) []candidate {
	for _, o := range old {
		if x.refs[o] > 1 || x.state[o] != stateLive || slices.ContainsFunc(chosen, func(c candidate) bool { return c.slot == o }) {
			continue
		}
		if len(chosen) < x.capacity(0) {
			chosen = append(chosen, candidate{slot: o})
			continue
		}
		for i, c := range slices.Backward(chosen) {
			if x.refs[c.slot] > 1 {
				chosen[i] = candidate{slot: o}
				break
			}
		}
	}
	return chosen
}

// setLinks replaces a slot's links in a layer.
func (x *Index) setLinks(slot uint32, level int, links []candidate) {
	list := x.list(slot, level)
	if level == 0 {
		for _, l := range links {
			x.refs[l.slot]++
		}
		for _, old := range list[1 : 1+list[0]] {
			x.refs[old]--
		}
	}
	list[0] = uint32(len(links))
	for i, l := range links {
		list[1+i] = l.slot
	}
}

// fewest is how many links choose gives a vector at least, if there are so many
// candidates.
func (x *Index) fewest() int { return max(2, x.o.M/4) }

// choose picks at most m of the candidates, which are sorted, so that they lie in
// different directions: one that is nearer to a chosen one than to the vector
// itself is reached through that one (algorithm 4 of the paper). A copy of a chosen
// one is left out too, since links to copies only would lead nowhere else. If fewer
// than least are left, the best of those left out are taken after all. The result
// is valid until the next call.
func (x *Index) choose(sorted []candidate, m, least int, s *scratch) []candidate {
	s.chosen, s.chosenSlots, s.rest = s.chosen[:0], s.chosenSlots[:0], s.rest[:0]
	for _, c := range sorted {
		if len(s.chosen) == m {
			break
		}
		if x.reachedThrough(c, s) {
			s.rest = append(s.rest, c)
			continue
		}
		s.chosen = append(s.chosen, c)
		s.chosenSlots = append(s.chosenSlots, c.slot)
	}
	if missing := least - len(s.chosen); missing > 0 {
		s.chosen = append(s.chosen, s.rest[:min(missing, len(s.rest))]...)
	}
	return s.chosen
}

func (x *Index) reachedThrough(c candidate, s *scratch) bool {
	s.between = slices.Grow(s.between[:0], len(s.chosenSlots))[:len(s.chosenSlots)]
	nearest.Scores(x.o.Metric, x.row(c.slot), x.rows, s.chosenSlots, s.between)
	for i, score := range s.between {
		// All three equal: copies of one vector, under every metric.
		if score > c.score || score == c.score && s.chosen[i].score == c.score {
			return true
		}
	}
	return false
}
