package hnsw

import "slices"

// cleanStep is how many vectors a clean-up looks at before it lets other goroutines
// go on.
const cleanStep = 64

// clean removes the dead vectors from the graph: each vector that links to a dead
// one gets links to the neighbors of that one instead.
func (x *Index) clean() {
	if !x.purge.TryLock() {
		return // another goroutine is at it
	}
	defer x.purge.Unlock()
	s := x.scratch()
	defer x.pool.Put(s)
	x.mu.Lock()
	for slot, st := range x.state {
		if st == stateDead {
			x.state[slot] = stateLeaving
		}
	}
	n, epoch := uint32(x.slots), x.epoch
	if x.top >= 0 && x.state[x.entry] == stateLeaving {
		x.moveEntry()
	}
	x.mu.Unlock()
	for from := uint32(0); from < n; from += cleanStep {
		x.mu.Lock()
		if x.epoch != epoch { // emptied in between
			x.mu.Unlock()
			return
		}
		for slot := from; slot < min(n, from+cleanStep); slot++ {
			if x.state[slot] == stateLive || x.state[slot] == stateDead {
				x.repair(slot, s)
			}
		}
		x.mu.Unlock()
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.epoch == epoch {
		x.release(s)
	}
}

// moveEntry makes the highest of the vectors that stay the entry.
func (x *Index) moveEntry() {
	x.top = -1
	for slot, st := range x.state {
		if (st == stateLive || st == stateDead) && int(x.level[slot]) > x.top {
			x.top, x.entry = int(x.level[slot]), uint32(slot)
		}
	}
}

// repair replaces the links of a vector to vectors that leave.
func (x *Index) repair(slot uint32, s *scratch) {
	leaving := func(l uint32) bool { return x.state[l] == stateLeaving }
	for level := range int(x.level[slot]) + 1 {
		links := x.links(slot, level)
		if !slices.ContainsFunc(links, leaving) {
			continue
		}
		s.newTag(x.slots)
		s.visit(slot)
		s.slots = s.slots[:0]
		take := func(l uint32) {
			if s.visited[l] != s.tag && !leaving(l) {
				s.visit(l)
				s.slots = append(s.slots, l)
			}
		}
		for _, l := range links {
			take(l)
			for _, m := range x.links(l, level) {
				take(m)
			}
		}
		candidates := slices.Clone(x.scored(&probe{v: x.row(slot)}, s.slots, s))
		slices.SortFunc(candidates, byScore)
		chosen := slices.Clone(x.choose(candidates, x.capacity(level), max(len(links), x.o.M), s))
		if level == 0 {
			chosen = x.keepLastRefs(chosen, links)
			chosen = slices.DeleteFunc(chosen, func(c candidate) bool { return leaving(c.slot) })
		}
		x.setLinks(slot, level, chosen)
	}
}

// release frees the slots of those that leave, to which no link leads any more, and
// links vectors anew to which only they had linked, or that had linked only to them.
func (x *Index) release(s *scratch) {
	for slot, st := range x.state {
		if st != stateLeaving {
			continue
		}
		x.setLinks(uint32(slot), 0, nil)
		x.state[slot] = stateFree
		delete(x.upper, uint32(slot))
		x.free = append(x.free, uint32(slot))
		x.dead--
	}
	x.epoch++
	for slot, st := range x.state {
		if st == stateLive && (x.refs[slot] == 0 || len(x.links(uint32(slot), 0)) == 0) {
			x.relink(uint32(slot), s)
		}
	}
}

// relink gives a vector neighbors in the lowest layer, as if it were new.
func (x *Index) relink(slot uint32, s *scratch) {
	p := &probe{v: x.row(slot)}
	start := x.descend(p, 0, s)
	found := slices.Clone(x.searchLayer(p, []candidate{start}, 0, x.o.EFConstruction, x.onlyLive(), s))
	found = slices.DeleteFunc(found, func(c candidate) bool { return c.slot == slot })
	x.connect(slot, 0, x.choose(found, x.o.M, x.fewest(), s), s)
}
