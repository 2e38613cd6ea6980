package vecquant

import (
	"fmt"

	"github.com/prodailabs/prodai/internal/vec"
)

// Binary stores one bit an element: 1 if it is above 0. A code has ⌈dim/8⌉ bytes,
// the first element in the lowest bit of the first byte.
//
// Codes are compared by the bits that differ, h of dim. The score is 1 - 2h/dim,
// from -1 to 1. For vectors whose elements are spread around 0, and many
// dimensions, it ranks nearly as the cosine does; for others, subtract the mean
// first, and in any case rescore the best with the vectors themselves.
type Binary struct{ dim int }

// NewBinary returns the quantizer for vectors of dim elements, or an error that
// wraps [ErrOption].
func NewBinary(dim int) (*Binary, error) {
	if err := checkDim(dim); err != nil {
		return nil, err
	}
	return &Binary{dim}, nil
}

// Dim is [Quantizer]'s.
func (x *Binary) Dim() int { return x.dim }

// CodeSize is [Quantizer]'s: dim/8, rounded up.
func (x *Binary) CodeSize() int { return (x.dim + 7) / 8 }

// Encode is [Quantizer]'s.
func (x *Binary) Encode(dst []byte, v []float32) ([]byte, error) {
	if err := checkVector(v, x.dim); err != nil {
		return dst, err
	}
	before := len(dst)
	dst = append(dst, make([]byte, x.CodeSize())...)
	for i, e := range v {
		if e > 0 {
			dst[before+i/8] |= 1 << (i % 8)
		}
	}
	return dst, nil
}

// Decode is [Quantizer]'s: each element is 1 or -1.
func (x *Binary) Decode(dst []float32, code []byte) ([]float32, error) {
	if err := x.check(code); err != nil {
		return dst, err
	}
	for i := range x.dim {
		dst = append(dst, float32(int(code[i/8]>>(i%8)&1)*2-1))
	}
	return dst, nil
}

// check finds a code of another length, and bits beyond the last element.
func (x *Binary) check(code []byte) error {
	if err := checkCode(code, x.CodeSize()); err != nil {
		return err
	}
	if used := x.dim % 8; used != 0 && code[len(code)-1]>>used != 0 {
		return fmt.Errorf("%w: a bit beyond element %d is set", ErrCode, x.dim-1)
	}
	return nil
}

// Query is [Quantizer]'s. The query is coded too. [MetricL2] is refused: a code
// has lost the lengths.
func (x *Binary) Query(q []float32, m Metric) (Scorer, error) {
	if m == MetricL2 {
		return nil, fmt.Errorf("%w: the metric is %v: binary codes know only directions", ErrOption, m)
	}
	if _, err := query(q, x.dim, m); err != nil {
		return nil, err
	}
	code, err := x.Encode(nil, q)
	if err != nil {
		return nil, err
	}
	s := &binaryScorer{code: code, score: make([]float32, 8*x.CodeSize()+1)}
	for h := range s.score {
		s.score[h] = 1 - 2*float32(h)/float32(x.dim)
	}
	return s, nil
}

type binaryScorer struct {
	code  []byte
	score []float32 // of so many different bits
	bits  []int32
}

func (s *binaryScorer) Scores(codes []byte, out []float32) error {
	if err := checkCodes(codes, len(s.code), len(out)); err != nil {
		return err
	}
	if cap(s.bits) < len(out) {
		s.bits = make([]int32, len(out))
	}
	differ := s.bits[:len(out)]
	vec.HammingRows(s.code, codes, differ)
	for i, h := range differ {
		out[i] = s.score[h]
	}
	return nil
}
