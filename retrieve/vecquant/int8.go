package vecquant

import (
	"encoding/binary"
	"fmt"
	"math"
	"unsafe"

	"github.com/prodailabs/prodai/internal/vec"
)

// Int8 stores each element in one byte. Every vector has its own scale, so nothing
// has to be trained:
//
//	scale = max|v[i]| / 127
//	code[i] = round(v[i] / scale)          -127 to 127
//
// The error of an element is at most half the scale. A code is the scale as a
// little-endian float32, then the bytes: 4 + dim.
type Int8 struct{ dim int }

// NewInt8 returns the quantizer for vectors of dim elements, or an error that
// wraps [ErrOption].
func NewInt8(dim int) (*Int8, error) {
	if err := checkDim(dim); err != nil {
		return nil, err
	}
	return &Int8{dim}, nil
}

const scaleBytes = 4

// Dim is [Quantizer]'s.
func (x *Int8) Dim() int { return x.dim }

// CodeSize is [Quantizer]'s: 4 + dim.
func (x *Int8) CodeSize() int { return scaleBytes + x.dim }

// Encode is [Quantizer]'s.
func (x *Int8) Encode(dst []byte, v []float32) ([]byte, error) {
	if err := checkVector(v, x.dim); err != nil {
		return dst, err
	}
	before := len(dst)
	dst = append(dst, make([]byte, x.CodeSize())...)
	code := dst[before:]
	binary.LittleEndian.PutUint32(code, math.Float32bits(vec.QuantizeInt8(signed(code[scaleBytes:]), v)))
	return dst, nil
}

// Decode is [Quantizer]'s.
func (x *Int8) Decode(dst []float32, code []byte) ([]float32, error) {
	if err := checkCode(code, x.CodeSize()); err != nil {
		return dst, err
	}
	scale, err := scaleOf(code)
	if err != nil {
		return dst, err
	}
	for _, b := range code[scaleBytes:] {
		dst = append(dst, scale*float32(int8(b)))
	}
	return dst, nil
}

func scaleOf(code []byte) (float32, error) {
	scale := math.Float32frombits(binary.LittleEndian.Uint32(code))
	if !finite(scale) || scale < 0 {
		return 0, fmt.Errorf("%w: the scale is %v", ErrCode, scale)
	}
	return scale, nil
}

// Query is [Quantizer]'s.
func (x *Int8) Query(q []float32, m Metric) (Scorer, error) {
	q, err := query(q, x.dim, m)
	if err != nil {
		return nil, err
	}
	return &int8Scorer{padded: append(make([]float32, scaleBytes), q...), l2: m == MetricL2, norm: vec.Dot(q, q)}, nil
}

type int8Scorer struct {
	padded []float32 // zeros where a code has its scale, then the query
	l2     bool
	norm   float32
}

func (s *int8Scorer) Scores(codes []byte, out []float32) error {
	size := len(s.padded)
	if err := checkCodes(codes, size, len(out)); err != nil {
		return err
	}
	vec.DotFloatInt8Rows(s.padded, signed(codes), out)
	for i := range out {
		code := codes[i*size:][:size]
		scale, err := scaleOf(code)
		if err != nil {
			return err
		}
		out[i] *= scale
		if s.l2 {
			// The length is that of the code, not of the vector it was made from.
			row := signed(code[scaleBytes:])
			out[i] = 2*out[i] - s.norm - scale*scale*float32(vec.DotInt8(row, row))
		}
	}
	return nil
}

// signed views bytes as int8.
func signed(b []byte) []int8 {
	return unsafe.Slice((*int8)(unsafe.Pointer(unsafe.SliceData(b))), len(b))
}
