package retrieve

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	coder "github.com/coder/hnsw"
	"github.com/philippgille/chromem-go"
	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retrieve/flat"
	"github.com/prodailabs/prodai/retrieve/hnsw"
)

// clustered returns n vectors around n/250 centers, and 200 queries around the same.
func clustered(n, dim int) (base, queries [][]float32) {
	rng := rand.New(rand.NewPCG(1, 1))
	draw := func(center []float32, spread float64) []float32 {
		v := make([]float32, dim)
		for i := range v {
			v[i] = center[i] + float32(rng.NormFloat64()*spread)
		}
		return v
	}
	centers := make([][]float32, n/250)
	for i := range centers {
		centers[i] = draw(make([]float32, dim), 1)
	}
	for range n {
		base = append(base, draw(centers[rng.IntN(len(centers))], .5))
	}
	for range 200 {
		queries = append(queries, draw(centers[rng.IntN(len(centers))], .5))
	}
	return base, queries
}

// BenchmarkIndex searches 20,000 vectors of 128 elements by the cosine; the recall is
// that of the 10 nearest.
func BenchmarkIndex(b *testing.B) {
	const n, dim, k = 20_000, 128, 10
	base, queries := clustered(n, dim)
	exact, err := flat.New(dim, nil)
	require.NoError(b, err)
	ours, err := hnsw.New(dim, nil)
	require.NoError(b, err)
	peer := coder.NewGraph[int]()
	peer.M, peer.Ml, peer.EfSearch, peer.Distance = 16, .25, 200, coder.CosineDistance
	chromem, err := chromem.NewDB().CreateCollection("x", nil, func(context.Context, string) ([]float32, error) { return nil, errors.New("vectors are given") })
	require.NoError(b, err)
	for id, v := range base {
		require.NoError(b, chromem.AddDocument(b.Context(), chromemDocument(id, v)))
		require.NoError(b, exact.Add(id, v))
		require.NoError(b, ours.Add(id, v))
		peer.Add(coder.MakeNode(id, v))
	}
	ids := func(hits []flat.Hit, err error) []int {
		require.NoError(b, err)
		out := make([]int, len(hits))
		for i, h := range hits {
			out[i] = h.ID
		}
		return out
	}
	var truth [][]int
	for _, q := range queries {
		truth = append(truth, ids(exact.Search(q, k, nil)))
	}
	run := func(name string, search func(q []float32) []int) {
		b.Run(name, func(b *testing.B) {
			found := 0
			for i, q := range queries {
				for _, id := range search(q) {
					if slices.Contains(truth[i], id) {
						found++
					}
				}
			}
			i := 0
			for b.Loop() {
				search(queries[i%len(queries)])
				i++
			}
			b.ReportMetric(float64(found)/float64(k*len(queries)), "recall")
		})
	}
	run("flat", func(q []float32) []int { return ids(exact.Search(q, k, nil)) })
	run("chromem", func(q []float32) []int { // also exact, on all processors
		hits, err := chromem.QueryEmbedding(b.Context(), q, k, nil, nil)
		require.NoError(b, err)
		out := make([]int, len(hits))
		for i, h := range hits {
			_, err := fmt.Sscan(h.ID, &out[i])
			require.NoError(b, err)
		}
		return out
	})
	for _, ef := range []int{16, 64, 200} {
		run(fmt.Sprint("hnsw/ef", ef), func(q []float32) []int { return ids(ours.SearchWith(q, k, &hnsw.SearchOptions{EF: ef})) })
	}
	for _, ef := range []int{16, 200} {
		peer.EfSearch = ef
		run(fmt.Sprint("coder/ef", ef), func(q []float32) []int {
			var out []int
			for _, n := range peer.Search(q, k) {
				out = append(out, n.Key)
			}
			return out
		})
	}
}

func chromemDocument(id int, v []float32) chromem.Document {
	return chromem.Document{ID: fmt.Sprint(id), Embedding: slices.Clone(v)}
}
