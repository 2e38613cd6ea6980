package compress_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/retrieve/compress"
	"github.com/prodailabs/prodai/retrieve/embed"
)

const manual = "Welcome to the shop. Refunds are paid within 30 days. You need the receipt for it. Our shops open at nine. Gift cards have no refund. Bye."

// in returns a part of manual as a passage.
func in(part string) schema.Document {
	start := strings.Index(manual, part)
	return schema.Document{PageContent: part, Score: .5, Metadata: map[string]any{"id": "p", "source": "m.md", "start": start, "end": start + len(part)}}
}

func texts(passages []schema.Document) []string {
	var out []string
	for _, p := range passages {
		out = append(out, p.PageContent)
	}
	return out
}

// exact fails if a passage is not at its place in the source.
func exact(t *testing.T, passages []schema.Document) {
	t.Helper()
	for _, p := range passages {
		require.Equal(t, manual[p.Metadata["start"].(int):p.Metadata["end"].(int)], p.PageContent)
	}
}

func TestSentencesKeepWhatAnswers(t *testing.T) {
	c, err := compress.NewSentences(&compress.SentencesOptions{Around: 0})
	require.NoError(t, err)
	whole := in(manual)
	out, err := c.Compress(t.Context(), "When are refunds paid?", []schema.Document{whole})
	require.NoError(t, err)
	require.Equal(t, []string{"Refunds are paid within 30 days."}, texts(out))
	exact(t, out)
	require.Equal(t, "p#21-53", out[0].Metadata["id"])
	require.Equal(t, in(manual), whole, "the passage given is not changed")

	c, err = compress.NewSentences(&compress.SentencesOptions{Around: 1, Keep: .3})
	require.NoError(t, err)
	out, err = c.Compress(t.Context(), "When are refunds paid?", []schema.Document{whole})
	require.NoError(t, err)
	require.Equal(t, []string{"Welcome to the shop. Refunds are paid within 30 days. You need the receipt for it. Our shops open at nine. Gift cards have no refund. Bye."}, texts(out), "neighbors of both")
	require.Equal(t, "p", out[0].Metadata["id"], "nothing was cut")
}

func TestNothingInCommonKeepsAll(t *testing.T) {
	c, err := compress.NewSentences(nil)
	require.NoError(t, err)
	for _, question := range []string{"", "football?", "the of and"} {
		out, err := c.Compress(t.Context(), question, []schema.Document{in(manual)})
		require.NoError(t, err)
		require.Equal(t, []string{manual}, texts(out), question)
	}
	out, err := c.Compress(t.Context(), "refunds", nil)
	require.NoError(t, err)
	require.Empty(t, out)
}

func TestBudgetOfTokens(t *testing.T) {
	e, err := embed.New()
	require.NoError(t, err)
	c, err := compress.NewSentences(&compress.SentencesOptions{Embedder: e, Keep: .01, Budget: 20})
	require.NoError(t, err)
	out, err := c.Compress(t.Context(), "When are refunds paid?", []schema.Document{in(manual)})
	require.NoError(t, err)
	exact(t, out)
	all := strings.Join(texts(out), "")
	require.Contains(t, all, "Refunds are paid within 30 days.")
	require.LessOrEqual(t, len(all), 4*20)
	require.Greater(t, len(all), len("Refunds are paid within 30 days."), "the budget is used")

	c, err = compress.NewSentences(&compress.SentencesOptions{Around: 3, Budget: 1})
	require.NoError(t, err)
	out, err = c.Compress(t.Context(), "When are refunds paid?", []schema.Document{in(manual)})
	require.NoError(t, err)
	require.Equal(t, []string{"Refunds are paid within 30 days."}, texts(out), "the best sentence is kept even if it is larger")
}

// TestContextBeforeAPassage: a passage with context before its own text has no place for
// pieces of the context, and the right place for its own.
func TestContextBeforeAPassage(t *testing.T) {
	p := in("Gift cards have no refund. Bye.")
	p.PageContent = "Heading words. " + p.PageContent
	c, err := compress.NewSentences(nil)
	require.NoError(t, err)
	out, err := c.Compress(t.Context(), "Gift cards?", []schema.Document{p})
	require.NoError(t, err)
	exact(t, out)
	out, err = c.Compress(t.Context(), "Heading words?", []schema.Document{p})
	require.NoError(t, err)
	require.Equal(t, []string{"Heading words."}, texts(out))
	require.NotContains(t, out[0].Metadata, "start")
}

func model(answer func(prompt string) (string, error)) *modeltest.Script {
	return &modeltest.Script{Answer: func(c modeltest.Call) (modeltest.Turn, bool) {
		text, err := answer(c.Messages[0].Parts[0].(llms.TextContent).Text)
		if err != nil {
			return modeltest.Turn{Err: err}, true
		}
		return modeltest.Say(text), true
	}}
}

func TestExtractTakesNumbersOnly(t *testing.T) {
	for answer, want := range map[string][]string{
		"2-3, 5":            {"Refunds are paid within 30 days. You need the receipt for it.", "Gift cards have no refund."},
		"NONE":              nil,
		"None of them.":     nil,
		"2":                 {"Refunds are paid within 30 days."},
		"I can't say.":      {manual}, // unreadable: whole
		"99":                {manual},
		"1-6":               {manual},
		"5 and 2 (not 999)": {"Refunds are paid within 30 days.", "Gift cards have no refund."},
	} {
		x, err := compress.NewExtract(model(func(string) (string, error) { return answer, nil }), &compress.ExtractOptions{Logger: slog.New(&event.Checker{Report: t.Errorf})})
		require.NoError(t, err)
		out, err := x.Compress(t.Context(), "refunds?", []schema.Document{in(manual)})
		require.NoError(t, err)
		require.Equal(t, want, texts(out), answer)
		exact(t, out)
	}
}

func TestExtractKeepsThePassageOfAFailedCall(t *testing.T) {
	x, err := compress.NewExtract(model(func(prompt string) (string, error) {
		if strings.Contains(prompt, "Gift") {
			return "", errors.New("down")
		}
		return "1", nil
	}), nil)
	require.NoError(t, err)
	out, err := x.Compress(t.Context(), "q", []schema.Document{in("Gift cards have no refund."), in("Our shops open at nine. Gift"), in("Welcome to the shop. Refunds are paid within 30 days.")})
	require.NoError(t, err)
	require.Equal(t, []string{"Gift cards have no refund.", "Our shops open at nine. Gift", "Welcome to the shop."}, texts(out))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = x.Compress(ctx, "q", []schema.Document{in(manual)})
	require.ErrorIs(t, err, context.Canceled)
}

func TestRedundant(t *testing.T) {
	e, err := embed.New()
	require.NoError(t, err)
	for _, o := range []*compress.RedundantOptions{nil, {Embedder: e}} {
		r, err := compress.NewRedundant(o)
		require.NoError(t, err)
		out, err := r.Filter(t.Context(), "", []schema.Document{in("Refunds are paid within 30 days."), in("Our shops open at nine."), in("Refunds are paid within 30 days."), {PageContent: "Refunds are paid within 30 days!"}, {PageContent: ""}, {PageContent: ""}})
		require.NoError(t, err)
		require.Equal(t, []string{"Refunds are paid within 30 days.", "Our shops open at nine.", ""}, texts(out))
		out, err = r.Filter(t.Context(), "", nil)
		require.NoError(t, err)
		require.Empty(t, out)
	}
}

func TestRelevant(t *testing.T) {
	e, err := embed.New()
	require.NoError(t, err)
	r, err := compress.NewRelevant(e, &compress.RelevantOptions{MinCosine: .4})
	require.NoError(t, err)
	out, err := r.Filter(t.Context(), "When do I get a refund?", []schema.Document{in("Our shops open at nine."), in("Refunds are paid within 30 days.")})
	require.NoError(t, err)
	require.Equal(t, []string{"Refunds are paid within 30 days."}, texts(out))
	require.GreaterOrEqual(t, out[0].Score, float32(.4))
}

type broken struct{ vectors [][]float32 }

func (b broken) EmbedQuery(context.Context, string) ([]float32, error) { return []float32{1, 0}, nil }
func (b broken) EmbedDocuments(context.Context, []string) ([][]float32, error) {
	return b.vectors, nil
}

func TestVectorsThatDontFit(t *testing.T) {
	two := []schema.Document{in("Bye."), in("Welcome to the shop.")}
	for _, vectors := range [][][]float32{nil, {{1, 0}}, {{1, 0}, {1}}, {{1}, {1}}} {
		r, err := compress.NewRelevant(broken{vectors}, &compress.RelevantOptions{MinCosine: .5})
		require.NoError(t, err)
		_, err = r.Filter(t.Context(), "q", two)
		require.ErrorIs(t, err, compress.ErrEmbedder)
		s, err := compress.NewSentences(&compress.SentencesOptions{Embedder: broken{vectors}})
		require.NoError(t, err)
		_, err = s.Compress(t.Context(), "q", two)
		require.ErrorIs(t, err, compress.ErrEmbedder)
	}
}

func TestOptionsThatCannotWork(t *testing.T) {
	e, err := embed.New()
	require.NoError(t, err)
	for _, o := range []*compress.SentencesOptions{{Keep: -1}, {Keep: 2}, {Around: -1}, {Budget: -1}} {
		_, err := compress.NewSentences(o)
		require.ErrorIs(t, err, compress.ErrOption)
	}
	_, err = compress.NewExtract(nil, nil)
	require.ErrorIs(t, err, compress.ErrOption)
	_, err = compress.NewExtract(&modeltest.Script{}, &compress.ExtractOptions{Parallel: -1})
	require.ErrorIs(t, err, compress.ErrOption)
	_, err = compress.NewRedundant(&compress.RedundantOptions{MaxSimilarity: 2})
	require.ErrorIs(t, err, compress.ErrOption)
	_, err = compress.NewRelevant(nil, nil)
	require.ErrorIs(t, err, compress.ErrOption)
	_, err = compress.NewRelevant(e, nil)
	require.ErrorIs(t, err, compress.ErrOption)
}

// FuzzExtract: whatever a model answers and a document says, what is kept is the
// document's own text at its place, in order.
func FuzzExtract(f *testing.F) {
	f.Add(manual, "2-3, 5")
	f.Add("a. b.\n\nc? d!", "NONE 9999999-1")
	f.Fuzz(func(t *testing.T, text, answer string) {
		s := model(func(string) (string, error) { return answer, nil })
		x, err := compress.NewExtract(s, nil)
		require.NoError(t, err)
		passage := schema.Document{PageContent: text, Metadata: map[string]any{"start": 0, "end": len(text)}}
		out, err := x.Compress(t.Context(), text, []schema.Document{passage})
		require.NoError(t, err)
		at := 0
		for _, p := range out {
			start, end := p.Metadata["start"].(int), p.Metadata["end"].(int)
			require.GreaterOrEqual(t, start, at)
			require.Equal(t, text[start:end], p.PageContent)
			at = end
		}
	})
}
