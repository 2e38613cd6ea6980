package bm25

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/golden"
)

// TestGoldenSparseDot: weights are stored as float32, which is exact to 6e-8 of each
// product.
func TestGoldenSparseDot(t *testing.T) {
	golden.Rows(t, "retrieve", "sparse_dot.jsonl", func(row struct {
		Query  map[string]float64
		Docs   []map[string]float64
		Scores []float64
	}) error {
		x, err := New(&Options{Variant: Dot})
		if err != nil {
			return err
		}
		for i, d := range row.Docs {
			if err := x.AddWeights(i, d); err != nil {
				return err
			}
		}
		hits, err := x.SearchWeights(row.Query, len(row.Docs), nil)
		if err != nil {
			return err
		}
		found := map[int]float64{}
		for _, h := range hits {
			found[h.ID] = h.Score
		}
		for i, want := range row.Scores {
			if got := found[i]; !(math.Abs(got-want) <= 1e-7*math.Abs(want)) {
				return fmt.Errorf("document %d: got %v, want %v", i, got, want)
			}
		}
		return nil
	})
}

// TestWeightsAgainstAllProducts, also after a file.
func TestWeightsAgainstAllProducts(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	weights := func(n int) map[string]float64 {
		out := map[string]float64{}
		for range n {
			out[fmt.Sprint("t", int(math.Exp(rng.Float64()*7)))] = float64(float32(rng.ExpFloat64()))
		}
		return out
	}
	x, err := New(&Options{Variant: Dot})
	require.NoError(t, err)
	docs := map[int]map[string]float64{}
	for range 6000 {
		id := rng.IntN(4000)
		if rng.IntN(5) == 0 {
			delete(docs, id)
			x.Remove(id)
			continue
		}
		docs[id] = weights(30)
		require.NoError(t, x.AddWeights(id, docs[id]))
	}
	path := filepath.Join(t.TempDir(), "x")
	require.NoError(t, x.Save(path))
	y, err := Open(path, nil)
	require.NoError(t, err)
	for range 30 {
		q := weights(8)
		for _, index := range []*Index{x, y} {
			hits, err := index.SearchWeights(q, 10, nil)
			require.NoError(t, err)
			product := func(id int) float64 {
				sum := 0.0
				for t, w := range q {
					sum += w * docs[id][t]
				}
				return sum
			}
			found := map[int]bool{}
			for _, h := range hits {
				found[h.ID] = true
				require.InDelta(t, product(h.ID), h.Score, 1e-9)
			}
			require.Len(t, found, 10)
			for id := range docs {
				if !found[id] {
					require.LessOrEqual(t, product(id), hits[9].Score+1e-9)
				}
			}
		}
	}
	hits, err := x.SearchWeights(weights(8), 10, func(id int) bool { return id < 5 })
	require.NoError(t, err)
	require.LessOrEqual(t, len(hits), 5)
}

func TestWrongWeights(t *testing.T) {
	x, err := New(&Options{Variant: Dot})
	require.NoError(t, err)
	for _, w := range []float64{-1, math.NaN(), math.Inf(1), 1e7} {
		require.ErrorIs(t, x.AddWeights(1, map[string]float64{"a": w}), ErrOption)
		_, err := x.SearchWeights(map[string]float64{"a": w}, 3, nil)
		require.ErrorIs(t, err, ErrOption)
	}
	require.Zero(t, x.Len())
	require.NoError(t, x.AddWeights(1, map[string]float64{"a": 0, "b": 1e-300, "c": 2}))
	require.False(t, x.Contains("a"))
	hits, err := x.SearchWeights(map[string]float64{"b": 1, "c": 3}, 3, nil)
	require.NoError(t, err)
	require.Equal(t, []Hit{{ID: 1, Score: 6}}, hits)
	y, err := New(nil)
	require.NoError(t, err)
	require.ErrorIs(t, y.AddWeights(1, map[string]float64{"a": 1}), ErrOption)
}
