package ivf

import (
	"slices"

	"github.com/prodailabs/prodai/retrieve/internal/kmeans"
)

// How many vectors the centers are learned from, for each center: more change little.
const (
	seedPoints  = 16 // to choose the first centers
	learnPoints = 64 // to move them
	passes      = 4
)

// Learn learns the groups from the vectors that are there, and puts each vector into its
// group. The index does it by itself as it grows; call it when the vectors are others
// than those it learned from, for example after most were replaced. Searches and changes
// go on while it learns, and wait while the vectors move.
func (x *Index) Learn() {
	x.learning.Lock()
	defer x.learning.Unlock()
	x.learn()
}

func (x *Index) learn() {
	x.mu.RLock()
	n := len(x.place)
	rows, row := make([]float32, 0, n*x.dim), make(map[int]int, n)
	for _, l := range x.lists {
		for _, id := range l.ids {
			row[id] = len(row)
		}
		rows = append(rows, l.rows...)
	}
	x.mu.RUnlock()
	if n == 0 {
		return
	}
	k := x.listsFor(n)
	centers := make([]float32, k*x.dim)
	sample := x.sample(rows, k*learnPoints)
	kmeans.Seed(x.sample(sample, k*seedPoints), x.dim, centers, x.o.Rand)
	kmeans.MiniBatch(sample, x.dim, centers, passes, x.o.Rand)
	assigned := make([]int, n)
	kmeans.Assign(rows, x.dim, centers, nil, assigned)

	x.mu.Lock()
	defer x.mu.Unlock()
	old := x.lists
	x.centers, x.lists, x.next = centers, make([]list, k), max(learnFrom, growth*n)
	for _, l := range old {
		for i, id := range l.ids {
			v := l.rows[i*x.dim:][:x.dim]
			var code []byte
			if x.o.Codes != nil {
				size := x.o.Codes.CodeSize()
				code = l.codes[i*size:][:size]
			}
			// What was added or replaced meanwhile has no group yet.
			to, known := row[id]
			if known && slices.Equal(rows[to*x.dim:][:x.dim], v) {
				x.put(assigned[to], id, v, code)
			} else {
				x.put(x.nearestList(v), id, v, code)
			}
		}
	}
}

// sample returns n of the rows, drawn at random, or all.
func (x *Index) sample(rows []float32, n int) []float32 {
	if len(rows) <= n*x.dim {
		return rows
	}
	out := make([]float32, 0, n*x.dim)
	for _, r := range x.o.Rand.Perm(len(rows) / x.dim)[:n] {
		out = append(out, rows[r*x.dim:][:x.dim]...)
	}
	return out
}
