package retrieve

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/blevesearch/bleve/v2"
	_ "github.com/blevesearch/bleve/v2/analysis/analyzer/simple"
	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retrieve/bm25"
)

// zipf returns words drawn by Zipf's law, the ones before the first never.
func zipf(rng *rand.Rand, words int, first float64) string {
	out := make([]string, words)
	for i := range out {
		out[i] = letters(int(math.Exp(math.Log(first) + rng.Float64()*(math.Log(1e5)-math.Log(first)))))
	}
	return strings.Join(out, " ")
}

// letters writes a number in letters: bleve's simple analyzer knows no digits.
func letters(n int) string {
	return "w" + strings.Map(func(r rune) rune { return 'a' + r - '0' }, strconv.Itoa(n))
}

// BenchmarkWords builds indexes of 20,000 made-up texts and searches them for the ten
// best. Both cut at spaces, and score by BM25.
func BenchmarkWords(b *testing.B) {
	const n = 20_000
	rng := rand.New(rand.NewPCG(3, 3))
	var texts, queries []string
	for range n {
		texts = append(texts, zipf(rng, 30+rng.IntN(60), 1))
	}
	for range 200 {
		queries = append(queries, zipf(rng, 2+rng.IntN(5), 10))
	}
	var ours *bm25.Index
	b.Run("build/prodai", func(b *testing.B) {
		for b.Loop() {
			var err error
			ours, err = bm25.New(&bm25.Options{Analyze: strings.Fields})
			require.NoError(b, err)
			for id, t := range texts {
				ours.Add(id, t)
			}
		}
	})
	var peer bleve.Index
	b.Run("build/bleve", func(b *testing.B) {
		for b.Loop() {
			mapping := bleve.NewIndexMapping()
			mapping.DefaultAnalyzer, mapping.ScoringModel = "simple", "bm25"
			var err error
			peer, err = bleve.New(b.TempDir(), mapping)
			require.NoError(b, err)
			batch := peer.NewBatch()
			for id, t := range texts {
				require.NoError(b, batch.Index(strconv.Itoa(id), map[string]any{"text": t}))
				if batch.Size() == 1000 || id == n-1 {
					require.NoError(b, peer.Batch(batch))
					batch = peer.NewBatch()
				}
			}
		}
	})
	found := map[string][][]string{}
	run := func(name string, search func(q string) []string) {
		for _, q := range queries {
			found[name] = append(found[name], search(q))
		}
		i := 0
		b.Run("search/"+name, func(b *testing.B) {
			for b.Loop() {
				search(queries[i%len(queries)])
				i++
			}
		})
	}
	if ours == nil || peer == nil {
		b.Skip("search needs both indexes: don't select one benchmark")
	}
	run("prodai", func(q string) (out []string) {
		for _, h := range ours.Search(q, 10) {
			out = append(out, fmt.Sprint(h.ID))
		}
		return out
	})
	run("bleve", func(q string) (out []string) {
		got, err := peer.Search(bleve.NewSearchRequestOptions(bleve.NewMatchQuery(q), 10, 0, false))
		require.NoError(b, err)
		for _, h := range got.Hits {
			out = append(out, h.ID)
		}
		return out
	})
	same, all := 0, 0
	for i := range queries {
		for _, id := range found["bleve"][i] {
			all++
			for _, other := range found["prodai"][i] {
				if id == other {
					same++
				}
			}
		}
	}
	b.Logf("%.0f %% of bleve's hits are ours", 100*float64(same)/float64(all))
	require.NoError(b, peer.Close())
}
