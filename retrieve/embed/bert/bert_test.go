package bert

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/embeddings"

	"github.com/prodailabs/prodai/internal/golden"
	"github.com/prodailabs/prodai/retrieve/rerank"
)

var _ embeddings.Embedder = (*Embedder)(nil)

// tolerance is how far an element may be from the reference's, by precision.
var tolerance = map[Precision]float64{PrecisionFloat32: 1e-5, PrecisionInt8: 2e-2}

type encoderRow struct {
	Text   string
	IDs    []int32
	Vector []float32
}

func open(t testing.TB, o *Options) *Embedder {
	t.Helper()
	e, err := NewEmbedder("testdata/encoder", o)
	require.NoError(t, err)
	return e
}

func openCross(t testing.TB, o *Options) *CrossEncoder {
	t.Helper()
	c, err := NewCrossEncoder("testdata/cross", o)
	require.NoError(t, err)
	return c
}

// TestGoldenEncoder: ids and vectors of a random model are those of
// sentence-transformers, also where a text is cut.
func TestGoldenEncoder(t *testing.T) {
	for p, within := range tolerance {
		e := open(t, &Options{Precision: p})
		golden.Rows(t, "retrieve", "encoder.jsonl", func(row encoderRow) error { return e.equal(t, row, within) })
	}
}

func (e *Embedder) equal(t *testing.T, row encoderRow, within float64) error {
	if got := e.tokens.one(row.Text).ids; !slices.Equal(got, row.IDs) {
		return fmt.Errorf("ids %v, want %v", got, row.IDs)
	}
	got, err := e.EmbedQuery(t.Context(), row.Text)
	if err != nil {
		return err
	}
	if len(got) != len(row.Vector) {
		return fmt.Errorf("%d elements, want %d", len(got), len(row.Vector))
	}
	for i, v := range row.Vector {
		if d := math.Abs(float64(got[i] - v)); !(d <= within) {
			return fmt.Errorf("element %d is %v, want %v", i, got[i], v)
		}
	}
	return nil
}

// TestRealModel compares a real encoder with rows that testdata/make.py made of it.
func TestRealModel(t *testing.T) {
	folder, rows := os.Getenv("PRODAI_BERT"), os.Getenv("PRODAI_BERT_ROWS")
	if folder == "" || rows == "" {
		t.Skip("set PRODAI_BERT to the folder of all-MiniLM-L6-v2 and PRODAI_BERT_ROWS to its real.jsonl")
	}
	data, err := os.ReadFile(rows)
	require.NoError(t, err)
	for p, within := range map[Precision]float64{PrecisionFloat32: 1e-5, PrecisionInt8: 1e-2} {
		e, err := NewEmbedder(folder, &Options{Precision: p})
		require.NoError(t, err)
		worst, lowest := 0.0, 1.0
		for line := range strings.Lines(string(data)) {
			var row encoderRow
			require.NoError(t, json.Unmarshal([]byte(line), &row))
			require.NoError(t, e.equal(t, row, within), row.Text)
			got, _ := e.EmbedQuery(t.Context(), row.Text)
			dot := 0.0
			for i, v := range row.Vector {
				worst = max(worst, math.Abs(float64(got[i]-v)))
				dot += float64(got[i]) * float64(v)
			}
			lowest = min(lowest, dot)
		}
		t.Logf("precision %d: largest difference of an element %.2g, lowest cosine %.6f", p, worst, lowest)
	}
}

type crossRow struct {
	Question, Text string
	IDs            []int32
	Second         int
	Score          float64
}

// TestGoldenCrossEncoder: the tokens of pairs, cut where they are too long, and the scores
// are the reference's.
func TestGoldenCrossEncoder(t *testing.T) {
	c := openCross(t, nil)
	golden.Rows(t, "retrieve", "cross.jsonl", func(row crossRow) error {
		in := c.tokens.two(c.tokens.ids(row.Question, c.tokens.positions-3), row.Text)
		if !slices.Equal(in.ids, row.IDs) || in.second != row.Second {
			return fmt.Errorf("tokens %v, second text at %d; want %v, %d", in.ids, in.second, row.IDs, row.Second)
		}
		got, err := c.Score(t.Context(), row.Question, []string{row.Text})
		if err != nil {
			return err
		}
		if !(math.Abs(got[0]-row.Score) <= 1e-4) {
			return fmt.Errorf("score %v, want %v", got[0], row.Score)
		}
		return nil
	})
}

func manyTexts() []string {
	var out []string
	for i := range 150 {
		out = append(out, strings.Repeat([]string{"refund ", "the cat ", "é ", ""}[i%4], i%37)+fmt.Sprint(i))
	}
	return out
}

// TestABatchEqualsEachAlone: to the last bit, with one worker and with many, in both
// precisions.
func TestABatchEqualsEachAlone(t *testing.T) {
	texts := manyTexts()
	for p := range tolerance {
		one, many := open(t, &Options{Precision: p, Workers: 1}), open(t, &Options{Precision: p, Workers: 7})
		got, err := many.EmbedDocuments(t.Context(), texts)
		require.NoError(t, err)
		again, err := one.EmbedDocuments(t.Context(), texts)
		require.NoError(t, err)
		require.Equal(t, got, again)
		for i, text := range texts {
			alone, err := one.EmbedQuery(t.Context(), text)
			require.NoError(t, err)
			require.Equal(t, alone, got[i], text)
		}
		require.Equal(t, p == PrecisionInt8, strings.HasSuffix(one.Name(), "-int8"))
	}
	c := openCross(t, &Options{Workers: 3})
	got, err := c.Score(t.Context(), "refund days", texts)
	require.NoError(t, err)
	for i, text := range texts {
		alone, err := c.Score(t.Context(), "refund days", []string{text})
		require.NoError(t, err)
		require.Equal(t, alone[0], got[i])
	}
}

// TestCallsAtOnce shares one model among goroutines.
func TestCallsAtOnce(t *testing.T) {
	e, texts := open(t, nil), manyTexts()
	want, err := e.EmbedDocuments(t.Context(), texts)
	require.NoError(t, err)
	for i := range 4 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			got, err := e.EmbedDocuments(t.Context(), texts)
			require.NoError(t, err)
			require.Equal(t, want, got)
		})
	}
}

func TestNoTexts(t *testing.T) {
	out, err := open(t, nil).EmbedDocuments(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, out)
	scores, err := openCross(t, nil).Score(t.Context(), "q", nil)
	require.NoError(t, err)
	require.Empty(t, scores)
}

// polls is done after it was asked some times.
type polls struct {
	context.Context
	left atomic.Int64
}

func (p *polls) Err() error {
	if p.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// TestCancel: a context that is done before a call, or in the middle of one.
func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := open(t, nil).EmbedDocuments(ctx, []string{"a"})
	require.ErrorIs(t, err, context.Canceled)
	_, err = openCross(t, nil).Score(ctx, "q", []string{"a"})
	require.ErrorIs(t, err, context.Canceled)

	e := open(t, &Options{Workers: 1})
	p := &polls{Context: t.Context()}
	p.left.Store(1)
	s := new(scratch)
	require.ErrorIs(t, e.forward(p, s, []input{e.tokens.one("a cat")}), context.Canceled)
}

// TestALongTextIsNotReadToItsEnd: the tokens are those of the whole text.
func TestALongTextIsNotReadToItsEnd(t *testing.T) {
	e := open(t, nil)
	for _, text := range []string{
		strings.Repeat("the cat ", 1<<16), strings.Repeat(" ", 1<<16) + "cat", strings.Repeat("x", 1<<16) + " cat",
		strings.Repeat("a", 100) + " " + strings.Repeat("é ", 1<<10), strings.Repeat("cat\n", 1<<12), strings.Repeat("[SEP]", 1<<10) + " a",
	} {
		want := e.tokens.vocab.AppendIDs(nil, text)
		for _, n := range []int{1, 22, 600} {
			require.Equal(t, want[:min(n, len(want))], e.tokens.ids(text, n))
		}
	}
	allocated := testing.AllocsPerRun(2, func() { e.tokens.ids(strings.Repeat("the cat ", 1<<16), 22) })
	require.Less(t, allocated, 30.0)
}

func TestOptions(t *testing.T) {
	for _, o := range []Options{{Precision: 3}, {Tokens: -1}, {Tokens: 3}, {Tokens: 41}, {Workers: -1}} {
		_, err := NewEmbedder("testdata/encoder", &o)
		require.ErrorIs(t, err, ErrOption, "%+v", o)
		_, err = NewCrossEncoder("testdata/cross", &o)
		require.ErrorIs(t, err, ErrOption, "%+v", o)
	}
	require.Equal(t, 24, open(t, nil).tokens.positions) // the sentence model's limit, not the positions
	require.Equal(t, 40, open(t, &Options{Tokens: 40}).tokens.positions)
	require.Equal(t, 32, open(t, nil).Dimensions())
}

// TestRerank: the scores order passages through retrieve/rerank.
func TestRerank(t *testing.T) {
	c := openCross(t, nil)
	texts := []string{"a", "man bites dog", "gift cards"}
	scores, err := c.Score(t.Context(), "refund days", texts)
	require.NoError(t, err)
	ranked, err := rerank.Scorer(c.Score).Rank(t.Context(), "refund days", texts)
	require.NoError(t, err)
	require.Equal(t, slices.Max(scores), ranked[0].Score)
	require.Equal(t, scores[ranked[2].Index], slices.Min(scores))
}

// folderOf reads a model's files, for tests that change one.
func folderOf(t testing.TB, folder string) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	require.NoError(t, filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(folder, path)
		out[filepath.ToSlash(name)] = &fstest.MapFile{Data: data}
		return err
	}))
	return out
}
