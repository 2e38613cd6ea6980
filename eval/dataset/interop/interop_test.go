package interop_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/eval"
	"github.com/prodailabs/prodai/eval/dataset/interop"
)

var plain = []interop.Row{
	{Case: eval.Case{Input: "Where is <it> & \"why\"?\u2028", References: []string{"Zürich 😀"}, Context: []string{"p\n1", "p2"}}, Answer: "here", Retrieved: []string{"found"}},
	{Case: eval.Case{Input: ""}, Answer: ""},
}

var called = []interop.Row{
	{Case: eval.Case{Input: "Book it.", Calls: []eval.Call{{Name: "book", Arguments: `{"day":12345678901234567890,"x":[1,{"y":null}]}`}}}, Answer: "Booked.", Calls: []eval.Call{{Name: "book", Arguments: `{}`}, {Name: "pay", Arguments: `{"a":1.50}`}}},
}

func TestRoundTrips(t *testing.T) {
	named := append([]interop.Row(nil), plain...)
	named[0].Case.ID, named[0].Case.Tags = "7", map[string]string{"lang": "de"}
	for _, c := range []struct {
		name  string
		write func(io.Writer, []interop.Row) error
		read  func(io.Reader) ([]interop.Row, error)
		rows  []interop.Row
	}{
		{"ragas", interop.WriteRAGAS, interop.ReadRAGAS, plain}, {"ragas calls", interop.WriteRAGAS, interop.ReadRAGAS, called},
		{"deepeval", interop.WriteDeepEval, interop.ReadDeepEval, append(named, called...)}, {"deepeval jsonl", interop.WriteDeepEvalJSONL, interop.ReadDeepEval, append(named, called...)},
	} {
		var b bytes.Buffer
		require.NoError(t, c.write(&b, c.rows), c.name)
		got, err := c.read(&b)
		require.NoError(t, err, c.name)
		assert.Equal(t, c.rows, got, c.name)
	}
}

func TestFilesOfThePackages(t *testing.T) {
	// Lines as RAGAS 0.4.3 and DeepEval 4.3.1 write them.
	got, err := interop.ReadRAGAS(strings.NewReader(`{"user_input": "q", "retrieved_contexts": ["a"], "response": "r", "reference": "x", "persona_name": null}
{"user_input": [{"content": "hi", "metadata": null, "type": "human"}, {"content": "", "metadata": null, "type": "ai", "tool_calls": [{"name": "f", "args": {"k": 1}}]}, {"content": "42", "metadata": null, "type": "tool"}, {"content": "It is 42.", "metadata": null, "type": "ai", "tool_calls": null}], "reference_tool_calls": [{"name": "f", "args": {"k": 1}}]}
`))
	require.NoError(t, err)
	assert.Equal(t, []interop.Row{
		{Case: eval.Case{Input: "q", References: []string{"x"}}, Answer: "r", Retrieved: []string{"a"}},
		{Case: eval.Case{Input: "hi", Calls: []eval.Call{{Name: "f", Arguments: `{"k":1}`}}}, Answer: "It is 42.", Calls: []eval.Call{{Name: "f", Arguments: `{"k":1}`}}},
	}, got)
	got, err = interop.ReadDeepEval(strings.NewReader(`[{"input": "q", "actual_output": null, "expected_output": "x", "retrieval_context": ["a|b"], "context": null, "name": "n", "tools_called": [{"name": "f", "inputParameters": {"k": 1}}], "expected_tools": null, "additional_metadata": {"s": "t", "n": 1}, "token_cost": null}]`))
	require.NoError(t, err)
	assert.Equal(t, []interop.Row{{Case: eval.Case{ID: "n", Input: "q", References: []string{"x"}, Tags: map[string]string{"s": "t"}}, Retrieved: []string{"a|b"}, Calls: []eval.Call{{Name: "f", Arguments: `{"k":1}`}}}}, got)
}

func TestWhatCannotBeReadOrWritten(t *testing.T) {
	for _, bad := range []string{"{", "[]", "null", `{}`, `{"user_input": null}`, `{"user_input": 1}`, `{"user_input": []}`, `{"user_input": [{"type": "ai", "content": "x"}]}`,
		`{"user_input": [{"type": "human", "content": "x"}, {"type": "human", "content": "y"}]}`, "{\"user_input\": \"\xff\"}", `{"user_input": [{"type": "human", "content": "x"}, {"type": "ai", "content": "y", "tool_calls": [{"name": "f", "args": [1]}]}]}`} {
		_, err := interop.ReadRAGAS(strings.NewReader(bad))
		require.ErrorIs(t, err, interop.ErrFormat, bad)
	}
	for _, bad := range []string{"{", "[1]", "null", `{}`, `[{"scenario": "x"}]`, `{"input": "x", "context": 1}`, `{"input": "x", "retrieval_context": [1]}`, "[\"\xff\"]", `{"input": "x", "tools_called": [{"name": ""}]}`} {
		_, err := interop.ReadDeepEval(strings.NewReader(bad))
		require.ErrorIs(t, err, interop.ErrFormat, bad)
	}
	two := interop.Row{Case: eval.Case{References: []string{"a", "b"}}}
	broken := interop.Row{Calls: []eval.Call{{Name: "f", Arguments: "["}}}
	bar := interop.Row{Retrieved: []string{"a|b"}}
	passages := interop.Row{Calls: called[0].Calls, Retrieved: []string{"p"}}
	for _, c := range []struct {
		write func(io.Writer, []interop.Row) error
		row   interop.Row
	}{{interop.WriteRAGAS, two}, {interop.WriteDeepEval, two}, {interop.WriteDeepEvalJSONL, two}, {interop.WriteRAGAS, broken}, {interop.WriteDeepEval, broken}, {interop.WriteDeepEvalJSONL, bar}, {interop.WriteRAGAS, passages}} {
		require.ErrorIs(t, c.write(io.Discard, []interop.Row{c.row}), interop.ErrOption)
	}
}

// TestWriteForTheRealPackages writes files into the folder that .ci/full judge loads with
// the Python packages, and reads what these wrote in a second run.
func TestWriteForTheRealPackages(t *testing.T) {
	dir := os.Getenv("PRODAI_JUDGE_FILES")
	if dir == "" {
		t.Skip("PRODAI_JUDGE_FILES is not set: .ci/full judge sets it")
	}
	root, err := os.OpenRoot(dir)
	require.NoError(t, err)
	defer root.Close()
	for name, f := range map[string]struct {
		write func(io.Writer, []interop.Row) error
		read  func(io.Reader) ([]interop.Row, error)
		rows  []interop.Row
	}{
		"ragas.jsonl": {interop.WriteRAGAS, interop.ReadRAGAS, plain}, "ragas_calls.jsonl": {interop.WriteRAGAS, interop.ReadRAGAS, called},
		"deepeval.json": {interop.WriteDeepEval, interop.ReadDeepEval, append(append([]interop.Row(nil), plain...), called...)}, "deepeval.jsonl": {interop.WriteDeepEvalJSONL, interop.ReadDeepEval, plain[:1]},
	} {
		if back, err := root.Open("back_" + name); err == nil {
			got, err := f.read(back)
			require.NoError(t, err, name)
			require.Equal(t, len(f.rows), len(got))
			for i := range got {
				for k, c := range got[i].Calls { // Python may write numbers in another form
					assert.JSONEq(t, f.rows[i].Calls[k].Arguments, c.Arguments)
					got[i].Calls[k].Arguments = f.rows[i].Calls[k].Arguments
				}
			}
			assert.Equal(t, f.rows, got, name)
			require.NoError(t, back.Close())
			continue
		}
		w, err := root.Create(name)
		require.NoError(t, err)
		require.NoError(t, f.write(w, f.rows))
		require.NoError(t, w.Close())
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{`{"user_input": "q", "response": "r"}`, `[{"input": "q", "context": "a|b"}]`, `{"input": "q", "tools_called": [{"name": "f", "input_parameters": {}}]}`,
		`{"user_input": [{"type": "human", "content": "x"}, {"type": "ai", "content": "y", "tool_calls": [{"name": "f", "args": {"a": 1e400}}]}]}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, c := range []struct {
			write func(io.Writer, []interop.Row) error
			read  func(io.Reader) ([]interop.Row, error)
		}{{interop.WriteRAGAS, interop.ReadRAGAS}, {interop.WriteDeepEval, interop.ReadDeepEval}} {
			rows, err := c.read(strings.NewReader(text))
			if err != nil {
				if !errors.Is(err, interop.ErrFormat) {
					t.Fatal(err)
				}
				continue
			}
			var b bytes.Buffer
			if err := c.write(&b, rows); err != nil {
				if !errors.Is(err, interop.ErrOption) {
					t.Fatal(err)
				}
				continue
			}
			again, err := c.read(bytes.NewReader(b.Bytes()))
			if err != nil || !same(rows, again) {
				t.Fatalf("%+v, then %+v, %v", rows, again, err)
			}
		}
	})
}

// same compares rows, with calls as JSON and empty lists as none.
func same(a, b []interop.Row) bool {
	form := func(rows []interop.Row) []any {
		var out []any
		for _, r := range rows {
			for _, calls := range [][]eval.Call{r.Calls, r.Case.Calls} {
				for _, c := range calls {
					v := map[string]any{}
					if c.Arguments != "" {
						d := json.NewDecoder(strings.NewReader(c.Arguments))
						d.UseNumber()
						if err := d.Decode(&v); err != nil {
							return nil
						}
					}
					out = append(out, c.Name, v)
				}
			}
			out = append(out, r.Case.Input, r.Answer, fmt.Sprintf("%q %q %q %q", r.Case.References, r.Case.Context, r.Retrieved, r.Case.ID))
		}
		return out
	}
	return reflect.DeepEqual(form(a), form(b))
}

func ExampleWriteRAGAS() {
	rows := []interop.Row{{Case: eval.Case{Input: "When?", References: []string{"On Monday."}}, Answer: "Monday.", Retrieved: []string{"It opens on Monday."}}}
	fmt.Println(interop.WriteRAGAS(os.Stdout, rows))
	// Output:
	// {"user_input":"When?","retrieved_contexts":["It opens on Monday."],"response":"Monday.","reference":"On Monday."}
	// <nil>
}
