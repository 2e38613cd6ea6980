package guard_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/guard"
)

// Arguments that pass are still JSON, and contain nothing that is to be redacted.
func FuzzArguments(f *testing.F) {
	f.Add(`{"a": ["sword\u0066ish", {"swordfish": 1}], "b": 2}`)
	f.Add(`{"swordfish": {}}`)
	f.Add(`{"a": "x"} {"a": "swordfish"}`)
	f.Fuzz(func(t *testing.T, arguments string) {
		call := llms.ToolCall{ID: "1", FunctionCall: &llms.FunctionCall{Name: "f", Arguments: arguments}}
		m, err := guard.New(&modeltest.Script{Turns: []modeltest.Turn{{Choices: []*llms.ContentChoice{{ToolCalls: []llms.ToolCall{call}}}}}},
			&guard.Options{ToolCalls: []guard.Check{{Name: "word", Find: word("swordfish", "WORD"), Policy: guard.PolicyRedact}}})
		if err != nil {
			t.Fatal(err)
		}
		r, err := m.GenerateContent(context.Background(), []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "hi")})
		if blocked := (*guard.BlockedError)(nil); errors.As(err, &blocked) && blocked.Verdict.Findings[0].Kind == guard.KindToolMalformed {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		got := r.Choices[0].ToolCalls[0].FunctionCall.Arguments
		if json.Valid([]byte(arguments)) != json.Valid([]byte(got)) {
			t.Fatalf("%q became %q", arguments, got)
		}
		var v any
		if json.Unmarshal([]byte(got), &v) == nil {
			if b, err := json.Marshal(v); err != nil || strings.Contains(string(b), "swordfish") {
				t.Fatalf("%q became %q", arguments, got)
			}
		}
	})
}
