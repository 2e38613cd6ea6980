package interop

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/prodailabs/prodai/eval"
)

// deepEvalRow is an object of EvaluationDataset.save_as, with snake_case keys.
type deepEvalRow struct {
	Input            *string           `json:"input"`
	ActualOutput     *string           `json:"actual_output"`
	ExpectedOutput   *string           `json:"expected_output"`
	RetrievalContext json.RawMessage   `json:"retrieval_context"`
	Context          json.RawMessage   `json:"context"`
	Name             *string           `json:"name"`
	ToolsCalled      []deepEvalCall    `json:"tools_called"`
	ExpectedTools    []deepEvalCall    `json:"expected_tools"`
	Metadata         map[string]string `json:"additional_metadata"`
}

type deepEvalCall struct {
	Name            string          `json:"name"`
	InputParameters json.RawMessage `json:"input_parameters,omitempty"`
	InputCamel      json.RawMessage `json:"inputParameters,omitempty"`
}

// deepEvalDelimiter joins the passages of a cell in JSONL and CSV files.
const deepEvalDelimiter = "|"

// ReadDeepEval reads goldens or test cases of DeepEval: a JSON list, or JSONL. In
// JSONL DeepEval joins passages with "|", so a passage with that sign comes back as
// two; a list is read as it is. A conversation (a golden with a scenario) is an
// [ErrFormat].
func ReadDeepEval(r io.Reader) ([]Row, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("interop: read: %w", err)
	}
	var out []Row
	add := func(n int, raw []byte) error {
		var row deepEvalRow
		// Metadata of other types than text has no place in a case's tags.
		var loose struct {
			deepEvalRow
			Metadata map[string]any `json:"additional_metadata"`
			Scenario *string        `json:"scenario"`
		}
		if raw[0] != '{' {
			return fmt.Errorf("%w: row %d is not an object", ErrFormat, n)
		}
		if err := json.Unmarshal(raw, &loose); err != nil {
			return fmt.Errorf("%w: row %d is not a golden of DeepEval: %w", ErrFormat, n, err)
		}
		row = loose.deepEvalRow
		row.Metadata = map[string]string{}
		for k, v := range loose.Metadata {
			if s, ok := v.(string); ok {
				row.Metadata[k] = s
			}
		}
		if row.Input == nil {
			what := "no input"
			if loose.Scenario != nil {
				what = "a scenario: conversations are not read"
			}
			return fmt.Errorf("%w: row %d has %s", ErrFormat, n, what)
		}
		got, err := row.row()
		if err != nil {
			return fmt.Errorf("row %d: %w", n, err)
		}
		out = append(out, got)
		return nil
	}
	if trimmed := bytes.TrimSpace(data); len(trimmed) > 0 && trimmed[0] == '[' {
		var list []json.RawMessage
		if !utf8.Valid(trimmed) {
			return nil, fmt.Errorf("%w: the file is not valid UTF-8", ErrFormat)
		}
		if err := json.Unmarshal(trimmed, &list); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrFormat, err)
		}
		for i, raw := range list {
			if err := add(i+1, raw); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return out, lines(bytes.NewReader(data), add)
}

func (d *deepEvalRow) row() (Row, error) {
	context, err := passages("context", d.Context)
	if err != nil {
		return Row{}, err
	}
	retrieved, err := passages("retrieval_context", d.RetrievalContext)
	if err != nil {
		return Row{}, err
	}
	out := Row{Case: caseOf(*d.Input, d.ExpectedOutput, context), Retrieved: retrieved}
	if d.ActualOutput != nil {
		out.Answer = *d.ActualOutput
	}
	if d.Name != nil {
		out.Case.ID = *d.Name
	}
	if len(d.Metadata) > 0 {
		out.Case.Tags = d.Metadata
	}
	for _, side := range []struct {
		from []deepEvalCall
		into *[]eval.Call
	}{{d.ToolsCalled, &out.Calls}, {d.ExpectedTools, &out.Case.Calls}} {
		for _, c := range side.from {
			args := c.InputParameters
			if args == nil {
				args = c.InputCamel
			}
			call, err := callOf(c.Name, args)
			if err != nil {
				return Row{}, err
			}
			*side.into = append(*side.into, call)
		}
	}
	return out, nil
}

// passages reads a list, a joined text or null.
func passages(key string, raw json.RawMessage) ([]string, error) {
	var list []string
	var joined string
	switch {
	case len(raw) == 0 || string(raw) == "null" || string(raw) == `""`:
		return nil, nil
	case json.Unmarshal(raw, &joined) == nil:
		return strings.Split(joined, deepEvalDelimiter), nil
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("%w: %s is %.40s: want a list of texts", ErrFormat, key, raw)
	}
	return list, nil
}

// WriteDeepEval writes a JSON list that DeepEval's add_goldens_from_json_file and
// add_test_cases_from_json_file read. A case's id is the name, its tags are
// additional_metadata.
func WriteDeepEval(w io.Writer, rows []Row) error {
	list := make([]*deepEvalRow, len(rows))
	for i := range rows {
		var err error
		if list[i], err = rows[i].deepEval(i); err != nil {
			return err
		}
	}
	data, err := encode(list)
	if err != nil {
		return fmt.Errorf("interop: %w", err)
	}
	_, err = w.Write(data)
	return err
}

// WriteDeepEvalJSONL writes a line for each row, as DeepEval's save_as("jsonl") does:
// passages are joined with "|", so one that contains the sign is an [ErrOption].
func WriteDeepEvalJSONL(w io.Writer, rows []Row) error {
	for i := range rows {
		row, err := rows[i].deepEval(i)
		if err != nil {
			return err
		}
		for _, side := range []struct {
			passages []string
			into     *json.RawMessage
		}{{rows[i].Retrieved, &row.RetrievalContext}, {rows[i].Case.Context, &row.Context}} {
			if len(side.passages) == 0 {
				continue
			}
			if slices.ContainsFunc(side.passages, func(p string) bool { return strings.Contains(p, deepEvalDelimiter) || p == "" }) {
				return fmt.Errorf("%w: row %d has a passage that is empty or contains %q, which joins passages in JSONL: use WriteDeepEval", ErrOption, i, deepEvalDelimiter)
			}
			if *side.into, err = encode(strings.Join(side.passages, deepEvalDelimiter)); err != nil {
				return err
			}
		}
		data, err := encode(row)
		if err != nil {
			return fmt.Errorf("interop: row %d: %w", i, err)
		}
		if _, err := w.Write(data); err != nil {
			return err
		}
	}
	return nil
}

func (r *Row) deepEval(i int) (*deepEvalRow, error) {
	out := &deepEvalRow{Input: &r.Case.Input, ActualOutput: &r.Answer, RetrievalContext: []byte("null"), Context: []byte("null"), ToolsCalled: []deepEvalCall{}, ExpectedTools: []deepEvalCall{}}
	var err error
	if out.ExpectedOutput, err = reference(i, &r.Case); err != nil {
		return nil, err
	}
	if r.Case.ID != "" {
		out.Name = &r.Case.ID
	}
	out.Metadata = r.Case.Tags
	for _, side := range []struct {
		passages []string
		into     *json.RawMessage
	}{{r.Retrieved, &out.RetrievalContext}, {r.Case.Context, &out.Context}} {
		if len(side.passages) > 0 {
			if *side.into, err = encode(side.passages); err != nil {
				return nil, err
			}
		}
	}
	for _, side := range []struct {
		calls []eval.Call
		into  *[]deepEvalCall
	}{{r.Calls, &out.ToolsCalled}, {r.Case.Calls, &out.ExpectedTools}} {
		for _, c := range side.calls {
			args, err := arguments(fmt.Sprintf("row %d", i), c)
			if err != nil {
				return nil, err
			}
			data, err := encode(args)
			if err != nil {
				return nil, err
			}
			*side.into = append(*side.into, deepEvalCall{Name: c.Name, InputParameters: data})
		}
	}
	return out, nil
}
