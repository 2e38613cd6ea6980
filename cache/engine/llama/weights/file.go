package weights

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
)

// A File is an open weight file: its metadata and tensors are read, the elements are
// not. Its methods may be called from several goroutines.
type File struct {
	tensors  []Tensor
	byName   map[string]int
	meta     []Pair
	metaName map[string]int
	total    int64 // bytes of all tensors
	r        io.ReaderAt
	closer   io.Closer
	shards   []*File  // of a checkpoint
	origins  []origin // of a checkpoint's tensors, in their order
}

// A Tensor says where the elements of one matrix lie.
type Tensor struct {
	Name string
	Type Type
	// Shape has the rows first and the elements of a row last, as in safetensors; GGUF
	// itself writes them the other way around.
	Shape []int
	// Offset and Size are in bytes; Offset counts from the begin of the tensor's file.
	Offset, Size int64
}

// Elements returns the product of the shape.
func (t Tensor) Elements() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// A Pair is an entry of the metadata. Value is a bool, a string, a number of GGUF's
// (uint8 to uint64, int8 to int64, float32, float64), a slice of one of these, or an
// []any of such slices.
type Pair struct {
	Key   string
	Value any
}

// Open opens a GGUF or safetensors file; which it is, the first bytes tell. Close it
// when the model is loaded.
//
// A folder is opened as a checkpoint of Hugging Face's, see [ReadCheckpoint]; its name is
// the model's.
func Open(path string) (*File, error) {
	switch info, err := os.Stat(path); { // before it is opened, which for a pipe waits for a writer
	case err != nil:
		return nil, err
	case !info.IsDir() && !info.Mode().IsRegular():
		return nil, fmt.Errorf("%w: %s is not a regular file", ErrFormat, path)
	case info.IsDir():
		full, err := filepath.Abs(path) // "." is no name
		if err != nil {
			return nil, err
		}
		f, err := ReadCheckpoint(os.DirFS(full), filepath.Base(full))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return f, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	var out *File
	if err == nil {
		out, err = Read(f, info.Size())
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	out.closer = f
	return out, nil
}

// Read reads the header of a GGUF or safetensors file of size bytes.
func Read(r io.ReaderAt, size int64) (*File, error) {
	if r == nil {
		return nil, fmt.Errorf("%w: no reader", ErrFormat)
	}
	var magic [4]byte
	if _, err := r.ReadAt(magic[:], 0); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	f := &File{r: r, byName: map[string]int{}, metaName: map[string]int{}}
	read := f.readSafetensors
	if string(magic[:]) == "GGUF" {
		read = f.readGGUF
	}
	if err := read(size); err != nil {
		return nil, err
	}
	return f, nil
}

// Close closes the file that [Open] opened; after [Read] it does nothing.
func (f *File) Close() error {
	var err error
	for _, s := range f.shards {
		err = errors.Join(err, s.Close())
	}
	if f.closer != nil {
		err = errors.Join(err, f.closer.Close())
	}
	return err
}

// Tensors returns the tensors in the order of the file.
func (f *File) Tensors() []Tensor { return slices.Clone(f.tensors) }

// Tensor returns the tensor of that name.
func (f *File) Tensor(name string) (Tensor, bool) {
	i, ok := f.byName[name]
	if !ok {
		return Tensor{}, false
	}
	return f.tensors[i], true
}

// Metadata returns the entries in the order of the file.
func (f *File) Metadata() iter.Seq[Pair] { return slices.Values(f.meta) }

// Value returns the metadata's value of a key, nil if there is none. Don't change
// what a slice contains.
func (f *File) Value(key string) any {
	if i, ok := f.metaName[key]; ok {
		return f.meta[i].Value
	}
	return nil
}

// Int returns an integer of the metadata, of whatever width.
func (f *File) Int(key string) (int64, bool) {
	switch v := f.Value(key).(type) {
	case uint8:
		return int64(v), true
	case int8:
		return int64(v), true
	case uint16:
		return int64(v), true
	case int16:
		return int64(v), true
	case uint32:
		return int64(v), true
	case int32:
		return int64(v), true
	case uint64:
		return int64(v), v < 1<<63
	case int64:
		return v, true
	}
	return 0, false
}

// Float returns a floating-point number of the metadata.
func (f *File) Float(key string) (float64, bool) {
	switch v := f.Value(key).(type) {
	case float32:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// Text returns a string of the metadata, "" if there is none.
func (f *File) Text(key string) string {
	s, _ := f.Value(key).(string)
	return s
}

// Bytes returns a tensor's elements as they are stored.
func (f *File) Bytes(name string) ([]byte, error) {
	t, ok := f.Tensor(name)
	if !ok {
		return nil, fmt.Errorf("%w: tensor %q", ErrMissing, name)
	}
	from := origin{r: f.r}
	if f.origins != nil {
		from = f.origins[f.byName[name]]
	}
	out := make([]byte, t.Size)
	if _, err := io.ReadFull(io.NewSectionReader(from.r, t.Offset, t.Size), out); err != nil {
		return nil, fmt.Errorf("%w: tensor %q: %w", ErrFormat, name, err)
	}
	return from.order(out, t.Shape), nil
}

// Floats returns a tensor's elements as float32. A NaN or an infinity among them is
// an error that wraps [ErrNotFinite] and names the tensor.
func (f *File) Floats(name string) ([]float32, error) {
	data, err := f.Bytes(name)
	if err != nil {
		return nil, err
	}
	t, _ := f.Tensor(name)
	out := make([]float32, t.Elements())
	if err := t.Type.Decode(out, data); err != nil {
		return nil, fmt.Errorf("tensor %q: %w", name, err)
	}
	for i, x := range out {
		if x-x != 0 {
			return nil, fmt.Errorf("tensor %q: %w: element %d is %v", name, ErrNotFinite, i, x)
		}
	}
	return out, nil
}

// add checks a tensor against the file's size and keeps it.
func (f *File) add(t Tensor, fileSize int64) error {
	elements, bytes := t.Type.Block()
	if elements == 0 {
		return fmt.Errorf("%w: tensor %q has %v", ErrType, t.Name, t.Type)
	}
	if _, twice := f.byName[t.Name]; twice {
		return fmt.Errorf("%w: tensor %q appears twice", ErrFormat, t.Name)
	}
	n := int64(1)
	for _, d := range t.Shape {
		if d < 0 || d > 0 && n > fileSize*256/int64(d) {
			return fmt.Errorf("%w: tensor %q of shape %v is larger than the file", ErrFormat, t.Name, t.Shape)
		}
		n *= int64(d)
	}
	if len(t.Shape) > 0 && t.Shape[len(t.Shape)-1]%elements != 0 || len(t.Shape) == 0 && elements > 1 {
		return fmt.Errorf("%w: tensor %q has rows of a length that is not a multiple of a block of %v", ErrFormat, t.Name, t.Type)
	}
	t.Size = n / int64(elements) * int64(bytes)
	if t.Offset < 0 || t.Offset > fileSize || t.Size > fileSize-t.Offset {
		return fmt.Errorf("%w: tensor %q ends beyond the file", ErrFormat, t.Name)
	}
	if f.total += t.Size; f.total > fileSize { // reading all of them costs no more than the file
		return fmt.Errorf("%w: tensor %q overlaps another", ErrFormat, t.Name)
	}
	f.byName[t.Name] = len(f.tensors)
	f.tensors = append(f.tensors, t)
	return nil
}

// A scanner reads a header and knows how many bytes are left.
type scanner struct {
	r    io.Reader
	left int64
	err  error
}

func (s *scanner) fail(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf("%w: "+format, append([]any{ErrFormat}, args...)...)
	}
}

// bytes returns the next n bytes, nil after an error.
func (s *scanner) bytes(n uint64) []byte {
	if s.err == nil && n > uint64(s.left) {
		s.fail("%d bytes are claimed, %d are left", n, s.left)
	}
	if s.err != nil {
		return nil
	}
	out := make([]byte, n)
	if _, err := io.ReadFull(s.r, out); err != nil {
		s.fail("%w", err)
		return nil
	}
	s.left -= int64(n)
	return out
}

func (s *scanner) u32() uint32 {
	b := s.bytes(4)
	if b == nil {
		return 0
	}
	return binary.LittleEndian.Uint32(b)
}

func (s *scanner) u64() uint64 {
	b := s.bytes(8)
	if b == nil {
		return 0
	}
	return binary.LittleEndian.Uint64(b)
}

func (s *scanner) text() string { return string(s.bytes(s.u64())) }
