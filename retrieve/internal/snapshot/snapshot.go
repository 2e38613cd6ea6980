// Package snapshot stores slices of numbers in a file that can be mapped into memory.
//
// A file is, in the byte order of the machine that wrote it:
//
//	magic     16 bytes
//	kind       8 bytes   the package whose index this is
//	order      uint32    other in a machine with the other byte order
//	version    uint32    of the kind's format
//	sections   uint32    their number
//	           uint32    0
//	then for each section: offset uint64, length uint64, CRC-32C uint32, 0 uint32
//	then the CRC-32C of all before it, uint32
//
// and the sections, each at a multiple of 64 bytes, so that a section can be read as
// numbers where it lies.
package snapshot

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"unsafe"
)

// Errors of [Open].
var (
	// ErrFormat is wrapped by errors for a file that is not a snapshot, or is cut off
	// or changed.
	ErrFormat = errors.New("not an intact snapshot of an index")
	// ErrVersion is wrapped by errors for a snapshot of another version of the format,
	// or of a machine with another byte order.
	ErrVersion = errors.New("a snapshot of another format")
)

const (
	magic     = "prodai index  \r\n"
	order     = 0x01020304
	align     = 64
	headSize  = 16 + 8 + 4*4
	entrySize = 24
	most      = 64 // sections
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A Number is what a section consists of.
type Number interface {
	~uint8 | ~int8 | ~uint32 | ~int64 | ~float32 | ~float64
}

// Bytes views numbers as bytes.
func Bytes[T Number](s []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(*new(T))))
}

// Numbers views a section of n numbers.
func Numbers[T Number](f *File, section, n int) ([]T, error) {
	size := int(unsafe.Sizeof(*new(T)))
	if section >= len(f.sections) {
		return nil, fmt.Errorf("%w: there is no section %d", ErrFormat, section)
	}
	b := f.sections[section]
	if n < 0 || len(b)%size != 0 || len(b)/size != n {
		return nil, fmt.Errorf("%w: section %d has %d bytes, want %d numbers of %d", ErrFormat, section, len(b), n, size)
	}
	if n == 0 {
		return nil, nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), n), nil
}

// All views a section of as many numbers as it has.
func All[T Number](f *File, section int) ([]T, error) {
	if section >= len(f.sections) {
		return nil, fmt.Errorf("%w: there is no section %d", ErrFormat, section)
	}
	return Numbers[T](f, section, len(f.sections[section])/int(unsafe.Sizeof(*new(T))))
}

// Save writes the file at path, in place of the one that was there. The new file is
// written beside it, synced and renamed, so a crash leaves the old or the new one.
func Save(path, kind string, version uint32, sections ...[]byte) (err error) {
	if len(kind) > 8 || len(sections) > most {
		return fmt.Errorf("snapshot: the kind %q or %d sections are too long", kind, len(sections))
	}
	dir := filepath.Dir(path)
	file, err := os.CreateTemp(dir, filepath.Base(path)+".*.tmp")
	if err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("snapshot: write %s: %w", path, err), file.Close(), os.Remove(file.Name()))
		}
	}()
	if err = write(file, kind, version, sections); err != nil {
		return err
	}
	if err = errors.Join(file.Chmod(0o644), file.Sync()); err != nil {
		return err
	}
	if err = file.Close(); err != nil {
		return err
	}
	if err = os.Rename(file.Name(), path); err != nil {
		return err
	}
	syncFolder(dir)
	return nil
}

// syncFolder makes the rename survive a crash of the machine, where that can be asked
// for: without it the old file may be there again.
func syncFolder(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync() // not possible on every system
		_ = d.Close()
	}
}

func write(to io.Writer, kind string, version uint32, sections [][]byte) error {
	head := append(make([]byte, 0, headSize), magic...)
	head = append(head, kind...)
	head = append(head, make([]byte, 8-len(kind))...)
	for _, n := range []uint32{order, version, uint32(len(sections)), 0} {
		head = binary.NativeEndian.AppendUint32(head, n)
	}
	at := up(headSize + entrySize*len(sections) + 4)
	for _, s := range sections {
		head = binary.NativeEndian.AppendUint64(head, uint64(at))
		head = binary.NativeEndian.AppendUint64(head, uint64(len(s)))
		head = binary.NativeEndian.AppendUint32(head, crc32.Checksum(s, castagnoli))
		head = binary.NativeEndian.AppendUint32(head, 0)
		at = up(at + len(s))
	}
	head = binary.NativeEndian.AppendUint32(head, crc32.Checksum(head, castagnoli))
	w := bufio.NewWriterSize(to, 1<<16)
	for _, part := range append([][]byte{head}, sections...) {
		if _, err := w.Write(part); err != nil {
			return err
		}
		if _, err := w.Write(make([]byte, up(len(part))-len(part))); err != nil {
			return err
		}
	}
	return w.Flush()
}

// up rounds up to a multiple of align.
func up(n int) int { return (n + align - 1) &^ (align - 1) }

// A File is an open snapshot. Its memory may be changed; the file isn't.
type File struct {
	Version  uint32
	sections [][]byte
	memory   *memory
}

// Open maps the file at path into memory or, where that isn't possible, reads it, and
// checks it. It fails with [ErrFormat], [ErrVersion] if its version is above newest,
// or the error of the file.
func Open(path, kind string, newest uint32) (*File, error) {
	m, err := load(path)
	if err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	f := &File{memory: m}
	if err := f.read(m.data, kind, newest); err != nil {
		m.free()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f.Forget()
	return f, nil
}

// Load opens the file at path as [Open] does, and returns what decode makes of it, which
// keeps the memory of the file.
func Load[T any](path, kind string, newest uint32, decode func(*File) (*T, error)) (*T, error) {
	f, err := Open(path, kind, newest)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", kind, err)
	}
	x, err := decode(f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: open %s: %w", kind, path, err)
	}
	Keep(f, x)
	return x, nil
}

// Keep keeps the memory of the file for as long as owner can be reached.
func Keep[T any](f *File, owner *T) { runtime.AddCleanup(owner, (*memory).free, f.memory) }

// Forget lets what was read so far leave this process's memory, where the system can do
// that: it comes back from the system's cache, or the disk, when it is used. Changes of
// the memory are lost.
func (f *File) Forget() { f.memory.forget() }

// Close frees the memory of a file that nothing will use.
func (f *File) Close() { f.memory.free() }

func (f *File) read(data []byte, kind string, newest uint32) error {
	if len(data) < headSize || string(data[:len(magic)]) != magic {
		return fmt.Errorf("%w: it doesn't begin as one", ErrFormat)
	}
	word := func(at int) uint32 { return binary.NativeEndian.Uint32(data[at:]) }
	if got := string(bytes.TrimRight(data[16:24], "\x00")); got != kind {
		return fmt.Errorf("%w: it is of the kind %q, want %q", ErrFormat, got, kind)
	}
	if word(24) != order {
		return fmt.Errorf("%w: it was written by a machine with another byte order", ErrVersion)
	}
	f.Version = word(28)
	if f.Version == 0 || f.Version > newest {
		return fmt.Errorf("%w: version %d, this program reads up to %d", ErrVersion, f.Version, newest)
	}
	n := int(word(32))
	end := headSize + entrySize*n
	if n > most || len(data) < end+4 || word(36) != 0 {
		return fmt.Errorf("%w: %d sections in %d bytes", ErrFormat, n, len(data))
	}
	if crc32.Checksum(data[:end], castagnoli) != word(end) {
		return fmt.Errorf("%w: its head fails the checksum", ErrFormat)
	}
	for i := range n {
		at := headSize + entrySize*i
		from, length := binary.NativeEndian.Uint64(data[at:]), binary.NativeEndian.Uint64(data[at+8:])
		if from%align != 0 || from > uint64(len(data)) || length > uint64(len(data))-from {
			return fmt.Errorf("%w: section %d is cut off: %d bytes at %d of %d", ErrFormat, i, length, from, len(data))
		}
		s := data[from : from+length : from+length]
		if crc32.Checksum(s, castagnoli) != word(at+16) {
			return fmt.Errorf("%w: section %d fails its checksum", ErrFormat, i)
		}
		f.sections = append(f.sections, s)
	}
	return nil
}

// read reads a file into memory that is aligned for every number.
func read(path string) (*memory, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // nothing was written
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	words := make([]uint64, (info.Size()+7)/8)
	data := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), len(words)*8)[:info.Size()]
	if _, err := io.ReadFull(file, data); err != nil {
		return nil, err
	}
	return &memory{data: data}, nil
}
