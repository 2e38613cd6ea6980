package judge

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval"
)

type jsonValue = json.RawMessage

func textAt(object map[string]jsonValue, key string) (string, error) {
	var s *string
	if err := json.Unmarshal(object[key], &s); err != nil || s == nil {
		return "", unreadable("no text under the key %q", key)
	}
	return *s, nil
}

// An Anchor states what a grade means.
type Anchor struct {
	Grade   float64
	Meaning string
}

// A Criterion is one question of a rubric with its scale. The scale goes from the
// lowest to the highest anchor, and grades between two anchors are allowed.
type Criterion struct {
	Name     string   // a short name without a quote, the key of the judge's reply
	Question string   // what is asked of the answer
	Anchors  []Anchor // at least two, in ascending order
	Weight   float64  // 0 means 1
}

func (c *Criterion) scale() Range {
	return Range{c.Anchors[0].Grade, c.Anchors[len(c.Anchors)-1].Grade}
}

// A Rubric is what a judge grades by.
type Rubric struct {
	Task     string // what the judged system is for, in a sentence
	Criteria []Criterion
}

func (r *Rubric) filled() (Rubric, error) {
	out := Rubric{Task: r.Task}
	seen := map[string]bool{}
	for i, c := range r.Criteria {
		bad := func(format string, args ...any) (Rubric, error) {
			return out, fmt.Errorf("%w: Rubric.Criteria[%d] (%.40q): %s", ErrOption, i, c.Name, fmt.Sprintf(format, args...))
		}
		if c.Name == "" || strings.ContainsAny(c.Name, "\"\\\n") || seen[c.Name] {
			return bad("want a name of its own, without quotes and line ends")
		}
		seen[c.Name] = true
		if c.Question == "" {
			return bad("the question is empty")
		}
		if c.Weight == 0 {
			c.Weight = 1
		}
		if !(c.Weight > 0) || math.IsInf(c.Weight, 0) {
			return bad("the weight is %v: want a positive number, or 0 for 1", c.Weight)
		}
		if len(c.Anchors) < 2 {
			return bad("%d anchors: want at least two, the ends of the scale", len(c.Anchors))
		}
		c.Anchors = append([]Anchor(nil), c.Anchors...)
		for k, a := range c.Anchors {
			if math.IsNaN(a.Grade) || math.IsInf(a.Grade, 0) || k > 0 && a.Grade <= c.Anchors[k-1].Grade {
				return bad("anchor %d has the grade %v: want finite grades in ascending order", k, a.Grade)
			}
			if strings.TrimSpace(a.Meaning) == "" {
				return bad("the anchor of grade %v has no meaning", a.Grade)
			}
		}
		out.Criteria = append(out.Criteria, c)
	}
	if len(out.Criteria) == 0 {
		return out, fmt.Errorf("%w: Rubric.Criteria is empty: want at least one criterion", ErrOption)
	}
	return out, nil
}

// String returns the rubric as the judge's instructions have it.
func (r *Rubric) String() string {
	var b strings.Builder
	if r.Task != "" {
		fmt.Fprintf(&b, "The task of the judged system: %s\n", r.Task)
	}
	for _, c := range r.Criteria {
		fmt.Fprintf(&b, "Criterion %q: %s\n", c.Name, c.Question)
		for _, a := range c.Anchors {
			fmt.Fprintf(&b, "  %v: %s\n", a.Grade, a.Meaning)
		}
	}
	return b.String()
}

// An Item is what a judge grades. Empty fields are left out of the prompt.
type Item struct {
	Input     string   // what the system was asked
	Output    string   // its answer
	Reference string   // a good answer, for reference-guided grading
	Context   []string // passages that the answer may rest on
}

func (i *Item) shared() []Part {
	var parts []Part
	if i.Input != "" {
		parts = append(parts, Part{"QUESTION", i.Input})
	}
	for n, c := range i.Context {
		parts = append(parts, Part{fmt.Sprintf("PASSAGE %d", n+1), c})
	}
	if i.Reference != "" {
		parts = append(parts, Part{"REFERENCE ANSWER", i.Reference})
	}
	return parts
}

// A Judge grades one answer at a time by a rubric. It is safe for concurrent use
// if its model is.
type Judge struct {
	model   llms.Model
	rubric  Rubric
	o       Options
	version Version
}

// New returns a judge that asks the model. Name is the model's full name with its
// date, since a name that moves to a new model changes the grades in silence.
func New(model llms.Model, name string, rubric *Rubric, o *Options) (*Judge, error) {
	switch {
	case model == nil:
		return nil, fmt.Errorf("%w: the model is nil", ErrOption)
	case name == "" || strings.Contains(name, "|"):
		return nil, fmt.Errorf("%w: the model's name is %q: want a name without |, to pin the judge's version", ErrOption, name)
	case rubric == nil:
		return nil, fmt.Errorf("%w: the rubric is nil", ErrOption)
	}
	r, err := rubric.filled()
	if err != nil {
		return nil, err
	}
	opts, err := o.filled()
	if err != nil {
		return nil, err
	}
	weights := make([]float64, len(r.Criteria))
	for i, c := range r.Criteria {
		weights[i] = c.Weight
	}
	v := versionOf(name, rules, gradeTask, pairTask, r.String(), fmt.Sprint(weights, opts.Temperature, opts.MaxTokens, opts.ReAsks))
	opts.version = v
	return &Judge{model, r, opts, v}, nil
}

// Version returns what pins this judge.
func (j *Judge) Version() Version { return j.version }

// A Grade is a judge's grade for one criterion, on the criterion's own scale.
type Grade struct {
	Criterion string  `json:"criterion"`
	Grade     float64 `json:"grade"`
}

// A Result is what came of [Judge.Grade].
type Result struct {
	Outcome Outcome `json:"outcome"`
	// Score is from 0 to 1: each grade's place on its scale, averaged with the
	// criteria's weights. It means nothing unless Outcome is [OutcomeScored].
	Score  float64 `json:"score"`
	Grades []Grade `json:"grades,omitempty"`
	Reason string  `json:"reason,omitempty"` // the judge's, or why there is no score
	Judge  Version `json:"judge"`
	Spent  Spent   `json:"spent"`
}

const gradeTask = `You grade the ANSWER of an AI system by the criteria below, each by itself. Compare the answer with the meanings of the grades. Length and style count only where a criterion names them. Give the reason first, then the grades:
{"check": "...", "reason": "one or two sentences", "grades": {"criterion's name": grade}}
`

// Grade asks the model to grade an item by each criterion.
//
// The reply must be one JSON object with a grade for each criterion and for no
// other, each on its scale. A code fence, prose or reasoning around the object is
// removed. A reply that can't be read is returned to the model with what was wrong,
// Options.ReAsks times. A reply that a limit cut, a refusal and an abstention are
// outcomes and not asked again. An error means that no judgment took place: the
// model failed, or the budget is used up.
func (j *Judge) Grade(ctx context.Context, item Item) (Result, error) {
	r := Result{Judge: j.version}
	p := prompt{
		system: gradeTask + j.rubric.String(),
		parts:  append(item.shared(), Part{"ANSWER", item.Output}),
		ending: "Grade the ANSWER now.",
	}
	var err error
	var detail string
	r.Outcome, detail, r.Spent, err = j.o.ask(ctx, j.model, p, func(object map[string]jsonValue) error {
		var err error
		r.Score, r.Grades, r.Reason, err = j.rubric.read(object)
		return err
	})
	if r.Outcome != OutcomeScored {
		r.Score, r.Grades, r.Reason = 0, nil, detail
	}
	return r, err
}

// read reads grades and the reason out of a reply's object.
func (r *Rubric) read(object map[string]jsonValue) (score float64, grades []Grade, reason string, err error) {
	for key := range object {
		if key != "grades" && key != "reason" {
			return 0, nil, "", unreadable("the key %.40q is unknown", key)
		}
	}
	given, err := uniqueKeys(object["grades"])
	if err != nil || object["grades"][0] != '{' {
		return 0, nil, "", unreadable(`no object under the key "grades"`)
	}
	total := 0.0
	for _, c := range r.Criteria {
		raw, ok := given[c.Name]
		if !ok {
			return 0, nil, "", unreadable("no grade for the criterion %q", c.Name)
		}
		delete(given, c.Name)
		v, err := number(raw)
		if err == nil {
			err = c.scale().check(v)
		}
		if err != nil {
			return 0, nil, "", fmt.Errorf("%w (criterion %q)", err, c.Name)
		}
		grades = append(grades, Grade{c.Name, v})
		s := c.scale()
		score += c.Weight * (v - s.Min) / (s.Max - s.Min)
		total += c.Weight
	}
	for name := range given {
		return 0, nil, "", unreadable("%.40q is not a criterion", name)
	}
	reason, _ = textAt(object, "reason")
	return score / total, grades, reason, nil
}

// Metric returns the judge as a metric of package eval: the mean score. The case's
// first reference and its context go into the prompt. A case that the judge doesn't
// score is skipped, so a suite counts it apart.
func (j *Judge) Metric() (eval.Metric, error) {
	sig := eval.Signature{Metric: "judge", Version: j.version.String()}
	return eval.NewMean(sig, func(ctx context.Context, c *eval.Case, o *eval.Output) (float64, error) {
		item := Item{Input: c.Input, Output: o.Text, Context: c.Context}
		if len(c.References) > 0 {
			item.Reference = c.References[0]
		}
		r, err := j.Grade(ctx, item)
		if err != nil {
			return 0, err
		}
		if r.Outcome != OutcomeScored {
			return 0, eval.Skip("the judge's outcome is " + r.Outcome.String() + ": " + r.Reason)
		}
		return r.Score, nil
	})
}
