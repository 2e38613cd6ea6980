package cache

import (
	"bufio"
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/embeddings"

	"github.com/prodailabs/prodai/cache/semantic"
	"github.com/prodailabs/prodai/retrieve/embed"
	"github.com/prodailabs/prodai/retrieve/embed/bert"
)

// TestSimilar prints the tables of cache/semantic's notes. The pairs (JSON lines with a, b
// and label, 1 for the same answer) are in a file of their own, because the terms of Quora
// don't let them be carried. The second embedder is left out without its weights:
//
//	PRODAI_PAIRS=FILE PRODAI_MINILM=FOLDER go test -v -run Similar ./cache
func TestSimilar(t *testing.T) {
	file := os.Getenv("PRODAI_PAIRS")
	if file == "" {
		t.Skip("PRODAI_PAIRS names no file of labeled pairs")
	}
	pairs := readPairs(t, file)
	static, err := embed.New()
	require.NoError(t, err)
	similar(t, "retrieve/embed", static, pairs)
	if folder := os.Getenv("PRODAI_MINILM"); folder != "" {
		e, err := bert.NewEmbedder(folder, nil)
		require.NoError(t, err)
		similar(t, "MiniLM", e, pairs)
	}
}

func readPairs(t *testing.T, file string) (out []semantic.Pair) {
	t.Helper()
	f, err := os.Open(file)
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	for s := bufio.NewScanner(f); s.Scan(); {
		var row struct {
			A, B  string
			Label int
		}
		require.NoError(t, json.Unmarshal(s.Bytes(), &row))
		out = append(out, semantic.Pair{A: row.A, B: row.B, Same: row.Label == 1})
	}
	require.NotEmpty(t, out)
	return out
}

// orders is how many orders of the questions learned thresholds are averaged over.
const orders = 20

func similar(t *testing.T, name string, e embeddings.Embedder, pairs []semantic.Pair) {
	e = remembering{e, map[string][]float32{}}
	for _, guard := range []struct {
		name  string
		guard func(asked, stored string) string
	}{{"without guard", nil}, {"with guard", semantic.Agree}} {
		ev, err := semantic.Evaluate(t.Context(), e, pairs, guard.guard)
		require.NoError(t, err)
		for _, threshold := range []float64{.8, .9, .95, .99} {
			r := ev.At(threshold)
			t.Logf("%-15s %-14s fixed %.2f: right %3d wrong %3d (precision %.3f, %.3f to %.3f; recall %.3f)", name, guard.name, threshold, r.Right, r.False(), r.Precision(), r.Low, r.High, r.Recall())
		}
		for _, maxWrong := range []float64{.05, .1, .2} {
			r, err := ev.Calibrate(maxWrong, .95)
			t.Logf("%-15s %-14s calibrated for %.2f: threshold %v, %d right, %d wrong, %v", name, guard.name, maxWrong, r.Threshold, r.Right, r.False(), err)
		}
		for _, maxWrong := range []float64{.05, .1, .2, .3} {
			right, hits, most := 0, 0, 0.0
			for seed := range uint64(orders) {
				shuffled := append([]semantic.Pair(nil), pairs...)
				rand.New(rand.NewPCG(seed, 14)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
				ev, err := semantic.Evaluate(t.Context(), e, shuffled, guard.guard)
				require.NoError(t, err)
				r, err := ev.Learned(.7, &semantic.Learn{MaxWrong: maxWrong})
				require.NoError(t, err)
				right, hits = right+r.Right, hits+r.Hits
				if r.Hits > 0 {
					most = max(most, 1-r.Precision())
				}
			}
			t.Logf("%-15s %-14s learned %.2f: right %5.1f wrong %5.1f (mean of %d orders; wrong share %.3f, at most %.3f in one order)", name, guard.name, maxWrong,
				float64(right)/orders, float64(hits-right)/orders, orders, 1-float64(right)/float64(hits), most)
		}
	}
}

// remembering embeds each text once.
type remembering struct {
	embeddings.Embedder
	seen map[string][]float32
}

func (e remembering) EmbedDocuments(ctx context.Context, texts []string) ([][]float32, error) {
	var missing []string
	for _, text := range texts {
		if e.seen[text] == nil {
			missing = append(missing, text)
		}
	}
	vectors, err := e.Embedder.EmbedDocuments(ctx, missing)
	if err != nil {
		return nil, err
	}
	for i, text := range missing {
		e.seen[text] = vectors[i]
	}
	out := make([][]float32, len(texts))
	for i, text := range texts {
		out[i] = e.seen[text]
	}
	return out, nil
}
