package disk

import (
	"container/list"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prodailabs/prodai/cache"
)

// ErrOption is wrapped by the error of [Open] if an option cannot work.
var ErrOption = errors.New("cache/disk: invalid option")

// Options configure a [Store]. The zero value works.
type Options struct {
	// MaxBytes is the room of all files together. Default: 1 GiB.
	MaxBytes int64
}

// A Store is a cache.Store, cache.Expirer, cache.Eraser and cache.Walker in a folder. It is safe for
// concurrent use. It needs no closing.
type Store struct {
	root *os.Root
	room int64

	mu    sync.Mutex
	used  int64
	files map[cache.Key]*list.Element
	order *list.List // of file, recently used first

	write func(f *os.File, data []byte) error // replaced in tests
}

// A file is what the store knows of an answer's file.
type file struct {
	key  cache.Key
	size int64
}

var (
	_ cache.Store   = (*Store)(nil)
	_ cache.Expirer = (*Store)(nil)
	_ cache.Eraser  = (*Store)(nil)
	_ cache.Walker  = (*Store)(nil)
)

// temporary ends the names of files that are not complete.
const temporary = ".tmp"

// staleTemporary is the age from which such a file is left from a process that died.
const staleTemporary = time.Hour

// Open opens the store in a folder, and makes it if it doesn't exist. Files that it
// doesn't know stay untouched. nil options mean the defaults. An error of an option
// wraps [ErrOption].
func Open(folder string, o *Options) (*Store, error) {
	if o == nil {
		o = &Options{}
	}
	if folder == "" || o.MaxBytes < 0 {
		return nil, fmt.Errorf("%w: folder %q, %d bytes", ErrOption, folder, o.MaxBytes)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("cache/disk: %w", err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("cache/disk: %w", err)
	}
	s := &Store{root: root, room: o.MaxBytes, files: map[cache.Key]*list.Element{}, order: list.New(), write: writeAll}
	if s.room == 0 {
		s.room = 1 << 30
	}
	if err := s.scan(); err != nil {
		_ = root.Close()
		return nil, fmt.Errorf("cache/disk: %w", err)
	}
	return s, nil
}

func writeAll(f *os.File, data []byte) error {
	_, err := f.Write(data)
	return err
}

// scan finds the files of earlier processes, the newest first.
func (s *Store) scan() error {
	type found struct {
		file
		at time.Time
	}
	var all []found
	err := fs.WalkDir(s.root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // dropped by another process meanwhile
			}
			return err
		}
		key, ok := keyOf(filepath.Base(strings.TrimSuffix(path, temporary)))
		info, err := d.Info()
		if err != nil {
			return nil //nolint:nilerr // dropped by another process meanwhile
		}
		switch {
		case !ok || !info.Mode().IsRegular():
		case strings.HasSuffix(path, temporary):
			if time.Since(info.ModTime()) > staleTemporary {
				_ = s.root.Remove(path) // if it can't be removed, it only costs room
			}
		case path == nameOf(key):
			all = append(all, found{file{key, info.Size()}, info.ModTime()})
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b found) int { return b.at.Compare(a.at) })
	for _, f := range all {
		s.files[f.key] = s.order.PushBack(f.file)
		s.used += f.size
	}
	s.shrink()
	return nil
}

// nameOf spreads the files over 256 folders.
func nameOf(key cache.Key) string {
	name := key.String()
	return name[:2] + "/" + name
}

// keyOf reads the name of a file, which may have more after the key.
func keyOf(name string) (cache.Key, bool) {
	name, _, _ = strings.Cut(name, "-")
	data, err := hex.DecodeString(name)
	if err != nil || len(data) != len(cache.Key{}) || hex.EncodeToString(data) != name {
		return cache.Key{}, false
	}
	return cache.Key(data), true
}

// Get returns the entry of a key, or nil. A damaged file counts as none, and is removed.
func (s *Store) Get(ctx context.Context, key cache.Key) (*cache.Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("cache/disk: %w", err)
	}
	data, err := s.root.ReadFile(nameOf(key))
	if errors.Is(err, fs.ErrNotExist) {
		s.forget(key)
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cache/disk: %w", err)
	}
	e, err := decode(key, data)
	if err != nil {
		return nil, errors.Join(err, s.drop(key))
	}
	s.known(key, int64(len(data)))
	return e, nil
}

// Put keeps an entry. One that is larger than the whole room is dropped.
func (s *Store) Put(ctx context.Context, key cache.Key, e *cache.Entry) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("cache/disk: %w", err)
	}
	if e == nil || e.Response == nil {
		return nil
	}
	data, err := encode(key, e)
	if err != nil {
		return fmt.Errorf("cache/disk: %w", err)
	}
	if int64(len(data)) > s.room {
		return s.drop(key) // an older answer to the same call
	}
	if err := s.save(nameOf(key), data); err != nil {
		return fmt.Errorf("cache/disk: %w", err)
	}
	s.known(key, int64(len(data)))
	return nil
}

// save writes a file under another name and gives it its own.
func (s *Store) save(name string, data []byte) (err error) {
	if err := s.root.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	part := name + "-" + rand.Text() + temporary
	f, err := s.root.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = s.root.Remove(part) // the error that is returned says more
		}
	}()
	err = s.write(f, data)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return s.root.Rename(part, name)
}

// known counts a file that was used just now, and makes room.
func (s *Store) known(key cache.Key, size int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if el, ok := s.files[key]; ok {
		s.used += size - el.Value.(file).size
		el.Value = file{key, size}
		s.order.MoveToFront(el)
	} else {
		s.files[key] = s.order.PushFront(file{key, size})
		s.used += size
	}
	s.shrink()
}

// shrink drops files until the rest has room.
func (s *Store) shrink() {
	for s.used > s.room {
		el := s.order.Back()
		key := el.Value.(file).key
		_ = s.root.Remove(nameOf(key)) // if it can't be removed, the next Open counts it again
		s.uncount(el)
	}
}

func (s *Store) uncount(el *list.Element) {
	f := s.order.Remove(el).(file)
	delete(s.files, f.key)
	s.used -= f.size
}

// forget stops counting a file that is gone.
func (s *Store) forget(key cache.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if el, ok := s.files[key]; ok {
		s.uncount(el)
	}
}

// drop removes a file.
func (s *Store) drop(key cache.Key) error {
	s.forget(key)
	if err := s.root.Remove(nameOf(key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cache/disk: %w", err)
	}
	return nil
}

// Expire drops the entry of a key if it is past its time at now.
func (s *Store) Expire(ctx context.Context, key cache.Key, now time.Time) {
	if e, err := s.Get(ctx, key); err == nil && e != nil && e.Expired(now) {
		_ = s.drop(key) // it is looked at again when it is asked for
	}
}

// Erase reads all files, of other processes too, and drops the chosen entries. Files that
// can't be read as an entry, or are not complete, are dropped too, since what they hold
// is unknown.
func (s *Store) Erase(ctx context.Context, selection cache.Selection) (int, error) {
	n := 0
	err := s.walk(ctx, func(_ cache.Key, e *cache.Entry) bool { return e == nil || selection.Includes(e) },
		// Of a process that died, or of a Put in progress, which then fails.
		s.root.Remove, func() { n++ })
	return n, err
}

// Walk reads all files, of other processes too, as cache.Walker describes.
func (s *Store) Walk(ctx context.Context, visit func(cache.Key, *cache.Entry) bool) error {
	return s.walk(ctx, visit, func(string) error { return nil }, func() {})
}

// walk calls visit for each entry and partial for each file that isn't complete, and
// dropped after each entry that it drops.
func (s *Store) walk(ctx context.Context, visit func(cache.Key, *cache.Entry) bool, partial func(path string) error, dropped func()) error {
	var failed error
	err := fs.WalkDir(s.root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err != nil || d.IsDir() {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		}
		key, ok := keyOf(filepath.Base(strings.TrimSuffix(path, temporary)))
		if ok && strings.HasSuffix(path, temporary) {
			failed = errors.Join(failed, partial(path))
			return nil
		}
		if !ok || path != nameOf(key) {
			return nil
		}
		data, err := s.root.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			e, bad := decode(key, data)
			if bad != nil {
				e = nil
			}
			if !visit(key, e) {
				return nil
			}
			err = s.drop(key)
		}
		if err != nil {
			failed = errors.Join(failed, err) // the others should go all the same
			return nil
		}
		dropped()
		return nil
	})
	if err = errors.Join(failed, err); err != nil {
		return fmt.Errorf("cache/disk: %w", err)
	}
	return nil
}

// Len returns the number of entries that the store knows, and their bytes.
func (s *Store) Len() (entries int, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.files), s.used
}
