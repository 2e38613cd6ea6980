package weights

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// maxHeader is the bound of the safetensors format itself.
const maxHeader = 100_000_000

var safeTypes = map[string]Type{
	"F64": TypeF64, "F32": TypeF32, "F16": TypeF16, "BF16": TypeBF16,
	"I64": TypeI64, "I32": TypeI32, "I16": TypeI16, "I8": TypeI8,
	"F8_E4M3": TypeE4M3FN, "F8_E5M2": TypeE5M2,
}

// readSafetensors reads the header: 8 bytes of length, then a JSON object with a
// member for each tensor.
func (f *File) readSafetensors(size int64) error {
	s := &scanner{r: io.NewSectionReader(f.r, 0, size), left: size}
	n := s.u64()
	if s.err == nil && n > maxHeader {
		s.fail("neither GGUF nor safetensors: a header of %d bytes", n)
	}
	head := s.bytes(n)
	if s.err != nil {
		return s.err
	}
	begin := size - s.left
	d := json.NewDecoder(bytes.NewReader(head))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return fmt.Errorf("%w: neither GGUF nor safetensors: the header is not a JSON object", ErrFormat)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return fmt.Errorf("%w: %w", ErrFormat, err)
		}
		if name == "__metadata__" {
			err = f.readSafeMetadata(d)
		} else {
			err = f.readSafeTensor(d, name.(string), begin, size)
		}
		if err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return nil
}

func (f *File) readSafeMetadata(d *json.Decoder) error {
	var pairs map[string]string
	if err := d.Decode(&pairs); err != nil {
		return fmt.Errorf("%w: __metadata__: %w", ErrFormat, err)
	}
	for k, v := range pairs {
		if _, twice := f.metaName[k]; twice {
			return fmt.Errorf("%w: the key %q appears twice", ErrFormat, k)
		}
		f.metaName[k] = len(f.meta)
		f.meta = append(f.meta, Pair{k, v})
	}
	return nil
}

func (f *File) readSafeTensor(d *json.Decoder, name string, begin, size int64) error {
	var entry struct {
		DType   string  `json:"dtype"`
		Shape   []int   `json:"shape"`
		Offsets []int64 `json:"data_offsets"`
	}
	if err := d.Decode(&entry); err != nil {
		return fmt.Errorf("%w: tensor %q: %w", ErrFormat, name, err)
	}
	typ, ok := safeTypes[entry.DType]
	if !ok {
		return fmt.Errorf("%w: tensor %q has %q", ErrType, name, entry.DType)
	}
	o := entry.Offsets
	if len(o) != 2 || o[0] < 0 || o[1] < o[0] || o[1] > size-begin {
		return fmt.Errorf("%w: tensor %q has the offsets %v", ErrFormat, name, o)
	}
	if err := f.add(Tensor{Name: name, Type: typ, Shape: entry.Shape, Offset: begin + o[0]}, size); err != nil {
		return err
	}
	if t, _ := f.Tensor(name); t.Size != o[1]-o[0] {
		return fmt.Errorf("%w: tensor %q has %d bytes, its shape %v needs %d", ErrFormat, name, o[1]-o[0], entry.Shape, t.Size)
	}
	return nil
}
