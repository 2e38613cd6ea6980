package retrieve

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/schema"
)

type embedderOf struct{ f func(string) []float32 }

func (e embedderOf) EmbedDocuments(_ context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, t := range texts {
		out[i] = e.f(t)
	}
	return out, nil
}
func (e embedderOf) EmbedQuery(_ context.Context, t string) ([]float32, error) {
	return e.f(t), nil
}

func vectorsOf(t string) []float32 { return []float32{float32(len(t)), 1} }

func docsOf(texts ...string) (out []schema.Document) {
	for _, t := range texts {
		out = append(out, schema.Document{PageContent: t})
	}
	return out
}

// "so that the passage in memory equals the one that is read from the file later"
func TestTextThroughTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c")
	text := "caf\xe9 au lait" // Latin-1
	c, err := Open(path, embedderOf{vectorsOf}, nil)
	require.NoError(t, err)
	_, err = c.Sync(t.Context(), "s", docsOf(text))
	require.NoError(t, err)
	got, err := c.Search(t.Context(), "x", 1, nil)
	require.NoError(t, err)
	before := got[0].PageContent
	require.NoError(t, c.Close())
	c, err = Open(path, embedderOf{vectorsOf}, nil)
	require.NoError(t, err)
	defer c.Close()
	got, err = c.Search(t.Context(), "x", 1, nil)
	require.NoError(t, err)
	did, err := c.Sync(t.Context(), "s", docsOf(text))
	require.NoError(t, err)
	require.Equal(t, 1, did.Kept, "an unchanged passage: %+v", did)
	require.Equal(t, before, got[0].PageContent)
}

// Every prefix of a file, as a crash may leave it, can be opened, to write and to
// read.
func TestTornFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c")
	c, err := Open(path, embedderOf{vectorsOf}, nil)
	require.NoError(t, err)
	_, err = c.Sync(t.Context(), "a", docsOf("one", "two"))
	require.NoError(t, err)
	_, err = c.Sync(t.Context(), "b", docsOf("three"))
	require.NoError(t, err)
	require.NoError(t, c.Close())
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	var bad []int
	for n := range len(whole) + 1 {
		require.NoError(t, os.WriteFile(path, whole[:n], 0o644))
		c, err := Open(path, embedderOf{vectorsOf}, nil)
		if err != nil {
			bad = append(bad, n)
			continue
		}
		_, err = c.Sync(t.Context(), "z", docsOf("last"))
		require.NoError(t, err)
		require.NoError(t, c.Close())
		c, err = Open(path, embedderOf{vectorsOf}, nil)
		require.NoError(t, err)
		require.Equal(t, 1, c.Sources()["z"])
		require.NoError(t, c.Close())
	}
	require.Empty(t, bad)
}

// readOnlyFile gives replay a file that can only be read.
func openReadOnly(t *testing.T, data []byte) error {
	path := filepath.Join(t.TempDir(), "c")
	require.NoError(t, os.WriteFile(path, data, 0o644))
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	j := &journal{path: path, file: f, readOnly: true}
	return j.replay(func([]byte) error { return nil })
}

func TestReadOnlyTornAtTheStart(t *testing.T) {
	for n := range len(magic) {
		if err := openReadOnly(t, []byte(magic[:n])); err != nil {
			t.Errorf("%d bytes: %v; the same file opens empty where it can be written", n, err)
		}
	}
	require.NoError(t, openReadOnly(t, []byte(magic+"\x01\x02")))
	require.NoError(t, openReadOnly(t, []byte(magic)))
}

// A crash may leave the pages of the last record in any order: its end without
// its beginning.
func TestLastRecordWithoutItsHead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c")
	c, err := Open(path, embedderOf{vectorsOf}, nil)
	require.NoError(t, err)
	_, err = c.Sync(t.Context(), "a", docsOf("one"))
	require.NoError(t, err)
	before := c.journal.size
	_, err = c.Sync(t.Context(), "b", docsOf(strings.Repeat("long ", 4000)))
	require.NoError(t, err)
	require.NoError(t, c.Close())
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	for i := before; i < 4096; i++ {
		data[i] = 0 // the first page is the old one, extended with zeros
	}
	require.NoError(t, os.WriteFile(path, data, 0o644))
	c, err = Open(path, embedderOf{vectorsOf}, nil)
	require.NoError(t, err)
	defer c.Close()
	require.Equal(t, 1, c.Len())
}

func TestReadOnlyErrors(t *testing.T) {
	require.True(t, isReadOnly(&os.PathError{Err: syscall.EROFS}))
	require.True(t, isReadOnly(&os.PathError{Err: syscall.EACCES}))
	path := filepath.Join(t.TempDir(), "c")
	c, err := Open(path, embedderOf{vectorsOf}, nil)
	require.NoError(t, err)
	_, err = c.Sync(t.Context(), "a", docsOf("one"))
	require.NoError(t, err)
	c.journal.readOnly = true
	n, err := c.Remove(t.Context(), "a")
	require.ErrorIs(t, err, ErrReadOnly)
	require.Zero(t, n, "nothing was removed")
	require.Equal(t, 1, c.Len())
	did, err := c.Sync(t.Context(), "a", docsOf("one", "two"))
	require.ErrorIs(t, err, ErrReadOnly)
	require.Equal(t, Changes{}, did)
}

// Vectors of any finite numbers.
func TestTinyVectors(t *testing.T) {
	for _, v := range [][]float32{{1e-40, 1e-41}, {math.MaxFloat32, math.MaxFloat32}, {0, 0}, {1e-45, 0}, {-1e-40, 1}} {
		c, err := Open("", embedderOf{func(string) []float32 { return v }}, nil)
		require.NoError(t, err)
		_, err = c.Sync(t.Context(), "a", docsOf("one", "two"))
		require.NoError(t, err)
		got, err := c.Search(t.Context(), "x", 5, nil)
		require.NoError(t, err)
		for _, r := range got {
			require.False(t, math.IsNaN(r.Cosine) || math.IsInf(r.Cosine, 0) || math.Abs(r.Cosine) > 1.001, "%v: a cosine of %v", v, r.Cosine)
		}
	}
}

func TestRRF(t *testing.T) {
	got := RRF(60, nil, []Ranked[string]{{"a", 1}, {"a", 1}, {"b", 1}}, nil, []Ranked[string]{{"b", 1}, {"b", 0}, {"a", 0}})
	t.Log(got)
	require.Len(t, got, 2)
	one := RRF(60, nil, []Ranked[string]{{"a", 1}, {"a", 1}, {"b", 1}})
	two := RRF(60, nil, []Ranked[string]{{"a", 1}, {"b", 1}})
	t.Logf("with a duplicate %v, without %v", one, two)
	require.NotPanics(t, func() {
		RRF[string](0, nil)
		RRF(math.NaN(), []float64{math.NaN()}, []Ranked[int]{{1, 1}})
		RRF(-1, nil, []Ranked[int]{{1, 1}, {2, 2}})
	})
	require.NotPanics(t, func() { WeightedSum(MinMax, nil, []Ranked[int]{{1, math.NaN()}, {1, 2}, {2, math.Inf(1)}}, nil) })
	require.NotPanics(t, func() { WeightedSum[int](nil, nil, []Ranked[int]{{1, 1}}) }, "a nil normalize")
}

type foreignWords struct{ hits []Hit }

func (foreignWords) Add(int, string)            {}
func (foreignWords) Remove(int) bool            { return true }
func (w foreignWords) Search(string, int) []Hit { return w.hits }

func TestWords(t *testing.T) {
	for _, hits := range [][]Hit{nil, {{ID: 99}}, {{ID: -1}}, {{ID: 0}, {ID: 0}}, {{ID: 0, Score: math.NaN()}}} {
		c, err := Open("", embedderOf{vectorsOf}, &Options{Words: foreignWords{hits}})
		require.NoError(t, err)
		_, err = c.Sync(t.Context(), "a", docsOf("one"))
		require.NoError(t, err)
		require.NotPanics(t, func() { _, _ = c.Search(t.Context(), "x", 5, nil) }, "%v", hits)
	}
}

// A source's passages stay its own, also if another source's passages have the same
// ids.
func TestIdsOfTwoSources(t *testing.T) {
	c, err := Open("", embedderOf{vectorsOf}, nil)
	require.NoError(t, err)
	doc := func(text, tenant string) []schema.Document {
		return []schema.Document{{PageContent: text, Metadata: map[string]any{"id": "1", "tenant": tenant}}}
	}
	_, err = c.Sync(t.Context(), "a", doc("of a", "a"))
	require.NoError(t, err)
	did, err := c.Sync(t.Context(), "b", doc("of b", "b"))
	t.Log(did, err, c.Sources())
	if err == nil {
		require.Equal(t, map[string]int{"a": 1, "b": 1}, c.Sources(), "b's passage replaced a's without a word")
	}
}

func TestWriteErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c")
	c, err := Open(path, embedderOf{vectorsOf}, nil)
	require.NoError(t, err)
	_ = c.journal.file.Close() // every write fails from here on
	_, err = c.Sync(t.Context(), "a", docsOf("one"))
	require.Error(t, err)
	require.Zero(t, c.Len())
	require.False(t, errors.Is(err, ErrClosed))
}

// TestReplaceClosed: where an open file can't be replaced, it is closed for that, and the
// journal goes on with the one that is there then.
func TestReplaceClosed(t *testing.T) {
	dir := t.TempDir()
	create := func(name, content string) *os.File {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644))
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_RDWR, 0)
		require.NoError(t, err)
		return f
	}
	content := func(f *os.File) string {
		data := make([]byte, 9)
		n, _ := f.ReadAt(data, 0)
		return string(data[:n])
	}
	from, to := filepath.Join(dir, "new"), filepath.Join(dir, "old")
	now, err := replaceClosed(from, to, create("new", "new"), create("old", "old"))
	require.NoError(t, err)
	require.Equal(t, "new", content(now))
	require.NoFileExists(t, from)
	// A reader has the file open, or the new one is gone.
	fresh := create("new", "newer")
	require.NoError(t, os.Remove(from))
	now, err = replaceClosed(from, to, fresh, now)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.Equal(t, "new", content(now), "the old one is open again")
	_, err = now.WriteAt([]byte("x"), 0)
	require.NoError(t, err)
	require.NoError(t, os.Remove(to))
	now, err = replaceClosed(from, to, fresh, now)
	require.Error(t, err)
	_, err = now.WriteAt([]byte("x"), 0)
	require.ErrorIs(t, err, os.ErrClosed, "nothing is written to a file that isn't there")
}
