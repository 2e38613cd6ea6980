package vec

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPanels: the products of shapes with and without incomplete groups are within the
// bound of the exact ones, nothing beside them is written, and a vector alone gives what
// it gives among others, with each kernel.
func TestPanels(t *testing.T) {
	for _, k := range panelKernels() {
		t.Run(k.name, func(t *testing.T) {
			k.use(t)
			rng := rand.New(rand.NewPCG(1, 2))
			for _, s := range [][3]int{{16, 8, 6}, {1, 1, 1}, {15, 7, 5}, {17, 33, 13}, {48, 100, 12}, {5, 0, 2}, {0, 4, 2}, {33, 65, 7}} {
				checkPanels(t, rng, s[0], s[1], s[2])
			}
		})
	}
	m := NewPanels(4, 4, make([]float32, 16))
	require.Panics(t, func() { m.Mul(make([]float32, 7), 2, 0, 1, make([]float32, 8), 4) })
	require.Panics(t, func() { m.Mul(make([]float32, 8), 2, 0, 1, make([]float32, 7), 4) })
	require.Panics(t, func() { m.Mul(make([]float32, 8), 2, 0, 2, make([]float32, 8), 4) })
	require.Panics(t, func() { NewPanels(-1, 1, nil) })
}

func checkPanels(t *testing.T, rng *rand.Rand, rows, cols, n int) {
	t.Helper()
	const beside = -77
	w, x := make([]float32, rows*cols), make([]float32, n*cols)
	for i := range w {
		w[i] = float32(rng.NormFloat64())
	}
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	m, stride := NewPanels(rows, cols, w), rows+3
	require.Equal(t, []int{rows, cols}, []int{m.Rows(), m.Cols()})
	out := make([]float32, n*stride)
	for i := range out {
		out[i] = beside
	}
	m.Mul(x, n, 0, m.Groups(), out, stride)
	var columns Panels
	turned := make([]float32, cols*rows)
	for i, v := range w {
		turned[i%cols*rows+i/cols] = v
	}
	columns.ResetColumns(rows, cols, turned, rows)
	again := make([]float32, len(out))
	copy(again, out)
	columns.Mul(x, n, 0, columns.Groups(), again, stride)
	require.Equal(t, out, again)
	for i := range n {
		alone := make([]float32, rows)
		m.Mul(x[i*cols:], 1, 0, m.Groups(), alone, rows)
		require.Equal(t, alone, out[i*stride:][:rows])
		for r := range rows {
			exact, size := 0.0, 0.0
			for c := range cols {
				p := float64(w[r*cols+c]) * float64(x[i*cols+c])
				exact += p
				size += math.Abs(p)
			}
			require.InDelta(t, exact, float64(alone[r]), float64(cols+1)*0x1p-24*size, "%d x %d", rows, cols)
		}
		for _, v := range out[i*stride+rows:][:3] {
			require.EqualValues(t, beside, v)
		}
	}
}

func BenchmarkPanels(b *testing.B) {
	for _, s := range [][2]int{{384, 384}, {1536, 384}, {384, 1536}} {
		b.Run(fmt.Sprint(s), func(b *testing.B) {
			const n = 240
			m, x, out := NewPanels(s[0], s[1], make([]float32, s[0]*s[1])), make([]float32, n*s[1]), make([]float32, n*s[0])
			for b.Loop() {
				m.Mul(x, n, 0, m.Groups(), out, s[0])
			}
			b.ReportMetric(2*float64(n*s[0]*s[1])*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}
