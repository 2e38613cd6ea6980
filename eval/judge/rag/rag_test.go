package rag_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval"
	"github.com/prodailabs/prodai/eval/judge"
	"github.com/prodailabs/prodai/eval/judge/rag"
	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/eval/stats"
)

// A recorded is an answer with what a large language model said about it, in
// November 2026: its statements, and its verdict on each.
type recorded struct {
	ID, Question, Reference, Answer string
	Passages                        []string
	Useful                          []bool
	ReferenceStatements             []string `json:"reference_statements"`
	Attributed                      []bool
	Statements                      []string
	Supported, Correct              []bool
	ReferenceInAnswer               []bool `json:"reference_in_answer"`
}

func (r *recorded) item() judge.Item {
	return judge.Item{Input: r.Question, Output: r.Answer, Reference: r.Reference, Context: r.Passages}
}

func recordings(t *testing.T) []recorded {
	data, err := os.ReadFile("testdata/recorded.jsonl")
	require.NoError(t, err)
	var out []recorded
	for line := range bytes.Lines(data) {
		var r recorded
		require.NoError(t, json.Unmarshal(line, &r))
		out = append(out, r)
	}
	require.Len(t, out, 36)
	return out
}

var (
	markOf  = regexp.MustCompile(`begin with "([^"]+)\| "`)
	checkOf = regexp.MustCompile(`"check" with the value "([^"]+)"`)
)

// A seen is a prompt as a model sees it: its instructions, and the texts by title.
type seen struct {
	system, check string
	texts         map[string]string
}

func see(c modeltest.Call) seen {
	text := func(m llms.MessageContent) string { return m.Parts[0].(llms.TextContent).Text }
	s := seen{system: text(c.Messages[0]), texts: map[string]string{}}
	mark := markOf.FindStringSubmatch(s.system)[1]
	s.check = checkOf.FindStringSubmatch(s.system)[1]
	title := ""
	for line := range strings.SplitSeq(text(c.Messages[1]), "\n") {
		if t, ok := strings.CutPrefix(line, mark+" BEGIN "); ok {
			title = t
		} else if rest, ok := strings.CutPrefix(line, mark+"| "); ok {
			if s.texts[title] != "" {
				s.texts[title] += "\n"
			}
			s.texts[title] += rest
		}
	}
	return s
}

func (s seen) reply(format string, args ...any) modeltest.Turn {
	return modeltest.Say(fmt.Sprintf(`{"check": %q, `, s.check) + fmt.Sprintf(format, args...) + "}")
}

func texts(list []string) string {
	data, err := json.Marshal(append([]string{}, list...))
	if err != nil {
		panic(err)
	}
	return string(data)
}

func verdicts(field string, values []bool) string {
	var b strings.Builder
	for i, v := range values {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, `{"n": %d, "reason": "r", %q: %v}`, i+1, field, v)
	}
	return "[" + b.String() + "]"
}

// replay answers with the recorded verdicts of one answer.
func replay(r *recorded) *modeltest.Script {
	return &modeltest.Script{Answer: func(c modeltest.Call) (modeltest.Turn, bool) {
		s := see(c)
		switch {
		case strings.Contains(s.system, `"statements"`) && s.texts["TEXT"] == r.Answer:
			return s.reply(`"statements": %s`, texts(r.Statements)), true
		case strings.Contains(s.system, `"statements"`):
			return s.reply(`"statements": %s`, texts(r.ReferenceStatements)), true
		case strings.Contains(s.system, `"useful"`):
			for i, p := range r.Passages {
				if p == s.texts["PASSAGE"] {
					return s.reply(`"reason": "r", "useful": %v`, r.Useful[i]), true
				}
			}
		case s.texts["SOURCE"] == r.Answer:
			return s.reply(`"verdicts": %s`, verdicts("supported", r.ReferenceInAnswer)), true
		case s.texts["SOURCE"] == r.Reference:
			return s.reply(`"verdicts": %s`, verdicts("supported", r.Correct)), true
		case strings.HasPrefix(s.texts["STATEMENTS"], "1. "+r.Statements[0]) && len(strings.Split(s.texts["STATEMENTS"], "\n")) == len(r.Statements):
			return s.reply(`"verdicts": %s`, verdicts("supported", r.Supported)), true
		}
		return s.reply(`"verdicts": %s`, verdicts("supported", r.Attributed)), true
	}}
}

func evaluator(t *testing.T, model llms.Model, o *rag.Options) *rag.Evaluator {
	t.Helper()
	e, err := rag.New(model, "judge-2026-11-01", o)
	require.NoError(t, err)
	return e
}

func share(values []bool) float64 {
	n := 0.0
	for _, v := range values {
		if v {
			n++
		}
	}
	return n / float64(len(values))
}

// TestOfflineFormsCorrelate prints the table of the notes.
func TestOfflineFormsCorrelate(t *testing.T) {
	offline, err := rag.NewOffline(nil)
	require.NoError(t, err)
	ctx := context.Background()
	with, without := map[string][]float64{}, map[string][]float64{}
	names := []string{"faithfulness", "context_recall", "context_precision", "factual_correctness"}
	for _, r := range recordings(t) {
		e := evaluator(t, replay(&r), nil)
		for i, f := range []func(context.Context, judge.Item) (rag.Result, error){e.Faithfulness, e.ContextRecall, e.ContextPrecision, e.FactualCorrectness} {
			got, err := f(ctx, r.item())
			require.NoError(t, err, r.ID)
			require.Equal(t, judge.OutcomeScored, got.Outcome, "%s %s: %s", r.ID, names[i], got.Reason)
			with[names[i]] = append(with[names[i]], got.Score)
		}
		n := len(with["faithfulness"]) - 1
		assert.InDelta(t, share(r.Supported), with["faithfulness"][n], 1e-12, r.ID)
		assert.InDelta(t, share(r.Attributed), with["context_recall"][n], 1e-12, r.ID)
		for i, f := range []func(context.Context, judge.Item) (rag.Result, error){offline.Faithfulness, offline.ContextRecall, offline.ContextPrecision, offline.FactualCorrectness} {
			got, err := f(ctx, r.item())
			require.NoError(t, err, r.ID)
			without[names[i]] = append(without[names[i]], got.Score)
			assert.True(t, strings.HasPrefix(got.Metric, "offline_"))
			assert.Contains(t, got.Judge.Model, "offline")
		}
	}
	for _, name := range names {
		if strings.HasPrefix(name, "context") { // the same for the three answers to a question
			for _, scores := range []map[string][]float64{with, without} {
				for i := range 12 {
					scores[name][i] = scores[name][3*i]
				}
				scores[name] = scores[name][:12]
			}
		}
		r, err := stats.Spearman(with[name], without[name])
		require.NoError(t, err)
		in, err := stats.PearsonInterval(stats.Ranks(with[name]), stats.Ranks(without[name]), 0.95)
		require.NoError(t, err)
		t.Logf("%-20s n %d  %.2f (%.2f to %.2f)   mean %.2f offline, %.2f with a model", name, len(with[name]), r.Statistic, in.Low, in.High, stats.Mean(without[name]), stats.Mean(with[name]))
		assert.Greater(t, in.Low, 0.0, name)
	}
}

// An axes embedder puts each known text on a vector of its own.
type axes map[string][]float32

func (a axes) EmbedDocuments(_ context.Context, texts []string) ([][]float32, error) {
	var out [][]float32
	for _, t := range texts {
		v, ok := a[t]
		if !ok {
			return nil, fmt.Errorf("no vector for %q", t)
		}
		out = append(out, v)
	}
	return out, nil
}

func (a axes) EmbedQuery(ctx context.Context, text string) ([]float32, error) {
	out, err := a.EmbedDocuments(ctx, []string{text})
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// script answers each question by the form that its instructions ask for.
func script(replies map[string]string) *modeltest.Script {
	return &modeltest.Script{Answer: func(c modeltest.Call) (modeltest.Turn, bool) {
		s := see(c)
		for form, body := range replies {
			form, title, _ := strings.Cut(form, "@")
			if strings.Contains(s.system, `"`+form+`"`) && (title == "" || s.texts["SOURCE"] == title || s.texts["TEXT"] == title || s.texts["PASSAGE"] == title) {
				return s.reply("%s", body), true
			}
		}
		return modeltest.Turn{}, false
	}}
}

func TestEachMetricEndToEnd(t *testing.T) {
	item := judge.Item{Input: "q", Output: "a", Reference: "r", Context: []string{"p1", "p2"}}
	vectors := axes{"q": {1, 0}, "q1": {1, 0}, "q2": {0, 1}, "q3": {-1, 0}, "a": {3, 4}, "r": {1, 0}}
	two := verdicts("supported", []bool{true, false})
	for _, c := range []struct {
		name    string
		replies map[string]string
		measure func(*rag.Evaluator) (rag.Result, error)
		want    float64
		calls   int
	}{
		{"faithfulness", map[string]string{"statements": `"statements": ["s", "t"]`, "supported": `"verdicts": ` + two},
			func(e *rag.Evaluator) (rag.Result, error) { return e.Faithfulness(context.Background(), item) }, 0.5, 2},
		{"context precision", map[string]string{"useful@p1": `"useful": false`, "useful@p2": `"useful": true, "reason": "x"`},
			func(e *rag.Evaluator) (rag.Result, error) { return e.ContextPrecision(context.Background(), item) }, 0.5, 2},
		{"utilization", map[string]string{"useful": `"useful": true`},
			func(e *rag.Evaluator) (rag.Result, error) { return e.ContextUtilization(context.Background(), item) }, 1, 2},
		{"answer relevancy", map[string]string{"questions": `"questions": [{"question": "q1", "noncommittal": false}, {"question": "q2", "noncommittal": true}, {"question": "q3", "noncommittal": false}]`},
			func(e *rag.Evaluator) (rag.Result, error) { return e.AnswerRelevancy(context.Background(), item) }, 0, 1},
		{"similarity", nil, func(e *rag.Evaluator) (rag.Result, error) { return e.SemanticSimilarity(context.Background(), item) }, 0.6, 0},
		{"factual", map[string]string{"statements": `"statements": ["s", "t"]`, "supported@r": `"verdicts": ` + verdicts("supported", []bool{true, true}), "supported@a": `"verdicts": ` + two},
			func(e *rag.Evaluator) (rag.Result, error) { return e.FactualCorrectness(context.Background(), item) }, 0.8, 4},
		{"entities", map[string]string{"entities@r": `"entities": ["A", "B"]`, "entities@p1\n\np2": `"entities": ["A", "C"]`, "entities@p1\n\n\np2": `"entities": []`},
			func(e *rag.Evaluator) (rag.Result, error) { return e.ContextEntityRecall(context.Background(), item) }, 0.5, 2},
		{"hallucination", map[string]string{"agrees@p1": `"agrees": true`, "agrees@p2": `"agrees": false`},
			func(e *rag.Evaluator) (rag.Result, error) { return e.Hallucination(context.Background(), item) }, 0.5, 2},
		{"contextual relevancy", map[string]string{"statements": `"statements": ["s", "t"]`, "relevant": `"verdicts": [{"n": 1, "relevant": "yes"}, {"n": 2, "relevant": "borderline"}]`},
			func(e *rag.Evaluator) (rag.Result, error) { return e.ContextualRelevancy(context.Background(), item) }, 0.5, 4},
		{"statement relevancy", map[string]string{"statements": `"statements": ["s", "t", "u"]`, "relevant": `"verdicts": [{"n": 1, "relevant": "yes"}, {"n": 2, "relevant": "borderline"}, {"n": 3, "relevant": "no"}]`},
			func(e *rag.Evaluator) (rag.Result, error) { return e.StatementRelevancy(context.Background(), item) }, 2.0 / 3, 2},
		{"bias", map[string]string{"opinions": `"opinions": ["o", "p"]`, "found": `"verdicts": ` + verdicts("found", []bool{true, false})},
			func(e *rag.Evaluator) (rag.Result, error) { return e.Bias(context.Background(), item) }, 0.5, 2},
		{"no opinion", map[string]string{"opinions": `"opinions": []`},
			func(e *rag.Evaluator) (rag.Result, error) { return e.Toxicity(context.Background(), item) }, 1, 1},
		{"summary", map[string]string{"statements": `"statements": ["s"]`, "supported": `"verdicts": ` + verdicts("supported", []bool{true}), "questions": `"questions": ["x", "y", "z"]`,
			"yes@q": `"verdicts": [{"n": 1, "yes": true}, {"n": 2, "yes": true}, {"n": 3, "yes": false}]`, "yes@a": `"verdicts": [{"n": 1, "yes": true}, {"n": 2, "yes": false}, {"n": 3, "yes": true}]`},
			func(e *rag.Evaluator) (rag.Result, error) { return e.Summarization(context.Background(), item) }, 0.5, 5},
		{"task", map[string]string{"completion": `"task": "book", "outcome": "booked", "completion": 0.75`},
			func(e *rag.Evaluator) (rag.Result, error) {
				return e.TaskCompletion(context.Background(), item, []eval.Call{{Name: "book", Arguments: `{"x":1}`}})
			}, 0.75, 1},
	} {
		s := script(c.replies)
		got, err := c.measure(evaluator(t, s, &rag.Options{Embedder: vectors}))
		require.NoError(t, err, c.name)
		require.Equal(t, judge.OutcomeScored, got.Outcome, "%s: %s", c.name, got.Reason)
		assert.InDelta(t, c.want, got.Score, 1e-8, c.name)
		assert.Len(t, s.Calls(), c.calls, c.name)
		assert.Equal(t, c.calls, got.Spent.Calls, c.name)
		assert.NotEmpty(t, got.Judge.Prompt, c.name)
	}
}

func TestNoiseSensitivity(t *testing.T) {
	// Statement 1 is right; 2 is wrong and from p1, which supports the reference; 3 is
	// wrong and from p2 only.
	s := script(map[string]string{
		"statements@a": `"statements": ["s1", "s2", "s3"]`, "statements@r": `"statements": ["r1"]`,
		"supported@r": `"verdicts": ` + verdicts("supported", []bool{true, false, false}),
	})
	fixed := s.Answer
	s.Answer = func(c modeltest.Call) (modeltest.Turn, bool) {
		m := see(c)
		switch m.texts["SOURCE"] + "/" + m.texts["STATEMENTS"][:min(4, len(m.texts["STATEMENTS"]))] {
		case "p1/1. s":
			return m.reply(`"verdicts": %s`, verdicts("supported", []bool{true, true, false})), true
		case "p2/1. s":
			return m.reply(`"verdicts": %s`, verdicts("supported", []bool{false, false, true})), true
		case "p1/1. r":
			return m.reply(`"verdicts": %s`, verdicts("supported", []bool{true})), true
		case "p2/1. r":
			return m.reply(`"verdicts": %s`, verdicts("supported", []bool{false})), true
		}
		return fixed(c)
	}
	n, err := evaluator(t, s, nil).NoiseSensitivity(context.Background(), judge.Item{Output: "a", Reference: "r", Context: []string{"p1", "p2"}})
	require.NoError(t, err)
	assert.InDelta(t, 1.0/3, n.Relevant.Score, 1e-12)
	assert.InDelta(t, 1.0/3, n.Irrelevant.Score, 1e-12)
	assert.Equal(t, 2*2+3, n.Relevant.Spent.Calls)
	assert.Equal(t, judge.OutcomeScored, n.Irrelevant.Outcome)
}

// TestAMissingVerdictIsNotAGoodOne: see ragas#317.
func TestAMissingVerdictIsNotAGoodOne(t *testing.T) {
	for _, body := range []string{
		`"verdicts": [{"n": 1, "supported": true}, {"n": 2, "supported": true}]`,
		`"verdicts": [{"n": 1, "supported": true}, {"n": 1, "supported": true}, {"n": 3, "supported": true}]`,
		`"verdicts": [{"n": 1, "supported": true}, {"n": 2}, {"n": 3, "supported": true}]`,
		`"verdicts": [{"n": 1, "supported": "yes"}, {"n": 2, "supported": true}, {"n": 3, "supported": true}]`,
		`"verdicts": [{"n": 1, "supported": true}, {"n": 2.5, "supported": true}, {"n": 3, "supported": true}]`,
		`"verdicts": [{"n": 1, "supported": true, "score": 1}, {"n": 2, "supported": true}, {"n": 3, "supported": true}]`,
	} {
		s := script(map[string]string{"statements": `"statements": ["s", "t", "u"]`, "supported": body})
		r, err := evaluator(t, s, &rag.Options{Judge: &judge.Options{ReAsks: -1}}).Faithfulness(context.Background(), judge.Item{Output: "a", Context: []string{"p"}})
		require.NoError(t, err)
		assert.Equal(t, judge.OutcomeParseError, r.Outcome, body)
		assert.Zero(t, r.Score)
		assert.Empty(t, r.Verdicts)
		assert.Equal(t, 2, r.Spent.Calls)
	}
}

func TestNothingToJudge(t *testing.T) {
	s := script(map[string]string{"statements": `"statements": []`, "entities": `"entities": []`})
	e := evaluator(t, s, nil)
	ctx, full := context.Background(), judge.Item{Input: "q", Output: "a", Reference: "r", Context: []string{"p"}}
	for name, f := range map[string]func(context.Context, judge.Item) (rag.Result, error){
		"faithfulness": e.Faithfulness, "recall": e.ContextRecall, "factual": e.FactualCorrectness, "entities": e.ContextEntityRecall, "relevancy": e.StatementRelevancy, "contextual": e.ContextualRelevancy,
	} {
		r, err := f(ctx, full)
		require.ErrorIs(t, err, rag.ErrUndefined, name)
		assert.Equal(t, judge.OutcomeUnset, r.Outcome)
		_, err = f(ctx, judge.Item{})
		require.ErrorIs(t, err, rag.ErrUndefined, name)

		m, err := rag.NewMetric(name, f)
		require.NoError(t, err)
		var skipped *eval.SkipError
		require.ErrorAs(t, m.Stats(ctx, &eval.Case{Input: "q", References: []string{"r"}, Context: []string{"p"}}, &eval.Output{Text: "a"}, make([]float64, m.Width())), &skipped)
	}
	_, err := e.AnswerRelevancy(ctx, full)
	require.ErrorIs(t, err, rag.ErrOption)
	_, err = e.SemanticSimilarity(ctx, full)
	require.ErrorIs(t, err, rag.ErrOption)
	_, err = e.NoiseSensitivity(ctx, full)
	require.ErrorIs(t, err, rag.ErrUndefined)
	_, err = rag.NewMetric("x", nil)
	require.ErrorIs(t, err, rag.ErrOption)
	for _, o := range []rag.Options{{Questions: -1}, {Checks: 99}, {Beta: -1}, {Beta: math.NaN()}, {Judge: &judge.Options{Temperature: 9}}} {
		_, err = rag.New(s, "m", &o)
		require.ErrorIs(t, err, rag.ErrOption)
	}
	_, err = rag.New(nil, "m", nil)
	require.ErrorIs(t, err, rag.ErrOption)
	_, err = rag.NewOffline(&rag.OfflineOptions{Cut: 2})
	require.ErrorIs(t, err, rag.ErrOption)

	down := errors.New("down")
	_, err = evaluator(t, &modeltest.Script{Turns: []modeltest.Turn{{Err: down, Times: -1}}}, nil).Faithfulness(ctx, full)
	require.ErrorIs(t, err, down)
}

// TestAStatementCannotAddANumber: a line end in a statement would be a new item.
func TestAStatementCannotAddANumber(t *testing.T) {
	s := script(map[string]string{"statements": `"statements": ["s\n2. it is supported", "t"]`, "supported": `"verdicts": ` + verdicts("supported", []bool{false, true})})
	r, err := evaluator(t, s, nil).Faithfulness(context.Background(), judge.Item{Output: "a", Context: []string{"p"}})
	require.NoError(t, err)
	assert.Equal(t, 0.5, r.Score)
	assert.Equal(t, "1. s 2. it is supported\n2. t", see(s.Calls()[1]).texts["STATEMENTS"])
}

func TestOfflineForms(t *testing.T) {
	f, err := rag.NewOffline(nil)
	require.NoError(t, err)
	ctx := context.Background()
	item := judge.Item{Input: "When do shops open?", Output: "Shops open at 9. They sell bread.", Reference: "Shops open at 9.", Context: []string{"Bees fly.", "Shops open at 9 on weekdays."}}
	for name, c := range map[string]struct {
		f    func(context.Context, judge.Item) (rag.Result, error)
		want float64
	}{"faithfulness": {f.Faithfulness, 0.5}, "recall": {f.ContextRecall, 1}, "precision": {f.ContextPrecision, 0.5}, "facts": {f.FactualCorrectness, 2.0 / 3}, "relevancy": {f.AnswerRelevancy, 1}} {
		r, err := c.f(ctx, item)
		require.NoError(t, err, name)
		assert.InDelta(t, c.want, r.Score, 1e-9, name)
		_, err = c.f(ctx, judge.Item{})
		require.ErrorIs(t, err, rag.ErrUndefined, name)
	}
	other := item
	other.Output = "Shops open at 10."
	r, err := f.Faithfulness(ctx, other)
	require.NoError(t, err)
	assert.Zero(t, r.Score, "another number has no support")

	v, err := rag.NewOffline(&rag.OfflineOptions{Embedder: axes{"Bees fly.": {1, 0}, "Cows eat.": {0, 1}, "Wasps fly.": {1, 0.1}, "q": {1, 0}, "Bees fly. Cows eat.": {1, 1}}})
	require.NoError(t, err)
	r, err = v.Faithfulness(ctx, judge.Item{Output: "Bees fly. Cows eat.", Context: []string{"Wasps fly."}})
	require.NoError(t, err)
	assert.Equal(t, 0.5, r.Score)
	r, err = v.AnswerRelevancy(ctx, judge.Item{Output: "Bees fly. Cows eat.", Input: "q"})
	require.NoError(t, err)
	assert.InDelta(t, math.Sqrt(0.5), r.Score, 1e-6)
	_, err = v.Faithfulness(ctx, judge.Item{Output: "Zebras run.", Context: []string{"Wasps fly."}})
	require.ErrorContains(t, err, "no vector")

	got, err := rag.ContextRecallOf([]string{"abcd", "zzzz"}, []string{"abcx", "qqqq"})
	require.NoError(t, err)
	assert.Equal(t, 0.5, got)
	_, err = rag.ContextRecallOf(nil, nil)
	require.ErrorIs(t, err, rag.ErrUndefined)
	assert.InDelta(t, 0.5, rag.ContextPrecisionOf([]string{"zzzz", "abcd"}, []string{"abyy"}), 1e-9)
}

func ExampleEvaluator_Faithfulness() {
	model := script(map[string]string{
		"statements": `"statements": ["Returns are possible for 30 days.", "Labels are free."]`,
		"supported":  `"verdicts": [{"n": 1, "reason": "in passage 1", "supported": true}, {"n": 2, "reason": "not mentioned", "supported": false}]`,
	})
	e, err := rag.New(model, "judge-2026-11-01", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := e.Faithfulness(context.Background(), judge.Item{
		Output:  "You can return it for 30 days, and labels are free.",
		Context: []string{"Parcels can be returned within 30 days."},
	})
	fmt.Println(r.Outcome, r.Score, err)
	for _, v := range r.Verdicts {
		fmt.Println(v.OK, v.Text, v.Reason)
	}
	// Output:
	// scored 0.5 <nil>
	// true Returns are possible for 30 days. in passage 1
	// false Labels are free. not mentioned
}
