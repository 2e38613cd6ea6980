package supply

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"
)

// ErrHeader reports a header of weights that breaks the rules of its format. A loader
// that trusts its numbers reads or writes outside of its memory.
var ErrHeader = errors.New("supply: the header is not valid")

// A Tensor is one tensor that a header describes.
type Tensor struct {
	Name       string
	Type       string  // "F32", "BF16", "Q4_K", …
	Shape      []int64 // empty for a scalar
	Start, End int64   // the bytes in the file, half-open
}

// A Safetensors is a checked header of a safetensors file.
type Safetensors struct {
	Tensors  []Tensor // in the order of their bytes
	Metadata map[string]string
}

// safetensorBits are the sizes of the format's types, in bits.
var safetensorBits = map[string]uint64{
	"F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
	"BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
	"I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "I64": 64, "U64": 64, "F64": 64, "C64": 64,
}

// maxHeader is the format's own limit of a header.
const maxHeader = 100_000_000

func looksSafetensors(head []byte, size int64) bool {
	if len(head) < 9 || head[8] != '{' {
		return false
	}
	n := binary.LittleEndian.Uint64(head)
	return size > 0 && n <= uint64(size) || n <= maxHeader
}

// ReadSafetensors reads and checks the header of a safetensors file of a size: the
// length of the header, its JSON without repeated keys, and for each tensor that the
// type is known and that shape times type is the span of its bytes. The spans must
// cover the data from its first to its last byte, without a gap and without an overlap.
// What is wrong is an error that wraps [ErrHeader].
//
// Source: https://github.com/huggingface/safetensors, "Format".
func ReadSafetensors(r io.ReaderAt, size int64) (*Safetensors, error) {
	if r == nil {
		return nil, fmt.Errorf("%w: the reader is nil", ErrOption)
	}
	var length [8]byte
	if _, err := r.ReadAt(length[:], 0); err != nil || size < 8 {
		return nil, fmt.Errorf("%w: safetensors: the file has fewer than 8 bytes", ErrHeader)
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > maxHeader || int64(n) > size-8 { //nolint:gosec // at most 100,000,000
		return nil, fmt.Errorf("%w: safetensors: the header's length is %d: want at most %d and the %d bytes that follow", ErrHeader, n, maxHeader, size-8)
	}
	data := make([]byte, n)
	if _, err := r.ReadAt(data, 8); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	h, err := parseSafetensors(data)
	if err != nil {
		return nil, err
	}
	return h, h.check(8+int64(n), size) //nolint:gosec // at most 100,000,000
}

func parseSafetensors(data []byte) (*Safetensors, error) {
	if len(data) == 0 || data[0] != '{' {
		return nil, fmt.Errorf("%w: safetensors: the header does not begin with {", ErrHeader)
	}
	h := &Safetensors{}
	seen := map[string]bool{}
	d := json.NewDecoder(bytes.NewReader(data))
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("%w: safetensors: %w", ErrHeader, err)
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("%w: safetensors: %w", ErrHeader, err)
		}
		name, _ := t.(string)
		if seen[name] {
			return nil, fmt.Errorf("%w: safetensors: %q is there twice", ErrHeader, printable(name))
		}
		seen[name] = true
		if name == "__metadata__" {
			if err := d.Decode(&h.Metadata); err != nil {
				return nil, fmt.Errorf("%w: safetensors: the metadata must be texts: %w", ErrHeader, err)
			}
			continue
		}
		var info struct {
			Type    string   `json:"dtype"`
			Shape   []uint64 `json:"shape"`
			Offsets []uint64 `json:"data_offsets"`
		}
		if err := d.Decode(&info); err != nil {
			return nil, fmt.Errorf("%w: safetensors: tensor %q: %w", ErrHeader, printable(name), err)
		}
		tensor, err := safetensor(name, info.Type, info.Shape, info.Offsets)
		if err != nil {
			return nil, err
		}
		h.Tensors = append(h.Tensors, tensor)
	}
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("%w: safetensors: %w", ErrHeader, err)
	}
	if rest := bytes.TrimRight(data[d.InputOffset():], " "); len(rest) > 0 {
		return nil, fmt.Errorf("%w: safetensors: %d bytes after the header's JSON", ErrHeader, len(rest))
	}
	return h, nil
}

func safetensor(name, typ string, shape, offsets []uint64) (Tensor, error) {
	t := Tensor{Name: name, Type: typ}
	width, ok := safetensorBits[typ]
	if !ok {
		return t, fmt.Errorf("%w: safetensors: tensor %q has the type %q", ErrHeader, printable(name), printable(typ))
	}
	count := uint64(1)
	for _, n := range shape {
		high, low := bits.Mul64(count, n)
		if high != 0 || n > 1<<62 {
			return t, fmt.Errorf("%w: safetensors: tensor %q: its shape %v has too many values", ErrHeader, printable(name), shape)
		}
		count = low
		t.Shape = append(t.Shape, int64(n))
	}
	high, wide := bits.Mul64(count, width)
	if high != 0 || wide%8 != 0 {
		return t, fmt.Errorf("%w: safetensors: tensor %q: its shape %v is no whole number of bytes", ErrHeader, printable(name), shape)
	}
	if len(offsets) != 2 || offsets[0] > offsets[1] || offsets[1] > 1<<62 || offsets[1]-offsets[0] != wide/8 {
		return t, fmt.Errorf("%w: safetensors: tensor %q: its offsets are %v: want %d bytes for shape %v of %s", ErrHeader, printable(name), offsets, wide/8, shape, typ)
	}
	t.Start, t.End = int64(offsets[0]), int64(offsets[1]) //nolint:gosec // at most 1<<62
	return t, nil
}

// check moves the spans to their places in the file and checks that they cover the
// data.
func (h *Safetensors) check(data, size int64) error {
	slices.SortFunc(h.Tensors, func(a, b Tensor) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End), cmp.Compare(a.Name, b.Name))
	})
	at := int64(0)
	for i := range h.Tensors {
		t := &h.Tensors[i]
		if t.Start != at {
			return fmt.Errorf("%w: safetensors: tensor %q begins at byte %d of the data: want %d, without a gap or an overlap", ErrHeader, printable(t.Name), t.Start, at)
		}
		at = t.End
		t.Start, t.End = t.Start+data, t.End+data
	}
	if at != size-data {
		return fmt.Errorf("%w: safetensors: the tensors have %d bytes and the data %d", ErrHeader, at, size-data)
	}
	return nil
}
