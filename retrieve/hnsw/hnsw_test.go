package hnsw

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/race"
	"github.com/prodailabs/prodai/internal/vec"
	"github.com/prodailabs/prodai/retrieve/flat"
)

// Both indexes implement one interface, which names none of their types.
var _ = []interface {
	Add(id int, vector []float32) error
	Remove(id int) bool
	Len() int
	Get(id int) ([]float32, bool)
	Search(query []float32, k int, allowed func(id int) bool) ([]struct {
		ID    int
		Score float64
	}, error)
}{(*Index)(nil), (*flat.Index)(nil)}

// independent returns n vectors whose elements are drawn one by one.
func independent(n, dim int, seed uint64) [][]float32 {
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
	centers := independent(max(1, n/50), dim, 99)
	out := make([][]float32, n)
	for i := range out {
		out[i] = make([]float32, dim)
		c := centers[rng.IntN(len(centers))]
		for j := range out[i] {
			out[i][j] = c[j] + float32(rng.NormFloat64())*.5
		}
	}
	return out
}

func build(t testing.TB, vectors [][]float32, o *Options) *Index {
	t.Helper()
	x, err := New(len(vectors[0]), o)
	require.NoError(t, err)
	x.neverScan = true
	for id, v := range vectors {
		require.NoError(t, x.Add(id, v))
	}
	x.check(t)
	return x
}

// check checks the invariants of the graph.
func (x *Index) check(t testing.TB) {
	t.Helper()
	refs := make([]uint32, x.slots)
	dead, live, ids := 0, 0, 0
	for slot := range uint32(x.slots) {
		switch x.state[slot] {
		case stateFree:
			require.NotContains(t, x.upper, slot)
			continue
		case stateDead, stateLeaving:
			dead++
		case stateLive:
			live++
			for _, id := range append([]int{int(x.ids[slot])}, x.twins[slot]...) {
				at, ok := x.place.find(id)
				require.True(t, ok)
				require.Equal(t, slot, at)
				ids++
			}
		}
		for level := range int(x.level[slot]) + 1 {
			seen := map[uint32]bool{slot: true}
			for _, l := range x.links(slot, level) {
				require.False(t, seen[l], "a link twice, or to itself")
				seen[l] = true
				require.NotEqual(t, stateFree, x.state[l], "a link to a free slot")
				require.GreaterOrEqual(t, int(x.level[l]), level)
				if level == 0 {
					refs[l]++
				}
			}
		}
	}
	require.Equal(t, refs, x.refs[:x.slots])
	require.Equal(t, x.dead, dead)
	require.Equal(t, x.live, live)
	require.Equal(t, x.place.len(), ids)
	require.Equal(t, x.slots, dead+live+len(x.free))
	if live > 0 {
		require.Equal(t, x.top, int(x.level[x.entry]))
		require.NotEqual(t, stateFree, x.state[x.entry])
	}
}

// unreachable counts the live vectors that no walk in the lowest layer reaches.
func (x *Index) unreachable() int {
	seen := make([]bool, x.slots)
	s := x.scratch()
	start := x.descend(&probe{v: x.row(x.entry)}, 0, s).slot
	queue := []uint32{start}
	seen[start] = true
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, l := range x.links(at, 0) {
			if !seen[l] {
				seen[l] = true
				queue = append(queue, l)
			}
		}
	}
	n := 0
	for slot, ok := range seen {
		if !ok && x.state[slot] == stateLive {
			n++
		}
	}
	return n
}

func recall(t testing.TB, x *Index, queries [][]float32, ef int) float64 {
	t.Helper()
	r, err := x.Recall(queries, 10, &SearchOptions{EF: ef})
	require.NoError(t, err)
	return r
}

// TestRecallRisesWithEF: the recall of the graph itself rises with EF and reaches
// .99, at each size.
func TestRecallRisesWithEF(t *testing.T) {
	for _, n := range []int{100, 1000, 10_000} {
		if n > 1000 && (testing.Short() || race.Enabled) {
			continue
		}
		for name, data := range map[string]func(n, dim int, seed uint64) [][]float32{"independent": independent, "clustered": clustered} {
			for _, m := range []Metric{MetricCosine, MetricDot, MetricL2} {
				if (n > 1000 || race.Enabled) && m != MetricCosine { // the build takes seconds
					continue
				}
				x := build(t, data(n, 16, 1), &Options{Metric: m, EFConstruction: 100})
				queries := data(100, 16, 2)
				before := 0.0
				var all []float64
				for _, ef := range []int{10, 20, 50, 100, 400} {
					r := recall(t, x, queries, ef)
					require.GreaterOrEqual(t, r, before-.002, "%s %v n=%d ef=%d", name, m, n, ef)
					before = max(before, r)
					all = append(all, r)
				}
				t.Logf("%-11s %-6v n=%-6d %.3f unreachable %d", name, m, n, all, x.unreachable())
				require.GreaterOrEqual(t, before, .99, "%s %v n=%d", name, m, n)
			}
		}
	}
}

// TestInt8: a walk by codes finds the same vectors as a walk without codes, and the
// scores are exact.
func TestInt8(t *testing.T) {
	vectors, queries := clustered(1200, 30, 1), clustered(100, 30, 2)
	for _, m := range []Metric{MetricCosine, MetricDot, MetricL2} {
		x, y := build(t, vectors, &Options{Metric: m, Int8: true}), build(t, vectors, &Options{Metric: m})
		require.Equal(t, y.base, x.base, "the graphs are the same")
		for _, ef := range []int{20, 100} {
			require.GreaterOrEqual(t, recall(t, x, queries, ef), recall(t, y, queries, ef)-.01, "%v", m)
		}
		hits, err := x.Search(queries[0], 10, nil)
		require.NoError(t, err)
		exact, err := x.Exact(queries[0], 10, nil)
		require.NoError(t, err)
		require.Equal(t, exact, hits, "%v", m)
		for id := range 1100 {
			x.Remove(id)
		}
		x.check(t)
		require.Greater(t, recall(t, x, queries, 50), .98, "codes follow the slots")
	}
}

// TestScoresOfCodes: scores computed from codes equal those computed from the
// vectors that the codes represent.
func TestScoresOfCodes(t *testing.T) {
	for _, dim := range []int{1, 3, 4, 8, 9, 30, 128} {
		for _, m := range []Metric{MetricCosine, MetricDot, MetricL2} {
			vectors := independent(50, dim, 1)
			x := build(t, vectors, &Options{Metric: m, Int8: true})
			s := x.scratch()
			q := x.row(uint32(x.slots) - 1)
			p := x.query(q, s)
			decoded := func(code []int8, scale float32) []float32 {
				out := make([]float32, dim)
				for i := range out {
					out[i] = float32(code[i]) * scale
				}
				return out
			}
			own := decoded(p.code, p.scale)
			slots := []uint32{0, uint32(x.slots) / 2, uint32(x.slots) - 1}
			for i, c := range x.scored(p, slots, s) {
				code := x.code(slots[i])
				other := decoded(code, x.tail(code).scale)
				want := vec.Dot(own, other)
				if m == MetricL2 {
					want = vec.Dot(own, own) - vec.L2(own, other)
				}
				require.InDelta(t, want, c.score, 1e-5*float64(1+vec.Dot(own, own)), "%v %d", m, dim)
				require.Equal(t, slots[i], c.slot)
			}
		}
	}
}

func TestEmptied(t *testing.T) {
	x, err := New(2, nil)
	require.NoError(t, err)
	for range 3 {
		hits, err := x.Search([]float32{1, 0}, 3, nil)
		require.NoError(t, err)
		require.Empty(t, hits)
		require.NoError(t, x.Add(5, []float32{0, 2}))
		hits, err = x.Search([]float32{0, 1}, 3, nil)
		require.NoError(t, err)
		require.Equal(t, []Hit{{ID: 5, Score: 1}}, hits)
		require.True(t, x.Remove(5))
		require.False(t, x.Remove(5))
		require.Zero(t, x.Len())
		x.check(t)
	}
}

// TestRemoveTheEntry removes the entry again and again until the index is empty.
func TestRemoveTheEntry(t *testing.T) {
	vectors := clustered(300, 8, 1)
	x := build(t, vectors, &Options{M: 4, EFConstruction: 50})
	for x.Len() > 0 {
		x.Remove(int(x.ids[x.entry]))
		if x.top < 0 {
			break
		}
		if x.state[x.entry] != stateLive { // dead, but still in the graph: remove any other
			for id := range x.place.slots {
				x.Remove(id)
				break
			}
		}
		if n := x.Len(); n > 0 && n%50 == 0 {
			x.check(t)
			require.Greater(t, recall(t, x, vectors[:20], 100), .95)
		}
	}
	require.NoError(t, x.Add(1, vectors[1]))
	hits, err := x.Search(vectors[1], 9, nil)
	require.NoError(t, err)
	require.Len(t, hits, 1)
}

// TestHalfRemoved: the recall stays that of an index built anew from the vectors
// that are left.
func TestHalfRemoved(t *testing.T) {
	n := 2000
	if testing.Short() || race.Enabled {
		n = 600
	}
	for name, data := range map[string]func(n, dim int, seed uint64) [][]float32{"independent": independent, "clustered": clustered} {
		vectors, queries := data(n, 16, 1), data(500, 16, 3)
		for _, pick := range []string{"every second", "the first half"} {
			x := build(t, vectors, nil)
			var left [][]float32
			for id, v := range vectors {
				if pick == "every second" && id%2 == 0 || pick == "the first half" && id < n/2 {
					require.True(t, x.Remove(id))
				} else {
					left = append(left, v)
				}
			}
			x.check(t)
			anew := build(t, left, nil)
			for _, ef := range []int{10, 30, 100} {
				got, want := recall(t, x, queries, ef), recall(t, anew, queries, ef)
				t.Logf("%s, %s, ef %d: %.4f, anew %.4f", name, pick, ef, got, want)
				require.GreaterOrEqual(t, got, want-.01, "%s, %s, ef %d", name, pick, ef)
			}
			require.Zero(t, x.unreachable())
		}
	}
}

// TestManyRounds: adding, replacing and removing for a long time does no harm.
func TestManyRounds(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	rounds := 6000
	if race.Enabled {
		rounds = 2000
	}
	vectors := clustered(rounds, 12, 1)
	x := build(t, vectors[:1000], nil)
	for i, v := range vectors[1000:] {
		id := rng.IntN(1000)
		if rng.IntN(3) == 0 {
			x.Remove(id)
		}
		require.NoError(t, x.Add(id, v))
		if i%1000 == 999 {
			x.check(t)
		}
	}
	require.LessOrEqual(t, x.Len(), 1000)
	require.Less(t, x.slots, 1500, "slots are used again")
	require.Zero(t, x.unreachable())
	require.Greater(t, recall(t, x, clustered(100, 12, 2), 64), .98)
}

// TestRemovedTakeNoPlaces: the removed vectors are the nearest, and k live ones are
// returned.
func TestRemovedTakeNoPlaces(t *testing.T) {
	vectors := independent(1000, 8, 1)
	x := build(t, vectors, nil)
	q := vectors[0]
	nearest, err := x.Exact(q, 130, nil)
	require.NoError(t, err)
	for _, h := range nearest[:100] {
		require.True(t, x.Remove(h.ID))
	}
	hits, err := x.Search(q, 10, nil)
	require.NoError(t, err)
	require.Equal(t, nearest[100:110], hits)
}

// TestUpdateReplaces: one id, one hit, with the new vector's score.
func TestUpdateReplaces(t *testing.T) {
	x := build(t, independent(300, 4, 1), &Options{Metric: MetricL2})
	p, q := []float32{50, 50, 50, 50}, []float32{-50, -50, -50, -50}
	require.NoError(t, x.Add(7, p))
	require.NoError(t, x.Add(7, q))
	require.Equal(t, 300, x.Len())
	for _, at := range [][]float32{p, q} {
		hits, err := x.Search(at, 300, nil)
		require.NoError(t, err)
		require.Len(t, hits, 300)
		n := 0
		for _, h := range hits {
			if h.ID == 7 {
				n++
			}
		}
		require.Equal(t, 1, n)
	}
	hits, err := x.Search(q, 1, nil)
	require.NoError(t, err)
	require.Equal(t, []Hit{{ID: 7, Score: 0}}, hits)
	v, ok := x.Get(7)
	require.True(t, ok)
	require.Equal(t, q, v)
}

// TestCopies: equal vectors don't hide the others, nor one another.
func TestCopies(t *testing.T) {
	for _, m := range []Metric{MetricCosine, MetricDot, MetricL2} {
		vectors := make([][]float32, 300)
		for i := range vectors {
			vectors[i] = []float32{.1, .9, .3, .2, -.5, .7, 0, 1}
		}
		others := independent(20, 8, 4)
		x := build(t, append(vectors, others...), &Options{Metric: m})
		for _, q := range others {
			want, err := x.Exact(q, 10, nil)
			require.NoError(t, err)
			got, err := x.Search(q, 10, nil)
			require.NoError(t, err)
			for i := range want {
				require.Equal(t, want[i].Score, got[i].Score, "%v", m)
			}
		}
		require.Zero(t, x.unreachable(), "%v", m)
		hits, err := x.Search(vectors[0], 300, func(id int) bool { return id < 300 })
		require.NoError(t, err)
		for i, h := range hits {
			require.Equal(t, Hit{ID: i, Score: hits[0].Score}, h, "%v", m)
		}
		hits, err = x.Search(vectors[0], 3, func(id int) bool { return id%100 == 7 })
		require.NoError(t, err)
		require.Equal(t, []int{7, 107, 207}, []int{hits[0].ID, hits[1].ID, hits[2].ID})
		for id := range 299 {
			require.True(t, x.Remove((id*7)%300))
			x.check(t)
		}
		hits, err = x.Search(vectors[0], 1, func(id int) bool { return id < 300 })
		require.NoError(t, err)
		require.Equal(t, (299*7)%300, hits[0].ID)
		require.Equal(t, 21, x.Len())
	}
}

// TestFarFromADenseCluster: links back to a cluster don't cut off vectors that are
// added later.
func TestFarFromADenseCluster(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 3))
	var vectors [][]float32
	for range 60 {
		v := make([]float32, 8)
		for j := range v {
			v[j] = 1 + float32(rng.NormFloat64())*1e-4
		}
		vectors = append(vectors, v)
	}
	for _, v := range independent(20, 8, 4) {
		for j := range v {
			v[j] *= 100
		}
		vectors = append(vectors, v)
	}
	x := build(t, vectors, &Options{Metric: MetricL2, M: 8})
	for id := 60; id < 80; id++ {
		hits, err := x.SearchWith(vectors[id], 1, &SearchOptions{EF: 79})
		require.NoError(t, err)
		require.Equal(t, id, hits[0].ID)
	}
	require.Zero(t, x.unreachable())
}

// TestAllowed: k counts allowed vectors, in the graph and where a scan is cheaper.
func TestAllowed(t *testing.T) {
	const n = 3000
	vectors := clustered(n, 16, 1)
	x := build(t, vectors, nil)
	queries := clustered(30, 16, 2)
	for _, never := range []bool{true, false} {
		x.neverScan = never
		for _, every := range []int{1, 2, 5, 20, 1000, n} {
			o := &SearchOptions{Allowed: func(id int) bool { return id%every == every-1 }}
			if never && every > 20 {
				continue
			}
			r, err := x.Recall(queries, 10, o)
			require.NoError(t, err)
			require.Greater(t, r, .97, "one in %d", every)
			hits, err := x.SearchWith(queries[0], 10, o)
			require.NoError(t, err)
			require.Len(t, hits, min(10, n/every))
			for _, h := range hits {
				require.True(t, o.Allowed(h.ID))
			}
		}
	}
	hits, err := x.Search(queries[0], 10, func(int) bool { return false })
	require.NoError(t, err)
	require.Empty(t, hits)
}

func TestMoreThanThereAre(t *testing.T) {
	x := build(t, independent(37, 3, 1), nil)
	for _, k := range []int{38, 1000, math.MaxInt} {
		hits, err := x.SearchWith([]float32{1, 2, 3}, k, &SearchOptions{EF: k})
		require.NoError(t, err)
		require.Len(t, hits, 37)
	}
}

func TestWrongVectors(t *testing.T) {
	x, err := New(2, nil)
	require.NoError(t, err)
	require.NoError(t, x.Add(0, []float32{1, 2}))
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, c := range []struct {
		v    []float32
		want error
	}{{nil, ErrDimension}, {[]float32{1}, ErrDimension}, {[]float32{1, nan}, ErrNotFinite}, {[]float32{inf, 0}, ErrNotFinite}, {[]float32{0, 0}, ErrZero}} {
		require.ErrorIs(t, x.Add(1, c.v), c.want)
		_, err := x.Search(c.v, 1, nil)
		require.ErrorIs(t, err, c.want)
		_, err = x.Exact(c.v, 1, nil)
		require.ErrorIs(t, err, c.want)
		_, err = x.Recall([][]float32{c.v}, 1, nil)
		require.ErrorIs(t, err, c.want)
	}
	require.Equal(t, 1, x.Len())
}

func TestOptionsAreChecked(t *testing.T) {
	for _, o := range []Options{{Metric: 9}, {M: 1}, {M: 513}, {M: -1}, {M: 32, EFConstruction: 31}, {EFConstruction: -1}, {EF: -1}, {Capacity: -1}, {Capacity: 1 << 31}} {
		_, err := New(3, &o)
		require.ErrorIs(t, err, ErrOption, "%+v", o)
	}
	_, err := New(0, nil)
	require.ErrorIs(t, err, ErrOption)
	x, err := New(1, nil)
	require.NoError(t, err)
	_, err = x.Search([]float32{1}, 0, nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = x.Exact([]float32{1}, -1, nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = x.SearchWith([]float32{1}, 1, &SearchOptions{EF: -1})
	require.ErrorIs(t, err, ErrOption)
	_, err = x.Recall(nil, 1, nil)
	require.ErrorIs(t, err, ErrOption)
}

// TestConcurrentUse: goroutines that add, replace, remove and search leave a valid
// graph.
func TestConcurrentUse(t *testing.T) {
	vectors := clustered(3000, 8, 1)
	x, err := New(8, &Options{M: 8, EFConstruction: 40})
	require.NoError(t, err)
	x.neverScan = true
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := w; i < len(vectors); i += 4 {
				if err := x.Add(i%1500, vectors[i]); err != nil {
					t.Error(err)
				}
				if i%3 == 0 {
					x.Remove((i * 7) % 1500)
				}
			}
		})
		wg.Go(func() {
			for i := range 500 {
				hits, err := x.Search(vectors[(w*31+i*7)%len(vectors)], 5, nil)
				if err != nil {
					t.Error(err)
				}
				for _, h := range hits {
					x.Get(h.ID)
				}
				x.Len()
			}
		})
	}
	wg.Wait()
	x.check(t)
	require.Greater(t, recall(t, x, vectors[:100], 100), .95)
}

// TestParallelBuild: adding from several goroutines costs no recall.
func TestParallelBuild(t *testing.T) {
	vectors := clustered(2000, 16, 1)
	x, err := New(16, nil)
	require.NoError(t, err)
	x.neverScan = true
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for id := w; id < len(vectors); id += 8 {
				if err := x.Add(id, vectors[id]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	x.check(t)
	require.Zero(t, x.unreachable())
	queries := clustered(100, 16, 2)
	require.GreaterOrEqual(t, recall(t, x, queries, 50), recall(t, build(t, vectors, nil), queries, 50)-.01)
}

// FuzzOperations compares the index with a map, and its searches with a scan.
func FuzzOperations(f *testing.F) {
	f.Add([]byte{1, 1, 1, 2, 2, 9, 1, 3, 3, 0, 0, 1}, uint8(0))
	f.Add([]byte{1, 1, 1, 2, 2, 9, 180, 3, 3, 1, 1, 2}, uint8(200))
	f.Add([]byte("the quick brown fox jumps over the lazy dog and never comes back the same way"), uint8(2))
	f.Fuzz(func(t *testing.T, ops []byte, metric uint8) {
		x, err := New(2, &Options{Metric: Metric(metric % 3), M: 2, EFConstruction: 8, Int8: metric >= 128})
		require.NoError(t, err)
		want := map[int]bool{}
		for ; len(ops) >= 3; ops = ops[3:] {
			id, v := int(ops[0]%64), []float32{float32(ops[1]) + 1, float32(ops[2]) - 100}
			if ops[0] >= 170 {
				require.Equal(t, want[id], x.Remove(id))
				delete(want, id)
			} else {
				require.NoError(t, x.Add(id, v))
				want[id] = true
			}
		}
		x.check(t)
		require.Equal(t, len(want), x.Len())
		x.neverScan = true
		hits, err := x.SearchWith([]float32{7, 7}, 5, &SearchOptions{EF: 64})
		require.NoError(t, err)
		seen := map[int]bool{}
		for i, h := range hits {
			require.True(t, want[h.ID] && !seen[h.ID])
			seen[h.ID] = true
			if i > 0 {
				require.GreaterOrEqual(t, hits[i-1].Score, h.Score)
			}
		}
		x.neverScan = false
		all, err := x.Search([]float32{7, 7}, 100, nil)
		require.NoError(t, err)
		require.Len(t, all, len(want))
	})
}

func ExampleIndex_Search() {
	index, err := New(2, &Options{Metric: MetricL2})
	if err != nil {
		fmt.Println(err)
		return
	}
	for id := range 1000 {
		if err := index.Add(id, []float32{float32(id % 100), float32(id / 100)}); err != nil {
			fmt.Println(err)
			return
		}
	}
	index.Remove(542)
	even := func(id int) bool { return id%2 == 0 }
	hits, err := index.Search([]float32{42, 5}, 3, even)
	fmt.Println(hits, err)
	// Output: [{442 -1} {642 -1} {342 -4}] <nil>
}

func ExampleIndex_Recall() {
	index, err := New(8, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for id, v := range independent(3000, 8, 1) {
		if err := index.Add(id, v); err != nil {
			fmt.Println(err)
			return
		}
	}
	queries := independent(100, 8, 2)
	for _, ef := range []int{10, 100} {
		recall, err := index.Recall(queries, 10, &SearchOptions{EF: ef})
		fmt.Printf("ef %d: above .99 is %v %v\n", ef, recall > .99, err)
	}
	// Output:
	// ef 10: above .99 is false <nil>
	// ef 100: above .99 is true <nil>
}

func BenchmarkSearch(b *testing.B) {
	vectors, queries := clustered(20_000, 128, 1), clustered(1000, 128, 2)
	for _, mode := range []string{"float32", "int8"} {
		x := build(b, vectors, &Options{Int8: mode == "int8"})
		for _, ef := range []int{16, 64, 200} {
			b.Run(fmt.Sprint(mode, "/ef", ef), func(b *testing.B) {
				r := recall(b, x, queries[:200], ef)
				i := 0
				b.ReportAllocs()
				for b.Loop() {
					if _, err := x.SearchWith(queries[i%len(queries)], 10, &SearchOptions{EF: ef}); err != nil {
						b.Fatal(err)
					}
					i++
				}
				b.ReportMetric(r, "recall")
			})
		}
	}
}

// BenchmarkCrossing shows from which number of vectors on a walk is faster than a
// scan.
func BenchmarkCrossing(b *testing.B) {
	for _, dim := range []int{128, 384} {
		for _, n := range []int{500, 1000, 2000, 4000} {
			vectors, queries := clustered(n, dim, 1), clustered(200, dim, 2)
			walk := build(b, vectors, nil)
			scan, err := flat.New(dim, nil)
			require.NoError(b, err)
			for id, v := range vectors {
				require.NoError(b, scan.Add(id, v))
			}
			i := 0
			b.Run(fmt.Sprintf("%d/%d/walk", dim, n), func(b *testing.B) {
				for b.Loop() {
					if _, err := walk.Search(queries[i%len(queries)], 10, nil); err != nil {
						b.Fatal(err)
					}
					i++
				}
			})
			b.Run(fmt.Sprintf("%d/%d/scan", dim, n), func(b *testing.B) {
				for b.Loop() {
					if _, err := scan.Search(queries[i%len(queries)], 10, nil); err != nil {
						b.Fatal(err)
					}
					i++
				}
			})
		}
	}
}

func BenchmarkAdd(b *testing.B) {
	vectors := clustered(10_000, 128, 1)
	for b.Loop() {
		x, err := New(128, nil)
		require.NoError(b, err)
		for id, v := range vectors {
			require.NoError(b, x.Add(id, v))
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(len(vectors)), "us/vector")
}
