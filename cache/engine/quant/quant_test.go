package quant_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/cache/engine/quant"
	"github.com/prodailabs/prodai/internal/golden"
)

func floats(bits []uint32) []float32 {
	out := make([]float32, len(bits))
	for i, b := range bits {
		out[i] = math.Float32frombits(b)
	}
	return out
}

func TestGoldenIntQuant(t *testing.T) {
	type row struct {
		Scheme string   `json:"scheme"`
		Bits   int      `json:"bits"`
		Grain  string   `json:"gran"`
		Shape  []int    `json:"shape"`
		X      []uint32 `json:"x"`
		Scale  []uint32 `json:"scale"`
		Zero   []int32  `json:"zero"`
		Q      []int16  `json:"q"`
		Deq    []uint32 `json:"deq"`
		MSE    float64  `json:"mse"`
	}
	golden.Rows(t, "cache", "int_quant.jsonl", func(r row) error {
		o := &quant.Options{Bits: r.Bits, Group: 16, Grain: map[string]quant.Grain{"tensor": quant.GrainTensor, "channel": quant.GrainRow, "group16": quant.GrainGroup}[r.Grain]}
		if r.Scheme == "zeropoint" {
			o.Scheme = quant.SchemeAsymmetric
		}
		x := floats(r.X)
		m, err := quant.Quantize(x, r.Shape[0], r.Shape[1], o)
		if err != nil {
			return err
		}
		for i, want := range r.Scale {
			if math.Float32bits(m.Scales[i]) != want {
				return fmt.Errorf("scale %d is %v, want %v", i, m.Scales[i], math.Float32frombits(want))
			}
		}
		for i, want := range r.Zero {
			if m.Zeros[i] != want {
				return fmt.Errorf("zero %d is %d, want %d", i, m.Zeros[i], want)
			}
		}
		deq := m.Dequantize()
		for i, want := range r.Q {
			if m.Codes[i] != want {
				return fmt.Errorf("code %d is %d, want %d", i, m.Codes[i], want)
			}
			if d := int64(math.Float32bits(deq[i])) - int64(r.Deq[i]); (d < -1 || d > 1) && deq[i] != math.Float32frombits(r.Deq[i]) {
				return fmt.Errorf("number %d is %v, want %v", i, deq[i], math.Float32frombits(r.Deq[i]))
			}
		}
		if got := quant.MSE(x, deq); math.Abs(got-r.MSE) > 1e-9 {
			return fmt.Errorf("the error is %v, want %v", got, r.MSE)
		}
		return nil
	})
}

func TestGoldenPrune(t *testing.T) {
	type row struct {
		Kind     string   `json:"kind"`
		Shape    []int    `json:"shape"`
		Sparsity float64  `json:"sparsity"`
		X        []uint32 `json:"x"`
		Norm     []uint32 `json:"act_norm"`
		Mask     []int    `json:"mask"`
	}
	golden.Rows(t, "cache", "prune.jsonl", func(r row) (err error) {
		var keep []bool
		switch r.Kind {
		case "magnitude":
			keep, err = quant.PruneMagnitude(floats(r.X), r.Sparsity)
		case "2:4":
			keep, err = quant.PruneNM(floats(r.X), r.Shape[1], 2, 4)
		case "wanda":
			keep, err = quant.PruneWanda(floats(r.X), r.Shape[1], floats(r.Norm), r.Sparsity)
		default:
			err = fmt.Errorf("kind %q", r.Kind)
		}
		if err != nil {
			return err
		}
		for i, want := range r.Mask {
			if keep[i] != (want == 1) {
				return fmt.Errorf("weight %d stays: %v, want %d", i, keep[i], want)
			}
		}
		return nil
	})
}

func TestGoldenDistill(t *testing.T) {
	type row struct {
		Op      string    `json:"op"`
		T       float64   `json:"T"`
		Alpha   float64   `json:"alpha"`
		Teacher []float64 `json:"teacher"`
		Student []float64 `json:"student"`
		Shape   []int     `json:"shape"`
		Label   []int     `json:"label"`
		KD      float64   `json:"kd"`
		CE      float64   `json:"ce"`
		Loss    float64   `json:"loss"`
	}
	golden.Rows(t, "cache", "ops.jsonl", func(r row) error {
		if r.Op != "distill" {
			return nil
		}
		d, err := quant.Distill(r.Teacher, r.Student, r.Shape[1], r.Label, &quant.DistillOptions{Temperature: r.T, Alpha: r.Alpha, NoTeacher: r.Alpha == 0})
		if err != nil {
			return err
		}
		for _, c := range [][2]float64{{d.KD, r.KD}, {d.CE, r.CE}, {d.Loss, r.Loss}} {
			if math.Abs(c[0]-c[1]) > 1e-10 {
				return fmt.Errorf("the loss is %+v, want %v, %v, %v", d, r.KD, r.CE, r.Loss)
			}
		}
		return nil
	})
}

func normal(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// A finer grain has a smaller error, and a bit is worth about 6 dB.
func TestErrorLaws(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	x := normal(r, 64*128)
	for i := range x {
		x[i] *= float32(1 + i/128%7) // rows of different sizes
	}
	for _, scheme := range []quant.Scheme{quant.SchemeSymmetric, quant.SchemeAsymmetric} {
		last := 0.0
		for bits := 2; bits <= 8; bits++ {
			var snr []float64
			for _, o := range []quant.Options{{Grain: quant.GrainTensor}, {Grain: quant.GrainRow}, {Grain: quant.GrainGroup, Group: 16}} {
				o.Scheme, o.Bits = scheme, bits
				m, err := quant.Quantize(x, 64, 128, &o)
				require.NoError(t, err)
				y := m.Dequantize()
				snr = append(snr, quant.SNR(x, y))
				for i := range y {
					require.LessOrEqual(t, math.Abs(float64(x[i]-y[i])), 1.01*float64(m.Scales[i*len(m.Scales)/len(x)]), "at most one step: half by rounding, half by the zero")
				}
			}
			require.Less(t, snr[0], snr[1])
			require.Less(t, snr[1], snr[2])
			if bits > 3 {
				require.InDelta(t, 6, snr[1]-last, 1.6)
			}
			last = snr[1]
		}
	}
	m, err := quant.Quantize(x, 64, 128, &quant.Options{Bits: 4, Grain: quant.GrainGroup, Group: 32, Scheme: quant.SchemeAsymmetric})
	require.NoError(t, err)
	require.InDelta(t, 4+20.0/32, m.BitsPerWeight(), 1e-12)
}

// With few bits the codes are better spent on the many numbers than on the largest.
func TestCalibrate(t *testing.T) {
	x := normal(rand.New(rand.NewPCG(6, 6)), 4096)
	for bits, below := range map[int]float64{2: .6, 3: .8, 8: 1.01} {
		o := &quant.Options{Bits: bits, Grain: quant.GrainTensor}
		clip, err := quant.Calibrate(x, 1, len(x), o)
		require.NoError(t, err)
		require.Less(t, clip, below)
		plain, err := quant.Quantize(x, 1, len(x), o)
		require.NoError(t, err)
		o.Clip = clip
		best, err := quant.Quantize(x, 1, len(x), o)
		require.NoError(t, err)
		require.LessOrEqual(t, quant.MSE(x, best.Dequantize()), quant.MSE(x, plain.Dequantize()))
	}
	_, err := quant.Calibrate(x, 1, 3, nil)
	require.ErrorIs(t, err, quant.ErrOption)
	_, err = quant.Quantize(x, 1, len(x), &quant.Options{Clip: 1.1})
	require.ErrorIs(t, err, quant.ErrOption)
}

func TestEdges(t *testing.T) {
	for _, scheme := range []quant.Scheme{quant.SchemeSymmetric, quant.SchemeAsymmetric} {
		for _, x := range [][]float32{{0, 0}, {5, 5}, {-5, -5}, {1e-45, -1e-45}, {math.MaxFloat32, -math.MaxFloat32}, {1e-45, 1e-45}, {1e30, 1e30 + 1e24}} {
			for bits := 2; bits <= 8; bits++ {
				m, err := quant.Quantize(x, 1, 2, &quant.Options{Scheme: scheme, Bits: bits})
				require.NoError(t, err)
				for i, y := range m.Dequantize() {
					require.False(t, math.IsNaN(float64(y)) || math.IsInf(float64(y), 0), "%v %v %d", x, scheme, bits)
					if x[0] == x[1] && math.Abs(float64(x[0])) > 1e-40 {
						require.InEpsilon(t, x[i]+1, y+1, 1e-6)
					}
				}
			}
		}
	}
	for _, c := range []struct {
		x          []float32
		rows, cols int
		o          quant.Options
	}{
		{[]float32{1}, 1, 2, quant.Options{}}, {nil, 0, 0, quant.Options{}}, {[]float32{1, 2}, 1, 2, quant.Options{Bits: 1}}, {[]float32{1, 2}, 1, 2, quant.Options{Bits: 9}},
		{[]float32{1, 2}, 1, 2, quant.Options{Grain: quant.GrainGroup, Group: 3}}, {[]float32{1, float32(math.NaN())}, 1, 2, quant.Options{}},
		{[]float32{1, float32(math.Inf(1))}, 1, 2, quant.Options{}}, {[]float32{1, 2}, 1, 2, quant.Options{Scheme: 7}}, {[]float32{1, 2}, 1, 2, quant.Options{Grain: 7}}, {[]float32{1, 2}, 1, 2, quant.Options{Group: -1}},
	} {
		_, err := quant.Quantize(c.x, c.rows, c.cols, &c.o)
		require.ErrorIs(t, err, quant.ErrOption, "%+v", c)
	}
	_, err := quant.PruneMagnitude([]float32{1}, 1.5)
	require.ErrorIs(t, err, quant.ErrOption)
	_, err = quant.PruneMagnitude([]float32{float32(math.NaN())}, .5)
	require.ErrorIs(t, err, quant.ErrOption)
	_, err = quant.PruneNM([]float32{1, 2, 3}, 3, 2, 4)
	require.ErrorIs(t, err, quant.ErrOption)
	_, err = quant.PruneWanda([]float32{1, 2}, 2, []float32{1}, .5)
	require.ErrorIs(t, err, quant.ErrOption)
	require.True(t, math.IsNaN(quant.MSE([]float32{1}, nil)))
	keep, err := quant.PruneNM([]float32{3, 3, 3, 3}, 4, 2, 4)
	require.NoError(t, err)
	require.Equal(t, []bool{false, false, true, true}, keep, "of equal ones the earlier goes")
	require.Equal(t, []float32{0, 0, 3, 3}, quant.Apply([]float32{3, 3, 3, 3}, keep))
}

func TestDistillGradient(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	teacher, student := make([]float64, 12), make([]float64, 12)
	for i := range teacher {
		teacher[i], student[i] = 3*r.NormFloat64(), 3*r.NormFloat64()
	}
	for _, o := range []quant.DistillOptions{{}, {Temperature: 4, Alpha: .3}, {NoTeacher: true}} {
		labels := []int{3, 0, 1}
		d, err := quant.Distill(teacher, student, 4, labels, &o)
		require.NoError(t, err)
		for i := range student {
			const h = 1e-6
			up, down := append([]float64(nil), student...), append([]float64(nil), student...)
			up[i] += h
			down[i] -= h
			a, err := quant.Distill(teacher, up, 4, labels, &o)
			require.NoError(t, err)
			b, err := quant.Distill(teacher, down, 4, labels, &o)
			require.NoError(t, err)
			require.InDelta(t, (a.Loss-b.Loss)/(2*h), d.Gradient[i], 1e-7)
		}
	}
	same, err := quant.Distill(teacher, teacher, 4, nil, nil)
	require.NoError(t, err)
	require.InDelta(t, 0, same.Loss, 1e-12)
	for _, c := range []struct {
		classes int
		labels  []int
		o       quant.DistillOptions
	}{{1, nil, quant.DistillOptions{}}, {5, nil, quant.DistillOptions{}}, {4, []int{1}, quant.DistillOptions{}}, {4, []int{0, 0, 4}, quant.DistillOptions{}}, {4, nil, quant.DistillOptions{Alpha: .5}}, {4, nil, quant.DistillOptions{Temperature: -1}}, {4, nil, quant.DistillOptions{Alpha: 2}}, {4, nil, quant.DistillOptions{NoTeacher: true}}} {
		_, err := quant.Distill(teacher, student, c.classes, c.labels, &c.o)
		require.ErrorIs(t, err, quant.ErrOption, "%+v", c)
	}
	student[2] = math.Inf(1)
	_, err = quant.Distill(teacher, student, 4, nil, nil)
	require.ErrorIs(t, err, quant.ErrOption)
}

func TestStraightThrough(t *testing.T) {
	x := []float32{-1, -.2, .3, 1}
	y, pass, err := quant.FakeQuantize(x, 1, 4, &quant.Options{Bits: 2})
	require.NoError(t, err)
	require.Equal(t, []float32{-1, 0, 0, 1}, y)
	require.Equal(t, []bool{true, true, true, true}, pass)
	y, pass, err = quant.FakeQuantize([]float32{-1, -.2, .3, .2}, 1, 4, &quant.Options{Bits: 2, Clip: .3})
	require.NoError(t, err)
	require.InDeltaSlice(t, []float32{-.3, -.3, .3, .3}, y, 1e-6)
	require.Equal(t, []bool{false, true, true, true}, pass)
	_, _, err = quant.FakeQuantize(x, 1, 3, nil)
	require.ErrorIs(t, err, quant.ErrOption)
}

func FuzzQuantize(f *testing.F) {
	f.Add([]byte{0, 0, 128, 63, 0, 0, 0, 64}, uint8(4), uint8(1), uint8(0), uint8(1))
	f.Add([]byte{1, 0, 0, 0, 1, 0, 0, 128, 255, 255, 127, 127, 255, 255, 127, 255}, uint8(2), uint8(0), uint8(2), uint8(2))
	f.Fuzz(func(t *testing.T, data []byte, bits, scheme, grain, group uint8) {
		x := make([]float32, len(data)/4)
		for i := range x {
			x[i] = math.Float32frombits(uint32(data[4*i]) | uint32(data[4*i+1])<<8 | uint32(data[4*i+2])<<16 | uint32(data[4*i+3])<<24)
		}
		m, err := quant.Quantize(x, 1, len(x), &quant.Options{Bits: int(bits), Scheme: quant.Scheme(scheme), Grain: quant.Grain(grain), Group: int(group)})
		if err != nil {
			require.ErrorIs(t, err, quant.ErrOption)
			return
		}
		for i, y := range m.Dequantize() {
			require.False(t, math.IsNaN(float64(y)), "%v: %v", x[i], m)
		}
	})
}
