package quant

import (
	"errors"
	"fmt"
	"math"
)

// ErrOption is wrapped by every error about an invalid option or argument.
var ErrOption = errors.New("quant: invalid option")

// A Scheme is how numbers become codes.
type Scheme uint8

// The schemes.
const (
	SchemeSymmetric  Scheme = iota // absmax: codes around 0, a scale
	SchemeAsymmetric               // zero point: codes from the smallest to the largest number, a scale and a code for 0
)

// A Grain is how many numbers share a scale.
type Grain uint8

// The grains.
const (
	GrainRow    Grain = iota // a row of the matrix, one output of a layer
	GrainTensor              // the whole matrix
	GrainGroup               // neighbors, row by row
)

// Options are the settings of [Quantize].
type Options struct {
	// Scheme is how numbers become codes. Default: SchemeSymmetric.
	Scheme Scheme

	// Bits is the size of a code, from 2 to 8. Default: 8.
	Bits int

	// Grain is how many numbers share a scale. Default: GrainRow.
	Grain Grain

	// Group is how many neighbors share a scale with GrainGroup. It must divide the number
	// of elements. Default: 32.
	Group int

	// Clip is the share of the largest magnitude that the codes reach, above 0 and up to
	// 1. What is larger gets the last code. With few bits a smaller range often has a
	// smaller error: see [Calibrate]. Default: 1.
	Clip float64
}

func (o *Options) complete() (Options, error) {
	p := Options{}
	if o != nil {
		p = *o
	}
	if p.Bits == 0 {
		p.Bits = 8
	}
	if p.Group == 0 {
		p.Group = 32
	}
	if p.Clip == 0 {
		p.Clip = 1
	}
	if !(p.Clip > 0 && p.Clip <= 1) {
		return p, fmt.Errorf("%w: Options.Clip is %v: want a share above 0 and up to 1", ErrOption, p.Clip)
	}
	if p.Bits < 2 || p.Bits > 8 || p.Group < 1 || p.Scheme > SchemeAsymmetric || p.Grain > GrainGroup {
		return p, fmt.Errorf("%w: Options are %+v: want 2 to 8 Bits, a Group of 1 or more, and a Scheme and Grain of this package", ErrOption, p)
	}
	return p, nil
}

// A Matrix is a quantized matrix: codes, and a scale for each run of numbers that share
// one. The number of a code is (code - zero) × scale, with zero 0 in the symmetric scheme.
type Matrix struct {
	Options
	Rows, Columns int
	Scales        []float32
	Zeros         []int32 // of the asymmetric scheme
	Codes         []int16 // row by row
	run           int     // how many neighbors share a scale
}

// Quantize makes codes of a matrix, given row by row. In the symmetric scheme the scale is
// the largest magnitude over 2^(bits-1) - 1; in the asymmetric one it is the range over
// 2^bits - 1. Codes are rounded to the nearest, ties to even. An error wraps [ErrOption]:
// it is about options, the shape, or a number that is not finite.
func Quantize(x []float32, rows, columns int, o *Options) (*Matrix, error) {
	p, err := o.complete()
	if err != nil {
		return nil, err
	}
	if rows < 1 || columns < 1 || len(x)/columns != rows || len(x)%columns != 0 {
		return nil, fmt.Errorf("%w: %d numbers as %d rows of %d: want a matrix", ErrOption, len(x), rows, columns)
	}
	m := &Matrix{Options: p, Rows: rows, Columns: columns, Codes: make([]int16, len(x))}
	switch p.Grain {
	case GrainTensor:
		m.run = len(x)
	case GrainGroup:
		m.run = p.Group
	default:
		m.run = columns
	}
	if len(x)%m.run != 0 {
		return nil, fmt.Errorf("%w: Options.Group is %d: want a divisor of the %d numbers", ErrOption, m.run, len(x))
	}
	for at := 0; at < len(x); at += m.run {
		part, codes := x[at:at+m.run], m.Codes[at:at+m.run]
		for i, v := range part {
			if d := float64(v); math.IsNaN(d) || math.IsInf(d, 0) {
				return nil, fmt.Errorf("%w: number %d is %v: want finite numbers", ErrOption, at+i, v)
			}
		}
		if p.Scheme == SchemeSymmetric {
			m.Scales = append(m.Scales, symmetric(codes, part, p))
		} else {
			scale, zero := asymmetric(codes, part, p)
			m.Scales, m.Zeros = append(m.Scales, scale), append(m.Zeros, zero)
		}
	}
	return m, nil
}

func symmetric(codes []int16, x []float32, o Options) (scale float32) {
	top := float32(int(1)<<(o.Bits-1) - 1)
	var largest float32
	for _, v := range x {
		largest = max(largest, v, -v)
	}
	scale = clipped(largest, o) / top
	if scale == 0 { // all zero, or so small that the scale is
		return 0
	}
	for i, v := range x {
		codes[i] = int16(min(max(roundEven(v/scale), -top), top))
	}
	return scale
}

func asymmetric(codes []int16, x []float32, o Options) (scale float32, zero int32) {
	top := float32(int(1)<<o.Bits - 1)
	low, high := x[0], x[0]
	for _, v := range x {
		low, high = min(low, v), max(high, v)
	}
	if low < high {
		low, high = clipped(low, o), clipped(high, o)
	}
	if scale = (high - low) / top; math.IsInf(float64(scale), 0) {
		scale = float32((float64(high) - float64(low)) / float64(top))
	}
	if scale == 0 { // one value: a code away from zero has it exactly
		for i := range codes {
			codes[i] = 1
		}
		switch {
		case low == 0:
			return 0, 1
		case low < 0:
			return -low, 2
		}
		return low, 0
	}
	z := roundEven(-low / scale)
	for i, v := range x {
		codes[i] = int16(min(max(roundEven(v/scale)+z, 0), top))
	}
	return scale, int32(max(min(float64(z), math.MaxInt32), math.MinInt32))
}

func clipped(v float32, o Options) float32 {
	if o.Clip == 1 {
		return v
	}
	return float32(float64(v) * o.Clip)
}

func roundEven(v float32) float32 { return float32(math.RoundToEven(float64(v))) }

// Dequantize returns the numbers of the codes.
func (m *Matrix) Dequantize() []float32 {
	x := make([]float32, len(m.Codes))
	for i, c := range m.Codes {
		code := int32(c)
		if m.Scheme == SchemeAsymmetric {
			code -= m.Zeros[i/m.run]
		}
		x[i] = min(max(float32(code)*m.Scales[i/m.run], -math.MaxFloat32), math.MaxFloat32)
	}
	return x
}

// BitsPerWeight is how many bits a number takes, its part of the scales of 16 bits and of
// the zeros included.
func (m *Matrix) BitsPerWeight() float64 {
	extra := 16 * len(m.Scales)
	if m.Scheme == SchemeAsymmetric {
		extra += m.Bits * len(m.Zeros)
	}
	return float64(m.Bits) + float64(extra)/float64(len(m.Codes))
}

// MSE is the mean of the squared differences of two lists of the same length, in float64.
// It is NaN for empty lists and for lists of different lengths.
func MSE(x, y []float32) float64 {
	if len(x) != len(y) {
		return math.NaN()
	}
	sum := 0.0
	for i := range x {
		d := float64(x[i]) - float64(y[i])
		sum += d * d
	}
	return sum / float64(len(x))
}

// SNR is the ratio of the signal to the error in decibels: 10·log10(Σx² / Σ(x-y)²). Each
// bit of a code is worth about 6. It is +Inf without an error.
func SNR(x, y []float32) float64 {
	if len(x) != len(y) {
		return math.NaN()
	}
	signal := MSE(x, make([]float32, len(x)))
	return 10 * math.Log10(signal/MSE(x, y))
}

// Calibrate returns the Clip with the smallest mean squared error for a matrix, of the
// shares from 0.40 to 1 in steps of 0.02. Errors are those of [Quantize].
func Calibrate(x []float32, rows, columns int, o *Options) (clip float64, err error) {
	p := Options{}
	if o != nil {
		p = *o
	}
	best := math.Inf(1)
	for percent := 100; percent >= 40; percent -= 2 {
		p.Clip = float64(percent) / 100
		m, err := Quantize(x, rows, columns, &p)
		if err != nil {
			return 0, err
		}
		if e := MSE(x, m.Dequantize()); e < best {
			best, clip = e, p.Clip
		}
	}
	return clip, nil
}
