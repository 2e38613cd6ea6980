package eval

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFiniteInputsGiveFiniteScores: a finite score or an error, for numbers and
// options of any size.
func TestFiniteInputsGiveFiniteScores(t *testing.T) {
	for name, option := range map[string]error{
		"smoothing":  errOf(NewBLEU(&BLEUOptions{Smooth: SmoothAddK, SmoothValue: 1e308})),
		"BLEU order": errOf(NewBLEU(&BLEUOptions{Order: math.MaxInt})),
		"chrF order": errOf(NewChrF(&ChrFOptions{CharOrder: math.MaxInt})),
		"words":      errOf(NewChrF(&ChrFOptions{WordOrder: math.MaxInt})),
		"baseline":   errOf(NewBERTScore(letterVectors, &BERTScoreOptions{Baseline: PRF{F: math.Inf(-1)}})),
		"bins":       errOf(Calibration([]bool{true}, []float64{1}, math.MaxInt)),
		"ECE":        errOf(NewECE(&ECEOptions{Bins: math.MaxInt})),
		"edits":      errOf(WeightedLevenshtein("abc", "def", &EditCosts{Insert: math.MaxInt / 4})),
	} {
		require.ErrorIs(t, option, ErrOption, name)
	}

	ranking, err := Rank(map[string]int{"a": 2000, "b": 1999, "c": 3}, []Retrieved{{"b", 2}, {"a", 1}}, 1)
	require.NoError(t, err)
	require.InDelta(t, (0.5+1/math.Log2(3))/(1+0.5/math.Log2(3)), ranking.NDCGBurges(2), 1e-12)

	confusion, err := NewConfusion([]string{"a", "b"}, []string{"a", "a", "b"}, []string{"a", "b", "b"})
	require.NoError(t, err)
	for _, beta := range []float64{1e-200, 1e200} {
		classes, err := confusion.Classes(&ConfusionOptions{Beta: beta})
		require.NoError(t, err)
		want := classes[0].Precision
		if beta > 1 {
			want = classes[0].Recall
		}
		require.InDelta(t, want, classes[0].F, 1e-12)
	}
	for _, beta := range []int{1e6, math.MaxInt} {
		m := must(NewChrF(&ChrFOptions{Beta: beta}))
		require.InDelta(t, 100, must(segment(m, "a cat", []string{"a cat"})), 1e-9)
	}

	bert := must(NewBERTScore(letterVectors, nil))
	for _, unit := range []int{0, 1000, -1000, -1070} {
		v := func(xs ...float64) []float64 {
			for i := range xs {
				xs[i] = math.Ldexp(xs[i], unit)
			}
			return xs
		}
		got, err := bert.Score(TokenVectors{[]string{"x", "y"}, [][]float64{v(1, 0), v(1, 1)}}, TokenVectors{[]string{"z"}, [][]float64{v(0, 1)}})
		require.NoError(t, err)
		require.InDelta(t, 1/math.Sqrt2, got.Recall, 1e-9, "2^%d", unit)
	}

	ppl := must(NewPerplexity(""))
	for _, logs := range [][]float64{{-1e200}, {-800}, {-math.MaxFloat64, -math.MaxFloat64}} {
		sum, table := must(NewSum(ppl)), must(NewTable(ppl))
		err1 := sum.Add(t.Context(), nil, &Output{LogProbs: logs})
		err2 := table.Add(t.Context(), nil, &Output{LogProbs: logs})
		if err1 == nil {
			_, err1 = sum.Score()
		}
		if err2 == nil {
			_, err2 = table.Score()
		}
		require.ErrorIs(t, err1, ErrNotFinite)
		require.ErrorIs(t, err2, ErrNotFinite)
	}

	huge := must(NewMean(Signature{Metric: "huge"}, func(context.Context, *Case, *Output) (float64, error) { return math.MaxFloat64, nil }))
	_, err = ScoreCorpus(t.Context(), huge, []string{"a", "b"}, [][]string{{"a"}, {"b"}})
	require.ErrorIs(t, err, ErrNotFinite)
}
