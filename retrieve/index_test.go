package retrieve

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/internal/docmeta"
	"github.com/prodailabs/prodai/retrieve/flat"
	"github.com/prodailabs/prodai/retrieve/hnsw"
	"github.com/prodailabs/prodai/retrieve/ivf"
)

var _ Index = (*ivf.Index)(nil)

// randomVectors embeds the text "n" as the n-th of a row of random vectors.
type randomVectors struct{ dim int }

func (r randomVectors) EmbedDocuments(_ context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, t := range texts {
		var n uint64
		_, err := fmt.Sscan(t, &n)
		if err != nil {
			return nil, err
		}
		rng := rand.New(rand.NewPCG(n, 3))
		out[i] = make([]float32, r.dim)
		for j := range out[i] {
			out[i][j] = float32(rng.NormFloat64())
		}
	}
	return out, nil
}

func (r randomVectors) EmbedQuery(ctx context.Context, text string) ([]float32, error) {
	v, err := r.EmbedDocuments(ctx, []string{text})
	if err != nil {
		return nil, err
	}
	return v[0], nil
}

func (r randomVectors) Name() string { return fmt.Sprint("random ", r.dim) }

func numbers(from, to int) []schema.Document {
	var out []schema.Document
	for i := from; i < to; i++ {
		out = append(out, schema.Document{PageContent: fmt.Sprint(i), Metadata: map[string]any{docmeta.ID: fmt.Sprint("p", i), "parity": i % 2}})
	}
	return out
}

// openSmall opens a collection that becomes a graph at 300 passages.
func openSmall(t testing.TB, path string, o *Options) *Collection {
	t.Helper()
	own := Options{}
	if o != nil {
		own = *o
	}
	c, err := open300(path, randomVectors{12}, &own)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

func questions(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprint(1_000_000+i))
	}
	return out
}

// check compares the collection with one that searches exactly, and with the passages
// that must be there.
func check(t *testing.T, c *Collection, want map[string]bool) {
	t.Helper()
	require.Equal(t, len(want), c.Len())
	exact, err := Open("", randomVectors{12}, &Options{Index: func(dim int) (Index, error) { return flat.New(dim, nil) }})
	require.NoError(t, err)
	var docs []schema.Document
	for id := range want {
		docs = append(docs, numbers(atoi(id), atoi(id)+1)...)
		_, ok := c.Get(t.Context(), id)
		require.True(t, ok, id)
	}
	_, err = exact.Upsert(t.Context(), docs)
	require.NoError(t, err)
	same, all := 0, 0
	for _, q := range questions(20) {
		for _, query := range []*Query{nil, {Where: Eq("parity", 1)}} {
			a, err := exact.Search(t.Context(), q, 10, query)
			require.NoError(t, err)
			b, err := c.Search(t.Context(), q, 10, query)
			require.NoError(t, err)
			require.Len(t, b, len(a))
			for _, r := range b {
				require.True(t, want[r.Metadata[docmeta.ID].(string)])
				all++
				if slices.ContainsFunc(a, func(s Result) bool { return s.Metadata[docmeta.ID] == r.Metadata[docmeta.ID] }) {
					same++
				}
			}
		}
	}
	require.GreaterOrEqual(t, float64(same), .98*float64(all))
}

func atoi(id string) int {
	var n int
	if _, err := fmt.Sscanf(id, "p%d", &n); err != nil {
		return -1
	}
	return n
}

func isGraph(c *Collection) bool {
	_, ok := c.index.(*hnsw.Index)
	return ok
}

// TestTheIndexFollowsTheSize: a small collection is searched exactly, a large one by a
// graph, which is stored and taken again, also with changes that it doesn't know, and
// built anew if it is damaged or missing.
func TestTheIndexFollowsTheSize(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c")
	want := map[string]bool{}
	put := func(c *Collection, from, to int) {
		_, err := c.Upsert(t.Context(), numbers(from, to))
		require.NoError(t, err)
		for i := from; i < to; i++ {
			want[fmt.Sprint("p", i)] = true
		}
	}
	drop := func(c *Collection, from, to int) {
		for i := from; i < to; i++ {
			_, err := c.Delete(t.Context(), fmt.Sprint("p", i))
			require.NoError(t, err)
			delete(want, fmt.Sprint("p", i))
		}
	}
	c := openSmall(t, path, nil)
	put(c, 0, 250)
	require.False(t, isGraph(c))
	check(t, c, want)
	recall, err := c.Recall(t.Context(), questions(5), 10)
	require.NoError(t, err)
	require.Equal(t, 1.0, recall)
	put(c, 250, 320)
	require.True(t, isGraph(c))
	check(t, c, want)
	drop(c, 10, 30)
	put(c, 320, 400)
	check(t, c, want)
	recall, err = c.Recall(t.Context(), questions(20), 10)
	require.NoError(t, err)
	require.Greater(t, recall, .98)
	stored := findStored(path, graphFile)
	require.Len(t, stored, 1)
	copied := filepath.Join(t.TempDir(), "c") // as after kill -9
	for from := range stored {
		copyFile(t, from, copied+strings.TrimPrefix(from, path))
	}
	copyFile(t, path, copied)

	for i, damage := range []func(string){nil, func(name string) { require.NoError(t, os.WriteFile(name, []byte("x"), 0o644)) }, func(name string) { require.NoError(t, os.Remove(name)) }} {
		for name := range findStored(copied, graphFile) {
			if damage != nil {
				damage(name)
			}
		}
		var log strings.Builder
		d, err := open300(copied, randomVectors{12}, &Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		require.NoError(t, err)
		require.True(t, isGraph(d))
		require.Equal(t, i == 1, strings.Contains(log.String(), "level=WARN msg=retrieve.rebuilt stage=index"))
		check(t, d, want)
		put(d, 400, 410)
		drop(d, 400, 410)
		require.NoError(t, d.Close())
		require.Len(t, findStored(copied, graphFile), 1)
	}
	d, err := open300(copied, randomVectors{12}, &Options{})
	require.NoError(t, err)
	drop(d, 30, 350)
	check(t, d, want)
	require.NoError(t, d.Close())
	d, err = open300(copied, randomVectors{12}, &Options{})
	require.NoError(t, err)
	require.False(t, isGraph(d), "it has become small, and was compacted")
	require.LessOrEqual(t, d.dead, compactFrom)
	check(t, d, want)
	require.NoError(t, d.Close())
	d, err = Open(copied, randomVectors{12}, &Options{Index: func(dim int) (Index, error) { return hnsw.New(dim, nil) }})
	require.NoError(t, err)
	require.True(t, isGraph(d), "the program's choice")
	check(t, d, want)
	require.NoError(t, d.Close())
	d, err = Open(copied, randomVectors{12}, &Options{Index: func(dim int) (Index, error) { return ivf.New(dim, nil) }})
	require.NoError(t, err)
	check(t, d, want)
	require.NoError(t, d.Close())
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(to, data, 0o644))
}

// TestAStoredIndexIsTaken: the graph isn't built again, and what was appended since it
// was stored is added to it.
func TestAStoredIndexIsTaken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c")
	c := openSmall(t, path, nil)
	_, err := c.Upsert(t.Context(), numbers(0, 400))
	require.NoError(t, err)
	_, err = c.Upsert(t.Context(), numbers(395, 401))
	require.NoError(t, err)
	_, err = c.Upsert(t.Context(), []schema.Document{{PageContent: "77", Metadata: map[string]any{docmeta.ID: "p3"}}})
	require.NoError(t, err)
	copied := filepath.Join(t.TempDir(), "c")
	for from := range findStored(path, graphFile) {
		copyFile(t, from, copied+strings.TrimPrefix(from, path))
	}
	copyFile(t, path, copied)
	taken := 0
	d, err := Open(copied, randomVectors{12}, &Options{ReadOnly: true})
	require.NoError(t, err)
	require.False(t, isGraph(d), "401 passages are few without the limit of the test")
	require.NoError(t, d.Close())
	e := &Collection{embedder: randomVectors{12}, o: d.o, passages: map[string]*passage{}, flatUntil: 300}
	stored := &shelf{graphs: findStored(copied, graphFile)}
	j, err := openJournal(copied, true, func(j *journal, payload []byte) error {
		if err := e.replay(payload, j.last == int64(len(magic))); err != nil {
			return err
		}
		e.take(stored, j)
		if e.index != nil {
			taken++
		}
		return nil
	})
	require.NoError(t, err)
	require.NoError(t, j.close())
	require.Equal(t, 3, taken, "from the record on after which it was stored")
	require.Equal(t, 401, e.index.Len())
	got, err := e.nearest(e.passages["p3"].vector(), 2, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"p3", "p77"}, []string{got[0].ID, got[1].ID})
}

// TestTheHistoryDoesNotShow: two collections with the same passages and different
// histories give the same results, ties included.
func TestTheHistoryDoesNotShow(t *testing.T) {
	a, b := open(t, ""), open(t, "")
	same := docs("one", "one", "one", "two", "one")
	_, err := a.Sync(t.Context(), "s", same)
	require.NoError(t, err)
	for i := range same {
		_, err := b.Sync(t.Context(), "other", docs("one", "two", "three"))
		require.NoError(t, err)
		_, err = b.Sync(t.Context(), "s", same[i:])
		require.NoError(t, err)
	}
	_, err = b.Sync(t.Context(), "s", same)
	require.NoError(t, err)
	_, err = b.Remove(t.Context(), "other")
	require.NoError(t, err)
	for k := 1; k <= 5; k++ {
		x, err := a.Search(t.Context(), "one", k, nil)
		require.NoError(t, err)
		y, err := b.Search(t.Context(), "one", k, nil)
		require.NoError(t, err)
		require.Equal(t, x, y)
	}
}

// plainWords hides that an index can filter.
type plainWords struct{ Words }

// TestWordsWithAndWithoutAFilter: the results are the same.
func TestWordsWithAndWithoutAFilter(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	a, err := Open("", letters{}, &Options{Words: words(t)})
	require.NoError(t, err)
	b, err := Open("", letters{}, &Options{Words: plainWords{words(t)}})
	require.NoError(t, err)
	var all []schema.Document
	for i := range 600 { // many ties
		d := docs(fmt.Sprintf("topic%d topic%d", rng.IntN(5), rng.IntN(5)))[0]
		d.Metadata[docmeta.ID] = fmt.Sprint(rng.IntN(1e9))
		d.Metadata["n"] = i
		all = append(all, d)
	}
	for _, c := range []*Collection{a, b} {
		_, err := c.Sync(t.Context(), "s", all)
		require.NoError(t, err)
	}
	for _, k := range []int{1, 10, 150} {
		for _, q := range []*Query{nil, {Where: Less("n", 50)}} {
			x, err := a.Search(t.Context(), "topic1 topic2", k, q)
			require.NoError(t, err)
			y, err := b.Search(t.Context(), "topic1 topic2", k, q)
			require.NoError(t, err)
			require.Equal(t, x, y)
		}
	}
}

type brokenIndex struct {
	Index
	fail *bool
}

func (b brokenIndex) Add(id int, v []float32) error {
	if *b.fail {
		return os.ErrInvalid
	}
	return b.Index.Add(id, v)
}

// TestAnIndexThatFailsChangesNothing: neither the file nor the memory.
func TestAnIndexThatFailsChangesNothing(t *testing.T) {
	fail := false
	o := &Options{Index: func(dim int) (Index, error) {
		x, err := flat.New(dim, nil)
		return brokenIndex{x, &fail}, err
	}}
	path := filepath.Join(t.TempDir(), "c")
	c, err := Open(path, randomVectors{12}, o)
	require.NoError(t, err)
	_, err = c.Upsert(t.Context(), numbers(0, 5))
	require.NoError(t, err)
	fail = true
	_, err = c.Upsert(t.Context(), numbers(3, 9))
	require.ErrorIs(t, err, os.ErrInvalid)
	require.Equal(t, 5, c.Len())
	fail = false
	_, err = c.Upsert(t.Context(), numbers(5, 7))
	require.NoError(t, err)
	require.NoError(t, c.Close())
	c, err = Open(path, randomVectors{12}, o)
	require.NoError(t, err)
	require.Equal(t, 7, c.Len())
	require.NoError(t, c.Close())
	_, err = Open(path, randomVectors{12}, &Options{Index: func(int) (Index, error) { return nil, nil }})
	require.Error(t, err)

	// The first vectors fail: the dimension isn't theirs.
	fail = true
	c, err = Open("", randomVectors{12}, o)
	require.NoError(t, err)
	_, err = c.Upsert(t.Context(), numbers(0, 5))
	require.ErrorIs(t, err, os.ErrInvalid)
	fail, c.embedder = false, randomVectors{7}
	_, err = c.Upsert(t.Context(), numbers(0, 5))
	require.NoError(t, err)
	require.Equal(t, 7, c.dim)
}

func TestIndexRecall(t *testing.T) {
	x, err := flat.New(2, nil)
	require.NoError(t, err)
	y, err := flat.New(2, nil)
	require.NoError(t, err)
	for id, v := range [][]float32{{1, 0}, {1, .1}, {0, 1}, {.1, 1}} {
		require.NoError(t, x.Add(id, v))
		if id != 0 {
			require.NoError(t, y.Add(id, v))
		}
	}
	got, err := IndexRecall(y, x, [][]float32{{1, 0}, {0, 1}}, 2)
	require.NoError(t, err)
	require.Equal(t, .75, got)
	_, err = IndexRecall(y, x, nil, 2)
	require.ErrorIs(t, err, ErrOption)
	_, err = IndexRecall(y, x, [][]float32{{1, 0, 0}}, 2)
	require.ErrorIs(t, err, flat.ErrDimension)
}

// BenchmarkCrossing compares the exact index with the graph as the collection uses them.
func BenchmarkCrossing(b *testing.B) {
	e := randomVectors{256}
	for _, n := range []int{2000, 5000, 10_000, 20_000, 40_000} {
		for _, kind := range []string{"scan", "graph"} {
			c := &Collection{flatUntil: n + 1}
			if kind == "graph" {
				c.flatUntil = 0
			}
			x, err := c.newIndex(256, n)
			require.NoError(b, err)
			rng := rand.New(rand.NewPCG(7, 7))
			var centers, queries [][]float32
			for i := range n/20 + 1 {
				v, err := e.EmbedQuery(b.Context(), fmt.Sprint(i))
				require.NoError(b, err)
				centers = append(centers, v)
			}
			near := func() []float32 {
				v := slices.Clone(centers[rng.IntN(len(centers))])
				for i := range v {
					v[i] += float32(rng.NormFloat64())
				}
				return unit(v)
			}
			var all []*passage
			for i := range n {
				all = append(all, &passage{number: i, Vector: encodeVector(near())})
			}
			b.Run(fmt.Sprintf("add/%s/%d", kind, n), func(b *testing.B) {
				for b.Loop() {
					require.NoError(b, fill(x, all))
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "us/vector")
			})
			for range 100 {
				queries = append(queries, near())
			}
			i := 0
			b.Run(fmt.Sprintf("search/%s/%d", kind, n), func(b *testing.B) {
				for b.Loop() {
					_, err := x.Search(queries[i%100], depth+1, nil)
					require.NoError(b, err)
					i++
				}
			})
		}
	}
}

// open300 is Open with a graph from 300 passages on.
func open300(path string, e randomVectors, o *Options) (*Collection, error) {
	return openWith(path, e, o, 300)
}
