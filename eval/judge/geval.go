package judge

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"

	"github.com/tmc/langchaingo/llms"
)

// A Token is a generated token with the log-probabilities of its alternatives, in
// OpenAI's form.
type Token struct {
	Token string        `json:"token"`
	Top   []Alternative `json:"top_logprobs"`
}

// An Alternative is a token that could have come, with its natural log-probability.
type Alternative struct {
	Token   string  `json:"token"`
	LogProb float64 `json:"logprob"`
}

// WeightedScore is G-Eval's expected grade, with the rules of DeepEval 4.3.1. It
// takes the last token that is the grade, and of its alternatives those with a
// probability of at least 1 % that are only decimal digits:
//
//	Σ p · grade / Σ p
//
// It returns false, and the grade as it is, where no such token is there.
func WeightedScore(grade int, tokens []Token) (float64, bool) { return weighted(grade, tokens, nil) }

func weighted(grade int, tokens []Token, keep func(float64) bool) (float64, bool) {
	word := strconv.Itoa(grade)
	for i := len(tokens) - 1; i >= 0; i-- {
		if tokens[i].Token != word {
			continue
		}
		sum, total := 0.0, 0.0
		for _, a := range tokens[i].Top {
			p := math.Exp(a.LogProb)
			v, ok := decimal(a.Token)
			if p < 0.01 || p > 1 || math.IsNaN(p) || !ok || keep != nil && !keep(v) {
				continue
			}
			sum += p * v
			total += p
		}
		if total == 0 {
			break
		}
		return sum / total, true
	}
	return float64(grade), false
}

// decimal reads a token of Unicode decimal digits, as Python's int does.
func decimal(token string) (float64, bool) {
	v := 0.0
	for _, r := range token {
		d := digit(r)
		if d < 0 {
			return 0, false
		}
		v = 10*v + float64(d)
	}
	return v, token != "" && !math.IsInf(v, 0)
}

// digit returns the value of a decimal digit, or -1. Unicode has each script's ten
// digits in a row, from zero on.
func digit(r rune) int {
	for _, part := range unicode.Nd.R16 {
		if rune(part.Lo) <= r && r <= rune(part.Hi) {
			return int(r-rune(part.Lo)) % 10
		}
	}
	for _, part := range unicode.Nd.R32 {
		if rune(part.Lo) <= r && r <= rune(part.Hi) {
			return int(r-rune(part.Lo)) % 10
		}
	}
	return -1
}

// A Weighting is how [GEval] came to its score.
type Weighting uint8

// The weightings.
const (
	WeightingUnset    Weighting = iota
	WeightingLogProbs           // probabilities of the grade's token
	WeightingSampling           // the mean of several samples
)

// String returns "unset", "logprobs" or "sampling".
func (w Weighting) String() string {
	names := [...]string{"unset", "logprobs", "sampling"}
	if int(w) >= len(names) {
		w = WeightingUnset
	}
	return names[w]
}

// GEvalOptions are the settings of [NewGEval].
type GEvalOptions struct {
	// Options are those of each call. Their Temperature is used for the first call;
	// the samples have a temperature of 1. Default: nil.
	Options *Options
	// Samples is how many grades are averaged where the model gives no
	// log-probabilities. Default: 20, as in the paper.
	Samples int
	// Scale of the grades, whole numbers of one digit, since a grade of two digits
	// may be two tokens. Default: 1 to 5.
	Scale Range
	// LogProbs reads the tokens of an answer, nil where there are none. Default:
	// OpenAI's form under "Logprobs" or "logprobs" of GenerationInfo. Ask the
	// provider for them with Options.CallOptions.
	LogProbs func(*llms.ContentChoice) []Token
}

// A GEval grades by G-Eval (Liu et al. 2023): criteria, evaluation steps, and a
// grade averaged over the probabilities of the grade tokens. The average is finer
// than the grade, so it has fewer ties. It is safe for concurrent use if its model
// is.
type GEval struct {
	model   llms.Model
	task    string
	o       Options
	g       GEvalOptions
	version Version
}

// NewGEval returns a judge by these criteria and evaluation steps. Steps that are
// fixed make runs comparable, so they are not written by the model anew.
func NewGEval(model llms.Model, name, criteria string, steps []string, o *GEvalOptions) (*GEval, error) {
	switch {
	case model == nil:
		return nil, fmt.Errorf("%w: the model is nil", ErrOption)
	case name == "" || strings.Contains(name, "|"):
		return nil, fmt.Errorf("%w: the model's name is %q: want a name without |, to pin the judge's version", ErrOption, name)
	case criteria == "":
		return nil, fmt.Errorf("%w: the criteria are empty", ErrOption)
	}
	var g GEvalOptions
	if o != nil {
		g = *o
	}
	if g.Samples == 0 {
		g.Samples = 20
	}
	if g.Samples < 2 {
		return nil, fmt.Errorf("%w: GEvalOptions.Samples is %d: want at least 2", ErrOption, g.Samples)
	}
	if g.Scale == (Range{}) {
		g.Scale = Range{1, 5}
	}
	if !g.Scale.valid() || g.Scale.Min != math.Trunc(g.Scale.Min) || g.Scale.Max != math.Trunc(g.Scale.Max) || g.Scale.Min < 0 || g.Scale.Max > 9 {
		return nil, fmt.Errorf("%w: GEvalOptions.Scale is %v to %v: want whole numbers from 0 to 9, Min below Max", ErrOption, g.Scale.Min, g.Scale.Max)
	}
	if g.LogProbs == nil {
		g.LogProbs = logProbs
	}
	opts, err := g.Options.filled()
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "You grade the ANSWER of an AI system from %v (worst) to %v (best), a whole number.\nCriteria: %s\n", g.Scale.Min, g.Scale.Max, criteria)
	for i, s := range steps {
		fmt.Fprintf(&b, "Step %d: %s\n", i+1, s)
	}
	b.WriteString(`{"check": "...", "reason": "one or two sentences", "score": grade}` + "\n")
	v := versionOf(name, rules, b.String(), fmt.Sprint(g.Samples, opts.Temperature, opts.MaxTokens, opts.ReAsks))
	opts.version = v
	return &GEval{model, b.String(), opts, g, v}, nil
}

// Version returns what pins this judge.
func (g *GEval) Version() Version { return g.version }

// A GEvalResult is what came of [GEval.Grade].
type GEvalResult struct {
	Outcome Outcome `json:"outcome"`
	// Grade is the expected grade on the scale, Score the same from 0 to 1.
	Grade     float64   `json:"grade"`
	Score     float64   `json:"score"`
	Weighting Weighting `json:"weighting"`
	// Samples are the grades that were averaged, for [WeightingSampling].
	Samples []float64 `json:"samples,omitempty"`
	// Unscored counts the samples without a grade. They are not in the mean.
	Unscored int     `json:"unscored,omitempty"`
	Reason   string  `json:"reason,omitempty"`
	Judge    Version `json:"judge"`
	Spent    Spent   `json:"spent"`
}

// Grade asks for a grade. If the answer has log-probabilities, one call is enough;
// else it asks Samples times in all at a temperature of 1 and averages, the first
// grade left out unless its temperature was 1. Outcomes and errors are those of
// [Judge.Grade]; an error in the middle of the samples returns no grade.
//
// Options.Cache has the whole result, samples and weighting included.
func (g *GEval) Grade(ctx context.Context, item Item) (GEvalResult, error) {
	if g.o.Cache == nil {
		return g.grade(ctx, item)
	}
	key := contentKey(g.version, &prompt{system: "geval", parts: append(item.shared(), Part{"ANSWER", item.Output})})
	data, ok, err := g.o.Cache.Get(ctx, key)
	if err != nil {
		return GEvalResult{Judge: g.version}, fmt.Errorf("judge: read the cache: %w", err)
	}
	var r GEvalResult
	if ok && json.Unmarshal(data, &r) == nil && r.Outcome == OutcomeScored {
		r.Judge, r.Spent = g.version, Spent{Cached: 1}
		return r, nil
	}
	if r, err = g.grade(ctx, item); err != nil || r.Outcome != OutcomeScored {
		return r, err
	}
	if data, err = json.Marshal(r); err == nil {
		err = g.o.Cache.Put(ctx, key, data)
	}
	if err != nil {
		err = fmt.Errorf("judge: write the cache: %w", err)
	}
	return r, err
}

func (g *GEval) grade(ctx context.Context, item Item) (GEvalResult, error) {
	r := GEvalResult{Judge: g.version}
	grade, tokens, err := g.once(ctx, &item, &r, g.o.Temperature)
	if err != nil || r.Outcome != OutcomeScored {
		return r, err
	}
	inScale := func(v float64) bool { return g.g.Scale.check(v) == nil }
	if v, ok := weighted(int(grade), tokens, inScale); ok {
		r.Weighting = WeightingLogProbs
		g.set(&r, v)
		return r, nil
	}
	r.Weighting = WeightingSampling
	if g.o.Temperature == 1 {
		r.Samples = append(r.Samples, grade)
	}
	for len(r.Samples)+r.Unscored < g.g.Samples {
		grade, _, err := g.once(ctx, &item, &r, 1)
		if err != nil {
			r.Outcome = OutcomeUnset
			return r, err
		}
		if r.Outcome != OutcomeScored {
			r.Unscored++
			continue
		}
		r.Samples = append(r.Samples, grade)
	}
	if len(r.Samples) == 0 {
		return r, nil // the outcome of the last sample
	}
	sum := 0.0
	for _, v := range r.Samples {
		sum += v
	}
	r.Outcome = OutcomeScored
	g.set(&r, sum/float64(len(r.Samples)))
	return r, nil
}

func (g *GEval) set(r *GEvalResult, grade float64) {
	r.Grade = grade
	r.Score = (grade - g.g.Scale.Min) / (g.g.Scale.Max - g.g.Scale.Min)
}

func (g *GEval) once(ctx context.Context, item *Item, r *GEvalResult, temperature float64) (float64, []Token, error) {
	p := prompt{system: g.task, parts: append(item.shared(), Part{"ANSWER", item.Output}), ending: "Grade the ANSWER now."}
	keeper := &lastChoice{Model: g.model}
	var grade float64
	var why string
	o := g.o
	o.Cache = nil // Grade keeps whole results, since a reply has no probabilities
	outcome, detail, spent, err := o.ask(ctx, keeper, p, func(object map[string]jsonValue) error {
		for key := range object {
			if key != "score" && key != "reason" {
				return unreadable("the key %.40q is unknown", key)
			}
		}
		v, err := number(object["score"])
		if err != nil {
			return err
		}
		if v != math.Trunc(v) {
			return unreadable("the grade %v is not a whole number", v)
		}
		grade = v
		why, _ = textAt(object, "reason")
		return g.g.Scale.check(v)
	}, llms.WithTemperature(temperature))
	r.Outcome = outcome
	r.Spent.Add(spent)
	if outcome != OutcomeScored {
		why = detail
	}
	r.Reason = why
	if err != nil || keeper.choice == nil {
		return grade, nil, err
	}
	return grade, g.g.LogProbs(keeper.choice), nil
}

// lastChoice keeps the choice that was read last, for its log-probabilities.
type lastChoice struct {
	llms.Model
	choice *llms.ContentChoice
}

func (l *lastChoice) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	response, err := l.Model.GenerateContent(ctx, messages, options...)
	l.choice = nil
	if response != nil && len(response.Choices) > 0 {
		l.choice = response.Choices[0]
	}
	return response, err
}

// logProbs reads what package retry/openai puts under "Logprobs".
func logProbs(c *llms.ContentChoice) []Token {
	for _, key := range []string{"Logprobs", "logprobs"} {
		data, err := json.Marshal(c.GenerationInfo[key])
		if err != nil {
			continue
		}
		var form struct {
			Content []Token `json:"content"`
		}
		if json.Unmarshal(data, &form) == nil && len(form.Content) > 0 {
			return form.Content
		}
		var tokens []Token
		if json.Unmarshal(data, &tokens) == nil && len(tokens) > 0 {
			return tokens
		}
	}
	return nil
}
