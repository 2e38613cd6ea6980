package hnsw

import "slices"

// A scratch is the memory that one search needs, kept for the next.
type scratch struct {
	visited []uint16 // by slot: the tag of the search that visited it
	tag     uint16

	open                       bestHeap  // vectors whose links were not followed
	kept                       worstHeap // the best so far
	sorted, list, chosen, rest []candidate
	slots, chosenSlots         []uint32
	scores, between            []float32
	products                   []int32
	query                      []float32
	probe                      probe
	code                       []int8 // of the probe
}

func (x *Index) scratch() *scratch { return x.pool.Get().(*scratch) }

// newTag makes all of n slots unvisited.
func (s *scratch) newTag(n int) {
	if len(s.visited) < n {
		s.visited = slices.Grow(s.visited, n-len(s.visited))
		s.visited = s.visited[:cap(s.visited)]
	}
	s.tag++
	if s.tag == 0 { // the tags start again
		clear(s.visited)
		s.tag = 1
	}
}

func (s *scratch) visit(slot uint32) { s.visited[slot] = s.tag }

// A bestHeap has the candidate with the highest score on top.
type bestHeap []candidate

func (h *bestHeap) push(c candidate) {
	*h = append(*h, c)
	h.up(len(*h) - 1)
}

func (h bestHeap) up(i int) {
	c := h[i]
	for i > 0 {
		parent := (i - 1) / 2
		if h[parent].score >= c.score {
			break
		}
		h[i] = h[parent]
		i = parent
	}
	h[i] = c
}

func (h *bestHeap) pop() candidate {
	top, last := (*h)[0], len(*h)-1
	(*h)[0] = (*h)[last]
	*h = (*h)[:last]
	if last > 0 {
		h.down()
	}
	return top
}

// down moves the top of the heap to its place.
func (h bestHeap) down() {
	c, i := h[0], 0
	for {
		child := 2*i + 1
		if child >= len(h) {
			break
		}
		if child+1 < len(h) && h[child+1].score > h[child].score {
			child++
		}
		if h[child].score <= c.score {
			break
		}
		h[i] = h[child]
		i = child
	}
	h[i] = c
}

// A worstHeap is a bestHeap of negated scores, so that the worst is on top. It
// keeps the n best.
type worstHeap []candidate

func (h *worstHeap) push(c candidate, n int) {
	b := (*bestHeap)(h)
	if len(*b) < n {
		b.push(c)
	} else if c.score < (*b)[0].score {
		(*b)[0] = c
		b.down()
	}
}
