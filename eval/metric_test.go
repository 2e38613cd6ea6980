package eval

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func errOf[T any](_ T, err error) error { return err }

// TestNilArguments: a required argument that is nil gives ErrOption at once, and
// not a panic later.
func TestNilArguments(t *testing.T) {
	exact := must(NewExactMatch(nil))
	for name, err := range map[string]error{
		"NewMean":            errOf(NewMean(Signature{Metric: "m"}, nil)),
		"NewMean, no name":   errOf(NewMean(Signature{}, func(context.Context, *Case, *Output) (float64, error) { return 0, nil })),
		"NewBERTScore":       errOf(NewBERTScore(nil, nil)),
		"EmbedTokens":        errOf(EmbedTokens(nil, nil)),
		"NewCustomTokenizer": errOf(NewCustomTokenizer("mine", nil)),
		"NewPassAtK":         errOf(NewPassAtK(nil, nil)),
		"NewSum":             errOf(NewSum(nil)),
		"NewTable":           errOf(NewTable(nil)),
		"Sum.Merge":          must(NewSum(exact)).Merge(nil),
		"Measure":            errOf(Measure(t.Context(), nil, func(func(*Case, *Output) bool) {})),
		"Measure, segments":  errOf(Measure(t.Context(), exact, nil)),
		"ScoreCorpus":        errOf(ScoreCorpus(t.Context(), nil, nil, nil)),
		"MeasureCorpus":      errOf(MeasureCorpus(t.Context(), nil, nil, nil, nil)),
	} {
		require.ErrorIs(t, err, ErrOption, name)
	}
	require.Empty(t, SynonymMap(nil)("word"))
	require.InDelta(t, 1, (*IDF)(nil).Weight("word"), 0)
}

// TestNilSegments: every metric refuses a nil case and a nil output.
func TestNilSegments(t *testing.T) {
	right := func(context.Context, *Case, string) (bool, error) { return true, nil }
	metrics := []Metric{
		must(NewRetrieval("map", nil)), must(NewJSONMatch(nil)), must(NewToolMatch(nil)), must(NewECE(nil)),
		must(NewClassification("mcc", []string{"a", "b"})), must(NewPassAtK(right, nil)), NewLatency(), NewCost(), NewTokenCount(),
	}
	for m := range textMetrics(t) {
		metrics = append(metrics, m)
	}
	for _, m := range metrics {
		name, dst := m.Signature().Name(), make([]float64, m.Width())
		require.ErrorIs(t, m.Stats(t.Context(), nil, &Output{}, dst), ErrCase, name)
		require.ErrorIs(t, m.Stats(t.Context(), &Case{}, nil, dst), ErrCase, name)
		require.ErrorIs(t, must(NewSum(m)).Add(t.Context(), nil, nil), ErrCase, name)
		require.ErrorIs(t, must(NewTable(m)).Add(t.Context(), nil, nil), ErrCase, name)
	}
	ppl := must(NewPerplexity("")) // looks at outputs alone
	require.ErrorIs(t, ppl.Stats(t.Context(), nil, nil, make([]float64, 2)), ErrCase)
	sum, table := must(NewSum(ppl)), must(NewTable(ppl))
	require.NoError(t, sum.Add(t.Context(), nil, &Output{LogProbs: []float64{-1}}))
	require.NoError(t, table.Add(t.Context(), nil, &Output{LogProbs: []float64{-1}}))
	require.Equal(t, must(sum.Score()), must(table.Score()))
}

// TestBadOptions: each option outside its domain is an ErrOption that names it.
func TestBadOptions(t *testing.T) {
	nan := math.NaN()
	right := func(context.Context, *Case, string) (bool, error) { return true, nil }
	confusion := must(NewConfusion([]string{"a"}, []string{"a"}, []string{"a"}))
	for field, err := range map[string]error{
		"BLEUOptions.Order":                errOf(NewBLEU(&BLEUOptions{Order: -1})),
		"BLEUOptions.Smooth":               errOf(NewBLEU(&BLEUOptions{Smooth: "laplace"})),
		"BLEUOptions.SmoothValue":          errOf(NewBLEU(&BLEUOptions{SmoothValue: nan})),
		"ChrFOptions.CharOrder":            errOf(NewChrF(&ChrFOptions{CharOrder: -2})),
		"ChrFOptions.CharOrder is -1":      errOf(NewChrF(&ChrFOptions{CharOrder: -1})),
		"ChrFOptions.WordOrder":            errOf(NewChrF(&ChrFOptions{WordOrder: -1})),
		"ChrFOptions.Beta":                 errOf(NewChrF(&ChrFOptions{Beta: -1})),
		"ROUGEOptions.Types":               errOf(NewROUGE(&ROUGEOptions{Types: []string{"rouge0"}})),
		"ROUGEOptions.Types is empty":      errOf(NewROUGE(&ROUGEOptions{Types: []string{}})),
		"METEOROptions.Alpha":              errOf(NewMETEOR(&METEOROptions{Alpha: 2})),
		"METEOROptions.Beta":               errOf(NewMETEOR(&METEOROptions{Beta: nan})),
		"METEOROptions.Gamma":              errOf(NewMETEOR(&METEOROptions{Gamma: 2})),
		"METEOROptions.SynonymsName":       errOf(NewMETEOR(&METEOROptions{SynonymsName: "a|b"})),
		"WEROptions.NormalizeName":         errOf(NewWER(&WEROptions{NormalizeName: "a|b"})),
		"BERTScoreOptions.Model":           errOf(NewBERTScore(letterVectors, &BERTScoreOptions{Model: "a|b"})),
		"BERTScoreOptions.Baseline":        errOf(NewBERTScore(letterVectors, &BERTScoreOptions{Baseline: PRF{F: 1}})),
		"JSONMatchOptions.Ignore":          errOf(NewJSONMatch(&JSONMatchOptions{Ignore: []string{""}})),
		"ToolMatchOptions.Mode":            errOf(NewToolMatch(&ToolMatchOptions{Mode: "loose"})),
		"ToolMatchOptions.IgnoreArguments": errOf(NewToolMatch(&ToolMatchOptions{IgnoreArguments: []string{""}})),
		"AnswerOptions.Rule":               errOf(NewExactMatch(&AnswerOptions{Rule: "trivia"})),
		"RetrievalOptions.Level":           errOf(NewRetrieval("map", &RetrievalOptions{Level: -1})),
		"ECEOptions.Bins":                  errOf(NewECE(&ECEOptions{Bins: -1})),
		"PassAtKOptions.K":                 errOf(NewPassAtK(right, &PassAtKOptions{K: -1})),
		"MeasureOptions.Workers":           errOf(MeasureCorpus(t.Context(), must(NewBLEU(nil)), nil, nil, &MeasureOptions{Workers: -1})),
		"ConfusionOptions.Beta":            errOf(confusion.Classes(&ConfusionOptions{Beta: nan})),
		"EditCosts":                        errOf(WeightedLevenshtein("a", "b", &EditCosts{Delete: -1})),
		"the unit":                         errOf(NewPerplexity("page")),
		"the average":                      errOf(confusion.Average("", nil)),
		"the budget":                       errOf(NewLatencyWithin(0)),
	} {
		require.ErrorIs(t, err, ErrOption, field)
		require.ErrorContains(t, err, field)
		require.ErrorContains(t, err, ": want ", field)
	}
	require.Nil(t, firstOf(NewExactMatch(&AnswerOptions{Rule: "trivia"})))
	require.Nil(t, firstOf(NewTokenF1(&AnswerOptions{Rule: "trivia"})))
	require.Nil(t, firstOf(NewECE(&ECEOptions{Answer: AnswerOptions{Rule: "trivia"}})))
}

func firstOf[T any](v T, _ error) T { return v }

// TestOptionsAreCopied: a caller that reuses its options changes no metric.
func TestOptionsAreCopied(t *testing.T) {
	o := &ROUGEOptions{Types: []string{"rouge1", "rougeL"}}
	r := must(NewROUGE(o))
	o.Types[0] = "rouge9"
	require.Equal(t, "rouge1", r.Metrics()[0].Signature().Metric)
}

// TestMeasureCorpusStopsWithItsContext: a metric may call a model for each
// segment.
func TestMeasureCorpusStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	m := must(NewMean(Signature{Metric: "slow"}, func(got context.Context, _ *Case, _ *Output) (float64, error) {
		if calls++; calls == 3 {
			cancel()
		}
		return 1, got.Err()
	}))
	hyps := strings.Fields(strings.Repeat("x ", 50))
	_, err := MeasureCorpus(ctx, m, hyps, make([][]string, len(hyps)), &MeasureOptions{Workers: 1})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 3, calls)
	_, err = ScoreCorpus(ctx, m, hyps, make([][]string, len(hyps)))
	require.ErrorIs(t, err, context.Canceled)
}

// TestPorterModeOfAnotherName: every mode except the three is the default.
func TestPorterModeOfAnotherName(t *testing.T) {
	require.Equal(t, PorterStem("dying", PorterNLTK), PorterStem("dying", ""))
	require.NotEqual(t, PorterStem("dying", PorterOriginal), PorterStem("dying", ""))
}

// TestPassAtKDefaults: one answer, and it alone.
func TestPassAtKDefaults(t *testing.T) {
	m := must(NewPassAtK(func(_ context.Context, _ *Case, answer string) (bool, error) { return answer == "4", nil }, nil))
	require.Equal(t, "pass@1", m.Signature().Metric)
	require.InDelta(t, 0.5, value(t, m, &Case{}, &Output{Text: "4", Samples: []string{"5"}}), 1e-12)
}

type countingMean struct{ Metric }

func (countingMean) CountsReferences() bool { return true }

// TestReferenceCounter: a metric of another package can have the number of
// references in its signature.
func TestReferenceCounter(t *testing.T) {
	plain := must(NewMean(Signature{Metric: "mine"}, func(context.Context, *Case, *Output) (float64, error) { return 1, nil }))
	refs := [][]string{{"a", "b"}, {"c", "d"}}
	require.Zero(t, must(ScoreCorpus(t.Context(), plain, []string{"a", "c"}, refs)).Signature.Refs)
	require.Equal(t, 2, must(ScoreCorpus(t.Context(), countingMean{plain}, []string{"a", "c"}, refs)).Signature.Refs)
}
