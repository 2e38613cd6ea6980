package query_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/retrieve"
	"github.com/prodailabs/prodai/retrieve/bm25"
	"github.com/prodailabs/prodai/retrieve/embed"
	"github.com/prodailabs/prodai/retrieve/query"
)

func says(answers ...string) *modeltest.Script {
	s := &modeltest.Script{}
	for _, a := range answers {
		s.Turns = append(s.Turns, modeltest.Turn{Choices: []*llms.ContentChoice{{Content: a, StopReason: "stop"}}})
	}
	return s
}

func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(x T, err error) T {
		require.NoError(t, err)
		return x
	}
}

func TestTransforms(t *testing.T) {
	type transform = query.Transform
	for _, x := range []struct {
		make   func(llms.Model) (transform, error)
		answer string
		want   []string
	}{
		{func(m llms.Model) (transform, error) { return query.NewRewrite(m, nil) }, "\"refund E4502\"\n", []string{"refund E4502"}},
		{func(m llms.Model) (transform, error) { return query.NewMultiQuery(m, nil) }, "Here are three versions:\n1. How do refunds work?\n2) money back\n- What?!\n* Refund rules\n", []string{"What?", "How do refunds work?", "money back", "Refund rules"}},
		{func(m llms.Model) (transform, error) { return query.NewMultiQuery(m, &query.Options{N: 1}) }, "```\na\nb\n```", []string{"What?", "a"}},
		{func(m llms.Model) (transform, error) { return query.NewHyDE(m, nil) }, " A refund takes 30 days.\nSee page 2. ", []string{"What?", "A refund takes 30 days.\nSee page 2."}},
		{func(m llms.Model) (transform, error) { return query.NewStepBack(m, nil) }, "How do refunds work in general?", []string{"What?", "How do refunds work in general?"}},
		{func(m llms.Model) (transform, error) { return query.NewDecompose(m, nil) }, "How old is A?\nHow old is B?", []string{"What?", "How old is A?", "How old is B?"}},
		{func(m llms.Model) (transform, error) { return query.NewDecompose(m, nil) }, "SIMPLE.", []string{"What?"}},
	} {
		tr, err := x.make(says(x.answer))
		require.NoError(t, err)
		got, err := tr.Queries(t.Context(), "What?")
		require.NoError(t, err)
		require.Equal(t, x.want, got)
		for _, empty := range []string{"", " \n", strings.Repeat("x", 3000)} {
			tr, err := x.make(says(empty))
			require.NoError(t, err)
			got, err := tr.Queries(t.Context(), "What?")
			if _, ok := tr.(*query.HyDE); ok && len(empty) > 2000 {
				require.NoError(t, err, "a long answer is a long answer")
				require.Len(t, got, 2)
				continue
			}
			require.ErrorIs(t, err, query.ErrAnswer, "%T %.20q", tr, empty)
		}
		_, err = x.make(nil)
		require.ErrorIs(t, err, query.ErrOption)
	}
	h, err := query.NewHyDE(says("one", "two"), &query.Options{N: 2})
	require.NoError(t, err)
	got, err := h.Queries(t.Context(), "What?")
	require.NoError(t, err)
	require.Equal(t, []string{"What?", "one", "two"}, got)
	_, err = query.NewMultiQuery(says(), &query.Options{N: -1})
	require.ErrorIs(t, err, query.ErrOption)
}

// A finder is a retriever with a table of rankings.
type finder struct {
	mu    sync.Mutex
	asked []string
	found map[string][]schema.Document
	err   error
}

func (f *finder) GetRelevantDocuments(_ context.Context, q string) ([]schema.Document, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, q)
	return f.found[q], f.err
}

func doc(id, text, source string) schema.Document {
	meta := map[string]any{"source": source}
	if id != "" {
		meta["id"] = id
	}
	return schema.Document{PageContent: text, Metadata: meta}
}

func ids(docs []schema.Document) string {
	var out []string
	for _, d := range docs {
		out = append(out, fmt.Sprint(d.Metadata["id"]))
	}
	return strings.Join(out, " ")
}

func TestRetrieverFusesTheQueries(t *testing.T) {
	f := &finder{found: map[string][]schema.Document{
		"q":  {doc("a", "", ""), doc("b", "", ""), doc("b", "", "")},
		"q1": {doc("b", "", ""), doc("c", "", "")},
		"q2": {doc("b", "", ""), doc("a", "", "")},
	}}
	r, err := query.NewRetriever(f, must[*query.MultiQuery](t)(query.NewMultiQuery(says("q1\nq2"), nil)), nil)
	require.NoError(t, err)
	docs, err := r.GetRelevantDocuments(t.Context(), "q")
	require.NoError(t, err)
	require.Equal(t, "b a c", ids(docs))
	require.InDelta(t, 2.0/61+1.0/62, docs[0].Score, 1e-7, "b counts once in a ranking, at its best place")
	require.ElementsMatch(t, []string{"q", "q1", "q2"}, f.asked)

	r, err = query.NewRetriever(f, must[*query.MultiQuery](t)(query.NewMultiQuery(says("q1\nq2"), nil)), &query.RetrieverOptions{K: 1, Weights: []float64{1, 0, 0}})
	require.NoError(t, err)
	docs, err = r.GetRelevantDocuments(t.Context(), "q")
	require.NoError(t, err)
	require.Equal(t, "a", ids(docs))
}

// TestEqualTextsOfTwoSources: they are two passages, and the better ranked copy of one
// keeps its metadata (langchain#38627).
func TestEqualTextsOfTwoSources(t *testing.T) {
	better, worse := doc("x", "same", "s"), doc("x", "same", "s")
	better.Metadata["copy"] = "rank 1"
	f := &finder{found: map[string][]schema.Document{
		"q":  {doc("", "other", "s"), worse, doc("", "same", "A")},
		"q1": {better, doc("", "same", "B"), doc("", "same", "A")},
	}}
	r, err := query.NewRetriever(f, must[*query.StepBack](t)(query.NewStepBack(says("q1"), nil)), nil)
	require.NoError(t, err)
	docs, err := r.GetRelevantDocuments(t.Context(), "q")
	require.NoError(t, err)
	require.Len(t, docs, 4)
	require.Equal(t, "rank 1", docs[0].Metadata["copy"])
}

func TestTheModelsFailureKeepsTheQuestion(t *testing.T) {
	f := &finder{found: map[string][]schema.Document{"q": {doc("a", "", "")}}}
	for _, s := range []*modeltest.Script{{Turns: []modeltest.Turn{{Err: errors.New("down")}}}, says("")} {
		r, err := query.NewRetriever(f, must[*query.StepBack](t)(query.NewStepBack(s, nil)), &query.RetrieverOptions{Logger: slog.New(&event.Checker{Report: t.Errorf})})
		require.NoError(t, err)
		docs, err := r.GetRelevantDocuments(t.Context(), "q")
		require.NoError(t, err)
		require.Equal(t, "a", ids(docs))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, err := query.NewRetriever(f, must[*query.StepBack](t)(query.NewStepBack(says("x"), nil)), nil)
	require.NoError(t, err)
	_, err = r.GetRelevantDocuments(ctx, "q")
	require.ErrorIs(t, err, context.Canceled)
	f.err = errors.New("the database is down")
	_, err = r.GetRelevantDocuments(t.Context(), "q")
	require.ErrorIs(t, err, f.err)
}

func TestEnsemble(t *testing.T) {
	a := &finder{found: map[string][]schema.Document{"q": {doc("a", "", ""), doc("b", "", "")}}}
	b := &finder{found: map[string][]schema.Document{"q": {doc("b", "", ""), doc("c", "", "")}}}
	r, err := query.NewEnsemble([]query.Searcher{a, b}, &query.RetrieverOptions{Weights: []float64{1, 2}})
	require.NoError(t, err)
	docs, err := r.GetRelevantDocuments(t.Context(), "q")
	require.NoError(t, err)
	require.Equal(t, "b c a", ids(docs))
	for _, o := range []*query.RetrieverOptions{{K: -1}, {Parallel: -1}, {Weights: []float64{-1}}, {Weights: []float64{0, 0}}} {
		_, err := query.NewEnsemble([]query.Searcher{a}, o)
		require.ErrorIs(t, err, query.ErrOption)
	}
	_, err = query.NewEnsemble(nil, nil)
	require.ErrorIs(t, err, query.ErrOption)
	_, err = query.NewEnsemble([]query.Searcher{nil}, nil)
	require.ErrorIs(t, err, query.ErrOption)
	_, err = query.NewRetriever(nil, nil, nil)
	require.ErrorIs(t, err, query.ErrOption)
}

var fields = []query.Field{
	{Key: "year", Kind: query.KindNumber, Description: "the year of the page"},
	{Key: "lang", Description: "the language.", Values: []string{"en", "de"}},
	{Key: "draft", Kind: query.KindBool, Description: "not published"},
}

func TestSelfQueryPlans(t *testing.T) {
	for answer, want := range map[string]string{
		`{"query": "pricing", "filter": "year = 2025 and lang = 'en'"}`:                "(year = 2025 and lang = 'en')",
		"```json\n{\"query\": \"pricing\", \"filter\": \"\"}\n```":                     "all",
		`Sure! {"query": "pricing"} Hope it helps.`:                                    "all",
		`{"query": "pricing", "filter": "none"}`:                                       "all",
		`{"query": "pricing", "filter": "not (draft = true) and lang in ('de','en')"}`: "(not (draft = true) and lang in ('de', 'en'))",
		// What a model must not be able to write:
		`{"query": "pricing", "filter": "tenant = 'acme'"}`:                   "",
		`{"query": "pricing", "filter": "year = 2025 or exists groups"}`:      "",
		`{"query": "pricing", "filter": "year = '2025'"}`:                     "",
		`{"query": "pricing", "filter": "lang = 'fr'"}`:                       "",
		`{"query": "pricing", "filter": "draft = 1"}`:                         "",
		`{"query": "pricing", "filter": "year = 2025; drop table x"}`:         "",
		`{"query": "pricing", "filter": "` + strings.Repeat("(", 5000) + `"}`: "",
		`{"query": "", "filter": ""}`:                                         "",
		`{"filter": "year = 1"}`:                                              "",
		`{"query": 7}`:                                                        "",
		`pricing in 2025`:                                                     "",
		`{`:                                                                   "",
		``:                                                                    "",
	} {
		s, err := query.NewSelfQuery(says(answer), fields, nil)
		require.NoError(t, err)
		plan, err := s.Plan(t.Context(), "pricing in 2025?")
		if want == "" {
			require.ErrorIs(t, err, query.ErrAnswer, answer)
			continue
		}
		require.NoError(t, err, answer)
		require.Equal(t, "pricing", plan.Text)
		require.Equal(t, want, plan.Where.String(), answer)
	}
	_, err := query.NewSelfQuery(says(), nil, nil)
	require.ErrorIs(t, err, query.ErrOption)
	_, err = query.NewSelfQuery(says(), []query.Field{{Key: "a"}, {Key: "a"}}, nil)
	require.ErrorIs(t, err, query.ErrOption)
	_, err = query.NewSelfQuery(nil, fields, nil)
	require.ErrorIs(t, err, query.ErrOption)
}

func TestSelfRetrieverSearchesACollection(t *testing.T) {
	e, err := embed.New()
	require.NoError(t, err)
	words, err := bm25.New(nil)
	require.NoError(t, err)
	c, err := retrieve.Open("", e, &retrieve.Options{Words: words})
	require.NoError(t, err)
	_, err = c.Sync(t.Context(), "s", []schema.Document{
		{PageContent: "The price is 10 dollars.", Metadata: map[string]any{"id": "old", "year": 2020}},
		{PageContent: "The price is 20 dollars.", Metadata: map[string]any{"id": "new", "year": 2025}},
	})
	require.NoError(t, err)
	ask := func(o *query.SelfOptions, answer string) string {
		s, err := query.NewSelfQuery(says(answer), fields, nil)
		require.NoError(t, err)
		r, err := query.NewSelfRetriever(c, s, o)
		require.NoError(t, err)
		docs, err := r.GetRelevantDocuments(t.Context(), "What was the price?")
		require.NoError(t, err)
		return ids(docs)
	}
	require.Equal(t, "new", ask(nil, `{"query": "price", "filter": "year = 2025"}`))
	require.Equal(t, "new old", ask(nil, `{"query": "price", "filter": "year = 1999"}`), "a misread condition doesn't hide the answer")
	require.Equal(t, "", ask(&query.SelfOptions{Strict: true}, `{"query": "price", "filter": "year = 1999"}`))
	require.Equal(t, "new old", ask(nil, "no idea"))
	_, err = query.NewSelfRetriever(nil, nil, nil)
	require.ErrorIs(t, err, query.ErrOption)
}

func FuzzAnswers(f *testing.F) {
	f.Add(`{"query": "pricing", "filter": "year = 2025 and lang = 'en'"}`)
	f.Add("1. a\n2. b\nHere:\n- \"c\"")
	f.Fuzz(func(t *testing.T, answer string) {
		s, err := query.NewSelfQuery(says(answer), fields, nil)
		require.NoError(t, err)
		if plan, err := s.Plan(t.Context(), answer); err == nil {
			require.NoError(t, plan.Where.Check())
			require.NotEmpty(t, plan.Text)
			var keys func(f retrieve.Filter)
			keys = func(f retrieve.Filter) {
				require.Contains(t, []string{"", "year", "lang", "draft"}, f.Key)
				for _, inner := range f.Filters {
					keys(inner)
				}
			}
			keys(plan.Where)
		} else {
			require.ErrorIs(t, err, query.ErrAnswer)
		}
		m, err := query.NewMultiQuery(says(answer), nil)
		require.NoError(t, err)
		if got, err := m.Queries(t.Context(), "q"); err == nil {
			require.LessOrEqual(t, len(got), 4)
			for _, q := range got {
				require.NotEmpty(t, strings.TrimSpace(q))
				require.NotContains(t, q, "\n")
			}
		}
	})
}
