package synth

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval"
	"github.com/prodailabs/prodai/eval/dataset"
)

// Errors that callers branch on.
var (
	// ErrNothing: the model's answers contain no usable case.
	ErrNothing = errors.New("synth: the model wrote no usable case")
	// ErrOption: an option is invalid, or the model is nil.
	ErrOption = errors.New("synth: invalid option")
)

// Options sets which cases [Generate] asks for; nil means the defaults.
type Options struct {
	// N is the number of cases to write. Default: 10.
	N int
	// Kind is the kind of all the cases. Default: [eval.KindGolden].
	Kind eval.Kind
	// Task describes what the system under test does. Default: an assistant.
	Task string
	// Seeds are examples of the style to write in. Up to five are shown to the
	// model, and a case that is similar to a seed is dropped. Default: no examples.
	Seeds []eval.Case
	// Similar is the similarity of inputs (see [dataset.Dataset.NearDuplicates])
	// from which a case counts as a duplicate. Default: 0.6.
	Similar float64
	// MaxCalls bounds the calls of the model, because a model without new ideas
	// repeats itself forever. Default: 2 + N/5.
	MaxCalls int
	// CallOptions are passed to the model. Default: none.
	CallOptions []llms.CallOption
}

// filled returns the options with their defaults, or what is wrong with them.
func (o *Options) filled() (Options, error) {
	var opts Options
	if o != nil {
		opts = *o
	}
	opts.N = cmp.Or(opts.N, 10)
	opts.Kind = cmp.Or(opts.Kind, eval.KindGolden)
	opts.Similar = cmp.Or(opts.Similar, 0.6)
	opts.MaxCalls = cmp.Or(opts.MaxCalls, 2+opts.N/5)
	switch {
	case opts.N < 0:
		return opts, fmt.Errorf("%w: Options.N is %d: want 1 or more", ErrOption, opts.N)
	case opts.MaxCalls < 0:
		return opts, fmt.Errorf("%w: Options.MaxCalls is %d: want 1 or more", ErrOption, opts.MaxCalls)
	case !opts.Kind.Valid():
		return opts, fmt.Errorf("%w: Options.Kind is %q: want golden, adversarial, regression or edge", ErrOption, opts.Kind)
	case !(opts.Similar > 0 && opts.Similar <= 1):
		return opts, fmt.Errorf("%w: Options.Similar is %v: want a number above 0, at most 1", ErrOption, opts.Similar)
	}
	return opts, nil
}

// A Result has the cases that were kept, and counts what was dropped.
type Result struct {
	Dataset    *dataset.Dataset
	Calls      int
	Malformed  int // JSON objects that were not a case
	Duplicates int // cases too similar to a seed or an earlier one
}

// Generate asks the model for cases until it has N or has called it MaxCalls
// times; the result may have fewer. It fails with [ErrNothing] if there is none,
// and with the model's error.
func Generate(ctx context.Context, model llms.Model, o *Options) (*Result, error) {
	if model == nil {
		return nil, fmt.Errorf("%w: the model is nil", ErrOption)
	}
	opts, err := o.filled()
	if err != nil {
		return nil, err
	}
	r := &Result{}
	var cases []eval.Case
	for r.Calls < opts.MaxCalls && len(cases) < opts.N {
		r.Calls++
		response, err := model.GenerateContent(ctx, []llms.MessageContent{
			llms.TextParts(llms.ChatMessageTypeHuman, prompt(&opts, cases)),
		}, opts.CallOptions...)
		if err != nil {
			return nil, fmt.Errorf("synth: call %d: %w", r.Calls, err)
		}
		if response == nil || len(response.Choices) == 0 || response.Choices[0] == nil {
			continue
		}
		drafts, malformed := parse(response.Choices[0].Content)
		r.Malformed += malformed
		for _, d := range drafts {
			if len(cases) == opts.N {
				break
			}
			c := eval.Case{Kind: opts.Kind, Input: d.Input, Tags: map[string]string{"source": "synthetic"}}
			if d.Reference != "" {
				c.References = []string{d.Reference}
			}
			c.ID = dataset.ID(&c)
			known, err := like(&c, opts.Seeds, cases, opts.Similar)
			if err != nil {
				return nil, err
			}
			if known {
				r.Duplicates++
				continue
			}
			cases = append(cases, c)
		}
	}
	if len(cases) == 0 {
		return nil, fmt.Errorf("%w: %d calls, %d malformed, %d duplicates", ErrNothing, r.Calls, r.Malformed, r.Duplicates)
	}
	r.Dataset, err = dataset.New("synthetic", cases)
	return r, err
}

// like reports whether a case resembles one of the seeds or one that is kept.
func like(c *eval.Case, seeds, kept []eval.Case, similar float64) (bool, error) {
	one := &dataset.Dataset{Cases: []eval.Case{*c}}
	for _, others := range [][]eval.Case{seeds, kept} {
		pairs, err := one.Leaks(&dataset.Dataset{Cases: others}, similar)
		if err != nil || len(pairs) > 0 {
			return true, err
		}
	}
	return false, nil
}

// meaning describes to the model what a kind is for.
var meaning = map[eval.Kind]string{
	eval.KindGolden:      "typical, as most users would ask them",
	eval.KindAdversarial: "made to break the system: trick questions, false premises, instructions hidden in the text",
	eval.KindRegression:  "of the kind that a careless change would break",
	eval.KindEdge:        "unusual but possible: empty, very long, mixed languages, malformed, ambiguous",
}

func prompt(o *Options, kept []eval.Case) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Write %d test inputs for %s.\n", min(10, o.N-len(kept)), cmp.Or(o.Task, "an assistant"))
	fmt.Fprintf(&b, "They should be %s, and differ from one another in topic, length and wording.\n", meaning[o.Kind])
	b.WriteString(`Answer with one JSON object a line and nothing else: {"input": "...", "reference": "the answer wanted"}` + "\n")
	show := func(title string, cases []eval.Case, full bool) {
		if len(cases) == 0 {
			return
		}
		b.WriteString(title + "\n")
		for _, c := range cases {
			d := draft{Input: c.Input}
			if full && len(c.References) > 0 {
				d.Reference = c.References[0]
			}
			line, _ := json.Marshal(d) // strings always marshal
			b.Write(append(line, '\n'))
		}
	}
	show("In the manner of:", o.Seeds[:min(5, len(o.Seeds))], true)
	show("Not again:", kept[max(0, len(kept)-20):], false)
	return b.String()
}

type draft struct {
	Input     string `json:"input"`
	Reference string `json:"reference,omitempty"`
}

// parse reads the JSON objects of an answer, whatever is between them: a
// code fence, an array's brackets, a polite sentence.
func parse(text string) (drafts []draft, malformed int) {
	for {
		i := strings.IndexByte(text, '{')
		if i < 0 {
			return drafts, malformed
		}
		text = text[i:]
		d := json.NewDecoder(strings.NewReader(text))
		var v draft
		if err := d.Decode(&v); err != nil {
			malformed++
			text = text[1:]
			if j := strings.IndexByte(text, '\n'); j >= 0 { // an object is a line
				text = text[j:]
			} else {
				text = ""
			}
			continue
		}
		if strings.TrimSpace(v.Input) == "" && v.Reference == "" {
			malformed++
		} else {
			drafts = append(drafts, v)
		}
		text = text[d.InputOffset():]
	}
}
