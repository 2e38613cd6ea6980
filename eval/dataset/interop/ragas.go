package interop

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/prodailabs/prodai/eval"
)

// ragasRow is a line of EvaluationDataset.to_jsonl, single turn or multi turn.
type ragasRow struct {
	UserInput         json.RawMessage `json:"user_input"`
	RetrievedContexts []string        `json:"retrieved_contexts,omitempty"`
	ReferenceContexts []string        `json:"reference_contexts,omitempty"`
	Response          *string         `json:"response,omitempty"`
	Reference         *string         `json:"reference,omitempty"`
	ReferenceCalls    []ragasCall     `json:"reference_tool_calls,omitempty"`
}

type ragasCall struct {
	Name string          `json:"name"`
	Args json.RawMessage `json:"args"`
}

type ragasMessage struct {
	Content   string      `json:"content"`
	Type      string      `json:"type"`
	ToolCalls []ragasCall `json:"tool_calls,omitempty"`
}

// ReadRAGAS reads a dataset of RAGAS in JSONL. Of a conversation the first human
// message is the input, the last message of the AI the answer, and all tool calls are
// kept in order; other turns have no place in a [Row] and are an [ErrFormat].
func ReadRAGAS(r io.Reader) ([]Row, error) {
	var out []Row
	err := lines(r, func(n int, line []byte) error {
		var row ragasRow
		if line[0] != '{' {
			return fmt.Errorf("%w: line %d is not an object", ErrFormat, n)
		}
		if err := json.Unmarshal(line, &row); err != nil {
			return fmt.Errorf("%w: line %d is not a sample of RAGAS: %w", ErrFormat, n, err)
		}
		got, err := row.row()
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		out = append(out, got)
		return nil
	})
	return out, err
}

func (r *ragasRow) row() (Row, error) {
	var input string
	if len(r.UserInput) > 0 && r.UserInput[0] == '[' {
		return r.conversation()
	}
	if err := json.Unmarshal(r.UserInput, &input); err != nil || strings.TrimSpace(string(r.UserInput)) == "null" {
		return Row{}, fmt.Errorf("%w: user_input is %.40s: want a text", ErrFormat, r.UserInput)
	}
	out := Row{Case: caseOf(input, r.Reference, r.ReferenceContexts), Retrieved: r.RetrievedContexts}
	if r.Response != nil {
		out.Answer = *r.Response
	}
	return out, nil
}

func (r *ragasRow) conversation() (Row, error) {
	var messages []ragasMessage
	if err := json.Unmarshal(r.UserInput, &messages); err != nil {
		return Row{}, fmt.Errorf("%w: user_input: %w", ErrFormat, err)
	}
	if len(messages) == 0 || messages[0].Type != "human" {
		return Row{}, fmt.Errorf("%w: the conversation doesn't begin with a human message", ErrFormat)
	}
	out := Row{Case: caseOf(messages[0].Content, r.Reference, nil)}
	for i, m := range messages[1:] {
		switch m.Type {
		case "ai":
			out.Answer = m.Content
			for _, c := range m.ToolCalls {
				call, err := callOf(c.Name, c.Args)
				if err != nil {
					return Row{}, fmt.Errorf("message %d: %w", i+1, err)
				}
				out.Calls = append(out.Calls, call)
			}
		case "tool":
		default:
			return Row{}, fmt.Errorf("%w: message %d is of type %q: a row has one human message", ErrFormat, i+1, m.Type)
		}
	}
	for _, c := range r.ReferenceCalls {
		call, err := callOf(c.Name, c.Args)
		if err != nil {
			return Row{}, fmt.Errorf("reference_tool_calls: %w", err)
		}
		out.Case.Calls = append(out.Case.Calls, call)
	}
	return out, nil
}

// WriteRAGAS writes a dataset that RAGAS's EvaluationDataset.from_jsonl reads. All rows
// are single turns, or all are conversations: a row with calls makes it a file of
// conversations, since RAGAS has tool calls only there.
func WriteRAGAS(w io.Writer, rows []Row) error {
	multi := false
	for _, r := range rows {
		multi = multi || len(r.Calls) > 0 || len(r.Case.Calls) > 0
	}
	for i, r := range rows {
		line, err := r.ragas(i, multi)
		if err != nil {
			return err
		}
		data, err := encode(line)
		if err != nil {
			return fmt.Errorf("interop: row %d: %w", i, err)
		}
		if _, err := w.Write(data); err != nil {
			return err
		}
	}
	return nil
}

func (r *Row) ragas(i int, multi bool) (*ragasRow, error) {
	out := &ragasRow{}
	var err error
	if out.Reference, err = reference(i, &r.Case); err != nil {
		return nil, err
	}
	var input any = r.Case.Input
	if multi {
		if len(r.Retrieved) > 0 || len(r.Case.Context) > 0 {
			return nil, fmt.Errorf("%w: row %d has passages, and a conversation of RAGAS has none", ErrOption, i)
		}
		if input, err = r.conversation(i); err != nil {
			return nil, err
		}
		if out.ReferenceCalls, err = ragasCalls(i, r.Case.Calls); err != nil {
			return nil, err
		}
	} else {
		out.Response, out.RetrievedContexts, out.ReferenceContexts = &r.Answer, r.Retrieved, r.Case.Context
	}
	data, err := encode(input)
	out.UserInput = data
	return out, err
}

func (r *Row) conversation(i int) ([]ragasMessage, error) {
	out := []ragasMessage{{Content: r.Case.Input, Type: "human"}}
	if len(r.Calls) > 0 {
		calls, err := ragasCalls(i, r.Calls)
		if err != nil {
			return nil, err
		}
		out = append(out, ragasMessage{Type: "ai", ToolCalls: calls})
	}
	return append(out, ragasMessage{Content: r.Answer, Type: "ai"}), nil
}

func ragasCalls(i int, calls []eval.Call) ([]ragasCall, error) {
	var out []ragasCall
	for _, c := range calls {
		args, err := arguments(fmt.Sprintf("row %d", i), c)
		if err != nil {
			return nil, err
		}
		data, err := encode(args)
		if err != nil {
			return nil, err
		}
		out = append(out, ragasCall{c.Name, data})
	}
	return out, nil
}
