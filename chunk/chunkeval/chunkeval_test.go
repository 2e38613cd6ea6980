package chunkeval_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/chunk"
	"github.com/prodailabs/prodai/chunk/chunkeval"
	"github.com/prodailabs/prodai/chunk/chunkeval/sample"
	"github.com/prodailabs/prodai/internal/golden"
)

// fixed cuts every n bytes, repeating the last overlap bytes.
type fixed struct{ n, overlap int }

func (f fixed) Chunk(_ context.Context, text string) (out []chunk.Chunk, _ error) {
	for at := 0; at < len(text); at += f.n - f.overlap {
		end := min(at+f.n, len(text))
		out = append(out, chunk.Chunk{Text: text[at:end], Start: at, End: end})
		if end == len(text) {
			break
		}
	}
	return out, nil
}

// inOrder ranks the passages in their given order.
func inOrder(_ context.Context, questions, passages []string) ([][]int, error) {
	var out [][]int
	for range questions {
		order := make([]int, len(passages))
		for i := range order {
			order[i] = i
		}
		out = append(out, order)
	}
	return out, nil
}

func TestBadOptions(t *testing.T) {
	d := &chunkeval.Data{}
	for _, run := range []func() (*chunkeval.Result, error){
		func() (*chunkeval.Result, error) { return chunkeval.Run(t.Context(), nil, fixed{}, inOrder, nil) },
		func() (*chunkeval.Result, error) { return chunkeval.Run(t.Context(), d, nil, inOrder, nil) },
		func() (*chunkeval.Result, error) { return chunkeval.Run(t.Context(), d, fixed{}, nil, nil) },
		func() (*chunkeval.Result, error) {
			return chunkeval.Run(t.Context(), d, fixed{}, inOrder, &chunkeval.Options{K: -1})
		},
		func() (*chunkeval.Result, error) {
			return chunkeval.Run(t.Context(), d, fixed{}, inOrder, &chunkeval.Options{Budget: -1})
		},
	} {
		_, err := run()
		require.ErrorIs(t, err, chunkeval.ErrOption)
	}
	_, err := chunkeval.ByEmbedding(nil)
	require.ErrorIs(t, err, chunkeval.ErrOption)
	_, err = chunkeval.Read(nil, nil)
	require.ErrorIs(t, err, chunkeval.ErrOption)
}

func TestScoresByHand(t *testing.T) {
	d := &chunkeval.Data{
		Corpora:   map[string]string{"a": strings.Repeat("x", 100)},
		Questions: []chunkeval.Question{{Corpus: "a", Text: "?", References: []chunk.Span{{Start: 5, End: 25}, {Start: 20, End: 35}}}},
	}
	// Chunks [0,20) [10,30) [20,40) ... The references cover [5,35), 30 bytes.
	r, err := chunkeval.Run(t.Context(), d, fixed{20, 10}, inOrder, &chunkeval.Options{K: 2, Budget: 25})
	require.NoError(t, err)
	s := r.Scores[0]
	require.InDelta(t, 25.0/30, s.Recall, 1e-12)       // [5,30)
	require.InDelta(t, 25.0/40, s.Precision, 1e-12)    // the overlap is paid twice
	require.InDelta(t, 25.0/(40+5), s.IoU, 1e-12)      // [30,35) was missed
	require.InDelta(t, 15.0/30, s.BudgetRecall, 1e-12) // [0,20) and [10,15)
	require.InDelta(t, 15.0/25, s.BudgetPrecision, 1e-12)
	require.InDelta(t, 15.0/(25+15), s.BudgetIoU, 1e-12)
	require.InDelta(t, 30.0/50, s.PrecisionOmega, 1e-12) // [0,50) touches; [40,60) doesn't
	require.Equal(t, 9, r.Chunks)
	require.InDelta(t, 20, r.MeanTokens, 1e-12)
}

func TestOtherCorporaCostAndNeverHit(t *testing.T) {
	d := &chunkeval.Data{
		Corpora:   map[string]string{"a": strings.Repeat("x", 10), "b": strings.Repeat("y", 10)},
		Questions: []chunkeval.Question{{Corpus: "b", References: []chunk.Span{{Start: 0, End: 10}}}},
	}
	r, err := chunkeval.Run(t.Context(), d, fixed{10, 0}, inOrder, &chunkeval.Options{K: 1})
	require.NoError(t, err)
	require.Zero(t, r.Scores[0].Recall)
	require.InDelta(t, 0.5, r.Scores[0].BudgetPrecision, 1e-12)
}

// FuzzScores compares the interval arithmetic with sets of bytes.
func FuzzScores(f *testing.F) {
	f.Add(uint8(7), uint8(3), uint8(4), []byte{1, 9, 30, 12, 60, 5})
	f.Fuzz(func(t *testing.T, n, overlap, k uint8, refs []byte) {
		c := fixed{n: int(n)%40 + 1}
		c.overlap = int(overlap) % c.n
		q := chunkeval.Question{Corpus: "a"}
		want := map[int]bool{}
		for len(refs) >= 2 {
			s := chunk.Span{Start: int(refs[0]) % 200, End: min(200, int(refs[0])%200+int(refs[1])%50)}
			for i := s.Start; i < s.End; i++ {
				want[i] = true
			}
			q.References = append(q.References, s)
			refs = refs[2:]
		}
		d := &chunkeval.Data{Corpora: map[string]string{"a": strings.Repeat("x", 200)}, Questions: []chunkeval.Question{q}}
		r, err := chunkeval.Run(t.Context(), d, c, inOrder, &chunkeval.Options{K: int(k)%20 + 1})
		require.NoError(t, err)
		chunks, _ := c.Chunk(t.Context(), d.Corpora["a"])
		got, spent := map[int]bool{}, 0
		for _, c := range chunks[:min(len(chunks), int(k)%20+1)] {
			spent += c.End - c.Start
			for i := c.Start; i < c.End; i++ {
				got[i] = true
			}
		}
		hit := 0
		for i := range want {
			if got[i] {
				hit++
			}
		}
		s := r.Scores[0]
		require.InDelta(t, float64(hit)/float64(spent), s.Precision, 1e-12)
		if len(want) > 0 {
			require.InDelta(t, float64(hit)/float64(len(want)), s.Recall, 1e-12)
			require.InDelta(t, float64(hit)/float64(spent+len(want)-hit), s.IoU, 1e-12)
		}
		all := map[int]bool{}
		for _, c := range chunks {
			touches := false
			for i := c.Start - 1; i <= c.End; i++ { // also if only end to end
				touches = touches || want[i]
			}
			for i := c.Start; touches && i < c.End; i++ {
				all[i] = true
			}
		}
		if len(all) > 0 {
			require.InDelta(t, float64(len(want))/float64(len(all)), s.PrecisionOmega, 1e-12)
		}
	})
}

// stepped cuts a window of a fixed number of code points at each step.
type stepped struct{ size, step int }

func (s stepped) Chunk(_ context.Context, text string) (out []chunk.Chunk, _ error) {
	var at []int
	for i := range text {
		at = append(at, i)
	}
	at = append(at, len(text))
	for i := 0; i < len(at)-1; i += s.step {
		start, end := at[i], at[min(i+s.size, len(at)-1)]
		out = append(out, chunk.Chunk{Text: text[start:end], Start: start, End: end})
	}
	return out, nil
}

// The scores of Chroma's own program for made-up retrievals; see
// testdata/peers/chroma.py.
func TestGoldenChroma(t *testing.T) {
	d, err := sample.Data()
	require.NoError(t, err)
	golden.Rows(t, "chunk/chunkeval", "chroma.jsonl", func(row struct {
		Size, Step                    int
		Found                         [][]int
		Recall, Precision, IoU, Omega []float64
	}) error {
		found := func(context.Context, []string, []string) ([][]int, error) { return row.Found, nil }
		r, err := chunkeval.Run(t.Context(), d, stepped{row.Size, row.Step}, found, &chunkeval.Options{K: 5})
		if err != nil {
			return err
		}
		for i, got := range r.Scores {
			for name, pair := range map[string][2]float64{"recall": {got.Recall, row.Recall[i]}, "precision": {got.Precision, row.Precision[i]}, "IoU": {got.IoU, row.IoU[i]}, "omega": {got.PrecisionOmega, row.Omega[i]}} {
				if math.Abs(pair[0]-pair[1]) > 1e-9 {
					return fmt.Errorf("question %d: %s is %v, Chroma's %v", i, name, pair[0], pair[1])
				}
			}
		}
		return nil
	})
}

// oracle ranks by the references themselves.
func oracle(d *chunkeval.Data, c chunk.Chunker) chunkeval.Rank {
	return func(ctx context.Context, questions, passages []string) ([][]int, error) {
		var spans []chunk.Chunk
		var names []string
		for _, name := range []string{"chatlogs", "state_of_the_union"} {
			chunks, err := c.Chunk(ctx, d.Corpora[name])
			if err != nil {
				return nil, err
			}
			for _, c := range chunks {
				spans, names = append(spans, c), append(names, name)
			}
		}
		var out [][]int
		for _, q := range d.Questions {
			var hits []int
			for i, c := range spans {
				if names[i] == q.Corpus && slices.ContainsFunc(q.References, func(r chunk.Span) bool { return c.Start <= r.End && r.Start <= c.End }) {
					hits = append(hits, i)
				}
			}
			out = append(out, hits)
		}
		return out, nil
	}
}

func TestAPerfectRankingReachesOmega(t *testing.T) {
	d, err := sample.Data()
	require.NoError(t, err)
	c, err := chunk.NewRecursive(&chunk.Options{Size: 400})
	require.NoError(t, err)
	r, err := chunkeval.Run(t.Context(), d, c, oracle(d, c), &chunkeval.Options{K: 1000, Budget: 1 << 20})
	require.NoError(t, err)
	require.Greater(t, r.Mean(chunkeval.Recall).Mean, 0.99, "only white space between chunks is lost")
	require.InDelta(t, r.Mean(chunkeval.PrecisionOmega).Mean, r.Mean(chunkeval.IoU).Mean, 1e-12)
	small, err := chunk.NewRecursive(&chunk.Options{Size: 150})
	require.NoError(t, err)
	s, err := chunkeval.Run(t.Context(), d, small, oracle(d, small), nil)
	require.NoError(t, err)
	diff := chunkeval.Difference(r, s, chunkeval.PrecisionOmega)
	require.Positive(t, diff.Low, "shorter chunks follow the answers more closely: %v", diff)
}

// at returns one chunk with a given place.
type at [2]int

func (a at) Chunk(context.Context, string) ([]chunk.Chunk, error) {
	return []chunk.Chunk{{Text: "x", Start: a[0], End: a[1]}}, nil
}

func TestErrorsAreTyped(t *testing.T) {
	for _, bad := range []string{"x", `{"corpus":"?"}`, `{"corpus":"a","references":[{"start_index":2,"end_index":1}]}`, `{"corpus":"a","references":[{"content":"z","start_index":0,"end_index":1}]}`, `{"corpus":"a","references":[{"start_index":0,"end_index":4}]}`} {
		_, err := chunkeval.Read(strings.NewReader(bad), map[string]string{"a": "äbc"})
		require.ErrorIs(t, err, chunkeval.ErrData, bad)
	}
	d := &chunkeval.Data{Corpora: map[string]string{"a": "abc"}, Questions: []chunkeval.Question{{Corpus: "a"}}}
	for _, ranks := range [][][]int{nil, {{7}}, {{-1}}} {
		_, err := chunkeval.Run(t.Context(), d, fixed{2, 0}, func(context.Context, []string, []string) ([][]int, error) { return ranks, nil }, nil)
		require.ErrorIs(t, err, chunkeval.ErrRank)
	}
	for _, place := range [][2]int{{-1, -1}, {0, 4}, {2, 1}} {
		_, err := chunkeval.Run(t.Context(), d, at(place), inOrder, nil)
		require.ErrorIs(t, err, chunkeval.ErrData, "a chunk at %v", place)
		wrong := &chunkeval.Data{Corpora: d.Corpora, Questions: []chunkeval.Question{{Corpus: "a", References: []chunk.Span{{Start: place[0], End: place[1]}}}}}
		_, err = chunkeval.Run(t.Context(), wrong, fixed{2, 0}, inOrder, nil)
		require.ErrorIs(t, err, chunkeval.ErrData, "a reference at %v", place)
	}
	broken := errors.New("broken")
	_, err := chunkeval.Run(t.Context(), d, fixed{2, 0}, func(context.Context, []string, []string) ([][]int, error) { return nil, broken }, nil)
	require.ErrorIs(t, err, broken)
}

func Example() {
	text := "Keys rotate every 90 days. Ask Ada. " + strings.Repeat("Nothing to see here. ", 20)
	data, _ := chunkeval.Read(strings.NewReader(`{"corpus":"manual","question":"How often do keys rotate?","references":[{"start_index":0,"end_index":26}]}`), map[string]string{"manual": text})
	for _, size := range []int{40, 200} {
		c, _ := chunk.NewRecursive(&chunk.Options{Size: size})
		r, _ := chunkeval.Run(context.Background(), data, c, inOrder, &chunkeval.Options{K: 1})
		fmt.Printf("size %d: recall %.2f, precision %.2f\n", size, r.Mean(chunkeval.Recall).Mean, r.Mean(chunkeval.Precision).Mean)
	}
	// Output:
	// size 40: recall 1.00, precision 0.74
	// size 200: recall 1.00, precision 0.14
}
