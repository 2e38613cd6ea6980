package judge

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/tmc/langchaingo/llms"
)

// A Question is a question of your own to a judge, with the guards of [Judge.Grade]:
// marked lines, a check word, strict reading, re-asks, budget and cache. The metrics
// of package rag and the nodes of a [Graph] are questions. It is safe for concurrent
// use if its model is.
type Question struct {
	model        llms.Model
	instructions string
	o            Options
	version      Version
}

// NewQuestion returns a question. The instructions end with the form of the reply,
// a JSON object that begins with {"check": "...", as in
//
//	Does the ANSWER name a price? Reply with
//	{"check": "...", "price": true or false}
//
// Name is the model's full name, as in [New].
func NewQuestion(model llms.Model, name, instructions string, o *Options) (*Question, error) {
	switch {
	case model == nil:
		return nil, fmt.Errorf("%w: the model is nil", ErrOption)
	case name == "" || strings.Contains(name, "|"):
		return nil, fmt.Errorf("%w: the model's name is %q: want a name without |, to pin the judge's version", ErrOption, name)
	case !strings.Contains(instructions, `"check"`):
		return nil, fmt.Errorf("%w: the instructions have no form of the reply: want a JSON object with the key \"check\"", ErrOption)
	}
	opts, err := o.filled()
	if err != nil {
		return nil, err
	}
	opts.version = versionOf(name, rules, instructions, fmt.Sprint(opts.Temperature, opts.MaxTokens, opts.ReAsks))
	return &Question{model, strings.TrimRight(instructions, "\n") + "\n", opts, opts.version}, nil
}

// Version returns what pins this question.
func (q *Question) Version() Version { return q.version }

// An Answer is what came of [Question.Ask], apart from what the caller's function
// read.
type Answer struct {
	Outcome Outcome `json:"outcome"`
	Reason  string  `json:"reason,omitempty"` // why there is no reading
	Judge   Version `json:"judge"`
	Spent   Spent   `json:"spent"`
}

// Ask shows the parts to the model and lets read take the values of its reply. An
// error of read goes into the request for a new reply; read may be
// called several times, so it must overwrite what it has set. Outcomes and errors
// are those of [Judge.Grade].
func (q *Question) Ask(ctx context.Context, parts []Part, read func(Reply) error) (Answer, error) {
	a := Answer{Judge: q.version}
	if read == nil {
		return a, fmt.Errorf("%w: the function that reads the reply is nil", ErrOption)
	}
	for i, p := range parts {
		if p.Title == "" || strings.ContainsAny(p.Title, "\r\n") {
			return a, fmt.Errorf("%w: the title of part %d is %.40q: want one line of your own, and not judged text", ErrOption, i, p.Title)
		}
	}
	p := prompt{system: q.instructions, parts: parts, ending: "Reply now."}
	var err error
	a.Outcome, a.Reason, a.Spent, err = q.o.ask(ctx, q.model, p, func(object map[string]jsonValue) error {
		return read(Reply{object})
	})
	return a, err
}

// A Reply is the JSON object of a judge's reply, without the check word. Each of its
// methods returns an [ErrParse] for a value that isn't there or of another form.
type Reply struct{ object map[string]json.RawMessage }

// Only returns an error if the reply has a key that isn't among these.
func (r Reply) Only(keys ...string) error {
	for key := range r.object {
		if !slices.Contains(keys, key) {
			return unreadable("the key %.40q is unknown", key)
		}
	}
	return nil
}

// Text returns the text under a key.
func (r Reply) Text(key string) (string, error) { return textAt(r.object, key) }

// Number returns the number under a key, which must be on the scale.
func (r Reply) Number(key string, scale Range) (float64, error) {
	v, err := number(r.object[key])
	if err == nil {
		err = scale.check(v)
	}
	if err != nil {
		return 0, fmt.Errorf("%w (key %q)", err, key)
	}
	return v, nil
}

// Bool returns the true or false under a key. Other words, such as "yes", are not
// read.
func (r Reply) Bool(key string) (bool, error) {
	switch string(bytes.TrimSpace(r.object[key])) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, unreadable("neither true nor false under the key %q", key)
}

// Texts returns the list of texts under a key, which may be empty but not null.
func (r Reply) Texts(key string) ([]string, error) {
	var list []*string
	if err := json.Unmarshal(r.object[key], &list); err != nil || list == nil {
		return nil, unreadable("no list of texts under the key %q", key)
	}
	out := make([]string, len(list))
	for i, s := range list {
		if s == nil {
			return nil, unreadable("item %d under the key %q is null", i+1, key)
		}
		out[i] = *s
	}
	return out, nil
}

// Objects returns the list of objects under a key. A list of another length than n
// is an error, unless n is negative: a verdict that is missing is not a verdict.
func (r Reply) Objects(key string, n int) ([]Reply, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(r.object[key], &list); err != nil || list == nil {
		return nil, unreadable("no list under the key %q", key)
	}
	if n >= 0 && len(list) != n {
		return nil, unreadable("%d items under the key %q, want %d", len(list), key, n)
	}
	out := make([]Reply, len(list))
	for i, raw := range list {
		if raw = bytes.TrimSpace(raw); raw[0] != '{' {
			return nil, unreadable("item %d under the key %q is not an object", i+1, key)
		}
		object, err := uniqueKeys(raw)
		if err != nil {
			return nil, err
		}
		out[i] = Reply{object}
	}
	return out, nil
}
