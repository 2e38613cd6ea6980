package rag_test

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/retrieve"
	"github.com/prodailabs/prodai/retrieve/bm25"
	"github.com/prodailabs/prodai/retrieve/embed"
	"github.com/prodailabs/prodai/retrieve/rag"
)

type found []schema.Document

func (f found) GetRelevantDocuments(_ context.Context, q string) ([]schema.Document, error) {
	if strings.Contains(q, "broken") {
		return nil, errors.New("the database is down")
	}
	return f, nil
}

func passages(texts ...string) found {
	var out found
	for i, t := range texts {
		out = append(out, schema.Document{PageContent: t, Score: 1 / float32(i+1), Metadata: map[string]any{"source": "m.md"}})
	}
	return out
}

func TestAskInOneCall(t *testing.T) {
	e, err := embed.New()
	require.NoError(t, err)
	words, err := bm25.New(nil)
	require.NoError(t, err)
	c, err := retrieve.Open("", e, &retrieve.Options{Words: words})
	require.NoError(t, err)
	_, err = c.Sync(t.Context(), "manual.md", []schema.Document{
		{PageContent: "Purchases may be refunded within 30 days."}, {PageContent: "The shops open at nine."},
	})
	require.NoError(t, err)
	model, err := rag.NewExtractive(&rag.ExtractiveOptions{Embedder: e})
	require.NoError(t, err)
	a, err := rag.Ask(t.Context(), c, model, "When are purchases refunded?")
	require.NoError(t, err)
	require.Contains(t, a.Text, "within 30 days")
	require.False(t, a.Refused)
	require.True(t, a.Complete)
	require.Len(t, a.Citations.Citations, 1)
	require.Equal(t, "manual.md", a.Citations.Citations[0].Source)
	require.Equal(t, "search", a.Steps[0].Name)

	a, err = rag.Ask(t.Context(), c, model, "Who won the world cup?")
	require.NoError(t, err)
	require.True(t, a.Refused)
}

func TestStagesRunInOrder(t *testing.T) {
	down := errors.New("down")
	drop := func(n int) func(context.Context, string, []schema.Document) ([]schema.Document, error) {
		return func(_ context.Context, _ string, p []schema.Document) ([]schema.Document, error) { return p[n:], nil }
	}
	spoil := func(_ context.Context, _ string, p []schema.Document) ([]schema.Document, error) {
		p[0].PageContent = "spoiled"
		return nil, down
	}
	s := &modeltest.Script{Turns: []modeltest.Turn{{Choices: []*llms.ContentChoice{{Content: "It is so. [1]", StopReason: "length"}}}}}
	p, err := rag.New(passages("a", "b", "c", "d", "e"), s, &rag.Options{
		Stages:   []rag.Stage{{Name: "first", Run: drop(1)}, {Name: "broken", Run: spoil}, {Name: "last", Run: drop(1)}},
		Passages: 2, Logger: slog.New(&event.Checker{Report: t.Errorf}),
	})
	require.NoError(t, err)
	a, err := p.Ask(t.Context(), "What is it?")
	require.NoError(t, err)
	require.Len(t, a.Passages, 2)
	require.Equal(t, "c", a.Passages[0].PageContent)
	require.False(t, a.Complete, "the answer was cut")
	require.Len(t, a.Steps, 4)
	require.ErrorIs(t, a.Steps[2].Err, down)
	require.Equal(t, []int{5, 4, 4, 3}, []int{a.Steps[0].Out, a.Steps[1].Out, a.Steps[2].Out, a.Steps[3].Out})
	docs, err := p.GetRelevantDocuments(t.Context(), "What is it?")
	require.NoError(t, err)
	require.Equal(t, a.Passages, docs)

	p, err = rag.New(passages("a"), s, &rag.Options{Stages: []rag.Stage{{Name: "guard", Run: spoil, Required: true}}})
	require.NoError(t, err)
	_, err = p.Ask(t.Context(), "What is it?")
	require.ErrorIs(t, err, down)
	require.Len(t, s.Calls(), 1, "the model isn't called after a required stage failed")
}

func TestLowConfidenceRefusesWithoutTheModel(t *testing.T) {
	c := &rag.Calibration{Slope: 10, Intercept: -5}
	s := &modeltest.Script{Turns: []modeltest.Turn{{Choices: []*llms.ContentChoice{{Content: "Yes. [1]", StopReason: "stop"}}, Times: -1}}}
	ask := func(docs found) *rag.Answer {
		p, err := rag.New(docs, s, &rag.Options{Confidence: c.Confidence})
		require.NoError(t, err)
		a, err := p.Ask(t.Context(), "Is it?")
		require.NoError(t, err)
		return a
	}
	a := ask(found{{PageContent: "x", Score: .3}, {PageContent: "y", Score: .4}})
	require.True(t, a.Refused)
	require.Equal(t, rag.UnknownAnswer, a.Text)
	require.InDelta(t, 1/(1+math.Exp(1)), a.Confidence, 1e-6, "of the largest score")
	require.Len(t, a.Passages, 2, "the nearest passages can be shown")
	require.True(t, ask(nil).Refused, "no passage")
	require.Empty(t, s.Calls())
	a = ask(found{{PageContent: "x", Score: .9}})
	require.False(t, a.Refused)
	require.Len(t, s.Calls(), 1)
	require.False(t, ask(found{{PageContent: "x", Score: float32(math.NaN())}}).Confident)
}

func TestAFollowUpIsSearchedWithItsConversation(t *testing.T) {
	var searched string
	s := &modeltest.Script{Turns: []modeltest.Turn{{Choices: []*llms.ContentChoice{{Content: "No. [1]", StopReason: "stop"}}}}}
	r := retrieverFunc(func(_ context.Context, q string) ([]schema.Document, error) {
		searched = q
		return passages("HNSW is fast."), nil
	})
	p, err := rag.New(r, s, nil)
	require.NoError(t, err)
	_, err = p.Ask(t.Context(), "Is it slow?", llms.TextParts(llms.ChatMessageTypeHuman, "What is HNSW?"), llms.TextParts(llms.ChatMessageTypeAI, "HNSW is an index."))
	require.NoError(t, err)
	require.Contains(t, strings.ToLower(searched), "hnsw")
	prompt := s.Calls()[0].Messages
	require.Len(t, prompt, 4)
	require.Contains(t, prompt[3].Parts[0].(llms.TextContent).Text, "Question: Is it slow?")
}

type retrieverFunc func(context.Context, string) ([]schema.Document, error)

func (f retrieverFunc) GetRelevantDocuments(ctx context.Context, q string) ([]schema.Document, error) {
	return f(ctx, q)
}

func TestPipelineErrors(t *testing.T) {
	down := errors.New("down")
	s := &modeltest.Script{Turns: []modeltest.Turn{{Err: down}, {NilResponse: true}, {Choices: []*llms.ContentChoice{}}}}
	p, err := rag.New(passages("a"), s, nil)
	require.NoError(t, err)
	_, err = p.Ask(t.Context(), " \n")
	require.ErrorIs(t, err, rag.ErrQuestion)
	_, err = p.Ask(t.Context(), "broken")
	require.ErrorContains(t, err, "the database is down")
	_, err = p.Ask(t.Context(), "q?")
	require.ErrorIs(t, err, down)
	for range 2 {
		_, err = p.Ask(t.Context(), "q?")
		require.Error(t, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	p, err = rag.New(passages("a"), s, &rag.Options{Stages: []rag.Stage{{Run: func(context.Context, string, []schema.Document) ([]schema.Document, error) {
		cancel()
		return nil, errors.New("the provider's own words")
	}}}})
	require.NoError(t, err)
	_, err = p.Ask(ctx, "q?")
	require.ErrorIs(t, err, context.Canceled)
	_, err = rag.Ask(t.Context(), nil, s, "q")
	require.ErrorIs(t, err, rag.ErrOption)
	_, err = rag.Ask(t.Context(), passages("a"), nil, "q")
	require.ErrorIs(t, err, rag.ErrOption)
	for _, o := range []*rag.Options{{Passages: -1}, {MinConfidence: 2}, {MinConfidence: .5}, {Stages: []rag.Stage{{Name: "x"}}}} {
		_, err := rag.New(passages("a"), s, o)
		require.ErrorIs(t, err, rag.ErrOption)
	}
}

// TestFitRecoversALogisticCurve: the scores come from a known curve.
func TestFitRecoversALogisticCurve(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, scale := range []float64{1e-6, 1, 1e6} {
		var judged []rag.Judged
		for range 20_000 {
			x := r.Float64()
			judged = append(judged, rag.Judged{Score: scale * x, Answered: r.Float64() < 1/(1+math.Exp(-(8*x-5)))})
		}
		c, err := rag.Fit(judged)
		require.NoError(t, err)
		require.InDelta(t, 8, c.Slope*scale, .4)
		require.InDelta(t, -5, c.Intercept, .3)
		require.InDelta(t, .5, c.Probability(.625*scale), .03)
	}
}

func TestFitOfSeparableScoresIsFinite(t *testing.T) {
	var judged []rag.Judged
	for i := range 20 {
		judged = append(judged, rag.Judged{Score: float64(i), Answered: i >= 10})
	}
	c, err := rag.Fit(judged)
	require.NoError(t, err)
	require.InDelta(t, .5, c.Probability(9.5), .05)
	require.Greater(t, c.Probability(19), .9)
	require.Less(t, c.Probability(0), .1)
}

func TestScoresThatTeachNothing(t *testing.T) {
	make20 := func(f func(i int) rag.Judged) []rag.Judged {
		var out []rag.Judged
		for i := range 20 {
			out = append(out, f(i))
		}
		return out
	}
	for name, judged := range map[string][]rag.Judged{
		"none":      nil,
		"one kind":  make20(func(i int) rag.Judged { return rag.Judged{Score: float64(i), Answered: true} }),
		"equal":     make20(func(i int) rag.Judged { return rag.Judged{Score: 1, Answered: i%2 == 0} }),
		"backwards": make20(func(i int) rag.Judged { return rag.Judged{Score: -float64(i), Answered: i > 9} }),
		"NaN":       make20(func(i int) rag.Judged { return rag.Judged{Score: math.NaN(), Answered: i > 9} }),
		"huge": make20(func(i int) rag.Judged {
			return rag.Judged{Score: math.MaxFloat64 * float64(1-2*(i%2)), Answered: i > 9}
		}),
	} {
		_, err := rag.Fit(judged)
		require.ErrorIs(t, err, rag.ErrCalibration, name)
	}
}

// TestThresholdKeepsItsShare: over many draws, new questions exceed the threshold as often
// as asked.
func TestThresholdKeepsItsShare(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{19, 20, 57, 200} {
		answered, trials := 0, 20_000
		for range trials {
			scores := make([]float64, n)
			for i := range scores {
				scores[i] = r.NormFloat64()
			}
			at, err := rag.Threshold(scores, .05)
			require.NoError(t, err)
			if r.NormFloat64() > at {
				answered++
			}
		}
		got := float64(answered) / float64(trials)
		require.LessOrEqual(t, got, .055, n)
		require.Greater(t, got, .03, n)
	}
	_, err := rag.Threshold(make([]float64, 18), .05)
	require.ErrorIs(t, err, rag.ErrCalibration)
	_, err = rag.Threshold(nil, .5)
	require.ErrorIs(t, err, rag.ErrCalibration)
	_, err = rag.Threshold([]float64{math.NaN(), 1, 2}, .5)
	require.ErrorIs(t, err, rag.ErrCalibration)
	_, err = rag.Threshold([]float64{1, 2, 3}, 1)
	require.ErrorIs(t, err, rag.ErrOption)
}
