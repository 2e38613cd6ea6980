package main

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/cache/engine/quant"
)

// TestWhatTheLabSays: the teacher's judgments are worth more than few labels, no student
// reaches the teacher, eight bits cost nothing, and the figures are the same each time.
func TestWhatTheLabSays(t *testing.T) {
	run := func(epochs, dim int) (map[string]score, string) {
		var out bytes.Buffer
		scores, err := lab{epochs: epochs, dim: dim}.run(t.Context(), &out)
		require.NoError(t, err)
		return scores, out.String()
	}
	s, text := run(3, 64)
	require.Contains(t, text, "What to notice")
	mrr := func(name string) float64 {
		require.Contains(t, s, name)
		return s[name].mrr
	}
	require.Greater(t, mrr("student, labels only"), mrr("student, not trained"))
	require.Greater(t, mrr("student, teacher only"), mrr("student, labels only"))
	require.Greater(t, mrr("teacher"), mrr("student, both"))
	require.InDelta(t, mrr("student, both"), mrr("student, both, 8 bits"), .01)
	require.Less(t, s["student, both, 8 bits"].bytes*20, s["teacher"].bytes)
	_, once := run(1, 8)
	_, again := run(1, 8)
	require.Equal(t, once, again)
}

// TestStepFollowsTheGradient: a small step lowers the loss as much as the finite
// difference along each number says.
func TestStepFollowsTheGradient(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	vectors := make([][]float32, 6)
	for i := range vectors {
		vectors[i] = make([]float32, 5)
		for j := range vectors[i] {
			vectors[i][j] = float32(rng.NormFloat64())
		}
	}
	a, b := [][]int{{0, 1}, {2}, {3, 3}}, [][]int{{4}, {5, 1}, {}}
	teacher := []float64{1, 2, 0, 3, 0, 1, 0, 0, 2}
	loss := func(table []float32) float64 {
		s := newStudent(vectors, 4)
		copy(s.table, table)
		l, err := s.step(a, b, teacher, 0, &quant.DistillOptions{Alpha: .5})
		require.NoError(t, err)
		return l
	}
	s := newStudent(vectors, 4)
	start := append([]float32(nil), s.table...)
	_, err := s.step(a, b, teacher, 1e-3, &quant.DistillOptions{Alpha: .5})
	require.NoError(t, err)
	for i := range 16 { // rows 0 to 3, which are in one text each or twice in one
		if i/4 == 1 {
			continue // its row is in two texts
		}
		up, down := append([]float32(nil), start...), append([]float32(nil), start...)
		up[i] += 1e-3
		down[i] -= 1e-3
		slope := (loss(up) - loss(down)) / 2e-3
		if math.Abs(slope) > 1e-2 {
			require.Equal(t, slope > 0, s.table[i] < start[i], "number %d: slope %v", i, slope)
		}
	}
}

func TestOptions(t *testing.T) {
	for _, l := range []lab{{epochs: 0, dim: 8}, {epochs: 1, dim: 0}, {epochs: 1, dim: 5000}} {
		_, err := l.run(t.Context(), &bytes.Buffer{})
		require.Error(t, err)
	}
}
