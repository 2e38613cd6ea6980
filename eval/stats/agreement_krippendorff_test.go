package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/growth"
	"github.com/prodailabs/prodai/internal/race"
)

// alphaByPairs is the definition: the squared distances of all pairs of ratings,
// within items and over all of them.
func alphaByPairs(raters [][]float64, scale Scale) float64 {
	var items [][]float64
	var all []float64
	for i := range raters[0] {
		var item []float64
		for _, ratings := range raters {
			if !math.IsNaN(ratings[i]) {
				item = append(item, ratings[i])
			}
		}
		if len(item) > 1 {
			items, all = append(items, item), append(all, item...)
		}
	}
	distance := func(x, y float64) float64 {
		switch scale {
		case ScaleOrdinal:
			between := 0.0
			for _, v := range all {
				switch lo, hi := min(x, y), max(x, y); {
				case v > lo && v < hi:
					between++
				case v == lo, v == hi:
					between += 0.5
				}
			}
			if x == y {
				return 0
			}
			return between * between
		case ScaleInterval:
			return (x - y) * (x - y)
		case ScaleRatio:
			if x+y == 0 {
				return 0
			}
			return (x - y) * (x - y) / ((x + y) * (x + y))
		}
		if x == y {
			return 0
		}
		return 1
	}
	pairs := func(xs []float64) (total float64) {
		for _, x := range xs {
			for _, y := range xs {
				total += distance(x, y)
			}
		}
		return total
	}
	observed := 0.0
	for _, item := range items {
		observed += pairs(item) / float64(len(item)-1)
	}
	return 1 - observed*float64(len(all)-1)/pairs(all)
}

func TestAlphaIsItsDefinition(t *testing.T) {
	r := rand.New(NewGenerator(41))
	for run := range 60 {
		n, values := 2+r.IntN(30), 2+r.IntN(12)
		raters := make([][]float64, 2+r.IntN(4))
		for k := range raters {
			raters[k] = make([]float64, n)
			for i := range raters[k] {
				switch {
				case r.IntN(6) == 0:
					raters[k][i] = math.NaN()
				case run%2 == 0:
					raters[k][i] = float64(r.IntN(values)) - 2
				default:
					raters[k][i] = 100 + r.NormFloat64()
				}
			}
		}
		raters[0][0], raters[1][0] = 1, 3 // never all equal
		for scale := ScaleNominal; scale <= ScaleRatio; scale++ {
			got, err := KrippendorffAlpha(raters, scale)
			require.NoError(t, err)
			want := alphaByPairs(raters, scale)
			require.InDelta(t, want, got, 1e-9*math.Max(1, math.Abs(want)), "scale %d", scale)
		}
	}
}

// TestAlphaOfFullAgreementIsOne: exactly 1, for any mean of the values.
func TestAlphaOfFullAgreementIsOne(t *testing.T) {
	values := []float64{0.1, 0.7, 1e9 + 0.3, 1.0 / 3, 0.1}
	for scale := ScaleNominal; scale <= ScaleRatio; scale++ {
		got, err := KrippendorffAlpha([][]float64{values, values, values}, scale)
		require.NoError(t, err)
		require.Equal(t, 1.0, got)
	}
}

// scores are three raters' continuous scores of n items: all distinct.
func scores(n int) [][]float64 {
	r := rand.New(NewGenerator(43))
	raters := make([][]float64, 3)
	for range n {
		truth := 3 + r.NormFloat64()
		for k := range raters {
			raters[k] = append(raters[k], truth+r.NormFloat64()/4)
		}
	}
	return raters
}

// TestAlphaOfManyDistinctValues: an earlier version, whose work grew with the
// distinct values of each item, ran for more than ten minutes.
func TestAlphaOfManyDistinctValues(t *testing.T) {
	raters := scores(5000)
	last := ScaleRatio
	if race.Enabled { // quadratic by its definition
		last = ScaleInterval
	}
	for scale := ScaleNominal; scale <= last; scale++ {
		alpha, err := KrippendorffAlpha(raters, scale)
		require.NoError(t, err)
		require.LessOrEqual(t, alpha, 1.0)
	}
	few := slices.Clone(raters)
	for k := range few {
		few[k] = few[k][:100]
	}
	got, err := KrippendorffAlpha(few, ScaleInterval)
	require.NoError(t, err)
	require.InDelta(t, alphaByPairs(few, ScaleInterval), got, 1e-12)
}

func TestGrowthOfAlpha(t *testing.T) {
	for scale, limit := range map[Scale]float64{ScaleNominal: 3, ScaleOrdinal: 3, ScaleInterval: 3, ScaleRatio: 6} {
		t.Run(fmt.Sprint(scale), func(t *testing.T) {
			growth.Test(t, 2000, limit, func(n int) func() {
				raters := scores(n)
				return func() {
					_, err := KrippendorffAlpha(raters, scale)
					require.NoError(t, err)
				}
			})
		})
	}
}
