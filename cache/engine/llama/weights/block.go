package weights

import (
	"encoding/binary"
	"fmt"
	"math"
)

// A Type is how a tensor's elements are stored. The numbers are GGUF's; the two
// 8-bit floats are of safetensors alone.
//
// Q-types store blocks of neighbors in a row. A block of Q8_0 is a scale d and 32
// codes q of 8 bits; an element is d·q. Q4_0 and Q5_0 have codes of 4 and 5 bits,
// Q4_1 and Q5_1 add an offset m: an element is d·q+m. The K-types have super-blocks
// of 256 elements: their parts have scales, and offsets, of 4 to 8 bits each, which
// are themselves codes.
type Type uint32

// The types.
const (
	TypeF32    Type = 0
	TypeF16    Type = 1
	TypeQ4_0   Type = 2
	TypeQ4_1   Type = 3
	TypeQ5_0   Type = 6
	TypeQ5_1   Type = 7
	TypeQ8_0   Type = 8
	TypeQ2_K   Type = 10
	TypeQ3_K   Type = 11
	TypeQ4_K   Type = 12
	TypeQ5_K   Type = 13
	TypeQ6_K   Type = 14
	TypeIQ4_NL Type = 20
	TypeI8     Type = 24
	TypeI16    Type = 25
	TypeI32    Type = 26
	TypeI64    Type = 27
	TypeF64    Type = 28
	TypeBF16   Type = 30
	TypeE4M3FN Type = 1001
	TypeE5M2   Type = 1002
)

type form struct {
	name            string
	elements, bytes int
	decode          func(dst []float32, src []byte) // one block
	encode          func(dst []byte, src []float32)
}

var forms = map[Type]form{
	TypeF32:    {"F32", 1, 4, decodeF32, encodeF32},
	TypeF16:    {"F16", 1, 2, decodeF16, encodeF16},
	TypeBF16:   {"BF16", 1, 2, decodeBF16, encodeBF16},
	TypeF64:    {"F64", 1, 8, decodeF64, nil},
	TypeE4M3FN: {"E4M3FN", 1, 1, decode8(FloatE4M3FN), encode8(FloatE4M3FN)},
	TypeE5M2:   {"E5M2", 1, 1, decode8(FloatE5M2), encode8(FloatE5M2)},
	TypeQ8_0:   {"Q8_0", 32, 34, decodeQ80, encodeQ80},
	TypeQ4_0:   {"Q4_0", 32, 18, decodeQ40, encodeQ40},
	TypeQ4_1:   {"Q4_1", 32, 20, decodeQ41, encodeQ41},
	TypeQ5_0:   {"Q5_0", 32, 22, decodeQ50, encodeQ50},
	TypeQ5_1:   {"Q5_1", 32, 24, decodeQ51, encodeQ51},
	TypeQ2_K:   {"Q2_K", 256, 84, decodeQ2K, nil},
	TypeQ3_K:   {"Q3_K", 256, 110, decodeQ3K, nil},
	TypeQ4_K:   {"Q4_K", 256, 144, decodeQ4K, nil},
	TypeQ5_K:   {"Q5_K", 256, 176, decodeQ5K, nil},
	TypeQ6_K:   {"Q6_K", 256, 210, decodeQ6K, nil},
	TypeIQ4_NL: {"IQ4_NL", 32, 18, decodeIQ4NL, nil},
	TypeI8:     {"I8", 1, 1, nil, nil},
	TypeI16:    {"I16", 1, 2, nil, nil},
	TypeI32:    {"I32", 1, 4, nil, nil},
	TypeI64:    {"I64", 1, 8, nil, nil},
}

// String returns the type's name in GGUF.
func (t Type) String() string {
	if f, ok := forms[t]; ok {
		return f.name
	}
	return fmt.Sprintf("Type(%d)", uint32(t))
}

// Block returns how many elements a block of the type has, and how many bytes. Both
// are 0 for a type that this package does not know.
func (t Type) Block() (elements, bytes int) {
	f := forms[t]
	return f.elements, f.bytes
}

// Decode sets dst to the elements of src, whole blocks one after the other. The
// numbers are those of the reference implementation, to the last bit.
//
// It returns an error that wraps [ErrType] if the type can't be decoded, and one
// that wraps [ErrFormat] if the lengths don't match.
func (t Type) Decode(dst []float32, src []byte) error {
	f := forms[t]
	if f.decode == nil {
		return fmt.Errorf("%w: %v can't be decoded to float32", ErrType, t)
	}
	if len(dst)%f.elements != 0 || len(dst)/f.elements*f.bytes != len(src) {
		return fmt.Errorf("%w: %d bytes of %v for %d elements", ErrFormat, len(src), t, len(dst))
	}
	if f.elements == 1 {
		f.decode(dst, src)
		return nil
	}
	for len(dst) > 0 {
		f.decode(dst[:f.elements], src[:f.bytes])
		dst, src = dst[f.elements:], src[f.bytes:]
	}
	return nil
}

// Encode sets dst to the blocks of src. It knows F32, F16, BF16, Q8_0, Q4_0, Q4_1,
// Q5_0, Q5_1 and the 8-bit floats; the bytes are those of the reference
// implementation. A block whose scale is too small for the type becomes zeros.
//
// It returns an error that wraps [ErrType] if the type can't be encoded, one that
// wraps [ErrFormat] if the lengths don't match, and one that wraps [ErrNotFinite] if
// a block with codes would have a NaN or an infinity in it.
func (t Type) Encode(dst []byte, src []float32) error {
	f := forms[t]
	if f.encode == nil {
		return fmt.Errorf("%w: %v can't be encoded", ErrType, t)
	}
	if len(src)%f.elements != 0 || len(src)/f.elements*f.bytes != len(dst) {
		return fmt.Errorf("%w: %d elements for %d bytes of %v", ErrFormat, len(src), len(dst), t)
	}
	if f.elements == 1 {
		f.encode(dst, src)
		return nil
	}
	for i, x := range src {
		if x-x != 0 {
			return fmt.Errorf("%w: element %d is %v", ErrNotFinite, i, x)
		}
	}
	for len(src) > 0 {
		f.encode(dst[:f.bytes], src[:f.elements])
		dst, src = dst[f.bytes:], src[f.elements:]
	}
	return nil
}

func decodeF32(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
	}
}

func encodeF32(dst []byte, src []float32) {
	for i, x := range src {
		binary.LittleEndian.PutUint32(dst[4*i:], math.Float32bits(x))
	}
}

func decodeF64(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:])))
	}
}

func decodeF16(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = half(binary.LittleEndian.Uint16(src[2*i:]))
	}
}

func encodeF16(dst []byte, src []float32) {
	for i, x := range src {
		binary.LittleEndian.PutUint16(dst[2*i:], FloatF16.Encode(x))
	}
}

func decodeBF16(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
	}
}

func encodeBF16(dst []byte, src []float32) {
	for i, x := range src {
		binary.LittleEndian.PutUint16(dst[2*i:], FloatBF16.Encode(x))
	}
}

func decode8(f Float) func(dst []float32, src []byte) {
	return func(dst []float32, src []byte) {
		for i := range dst {
			dst[i] = f.Decode(uint16(src[i]))
		}
	}
}

func encode8(f Float) func(dst []byte, src []float32) {
	return func(dst []byte, src []float32) {
		for i, x := range src {
			dst[i] = byte(f.Encode(x))
		}
	}
}
