package main

import (
	"math"
	"slices"

	"github.com/prodailabs/prodai/internal/vec"
)

// aims gives each text of the taught examples a direction to aim at: the teacher's vector
// less the mean of all, turned and projected into the student's space. The turn is the one
// that brings the teacher's vectors of a sample of texts nearest to the student's
// (orthogonal Procrustes), so a student that has learned something isn't turned by it.
func aims(t *table, all []example) {
	var mean []float32
	n := 0
	for _, e := range all {
		for _, v := range [][]float32{e.teacherA, e.teacherB} {
			if v != nil {
				mean = append(mean, make([]float32, len(v)-len(mean))...)
				axpy(mean, 1, v)
				n++
			}
		}
	}
	if n == 0 {
		return
	}
	centered := func(v []float32) []float32 {
		v = slices.Clone(v)
		axpy(v, -1/float32(n), mean)
		return v
	}
	const sample = 20_000
	turn := make([]float32, len(mean)*t.dim) // a row of the student's numbers for each of the teacher's
	every := max(1, n/sample)
	student := make([]float32, t.dim)
	for i := 0; i < len(all); i += every {
		if all[i].teacherB == nil {
			continue
		}
		clear(student)
		for _, id := range all[i].b {
			axpy(student, 1, t.row(id))
		}
		normalize(student)
		for k, x := range centered(all[i].teacherB) {
			axpy(turn[k*t.dim:][:t.dim], x, student)
		}
	}
	orthogonal(turn, len(mean), t.dim)
	for i := range all {
		e := &all[i]
		if e.teacherA == nil {
			continue
		}
		for _, side := range []struct {
			from []float32
			to   *[]float32
		}{{e.teacherA, &e.aimA}, {e.teacherB, &e.aimB}} {
			*side.to = make([]float32, t.dim)
			vec.AddRows(*side.to, centered(side.from), turn)
			normalize(*side.to)
		}
	}
}

// orthogonal replaces a matrix of more rows than columns by the nearest one whose columns
// are orthogonal and of length 1, by Newton and Schulz's iteration: X becomes 1.5 X - .5 X XᵀX.
func orthogonal(x []float32, rows, columns int) {
	length := float32(math.Sqrt(float64(vec.Dot(x, x))))
	if length == 0 {
		return
	}
	for i := range x {
		x[i] /= length
	}
	gram, next := make([]float32, columns*columns), make([]float32, len(x))
	for range 60 {
		clear(gram)
		for r := range rows {
			row := x[r*columns:][:columns]
			for k, v := range row {
				axpy(gram[k*columns:][:columns], v, row)
			}
		}
		change := float32(0)
		for r := range rows {
			row, to := x[r*columns:][:columns], next[r*columns:][:columns]
			clear(to)
			vec.AddRows(to, row, gram)
			for k := range to {
				to[k] = 1.5*row[k] - .5*to[k]
				change = max(change, to[k]-row[k], row[k]-to[k])
			}
		}
		x, next = next, x
		if change < 1e-6 {
			break
		}
	}
	copy(next, x) // one of the two is the caller's
}

// towards adds to the gradient g by the unit vector v of a text what moves it to its aim:
// the loss is 1 minus their cosine.
func (x *trainer) towards(g, aim []float32, n int) {
	if aim != nil {
		axpy(g, -float32(x.regress)/float32(2*n), aim)
	}
}
