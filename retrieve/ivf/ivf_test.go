package ivf

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retrieve/flat"
	"github.com/prodailabs/prodai/retrieve/vecquant"
)

func random(n, dim int, seed uint64) [][]float32 {
	rng := rand.New(rand.NewPCG(seed, 1))
	out := make([][]float32, n)
	for i := range out {
		out[i] = make([]float32, dim)
		for j := range out[i] {
			out[i][j] = float32(rng.NormFloat64())
		}
	}
	return out
}

// clustered returns n vectors around n/50 centers.
func clustered(n, dim int, seed uint64) [][]float32 {
	rng := rand.New(rand.NewPCG(seed, 2))
	centers := random(100, dim, 99)
	out := random(n, dim, seed)
	for i := range out {
		c := centers[rng.IntN(len(centers))]
		for j := range out[i] {
			out[i][j] = c[j] + out[i][j]*.5
		}
	}
	return out
}

func build(t testing.TB, vectors [][]float32, o *Options) *Index {
	t.Helper()
	x, err := New(len(vectors[0]), o)
	require.NoError(t, err)
	for id, v := range vectors {
		require.NoError(t, x.Add(id, v))
	}
	x.check(t)
	return x
}

// check checks that each vector is in one list, the one of its nearest center.
func (x *Index) check(t testing.TB) {
	t.Helper()
	n := 0
	for at, l := range x.lists {
		require.Len(t, l.rows, len(l.ids)*x.dim)
		if x.o.Codes != nil {
			require.Len(t, l.codes, len(l.ids)*x.o.Codes.CodeSize())
		}
		for i, id := range l.ids {
			require.Equal(t, spot{at, i}, x.place[id])
			require.Equal(t, at, x.nearestList(l.rows[i*x.dim:][:x.dim]))
			n++
		}
	}
	require.Len(t, x.place, n)
}

// TestRecallRisesWithTheProbes, to that of an exact search.
func TestRecallRisesWithTheProbes(t *testing.T) {
	for name, vectors := range map[string]func(int, int, uint64) [][]float32{"clustered": clustered, "independent": random} {
		for _, n := range []int{100, 1000, 10_000} {
			for _, m := range []Metric{MetricCosine, MetricDot, MetricL2} {
				x := build(t, vectors(n, 16, 1), &Options{Metric: m})
				queries := vectors(100, 16, 2)
				before := 0.0
				for _, probes := range []int{1, 4, 16, 64, 1000} {
					got, err := x.Recall(queries, 10, &SearchOptions{Probes: probes})
					require.NoError(t, err)
					require.GreaterOrEqual(t, got, before-1e-9, "%s %d %v %d", name, n, m, probes)
					before = got
				}
				require.Equal(t, 1.0, before)
				got, err := x.Recall(queries, 10, nil)
				require.NoError(t, err)
				least := .9
				if name == "clustered" {
					least = .99
				}
				if m != MetricDot {
					require.Greater(t, got, least, "%s %d %v", name, n, m)
				}
			}
		}
	}
}

// TestAgainstFlat makes the same random changes to both: with all lists the answers are
// the same, with codes nearly.
func TestAgainstFlat(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 9))
	for _, m := range []Metric{MetricCosine, MetricDot, MetricL2} {
		x, err := New(6, &Options{Metric: m, Probes: 1 << 20})
		require.NoError(t, err)
		exact, err := flat.New(6, &flat.Options{Metric: m})
		require.NoError(t, err)
		for i := range 6000 {
			id := rng.IntN(2500)
			if rng.IntN(4) == 0 {
				require.Equal(t, exact.Remove(id), x.Remove(id))
				continue
			}
			v := random(1, 6, uint64(rng.IntN(3000)))[0] // some twice
			require.NoError(t, x.Add(id, v))
			require.NoError(t, exact.Add(id, v))
			if i%100 == 0 {
				var allowed func(int) bool
				if i%200 == 0 {
					allowed = func(id int) bool { return id%3 == 0 }
				}
				q := random(1, 6, uint64(i))[0]
				want, err := exact.Search(q, 9, allowed)
				require.NoError(t, err)
				got, err := x.Search(q, 9, allowed)
				require.NoError(t, err)
				require.Equal(t, want, got)
			}
		}
		require.Greater(t, x.Lists(), 1)
		x.check(t)
		x.Learn()
		x.check(t)
		require.Equal(t, exact.Len(), x.Len())
		for id := range 2500 {
			a, okA := exact.Get(id)
			b, okB := x.Get(id)
			require.Equal(t, okA, okB)
			require.Equal(t, a, b)
			x.Remove(id)
		}
		hits, err := x.Search([]float32{1, 0, 0, 0, 0, 0}, 3, nil)
		require.NoError(t, err)
		require.Empty(t, hits)
		x.Learn()
		require.NoError(t, x.Add(1, []float32{1, 0, 0, 0, 0, 0}), "emptied, then as new")
		hits, err = x.Search([]float32{1, 0, 0, 0, 0, 0}, 3, nil)
		require.NoError(t, err)
		require.Len(t, hits, 1)
	}
}

func TestARareFilterIsAnswered(t *testing.T) {
	x := build(t, random(5000, 8, 1), &Options{Probes: 1})
	hits, err := x.Search(random(1, 8, 9)[0], 5, func(id int) bool { return id == 4321 })
	require.NoError(t, err)
	require.Len(t, hits, 1)
	require.Equal(t, 4321, hits[0].ID)
	hits, err = x.Search(random(1, 8, 9)[0], 5000, nil)
	require.NoError(t, err)
	require.Len(t, hits, 5000, "k counts, not the probes")
}

func TestCodes(t *testing.T) {
	vectors := clustered(3000, 32, 3)
	var learned [][]float32
	for _, v := range vectors {
		u, err := vecquant.Normalize(v)
		require.NoError(t, err)
		learned = append(learned, u)
	}
	int8s, err := vecquant.NewInt8(32)
	require.NoError(t, err)
	product, err := vecquant.TrainProduct(learned, nil)
	require.NoError(t, err)
	plain := build(t, vectors, nil)
	want, err := plain.Recall(clustered(100, 32, 4), 10, nil)
	require.NoError(t, err)
	for _, q := range []vecquant.Quantizer{int8s, product} {
		x := build(t, vectors, &Options{Codes: q})
		got, err := x.Recall(clustered(100, 32, 4), 10, nil)
		require.NoError(t, err)
		require.Greater(t, got, want-.02)
		hits, err := x.Search(vectors[5], 3, func(id int) bool { return id%2 == 1 })
		require.NoError(t, err)
		require.Equal(t, 5, hits[0].ID)
		require.InDelta(t, 1, hits[0].Score, 1e-5, "the vectors' score, not the codes'")
		for id := range 500 {
			x.Remove(id)
		}
		require.NoError(t, x.Add(2, vectors[2]))
		x.check(t)
	}
}

func TestSaveAndOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	for _, n := range []int{0, 50, 3000} {
		x, err := New(8, &Options{Metric: MetricL2, Probes: 5})
		require.NoError(t, err)
		for id, v := range random(n, 8, 1) {
			require.NoError(t, x.Add(id, v))
		}
		require.NoError(t, x.Save(path))
		codes, err := vecquant.NewInt8(8)
		require.NoError(t, err)
		for _, o := range []*Options{nil, {Codes: codes, Rescore: 100}} {
			y, err := Open(path, o)
			require.NoError(t, err)
			y.check(t)
			require.Equal(t, x.Lists(), y.Lists())
			for _, q := range random(20, 8, 2) {
				want, err := x.Search(q, 5, nil)
				require.NoError(t, err)
				got, err := y.Search(q, 5, nil)
				require.NoError(t, err)
				require.Equal(t, want, got)
			}
			for id, v := range random(1500, 8, 5) {
				require.NoError(t, y.Add(2*id, v))
				y.Remove(id)
			}
			y.check(t)
		}
	}
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	for n := 0; n < len(data)-64; n += 997 {
		require.NoError(t, os.WriteFile(path, data[:n], 0o644))
		_, err := Open(path, nil)
		require.ErrorIs(t, err, ErrFormat)
	}
	data[len(data)/2] ^= 1
	require.NoError(t, os.WriteFile(path, data, 0o644))
	_, err = Open(path, nil)
	require.ErrorIs(t, err, ErrFormat)
	x, err := flat.New(3, nil)
	require.NoError(t, err)
	require.NoError(t, x.Save(path))
	_, err = Open(path, nil)
	require.ErrorIs(t, err, ErrFormat, "another kind of index")
}

func TestRefusals(t *testing.T) {
	for _, o := range []Options{{Metric: 9}, {Lists: -1}, {Probes: -1}, {Rescore: -1}, {Lists: 1 << 30}} {
		_, err := New(3, &o)
		require.ErrorIs(t, err, ErrOption)
	}
	_, err := New(0, nil)
	require.ErrorIs(t, err, ErrOption)
	codes, err := vecquant.NewInt8(4)
	require.NoError(t, err)
	_, err = New(3, &Options{Codes: codes})
	require.ErrorIs(t, err, ErrOption)
	x, err := New(2, nil)
	require.NoError(t, err)
	nan := float32(math.NaN())
	for _, c := range []struct {
		v    []float32
		want error
	}{{[]float32{1}, ErrDimension}, {[]float32{nan, 1}, ErrNotFinite}, {[]float32{0, 0}, ErrZero}} {
		require.ErrorIs(t, x.Add(1, c.v), c.want)
		_, err = x.Search(c.v, 1, nil)
		require.ErrorIs(t, err, c.want)
		_, err = x.Recall([][]float32{c.v}, 1, nil)
		require.ErrorIs(t, err, c.want)
	}
	require.Zero(t, x.Len())
	_, err = x.Search([]float32{1, 1}, 0, nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = x.SearchWith([]float32{1, 1}, 1, &SearchOptions{Probes: -1})
	require.ErrorIs(t, err, ErrOption)
	_, err = x.Recall(nil, 1, nil)
	require.ErrorIs(t, err, ErrOption)
	recall, err := x.Recall([][]float32{{1, 1}}, 1, nil)
	require.NoError(t, err)
	require.Equal(t, 1.0, recall)
}

func TestConcurrentUse(t *testing.T) {
	x, err := New(8, nil)
	require.NoError(t, err)
	vectors := random(1600, 8, 1)
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 400 {
				id := w*400 + i
				require.NoError(t, x.Add(id, vectors[id]))
				if i%5 == 0 {
					hits, err := x.Search(vectors[id], 3, nil)
					require.NoError(t, err)
					require.Equal(t, id, hits[0].ID, "what was added is found")
				}
				if i%4 == 3 {
					x.Remove(id)
				}
				if i == 300 {
					x.Learn()
				}
			}
		})
	}
	wg.Wait()
	require.Equal(t, 1200, x.Len())
	x.check(t)
}

// TestRecallWhileEmptied: vectors may go between a search and the exact one.
func TestRecallWhileEmptied(t *testing.T) {
	x, err := New(2, nil)
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 3000 {
			if err := x.Add(1, []float32{1, 2}); err != nil {
				panic(err)
			}
			x.Remove(1)
		}
	}()
	for {
		select {
		case <-done:
			return
		default:
			recall, err := x.Recall([][]float32{{1, 2}}, 1, nil)
			require.NoError(t, err)
			require.LessOrEqual(t, recall, 1.0)
		}
	}
}

// BenchmarkProbes shows recall and time by the number of probes.
func BenchmarkProbes(b *testing.B) {
	vectors, queries := random(50_000, 128, 1), random(200, 128, 2)
	centers := random(1000, 128, 3) // as spread as the vectors around each
	for i, v := range append(vectors, queries...) {
		for j := range v {
			v[j] += centers[i%1000][j]
		}
	}
	x := build(b, vectors, nil)
	for _, probes := range []int{1, 4, 16, 64} {
		recall, err := x.Recall(queries[:50], 10, &SearchOptions{Probes: probes})
		require.NoError(b, err)
		i := 0
		b.Run(fmt.Sprint(probes), func(b *testing.B) {
			for b.Loop() {
				if _, err := x.SearchWith(queries[i%len(queries)], 10, &SearchOptions{Probes: probes}); err != nil {
					b.Fatal(err)
				}
				i++
			}
			b.ReportMetric(recall, "recall@10")
		})
	}
}

func ExampleIndex_Search() {
	x, err := New(2, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for id, v := range [][]float32{{1, 0}, {0, 1}, {1, 1}} {
		if err := x.Add(id, v); err != nil {
			fmt.Println(err)
		}
	}
	hits, err := x.Search([]float32{1, .1}, 2, nil)
	fmt.Println(hits[0].ID, hits[1].ID, err)
	// Output: 0 2 <nil>
}
