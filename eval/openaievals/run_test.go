package openaievals_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval"
	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/eval/openaievals"
)

// lab is a registry with each kind.
func lab() fstest.MapFS {
	return fstest.MapFS{
		"evals/lab.yaml": {Data: []byte(`
lab-match:
  id: lab-match.dev.v0
  metrics: [accuracy]
lab-match.dev.v0:
  class: evals.elsuite.basic.match:Match
  args: {samples_jsonl: lab/samples.jsonl}
lab-includes: {id: lab-includes.dev.v0, metrics: [accuracy]}
lab-includes.dev.v0:
  class: evals.elsuite.basic.includes:Includes
  args: {samples_jsonl: lab/samples.jsonl, ignore_case: true}
lab-fuzzy.dev.v0:
  class: evals.elsuite.basic.fuzzy_match:FuzzyMatch
  args: {samples_jsonl: lab/samples.jsonl, max_tokens: 9}
lab-json.dev.v0:
  class: evals.elsuite.basic.json_match:JsonMatch
  args: {samples_jsonl: lab/json.jsonl}
lab-fact.dev.v0:
  class: evals.elsuite.modelgraded.classify:ModelBasedClassify
  args: {samples_jsonl: lab/samples.jsonl, modelgraded_spec: right, eval_type: cot_classify, modelgraded_spec_args: {criteria: be right}}
short: lab-match
loop: other
other: loop
lab-few.dev.v0:
  class: evals.elsuite.basic.match:Match
  args: {samples_jsonl: lab/samples.jsonl, num_few_shot: 3}
lab-own.dev.v0: {class: "my.module:Eval", args: {}}
lab-out.dev.v0:
  class: evals.elsuite.basic.match:Match
  args: {samples_jsonl: ../evals/lab.yaml}
`)},
		"modelgraded/lab.yaml": {Data: []byte(`
right:
  prompt: |-
    Is {completion} right for {input}? {{braces}} {ideal} Criterion: {criteria}
  choice_strings: 'YN'
  choice_scores: {"Y": 1.0, "N": 0.0}
  input_outputs: {input: completion}
`)},
		"data/lab/samples.jsonl": {Data: []byte(`{"input": [{"role": "system", "content": "Repeat."}, {"role": "user", "content": "Paris"}], "ideal": "You said: Paris"}
{"input": [{"role": "user", "content": "2+2?"}], "ideal": ["4", "four"]}
`)},
		"data/lab/json.jsonl": {Data: []byte(`{"input": "Give JSON.", "ideal": "{\"a\": [1]}"}` + "\n")},
	}
}

func registry(t *testing.T, files fstest.MapFS) *openaievals.Registry {
	t.Helper()
	r, err := openaievals.ReadRegistry(files)
	require.NoError(t, err)
	return r
}

func says(answers ...string) *modeltest.Script {
	s := &modeltest.Script{}
	for _, a := range answers {
		s.Turns = append(s.Turns, modeltest.Say(a))
	}
	return s
}

func TestRunTheBasicKinds(t *testing.T) {
	r := registry(t, lab())
	for _, c := range []struct {
		name    string
		answers []string
		want    float64
	}{
		{"lab-match", []string{"You said: Paris.", "2+2 is 4"}, 0.5},
		{"short", []string{"You said: Paris", "4"}, 1},
		{"lab-includes", []string{"Well, YOU said: paris", "It is Four."}, 1},
		{"lab-fuzzy.dev.v0", []string{"the You, said Paris", "five"}, 0.5},
		{"lab-json.dev.v0", []string{`{"a": [1.0]}`}, 1},
	} {
		s := says(c.answers...)
		got, err := openaievals.Run(context.Background(), s, r, c.name, nil)
		require.NoError(t, err, c.name)
		assert.Equal(t, c.want, got.Accuracy, c.name)
		assert.Equal(t, len(c.answers), got.Samples)
		assert.True(t, math.IsNaN(got.Score))
		if strings.Contains(c.name, "fuzzy") {
			assert.Equal(t, 0.5, got.F1)
			assert.Equal(t, 9, s.Calls()[0].Options.MaxTokens)
		}
	}
	s := says("You said: Paris")
	_, err := openaievals.Run(context.Background(), s, r, "short", &openaievals.Options{Limit: 1})
	require.NoError(t, err)
	assert.Equal(t, llms.ChatMessageTypeSystem, s.Calls()[0].Messages[0].Role)
}

func TestRunModelGraded(t *testing.T) {
	model, grader := says("{completion} You said", "5"), says("It is.\n\nY", "I can't tell.")
	got, err := openaievals.Run(context.Background(), model, registry(t, lab()), "lab-fact.dev.v0", &openaievals.Options{Grader: grader})
	require.NoError(t, err)
	assert.Equal(t, map[string]int{"Y": 1, openaievals.InvalidChoice: 1}, got.Choices)
	assert.Equal(t, 0.5, got.Score, "an invalid choice has the lowest score, as in the framework")
	assert.Equal(t, 1.0, got.ScoreValid)
	prompt := grader.Calls()[0].Text()
	assert.Contains(t, prompt, "Is {completion} You said right for Repeat.\nUser: Paris\n? {braces} You said: Paris Criterion: be right")
	assert.Contains(t, prompt, `"Y" or "N"`)
}

func TestRecordHasTheFrameworksForm(t *testing.T) {
	var b bytes.Buffer
	clock := time.Date(2026, 11, 23, 14, 5, 20, 727438000, time.UTC)
	_, err := openaievals.Run(context.Background(), says("You said: Paris", "You said: 2+2?"), registry(t, lab()), "lab-match", &openaievals.Options{Record: &b, RunID: "r", Name: "gpt", Now: func() time.Time { return clock }})
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	require.Len(t, lines, 6)
	shape := func(line string) (out []string) {
		var m map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &m))
		for k, v := range m {
			out = append(out, k)
			if data, ok := v.(map[string]any); ok && k == "data" {
				for k := range data {
					out = append(out, "data."+k)
				}
			}
		}
		return out
	}
	// What OpenAI Evals 3.0.1 wrote for the same samples, but for usage and model.
	theirs := `{"run_id": "2611231405202W4PL7B3", "event_id": 1, "sample_id": "lab-match.dev.1", "type": "match", "data": {"correct": false, "expected": ["4", "four"], "picked": null, "sampled": "You said: 2+2?", "options": ["4", "four"]}, "created_by": "", "created_at": "2026-11-23 14:05:21.459272+00:00"}`
	assert.ElementsMatch(t, shape(theirs), shape(lines[4]))
	assert.Contains(t, lines[4], `"created_at":"2026-11-23 14:05:20.727438+00:00"`)
	assert.Contains(t, lines[4], `"sample_id":"lab-match.dev.1"`)
	assert.Contains(t, lines[0], `"base_eval":"lab-match"`)
	assert.Contains(t, lines[5], `"final_report":{"accuracy":0.5}`)

	_, err = openaievals.Run(context.Background(), says("x", "y"), registry(t, lab()), "lab-match", &openaievals.Options{Record: full{}})
	require.ErrorContains(t, err, "disk full")
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWhatCannotBeRun(t *testing.T) {
	r := registry(t, lab())
	for name, want := range map[string]error{
		"none": openaievals.ErrOption, "loop": openaievals.ErrFormat, "lab-few.dev.v0": openaievals.ErrKind, "lab-own.dev.v0": openaievals.ErrKind, "lab-out.dev.v0": openaievals.ErrFormat,
	} {
		_, err := openaievals.Run(context.Background(), says("x"), r, name, nil)
		require.ErrorIs(t, err, want, name)
	}
	_, err := openaievals.Run(context.Background(), nil, r, "lab-match", nil)
	require.ErrorIs(t, err, openaievals.ErrOption)
	_, err = openaievals.Run(context.Background(), says(), r, "lab-match", &openaievals.Options{Limit: -1})
	require.ErrorIs(t, err, openaievals.ErrOption)
	down := errors.New("down")
	_, err = openaievals.Run(context.Background(), &modeltest.Script{Turns: []modeltest.Turn{{Err: down}}}, r, "lab-match", nil)
	require.ErrorIs(t, err, down)
	_, err = openaievals.ReadRegistry(nil)
	require.ErrorIs(t, err, openaievals.ErrOption)
	for _, bad := range []string{"a: [", "a: 1\na: 2", "a: {}", "a: {class: [1]}", "- a", "a: ''"} {
		_, err := openaievals.ReadRegistry(fstest.MapFS{"evals/x.yaml": {Data: []byte(bad)}})
		require.ErrorIs(t, err, openaievals.ErrFormat, bad)
	}
	for _, bad := range []string{
		"a: {prompt: x}", "a: {prompt: x, input_outputs: {i: o}}", "a: {prompt: x, input_outputs: {i: o}, choice_strings: ['a.']}",
		"a: {prompt: x, input_outputs: {i: o}, choice_strings: [Y, N], choice_scores: {Y: 1}}", "a: {prompt: x, input_outputs: {i: o}, choice_strings: [Y, N], choice_scores: from_strings}",
	} {
		_, err := openaievals.ReadRegistry(fstest.MapFS{"modelgraded/x.yaml": {Data: []byte(bad)}})
		require.ErrorIs(t, err, openaievals.ErrFormat, bad)
	}
	_, err = openaievals.ReadRegistry(fstest.MapFS{"modelgraded/x.yaml": {Data: []byte("a: {prompt: x, input_outputs: {i: o}, choice_strings: from_n}")}})
	require.ErrorIs(t, err, openaievals.ErrKind)
	for _, prompt := range []string{"{", "}", "{nothing}"} {
		files := lab()
		files["modelgraded/lab.yaml"] = &fstest.MapFile{Data: []byte("right: {prompt: '" + prompt + "', input_outputs: {input: completion}, choice_strings: [Y, N]}")}
		_, err := openaievals.Run(context.Background(), says("x"), registry(t, files), "lab-fact.dev.v0", nil)
		require.ErrorIs(t, err, openaievals.ErrFormat, prompt)
	}
	for _, bad := range []string{"{", "[]", "null", "{\"a\": \"\xff\"}"} {
		_, err := openaievals.ReadSamples(strings.NewReader(bad))
		require.ErrorIs(t, err, openaievals.ErrFormat, bad)
	}
	for _, bad := range []string{`{}`, `{"input": "x"}`, `{"input": "x", "ideal": 1}`, `{"input": "x", "ideal": [null]}`, `{"input": {}, "ideal": "x"}`, `{"input": [{"content": "x"}], "ideal": "x"}`} {
		files := lab()
		files["data/lab/samples.jsonl"] = &fstest.MapFile{Data: []byte(bad)}
		_, err := openaievals.Run(context.Background(), says("x"), registry(t, files), "lab-match", nil)
		require.Error(t, err, bad)
	}
}

func TestSamplesRoundTrip(t *testing.T) {
	c := eval.Case{ID: "7", Kind: eval.KindEdge, Input: "2+2?\u2028", References: []string{"4", "four"}, Tags: map[string]string{"lang": "en"}}
	s, err := openaievals.FromCase(&c, "Be short.")
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, openaievals.WriteSamples(&b, []openaievals.Sample{s}))
	assert.True(t, strings.HasPrefix(b.String(), `{"input": [{"role":"system","content":"Be short."},{"role":"user"`), b.String())
	back, err := openaievals.ReadSamples(&b)
	require.NoError(t, err)
	got, err := back[0].Case()
	require.NoError(t, err)
	assert.Equal(t, c, got)

	plain, err := openaievals.ReadSamples(strings.NewReader(`{"input": [{"role": "system", "content": "S"}, {"role": "system", "name": "example_user", "content": "q"}, {"role": "assistant", "content": "a"}], "ideal": "x"}` + "\n\n"))
	require.NoError(t, err)
	got, err = plain[0].Case()
	require.NoError(t, err)
	assert.Equal(t, "S\nUser: q\nAssistant: a\n", got.Input)
	_, err = openaievals.FromCase(&eval.Case{Input: "x"}, "")
	require.ErrorIs(t, err, openaievals.ErrOption)
	require.ErrorIs(t, openaievals.WriteSamples(&b, []openaievals.Sample{{Fields: map[string]json.RawMessage{"a": []byte("{")}}}), openaievals.ErrFormat)

	var y bytes.Buffer
	spec := openaievals.Spec{Base: "mine", Key: "mine.dev.v0", Class: openaievals.ClassMatch, Args: map[string]any{"samples_jsonl": "mine/samples.jsonl"}}
	require.NoError(t, openaievals.WriteEval(&y, spec))
	r := registry(t, fstest.MapFS{"evals/mine.yaml": {Data: y.Bytes()}})
	again, err := r.Eval("mine")
	require.NoError(t, err)
	assert.Equal(t, spec, again)
	assert.Equal(t, []string{"mine", "mine.dev.v0"}, r.Names())
	require.ErrorIs(t, openaievals.WriteEval(&y, openaievals.Spec{}), openaievals.ErrOption)
}

// TestWriteForTheRealPackage writes a registry into the folder that .ci/full judge loads
// with OpenAI's own package.
func TestWriteForTheRealPackage(t *testing.T) {
	dir := os.Getenv("PRODAI_JUDGE_FILES")
	if dir == "" {
		t.Skip("PRODAI_JUDGE_FILES is not set: .ci/full judge sets it")
	}
	root, err := os.OpenRoot(dir)
	require.NoError(t, err)
	defer root.Close()
	for _, d := range []string{"openai", "openai/evals", "openai/data", "openai/data/mine"} {
		require.NoError(t, root.Mkdir(d, 0o700))
	}
	samples, err := root.Create("openai/data/mine/samples.jsonl")
	require.NoError(t, err)
	var list []openaievals.Sample
	for i, ideal := range []string{"This is a dummy response.", "This", "no", "dummy"} {
		s, err := openaievals.FromCase(&eval.Case{ID: fmt.Sprint(i), Input: "Say \"héllo\" {x}\n", References: []string{ideal}}, "")
		require.NoError(t, err)
		list = append(list, s)
	}
	require.NoError(t, openaievals.WriteSamples(samples, list))
	require.NoError(t, samples.Close())
	for name, class := range map[string]string{"mine-match": openaievals.ClassMatch, "mine-includes": openaievals.ClassIncludes, "mine-fuzzy": openaievals.ClassFuzzyMatch} {
		f, err := root.Create("openai/evals/" + name + ".yaml")
		require.NoError(t, err)
		require.NoError(t, openaievals.WriteEval(f, openaievals.Spec{Base: name, Key: name + ".dev.v0", Class: class, Args: map[string]any{"samples_jsonl": "mine/samples.jsonl"}}))
		require.NoError(t, f.Close())
		r, err := openaievals.ReadRegistry(os.DirFS(dir + "/openai"))
		require.NoError(t, err)
		say := modeltest.Say("This is a dummy response.")
		say.Times = -1
		got, err := openaievals.Run(context.Background(), &modeltest.Script{Turns: []modeltest.Turn{say}}, r, name, nil)
		require.NoError(t, err)
		want, err := root.Create("openai/" + name + ".accuracy")
		require.NoError(t, err)
		fmt.Fprint(want, got.Accuracy)
		require.NoError(t, want.Close())
	}
}

func FuzzReadSamples(f *testing.F) {
	for _, s := range []string{`{"input": "x", "ideal": "y"}`, `{"input": [{"role": "user", "content": "x"}], "ideal": ["a"]}` + "\n\n{", "null", `{"prodai": {"input": "x"}}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		samples, err := openaievals.ReadSamples(strings.NewReader(text))
		if err != nil {
			if !errors.Is(err, openaievals.ErrFormat) {
				t.Fatal(err)
			}
			return
		}
		var b bytes.Buffer
		if err := openaievals.WriteSamples(&b, samples); err != nil {
			t.Fatal(err)
		}
		again, err := openaievals.ReadSamples(&b)
		if err != nil || len(again) != len(samples) {
			t.Fatalf("%d samples, then %d, %v", len(samples), len(again), err)
		}
		for i := range samples {
			x, errX := samples[i].Case()
			y, errY := again[i].Case()
			if (errX == nil) != (errY == nil) || fmt.Sprint(x) != fmt.Sprint(y) {
				t.Fatalf("%v %v, then %v %v", x, errX, y, errY)
			}
		}
	})
}

func FuzzRegistry(f *testing.F) {
	files := lab()
	f.Add(string(files["evals/lab.yaml"].Data), string(files["modelgraded/lab.yaml"].Data))
	f.Add("a: b\nb: a", "a: {prompt: '{', input_outputs: {input: c}, choice_strings: [Y]}")
	f.Fuzz(func(t *testing.T, evals, graded string) {
		files := lab()
		files["evals/lab.yaml"], files["modelgraded/lab.yaml"] = &fstest.MapFile{Data: []byte(evals)}, &fstest.MapFile{Data: []byte(graded)}
		r, err := openaievals.ReadRegistry(files)
		if err != nil {
			return
		}
		say := modeltest.Say("Y")
		say.Times = -1
		for _, name := range r.Names() {
			got, err := openaievals.Run(context.Background(), &modeltest.Script{Turns: []modeltest.Turn{say}}, r, name, nil)
			if (err == nil) != (got != nil) {
				t.Fatalf("%v, %v", got, err)
			}
		}
	})
}

func FuzzScores(f *testing.F) {
	f.Add("NaN", `{"a": [1, -Infinity]}`)
	f.Add("the cat", "Cat")
	f.Add(`"\ud800"`, `[1e999]`)
	f.Fuzz(func(t *testing.T, a, b string) {
		if v := openaievals.F1(a, b); !(v >= 0 && v <= 1) {
			t.Fatal(v)
		}
		if openaievals.FuzzyMatch(a, b) != openaievals.FuzzyMatch(b, a) {
			t.Fatal("not symmetric")
		}
		x, errX := openaievals.JSONMatch(a, b)
		y, errY := openaievals.JSONMatch(b, a)
		if errX == nil && errY == nil && x != y {
			t.Fatalf("%v and %v", x, y)
		}
		openaievals.Choice(a, "cot_classify", "", []string{"Y", b})
	})
}

func ExampleRun() {
	r, err := openaievals.ReadRegistry(lab())
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := openaievals.Run(context.Background(), says("You said: Paris", "five"), r, "lab-match", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(report.Spec.Key, report.Samples, report.Accuracy)
	// Output: lab-match.dev.v0 2 0.5
}
