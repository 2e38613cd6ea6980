package bert

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
)

// maxHeader is the bound of the safetensors format itself.
const maxHeader = 100_000_000

// A tensor is where one array of a safetensors file lies.
type tensor struct {
	DType   string   `json:"dtype"`
	Shape   []int    `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

var dtypeSize = map[string]int64{"F32": 4, "F16": 2, "BF16": 2}

// A tensorFile reads arrays of a safetensors file: the header's length as a
// little-endian uint64, the header as JSON, the data.
type tensorFile struct {
	r      io.ReaderAt
	begin  int64 // of the data
	size   int64 // of the data
	left   int64 // bytes that may still be read: no part of the file counts twice
	header map[string]json.RawMessage
}

func openTensors(r io.ReaderAt, size int64) (*tensorFile, error) {
	var length [8]byte
	if size < 8 {
		return nil, fmt.Errorf("%w: the weights have %d bytes, less than a header's length", ErrModel, size)
	}
	if _, err := r.ReadAt(length[:], 0); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModel, err)
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > maxHeader || int64(n) > size-8 {
		return nil, fmt.Errorf("%w: the weights' header should have %d bytes, but the file has %d", ErrModel, n, size)
	}
	head := make([]byte, n)
	if _, err := r.ReadAt(head, 8); err != nil && n > 0 {
		return nil, fmt.Errorf("%w: %w", ErrModel, err)
	}
	f := &tensorFile{r: r, begin: 8 + int64(n), size: size - 8 - int64(n)}
	f.left = f.size
	if err := json.Unmarshal(head, &f.header); err != nil {
		return nil, fmt.Errorf("%w: the weights' header: %w", ErrModel, err)
	}
	return f, nil
}

func (f *tensorFile) has(name string) bool { return f.header[name] != nil }

// entry returns what the header says about a tensor.
func (f *tensorFile) entry(name string) (tensor, error) {
	var t tensor
	raw, ok := f.header[name]
	if !ok {
		return t, fmt.Errorf("%w: no tensor %q", ErrModel, name)
	}
	if err := json.Unmarshal(raw, &t); err != nil {
		return t, fmt.Errorf("%w: tensor %q: %w", ErrModel, name, err)
	}
	return t, nil
}

// read returns a tensor of the wanted shape as float32. It checks everything that the
// header says before it allocates.
func (f *tensorFile) read(name string, shape ...int) ([]float32, error) {
	t, err := f.entry(name)
	if err != nil {
		return nil, err
	}
	width, ok := dtypeSize[t.DType]
	if !ok {
		return nil, fmt.Errorf("%w: tensor %q has the type %.20q, want F32, F16 or BF16", ErrModel, name, t.DType)
	}
	bytes := width
	same := len(t.Shape) == len(shape)
	for i, d := range shape {
		same = same && t.Shape[i] == d
		bytes *= int64(d) // below 2^60: see Config.check
	}
	if !same {
		return nil, fmt.Errorf("%w: tensor %q has the shape %.80s, want %v", ErrModel, name, fmt.Sprint(t.Shape), shape)
	}
	from, to := t.Offsets[0], t.Offsets[1]
	if from < 0 || to < from || to > f.size || to-from != bytes {
		return nil, fmt.Errorf("%w: tensor %q is at %d to %d of %d bytes, want %d of them", ErrModel, name, from, to, f.size, bytes)
	}
	if f.left -= bytes; f.left < 0 {
		return nil, fmt.Errorf("%w: tensors overlap", ErrModel)
	}
	data := make([]byte, bytes)
	if _, err := f.r.ReadAt(data, f.begin+from); err != nil && bytes > 0 {
		return nil, fmt.Errorf("%w: tensor %q: %w", ErrModel, name, err)
	}
	out := make([]float32, bytes/width)
	for i := range out {
		switch t.DType {
		case "F32":
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		case "F16":
			out[i] = fromHalf(binary.LittleEndian.Uint16(data[2*i:]))
		default:
			out[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(data[2*i:])) << 16)
		}
		if v := out[i]; v-v != 0 {
			return nil, fmt.Errorf("%w: tensor %q: element %d is %v", ErrModel, name, i, v)
		}
	}
	return out, nil
}

// fromHalf decodes a number of half precision.
func fromHalf(h uint16) float32 {
	sign, exponent, mantissa := uint32(h>>15)<<31, int(h>>10&31), uint32(h&1023)
	switch exponent {
	case 0: // subnormal
		v := float32(mantissa) * 0x1p-24
		return math.Float32frombits(math.Float32bits(v) | sign)
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | mantissa<<13)
	}
	return math.Float32frombits(sign | uint32(exponent+112)<<23 | mantissa<<13)
}

// toHalf encodes a number of at least 0 in half precision, to the nearest, ties to even.
// It reports false for one that is too large.
func toHalf(x float32) (uint16, bool) {
	if x < 0x1p-14 { // subnormal: a multiple of 2^-24
		return uint16(math.RoundToEven(float64(x) * 0x1p24)), true
	}
	bits := math.Float32bits(x) - 112<<23
	h := (bits + 0xfff + bits>>13&1) >> 13
	return uint16(h), x < 0x1p16 && h < 0x7c00
}
