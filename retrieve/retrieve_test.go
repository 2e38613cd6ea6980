package retrieve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/internal/docmeta"
	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/internal/golden"
	"github.com/prodailabs/prodai/retrieve/bm25"
)

// letters is an embedder: a text's vector counts its letters.
type letters struct {
	name  string
	calls *int
	fail  error
}

func (l letters) Name() string { return l.name }

func (l letters) EmbedDocuments(ctx context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, t := range texts {
		if l.calls != nil {
			*l.calls++
		}
		v := make([]float32, 26)
		for _, r := range strings.ToLower(t) {
			if r >= 'a' && r <= 'z' {
				v[r-'a']++
			}
		}
		out[i] = v
	}
	return out, l.fail
}

func (l letters) EmbedQuery(ctx context.Context, text string) ([]float32, error) {
	v, err := l.EmbedDocuments(ctx, []string{text})
	return v[0], err
}

func words(t testing.TB) Words {
	t.Helper()
	w, err := bm25.New(nil)
	require.NoError(t, err)
	return w
}

func docs(texts ...string) []schema.Document {
	out := make([]schema.Document, len(texts))
	for i, text := range texts {
		out[i] = schema.Document{PageContent: text, Metadata: map[string]any{docmeta.Start: i * 100, docmeta.End: i*100 + len(text)}}
	}
	return out
}

func open(t testing.TB, path string) *Collection {
	t.Helper()
	c, err := Open(path, letters{name: "letters"}, &Options{Words: words(t)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

func texts(results []Result) []string {
	var out []string
	for _, r := range results {
		out = append(out, r.PageContent)
	}
	return out
}

func TestGoldenFusion(t *testing.T) {
	golden.Rows(t, "retrieve", "fusion.jsonl", func(row struct {
		Runs        [][][2]any
		Weights     []float64
		RRFK0       map[string]float64 `json:"rrf_k0"`
		RRFK2       map[string]float64 `json:"rrf_k2"`
		RRFK60      map[string]float64 `json:"rrf_k60"`
		WeightedRRF map[string]float64 `json:"weighted_rrf_k60"`
		DBSF        map[string]float64 `json:"dbsf"`
		D           map[string]float64 `json:"wsum_dbsf"`
		M           map[string]float64 `json:"wsum_minmax"`
		Z           map[string]float64 `json:"wsum_zscore"`
	}) error {
		runs := make([][]Ranked[string], len(row.Runs))
		for i, run := range row.Runs {
			for _, r := range run {
				runs[i] = append(runs[i], Ranked[string]{r[0].(string), r[1].(float64)})
			}
		}
		for name, c := range map[string]struct {
			got  []Ranked[string]
			want map[string]float64
		}{
			"rrf_k0": {RRF(0, nil, runs...), row.RRFK0}, "rrf_k2": {RRF(2, nil, runs...), row.RRFK2}, "rrf_k60": {RRF(60, nil, runs...), row.RRFK60},
			"weighted": {RRF(60, row.Weights, runs...), row.WeightedRRF}, "dbsf": {WeightedSum(DBSF, nil, runs...), row.DBSF},
			"wsum_dbsf": {WeightedSum(DBSF, row.Weights, runs...), row.D}, "wsum_minmax": {WeightedSum(MinMax, row.Weights, runs...), row.M},
			"wsum_zscore": {WeightedSum(ZScore, row.Weights, runs...), row.Z},
		} {
			if len(c.got) != len(c.want) {
				return fmt.Errorf("%s: %d documents, want %d", name, len(c.got), len(c.want))
			}
			for i, r := range c.got {
				if want, ok := c.want[r.ID]; !ok || !(math.Abs(r.Score-want) <= 1e-9) {
					return fmt.Errorf("%s: %s has %v, want %v", name, r.ID, r.Score, want)
				}
				if i > 0 && byRank(c.got[i-1], r) >= 0 {
					return fmt.Errorf("%s: not in order", name)
				}
			}
		}
		return nil
	})
}

func TestSearchFindsByMeaningAndByWords(t *testing.T) {
	c := open(t, "")
	_, err := c.Sync(t.Context(), "a.md", docs("rotate the api key", "zzz zz z", "gateway timeout E4502"))
	require.NoError(t, err)
	got, err := c.Search(t.Context(), "E4502", 2, nil)
	require.NoError(t, err)
	require.Equal(t, "gateway timeout E4502", got[0].PageContent)
	require.Positive(t, got[0].Words)
	got, err = c.Search(t.Context(), "zzzzz", 3, nil)
	require.NoError(t, err)
	require.Equal(t, "zzz zz z", got[0].PageContent, "no word in common, but the letters")
	require.InDelta(t, 1, got[0].Cosine, 1e-6)
	require.Zero(t, got[0].Words)
	id, _ := docmeta.String(got[0].Metadata, docmeta.ID)
	d, ok := c.Get(t.Context(), id)
	require.True(t, ok)
	start, end, ok := docmeta.Span(d.Metadata)
	require.True(t, ok)
	require.Equal(t, []int{100, 108}, []int{start, end})
}

func TestSyncIsIncremental(t *testing.T) {
	calls := 0
	path := filepath.Join(t.TempDir(), "c")
	c, err := Open(path, letters{name: "letters", calls: &calls}, &Options{Words: words(t)})
	require.NoError(t, err)
	did, err := c.Sync(t.Context(), "a", docs("one", "two", "three", "three"))
	require.NoError(t, err)
	require.Equal(t, Changes{Added: 4, Embedded: 4}, did, "the same text at another place is another passage")
	did, err = c.Sync(t.Context(), "a", docs("one", "two", "three", "three"))
	require.NoError(t, err)
	require.Equal(t, Changes{Kept: 4}, did)
	did, err = c.Sync(t.Context(), "a", docs("zero", "one", "two"))
	require.NoError(t, err)
	require.Equal(t, Changes{Added: 3, Removed: 4, Embedded: 1}, did, "moved passages keep their vectors")
	require.Equal(t, 5, calls)
	did, err = c.Sync(t.Context(), "b", docs("four"))
	require.NoError(t, err)
	require.Equal(t, Changes{Added: 1, Embedded: 1}, did)
	require.NoError(t, c.Close())

	c = open(t, path)
	require.Equal(t, map[string]int{"a": 3, "b": 1}, c.Sources())
	n, err := c.Remove(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, 3, n)
	require.Equal(t, 1, c.Len())
}

// TestAnyCutIsRepaired cuts the file at every length: the collection read from it
// is the one before or after a change, never a part of one, and a further change
// works.
func TestAnyCutIsRepaired(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "c")
	c, err := Open(path, letters{name: "letters"}, nil)
	require.NoError(t, err)
	for _, s := range []string{"a", "b"} {
		_, err := c.Sync(t.Context(), s, docs("one "+s, "two "+s))
		require.NoError(t, err)
	}
	require.NoError(t, c.Close())
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, zeros := range []int{0, 40} {
		for n := 0; n <= len(data); n += 1 + n/200 {
			cut := filepath.Join(dir, "cut")
			require.NoError(t, os.WriteFile(cut, append(slices.Clone(data[:n]), make([]byte, zeros)...), 0o644))
			c, err := Open(cut, letters{name: "letters"}, nil)
			if zeros > 0 && errors.Is(err, ErrCorrupt) {
				continue // a crash leaves no zeros inside of a record
			}
			require.NoError(t, err, "cut at %d", n)
			require.Contains(t, []int{0, 2, 4}, c.Len())
			_, err = c.Sync(t.Context(), "c", docs("three"))
			require.NoError(t, err)
			before := c.Len()
			require.NoError(t, c.Close())
			c, err = Open(cut, letters{name: "letters"}, nil)
			require.NoError(t, err)
			require.Equal(t, before, c.Len())
			require.NoError(t, c.Close())
		}
	}
}

// TestAFlippedBitIsNeverBelieved changes each byte in turn: opening fails, or gives
// the collection that a cut at that record would.
func TestAFlippedBitIsNeverBelieved(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "c")
	c, err := Open(path, letters{name: "letters"}, nil)
	require.NoError(t, err)
	for _, s := range []string{"a", "b"} {
		_, err := c.Sync(t.Context(), s, docs("one "+s))
		require.NoError(t, err)
	}
	require.NoError(t, c.Close())
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	failed := 0
	for i := range data {
		bad := slices.Clone(data)
		bad[i] ^= 0x10
		flipped := filepath.Join(dir, "flipped")
		require.NoError(t, os.WriteFile(flipped, bad, 0o644))
		c, err := Open(flipped, letters{name: "letters"}, nil)
		if err != nil {
			require.ErrorIs(t, err, ErrCorrupt)
			failed++
			continue
		}
		require.Equal(t, map[string]int{"a": 1}, c.Sources(), "byte %d: only the last record may be taken for torn", i)
		require.NoError(t, c.Close())
	}
	require.Greater(t, failed, len(data)/2)
}

func TestCompactionShrinksTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c")
	c, err := Open(path, letters{name: "letters"}, nil)
	require.NoError(t, err)
	c.dead = -1000 // not while it is open
	for i := range 150 {
		_, err := c.Sync(t.Context(), "a", docs(fmt.Sprint("text ", i)))
		require.NoError(t, err)
	}
	require.NoError(t, c.Close())
	before, err := os.Stat(path)
	require.NoError(t, err)
	for range 2 {
		c, err = Open(path, letters{name: "letters"}, nil)
		require.NoError(t, err)
		require.Equal(t, 1, c.Len())
		_, err = c.Sync(t.Context(), "b", docs("more"))
		require.NoError(t, err)
		_, err = c.Remove(t.Context(), "b")
		require.NoError(t, err)
		require.NoError(t, c.Close())
	}
	after, err := os.Stat(path)
	require.NoError(t, err)
	require.Less(t, after.Size(), before.Size()/10)
}

func TestRefusals(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c")
	c := open(t, path)
	_, err := c.Sync(t.Context(), "a", docs("one"))
	require.NoError(t, err)
	_, err = Open(path, letters{name: "letters"}, nil)
	require.ErrorIs(t, err, ErrLocked)
	require.NoError(t, c.Close())
	require.NoError(t, c.Close())
	_, err = c.Search(t.Context(), "q", 1, nil)
	require.ErrorIs(t, err, ErrClosed)
	_, err = c.Sync(t.Context(), "a", nil)
	require.ErrorIs(t, err, ErrClosed)

	_, err = Open(path, letters{name: "others"}, nil)
	require.ErrorIs(t, err, ErrEmbedder)
	_, err = Open("", nil, nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = Open("", letters{}, &Options{SparseWeight: math.Inf(1)})
	require.ErrorIs(t, err, ErrOption, "all passages would be equal")
	_, err = Open("", letters{}, &Options{DenseWeight: -1})
	require.Error(t, err)
	_, err = Open(filepath.Join(t.TempDir(), "no", "such", "folder"), letters{}, nil)
	require.ErrorIs(t, err, os.ErrNotExist)

	c = open(t, "")
	_, err = c.Search(t.Context(), "q", 0, nil)
	require.Error(t, err)
	got, err := c.Search(t.Context(), "q", 3, nil)
	require.NoError(t, err)
	require.Empty(t, got, "an empty collection has no answer")
	_, err = c.Sync(t.Context(), "a", []schema.Document{{PageContent: "x", Metadata: map[string]any{"f": func() {}}}})
	require.Error(t, err)
}

func TestABrokenEmbedderChangesNothing(t *testing.T) {
	for name, e := range map[string]vectors{
		"fails": {err: errors.New("down")}, "too few": {v: [][]float32{}}, "NaN": {v: [][]float32{{float32(math.NaN()), 1}}},
		"none": {v: [][]float32{{}}}, "infinite": {v: [][]float32{{float32(math.Inf(1)), 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := Open("", e, nil)
			require.NoError(t, err)
			_, err = c.Sync(t.Context(), "a", docs("one"))
			require.Error(t, err)
			require.Zero(t, c.Len())
		})
	}
	c, err := Open("", vectors{v: [][]float32{{1, 0}}, q: []float32{1, 0, 0}}, nil)
	require.NoError(t, err)
	_, err = c.Sync(t.Context(), "a", docs("one"))
	require.NoError(t, err)
	_, err = c.Search(t.Context(), "q", 1, nil)
	require.ErrorIs(t, err, ErrEmbedder)
}

type vectors struct {
	v   [][]float32
	q   []float32
	err error
}

func (v vectors) EmbedDocuments(context.Context, []string) ([][]float32, error) { return v.v, v.err }
func (v vectors) EmbedQuery(context.Context, string) ([]float32, error)         { return v.q, v.err }

type tenantKey struct{}

func TestTenantsKeepApart(t *testing.T) {
	c, err := Open("", letters{}, &Options{Words: words(t), Tenant: func(ctx context.Context) string {
		s, _ := ctx.Value(tenantKey{}).(string)
		return s
	}})
	require.NoError(t, err)
	add := func(source, text, tenant string) {
		d := schema.Document{PageContent: text, Metadata: map[string]any{}}
		if tenant != "" {
			d.Metadata[docmeta.Tenant] = tenant
		}
		_, err := c.Sync(t.Context(), source, []schema.Document{d})
		require.NoError(t, err)
	}
	add("a", "plan of acme", "acme")
	add("b", "plan of bolt", "bolt")
	add("c", "plan for all", "")
	for tenant, want := range map[string][]string{"acme": {"plan for all", "plan of acme"}, "bolt": {"plan for all", "plan of bolt"}, "": {"plan for all"}} {
		got, err := c.Search(context.WithValue(t.Context(), tenantKey{}, tenant), "plan", 9, nil)
		require.NoError(t, err)
		require.ElementsMatch(t, want, texts(got), tenant)
	}
	acme := context.WithValue(t.Context(), tenantKey{}, "acme")
	require.Len(t, c.Passages(acme, "a"), 1)
	require.Empty(t, c.Passages(acme, "b"), "another tenant's")
	require.Len(t, c.Passages(acme, "c"), 1)
	require.Empty(t, c.Passages(t.Context(), "a"))
	got, err := c.Search(t.Context(), "plan", 9, &Query{Filter: func(map[string]any) bool { return false }})
	require.NoError(t, err)
	require.Empty(t, got)
}

// TestPassagesInTheOrderOfTheSource: whatever the order of the ids.
func TestPassagesInTheOrderOfTheSource(t *testing.T) {
	c := open(t, "")
	var docs []schema.Document
	for _, at := range []int{40, 0, 1000, 20} {
		docs = append(docs, schema.Document{PageContent: fmt.Sprintf("at %d", at), Metadata: map[string]any{docmeta.Start: at, docmeta.End: at + 5}})
	}
	docs = append(docs, schema.Document{PageContent: "without a place"})
	_, err := c.Sync(t.Context(), "a", docs)
	require.NoError(t, err)
	var got []string
	for _, d := range c.Passages(t.Context(), "a") {
		got = append(got, d.PageContent)
	}
	require.Equal(t, []string{"at 0", "at 20", "at 40", "at 1000", "without a place"}, got)
	require.Empty(t, c.Passages(t.Context(), "b"))
}

// TestNearestAgainstSorting compares the heap with sorting everything.
func TestNearestAgainstSorting(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	c := open(t, "")
	var all []string
	for range 300 {
		b := make([]byte, 1+rng.IntN(6))
		for i := range b {
			b[i] = 'a' + byte(rng.IntN(5))
		}
		all = append(all, string(b))
	}
	_, err := c.Sync(t.Context(), "a", docs(all...))
	require.NoError(t, err)
	v, err := c.embedder.EmbedQuery(t.Context(), "abcab")
	require.NoError(t, err)
	everything := func(n int) bool { return c.slots[n] != nil }
	whole, err := c.nearest(unit(v), len(all), everything)
	require.NoError(t, err)
	require.True(t, slices.IsSortedFunc(whole, byRank))
	for _, n := range []int{1, 7, 100} {
		part, err := c.nearest(unit(v), n, everything)
		require.NoError(t, err)
		require.Equal(t, whole[:n], part)
	}
}

func TestEventsKeepToTheTable(t *testing.T) {
	c, err := Open("", letters{}, &Options{Logger: slog.New(&event.Checker{Report: t.Errorf})})
	require.NoError(t, err)
	_, err = c.Sync(t.Context(), "a", docs("one"))
	require.NoError(t, err)
	_, err = c.GetRelevantDocuments(t.Context(), "one")
	require.NoError(t, err)
}

func TestConcurrentUse(t *testing.T) {
	c := open(t, filepath.Join(t.TempDir(), "c"))
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 20 {
				_, err := c.Sync(t.Context(), fmt.Sprint("s", w), docs(fmt.Sprint("text ", i), "same"))
				require.NoError(t, err)
				_, err = c.Search(t.Context(), "text same", 3, nil)
				require.NoError(t, err)
			}
		})
	}
	wg.Wait()
	require.Equal(t, 8, c.Len())
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte(magic))
	f.Add(appendFrame([]byte(magic), []byte(`{"embedder":"letters"}`)))
	f.Add(appendFrame([]byte(magic), []byte(`{"put":[{"id":"x","vector":"AAAA"},null]}`)))
	f.Add(appendFrame(appendFrame(appendFrame([]byte(magic), []byte(`{"embedder":"letters"}`)), []byte(`{"free":[1,2,0]}`)), []byte(`{"put":[{"id":"x","vector":"AACAPw=="}]}`)))
	f.Add(appendFrame(appendFrame([]byte(magic), []byte(`{"embedder":"letters"}`)), []byte(`{"free":[1,7]}`)))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "c")
		require.NoError(t, os.WriteFile(path, data, 0o644))
		c, err := Open(path, letters{name: "letters"}, nil)
		if err != nil {
			require.True(t, errors.Is(err, ErrCorrupt) || errors.Is(err, ErrVersion), "%v", err)
			return
		}
		_, err = c.Search(t.Context(), "q", 3, nil)
		if err != nil {
			require.ErrorIs(t, err, ErrEmbedder)
		}
		require.NoError(t, c.Close())
	})
}

func BenchmarkSearch(b *testing.B) {
	c := open(b, "")
	rng := rand.New(rand.NewPCG(1, 1))
	var all []string
	for range 5000 {
		all = append(all, fmt.Sprint("passage about topic ", rng.IntN(400), " and topic ", rng.IntN(400)))
	}
	if _, err := c.Sync(b.Context(), "a", docs(all...)); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Search(b.Context(), "topic 17", 5, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// TestFusionCountsAnIDOnce: where an id appears twice in one run, its best place
// counts, and the others keep their ranks.
func TestFusionCountsAnIDOnce(t *testing.T) {
	run := func(ids ...string) (out []Ranked[string]) {
		for i, id := range ids {
			out = append(out, Ranked[string]{id, float64(10 - i)})
		}
		return out
	}
	got := RRF(60, nil, run("a", "a", "b"), run("b", "a"))
	require.Equal(t, "a", got[0].ID)
	require.InDelta(t, 0.03252247488101534, got[0].Score, 1e-15)
	require.InDelta(t, 0.032266458495966696, got[1].Score, 1e-15)
	once := WeightedSum(MinMax, nil, run("a", "a", "b"))
	require.Equal(t, []Ranked[string]{{"a", 1}, {"b", 0}}, once)
}

// TestReadOnlyFile: a collection on a read-only file system can be searched, and
// the error of a change has the reason.
func TestReadOnlyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c")
	c, err := Open(path, letters{}, nil)
	require.NoError(t, err)
	_, err = c.Sync(t.Context(), "s", []schema.Document{{PageContent: "abc"}})
	require.NoError(t, err)
	require.NoError(t, c.Close())
	j := &journal{path: path, readOnly: true}
	j.file, err = os.Open(path)
	require.NoError(t, err)
	records := 0
	require.NoError(t, j.replay(func([]byte) error { records++; return nil }))
	require.Equal(t, 2, records)
	require.ErrorIs(t, j.append(change{}), ErrReadOnly)
	require.NoError(t, j.close())
	if os.Geteuid() == 0 || runtime.GOOS == "windows" {
		return // root may write in spite of the mode
	}
	require.NoError(t, os.Chmod(path, 0o444))
	c, err = Open(path, letters{}, nil)
	require.NoError(t, err)
	require.Equal(t, 1, c.Len())
	_, err = c.Sync(t.Context(), "s", nil)
	require.ErrorIs(t, err, ErrReadOnly)
	require.NoError(t, c.Close())
}

// TestATornEndIsTold: a crash in the middle of a write loses the last change, and
// the log has the number of bytes.
func TestATornEndIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c")
	c, err := Open(path, letters{}, nil)
	require.NoError(t, err)
	_, err = c.Sync(t.Context(), "s", []schema.Document{{PageContent: "abc"}})
	require.NoError(t, err)
	require.NoError(t, c.Close())
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, whole[:len(whole)-7], 0o644))
	var log strings.Builder
	c, err = Open(path, letters{}, &Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, err)
	require.Zero(t, c.Len())
	require.Contains(t, log.String(), "retrieve.truncated bytes=")
	require.NoError(t, c.Close())
}

// TestAReplacedFileIsNotTaken: a file that was opened just before another process
// compacted the collection is no longer the collection.
func TestAReplacedFileIsNotTaken(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("an open file isn't replaced there")
	}
	path := filepath.Join(t.TempDir(), "c")
	a, err := Open(path, letters{}, nil)
	require.NoError(t, err)
	_, err = a.Sync(t.Context(), "s", []schema.Document{{PageContent: "one"}})
	require.NoError(t, err)
	b, err := os.OpenFile(path, os.O_RDWR, 0o644)
	require.NoError(t, err)
	require.True(t, isAt(b, path))
	require.NoError(t, a.compact())
	require.False(t, isAt(b, path))
	require.NoError(t, b.Close())
	require.NoError(t, a.Close())
}
