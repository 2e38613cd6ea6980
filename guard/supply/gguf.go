package supply

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"slices"
	"strings"
)

// A GGUF is a checked header of a GGUF file.
type GGUF struct {
	Version      uint32
	Architecture string // general.architecture
	Name         string // general.name
	License      string // general.license
	Keys         []string
	Templates    []string // tokenizer.chat_template and its named variants
	Tensors      []Tensor
}

// ggmlTypes are the quantized and plain types of GGUF: values in a block, and its
// bytes. Types that were removed from the format are left out.
var ggmlTypes = map[uint32]struct {
	name         string
	block, bytes uint64
}{
	0: {"F32", 1, 4}, 1: {"F16", 1, 2}, 2: {"Q4_0", 32, 18}, 3: {"Q4_1", 32, 20}, 6: {"Q5_0", 32, 22}, 7: {"Q5_1", 32, 24},
	8: {"Q8_0", 32, 34}, 9: {"Q8_1", 32, 36}, 10: {"Q2_K", 256, 84}, 11: {"Q3_K", 256, 110}, 12: {"Q4_K", 256, 144},
	13: {"Q5_K", 256, 176}, 14: {"Q6_K", 256, 210}, 15: {"Q8_K", 256, 292}, 16: {"IQ2_XXS", 256, 66}, 17: {"IQ2_XS", 256, 74},
	18: {"IQ3_XXS", 256, 98}, 19: {"IQ1_S", 256, 50}, 20: {"IQ4_NL", 32, 18}, 21: {"IQ3_S", 256, 110}, 22: {"IQ2_S", 256, 82},
	23: {"IQ4_XS", 256, 136}, 24: {"I8", 1, 1}, 25: {"I16", 1, 2}, 26: {"I32", 1, 4}, 27: {"I64", 1, 8}, 28: {"F64", 1, 8},
	29: {"IQ1_M", 256, 56}, 30: {"BF16", 1, 2}, 34: {"TQ1_0", 256, 54}, 35: {"TQ2_0", 256, 66}, 39: {"MXFP4", 32, 17},
}

// The types of metadata values.
const (
	ggufString, ggufArray = 8, 9
)

// ggufBytes are the sizes of the other types of metadata.
var ggufBytes = map[uint32]uint64{0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}

// maxTemplate bounds the metadata texts that are kept.
const maxTemplate = 1 << 20

// ReadGGUF reads and checks the header of a GGUF file of a size, versions 2 and 3. Each
// declared count and length is compared with the bytes that remain, before anything is
// allocated. Each tensor must have a known type, at most four dimensions, whole blocks,
// an aligned offset and bytes of its own inside the file. What is wrong is an error that
// wraps [ErrHeader].
//
// Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
func ReadGGUF(r io.ReaderAt, size int64) (*GGUF, error) {
	if r == nil {
		return nil, fmt.Errorf("%w: the reader is nil", ErrOption)
	}
	g := &ggufReader{r: bufio.NewReaderSize(io.NewSectionReader(r, 0, size), 1<<16), left: uint64(max(size, 0)), align: 32, order: binary.LittleEndian}
	h := &GGUF{}
	var magic [4]byte
	g.full(magic[:])
	if g.err == nil && string(magic[:]) != "GGUF" {
		g.fail("the file does not begin with GGUF")
	}
	h.Version = g.u32()
	if h.Version > 1<<16 { // a big-endian file
		g.order = binary.BigEndian
		h.Version = bits.ReverseBytes32(h.Version)
	}
	if g.err == nil && h.Version != 2 && h.Version != 3 {
		g.fail("version %d: want 2 or 3", h.Version)
	}
	tensors, pairs := g.u64(), g.u64()
	g.atMost("tensors", tensors, 24) // name's length, dimensions, type, offset
	g.atMost("keys", pairs, 13)      // key's length, type, one byte
	seen := map[string]bool{}
	for range pairs {
		if g.pair(h, seen); g.err != nil {
			return nil, g.err
		}
	}
	var spans []Tensor
	names := map[string]bool{}
	for range tensors {
		t := g.tensor()
		if g.err == nil && names[t.Name] {
			g.fail("tensor %q is there twice", printable(t.Name))
		}
		if g.err != nil {
			return nil, g.err
		}
		names[t.Name] = true
		spans = append(spans, t)
	}
	if g.err != nil {
		return nil, g.err
	}
	h.Tensors = spans
	return h, h.place(uint64(size)-g.left, g.align, uint64(size)) //nolint:gosec // size is not negative here
}

// A ggufReader reads numbers of the header and keeps the first error.
type ggufReader struct {
	r     *bufio.Reader
	left  uint64 // bytes of the file that were not read
	align uint64
	order binary.ByteOrder
	err   error
}

func (g *ggufReader) fail(format string, args ...any) {
	if g.err == nil {
		g.err = fmt.Errorf("%w: GGUF: %s", ErrHeader, fmt.Sprintf(format, args...))
	}
}

// atMost checks that a declared count of things of a size fits into what remains.
func (g *ggufReader) atMost(what string, count, size uint64) {
	if high, n := bits.Mul64(count, size); g.err == nil && (high != 0 || n > g.left) {
		g.fail("it declares %d %s of at least %d bytes, and has %d bytes left", count, what, size, g.left)
	}
}

func (g *ggufReader) full(b []byte) {
	g.atMost("bytes", uint64(len(b)), 1)
	if g.err != nil {
		return
	}
	if _, err := io.ReadFull(g.r, b); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			g.fail("it ends in the header")
		} else {
			g.err = err
		}
		return
	}
	g.left -= uint64(len(b))
}

func (g *ggufReader) u32() uint32 {
	var b [4]byte
	g.full(b[:])
	return g.order.Uint32(b[:])
}

func (g *ggufReader) u64() uint64 {
	var b [8]byte
	g.full(b[:])
	return g.order.Uint64(b[:])
}

// text reads a text, or passes it if it is longer than limit.
func (g *ggufReader) text(limit uint64) string {
	n := g.u64()
	g.atMost("bytes of a text", n, 1)
	if g.err != nil {
		return ""
	}
	if n > limit {
		g.skip(n)
		return ""
	}
	b := make([]byte, n)
	g.full(b)
	return string(b)
}

func (g *ggufReader) skip(n uint64) {
	g.atMost("bytes", n, 1)
	for n > 0 && g.err == nil {
		step := min(n, 1<<30)
		if _, err := g.r.Discard(int(step)); err != nil { //nolint:gosec // at most 1<<30
			g.fail("it ends in the header")
			return
		}
		g.left -= step
		n -= step
	}
}

// pair reads one key and its value.
func (g *ggufReader) pair(h *GGUF, seen map[string]bool) {
	key := g.text(65535)
	typ := g.u32()
	if g.err == nil && (key == "" || seen[key]) {
		g.fail("the key %q is empty, too long or there twice", printable(key))
		return
	}
	seen[key] = true
	h.Keys = append(h.Keys, key)
	switch {
	case typ == ggufString:
		n := g.left
		v := g.text(maxTemplate)
		if v == "" && n-g.left > maxTemplate && strings.HasPrefix(key, "tokenizer.chat_template") {
			g.fail("the chat template has more than 1 MiB")
		}
		switch {
		case key == "general.architecture":
			h.Architecture = v
		case key == "general.name":
			h.Name = v
		case key == "general.license":
			h.License = v
		case strings.HasPrefix(key, "tokenizer.chat_template"):
			h.Templates = append(h.Templates, v)
		}
	case key == "general.alignment" && typ == 4:
		g.align = uint64(g.u32())
		if g.err == nil && (g.align == 0 || g.align%8 != 0 || g.align > 1<<16) {
			g.fail("the alignment is %d: want a multiple of 8, at most 65,536", g.align)
		}
	default:
		g.value(typ, 0)
	}
}

// value passes a value.
func (g *ggufReader) value(typ uint32, depth int) {
	if n, ok := ggufBytes[typ]; ok {
		g.skip(n)
		return
	}
	switch {
	case typ == ggufString:
		g.text(0)
	case typ == ggufArray && depth < 8:
		item := g.u32()
		count := g.u64()
		if n, ok := ggufBytes[item]; ok {
			g.atMost("values", count, n)
			g.skip(count * n)
			return
		}
		g.atMost("values", count, 8)
		for range count {
			if g.value(item, depth+1); g.err != nil {
				return
			}
		}
	default:
		g.fail("a value of type %d, nested %d deep", typ, depth)
	}
}

func (g *ggufReader) tensor() Tensor {
	t := Tensor{Name: g.text(65535)}
	dims := g.u32()
	if g.err == nil && (t.Name == "" || len(t.Name) > 64) {
		g.fail("a tensor's name has %d bytes: want 1 to 64", len(t.Name))
	}
	if dims > 4 {
		g.fail("tensor %q has %d dimensions: want at most 4", printable(t.Name), dims)
		return t
	}
	count := uint64(1)
	for range dims {
		n := g.u64()
		high, low := bits.Mul64(count, n)
		if high != 0 || low > math.MaxInt64 || n > math.MaxInt64 {
			g.fail("tensor %q has too many values", printable(t.Name))
			return t
		}
		count = low
		t.Shape = append(t.Shape, int64(n))
	}
	code := g.u32()
	offset := g.u64()
	typ, ok := ggmlTypes[code]
	if !ok {
		g.fail("tensor %q has the type %d, which the format does not have", printable(t.Name), code)
		return t
	}
	t.Type = typ.name
	if len(t.Shape) > 0 && uint64(t.Shape[0])%typ.block != 0 { //nolint:gosec // not negative
		g.fail("tensor %q: a row of %d values is not whole blocks of %d", printable(t.Name), t.Shape[0], typ.block)
		return t
	}
	high, n := bits.Mul64(count/typ.block, typ.bytes)
	if g.err == nil && (high != 0 || n > g.left || offset > math.MaxInt64 || offset+n > math.MaxInt64) {
		g.fail("tensor %q needs %d bytes at %d, and the file has %d left", printable(t.Name), n, offset, g.left)
		return t
	}
	t.Start, t.End = int64(offset), int64(offset+n) //nolint:gosec // checked above
	return t
}

// place moves the tensors to their places in the file, and checks these.
func (h *GGUF) place(header, align, size uint64) error {
	data := (header + align - 1) / align * align
	order := make([]*Tensor, len(h.Tensors))
	for i := range h.Tensors {
		t := &h.Tensors[i]
		order[i] = t
		if uint64(t.Start)%align != 0 { //nolint:gosec // not negative
			return fmt.Errorf("%w: GGUF: tensor %q begins at byte %d: want a multiple of %d", ErrHeader, printable(t.Name), t.Start, align)
		}
		if data > size || uint64(t.End) > size-data { //nolint:gosec // not negative
			return fmt.Errorf("%w: GGUF: tensor %q ends at byte %d of the data, which has %d", ErrHeader, printable(t.Name), t.End, max(size, data)-data)
		}
	}
	slices.SortFunc(order, func(a, b *Tensor) int { return int(min(1, max(-1, a.Start-b.Start))) })
	for i := 1; i < len(order); i++ {
		if order[i].Start < order[i-1].End {
			return fmt.Errorf("%w: GGUF: the tensors %q and %q overlap", ErrHeader, printable(order[i-1].Name), printable(order[i].Name))
		}
	}
	for _, t := range order {
		t.Start, t.End = t.Start+int64(data), t.End+int64(data) //nolint:gosec // inside the file
	}
	return nil
}
