package eval

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSumsAreExactInAnyOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	xs := []float64{1e100, 1, -1e100, 1e-30, math.MaxFloat64 / 4, -math.MaxFloat64 / 4}
	for range 500 {
		xs = append(xs, (rng.Float64()-0.5)*math.Pow(10, float64(rng.IntN(40)-20)))
	}
	sum := func() float64 {
		s := make(sums, 1)
		for _, x := range xs {
			s.add([]float64{x})
		}
		return s.totals()[0]
	}
	want := sum()
	for range 50 {
		rng.Shuffle(len(xs), func(i, j int) { xs[i], xs[j] = xs[j], xs[i] })
		require.Equal(t, want, sum())
	}
	s := make(sums, 1)
	for range 10 {
		s.add([]float64{0.1})
	}
	require.Equal(t, 1.0, s.totals()[0])
	require.True(t, slices.Equal([]float64{0, 0}, make(sums, 2).totals()))
}

func TestSumOfStatsMeasuredBefore(t *testing.T) {
	f1, err := NewTokenF1(nil)
	require.NoError(t, err)
	whole, rows := must(NewSum(f1)), must(NewSum(f1))
	_, err = rows.Score()
	require.ErrorIs(t, err, ErrEmpty)
	for _, text := range []string{"a cat", "the dog sat", "cats"} {
		c, o := &Case{References: []string{"the cat", "a dog"}}, &Output{Text: text}
		require.NoError(t, whole.Add(t.Context(), c, o))
		row := make([]float64, f1.Width())
		require.NoError(t, f1.Stats(t.Context(), c, o, row))
		require.NoError(t, rows.AddStats(row, len(c.References)))
	}
	require.Equal(t, whole.score(), rows.score())
	require.Equal(t, f1.Value(whole.Totals()), whole.score().Value)
	require.ErrorIs(t, rows.AddStats([]float64{1}, 2), ErrLength)

	none := must(NewSum(f1))
	none.AddSkipped()
	none.AddFailed()
	none.AddFailed()
	score, err := none.Score()
	require.ErrorIs(t, err, ErrEmpty)
	require.Equal(t, 1, score.Skipped)
	require.Equal(t, 2, score.Failed)
}

// TestMeasureCorpusReturnsPanics: the caller can't recover on the goroutines of
// MeasureCorpus.
func TestMeasureCorpusReturnsPanics(t *testing.T) {
	outputs, references := make([]string, 300), make([][]string, 300)
	for i := range references {
		references[i] = []string{"x"}
	}
	for want, end := range map[string]func(){"segment 200: eval: panic: boom": func() { panic("boom") }, "segment 200: eval: the metric ended": runtime.Goexit} {
		m := must(NewMean(Signature{Metric: "m"}, func(_ context.Context, _ *Case, o *Output) (float64, error) {
			if o.Text == "bad" {
				end()
			}
			return 1, nil
		}))
		outputs[200] = "bad"
		_, err := MeasureCorpus(t.Context(), m, outputs, references, nil)
		require.ErrorContains(t, err, want)
		if p, ok := errors.AsType[*PanicError](err); ok {
			require.Contains(t, p.Stack, "corpus_sum_test.go")
		}
	}
}
