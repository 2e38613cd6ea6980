package weights

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// The types of GGUF's metadata, by number.
const (
	kindU8 = iota
	kindI8
	kindU16
	kindI16
	kindU32
	kindI32
	kindF32
	kindBool
	kindText
	kindArray
	kindU64
	kindI64
	kindF64
)

const (
	maxNesting    = 3 // arrays in arrays; real files have none
	maxDimensions = 4
	maxAlignment  = 1 << 20
	maxName       = 1 << 16
	alignmentKey  = "general.alignment"
)

func (f *File) readGGUF(size int64) error {
	s := &scanner{r: bufio.NewReaderSize(io.NewSectionReader(f.r, 0, size), 1<<16), left: size}
	s.bytes(4)
	if v := s.u32(); v != 2 && v != 3 {
		s.fail("GGUF version %d: this package reads 2 and 3, little endian", v)
	}
	tensors, pairs := s.u64(), s.u64()
	// The shortest pair takes 8 + 4 + 1 bytes, the shortest tensor 8 + 4 + 4 + 8.
	if s.err == nil && (pairs > uint64(s.left)/13 || tensors > uint64(s.left)/24) {
		s.fail("%d entries and %d tensors don't fit into the file", pairs, tensors)
	}
	for range pairs {
		key := s.text()
		value := s.value(s.u32(), 0)
		if s.err != nil {
			return s.err
		}
		if _, twice := f.metaName[key]; twice {
			return fmt.Errorf("%w: the key %q appears twice", ErrFormat, key)
		}
		f.metaName[key] = len(f.meta)
		f.meta = append(f.meta, Pair{key, value})
	}
	align := int64(32)
	if f.Value(alignmentKey) != nil {
		var ok bool
		if align, ok = f.Int(alignmentKey); !ok || align <= 0 || align > maxAlignment || align&(align-1) != 0 {
			return fmt.Errorf("%w: %s is %v, want a power of two", ErrFormat, alignmentKey, f.Value(alignmentKey))
		}
	}
	found := make([]Tensor, 0, min(tensors, 1<<12))
	for range tensors {
		t, ok := s.tensor(align)
		if !ok {
			return s.err
		}
		found = append(found, t)
	}
	if s.err != nil {
		return s.err
	}
	begin := (size - s.left + align - 1) / align * align
	for _, t := range found {
		if t.Offset > size {
			return fmt.Errorf("%w: tensor %q begins beyond the file", ErrFormat, t.Name)
		}
		t.Offset += begin
		if err := f.add(t, size); err != nil {
			return err
		}
	}
	return nil
}

func (s *scanner) tensor(align int64) (Tensor, bool) {
	t := Tensor{Name: s.text()}
	dims := s.u32()
	if s.err == nil && (dims > maxDimensions || len(t.Name) > maxName) {
		s.fail("tensor %.60q has %d dimensions and a name of %d bytes", t.Name, dims, len(t.Name))
	}
	if s.err != nil {
		return t, false
	}
	t.Shape = make([]int, dims)
	for i := range dims {
		d := s.u64()
		if d > math.MaxInt32 {
			s.fail("tensor %q has a dimension of %d", t.Name, d)
		}
		t.Shape[len(t.Shape)-1-int(i)] = int(d)
	}
	t.Type = Type(s.u32())
	at := s.u64()
	if s.err == nil && (at > math.MaxInt64 || int64(at)%align != 0) {
		s.fail("tensor %q has the offset %d, want a multiple of %d", t.Name, at, align)
	}
	t.Offset = int64(at)
	return t, s.err == nil
}

// value reads a value of the metadata.
func (s *scanner) value(kind uint32, depth int) any {
	switch kind {
	case kindText:
		return s.text()
	case kindArray:
		return s.array(depth)
	}
	b := s.bytes(uint64(scalarSize(kind)))
	switch {
	case scalarSize(kind) == 0:
		s.fail("unknown type %d in the metadata", kind)
		return nil
	case b == nil:
		return nil
	case kind == kindBool && b[0] > 1:
		s.fail("a bool of %d", b[0])
		return nil
	}
	return scalar(kind, b)
}

func scalarSize(kind uint32) int {
	switch kind {
	case kindU8, kindI8, kindBool:
		return 1
	case kindU16, kindI16:
		return 2
	case kindU32, kindI32, kindF32:
		return 4
	case kindU64, kindI64, kindF64:
		return 8
	}
	return 0
}

func scalar(kind uint32, b []byte) any {
	le := binary.LittleEndian
	switch kind {
	case kindU8:
		return b[0]
	case kindI8:
		return int8(b[0])
	case kindBool:
		return b[0] == 1
	case kindU16:
		return le.Uint16(b)
	case kindI16:
		return int16(le.Uint16(b))
	case kindU32:
		return le.Uint32(b)
	case kindI32:
		return int32(le.Uint32(b))
	case kindF32:
		return math.Float32frombits(le.Uint32(b))
	case kindU64:
		return le.Uint64(b)
	case kindI64:
		return int64(le.Uint64(b))
	}
	return math.Float64frombits(le.Uint64(b))
}

// array reads a slice. Its length is checked against the bytes that are left before
// the slice is made.
func (s *scanner) array(depth int) any {
	kind, n := s.u32(), s.u64()
	each := uint64(scalarSize(kind))
	switch {
	case kind == kindText:
		each = 8
	case kind == kindArray && depth+1 < maxNesting:
		each = 12
	case kind == kindArray:
		s.fail("arrays nested more than %d deep", maxNesting)
	case each == 0:
		s.fail("unknown type %d in an array", kind)
	}
	if s.err == nil && n > uint64(s.left)/each {
		s.fail("an array of %d elements doesn't fit into the file", n)
	}
	if s.err != nil {
		return nil
	}
	switch kind {
	case kindU8:
		return fill[uint8](s, kind, n)
	case kindI8:
		return fill[int8](s, kind, n)
	case kindU16:
		return fill[uint16](s, kind, n)
	case kindI16:
		return fill[int16](s, kind, n)
	case kindU32:
		return fill[uint32](s, kind, n)
	case kindI32:
		return fill[int32](s, kind, n)
	case kindF32:
		return fill[float32](s, kind, n)
	case kindBool:
		return fill[bool](s, kind, n)
	case kindU64:
		return fill[uint64](s, kind, n)
	case kindI64:
		return fill[int64](s, kind, n)
	case kindF64:
		return fill[float64](s, kind, n)
	case kindText:
		out := make([]string, 0, n)
		for range n {
			out = append(out, s.text())
			if s.err != nil {
				return nil
			}
		}
		return out
	}
	out := make([]any, 0, n)
	for range n {
		out = append(out, s.array(depth+1))
		if s.err != nil {
			return nil
		}
	}
	return out
}

func fill[T any](s *scanner, kind uint32, n uint64) any {
	size := scalarSize(kind)
	data := s.bytes(n * uint64(size))
	if s.err != nil {
		return nil
	}
	out := make([]T, n)
	for i := range out {
		if kind == kindBool && data[i] > 1 {
			s.fail("a bool of %d", data[i])
			return nil
		}
		out[i] = scalar(kind, data[i*size:][:size]).(T)
	}
	return out
}
