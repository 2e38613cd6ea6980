package flat

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/golden"
	"github.com/prodailabs/prodai/retrieve/vecquant"
)

// TestGoldenNearest: the exact nearest, in order.
func TestGoldenNearest(t *testing.T) {
	type row struct {
		Metric  string
		D       int
		Query   []float32
		Top     []int
		Scores  []float64
		Vectors [][]float32
	}
	var x *Index
	metrics := map[string]Metric{"cosine": MetricCosine, "ip": MetricDot, "l2": MetricL2}
	golden.Rows(t, "retrieve", "knn.jsonl", func(r row) error {
		if r.Vectors != nil { // the first of a group
			var err error
			if x, err = New(r.D, &Options{Metric: metrics[r.Metric], AllowZero: true}); err != nil {
				return err
			}
			for id, v := range r.Vectors {
				if err := x.Add(id, v); err != nil {
					return err
				}
			}
		}
		if len(r.Top) == 0 {
			return nil
		}
		hits, err := x.Search(r.Query, len(r.Top), nil)
		if err != nil {
			return err
		}
		for i, h := range hits {
			if h.ID != r.Top[i] || math.Abs(h.Score-r.Scores[i]) > 1e-6*max(1, math.Abs(r.Scores[i])) {
				return fmt.Errorf("place %d: %v, want %d with %v", i, h, r.Top[i], r.Scores[i])
			}
		}
		if len(hits) != len(r.Top) {
			return fmt.Errorf("%d hits, want %d", len(hits), len(r.Top))
		}
		return nil
	})
}

func TestUpdateAndRemove(t *testing.T) {
	x, err := New(2, &Options{Metric: MetricL2})
	require.NoError(t, err)
	for id := range 20 {
		require.NoError(t, x.Add(id, []float32{float32(id), 0}))
	}
	require.False(t, x.Remove(99))
	require.True(t, x.Remove(1))
	require.False(t, x.Remove(1))
	hits, err := x.Search([]float32{11, 0}, 1, nil)
	require.NoError(t, err)
	require.Equal(t, []Hit{{ID: 11, Score: 0}}, hits, "ids don't move")
	require.NoError(t, x.Add(3, []float32{100, 0}))
	hits, err = x.Search([]float32{100, 0}, 50, nil)
	require.NoError(t, err)
	require.Len(t, hits, 19)
	require.Equal(t, Hit{ID: 3, Score: 0}, hits[0])
	require.Equal(t, 1, count(hits, 3), "an update replaces")
	for id := range 20 {
		x.Remove(id)
	}
	require.Zero(t, x.Len())
	hits, err = x.Search([]float32{0, 0}, 5, nil)
	require.NoError(t, err)
	require.Empty(t, hits)
	require.NoError(t, x.Add(7, []float32{1, 1}))
	v, ok := x.Get(7)
	require.True(t, ok)
	require.Equal(t, []float32{1, 1}, v)
	_, ok = x.Get(8)
	require.False(t, ok)
}

func count(hits []Hit, id int) int {
	n := 0
	for _, h := range hits {
		if h.ID == id {
			n++
		}
	}
	return n
}

// TestAllowed: k counts allowed vectors, however rare they are.
func TestAllowed(t *testing.T) {
	x, err := New(8, nil)
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(1, 1))
	vectors := make([][]float32, 2000)
	for id := range vectors {
		vectors[id] = make([]float32, 8)
		for j := range vectors[id] {
			vectors[id][j] = float32(rng.NormFloat64())
		}
		require.NoError(t, x.Add(id, vectors[id]))
	}
	q := vectors[0]
	all, err := x.Search(q, len(vectors), nil)
	require.NoError(t, err)
	require.Len(t, all, len(vectors))
	for _, every := range []int{1, 3, 100, 1999} {
		allowed := func(id int) bool { return id%every == 1%every }
		var want []Hit
		for _, h := range all {
			if allowed(h.ID) && len(want) < 7 {
				want = append(want, h)
			}
		}
		got, err := x.Search(q, 7, allowed)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestWrongVectors(t *testing.T) {
	x, err := New(2, nil)
	require.NoError(t, err)
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, c := range []struct {
		v    []float32
		want error
	}{{nil, ErrDimension}, {[]float32{1}, ErrDimension}, {[]float32{1, nan}, ErrNotFinite}, {[]float32{inf, 0}, ErrNotFinite}, {[]float32{0, 0}, ErrZero}} {
		require.ErrorIs(t, x.Add(1, c.v), c.want)
		_, err := x.Search(c.v, 1, nil)
		require.ErrorIs(t, err, c.want)
	}
	require.Zero(t, x.Len())
	_, err = x.Search([]float32{1, 0}, 0, nil)
	require.ErrorIs(t, err, ErrOption)
	for _, dim := range []int{0, -1} {
		_, err = New(dim, nil)
		require.ErrorIs(t, err, ErrOption)
	}
	_, err = New(1, &Options{Metric: 9})
	require.ErrorIs(t, err, ErrOption)
	v := []float32{3, 4}
	require.NoError(t, x.Add(1, v))
	require.Equal(t, []float32{3, 4}, v, "the caller's vector stays")
}

// normal returns a vector with independent elements.
func normal(rng *rand.Rand, dim int) []float32 {
	v := make([]float32, dim)
	for j := range v {
		v[j] = float32(rng.NormFloat64())
	}
	return v
}

// TestCodes: the candidates that codes find contain the nearest.
func TestCodes(t *testing.T) {
	const dim = 96
	rng := rand.New(rand.NewPCG(3, 3))
	var sample, unit [][]float32
	for range 600 {
		sample = append(sample, normal(rng, dim))
		unit = append(unit, must(vecquant.Normalize(sample[len(sample)-1])))
	}
	signs := must(vecquant.NewBinary(dim))
	for _, m := range []Metric{MetricCosine, MetricDot, MetricL2} {
		training := sample
		if m == MetricCosine {
			training = unit
		}
		parts := must(vecquant.TrainProduct(training, nil))
		for _, codes := range []vecquant.Quantizer{must(vecquant.NewInt8(dim)), must(vecquant.NewFloat16(dim)), parts, signs} {
			x, err := New(dim, &Options{Metric: m, Codes: codes, Rescore: 30})
			if codes == signs && m == MetricL2 {
				require.ErrorIs(t, err, ErrOption)
				continue
			}
			require.NoError(t, err)
			least := .95
			if codes == signs {
				least = .7 // independent elements are hardest for signs
			}
			require.Greater(t, sharedHits(t, rng, x, must(New(dim, &Options{Metric: m}))), least, "%T %v", codes, m)
		}
	}
}

// sharedHits adds, replaces and removes the same vectors in both indexes, and
// returns the share of the exact index's hits that the other has, with equal
// scores.
func sharedHits(t *testing.T, rng *rand.Rand, x, exact *Index) float64 {
	for i := range 3000 {
		id, v := i%2500, normal(rng, x.dim)
		require.NoError(t, x.Add(id, v))
		require.NoError(t, exact.Add(id, v))
		if i%5 == 0 {
			require.Equal(t, exact.Remove(i/2), x.Remove(i/2))
		}
	}
	require.Equal(t, exact.Len(), x.Len())
	found := 0
	for i := range 20 {
		q := normal(rng, x.dim)
		var allowed func(int) bool
		if i%2 == 0 {
			allowed = func(id int) bool { return id%3 == 0 }
		}
		got := must(x.Search(q, 10, allowed))
		require.Len(t, got, 10)
		for _, h := range must(exact.Search(q, 10, allowed)) {
			if slices.Contains(got, h) {
				found++
			}
		}
	}
	return float64(found) / 200
}

func TestCodesAreChecked(t *testing.T) {
	small := must(vecquant.NewInt8(3))
	_, err := New(4, &Options{Codes: small})
	require.ErrorIs(t, err, ErrOption)
	_, err = New(3, &Options{Rescore: -1})
	require.ErrorIs(t, err, ErrOption)
	x := must(New(3, &Options{Codes: small}))
	require.NoError(t, x.Add(1, []float32{1, 2, 3}))
	require.Len(t, must(x.Search([]float32{1, 2, 3}, math.MaxInt, nil)), 1)
	x = must(New(1, &Options{Metric: MetricDot, Codes: must(vecquant.NewFloat16(1))}))
	require.ErrorIs(t, x.Add(1, []float32{1e6}), ErrNotFinite, "beyond the largest half")
	require.Zero(t, x.Len())
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestConcurrentUse(t *testing.T) {
	x, err := New(4, nil)
	require.NoError(t, err)
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(1, uint64(w)))
			for i := range 200 {
				v := []float32{1, rng.Float32(), rng.Float32(), rng.Float32()}
				if err := x.Add(w*1000+i, v); err != nil {
					t.Error(err)
				}
				if _, err := x.Search(v, 3, nil); err != nil {
					t.Error(err)
				}
				if i%2 == 0 {
					x.Remove(w*1000 + i)
				}
			}
		})
	}
	wg.Wait()
	require.Equal(t, 400, x.Len())
}

// FuzzOperations compares the index with a map.
func FuzzOperations(f *testing.F) {
	f.Add([]byte{1, 1, 1, 2, 2, 9, 1, 3, 3, 0, 0, 1})
	f.Fuzz(func(t *testing.T, ops []byte) {
		x, err := New(2, &Options{Metric: MetricL2})
		require.NoError(t, err)
		want := map[int][]float32{}
		for ; len(ops) >= 3; ops = ops[3:] {
			id, v := int(ops[0]%16), []float32{float32(ops[1]), float32(ops[2])}
			if ops[0] >= 200 {
				_, there := want[id]
				require.Equal(t, there, x.Remove(id))
				delete(want, id)
				continue
			}
			require.NoError(t, x.Add(id, v))
			want[id] = v
		}
		require.Equal(t, len(want), x.Len())
		hits, err := x.Search([]float32{7, 7}, 20, nil)
		require.NoError(t, err)
		require.Len(t, hits, len(want))
		require.True(t, slices.IsSortedFunc(hits, func(a, b Hit) int {
			if a.Score > b.Score || a.Score == b.Score && a.ID < b.ID {
				return -1
			}
			return 1
		}))
		for _, h := range hits {
			v := want[h.ID]
			require.EqualValues(t, -((v[0]-7)*(v[0]-7) + (v[1]-7)*(v[1]-7)), h.Score)
		}
	})
}

func ExampleIndex_Search() {
	index, err := New(2, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for id, v := range [][]float32{{1, 0}, {1, 1}, {0, 1}, {-1, 0}} {
		if err := index.Add(id, v); err != nil {
			fmt.Println(err)
			return
		}
	}
	hits, err := index.Search([]float32{2, 1}, 2, nil)
	for _, h := range hits {
		fmt.Printf("%d %.2f\n", h.ID, h.Score)
	}
	fmt.Println(err)
	// Output:
	// 1 0.95
	// 0 0.89
	// <nil>
}

func BenchmarkSearch(b *testing.B) {
	for _, n := range []int{1000, 20_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			const dim = 128
			x, err := New(dim, nil)
			require.NoError(b, err)
			rng := rand.New(rand.NewPCG(1, 1))
			v := make([]float32, dim)
			for id := range n {
				for j := range v {
					v[j] = rng.Float32() - .5
				}
				require.NoError(b, x.Add(id, v))
			}
			b.SetBytes(int64(4 * dim * n))
			for b.Loop() {
				if _, err := x.Search(v, 10, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCodes searches 50,000 clustered vectors of 384 elements, exactly and by
// codes.
func BenchmarkCodes(b *testing.B) {
	const dim, n = 384, 50_000
	rng := rand.New(rand.NewPCG(1, 1))
	draw := func(center []float32, spread float64) []float32 {
		v := make([]float32, dim)
		for i := range v {
			v[i] = center[i] + float32(rng.NormFloat64()*spread)
		}
		return v
	}
	centers := make([][]float32, 200)
	for i := range centers {
		centers[i] = draw(make([]float32, dim), 1)
	}
	indexes := []*Index{must(New(dim, nil)),
		must(New(dim, &Options{Codes: must(vecquant.NewInt8(dim)), Rescore: 2})),
		must(New(dim, &Options{Codes: must(vecquant.NewBinary(dim)), Rescore: 30}))}
	for id := range n {
		v := draw(centers[id%len(centers)], .5)
		for _, x := range indexes {
			require.NoError(b, x.Add(id, v))
		}
	}
	var queries [][]float32
	for i := range 100 {
		queries = append(queries, draw(centers[i], .5))
	}
	for i, name := range []string{"exact", "int8", "binary"} {
		b.Run(name, func(b *testing.B) {
			found := 0
			for _, q := range queries {
				want, got := must(indexes[0].Search(q, 10, nil)), must(indexes[i].Search(q, 10, nil))
				for _, h := range want {
					if slices.Contains(got, h) {
						found++
					}
				}
			}
			next := 0
			for b.Loop() {
				if _, err := indexes[i].Search(queries[next%len(queries)], 10, nil); err != nil {
					b.Fatal(err)
				}
				next++
			}
			b.ReportMetric(float64(found)/10/float64(len(queries)), "recall")
		})
	}
}
