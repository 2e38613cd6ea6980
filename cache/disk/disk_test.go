package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/cache"
)

func entry(text string) *cache.Entry {
	return &cache.Entry{Response: &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: text, StopReason: "stop",
		ToolCalls: []llms.ToolCall{{ID: "1", FunctionCall: &llms.FunctionCall{Name: "f", Arguments: "{}"}}}}}}, Model: "m", Stored: time.Unix(1e9, 0)}
}

func open(t *testing.T, folder string, room int64) *Store {
	t.Helper()
	s, err := Open(folder, &Options{MaxBytes: room})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.root.Close() })
	return s
}

func contentOf(t *testing.T, s *Store, key cache.Key) string {
	t.Helper()
	e, err := s.Get(t.Context(), key)
	require.NoError(t, err)
	if e == nil {
		return "none"
	}
	return e.Response.Choices[0].Content
}

func TestOpen(t *testing.T) {
	_, err := Open("", nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = Open(t.TempDir(), &Options{MaxBytes: -1})
	require.ErrorIs(t, err, ErrOption)
	file := filepath.Join(t.TempDir(), "f")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err = Open(file, nil)
	require.Error(t, err)
	s, err := Open(t.TempDir(), nil)
	require.NoError(t, err)
	require.EqualValues(t, 1<<30, s.room)
	require.NoError(t, s.root.Close())
}

func TestAnswersSurviveARestart(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder, 1<<20)
	require.Equal(t, "none", contentOf(t, s, cache.Key{1}))
	want := entry("a\xff")
	require.NoError(t, s.Put(t.Context(), cache.Key{1}, want))
	require.NoError(t, s.Put(t.Context(), cache.Key{2}, nil))
	stray := filepath.Join(folder, "notes.txt")
	require.NoError(t, os.WriteFile(stray, []byte("mine"), 0o600))

	again := open(t, folder, 1<<20)
	got, err := again.Get(t.Context(), cache.Key{1})
	require.NoError(t, err)
	require.Equal(t, want.Response, got.Response)
	require.FileExists(t, stray)
	n, size := again.Len()
	require.Equal(t, 1, n)
	require.Positive(t, size)
	info, err := os.Stat(filepath.Join(folder, nameOf(cache.Key{1})))
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode(), "answers are private")
}

func TestRoom(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder, 10_000)
	for i := range 20 {
		require.NoError(t, s.Put(t.Context(), cache.Key{byte(i)}, entry(strings.Repeat("x", 1000))))
		require.NotEqual(t, "none", contentOf(t, s, cache.Key{0}), "used again each time")
	}
	n, used := s.Len()
	require.Less(t, n, 10)
	require.LessOrEqual(t, used, int64(10_000))
	require.Equal(t, "none", contentOf(t, s, cache.Key{1}))
	require.NoError(t, s.Put(t.Context(), cache.Key{0}, entry(strings.Repeat("x", 20_000))))
	require.Equal(t, "none", contentOf(t, s, cache.Key{0}), "larger than the room")
	small := open(t, folder, 3000)
	n, used = small.Len()
	require.LessOrEqual(t, used, int64(3000))
	files := 0
	require.NoError(t, filepath.WalkDir(folder, func(_ string, d fs.DirEntry, err error) error {
		if !d.IsDir() {
			files++
		}
		return err
	}))
	require.Equal(t, n, files)
}

// Each damage of a file is a miss, and the next answer replaces it.
func TestDamagedFiles(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder, 1<<20)
	key := cache.Key{7}
	path := filepath.Join(folder, nameOf(key))
	require.NoError(t, s.Put(t.Context(), key, entry("answer")))
	good, err := os.ReadFile(path)
	require.NoError(t, err)
	other, err := encode(cache.Key{8}, entry("of another call"))
	require.NoError(t, err)
	bad := [][]byte{nil, other, good[:len(good)-1], append(good[:len(good):len(good)], 0), []byte(strings.Repeat("\x00", 500))}
	for i := range good {
		flipped := append([]byte(nil), good...)
		flipped[i] ^= 1
		bad = append(bad, flipped)
	}
	for _, data := range bad {
		require.NoError(t, os.WriteFile(path, data, 0o600))
		_, err := s.Get(t.Context(), key)
		require.ErrorIs(t, err, ErrDamaged)
		require.NoFileExists(t, path)
		require.Equal(t, "none", contentOf(t, s, key))
	}
}

// TestMain is also the process that TestKill kills: it stores without end.
func TestMain(m *testing.M) {
	if folder := os.Getenv("DISK_TEST_FOLDER"); folder != "" {
		s, err := Open(folder, nil)
		if err != nil {
			panic(err)
		}
		for i := 0; ; i++ {
			if err := s.Put(context.Background(), cache.Key{byte(i), byte(i >> 8)}, entry(strings.Repeat(fmt.Sprint(i), 20_000))); err != nil {
				panic(err)
			}
		}
	}
	os.Exit(m.Run())
}

func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	folder := t.TempDir()
	for range 3 {
		p := exec.Command(os.Args[0])
		p.Env = append(os.Environ(), "DISK_TEST_FOLDER="+folder)
		require.NoError(t, p.Start())
		require.Eventually(t, func() bool {
			found, err := filepath.Glob(filepath.Join(folder, "*", "*"))
			return err == nil && len(found) > 30
		}, 20*time.Second, 5*time.Millisecond)
		require.NoError(t, p.Process.Kill())
		require.Error(t, p.Wait())
		s := open(t, folder, 1<<30)
		n, _ := s.Len()
		require.Positive(t, n)
		for key := range s.files {
			e, err := s.Get(t.Context(), key)
			require.NoError(t, err)
			text := e.Response.Choices[0].Content
			require.Equal(t, strings.Repeat(text[:len(text)/20_000], 20_000), text)
		}
		_, err := s.Erase(t.Context(), cache.Selection{})
		require.NoError(t, err)
	}
}

// A full disk, or a folder that is gone, never fails a call, and leaves no part of a file.
func TestFullDisk(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder, 1<<20)
	calls := 0
	m, err := cache.New(model(func() string { calls++; return fmt.Sprint(calls) }), &cache.Options{Model: "m", Store: s})
	require.NoError(t, err)
	ask := func(q string) string {
		answer, err := m.Call(t.Context(), q)
		require.NoError(t, err)
		return answer
	}
	require.Equal(t, "1", ask("q"))
	s.write = func(f *os.File, data []byte) error {
		return errors.Join(writeAll(f, data[:len(data)/2]), syscall.ENOSPC)
	}
	require.Equal(t, "2", ask("r"))
	require.Equal(t, "3", ask("r"))
	require.Equal(t, "1", ask("q"), "what is stored is still found")
	require.EqualValues(t, 2, m.Stats().StoreErrors)
	found, err := filepath.Glob(filepath.Join(folder, "*", "*"))
	require.NoError(t, err)
	require.Len(t, found, 1)
	s.write = writeAll
	require.NoError(t, os.RemoveAll(folder))
	require.Equal(t, "4", ask("q"))
}

// A model answers with what a function returns.
type model func() string

func (m model) GenerateContent(context.Context, []llms.MessageContent, ...llms.CallOption) (*llms.ContentResponse, error) {
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: m(), StopReason: "stop"}}}, nil
}

func (m model) Call(context.Context, string, ...llms.CallOption) (string, error) { return m(), nil }

func TestErase(t *testing.T) {
	folder := t.TempDir()
	s, other := open(t, folder, 1<<20), open(t, folder, 1<<20)
	for i, name := range []string{"ann", "ann", "bob"} {
		e := entry("x")
		e.Attributes = map[string]string{"user": name}
		require.NoError(t, other.Put(t.Context(), cache.Key{byte(i)}, e))
	}
	n, err := s.Erase(t.Context(), cache.Selection{Attributes: map[string]string{"user": "ann"}})
	require.NoError(t, err)
	require.Equal(t, 2, n, "of the other process too")
	require.Equal(t, "none", contentOf(t, other, cache.Key{0}))
	require.Equal(t, "x", contentOf(t, other, cache.Key{2}))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = s.Erase(ctx, cache.Selection{})
	require.ErrorIs(t, err, context.Canceled)
}

func TestExpire(t *testing.T) {
	s := open(t, t.TempDir(), 1<<20)
	e := entry("x")
	e.Expires = time.Unix(2e9, 0)
	require.NoError(t, s.Put(t.Context(), cache.Key{1}, e))
	s.Expire(t.Context(), cache.Key{1}, e.Expires.Add(-1))
	require.Equal(t, "x", contentOf(t, s, cache.Key{1}))
	s.Expire(t.Context(), cache.Key{1}, e.Expires)
	require.Equal(t, "none", contentOf(t, s, cache.Key{1}))
}

func TestOldPartsAreRemoved(t *testing.T) {
	folder := t.TempDir()
	name := filepath.Join(folder, nameOf(cache.Key{1}))
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
	for _, part := range []string{name + "-OLD.tmp", name + "-NEW.tmp"} {
		require.NoError(t, os.WriteFile(part, nil, 0o600))
	}
	long := time.Now().Add(-2 * staleTemporary)
	require.NoError(t, os.Chtimes(name+"-OLD.tmp", long, long))
	open(t, folder, 1<<20)
	require.NoFileExists(t, name+"-OLD.tmp")
	require.FileExists(t, name+"-NEW.tmp", "another process may be writing it")
	n, err := open(t, folder, 1<<20).Erase(t.Context(), cache.Selection{Tenant: "t"})
	require.NoError(t, err)
	require.Zero(t, n)
	require.NoFileExists(t, name+"-NEW.tmp", "it may hold an answer that has to go")
}

func TestConcurrentUse(t *testing.T) {
	folder := t.TempDir()
	stores := []*Store{open(t, folder, 30_000), open(t, folder, 30_000)}
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			s := stores[w%2]
			for i := range 60 {
				key := cache.Key{byte(i*7+w) % 40}
				if i%3 == 0 {
					if err := s.Put(context.Background(), key, entry(strings.Repeat(string('a'+rune(key[0]%26)), 1000))); err != nil {
						t.Error(err)
					}
				}
				e, err := s.Get(context.Background(), key)
				if err != nil || e != nil && e.Response.Choices[0].Content[0] != 'a'+key[0]%26 {
					t.Error(e, err)
				}
			}
		})
	}
	wg.Wait()
	for _, s := range stores {
		_, used := s.Len()
		require.LessOrEqual(t, used, int64(30_000))
	}
}

func FuzzFile(f *testing.F) {
	good, err := encode(cache.Key{1}, entry("answer"))
	require.NoError(f, err)
	f.Add(good)
	f.Add(good[:headSize])
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := decode(cache.Key{1}, data)
		if err != nil {
			require.ErrorIs(t, err, ErrDamaged)
		} else {
			require.NotNil(t, e.Response)
		}
		// A body after a right head is what the entry's reader gets.
		body := make([]byte, 0, headSize+len(data))
		body = append(body, good[:16]...)
		n := uint64(len(data))
		for range 8 {
			body = append(body, byte(n))
			n >>= 8
		}
		sum := checksum(cache.Key{1}, data)
		body = append(append(body, sum[:]...), data...)
		e, err = decode(cache.Key{1}, body)
		if err != nil {
			require.ErrorIs(t, err, ErrDamaged)
			return
		}
		again, err := encode(cache.Key{1}, e)
		if err != nil {
			return // a value that JSON can't hold, such as a year above 9999
		}
		_, err = decode(cache.Key{1}, again)
		require.NoError(t, err)
	})
}
