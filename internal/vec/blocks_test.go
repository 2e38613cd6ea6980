package vec

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func randomBlocks(rng *rand.Rand, rows, cols, bits int) *Blocks {
	m := NewBlocks(rows, cols, bits)
	for r := range rows {
		for b := range cols / BlockSize {
			var q8 [BlockSize]int8
			var q4 [BlockSize]uint8
			for i := range q8 {
				q8[i], q4[i] = int8(rng.IntN(256)-128), uint8(rng.IntN(16))
			}
			half := func() uint16 { return uint16(rng.IntN(2)<<15 | rng.IntN(12)<<10 | rng.IntN(1024)) }
			if bits == 8 {
				m.Set8(r, b, half(), &q8)
			} else {
				m.Set4(r, b, half(), half(), &q4)
			}
		}
	}
	return m
}

func randomCodes(rng *rand.Rand, n, cols int) *Codes {
	var c Codes
	c.Reset(n, cols)
	for i := range n {
		x := make([]float32, cols)
		for j := range x {
			x[j] = float32(rng.NormFloat64())
		}
		c.Set(i, x)
	}
	return &c
}

// elements returns vector i as the codes have it.
func (c *Codes) elements(i int) []float64 {
	out := make([]float64, c.cols)
	for j := range out {
		out[j] = float64(c.scale[(i*c.cols+j)/BlockSize]) * float64(c.q[i*c.cols+j])
	}
	return out
}

func TestBlocksMul(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, kernel := range blockKernels() {
		kernel.use(t)
		for _, bits := range []int{8, 4} {
			for _, shape := range [][3]int{{16, 32, 1}, {1, 64, 4}, {33, 96, 5}, {48, 576, 9}, {0, 32, 1}, {16, 0, 4}, {5, 32, 0}} {
				rows, cols, n := shape[0], shape[1], shape[2]
				m, x := randomBlocks(rng, rows, cols, bits), randomCodes(rng, n, cols)
				require.GreaterOrEqual(t, m.Bytes(), rows*cols*bits/8)
				stride := rows + 3
				out := make([]float32, n*stride)
				m.Mul(x, 0, m.Groups(), out, stride)
				row := make([]float32, cols)
				for i := range n {
					v := x.elements(i)
					for r := range rows {
						m.Row(r, row)
						var want, size float64
						for j := range v {
							want += v[j] * float64(row[j])
							size += math.Abs(v[j] * float64(row[j]))
						}
						require.InDelta(t, want, out[i*stride+r], 1e-6*size+1e-12, "%s, %d bits, %v, vector %d, row %d", kernel.name, bits, shape, i, r)
					}
					require.Equal(t, []float32{0, 0, 0}, out[i*stride+rows:][:3], "nothing is written after the rows")
				}
				// A vector's results do not depend on its neighbors.
				for i := range n {
					one, single := Codes{}, make([]float32, rows)
					one.Reset(1, cols)
					if cols > 0 {
						per := cols / BlockSize
						copy(one.q, x.q[i*cols:])
						copy(one.scale, x.scale[i*per:])
						copy(one.bias, x.bias[i*per:])
						copy(one.total, x.total[i*per:])
					}
					for g := range m.Groups() {
						m.Mul(&one, g, g+1, single, rows)
					}
					require.Equal(t, single, out[i*stride:][:rows])
				}
			}
		}
	}
}

func TestBlocksPanicRatherThanReadBeyond(t *testing.T) {
	m := NewBlocks(16, 32, 8)
	x := randomCodes(rand.New(rand.NewPCG(1, 1)), 2, 32)
	require.Panics(t, func() { NewBlocks(1, 31, 8) })
	require.Panics(t, func() { NewBlocks(1, 32, 5) })
	require.Panics(t, func() { m.Mul(x, 0, 2, make([]float32, 32), 16) })
	require.Panics(t, func() { m.Mul(x, 0, 1, make([]float32, 31), 16) })
	require.Panics(t, func() { m.Mul(x, 0, 1, make([]float32, 64), 15) })
	require.Panics(t, func() { NewBlocks(16, 64, 8).Mul(x, 0, 1, make([]float32, 64), 16) })
	require.Panics(t, func() { x.Set(0, make([]float32, 31)) })
	require.Panics(t, func() { x.Set(2, make([]float32, 32)) })
}

func TestQuantizeBlocksIsTheReference(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		x := make([]float32, 64)
		scale := math.Exp(rng.NormFloat64() * 30)
		for i := range x {
			x[i] = float32(rng.NormFloat64() * scale)
			if rng.IntN(4) == 0 {
				x[i] = float32(rng.IntN(255)-127) / 2 // ties
			}
			if x[i]-x[i] != 0 {
				x[i] = 0
			}
		}
		if rng.IntN(10) == 0 {
			clear(x)
		}
		var got, want Codes
		got.Reset(1, 64)
		want.Reset(1, 64)
		got.Set(0, x)
		quantizeBlocksGo(x, want.q, want.scale, want.bias, want.total)
		require.Equal(t, want, got)
	}
}

func TestActivations(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, kernel := range blockKernels() {
		kernel.use(t)
		for n := range 70 {
			gate, up, out := make([]float32, n), make([]float32, n), make([]float32, n)
			for i := range gate {
				gate[i], up[i] = float32(rng.NormFloat64()*20), float32(rng.NormFloat64())
			}
			SwiGLU(out, gate, up)
			for i := range out {
				g := float64(gate[i])
				want := g / (1 + math.Exp(-g)) * float64(up[i])
				require.InDelta(t, want, out[i], math.Abs(want)*1e-6+1e-30)
			}
			sum := ExpSum(out, gate, 3)
			total := 0.0
			for i := range out {
				want := math.Exp(math.Max(-87, float64(gate[i]-3)))
				require.InDelta(t, want, out[i], want*3e-7)
				total += want
			}
			require.InDelta(t, total, sum, total*1e-5)

			rows := make([]float32, 5*n)
			w := make([]float32, 5)
			for i := range rows {
				rows[i] = float32(rng.NormFloat64())
			}
			for i := range w {
				w[i] = float32(rng.NormFloat64())
			}
			dst := make([]float32, n)
			AddRows(dst, w, rows)
			AddRows(dst, nil, nil)
			for j := range dst {
				want := 0.0
				for i := range w {
					want += float64(w[i]) * float64(rows[i*n+j])
				}
				require.InDelta(t, want, dst[j], 1e-5)
			}
		}
	}
	require.Equal(t, float32(1), expGo(0))
}

type blockKernel struct {
	name string
	use  func(t *testing.T)
}

func BenchmarkBlocksMul(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, bits := range []int{8, 4} {
		for _, n := range []int{1, 4, 64} {
			m, x := randomBlocks(rng, 1536, 576, bits), randomCodes(rng, n, 576)
			out := make([]float32, n*1536)
			b.Run(BlockKernel()+"/"+string(rune('0'+bits))+"bit/"+map[int]string{1: "1", 4: "4", 64: "64"}[n], func(b *testing.B) {
				b.SetBytes(int64(n * 1536 * 576)) // multiplications
				for b.Loop() {
					m.Mul(x, 0, m.Groups(), out, 1536)
				}
			})
		}
	}
}

// TestGELU: with each kernel, of any length, also where e^(-x²/2) vanishes.
func TestGELU(t *testing.T) {
	for _, k := range blockKernels() {
		t.Run(k.name, func(t *testing.T) {
			k.use(t)
			var x []float32
			for v := float32(-12); v <= 12; v += 1.0 / 128 {
				x = append(x, v)
			}
			x = append(x, 1e10, -1e10, 1e30, -1e30, 0, 1e-30)
			got := make([]float32, len(x))
			GELU(got, x)
			for i, v := range x {
				want := float64(v) * .5 * math.Erfc(-float64(v)/math.Sqrt2)
				require.InDelta(t, want, float64(got[i]), 3e-7*(1+math.Abs(float64(v))), "%v", v)
			}
		})
	}
}
