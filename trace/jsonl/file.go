package jsonl

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Sync is when a [File] asks the operating system to put its data on the disk.
type Sync uint8

// The policies. A crash of the program loses nothing that was written under any of
// them; a crash of the machine may lose what was not synced.
const (
	SyncRotate Sync = iota // when a file is full, and at Close
	SyncWrite              // after each write: one a batch of spans
	SyncNever              // the operating system decides
)

// FileOptions configure a [File]. The zero value works.
type FileOptions struct {
	// MaxBytes is the size at which a new file is begun. Default: 100 MiB.
	MaxBytes int64

	// MaxAge is the age at which a new file is begun. Default: none.
	MaxAge time.Duration

	// Keep is how many full files are kept beside the current one; the oldest are
	// deleted. Default: 10. Negative: all.
	Keep int

	// Sync is when data is put on the disk. Default: SyncRotate.
	Sync Sync

	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// A File is a file of spans that begins anew when it is large or old. It is the
// writer for [New]: each of its writes is one batch of whole lines, so that no line
// is cut in two. One process writes one path. It is safe for concurrent use.
//
// A full file "spans.jsonl" becomes "spans-20261130T051200.000000000Z.jsonl", with
// the time at which it was full.
type File struct {
	o    FileOptions
	path string

	mu     sync.Mutex
	f      *os.File
	size   int64
	began  time.Time
	failed error // the last rotation's
	closed bool
}

// OpenFile opens or creates the file at path, for appending. A last line that a
// crash cut off is ended, so that only it is unreadable. Errors wrap [ErrOption] or
// come from the operating system.
func OpenFile(path string, o *FileOptions) (*File, error) {
	f := &File{path: path}
	if o != nil {
		f.o = *o
	}
	switch {
	case path == "":
		return nil, fmt.Errorf("%w: the path is empty", ErrOption)
	case f.o.MaxBytes < 0, f.o.MaxAge < 0, f.o.Sync > SyncNever:
		return nil, fmt.Errorf("%w: FileOptions %+v: want no negative MaxBytes or MaxAge, and a known Sync", ErrOption, f.o)
	}
	if f.o.MaxBytes == 0 {
		f.o.MaxBytes = 100 << 20
	}
	if f.o.Keep == 0 {
		f.o.Keep = 10
	}
	if f.o.Now == nil {
		f.o.Now = time.Now
	}
	if err := f.open(); err != nil {
		return nil, err
	}
	return f, nil
}

// open opens the current file and ends its last line.
func (f *File) open() error {
	file, err := os.OpenFile(f.path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("jsonl: %w", err)
	}
	info, err := file.Stat()
	if err == nil && info.Size() > 0 {
		last := make([]byte, 1)
		if _, err = file.ReadAt(last, info.Size()-1); err == nil && last[0] != '\n' {
			_, err = file.WriteString("\n")
		}
	}
	if err != nil {
		return errors.Join(fmt.Errorf("jsonl: %w", err), file.Close())
	}
	if info, err = file.Stat(); err != nil {
		return errors.Join(fmt.Errorf("jsonl: %w", err), file.Close())
	}
	f.f, f.size, f.began = file, info.Size(), f.o.Now()
	return nil
}

// Write appends data, which is whole lines. If it does not fit as a whole, on a full
// disk, nothing of it stays. If a new file cannot be begun, the old one is written
// on: see [File.Err].
func (f *File) Write(data []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.closed:
		return 0, fmt.Errorf("jsonl: %w", fs.ErrClosed)
	case f.f == nil: // a rotation failed; there may be a way again
		if err := f.open(); err != nil {
			return 0, err
		}
	}
	full := f.size+int64(len(data)) > f.o.MaxBytes || f.o.MaxAge > 0 && f.o.Now().Sub(f.began) >= f.o.MaxAge
	if full && f.size > 0 {
		f.failed = f.rotate()
		if f.f == nil {
			return 0, f.failed
		}
	}
	n, err := f.f.Write(data)
	if err != nil {
		if n > 0 && f.f.Truncate(f.size) == nil {
			n = 0
		}
		f.size += int64(n)
		return n, fmt.Errorf("jsonl: %w", err)
	}
	f.size += int64(n)
	if f.o.Sync == SyncWrite {
		if err := f.f.Sync(); err != nil {
			return n, fmt.Errorf("jsonl: %w", err)
		}
	}
	return n, nil
}

// rotate gives the current file its final name and begins a new one.
func (f *File) rotate() error {
	if f.o.Sync != SyncNever {
		if err := f.f.Sync(); err != nil {
			return fmt.Errorf("jsonl: %w", err)
		}
	}
	if err := f.f.Close(); err != nil { // Windows renames no open file
		f.f = nil
		return errors.Join(fmt.Errorf("jsonl: %w", err), f.open())
	}
	f.f = nil
	if err := os.Rename(f.path, f.fullName()); err != nil {
		return errors.Join(fmt.Errorf("jsonl: %w", err), f.open())
	}
	if err := f.open(); err != nil {
		return err
	}
	return f.prune()
}

// fullName returns a name that is not taken and sorts after the earlier ones.
func (f *File) fullName() string {
	base, ext := stem(f.path)
	at := f.o.Now().UTC()
	for {
		name := base + "-" + at.Format(stampForm) + ext
		if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			return name
		}
		at = at.Add(time.Nanosecond)
	}
}

const stampForm = "20060102T150405.000000000Z"

func stem(path string) (base, ext string) {
	ext = filepath.Ext(path)
	return strings.TrimSuffix(path, ext), ext
}

// fullFiles returns the full files of a path, the oldest first.
func fullFiles(path string) ([]string, error) {
	base, ext := stem(path)
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("jsonl: %w", err)
	}
	var out []string
	for _, e := range entries {
		stamp, ok := strings.CutPrefix(e.Name(), filepath.Base(base)+"-")
		if !ok {
			continue
		}
		stamp, ok = strings.CutSuffix(stamp, ext)
		if _, err := time.Parse(stampForm, stamp); ok && err == nil {
			out = append(out, filepath.Join(filepath.Dir(path), e.Name()))
		}
	}
	slices.Sort(out)
	return out, nil
}

func (f *File) prune() error {
	if f.o.Keep < 0 {
		return nil
	}
	full, err := fullFiles(f.path)
	if err != nil {
		return err
	}
	for _, name := range full[:max(len(full)-f.o.Keep, 0)] {
		if err := os.Remove(name); err != nil {
			return fmt.Errorf("jsonl: %w", err)
		}
	}
	return nil
}

// Err returns why the last rotation failed, or nil. Spans were written to the old
// file then.
func (f *File) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failed
}

// Close closes the file, after putting it on the disk unless SyncNever is set. Shut
// the tracer provider down first. The second Close does nothing.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	if f.f == nil {
		return nil
	}
	var err error
	if f.o.Sync != SyncNever {
		err = f.f.Sync()
	}
	err = errors.Join(err, f.f.Close())
	f.f = nil
	return err
}

// ReadFile yields the records of the file at path and of its full files, the oldest
// first. Errors are those of [Read] and of the operating system.
func ReadFile(path string) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		names, err := fullFiles(path)
		if err != nil {
			yield(Record{}, err)
			return
		}
		if _, err := os.Stat(path); err == nil || len(names) == 0 {
			names = append(names, path)
		}
		for _, name := range names {
			if !readOne(name, yield) {
				return
			}
		}
	}
}

func readOne(name string, yield func(Record, error) bool) bool {
	file, err := os.Open(name)
	if err != nil {
		return yield(Record{}, fmt.Errorf("jsonl: %w", err))
	}
	defer func() { _ = file.Close() }() // it was only read
	for r, err := range Records(file) {
		if err != nil {
			err = fmt.Errorf("%s: %w", filepath.Base(name), err)
		}
		if !yield(r, err) {
			return false
		}
	}
	return true
}
