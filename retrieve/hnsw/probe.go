package hnsw

import (
	"slices"
	"unsafe"

	"github.com/prodailabs/prodai/internal/vec"
	"github.com/prodailabs/prodai/retrieve/internal/nearest"
)

// A probe is the vector that a walk compares others with: the vector itself or, if
// code is not nil, its code.
type probe struct {
	v     []float32
	code  []int8
	scale float32
}

// scored returns slots with their scores, valid until the next call.
func (x *Index) scored(p *probe, slots []uint32, s *scratch) []candidate {
	s.scores = slices.Grow(s.scores[:0], len(slots))[:len(slots)]
	if p.code == nil {
		nearest.Scores(x.o.Metric, p.v, x.rows, slots, s.scores)
	} else {
		x.scoreCodes(p, slots, s)
	}
	s.list = s.list[:0]
	for i, slot := range slots {
		s.list = append(s.list, candidate{s.scores[i], slot})
	}
	return s.list
}

// A code's row is the code, its tail, and free room up to a multiple of 16. A
// query's code is 0 where the tail is, so the product of the whole rows equals the
// product of the codes.
type tail struct {
	scale float32
	norm  float32 // the squared length of the vector that the code represents
}

const tailSize = int(unsafe.Sizeof(tail{}))

// tailAt is where the tail of a row begins.
func (x *Index) tailAt() int { return (x.dim + 3) &^ 3 }

func (x *Index) codeSize() int { return (x.tailAt() + tailSize + 15) &^ 15 }

func (x *Index) code(slot uint32) []int8 { return x.codes[int(slot)*x.codeSize():][:x.codeSize()] }

func (x *Index) tail(code []int8) *tail {
	at := code[x.tailAt():][:tailSize]
	return (*tail)(unsafe.Pointer(unsafe.SliceData(at)))
}

// encode writes the code of a slot's vector.
func (x *Index) encode(slot uint32) {
	code := x.code(slot)
	scale := vec.QuantizeInt8(code, x.row(slot))
	*x.tail(code) = tail{scale: scale, norm: scale * scale * float32(vec.DotInt8(code[:x.dim], code[:x.dim]))}
}

// query makes the probe of a search.
func (x *Index) query(q []float32, s *scratch) *probe {
	s.probe = probe{v: q}
	if x.o.Int8 {
		s.code = slices.Grow(s.code[:0], x.codeSize())[:x.codeSize()]
		clear(s.code)
		s.probe.code, s.probe.scale = s.code, vec.QuantizeInt8(s.code, q)
	}
	return &s.probe
}

func (x *Index) scoreCodes(p *probe, slots []uint32, s *scratch) {
	s.products = slices.Grow(s.products[:0], len(slots))[:len(slots)]
	vec.DotInt8At(p.code, x.codes, slots, s.products)
	l2 := x.o.Metric == MetricL2
	for i, slot := range slots {
		t := x.tail(x.code(slot))
		score := float32(s.products[i]) * p.scale * t.scale
		if l2 { // without the square of the query's length, which is the same for all
			score = 2*score - t.norm
		}
		s.scores[i] = score
	}
}
