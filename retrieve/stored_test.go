package retrieve

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/retrieve/bm25"
)

// countedWords is an index that counts the texts it analyzes.
func countedWords(t *testing.T, analyze func(string) []string, n *atomic.Int64) *bm25.Index {
	t.Helper()
	x, err := bm25.New(&bm25.Options{Analyze: func(text string) []string {
		n.Add(1)
		return analyze(text)
	}})
	require.NoError(t, err)
	return x
}

// TestWordsAreRestored: a start takes the words that were stored, adds what was appended
// since, and builds them anew if they are damaged, missing, or of another analyzer.
func TestWordsAreRestored(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c")
	const few = sampled + 60 // changes, and the texts that are compared
	var n atomic.Int64
	var log strings.Builder
	open := func(path string, analyze func(string) []string, readOnly bool) *Collection {
		n.Store(0)
		log.Reset()
		logger := slog.New(&event.Checker{Report: t.Errorf, Next: slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn})})
		c, err := open300(path, randomVectors{12}, &Options{Words: countedWords(t, analyze, &n), ReadOnly: readOnly, Logger: logger})
		require.NoError(t, err)
		return c
	}
	same := func(a, b *Collection) {
		t.Helper()
		for _, q := range questions(10) {
			x, err := a.Search(t.Context(), q+" 17 "+q[3:], 10, nil)
			require.NoError(t, err)
			y, err := b.Search(t.Context(), q+" 17 "+q[3:], 10, nil)
			require.NoError(t, err)
			require.Equal(t, texts(x), texts(y))
		}
	}
	c := open(path, strings.Fields, false)
	_, err := c.Upsert(t.Context(), numbers(0, 600))
	require.NoError(t, err)
	require.NoError(t, c.Close())
	require.Len(t, findStored(path, wordsFile), 1)

	c = open(path, strings.Fields, false)
	require.LessOrEqual(t, n.Load(), int64(few))
	_, err = c.Upsert(t.Context(), numbers(590, 640))
	require.NoError(t, err)
	_, err = c.Delete(t.Context(), "p17", "p3")
	require.NoError(t, err)
	copied := filepath.Join(t.TempDir(), "c") // as after kill -9
	for _, kind := range []string{graphFile, wordsFile} {
		for from := range findStored(path, kind) {
			copyFile(t, from, copied+strings.TrimPrefix(from, path))
		}
	}
	copyFile(t, path, copied)

	r := open(copied, strings.Fields, true)
	require.LessOrEqual(t, n.Load(), int64(few), "a reader takes them too")
	same(c, r)
	require.NoError(t, r.Close())
	anew := func(why string, analyze func(string) []string, damage func(name string)) {
		for name := range findStored(copied, wordsFile) {
			damage(name)
		}
		d := open(copied, analyze, false)
		require.Greater(t, n.Load(), int64(500), why)
		require.Equal(t, why != "missing", strings.Contains(log.String(), "level=WARN msg=retrieve.rebuilt stage=words reason="), why)
		require.Equal(t, d.Len(), d.o.Words.(StoredWords).Len(), why)
		if why != "analyzer" {
			same(c, d)
		}
		require.NoError(t, d.Close())
		d = open(copied, analyze, false)
		require.LessOrEqual(t, n.Load(), int64(few), why)
		require.NotContains(t, log.String(), "retrieve.rebuilt", why)
		require.NoError(t, d.Close())
	}
	anew("damaged", strings.Fields, func(name string) { require.NoError(t, os.WriteFile(name, []byte("x"), 0o644)) })
	anew("numbers that no passage has", strings.Fields, func(name string) {
		other := countedWords(t, strings.Fields, &n)
		for i := range c.Len() {
			other.Add(i-3, fmt.Sprint("number ", i))
			other.Add(i+1<<40, fmt.Sprint("number ", i))
		}
		require.NoError(t, other.Save(name))
	})
	anew("missing", strings.Fields, func(name string) { require.NoError(t, os.Remove(name)) })
	anew("analyzer", func(text string) []string { return []string{"the", text} }, func(string) {})
	require.NoError(t, c.Close())
}

// TestRefreshAcrossStoredWords: a reader that reads the file anew has words of the new
// file only.
func TestRefreshAcrossStoredWords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c")
	c := openSmall(t, path, &Options{Words: words(t)})
	_, err := c.Upsert(t.Context(), numbers(0, 400))
	require.NoError(t, err)
	c.saveIndex()
	r := openSmall(t, path, &Options{ReadOnly: true, Words: words(t)})
	for i := range 3 {
		_, err = c.Upsert(t.Context(), numbers(400+10*i, 410+10*i))
		require.NoError(t, err)
		_, err = c.Delete(t.Context(), fmt.Sprint("p", i))
		require.NoError(t, err)
		require.NoError(t, c.compact())
		require.NoError(t, r.Refresh())
		require.Equal(t, c.Len(), r.o.Words.(StoredWords).Len())
		got, err := r.Search(context.Background(), fmt.Sprint(405+10*i), 1, nil)
		require.NoError(t, err)
		require.Positive(t, got[0].Words)
	}
}
