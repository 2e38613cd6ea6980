package main

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGrammarIsWholeAndRepeatable(t *testing.T) {
	all := synthetic()
	require.Equal(t, all, synthetic())
	n := [2]int{}
	for _, e := range all {
		n[e.Label]++
		require.NotContains(t, e.Text, "$TASK")
		require.NotContains(t, e.Text, "{|")
	}
	require.Greater(t, n[0], 2000)
	require.Greater(t, n[1], 3000)
}

func TestChoose(t *testing.T) {
	require.Equal(t, []string{"a", "{b|c}", "d"}, split("a|{b|c}|d"))
	for _, e := range expand("X = p | q\n3 {a|b} $X {c{d|d}|cd}!", 1, "s") {
		require.Contains(t, []string{"a p cd!", "a q cd!", "b p cd!", "b q cd!"}, e.Text)
	}
}

// TestMinimiseReachesTheOptimum checks the gradient at the solution and the
// solution of a problem that has one by symmetry.
func TestMinimiseReachesTheOptimum(t *testing.T) {
	p := &problem{lambda: .1, bias: 3, n: 4, rows: []row{
		{[]uint32{0}, [3]float32{1, 1, 1}, 1, 1}, {[]uint32{1}, [3]float32{1, 1, 1}, 0, 1}, {[]uint32{0, 2}, [3]float32{1, 1, 1}, 1, 2},
	}}
	w := p.minimise(200)
	g := make([]float64, p.n)
	p.loss(w, g)
	require.Less(t, math.Sqrt(dot(g, g)), .02)
	require.Greater(t, w[0], 0.0)
	require.Less(t, w[1], 0.0)
}

func TestMeasures(t *testing.T) {
	x := []scored{{3, 1}, {2, 0}, {1, 1}, {0, 0}, {-1, 0}}
	require.InDelta(t, 5.0/6, auc(x), 1e-9)
	require.InDelta(t, .5, rate(x, 1, 2.5), 1e-9)
	easy := []scored{{-2, 0}, {5, 1}}
	require.InDelta(t, 2, chooseThreshold([][]scored{x, easy, {{9, 1}}}), 1e-3)
	require.InDelta(t, -2, chooseThreshold([][]scored{easy}), 1e-3)
	require.Len(t, bigrams(nil), 27*27)
	require.True(t, strings.HasPrefix(foldOf(example{Source: "neuralchemy/x"}), "neuralchemy"))
}
