package openaievals

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/tmc/langchaingo/llms"
)

// The classes that [Run] runs.
const (
	ClassMatch              = "evals.elsuite.basic.match:Match"
	ClassIncludes           = "evals.elsuite.basic.includes:Includes"
	ClassFuzzyMatch         = "evals.elsuite.basic.fuzzy_match:FuzzyMatch"
	ClassJSONMatch          = "evals.elsuite.basic.json_match:JsonMatch"
	ClassModelBasedClassify = "evals.elsuite.modelgraded.classify:ModelBasedClassify"
)

// Options are the settings of [Run]; nil means the defaults.
type Options struct {
	// Grader answers the questions of model-graded evals. Default: the model under
	// test, as in the framework.
	Grader llms.Model
	// Name is the model's name in the record. Default: "model".
	Name string
	// Limit is how many samples are run. Default: 0, all of them.
	Limit int
	// Record gets a record in the framework's form, a JSON line for each event.
	// Default: none.
	Record io.Writer
	// RunID names the run in the record. Default: the time.
	RunID string
	// Now is the clock of the record. Default: [time.Now].
	Now func() time.Time
}

// A Report is what came of [Run].
type Report struct {
	Spec    Spec
	Samples int
	// Accuracy is the share of right samples, NaN for a model-graded eval.
	Accuracy float64
	F1       float64 // of FuzzyMatch, else NaN
	// Choices counts a grader's choices, invalid ones too. Score is their mean score,
	// NaN if the choices have none; ScoreValid is the mean without invalid choices, since
	// the framework counts a grader's failure as the lowest score.
	Choices           map[string]int
	Score, ScoreValid float64
}

// A runner runs one eval.
type runner struct {
	ctx    context.Context
	model  llms.Model
	o      Options
	spec   Spec
	record *recorder
	report *Report
}

// Run runs an eval of a registry on a model, one sample after the other. It runs the
// basic kinds: Match, Includes, FuzzyMatch, JsonMatch and ModelBasedClassify. Another
// class, and an argument that it doesn't know, is an [ErrKind]: an ignored argument
// would be another eval. An error of the model ends the run; what was recorded stays.
func Run(ctx context.Context, model llms.Model, r *Registry, name string, o *Options) (*Report, error) {
	if model == nil || r == nil {
		return nil, fmt.Errorf("%w: the model or the registry is nil", ErrOption)
	}
	var opts Options
	if o != nil {
		opts = *o
	}
	if opts.Limit < 0 {
		return nil, fmt.Errorf("%w: Options.Limit is %d: want 0 for all, or a positive number", ErrOption, opts.Limit)
	}
	if opts.Grader == nil {
		opts.Grader = model
	}
	if opts.Name == "" {
		opts.Name = "model"
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	spec, err := r.Eval(name)
	if err != nil {
		return nil, err
	}
	run := &runner{ctx: ctx, model: model, o: opts, spec: spec, report: &Report{Spec: spec, Accuracy: math.NaN(), F1: math.NaN(), Score: math.NaN(), ScoreValid: math.NaN()}}
	sample, finish, err := run.kind(r)
	if err != nil {
		return nil, err
	}
	file, _ := spec.Args["samples_jsonl"].(string)
	if file == "" {
		return nil, fmt.Errorf("%w: %q has no samples_jsonl", ErrFormat, spec.Key)
	}
	samples, err := r.Samples(file)
	if err != nil {
		return nil, err
	}
	if opts.Limit > 0 {
		samples = samples[:min(opts.Limit, len(samples))]
	}
	if len(samples) == 0 {
		return nil, fmt.Errorf("%w: %s has no samples", ErrFormat, file)
	}
	run.record = newRecorder(&opts, &spec)
	for i := range samples {
		run.record.sample = fmt.Sprintf("%s.%d", splitName(spec.Key), i)
		if err := sample(&samples[i]); err != nil {
			return nil, fmt.Errorf("openaievals: %s: sample %d: %w", spec.Key, i, err)
		}
	}
	run.report.Samples = len(samples)
	final := finish()
	run.record.final(final)
	return run.report, run.record.err
}

// splitName is NAME.SPLIT of NAME.SPLIT.VERSION.
func splitName(key string) string {
	parts := strings.Split(key, ".")
	return strings.Join(parts[:min(2, len(parts))], ".")
}

func (r *runner) arguments(known ...string) error {
	for key := range r.spec.Args {
		found := key == "samples_jsonl" || key == "max_tokens"
		for _, k := range known {
			found = found || k == key
		}
		if !found {
			return fmt.Errorf("%w: %q has the argument %q", ErrKind, r.spec.Key, key)
		}
	}
	return nil
}

// A scoring returns whether an answer is right, and what the record shows as picked.
type scoring func(sampled string, ideals []string) (ok bool, picked any, err error)

// picked makes a scoring of a test against one ideal answer.
func picked(matches func(sampled, ideal string) (bool, error)) scoring {
	return func(sampled string, ideals []string) (bool, any, error) {
		list := []string{}
		for _, ideal := range ideals {
			ok, err := matches(sampled, ideal)
			if err != nil {
				return false, nil, err
			}
			if ok {
				list = append(list, sampled)
			}
		}
		return len(list) > 0, list, nil
	}
}

// kind returns what runs one sample and what finishes the report.
func (r *runner) kind(reg *Registry) (sample func(*Sample) error, finish func() map[string]any, err error) {
	switch r.spec.Class {
	case ClassMatch:
		sample, finish = r.basic(func(sampled string, ideals []string) (bool, any, error) {
			found, ok := Match(sampled, ideals...)
			if !ok {
				return false, nil, nil
			}
			return true, found, nil
		})
		return sample, finish, r.arguments()
	case ClassIncludes:
		ignore, _ := r.spec.Args["ignore_case"].(bool)
		sample, finish = r.basic(func(sampled string, ideals []string) (bool, any, error) {
			return Includes(sampled, &IncludesOptions{IgnoreCase: ignore}, ideals...), sampled, nil
		})
		return sample, finish, r.arguments("ignore_case")
	case ClassFuzzyMatch:
		sample, finish = r.basic(picked(func(sampled, ideal string) (bool, error) { return FuzzyMatch(sampled, ideal), nil }))
		return sample, finish, r.arguments()
	case ClassJSONMatch:
		sample, finish = r.basic(picked(JSONMatch))
		return sample, finish, r.arguments()
	case ClassModelBasedClassify:
		return r.classify(reg)
	}
	return nil, nil, fmt.Errorf("%w: %q has the class %q", ErrKind, r.spec.Key, r.spec.Class)
}

// basic runs a kind that compares with ideal answers.
func (r *runner) basic(score scoring) (sample func(*Sample) error, finish func() map[string]any) {
	right, n, f1 := 0.0, 0.0, 0.0
	sample = func(s *Sample) error {
		ideals, err := s.Ideals()
		if err != nil {
			return err
		}
		prompt, err := s.Input("input")
		if err != nil {
			return err
		}
		sampled, err := r.ask(r.model, prompt)
		if err != nil {
			return err
		}
		ok, found, err := score(sampled, ideals)
		if err != nil {
			return err
		}
		n++
		if ok {
			right++
		}
		f1 += F1(sampled, ideals...)
		r.record.event("match", map[string]any{"correct": ok, "expected": ideals, "picked": found, "sampled": sampled, "options": ideals})
		return nil
	}
	finish = func() map[string]any {
		r.report.Accuracy = right / n
		out := map[string]any{"accuracy": right / n}
		if r.spec.Class == ClassFuzzyMatch {
			r.report.F1 = f1 / n
			out["f1_score"] = f1 / n
		}
		return out
	}
	return sample, finish
}

func (r *runner) ask(model llms.Model, p Prompt) (string, error) {
	options := []llms.CallOption{llms.WithTemperature(0)}
	if n, ok := r.spec.Args["max_tokens"].(int); ok && n > 0 {
		options = append(options, llms.WithMaxTokens(n))
	}
	response, err := model.GenerateContent(r.ctx, p.messages(), options...)
	if err != nil {
		return "", fmt.Errorf("call the model: %w", err)
	}
	if response == nil || len(response.Choices) == 0 || response.Choices[0] == nil {
		return "", fmt.Errorf("the model's response has no choice")
	}
	sampled := response.Choices[0].Content
	r.record.event("sampling", map[string]any{"prompt": p, "sampled": []string{sampled}})
	return sampled, nil
}

// asks are the requests for a choice at the end of a grader's prompt, in our words.
var asks = map[string]string{
	"classify":     "Reply with one of %s and nothing else, without quotes.",
	"classify_cot": "Reply with one of %s, without quotes, on a line of its own. Give your reasons on the lines after it.",
	"cot_classify": "Give your reasons first, step by step. Then write one of %s, without quotes, on a line of its own, as the last line.",
}

func (r *runner) classify(reg *Registry) (func(*Sample) error, func() map[string]any, error) {
	if err := r.arguments("modelgraded_spec", "eval_type", "match_fn", "modelgraded_spec_args"); err != nil {
		return nil, nil, err
	}
	name, _ := r.spec.Args["modelgraded_spec"].(string)
	mg, err := reg.ModelGraded(name)
	if err != nil {
		return nil, nil, err
	}
	template, evalType, err := r.template(mg, name)
	if err != nil {
		return nil, nil, err
	}
	match, _ := r.spec.Args["match_fn"].(string)
	counts, sum, valid, nvalid := map[string]int{}, 0.0, 0.0, 0.0
	sample := func(s *Sample) error {
		values, err := r.completions(mg, s)
		if err != nil {
			return err
		}
		prompt, err := format(template, values)
		if err != nil {
			return err
		}
		reply, err := r.ask(r.o.Grader, Prompt{Messages: []Message{{Role: "user", Content: prompt}}})
		if err != nil {
			return err
		}
		choice := Choice(reply, evalType, ChoiceMatch(match), mg.Choices)
		counts[choice]++
		data := map[string]any{"choice": choice, "score": nil}
		if score, ok := ChoiceScore(choice, mg.ChoiceScores); ok {
			data["score"] = score
			sum += score
			if choice != InvalidChoice {
				valid, nvalid = valid+score, nvalid+1
			}
		}
		r.record.event("metrics", data)
		return nil
	}
	return sample, func() map[string]any {
		r.report.Choices = counts
		out, n := map[string]any{}, 0
		for c, k := range counts {
			out["counts/"+c] = k
			n += k
		}
		if len(mg.ChoiceScores) > 0 {
			r.report.Score = sum / float64(n)
			out["score"] = r.report.Score
			if nvalid > 0 {
				r.report.ScoreValid = valid / nvalid
			}
		}
		return out
	}, nil
}

// template is the grader's prompt with the request for a choice.
func (r *runner) template(mg ModelGraded, name string) (template, evalType string, err error) {
	template, evalType = mg.Prompt, mg.EvalType
	if given, _ := r.spec.Args["eval_type"].(string); given != "" {
		ask, ok := asks[given]
		if !ok {
			return "", "", fmt.Errorf("%w: %q has the eval_type %q", ErrKind, r.spec.Key, given)
		}
		template += "\n\n" + fmt.Sprintf(ask, `"`+strings.Join(mg.Choices, `" or "`)+`"`)
		if evalType == "" {
			evalType = given
		}
	}
	if evalType == "" {
		return "", "", fmt.Errorf("%w: neither %q nor %q has an eval_type", ErrFormat, r.spec.Key, name)
	}
	switch m, given := r.spec.Args["match_fn"]; m {
	case "", string(ChoiceMatchInclude), string(ChoiceMatchExact), string(ChoiceMatchEndsWith), string(ChoiceMatchStartsOrEndsWith):
	default:
		if given {
			return "", "", fmt.Errorf("%w: %q has the match_fn %v", ErrKind, r.spec.Key, m)
		}
	}
	return template, evalType, nil
}

// completions lets the model answer the inputs that have no completion, and returns
// the values of the grader's prompt.
func (r *runner) completions(mg ModelGraded, s *Sample) (map[string]string, error) {
	values := map[string]string{}
	for key := range s.Fields {
		text, err := s.text(key)
		if err != nil {
			return nil, err
		}
		values[key] = text
	}
	for _, in := range mg.OutputInOrder {
		out := mg.InputOutputs[in]
		p, err := s.Input(in)
		if err != nil {
			return nil, err
		}
		if _, given := s.Fields[out]; given {
			continue
		}
		if values[out], err = r.ask(r.model, p); err != nil {
			return nil, err
		}
	}
	args, _ := r.spec.Args["modelgraded_spec_args"].(map[string]any)
	for k, v := range args {
		values[k] = fmt.Sprint(v)
	}
	return values, nil
}

// format puts values into {name} of a template, as Python's str.format does with plain
// names; {{ and }} are braces. Values are not read again, so a brace in an answer has no
// meaning.
func format(template string, values map[string]string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(template); i++ {
		c := template[i]
		switch {
		case (c == '{' || c == '}') && i+1 < len(template) && template[i+1] == c:
			b.WriteByte(c)
			i++
		case c == '{':
			end := strings.IndexByte(template[i:], '}')
			if end < 0 {
				return "", fmt.Errorf("%w: the grader's prompt has a brace that isn't closed", ErrFormat)
			}
			name := template[i+1 : i+end]
			value, ok := values[name]
			if !ok {
				return "", fmt.Errorf("%w: the grader's prompt needs %q, which the sample doesn't have", ErrFormat, name)
			}
			b.WriteString(value)
			i += end
		case c == '}':
			return "", fmt.Errorf("%w: the grader's prompt has a single closing brace", ErrFormat)
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), nil
}

// A recorder writes the framework's record.
type recorder struct {
	o      *Options
	sample string
	id     int
	err    error
}

const pythonTime = "2006-01-02 15:04:05.000000"

func newRecorder(o *Options, s *Spec) *recorder {
	r := &recorder{o: o}
	if o.RunID == "" {
		o.RunID = o.Now().UTC().Format("060102150405")
	}
	split := "default"
	if parts := strings.Split(s.Key, "."); len(parts) > 1 {
		split = parts[1]
	}
	r.line(map[string]any{"spec": map[string]any{
		"completion_fns": []string{o.Name}, "eval_name": s.Key, "base_eval": strings.Split(s.Key, ".")[0], "split": split,
		"run_config": map[string]any{"completion_fns": []string{o.Name}, "eval_spec": map[string]any{"cls": s.Class, "args": s.Args, "key": s.Key}, "max_samples": nil},
		"created_by": "", "run_id": o.RunID, "created_at": o.Now().UTC().Format(pythonTime),
	}})
	return r
}

func (r *recorder) event(kind string, data map[string]any) {
	r.line(map[string]any{"run_id": r.o.RunID, "event_id": r.id, "sample_id": r.sample, "type": kind, "data": data, "created_by": "", "created_at": r.o.Now().UTC().Format(pythonTime) + "+00:00"})
	r.id++
}

func (r *recorder) final(report map[string]any) { r.line(map[string]any{"final_report": report}) }

func (r *recorder) line(v any) {
	if r.o.Record == nil || r.err != nil {
		return
	}
	data, err := json.Marshal(v)
	if err == nil {
		_, err = r.o.Record.Write(append(data, '\n'))
	}
	if err != nil {
		r.err = fmt.Errorf("openaievals: write the record: %w", err)
	}
}
