package weights

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// A Source is a tensor to be written.
type Source struct {
	Name  string
	Type  Type
	Shape []int // rows first
	// Floats returns the elements. They are asked for one tensor at a time, so that a
	// model that is larger than the memory can be rewritten.
	Floats func() ([]float32, error)
}

const ggufAlign = 32

// WriteGGUF writes a GGUF file, version 3. The metadata keeps its order;
// general.alignment is left out, since the file has the standard one.
func WriteGGUF(w io.Writer, meta []Pair, tensors []Source) error {
	var head bytes.Buffer
	head.WriteString("GGUF")
	put(&head, uint32(3))
	put(&head, uint64(len(tensors)))
	kept := make([]Pair, 0, len(meta))
	for _, p := range meta {
		if p.Key != alignmentKey {
			kept = append(kept, p)
		}
	}
	put(&head, uint64(len(kept)))
	for _, p := range kept {
		putText(&head, p.Key)
		if err := putValue(&head, p.Value); err != nil {
			return fmt.Errorf("metadata %q: %w", p.Key, err)
		}
	}
	at, sizes := int64(0), make([]int64, len(tensors))
	for i, t := range tensors {
		size, err := t.size()
		if err != nil {
			return err
		}
		putText(&head, t.Name)
		put(&head, uint32(len(t.Shape)))
		for j := range t.Shape {
			put(&head, uint64(t.Shape[len(t.Shape)-1-j]))
		}
		put(&head, uint32(t.Type))
		put(&head, uint64(at))
		sizes[i] = size
		at += (size + ggufAlign - 1) / ggufAlign * ggufAlign
	}
	out := bufio.NewWriterSize(w, 1<<16)
	pad(&head, head.Len())
	if _, err := out.Write(head.Bytes()); err != nil {
		return err
	}
	for i, t := range tensors {
		if err := t.write(out, sizes[i]); err != nil {
			return fmt.Errorf("tensor %q: %w", t.Name, err)
		}
	}
	return out.Flush()
}

func (t Source) size() (int64, error) {
	elements, block := t.Type.Block()
	n := 1
	for _, d := range t.Shape {
		if d <= 0 {
			return 0, fmt.Errorf("%w: tensor %q of shape %v", ErrFormat, t.Name, t.Shape)
		}
		n *= d
	}
	switch {
	case t.Type >= TypeE4M3FN || forms[t.Type].encode == nil:
		return 0, fmt.Errorf("%w: tensor %q as %v", ErrType, t.Name, t.Type)
	case len(t.Shape) == 0 || len(t.Shape) > maxDimensions || t.Shape[len(t.Shape)-1]%elements != 0 || t.Floats == nil:
		return 0, fmt.Errorf("%w: tensor %q of shape %v as %v", ErrFormat, t.Name, t.Shape, t.Type)
	}
	return int64(n / elements * block), nil
}

func (t Source) write(w io.Writer, size int64) error {
	x, err := t.Floats()
	if err != nil {
		return err
	}
	data := make([]byte, size)
	if err := t.Type.Encode(data, x); err != nil {
		return err
	}
	if _, err := w.Write(data); err != nil {
		return err
	}
	_, err = w.Write(make([]byte, (ggufAlign-len(data)%ggufAlign)%ggufAlign))
	return err
}

// Requantize writes a file's metadata and tensors anew. choose names each tensor's
// type; a vector, such as the weights of a norm, is best left as it is.
func (f *File) Requantize(w io.Writer, choose func(Tensor) Type) error {
	if choose == nil {
		return fmt.Errorf("%w: no choice of types", ErrFormat)
	}
	sources := make([]Source, len(f.tensors))
	for i, t := range f.tensors {
		sources[i] = Source{Name: t.Name, Type: choose(t), Shape: t.Shape, Floats: func() ([]float32, error) { return f.Floats(t.Name) }}
	}
	return WriteGGUF(w, f.meta, sources)
}

func put(b *bytes.Buffer, v any) { _ = binary.Write(b, binary.LittleEndian, v) } // a buffer takes every write

func putText(b *bytes.Buffer, s string) {
	put(b, uint64(len(s)))
	b.WriteString(s)
}

func pad(b *bytes.Buffer, n int) {
	b.Write(make([]byte, (ggufAlign-n%ggufAlign)%ggufAlign))
}

// kindOf returns the number of a scalar's type, or of a slice's element type.
func kindOf(v any) (kind uint32, slice bool) {
	switch v.(type) {
	case uint8, []uint8:
		kind = kindU8
	case int8, []int8:
		kind = kindI8
	case uint16, []uint16:
		kind = kindU16
	case int16, []int16:
		kind = kindI16
	case uint32, []uint32:
		kind = kindU32
	case int32, []int32:
		kind = kindI32
	case float32, []float32:
		kind = kindF32
	case bool, []bool:
		kind = kindBool
	case string, []string:
		kind = kindText
	case uint64, []uint64:
		kind = kindU64
	case int64, []int64:
		kind = kindI64
	case float64, []float64:
		kind = kindF64
	case []any:
		return kindArray, true
	default:
		return kindArray, false
	}
	switch v.(type) {
	case uint8, int8, uint16, int16, uint32, int32, float32, bool, string, uint64, int64, float64:
		return kind, false
	}
	return kind, true
}

func putValue(b *bytes.Buffer, v any) error {
	kind, slice := kindOf(v)
	switch {
	case slice:
		put(b, uint32(kindArray))
		return putArray(b, v)
	case kind == kindArray:
		return fmt.Errorf("%w: a value of type %T", ErrType, v)
	}
	put(b, kind)
	if s, ok := v.(string); ok {
		putText(b, s)
	} else {
		put(b, v)
	}
	return nil
}

func putArray(b *bytes.Buffer, v any) error {
	kind, slice := kindOf(v)
	if !slice {
		return fmt.Errorf("%w: a value of type %T in an array of arrays", ErrType, v)
	}
	put(b, kind)
	switch v := v.(type) {
	case []string:
		put(b, uint64(len(v)))
		for _, s := range v {
			putText(b, s)
		}
	case []any:
		put(b, uint64(len(v)))
		for _, inner := range v {
			if err := putArray(b, inner); err != nil {
				return err
			}
		}
	default:
		put(b, uint64(binary.Size(v)/max(1, scalarSize(kind))))
		put(b, v)
	}
	return nil
}
