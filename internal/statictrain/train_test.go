package main

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/vec"
	"github.com/prodailabs/prodai/retrieve/embed"
)

var embedder = sync.OnceValues(embed.New)

// smallTable has a few random rows, and the embedder's tokens.
func smallTable(t *testing.T, dim int) *table {
	t.Helper()
	e, err := embedder()
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(7, 7))
	out := &table{e: e, dim: dim, rows: make([]float32, tokens*dim)}
	for i := range out.rows {
		out.rows[i] = float32(rng.NormFloat64())
	}
	return out
}

func unit(rng *rand.Rand, dim int) []float32 {
	v := make([]float32, dim)
	for i := range v {
		v[i] = float32(rng.NormFloat64())
	}
	normalize(v)
	return v
}

// batch has four pairs, of which some share tokens, with a teacher or without.
func batch(taught bool) []example {
	out := []example{
		{a: []int32{1, 2}, b: []int32{3, 4, 4}}, {a: []int32{2}, b: []int32{5}},
		{a: []int32{6, 7, 8}, b: []int32{1, 9}}, {a: []int32{10}, b: []int32{10, 3}},
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range out {
		if taught {
			out[i].teacherA, out[i].teacherB = unit(rng, 9), unit(rng, 9)
		}
	}
	return out
}

// TestGradientIsTheSlope: for labels alone, and with a teacher, the gradient equals the
// loss's finite differences.
func TestGradientIsTheSlope(t *testing.T) {
	for _, taught := range []bool{false, true} {
		tb := smallTable(t, 6)
		s := settings{scale: 5, sharpen: 7, teacher: .6, regress: 3}
		x := newTrainer(s, tb)
		examples := batch(taught)
		aims(tb, examples)
		require.Equal(t, taught, examples[0].aimB != nil)
		x.gradient(examples, nil)
		got := slices.Clone(x.grads)
		loss := func() float64 {
			clear(x.grads)
			return x.gradient(examples, nil)
		}
		for k := range 11 * tb.dim {
			const h = 1e-2
			old := tb.rows[k]
			tb.rows[k] = old + h
			up := loss()
			tb.rows[k] = old - h
			down := loss()
			tb.rows[k] = old
			require.InDelta(t, (up-down)/(2*h), got[k], 2e-3, "number %d, teacher %v", k, taught)
		}
	}
}

// TestTargets: they add up to 1 in each row and column, the teacher has its share, and
// the columns' are those of the other side's texts.
func TestTargets(t *testing.T) {
	x := newTrainer(settings{sharpen: 3, teacher: .25}, smallTable(t, 2))
	b := batch(true)
	targets := x.targets(b)
	n := len(b)
	for i := range n {
		for side := range targets {
			sum := float32(0)
			for _, p := range targets[side][i*n:][:n] {
				sum += p
			}
			require.InDelta(t, 1, sum, 1e-5)
			require.Greater(t, targets[side][i*n+i], float32(.75))
		}
	}
	want := make([]float32, n)
	for j := range want {
		want[j] = 3 * vec.Dot(b[j].teacherA, b[1].teacherB)
	}
	softmax(want)
	require.InDelta(t, .25*want[0], targets[1][n], 1e-6)
}

func learnable(n int) (out []pair) {
	words := strings.Fields("river stone engine garden winter copper planet market doctor violin desert bridge castle hammer island jacket")
	for i := range n {
		a, b := words[i%len(words)], words[(i/len(words)+i*7+3)%len(words)]
		out = append(out, pair{Source: "test", A: a + " question", B: "the answer about " + b + " and " + a})
	}
	return out
}

// TestTrainLearnsAndRepeats: the loss falls, the same seed gives the same rows, another
// seed gives others, and rows of tokens that no text has stay.
func TestTrainLearnsAndRepeats(t *testing.T) {
	run := func(seed uint64) (*table, []float64) {
		tb := smallTable(t, 8)
		s := settings{epochs: 3, batch: 64, rate: .05, scale: 10, dropout: .1, seed: seed, mix: 1, heldEach: 4}
		losses, err := s.train(t.Context(), tb, examples(tb, learnable(320), nil, nil), &bytes.Buffer{})
		require.NoError(t, err)
		return tb, losses
	}
	one, losses := run(1)
	require.Less(t, losses[3], .8*losses[0])
	again, _ := run(1)
	require.Equal(t, one.rows, again.rows)
	other, _ := run(2)
	require.NotEqual(t, one.rows, other.rows)
	start := smallTable(t, 8)
	unused := one.e.Tokens("zebra")[0]
	require.Equal(t, start.row(unused), one.row(unused))
}

// TestMix: half of the change is half of the way.
func TestMix(t *testing.T) {
	rows := func(mix float64) []float32 {
		tb := smallTable(t, 4)
		s := settings{epochs: 1, batch: 64, rate: .05, scale: 10, seed: 1, mix: mix}
		_, err := s.train(t.Context(), tb, examples(tb, learnable(128), nil, nil), &bytes.Buffer{})
		require.NoError(t, err)
		return tb.rows
	}
	none, half, all := rows(0), rows(.5), rows(1)
	require.Equal(t, smallTable(t, 4).rows, none)
	for k := range none {
		require.InDelta(t, (none[k]+all[k])/2, half[k], 1e-6)
	}
}

func TestStretchesKeepKindsApart(t *testing.T) {
	var all []example
	for i := range 100 {
		x := example{source: []string{"a", "b"}[i/50], a: []int32{int32(i)}}
		if i < 20 {
			x.teacherA = []float32{1}
		}
		all = append(all, x)
	}
	var sizes []int
	for _, p := range stretches(all) {
		sizes = append(sizes, len(p))
		for _, x := range p {
			require.Equal(t, p[0].source, x.source)
			require.Equal(t, p[0].teacherA == nil, x.teacherA == nil)
		}
	}
	require.Equal(t, []int{20, 30, 32, 18}, sizes)
	mixed := shuffled(all, rand.New(rand.NewPCG(1, 1)))
	require.Len(t, mixed, 100)
	require.Equal(t, []int{20, 30, 32, 18}, sizes)
	require.NotEqual(t, all[50:], mixed[50:]) // each has its number, and the order differs
	for _, b := range batches(stretches(mixed), 15, rand.New(rand.NewPCG(1, 1))) {
		for _, x := range b {
			require.Equal(t, b[0].kind(), x.kind())
		}
	}
	require.Len(t, batches(stretches(mixed), 15, rand.New(rand.NewPCG(1, 1))), 4)
	require.Len(t, batches(stretches(mixed), 1000, rand.New(rand.NewPCG(1, 1))), 3) // the kinds
}

// TestFileIsRead: retrieve/embed reads the file, and the rows are those of int8.
func TestFileIsRead(t *testing.T) {
	tb := smallTable(t, 4)
	path := t.TempDir() + "/model.safetensors"
	require.NoError(t, writeFile(path, tb.file()))
	back, err := loadTable(path, "../..")
	require.NoError(t, err)
	require.Equal(t, 4, back.dim)
	want := tb.int8()
	for k := range want.rows {
		require.InDelta(t, want.rows[k], back.rows[k], 1e-6)
	}
	require.NoError(t, writeFile(path+".f32", appendFloats(nil, tb.rows)))
	back, err = loadTable(path+".f32", "../..")
	require.NoError(t, err)
	require.Equal(t, tb.rows, back.rows)
}

// TestCuts: fewer numbers are the first ones, and a bit is a sign.
func TestCuts(t *testing.T) {
	tb := smallTable(t, 4)
	require.Equal(t, tb.row(9)[:2], tb.first(2).row(9))
	bits := tb.binary().row(9)
	for k, x := range tb.row(9) {
		require.Equal(t, math.Signbit(float64(x)), math.Signbit(float64(bits[k])))
		require.InDelta(t, math.Abs(float64(bits[0])), math.Abs(float64(bits[k])), 1e-7)
	}
	require.Len(t, cuts("x", tb), 12)
	v, err := tb.signs([]string{"river"})
	require.NoError(t, err)
	require.InDelta(t, .5, math.Abs(float64(v[0][0])), 1e-6)
}
