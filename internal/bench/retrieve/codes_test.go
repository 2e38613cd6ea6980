//go:build linux

package retrieve

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/prodailabs/prodai/retrieve"
	"github.com/prodailabs/prodai/retrieve/flat"
	"github.com/prodailabs/prodai/retrieve/vecquant"
)

// BenchmarkBits compares an exact search with one by bits and rescoring, in turns, on
// vectors of a file of float32, such as embeddings of real texts:
//
//	VECTORS=FILE DIM=384 go test -run xxx -bench Bits ./retrieve
//
// The last 200 vectors are the queries. With COPIES=8, each vector is there eight times,
// a little moved, so that the vectors don't fit into the processor's last cache. The
// figures are the recall of the ten nearest, and how many times as fast as the exact
// search it is, by the processor's time in the fastest rounds.
func BenchmarkBits(b *testing.B) {
	dim, err := strconv.Atoi(os.Getenv("DIM"))
	if err != nil {
		b.Skip("VECTORS and DIM name no vectors")
	}
	copies, _ := strconv.Atoi(os.Getenv("COPIES"))
	data, err := os.ReadFile(os.Getenv("VECTORS"))
	require.NoError(b, err)
	var all [][]float32
	for ; len(data) >= 4*dim; data = data[4*dim:] {
		v := make([]float32, dim)
		for i := range v {
			v[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
		if slices.ContainsFunc(v, func(e float32) bool { return e != 0 }) {
			all = append(all, v)
		}
	}
	base, queries := all[:len(all)-200], all[len(all)-200:]
	bits, err := vecquant.NewBinary(dim)
	require.NoError(b, err)
	factors := []int{0, 5, 10, 20, 40}
	var indexes []*flat.Index
	for _, factor := range factors {
		o := &flat.Options{Codes: bits, Rescore: factor}
		if factor == 0 {
			o = nil
		}
		x, err := flat.New(dim, o)
		require.NoError(b, err)
		for c := range max(1, copies) {
			for id, v := range base {
				moved := slices.Clone(v)
				for i := range moved {
					moved[i] += .05 * float32(c) * base[(id+c*31)%len(base)][i]
				}
				require.NoError(b, x.Add(c*len(base)+id, moved))
			}
		}
		indexes = append(indexes, x)
	}
	fastest := slices.Repeat([]float64{math.Inf(1)}, len(indexes))
	for b.Loop() {
		for i, x := range indexes {
			began := processTime(b)
			for _, q := range queries[:20] {
				if _, err := x.Search(q, 10, nil); err != nil {
					b.Fatal(err)
				}
			}
			fastest[i] = min(fastest[i], float64(processTime(b)-began))
		}
	}
	for i, factor := range factors[1:] {
		recall, err := retrieve.IndexRecall(indexes[i+1], indexes[0], queries, 10)
		require.NoError(b, err)
		b.ReportMetric(recall, fmt.Sprintf("recall-%dk", factor))
		b.ReportMetric(fastest[0]/fastest[i+1], fmt.Sprintf("times-%dk", factor))
	}
	b.ReportMetric(float64(indexes[0].Len()), "vectors")
}

// processTime returns the processor's nanoseconds that this process took, which waiting
// for other programs doesn't change.
func processTime(b *testing.B) int64 {
	var t unix.Timespec
	require.NoError(b, unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t))
	return t.Nano()
}
