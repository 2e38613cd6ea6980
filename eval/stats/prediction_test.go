package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// judged draws people's grades y and a judge's: right in part, biased and noisy.
func judged(r *rand.Rand, n int) (y, f []float64) {
	for range n {
		quality := r.NormFloat64()
		label := 0.0
		if quality+0.5*r.NormFloat64() > 0.4 {
			label = 1
		}
		y = append(y, label)
		f = append(f, 1/(1+math.Exp(-2*quality-1))) // too kind by 20 points
	}
	return y, f
}

func TestPredictionPoweredIntervalsCover(t *testing.T) {
	const trials, n, rest = 1000, 100, 1500
	// The share of people's 1: P(N(0, 1.25) > 0.4).
	truth := 0.5 * math.Erfc(0.4/math.Sqrt(1.25)/math.Sqrt2)
	for name, o := range map[string]*PredictionOptions{"estimated": nil, "one": {Lambda: 1}} {
		r := rand.New(rand.NewPCG(28, 1))
		cover, narrower, plain, width, alone := 0, 0, 0, 0.0, 0.0
		for range trials {
			y, f := judged(r, n)
			_, g := judged(r, rest)
			got, err := PredictionPowered(y, f, g, o)
			require.NoError(t, err)
			i, err := got.Interval(0.95)
			require.NoError(t, err)
			if i.Contains(truth) {
				cover++
			}
			if got.SE < got.LabelsOnly.SE {
				narrower++
			}
			judge, err := MeanEstimate(g)
			require.NoError(t, err)
			if i, err := judge.Interval(0.95); err == nil && i.Contains(truth) {
				plain++
			}
			width, alone = width+got.SE, alone+got.LabelsOnly.SE
		}
		t.Logf("%s: %.1f %% of intervals cover, %d of %d are narrower than labels alone, width %.2f of it; the judge's own mean covers %.1f %%",
			name, float64(cover)/10, narrower, trials, width/alone, float64(plain)/10)
		assert.InDelta(t, 950, cover, 3*math.Sqrt(950*0.05), "95 %% within three standard errors")
		assert.Equal(t, trials, narrower)
		assert.Zero(t, plain)
		assert.Less(t, width/alone, 0.8)
	}
}

func TestPredictionPoweredByHand(t *testing.T) {
	y, f, g := []float64{1, 0, 1, 0}, []float64{1, 0, 1, 1}, []float64{1, 1, 0, 1, 0}
	got, err := PredictionPowered(y, f, g, &PredictionOptions{Lambda: 1})
	require.NoError(t, err)
	assert.InDelta(t, 0.6-0.25, got.Value, 1e-15)
	assert.InDelta(t, math.Sqrt(0.3/5+0.25/4), got.SE, 1e-15)
	assert.InDelta(t, 0.25, got.Bias.Value, 1e-15)
	assert.InDelta(t, 0.5, got.LabelsOnly.Value, 1e-15)
	assert.InDelta(t, (1.0/3)/(0.3/5+0.25/4), got.Worth, 1e-12)

	// Noise is given no weight, and a constant judge none either.
	got, err = PredictionPowered(y, []float64{0, 1, 0, 1}, g, nil)
	require.NoError(t, err)
	assert.Zero(t, got.Lambda)
	assert.Equal(t, got.LabelsOnly, got.Estimate)
	got, err = PredictionPowered(y, []float64{1, 1, 1, 1}, []float64{1, 1}, nil)
	require.NoError(t, err)
	assert.Equal(t, got.LabelsOnly, got.Estimate)

	for _, bad := range []*PredictionOptions{{Lambda: -1}, {Lambda: 2}, {Lambda: math.NaN()}} {
		_, err = PredictionPowered(y, f, g, bad)
		require.ErrorIs(t, err, ErrOption)
	}
	_, err = PredictionPowered(y[:1], f[:1], g, nil)
	require.ErrorIs(t, err, ErrTooFew)
	_, err = PredictionPowered(y, f[:2], g, nil)
	require.ErrorIs(t, err, ErrLength)
	_, err = PredictionPowered(y, f, []float64{1, math.NaN()}, nil)
	require.ErrorIs(t, err, ErrNotFinite)
}

func TestVarianceComponents(t *testing.T) {
	// Balanced, by hand: item means 1, 3, 5; within each item ±1.
	got, err := VarianceComponents([][]float64{{0, 2}, {2, 4}, {4, 6}})
	require.NoError(t, err)
	assert.InDelta(t, 2, got.RunVariance, 1e-12)
	assert.InDelta(t, (8.0-2)/2, got.ItemVariance, 1e-12)
	share, err := got.Reliability()
	require.NoError(t, err)
	assert.InDelta(t, 3.0/5, share, 1e-12)
	assert.InDelta(t, math.Sqrt(2*1.5)/3, got.RunSE, 1e-12)
	assert.InDelta(t, math.Sqrt(4.0/3), got.Mean.SE, 1e-12)

	// Known parts come back, with unequal numbers of runs.
	r := rand.New(rand.NewPCG(28, 2))
	item, run := 0.0, 0.0
	for range 200 {
		scores := make([][]float64, 60)
		for i := range scores {
			quality := 2 * r.NormFloat64()
			for range 1 + i%4 {
				scores[i] = append(scores[i], quality+r.NormFloat64())
			}
		}
		c, err := VarianceComponents(scores)
		require.NoError(t, err)
		item, run = item+c.ItemVariance/200, run+c.RunVariance/200
	}
	assert.InDelta(t, 4, item, 0.25)
	assert.InDelta(t, 1, run, 0.05)

	same, err := VarianceComponents([][]float64{{1, 1}, {1, 1}})
	require.NoError(t, err)
	_, err = same.Reliability()
	require.ErrorIs(t, err, ErrUndefined)
	_, err = VarianceComponents([][]float64{{1, 2}})
	require.ErrorIs(t, err, ErrTooFew)
	_, err = VarianceComponents([][]float64{{1}, {2}})
	require.ErrorIs(t, err, ErrTooFew)
	_, err = VarianceComponents([][]float64{{1, 2}, {}})
	require.ErrorIs(t, err, ErrTooFew)
	huge, err := VarianceComponents([][]float64{{1e300, 2e300}, {3e300, 5e300}})
	require.ErrorIs(t, err, ErrOverflow, "%v", huge)
}
