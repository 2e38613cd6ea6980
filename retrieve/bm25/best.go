package bm25

import (
	"cmp"
	"slices"
)

// best collects the k best hits: those with the higher scores, ties by the lower id.
type best struct {
	k    int
	heap []Hit // the worst on top
}

func worse(a, b Hit) bool { return a.Score < b.Score || a.Score == b.Score && a.ID > b.ID }

// bar returns the score below which a hit is not taken, and whether there is one.
func (b *best) bar() (float64, bool) {
	if len(b.heap) < b.k {
		return 0, false
	}
	return b.heap[0].Score, true
}

func (b *best) offer(h Hit) {
	if len(b.heap) < b.k {
		b.heap = append(b.heap, h)
		i := len(b.heap) - 1
		for i > 0 && worse(h, b.heap[(i-1)/2]) {
			b.heap[i] = b.heap[(i-1)/2]
			i = (i - 1) / 2
		}
		b.heap[i] = h
		return
	}
	if !worse(b.heap[0], h) {
		return
	}
	i := 0
	for {
		child := 2*i + 1
		if child+1 < len(b.heap) && worse(b.heap[child+1], b.heap[child]) {
			child++
		}
		if child >= len(b.heap) || !worse(b.heap[child], h) {
			break
		}
		b.heap[i] = b.heap[child]
		i = child
	}
	b.heap[i] = h
}

// hits returns the hits, best first.
func (b *best) hits() []Hit {
	slices.SortFunc(b.heap, func(x, y Hit) int { return cmp.Or(cmp.Compare(y.Score, x.Score), cmp.Compare(x.ID, y.ID)) })
	return b.heap
}
