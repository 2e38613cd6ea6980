package vec

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

const unit = 1.0 / (1 << 24) // half the distance from 1 to the next float32

func exactDot(a, b []float32) (sum, absolute float64) {
	for i := range a {
		p := float64(a[i]) * float64(b[i])
		sum, absolute = sum+p, absolute+math.Abs(p)
	}
	return sum, absolute
}

func exactL2(a, b []float32) (sum float64) {
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		sum += d * d
	}
	return sum
}

// checkFloats compares the kernels, and their references, with exact sums.
func checkFloats(t *testing.T, a, b []float32) {
	t.Helper()
	n := float64(len(a))
	tiny := n * math.SmallestNonzeroFloat32 // what subnormal products lose
	dot, absolute := exactDot(a, b)
	l2 := exactL2(a, b)
	overflows := !(absolute < math.MaxFloat32) || !(l2 < math.MaxFloat32)
	for _, got := range []float32{Dot(a, b), dotGo(a, b)} {
		switch {
		case math.IsNaN(absolute):
			require.True(t, math.IsNaN(float64(got)) || overflows)
		case !overflows:
			require.InDelta(t, dot, got, (n+2)*unit*absolute+tiny, "dot of %d elements", len(a))
		}
	}
	for _, got := range []float32{L2(a, b), l2Go(a, b)} {
		switch {
		case math.IsNaN(l2):
			require.True(t, math.IsNaN(float64(got)))
		case math.IsInf(l2, 1):
			require.True(t, math.IsInf(float64(got), 1))
		case !overflows:
			require.InDelta(t, l2, got, (n+4)*unit*l2+tiny, "l2 of %d elements", len(a))
		}
	}
}

// checkMixed compares the kernel of float32 and int8 with the exact sum.
func checkMixed(t *testing.T, a []float32, x []int8) {
	t.Helper()
	b := make([]float32, len(x))
	for i := range x {
		b[i] = float32(x[i])
	}
	sum, absolute := exactDot(a, b)
	if absolute >= math.MaxFloat32 {
		return
	}
	var out [1]float32
	DotFloatInt8Rows(a, x, out[:])
	for _, got := range []float32{out[0], dotFloatInt8Go(a, x)} {
		require.InDelta(t, sum, got, (float64(len(a))+2)*unit*absolute+float64(len(a))*math.SmallestNonzeroFloat32)
	}
}

// TestEveryLength: each length from 0 to 200, at each alignment.
func TestEveryLength(t *testing.T) {
	t.Log("kernels: " + Kernel())
	rng := rand.New(rand.NewPCG(1, 2))
	const most = 200
	a, b := make([]float32, most+16), make([]float32, most+16)
	x, y := make([]int8, most+16), make([]int8, most+16)
	u, v := make([]byte, most+16), make([]byte, most+16)
	for i := range a {
		a[i], b[i] = float32(rng.NormFloat64()), float32(rng.NormFloat64())
		x[i], y[i] = int8(rng.Uint32()), int8(rng.Uint32())
		u[i], v[i] = byte(rng.Uint32()), byte(rng.Uint32())
	}
	x[0], y[0], x[1], y[1], x[2], y[2] = -128, -128, -128, -128, -128, 127
	for n := range most + 1 {
		for shift := range 16 {
			s, r := shift, (shift*7)%16
			checkFloats(t, a[s:s+n], b[r:r+n])
			require.Equal(t, dotInt8Go(x[s:s+n], y[r:r+n]), DotInt8(x[s:s+n], y[r:r+n]), "%d elements", n)
			require.Equal(t, hammingGo(u[s:s+n], v[r:r+n]), Hamming(u[s:s+n], v[r:r+n]), "%d bytes", n)
			checkMixed(t, a[s:s+n], y[r:r+n])
		}
	}
}

// TestExtremesOfInt8: no sum in a kernel saturates.
func TestExtremesOfInt8(t *testing.T) {
	for _, n := range []int{1, 7, 8, 16, 31, 32, 64, 1000, 131071} {
		for _, pair := range [][2]int8{{-128, -128}, {-128, 127}, {127, 127}} {
			a, b := make([]int8, n), make([]int8, n)
			for i := range a {
				a[i], b[i] = pair[0], pair[1]
			}
			require.EqualValues(t, n*int(pair[0])*int(pair[1]), DotInt8(a, b))
		}
	}
}

// TestRowsAndPlacesAgree: a row's result is the same to the last bit in all forms.
func TestRowsAndPlacesAgree(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, dim := range []int{0, 1, 3, 8, 31, 64, 100, 129, 300, 1000} {
		const rows = 50
		q, all := make([]float32, dim), make([]float32, rows*dim)
		q8, all8 := make([]int8, dim), make([]int8, rows*dim)
		qb, allb := make([]byte, dim), make([]byte, rows*dim)
		for i := range all {
			all[i], all8[i], allb[i] = float32(rng.NormFloat64()), int8(rng.Uint32()), byte(rng.Uint32())
		}
		for i := range q {
			q[i], q8[i], qb[i] = float32(rng.NormFloat64()), int8(rng.Uint32()), byte(rng.Uint32())
		}
		for _, n := range []int{0, 1, 3, 4, 5, 17, rows} {
			ids := make([]uint32, n)
			for i := range ids {
				ids[i] = rng.Uint32N(rows)
			}
			agree(t, q, all, ids, DotRows, DotAt, Dot)
			agree(t, q, all, ids, L2Rows, L2At, L2)
			agree(t, q8, all8, ids, DotInt8Rows, DotInt8At, DotInt8)
			agree(t, qb, allb, ids, HammingRows, HammingAt, Hamming)
		}
	}
}

func agree[T any, S comparable](t *testing.T, q, all []T, ids []uint32, rows func(q, rows []T, out []S),
	at func(q, rows []T, ids []uint32, out []S), one func(a, b []T) S) {
	t.Helper()
	dim := len(q)
	byRow, byID := make([]S, len(ids)), make([]S, len(ids))
	rows(q, all, byRow)
	at(q, all, ids, byID)
	for i, id := range ids {
		require.Equal(t, one(q, all[i*dim:][:dim]), byRow[i])
		require.Equal(t, one(q, all[int(id)*dim:][:dim]), byID[i])
	}
}

// TestNotFinite: the documented results for NaN and the infinities, in each lane.
func TestNotFinite(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for n := 1; n <= 70; n++ {
		for at := range n {
			a, b := make([]float32, n), make([]float32, n)
			for i := range a {
				a[i], b[i] = 1, 2
			}
			a[at] = nan
			require.True(t, math.IsNaN(float64(Dot(a, b))))
			require.True(t, math.IsNaN(float64(L2(a, b))))
			a[at] = inf
			require.Equal(t, inf, Dot(a, b))
			require.Equal(t, inf, L2(a, b))
			b[at] = 0
			require.True(t, math.IsNaN(float64(Dot(a, b))))
			b[at] = inf
			require.Equal(t, inf, Dot(a, b))
			require.True(t, math.IsNaN(float64(L2(a, b))))
		}
	}
}

// TestNothingBeyondIsUsed: NaN next to the elements changes nothing.
func TestNothingBeyondIsUsed(t *testing.T) {
	nan := float32(math.NaN())
	for n := range 70 {
		a, b := make([]float32, n+2), make([]float32, n+2)
		for i := range a {
			a[i], b[i] = 2, 3
		}
		a[0], b[0], a[n+1], b[n+1] = nan, nan, nan, nan
		require.EqualValues(t, 6*n, Dot(a[1:n+1], b[1:n+1]))
		require.EqualValues(t, n, L2(a[1:n+1], b[1:n+1]))
	}
}

func TestRowsThatAreNotThere(t *testing.T) {
	q, rows := make([]float32, 4), make([]float32, 12)
	require.Panics(t, func() { DotAt(q, rows, []uint32{0, 3}, make([]float32, 2)) })
	require.Panics(t, func() { DotAt(q, rows, []uint32{0, 1}, make([]float32, 1)) })
	require.Panics(t, func() { L2Rows(q, rows, make([]float32, 4)) })
	require.Panics(t, func() { Dot(rows, q) })
}

func TestUnitAndCosine(t *testing.T) {
	v := []float32{3e30, 4e30}
	require.True(t, Unit(v, v))
	require.InDeltaSlice(t, []float64{.6, .8}, []float64{float64(v[0]), float64(v[1])}, 1e-7)
	v = []float32{3e-30, 4e-30}
	require.True(t, Unit(v, v))
	require.InDelta(t, 1, Norm(v), 1e-7)
	require.False(t, Unit(v, []float32{0, 0}))
	require.Equal(t, []float32{0, 0}, v)
	require.Zero(t, Cosine([]float32{0, 0}, []float32{1, 2}))
	require.EqualValues(t, -1, Cosine([]float32{1e-20, 0}, []float32{-1e20, 0}))
}

func TestNoAllocations(t *testing.T) {
	q, rows, ids, out := make([]float32, 8), make([]float32, 80), []uint32{3, 1}, make([]float32, 10)
	var sink float32
	require.Zero(t, testing.AllocsPerRun(10, func() {
		sink += Dot(q, rows) + L2(q, rows)
		DotRows(q, rows, out)
		DotAt(q, rows, ids, out)
	}))
	require.Zero(t, sink)
}

func TestCheck(t *testing.T) {
	require.NoError(t, Check([]float32{1, 2}, 2, MetricCosine))
	require.ErrorIs(t, Check([]float32{1}, 2, MetricCosine), ErrDimension)
	require.ErrorIs(t, Check(nil, 2, MetricDot), ErrDimension)
	require.ErrorIs(t, Check([]float32{1, float32(math.NaN())}, 2, MetricDot), ErrNotFinite)
	require.ErrorIs(t, Check([]float32{float32(math.Inf(-1)), 1}, 2, MetricL2), ErrNotFinite)
	require.ErrorIs(t, Check([]float32{0, 0}, 2, MetricCosine), ErrZero)
	require.NoError(t, Check([]float32{0, 0}, 2, MetricL2))
	require.NoError(t, Check([]float32{3e38, 3e38}, 2, MetricL2), "the check itself must not overflow")
	require.Equal(t, "cosine dot l2 Metric(9)", fmt.Sprint(MetricCosine, " ", MetricDot, " ", MetricL2, " ", Metric(9)))
}

func FuzzKernels(f *testing.F) {
	f.Add([]byte("the quick brown fox jumps over the lazy dog, twice or three times, as foxes do"), uint8(3))
	f.Add([]byte{0, 0, 128, 127, 1, 0, 0, 0, 255, 255, 127, 127, 0, 0, 192, 127}, uint8(0))
	f.Fuzz(func(t *testing.T, data []byte, shift uint8) {
		n := len(data) / 8
		off := int(shift % 8)
		a, b := make([]float32, n+off), make([]float32, n+off)
		for i := range n {
			a[off+i] = math.Float32frombits(binary.LittleEndian.Uint32(data[8*i:]))
			b[off+i] = math.Float32frombits(binary.LittleEndian.Uint32(data[8*i+4:]))
		}
		checkFloats(t, a[off:], b[off:])
		half := len(data) / 2
		u, v := data[min(off, half):half], data[half+min(off, half):]
		require.Equal(t, hammingGo(u, v), Hamming(u, v))
		x, y := make([]int8, half), make([]int8, half)
		for i := range half {
			x[i], y[i] = int8(data[i]), int8(data[half+i])
		}
		x, y = x[min(off, half):], y[min(off, half):]
		require.Equal(t, dotInt8Go(x, y), DotInt8(x, y))
		if small := min(n, len(x)); Check(a[off:], n, MetricDot) == nil {
			checkMixed(t, a[off:off+small], x[:small])
		}
	})
}

// BenchmarkScan compares one query with 50,000 rows of 384 dimensions; "read" is a
// plain loop over the same bytes.
func BenchmarkScan(b *testing.B) {
	const dim, rows = 384, 50_000
	q, all, out := make([]float32, dim), make([]float32, dim*rows), make([]float32, rows)
	q8, all8, out32 := make([]int8, dim), make([]int8, dim*rows), make([]int32, rows)
	qb, allb := make([]byte, dim/8), make([]byte, dim/8*rows)
	for i := range all {
		all[i], all8[i] = float32(i%7), int8(i)
	}
	for i := range allb {
		allb[i] = byte(i)
	}
	for _, c := range []struct {
		name  string
		bytes int
		run   func()
	}{
		{"read", 4, func() {
			var s0, s1, s2, s3 float32
			for r := all; len(r) >= 16; r = r[16:] { // one element a quarter line
				s0, s1, s2, s3 = s0+r[0], s1+r[4], s2+r[8], s3+r[12]
			}
			out[0] = s0 + s1 + s2 + s3
		}},
		{"dot", 4, func() { DotRows(q, all, out) }},
		{"dot-reference", 4, func() { manyGo(q, all, nil, out, dotGo) }},
		{"l2", 4, func() { L2Rows(q, all, out) }},
		{"int8", 1, func() { DotInt8Rows(q8, all8, out32) }},
		{"float-int8", 1, func() { DotFloatInt8Rows(q, all8, out) }},
		{"float-int8-reference", 1, func() { dotFloatInt8ManyGo(q, all8, out) }},
		{"int8-reference", 1, func() { manyGo(q8, all8, nil, out32, dotInt8Go) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(c.bytes * dim * rows))
			for b.Loop() {
				c.run()
			}
		})
	}
	b.Run("hamming", func(b *testing.B) {
		b.SetBytes(int64(len(allb)))
		for b.Loop() {
			HammingRows(qb, allb, out32)
		}
	})
	b.Run("hamming-reference", func(b *testing.B) {
		b.SetBytes(int64(len(allb)))
		for b.Loop() {
			manyGo(qb, allb, nil, out32, hammingGo)
		}
	})
}

// BenchmarkCached compares one query with rows that stay in the first cache.
func BenchmarkCached(b *testing.B) {
	for _, dim := range []int{16, 128, 384} {
		q, rows, out := make([]float32, dim), make([]float32, dim*8), make([]float32, 8)
		b.Run(fmt.Sprint("dot/", dim), func(b *testing.B) {
			for b.Loop() {
				DotRows(q, rows, out)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/8, "ns/row")
		})
		b.Run(fmt.Sprint("reference/", dim), func(b *testing.B) {
			for b.Loop() {
				manyGo(q, rows, nil, out, dotGo)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/8, "ns/row")
		})
	}
}

// BenchmarkPlaces compares one query with 32 rows at random places of 200 MB, as
// the search in a graph does.
func BenchmarkPlaces(b *testing.B) {
	const dim, rows, links = 128, 400_000, 32
	all, q, out := make([]float32, dim*rows), make([]float32, dim), make([]float32, links)
	for i := range all {
		all[i] = 1
	}
	rng := rand.New(rand.NewPCG(1, 1))
	ids := make([]uint32, links)
	for _, c := range []struct {
		name string
		run  func()
	}{
		{"at", func() { DotAt(q, all, ids, out) }},
		{"one-by-one", func() {
			for i, id := range ids {
				out[i] = Dot(q, all[int(id)*dim:][:dim])
			}
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				for i := range ids {
					ids[i] = rng.Uint32N(rows)
				}
				c.run()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/links, "ns/row")
		})
	}
}
