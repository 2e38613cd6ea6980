package bm25

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// randomIndex has n documents of terms of very different frequency, with gaps of
// removed ones, and ids that are not in order.
func randomIndex(t testing.TB, rng *rand.Rand, n int, o *Options) *Index {
	t.Helper()
	x, err := New(o)
	require.NoError(t, err)
	ids := rng.Perm(n)
	for _, id := range ids {
		x.AddTerms(id, randomTerms(rng, 1+rng.IntN(60)))
	}
	for _, id := range ids[:n/3] {
		if rng.IntN(2) == 0 {
			x.Remove(id)
		}
	}
	return x
}

func randomTerms(rng *rand.Rand, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprint("t", int(math.Exp(rng.Float64()*6)))
	}
	return out
}

// TestSearchEqualsThePlainAlgorithm, to the last bit, for every variant, k, filter and
// query, also with phrases.
func TestSearchEqualsThePlainAlgorithm(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 7))
	for variant := Lucene; variant <= Dot; variant++ {
		for _, o := range []Options{{}, {B: Fixed(0)}, {K1: Fixed(0)}, {B: Fixed(1), K1: Fixed(3)}, {Phrases: true}} {
			o.Variant = variant
			x := randomIndex(t, rng, 2000, &o)
			for i := range 15 {
				terms := randomTerms(rng, 1+rng.IntN(8))
				var phrases [][]string
				if o.Phrases {
					phrases = [][]string{randomTerms(rng, 2), {"t1", "t2"}}
				}
				var allowed func(int) bool
				if i%3 == 0 {
					allowed = func(id int) bool { return id%7 == 0 }
				}
				for _, k := range []int{1, 3, 10, 100, 5000} {
					require.Equal(t, x.plain(terms, phrases, k, allowed), x.search(terms, phrases, k, allowed), "%v %v %d", terms, phrases, k)
				}
			}
		}
	}
}

// FuzzSearch does the same after random changes of small indexes.
func FuzzSearch(f *testing.F) {
	f.Add(uint64(1), uint16(300), uint8(0), uint8(3))
	f.Add(uint64(2), uint16(20), uint8(4), uint8(1))
	f.Fuzz(func(t *testing.T, seed uint64, n uint16, variant, k uint8) {
		rng := rand.New(rand.NewPCG(seed, 7))
		x, err := New(&Options{Variant: Variant(variant % 6), Phrases: seed%2 == 0})
		require.NoError(t, err)
		for range int(n) % 2000 {
			if id := rng.IntN(300); rng.IntN(3) == 0 {
				x.Remove(id)
			} else {
				x.AddTerms(id, randomTerms(rng, rng.IntN(10)))
			}
		}
		for range 10 {
			terms := randomTerms(rng, rng.IntN(5))
			phrases := [][]string{randomTerms(rng, 2)}
			require.Equal(t, x.plain(terms, phrases, int(k), nil), emptyAsNone(x.search(terms, phrases, int(k), nil)))
		}
	})
}

func emptyAsNone(h []Hit) []Hit {
	if h == nil {
		return []Hit{}
	}
	return h
}

// TestMostDocumentsAreNotLookedAt: that is the point of the bounds.
func TestMostDocumentsAreNotLookedAt(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 7))
	x := randomIndex(t, rng, 20_000, nil)
	asked, matched := 0, 0
	for range 20 {
		terms := []string{"t1", "t2", fmt.Sprint("t", 100+rng.IntN(300))}
		x.search(terms, nil, 10, func(int) bool { asked++; return true })
		x.plain(terms, nil, 10, func(int) bool { matched++; return true })
	}
	t.Logf("%d of %d", asked, matched)
	require.Less(t, asked, matched/10)
}

func TestPhrases(t *testing.T) {
	x, err := New(&Options{Phrases: true, Boosts: map[string]float64{"title": 3}})
	require.NoError(t, err)
	x.Add(1, "The key of the API is long, rotate it")
	x.Add(2, "Rotate the API key: an API key lives 90 days")
	x.Add(3, "nothing of it")
	x.Add(4, "keys of APIs")
	hits := x.Search(`rotate "API key"`, 9)
	require.Equal(t, 2, hits[0].ID)
	words := x.Search(`rotate API key`, 9)
	score := func(hits []Hit, id int) float64 {
		for _, h := range hits {
			if h.ID == id {
				return h.Score
			}
		}
		return 0
	}
	require.Equal(t, 1, words[0].ID, "the shorter one, without the phrase")
	require.Greater(t, score(hits, 2), score(words, 2))
	require.Equal(t, score(words, 1), score(hits, 1), "no phrase in it")
	require.Equal(t, x.Search(`"rotate"`, 9), x.Search("rotate", 9), "one word is no phrase")
	require.Equal(t, x.Search(`5" API key`, 9), x.Search("5 API key", 9), "a quote that isn't closed may be inches")
	require.Equal(t, x.Search(`"API key" 5"`, 9), x.Search(`"API key" 5`, 9))
	require.NotPanics(t, func() { x.Search(`"" "never seen words"`, 3) })
	before := x.SearchAllowed(`"API key"`, 9, func(id int) bool { return id == 5 })
	require.Empty(t, before)
	x.AddFields(5, Field{"title", "API"}, Field{"body", "key"})
	only := func(id int) bool { return id == 5 }
	require.Equal(t, x.SearchAllowed(`API key`, 9, only), x.SearchAllowed(`"API key"`, 9, only), "no phrase across fields")
}

// Names that aren't UTF-8 would be others in the file, and no metadata has them.
func TestBoostsOfNoText(t *testing.T) {
	_, err := New(&Options{Boosts: map[string]float64{"\xff": 2}})
	require.ErrorIs(t, err, ErrOption)
}

func TestFieldsCountByTheirBoost(t *testing.T) {
	x, err := New(&Options{Boosts: map[string]float64{"title": 3}})
	require.NoError(t, err)
	y, err := New(nil)
	require.NoError(t, err)
	x.AddFields(1, Field{"title", "rotation"}, Field{"body", "keys and more"})
	y.Add(1, "rotation rotation rotation keys and more")
	x.AddFields(2, Field{"title", "keys"}, Field{"body", "rotation"})
	y.Add(2, "keys keys keys rotation")
	x.AddFields(3, Field{"body", "weather"})
	y.Add(3, "weather")
	require.Equal(t, y.Search("rotation", 9), x.Search("rotation", 9))
	require.Equal(t, 1, x.Search("rotation", 9)[0].ID)
	require.Equal(t, 2, x.Search("keys", 9)[0].ID)
	for _, b := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		_, err := New(&Options{Boosts: map[string]float64{"x": b}})
		require.ErrorIs(t, err, ErrOption)
	}
}

func TestSearchAllowed(t *testing.T) {
	x, err := New(nil)
	require.NoError(t, err)
	for id := range 500 {
		x.Add(id, "common word")
	}
	hits := x.SearchAllowed("word", 5, func(id int) bool { return id >= 490 })
	require.Len(t, hits, 5, "k counts the allowed ones")
	require.Equal(t, 490, hits[0].ID)
	require.Empty(t, x.SearchAllowed("word", 5, func(int) bool { return false }))
}

// BenchmarkTopK compares the search with the plain algorithm: 100,000 documents, 10
// hits.
func BenchmarkTopK(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	x, err := New(nil)
	require.NoError(b, err)
	for id := range 100_000 {
		terms := make([]string, 60)
		for i := range terms {
			terms[i] = fmt.Sprint("t", int(math.Exp(rng.Float64()*10)))
		}
		x.AddTerms(id, terms)
	}
	var queries [][]string
	for range 50 {
		q := make([]string, 4)
		for i := range q {
			q[i] = fmt.Sprint("t", int(math.Exp(2+rng.Float64()*8)))
		}
		queries = append(queries, q)
	}
	for name, search := range map[string]func([]string, [][]string, int, func(int) bool) []Hit{"pruned": x.search, "plain": x.plain} {
		b.Run(name, func(b *testing.B) {
			i := 0
			for b.Loop() {
				search(queries[i%50], nil, 10, nil)
				i++
			}
		})
	}
}

// TestCranfield measures nDCG@10 on the Cranfield collection, which isn't part of this
// repository, since it has no license.
func TestCranfield(t *testing.T) {
	set := os.Getenv("PRODAI_GOLDEN")
	dir := filepath.Join(set, "retrieve", "ir", "cranfield")
	if _, err := os.Stat(dir); set == "" || err != nil {
		t.Skip("set PRODAI_GOLDEN to a folder with retrieve/ir/cranfield")
	}
	type row struct {
		ID    string `json:"_id"`
		Title string
		Text  string
	}
	read := func(name string) []row { return readRows[row](t, filepath.Join(dir, name)) }
	docs, queries := read("corpus.jsonl"), read("queries.jsonl")
	gains := map[string]map[string]float64{}
	qrels, err := os.ReadFile(filepath.Join(dir, "qrels.tsv"))
	require.NoError(t, err)
	for i, line := range strings.Split(strings.TrimSpace(string(qrels)), "\n") {
		if i == 0 {
			continue
		}
		var q, d string
		var gain float64
		_, err := fmt.Sscan(line, &q, &d, &gain)
		require.NoError(t, err)
		if gains[q] == nil {
			gains[q] = map[string]float64{}
		}
		gains[q][d] = gain
	}
	ndcg := func(o *Options) float64 {
		x, err := New(o)
		require.NoError(t, err)
		for i, d := range docs {
			x.Add(i, d.Title+" "+d.Text)
		}
		total, n := 0.0, 0
		for _, q := range queries {
			want := gains[q.ID]
			if len(want) == 0 {
				continue
			}
			var found []float64
			for _, h := range x.Search(q.Text, 10) {
				found = append(found, want[docs[h.ID].ID])
			}
			total += dcg(found) / dcg(ideal(want))
			n++
		}
		return total / float64(n)
	}
	english, unicode := ndcg(nil), ndcg(&Options{Analyze: Words})
	t.Logf("nDCG@10 of %d queries: English %.4f, Words %.4f", len(queries), english, unicode)
	require.GreaterOrEqual(t, english, .365)
	require.GreaterOrEqual(t, unicode, .335)
}

func readRows[T any](t *testing.T, path string) []T {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	var out []T
	for d := json.NewDecoder(bytes.NewReader(data)); ; {
		var row T
		err := d.Decode(&row)
		if errors.Is(err, io.EOF) {
			return out
		}
		require.NoError(t, err)
		out = append(out, row)
	}
}

func dcg(gains []float64) float64 {
	sum := 0.0
	for i, g := range gains {
		sum += g / math.Log2(float64(i)+2)
	}
	return sum
}

func ideal(gains map[string]float64) []float64 {
	all := slices.SortedFunc(maps.Values(gains), func(a, b float64) int { return cmp.Compare(b, a) })
	return all[:min(10, len(all))]
}
