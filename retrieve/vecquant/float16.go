package vecquant

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/prodailabs/prodai/internal/vec"
)

// Float16 stores each element as an IEEE 754 half-precision number: 11 significant
// bits, magnitudes of 6e-8 to 65504. A code is 2·dim bytes, little-endian. Elements
// are rounded to the nearest, ties to even; one that would round beyond 65504 is
// refused with [ErrNotFinite].
type Float16 struct{ dim int }

// NewFloat16 returns the quantizer for vectors of dim elements, or an error that
// wraps [ErrOption].
func NewFloat16(dim int) (*Float16, error) {
	if err := checkDim(dim); err != nil {
		return nil, err
	}
	return &Float16{dim}, nil
}

// Dim is [Quantizer]'s.
func (x *Float16) Dim() int { return x.dim }

// CodeSize is [Quantizer]'s: 2·dim.
func (x *Float16) CodeSize() int { return 2 * x.dim }

// Encode is [Quantizer]'s.
func (x *Float16) Encode(dst []byte, v []float32) ([]byte, error) {
	if err := checkVector(v, x.dim); err != nil {
		return dst, err
	}
	before := len(dst)
	for i, e := range v {
		h := toHalf(e)
		if h&0x7c00 == 0x7c00 {
			return dst[:before], fmt.Errorf("vecquant: encode: %w: element %d is %v, the largest half is 65504", ErrNotFinite, i, e)
		}
		dst = binary.LittleEndian.AppendUint16(dst, h)
	}
	return dst, nil
}

// Decode is [Quantizer]'s.
func (x *Float16) Decode(dst []float32, code []byte) ([]float32, error) {
	if err := checkCode(code, x.CodeSize()); err != nil {
		return dst, err
	}
	before := len(dst)
	dst = append(dst, make([]float32, x.dim)...)
	if err := halves(dst[before:], code); err != nil {
		return dst[:before], err
	}
	return dst, nil
}

// Query is [Quantizer]'s.
func (x *Float16) Query(q []float32, m Metric) (Scorer, error) {
	q, err := query(q, x.dim, m)
	if err != nil {
		return nil, err
	}
	return &float16Scorer{q: q, row: make([]float32, x.dim), l2: m == MetricL2}, nil
}

type float16Scorer struct {
	q, row []float32
	l2     bool
}

func (s *float16Scorer) Scores(codes []byte, out []float32) error {
	size := 2 * len(s.q)
	if err := checkCodes(codes, size, len(out)); err != nil {
		return err
	}
	for i := range out {
		if err := halves(s.row, codes[i*size:][:size]); err != nil {
			return err
		}
		if s.l2 {
			out[i] = -vec.L2(s.q, s.row)
		} else {
			out[i] = vec.Dot(s.q, s.row)
		}
	}
	return nil
}

// halves decodes len(dst) halves.
func halves(dst []float32, code []byte) error {
	for i := range dst {
		h := binary.LittleEndian.Uint16(code[2*i:])
		if h&0x7c00 == 0x7c00 {
			return fmt.Errorf("%w: element %d is not finite", ErrCode, i)
		}
		dst[i] = fromHalf(h)
	}
	return nil
}

// toHalf rounds to the nearest half, ties to even; a larger number becomes an
// infinity.
func toHalf(f float32) uint16 {
	bits := math.Float32bits(f)
	sign := uint16(bits >> 16 & 0x8000)
	magnitude := bits & 0x7fffffff
	switch {
	case magnitude >= 0x47800000: // 65536 and more
		return sign | 0x7c00
	case magnitude < 0x38800000: // below 2^-14, the least normal half
		// Adding 0.5 leaves the subnormal half in the lowest bits, rounded by the
		// addition itself.
		return sign | uint16(math.Float32bits(math.Float32frombits(magnitude)+0.5)-0x3f000000)
	}
	// Change the bias of the exponent by 127-15, and round the 13 bits that are
	// dropped.
	odd := magnitude >> 13 & 1
	return sign | uint16((magnitude-(112<<23)+0xfff+odd)>>13)
}

// fromHalf is exact for finite halves: the bits are those of a float32 that is
// 2^112 times too small.
func fromHalf(h uint16) float32 {
	const rebias = 1 << 112
	f := math.Float32frombits(uint32(h&0x7fff)<<13) * rebias
	return math.Float32frombits(math.Float32bits(f) | uint32(h&0x8000)<<16)
}
