package flat

import (
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retrieve/vecquant"
)

// BenchmarkBandwidth compares a search with a loop that only reads the same bytes, in
// turns, and with one by bits: the vectors don't fit into the last cache. The figures are
// of the fastest rounds by the processor's time, which waiting for other programs doesn't
// change: GB/s, the share of the loop's bytes per second that the search reaches, and
// how many times as fast the bits are.
func BenchmarkBandwidth(b *testing.B) {
	const dim, n = 384, 100_000
	rng := rand.New(rand.NewPCG(1, 1))
	exact := must(New(dim, nil))
	bits := must(New(dim, &Options{Codes: must(vecquant.NewBinary(dim)), Rescore: 10}))
	v := make([]float32, dim)
	for id := range n {
		for j := range v {
			v[j] = rng.Float32() - .5
		}
		require.NoError(b, exact.Add(id, v))
		require.NoError(b, bits.Add(id, v))
	}
	var times [3][]float64
	var sink uint64
	clock := func(i int, f func()) {
		began := processTime(b)
		f()
		times[i] = append(times[i], float64(processTime(b)-began))
	}
	for b.Loop() {
		clock(0, func() { sink += readAll(exact.rows) })
		clock(1, func() { must(exact.Search(v, 10, nil)) })
		clock(2, func() { must(bits.Search(v, 10, nil)) })
	}
	b.ReportMetric(4*dim*n/slices.Min(times[0]), "read-GB/s")
	b.ReportMetric(4*dim*n/slices.Min(times[1]), "search-GB/s")
	b.ReportMetric(slices.Min(times[0])/slices.Min(times[1]), "of-reading")
	b.ReportMetric(slices.Min(times[1])/slices.Min(times[2]), "bits-times-as-fast")
	if sink == 1 {
		b.Log(sink)
	}
}

// readAll reads memory eight bytes at a time, with enough sums side by side that it waits
// for the memory only.
func readAll(rows []float32) uint64 {
	words := asWords(rows)
	var s0, s1, s2, s3 uint64
	for ; len(words) >= 8; words = words[8:] {
		s0 += words[0] ^ words[4]
		s1 += words[1] ^ words[5]
		s2 += words[2] ^ words[6]
		s3 += words[3] ^ words[7]
	}
	return s0 + s1 + s2 + s3
}

func asWords(rows []float32) []uint64 {
	return unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(rows))), len(rows)/2)
}

func processTime(b *testing.B) int64 {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return u.Utime.Nano() + u.Stime.Nano()
}
