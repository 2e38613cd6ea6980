package attention_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/cache/engine/attention"
	"github.com/prodailabs/prodai/internal/golden"
)

func narrow(x []float64) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(v)
	}
	return out
}

func TestGoldenAttention(t *testing.T) {
	type row struct {
		Op      string    `json:"op"`
		Q       []float64 `json:"q"`
		K       []float64 `json:"k"`
		V       []float64 `json:"v"`
		Out     []float64 `json:"out"`
		LSE     []float64 `json:"lse"`
		Heads   int       `json:"hq"`
		KVHeads int       `json:"hkv"`
		Queries int       `json:"tq"`
		Keys    int       `json:"tk"`
		Dim     int       `json:"d"`
		Window  int       `json:"window"`
		Causal  bool      `json:"causal"`
	}
	golden.Rows(t, "cache", "ops.jsonl", func(r row) error {
		if r.Op != "attention" {
			return nil
		}
		s := attention.Shape{Heads: r.Heads, KVHeads: r.KVHeads, Queries: r.Queries, Keys: r.Keys, Dim: r.Dim, Window: r.Window, Bidirectional: !r.Causal}
		naive, _, err := attention.Naive(narrow(r.Q), narrow(r.K), narrow(r.V), s)
		if err != nil {
			return err
		}
		for _, o := range []attention.TileOptions{{}, {Queries: 1, Keys: 1}, {Queries: 3, Keys: 2}} {
			tiled, lse, _, err := attention.Tiled(narrow(r.Q), narrow(r.K), narrow(r.V), s, &o)
			if err != nil {
				return err
			}
			for i, want := range r.Out {
				for _, got := range []float32{naive[i], tiled[i]} {
					if math.Abs(float64(got)-want) > 2e-6*max(1, math.Abs(want)) {
						return fmt.Errorf("output %d is %v, want %v", i, got, want)
					}
				}
			}
			for i, want := range r.LSE {
				if math.Abs(float64(lse[i])-want) > 2e-6*max(1, math.Abs(want)) {
					return fmt.Errorf("lse %d is %v, want %v", i, lse[i], want)
				}
			}
		}
		return nil
	})
}

func random(r *rand.Rand, n int, size float64) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(size * r.NormFloat64())
	}
	return x
}

// Tiles of any size give what the three passes give, also with scores far apart.
func TestTiledEqualsNaive(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 300 {
		s := attention.Shape{KVHeads: 1 + r.IntN(3), Keys: 1 + r.IntN(40), Dim: 1 + r.IntN(9), Window: r.IntN(2) * r.IntN(20), Bidirectional: r.IntN(4) == 0}
		s.Heads, s.Queries = s.KVHeads*(1+r.IntN(3)), 1+r.IntN(s.Keys)
		size := math.Pow(10, 3*r.Float64()-1)
		q, k, v := random(r, s.Heads*s.Queries*s.Dim, size), random(r, s.KVHeads*s.Keys*s.Dim, size), random(r, s.KVHeads*s.Keys*s.Dim, 1)
		want, slow, err := attention.Naive(q, k, v, s)
		require.NoError(t, err)
		o := &attention.TileOptions{Queries: 1 + r.IntN(12), Keys: 1 + r.IntN(12)}
		got, _, fast, err := attention.Tiled(q, k, v, s, o)
		require.NoError(t, err)
		for i := range want {
			require.InDelta(t, want[i], got[i], 1e-5)
		}
		require.Less(t, fast.Written, slow.Written)
		require.Positive(t, fast.Fast)
	}
}

// The scores of the whole matrix never move: traffic of tiles grows with the keys for each
// tile of queries, that of three passes with the square.
func TestTraffic(t *testing.T) {
	s := attention.Shape{Heads: 2, KVHeads: 1, Queries: 512, Keys: 512, Dim: 16}
	r := rand.New(rand.NewPCG(2, 2))
	q, k, v := random(r, 2*512*16, 1), random(r, 512*16, 1), random(r, 512*16, 1)
	_, slow, err := attention.Naive(q, k, v, s)
	require.NoError(t, err)
	require.Equal(t, attention.Traffic{Read: 2 * 4 * (3*512*16 + 2*512*512), Written: 2 * 4 * (512*16 + 2*512*512), Fast: 4 * (512 + 16)}, slow)
	_, _, fast, err := attention.Tiled(q, k, v, s, &attention.TileOptions{Queries: 64, Keys: 64})
	require.NoError(t, err)
	read := int64(0)
	for tile := range 8 { // causal: tile i of queries reads tiles 0 to i of keys and values
		read += 64*16 + int64(tile+1)*64*16*2
	}
	require.Equal(t, 2*4*read, fast.Read)
	require.Equal(t, int64(2*4*512*17), fast.Written)
	require.Equal(t, fast.Read+fast.Written, fast.Total())
}

func TestBadShapes(t *testing.T) {
	x := []float32{1, 2}
	good := attention.Shape{Heads: 1, KVHeads: 1, Queries: 1, Keys: 2, Dim: 1}
	_, _, err := attention.Naive(x[:1], x, x, good)
	require.NoError(t, err)
	for _, s := range []attention.Shape{
		{}, {Heads: 3, KVHeads: 2, Queries: 1, Keys: 1, Dim: 1}, {Heads: 1, KVHeads: 1, Queries: 3, Keys: 2, Dim: 1}, {Heads: 1, KVHeads: 1, Queries: 1, Keys: 3, Dim: 1},
		{Heads: 1, KVHeads: 1, Queries: 1, Keys: 2, Dim: 1, Window: -1}, {Heads: 1 << 28, KVHeads: 1 << 28, Queries: 1 << 28, Keys: 1 << 28, Dim: 1 << 28},
	} {
		_, _, err := attention.Naive(x[:1], x, x, s)
		require.ErrorIs(t, err, attention.ErrOption, "%+v", s)
		_, _, _, err = attention.Tiled(x[:1], x, x, s, nil)
		require.ErrorIs(t, err, attention.ErrOption, "%+v", s)
	}
	_, _, _, err = attention.Tiled(x[:1], x, x, good, &attention.TileOptions{Keys: -1})
	require.ErrorIs(t, err, attention.ErrOption)
}
