package bm25

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/golden"
)

func TestGoldenScores(t *testing.T) {
	first, _, _ := strings.Cut(string(golden.Read(t, "retrieve", "bm25.jsonl")), "\n")
	var corpus struct{ Docs [][]string }
	require.NoError(t, json.Unmarshal([]byte(first), &corpus))
	require.NotEmpty(t, corpus.Docs)
	variants := map[string]Variant{"lucene": Lucene, "robertson": Robertson, "atire": ATIRE, "bm25l": BM25L, "bm25+": BM25Plus}
	golden.Rows(t, "retrieve", "bm25.jsonl", func(row struct {
		Kind, Impl, Variant string
		K1, B, Delta        float64
		Query               []string
		Scores              []float64
	}) error {
		if row.Kind == "corpus" || row.Impl != "bm25s" { // rank_bm25 has other formulas
			return nil
		}
		variant, ok := variants[row.Variant]
		if !ok {
			return fmt.Errorf("an unknown variant %q", row.Variant)
		}
		x, err := New(&Options{Variant: variant, K1: Fixed(row.K1), B: Fixed(row.B), Delta: Fixed(row.Delta)})
		if err != nil {
			return err
		}
		for i, d := range corpus.Docs {
			x.AddTerms(i, d)
		}
		got := x.Scores(row.Query)
		for i, want := range row.Scores {
			if !(math.Abs(got[i]-want) <= 1e-6) {
				return fmt.Errorf("%s k1 %v b %v %v: document %d: got %v, want %v", row.Variant, row.K1, row.B, row.Query, i, got[i], want)
			}
		}
		return nil
	})
}

func TestGoldenStems(t *testing.T) {
	golden.Rows(t, "retrieve", "stems.jsonl", func(row struct{ Algorithm, Word, Stem string }) error {
		if row.Algorithm != "english" { // the only one that this package uses
			return nil
		}
		if got := stem(row.Word); got != row.Stem {
			return fmt.Errorf("%s: got %s, want %s", row.Word, got, row.Stem)
		}
		return nil
	})
}

func TestEnglishTerms(t *testing.T) {
	require.Equal(t, []string{"rotat", "api", "key"}, English("How to rotate the API keys?"))
	require.Equal(t, []string{"withstreamingfunc", "stream", "func", "e4502"}, English("WithStreamingFunc E4502"))
	require.Equal(t, []string{"返金は三十日"}, English("返金は三十日"))
	require.Empty(t, English("  … \xff\xfe ? "))
	require.Equal(t, []string{"get", "HTTP", "Client2"}, camelParts("getHTTPClient2"))
	require.Equal(t, []string{"ID"}, camelParts("ID"))
}

func TestSearchOrdersAndLimits(t *testing.T) {
	x, err := New(nil)
	require.NoError(t, err)
	for id, text := range []string{"refund policy", "api key rotation", "api key", "weather"} {
		x.Add(id, text)
	}
	hits := x.Search("rotating api keys", 10)
	require.Equal(t, []int{1, 2}, []int{hits[0].ID, hits[1].ID})
	require.Len(t, x.Search("rotating api keys", 1), 1)
	require.Empty(t, x.Search("api", 0))
	require.Empty(t, x.Search("", 5))
	require.Empty(t, x.Search("unheard", 5))
	x.Add(7, "same same")
	x.Add(6, "same same")
	require.Equal(t, 6, x.Search("same", 2)[0].ID, "ties by the lower id")
}

// TestRemovingIsLikeNeverAdding compares an index after many changes with one
// built anew, for every variant, to the last bit.
func TestRemovingIsLikeNeverAdding(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	text := func() []string {
		out := make([]string, rng.IntN(12))
		for i := range out {
			out[i] = fmt.Sprint("t", rng.IntN(20))
		}
		return out
	}
	for variant := Lucene; variant <= Dot; variant++ {
		changed, err := New(&Options{Variant: variant})
		require.NoError(t, err)
		docs := map[int][]string{}
		for range 500 {
			id := rng.IntN(40)
			if rng.IntN(3) == 0 {
				_, there := docs[id]
				require.Equal(t, there, changed.Remove(id))
				delete(docs, id)
			} else {
				docs[id] = text()
				changed.AddTerms(id, docs[id])
			}
		}
		anew, err := New(&Options{Variant: variant})
		require.NoError(t, err)
		for id, d := range docs {
			anew.AddTerms(id, d)
		}
		query := []string{"t1", "t1", "t5", "t19", "none"}
		require.Equal(t, anew.Scores(query), changed.Scores(query))
		require.Equal(t, anew.SearchTerms(query, 99), changed.SearchTerms(query, 99))
		for id := range docs {
			changed.Remove(id)
		}
		require.Zero(t, changed.total)
		require.Empty(t, changed.postings)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, o := range []Options{{K1: Fixed(-1)}, {B: Fixed(1.1)}, {B: Fixed(math.NaN())}, {Delta: Fixed(math.Inf(1))}, {Variant: 99}} {
		_, err := New(&o)
		require.ErrorIs(t, err, ErrOption)
	}
}

func TestConcurrentUse(t *testing.T) {
	x, err := New(nil)
	require.NoError(t, err)
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 100 {
				x.Add(w*100+i, "api key rotation")
				x.Search("key", 3)
				if i%2 == 0 {
					x.Remove(w*100 + i)
				}
			}
		})
	}
	wg.Wait()
	require.Equal(t, 200, x.Len())
}

func FuzzEnglish(f *testing.F) {
	f.Add("How do I rotate getHTTPClient’s key? \xff 返金")
	f.Fuzz(func(t *testing.T, text string) {
		for _, term := range English(text) {
			if term == "" {
				t.Fatal("an empty term")
			}
		}
	})
}

func BenchmarkSearch(b *testing.B) {
	x, err := New(nil)
	if err != nil {
		b.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for id := range 5000 {
		terms := make([]string, 120)
		for i := range terms {
			terms[i] = fmt.Sprint("t", int(math.Exp(rng.Float64()*9)))
		}
		x.AddTerms(id, terms)
	}
	query := []string{"t50", "t500", "t5000"}
	b.ReportAllocs()
	for b.Loop() {
		x.SearchTerms(query, 10)
	}
}

func ExampleIndex_Search() {
	index, err := New(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	index.Add(1, "How to rotate an API key")
	index.Add(2, "Refunds are issued within 30 days")
	index.Add(3, "error E4502: the gateway timed out")
	for _, q := range []string{"rotating keys", "what does E4502 mean?"} {
		ids := []int{}
		for _, h := range index.Search(q, 10) {
			ids = append(ids, h.ID)
		}
		fmt.Println(q, ids)
	}
	// Output:
	// rotating keys [1]
	// what does E4502 mean? [3]
}
