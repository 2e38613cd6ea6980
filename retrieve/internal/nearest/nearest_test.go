package nearest

import (
	"cmp"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/vec"
)

// TestBestIsThatOfASort: Best collects what sorting gives, ties included.
func TestBestIsThatOfASort(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 500 {
		n, k := rng.IntN(40), 1+rng.IntN(20)
		b := Best{K: k}
		var all []Hit
		for id := range n {
			h := Hit{ID: n - id, Score: float64(rng.IntN(8))}
			all = append(all, h)
			b.Offer(h.ID, float32(h.Score))
		}
		slices.SortFunc(all, func(x, y Hit) int { return cmp.Or(cmp.Compare(y.Score, x.Score), cmp.Compare(x.ID, y.ID)) })
		if bar, full := b.Bar(); full {
			require.EqualValues(t, all[k-1].Score, bar)
		}
		require.Equal(t, min(n, k), b.Len())
		got := b.Hits()
		require.Len(t, got, min(n, k))
		for i := range got {
			require.Equal(t, all[i], got[i])
		}
	}
}

// TestPrepareKeepsScoresFinite: the longest vectors that are taken have finite scores.
func TestPrepareKeepsScoresFinite(t *testing.T) {
	for _, m := range []vec.Metric{vec.MetricDot, vec.MetricL2, vec.MetricCosine} {
		for _, e := range []float32{1e17, 1e18, 1e19, math.MaxFloat32, math.SmallestNonzeroFloat32} {
			v, w := make([]float32, 37), make([]float32, 37)
			for i := range v {
				v[i], w[i] = e, -e
			}
			a, err := Prepare(nil, v, 37, m, false)
			if m != vec.MetricCosine && e >= 1e19 {
				require.ErrorIs(t, err, vec.ErrNotFinite)
				continue
			}
			require.NoError(t, err)
			b, err := Prepare(nil, w, 37, m, false)
			require.NoError(t, err)
			var out [2]float32
			Scores(m, a, append(a, b...), nil, out[:])
			for _, score := range out {
				require.False(t, math.IsNaN(float64(score)) || math.IsInf(float64(score), 0), "%v %v", m, e)
			}
			require.Greater(t, out[0], out[1]-1e-30, "%v %v", m, e)
		}
	}
	_, err := Prepare(nil, []float32{0}, 1, vec.MetricCosine, false)
	require.ErrorIs(t, err, vec.ErrZero)
	v, err := Prepare(nil, []float32{0}, 1, vec.MetricCosine, true)
	require.NoError(t, err)
	require.Equal(t, []float32{0}, v)
}

// TestTopIsThatOfASort: the rows are those of a sort by score and row, whatever the ties.
func TestTopIsThatOfASort(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for range 500 {
		n, k, kinds := rng.IntN(300), 1+rng.IntN(40), 1+rng.IntN(50)
		top := Top{K: k}
		scores := make([]float32, n)
		rows := make([]uint32, n)
		for i := range scores {
			scores[i], rows[i] = float32(rng.IntN(kinds)-kinds/2)/7, uint32(i)
			if bar, full := top.Bar(); !full || scores[i] > bar {
				top.Add(uint32(i), scores[i])
			}
		}
		slices.SortStableFunc(rows, func(a, b uint32) int {
			return cmp.Or(cmp.Compare(order(scores[b]), order(scores[a])), cmp.Compare(a, b))
		})
		got := top.Rows()
		slices.Sort(got)
		want := slices.Clone(rows[:min(k, n)])
		slices.Sort(want)
		require.Equal(t, want, got)
	}
	for _, s := range []float32{0, -1, 1, math.MaxFloat32, -math.MaxFloat32, float32(math.Inf(1)), float32(math.Inf(-1)), 1e-45} {
		require.Equal(t, s, score(order(s)))
	}
}

// TestRecall: ties with the last true hit count, and a search whose truth is gone
// meanwhile is not a fault.
func TestRecall(t *testing.T) {
	bad := errors.New("bad")
	found := func(h ...Hit) func([]float32) ([]Hit, error) { return func([]float32) ([]Hit, error) { return h, nil } }
	fails := func([]float32) ([]Hit, error) { return nil, bad }
	a, b, tied, far := Hit{1, 3}, Hit{2, 2}, Hit{3, 2}, Hit{4, 1}
	for _, c := range []struct {
		hits, truth []Hit
		want        float64
	}{
		{[]Hit{a, b}, []Hit{a, b}, 1}, {[]Hit{a, tied}, []Hit{a, b}, 1}, {[]Hit{a, far}, []Hit{a, b}, .5}, {[]Hit{a, b, tied}, []Hit{a, b}, 1},
		{[]Hit{{1, 2.9}}, []Hit{a}, 1}, {nil, []Hit{a}, 0}, {[]Hit{a}, nil, 1}, {nil, nil, 1},
	} {
		got, err := Recall([][]float32{{1}, {2}}, found(c.hits...), found(c.truth...))
		require.NoError(t, err)
		require.Equal(t, c.want, got, "%v of %v", c.hits, c.truth)
	}
	_, err := Recall([][]float32{{1}}, fails, found(a))
	require.ErrorIs(t, err, bad)
	_, err = Recall([][]float32{{1}}, found(a), fails)
	require.ErrorIs(t, err, bad)
}
