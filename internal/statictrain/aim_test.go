package main

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/vec"
)

// TestAimsUndoATurn: where the teacher is the student in a space of more dimensions, turned
// and moved, the aims are the student's own vectors, but for their mean.
func TestAimsUndoATurn(t *testing.T) {
	tb := smallTable(t, 6)
	rng := rand.New(rand.NewPCG(3, 4))
	const dim = 10
	turn, far := make([]float32, dim*6), unit(rng, dim)
	for i := range turn {
		turn[i] = float32(rng.NormFloat64())
	}
	orthogonal(turn, dim, 6)
	teacher := func(v []float32) []float32 {
		out := make([]float32, dim)
		for k := range out {
			out[k] = vec.Dot(turn[k*6:][:6], v) + far[k]
		}
		return out
	}
	var all []example
	for i := range int32(400) {
		e := example{a: []int32{2000 + i}, b: []int32{3000 + i}}
		for _, side := range []struct {
			id int32
			to *[]float32
		}{{e.a[0], &e.teacherA}, {e.b[0], &e.teacherB}} {
			v := append([]float32(nil), tb.row(side.id)...)
			normalize(v)
			*side.to = teacher(v)
		}
		all = append(all, e)
	}
	aims(tb, all)
	for _, e := range all {
		v := append([]float32(nil), tb.row(e.a[0])...)
		normalize(v)
		require.Greater(t, vec.Dot(v, e.aimA), float32(.95))
	}
}

func TestOrthogonal(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	x := make([]float32, 9*4)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	orthogonal(x, 9, 4)
	for i := range 4 {
		for j := range 4 {
			dot, want := float32(0), float32(0)
			for r := range 9 {
				dot += x[r*4+i] * x[r*4+j]
			}
			if i == j {
				want = 1
			}
			require.InDelta(t, want, dot, 1e-4)
		}
	}
	again := append([]float32(nil), x...)
	orthogonal(again, 9, 4)
	require.InDeltaSlice(t, x, again, 1e-4)
	zero := make([]float32, 8)
	orthogonal(zero, 4, 2)
	require.Equal(t, make([]float32, 8), zero)
}
