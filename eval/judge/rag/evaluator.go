package rag

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval"
	"github.com/prodailabs/prodai/eval/judge"
)

// Options are the settings of an [Evaluator]; nil means the defaults.
type Options struct {
	// Judge are the settings of each question: budget, cache, cost, re-asks.
	// Default: those of package judge.
	Judge *judge.Options
	// Embedder makes the vectors of [Evaluator.AnswerRelevancy] and
	// [Evaluator.SemanticSimilarity]. Default: nil, the two return an error.
	Embedder embeddings.Embedder
	// Questions is how many questions [Evaluator.AnswerRelevancy] lets the model
	// write. Default: 3, as in RAGAS.
	Questions int
	// Checks is how many questions [Evaluator.Summarization] lets the model write.
	// Default: 5, as in DeepEval.
	Checks int
	// Beta is the weight of recall in [Evaluator.FactualCorrectness]. Default: 1.
	Beta float64
}

// An Evaluator computes RAG metrics with the verdicts of a model. It is safe for
// concurrent use if the model and the embedder are.
type Evaluator struct {
	questions map[string]*judge.Question
	o         Options
}

// New returns an evaluator. Name is the model's full name with its date, as in
// [judge.New].
func New(model llms.Model, name string, o *Options) (*Evaluator, error) {
	e := &Evaluator{questions: map[string]*judge.Question{}}
	if o != nil {
		e.o = *o
	}
	for _, f := range []struct {
		name  string
		value *int
		unset int
	}{{"Questions", &e.o.Questions, 3}, {"Checks", &e.o.Checks, 5}} {
		if *f.value == 0 {
			*f.value = f.unset
		}
		if *f.value < 1 || *f.value > 50 {
			return nil, fmt.Errorf("%w: Options.%s is %d: want 1 to 50", ErrOption, f.name, *f.value)
		}
	}
	if e.o.Beta == 0 {
		e.o.Beta = 1
	}
	if !(e.o.Beta > 0 && e.o.Beta < 1e6) {
		return nil, fmt.Errorf("%w: Options.Beta is %v: want a positive number", ErrOption, e.o.Beta)
	}
	for key, text := range prompts {
		count := e.o.Questions
		if key == "checks" {
			count = e.o.Checks
		}
		q, err := judge.NewQuestion(model, name, strings.ReplaceAll(text, "COUNT", strconv.Itoa(count)), e.o.Judge)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrOption, err)
		}
		e.questions[key] = q
	}
	return e, nil
}

// Errors that callers branch on. They come wrapped with what was wrong.
var (
	ErrOption    = errors.New("rag: invalid option") // an option that cannot work, or a required argument that is missing
	ErrUndefined = judge.ErrUndefined                // nothing to judge, such as an answer without a statement
)

// A Verdict is what the model, or a program, decided about one piece of text.
type Verdict struct {
	Text   string `json:"text"`
	OK     bool   `json:"ok"`
	Reason string `json:"reason,omitempty"`
}

// A Result is what came of one metric for one item. Without a score, Outcome is
// the reason, as in [judge.Result].
type Result struct {
	Metric   string        `json:"metric"`
	Outcome  judge.Outcome `json:"outcome"`
	Score    float64       `json:"score"`
	Verdicts []Verdict     `json:"verdicts,omitempty"` // what the score was computed from
	Reason   string        `json:"reason,omitempty"`
	Judge    judge.Version `json:"judge"`
	Spent    judge.Spent   `json:"spent"`
}

// A run asks the questions of one metric for one item.
type run struct {
	e    *Evaluator
	r    *Result
	keys []string
}

// errStop ends a run whose outcome is set.
var errStop = errors.New("no score")

// measure runs a metric and fills its result.
func (e *Evaluator) measure(metric string, keys []string, f func(*run) (float64, error)) (Result, error) {
	r := Result{Metric: metric, Judge: e.version(keys)}
	score, err := f(&run{e, &r, keys})
	switch {
	case errors.Is(err, errStop):
		r.Verdicts = nil
		return r, nil
	case err != nil:
		r.Outcome = judge.OutcomeUnset
		return r, fmt.Errorf("rag: %s: %w", metric, err)
	}
	r.Outcome, r.Score = judge.OutcomeScored, score
	return r, nil
}

// version hashes the versions of a metric's questions.
func (e *Evaluator) version(keys []string) judge.Version {
	var v judge.Version
	h := sha256.New()
	for _, k := range keys {
		v = e.questions[k].Version()
		fmt.Fprintln(h, v)
	}
	fmt.Fprintln(h, e.o.Beta)
	v.Prompt = hex.EncodeToString(h.Sum(nil)[:6])
	return v
}

func (u *run) ask(ctx context.Context, key string, read func(judge.Reply) error, parts ...judge.Part) error {
	a, err := u.e.questions[key].Ask(ctx, parts, read)
	u.r.Spent.Add(a.Spent)
	if err != nil {
		return err
	}
	if a.Outcome != judge.OutcomeScored {
		u.r.Outcome, u.r.Reason = a.Outcome, key+": "+a.Reason
		return errStop
	}
	return nil
}

// list asks for a list of texts.
func (u *run) list(ctx context.Context, key, field string, parts ...judge.Part) ([]string, error) {
	var out []string
	err := u.ask(ctx, key, func(r judge.Reply) error {
		var err error
		if out, err = r.Texts(field); err != nil {
			return err
		}
		return r.Only(field)
	}, parts...)
	return out, err
}

// numbered writes texts as numbered lines. A text's own line ends become spaces, so
// that it can't add a number.
func numbered(title string, texts []string) judge.Part {
	var b strings.Builder
	for i, t := range texts {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%d. %s", i+1, strings.Join(strings.Fields(t), " "))
	}
	return judge.Part{Title: title, Text: b.String()}
}

// verdicts asks for one verdict a text. A verdict that is missing, double or of
// another number is an unreadable reply, and never counts as good.
func (u *run) verdicts(ctx context.Context, key, field string, value func(judge.Reply) (bool, error), texts []string, parts ...judge.Part) ([]Verdict, error) {
	out := make([]Verdict, len(texts))
	if len(texts) == 0 {
		return out, nil
	}
	err := u.ask(ctx, key, func(r judge.Reply) error {
		list, err := r.Objects("verdicts", len(texts))
		if err != nil {
			return err
		}
		for i, v := range list {
			n, err := v.Number("n", judge.Range{Min: 1, Max: float64(len(texts)) + 1})
			if err != nil {
				return err
			}
			if int(n) != i+1 || n != float64(int(n)) {
				return fmt.Errorf("%w: verdict %d has the number %v", judge.ErrParse, i+1, n)
			}
			out[i] = Verdict{Text: texts[i]}
			if out[i].OK, err = value(v); err != nil {
				return err
			}
			out[i].Reason, _ = v.Text("reason")
			if err := v.Only("n", "reason", field); err != nil {
				return err
			}
		}
		return r.Only("verdicts")
	}, parts...)
	return out, err
}

// yesNo asks for one verdict.
func (u *run) yesNo(ctx context.Context, key, field, text string, parts ...judge.Part) (Verdict, error) {
	v := Verdict{Text: text}
	err := u.ask(ctx, key, func(r judge.Reply) error {
		var err error
		if v.OK, err = r.Bool(field); err != nil {
			return err
		}
		v.Reason, _ = r.Text("reason")
		return r.Only(field, "reason")
	}, parts...)
	return v, err
}

func flag(field string) func(judge.Reply) (bool, error) {
	return func(r judge.Reply) (bool, error) { return r.Bool(field) }
}

func oks(verdicts []Verdict) []bool {
	out := make([]bool, len(verdicts))
	for i, v := range verdicts {
		out[i] = v.OK
	}
	return out
}

// words are verdicts in DeepEval's words.
func words(verdicts []Verdict) []string {
	out := make([]string, len(verdicts))
	for i, v := range verdicts {
		out[i] = "no"
		if v.OK {
			out[i] = "yes"
		}
	}
	return out
}

// passages joins an item's passages in order.
func passages(item judge.Item) string { return strings.Join(item.Context, "\n\n") }

// need returns an error if a field that a metric reads is empty.
func need(item judge.Item, fields ...string) error {
	for _, f := range fields {
		empty := false
		switch f {
		case "Input":
			empty = strings.TrimSpace(item.Input) == ""
		case "Output":
			empty = strings.TrimSpace(item.Output) == ""
		case "Reference":
			empty = strings.TrimSpace(item.Reference) == ""
		case "Context":
			empty = len(item.Context) == 0
		}
		if empty {
			return fmt.Errorf("%w: the item has no %s", ErrUndefined, f)
		}
	}
	return nil
}

// NewMetric returns a metric of package eval from one of this package. A case
// without a score, and one with nothing to judge, is skipped and counted apart.
//
//	rag.NewMetric("faithfulness", evaluator.Faithfulness)
func NewMetric(name string, measure func(context.Context, judge.Item) (Result, error)) (eval.Metric, error) {
	if measure == nil {
		return nil, fmt.Errorf("%w: the function is nil", ErrOption)
	}
	return eval.NewMean(eval.Signature{Metric: name}, func(ctx context.Context, c *eval.Case, o *eval.Output) (float64, error) {
		item := judge.Item{Input: c.Input, Output: o.Text, Context: c.Context}
		if len(c.References) > 0 {
			item.Reference = c.References[0]
		}
		r, err := measure(ctx, item)
		switch {
		case errors.Is(err, ErrUndefined):
			return 0, eval.Skip(err.Error())
		case err != nil:
			return 0, err
		case r.Outcome != judge.OutcomeScored:
			return 0, eval.Skip("the judge's outcome is " + r.Outcome.String() + ": " + r.Reason)
		}
		return r.Score, nil
	})
}
