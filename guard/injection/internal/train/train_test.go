package main

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/guard/injection"
	"github.com/prodailabs/prodai/guard/internal/model"
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
	p := &problem{lambda: .1, bias: 3, n: 4, bounds: [4]uint32{4, 4, 4, 4}, rows: []row{
		{[]uint32{0}, [4]float32{1, 1, 1, 1}, 1, 1}, {[]uint32{1}, [4]float32{1, 1, 1, 1}, 0, 1}, {[]uint32{0, 2}, [4]float32{1, 1, 1, 1}, 1, 2},
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
	require.InDelta(t, 2, lowest([][]scored{x, easy, {{9, 1}}}, .03, .05), 1e-3)
	require.InDelta(t, -2, lowest([][]scored{easy}, .03, .05), 1e-3)
	require.Len(t, bigrams(nil), 27*27)
	require.True(t, strings.HasPrefix(foldOf(example{Source: "neuralchemy/x"}), "neuralchemy"))
}

// Each sentence is where its document says, and some element of the document is it.
func TestDocumentsAreWhole(t *testing.T) {
	all := documents()
	require.Equal(t, all[len(all)-50:], documents()[len(all)-50:], "the same documents each time")
	ex := model.New(injection.Normalize)
	found, asked, clean := 0, 0, 0
	for _, d := range all {
		for _, left := range []string{"$NAME", "$TOPIC", "$FIRM", "⟦", "⟧", "¦"} {
			require.NotContains(t, d.text, left)
		}
		if d.request == "" {
			clean++
			continue
		}
		asked++
		require.True(t, d.from >= 0 && d.from < d.to && d.to <= len(d.text))
		for _, r := range docRows(ex, []document{d}) {
			if r.label == 1 {
				found++
				break
			}
		}
	}
	require.Greater(t, clean, 5000)
	require.Greater(t, asked, 5000)
	require.Greater(t, found*100, asked*85, "%d of %d: the others share a line with the text around them", found, asked)
}

func TestEveryLanguageHasBothLabels(t *testing.T) {
	n := map[string][2]int{}
	for _, e := range multilingual() {
		c := n[e.Lang]
		c[e.Label]++
		n[e.Lang] = c
	}
	for _, lang := range strings.Fields("ar hi th tr ko ja vi id bn tl zh ru he fa el uk de fr es pt it") {
		require.Greater(t, n[lang][0], 10, lang)
		require.Greater(t, n[lang][1], 5, lang)
	}
}

func TestIntervals(t *testing.T) {
	require.Equal(t, "0.500 [0.237, 0.763]", interval(5, 10)) // Wilson's, as statsmodels 0.14 gives it
	require.Equal(t, "-", interval(0, 0))
	x := []scored{{0, 0}, {1, 0}, {2, 0}, {3, 0}, {2.5, 1}}
	require.InDelta(t, 2, thresholdFor(x, .25), 1e-9)
	require.Greater(t, thresholdFor(x, .25), 2.0)
	hits, n := count(x, 0, thresholdFor(x, .25))
	require.Equal(t, [2]int{1, 4}, [2]int{hits, n})
}
