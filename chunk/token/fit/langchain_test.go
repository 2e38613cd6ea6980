package fit

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/chunk/token/cl100k"
	"github.com/prodailabs/prodai/internal/golden"
)

// trimMessage is [type, content, tool call id]: on "ai" the call it makes, on
// "tool" the call it answers.
type trimMessage []string

func (m trimMessage) content() llms.MessageContent {
	role := llms.ChatMessageType(m[0])
	switch {
	case role == llms.ChatMessageTypeTool:
		return llms.MessageContent{Role: role, Parts: []llms.ContentPart{llms.ToolCallResponse{ToolCallID: m[2], Content: m[1]}}}
	case len(m) > 2:
		return llms.MessageContent{Role: role, Parts: []llms.ContentPart{llms.TextContent{Text: m[1]}, llms.ToolCall{ID: m[2], FunctionCall: &llms.FunctionCall{Name: "f"}}}}
	}
	return llms.TextParts(role, m[1])
}

type trimRow struct {
	Messages      []trimMessage
	Strategy      string
	MaxTokens     int             `json:"max_tokens"`
	IncludeSystem bool            `json:"include_system"`
	AllowPartial  bool            `json:"allow_partial"`
	StartOn       json.RawMessage `json:"start_on"`
	EndOn         json.RawMessage `json:"end_on"`
	Out           [][2]string     // type, content
}

func roles(raw json.RawMessage) (roles []llms.ChatMessageType, err error) {
	var one llms.ChatMessageType
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	if json.Unmarshal(raw, &one) == nil {
		return []llms.ChatMessageType{one}, nil
	}
	return roles, json.Unmarshal(raw, &roles)
}

func TestGoldenTrimMessages(t *testing.T) {
	e := cl100k.Encoding()
	count := func(ms []llms.MessageContent) int {
		n := 0
		for _, m := range ms {
			n += 3 + e.Count(Message(m).Content)
		}
		return n
	}
	golden.Rows(t, "chunk", "trim_messages.jsonl", func(r trimRow) error {
		var in []llms.MessageContent
		for _, m := range r.Messages {
			in = append(in, m.content())
		}
		o := &TrimOptions{First: r.Strategy == "first", IncludeSystem: r.IncludeSystem, AllowPartial: r.AllowPartial}
		var err error
		if o.StartOn, err = roles(r.StartOn); err != nil {
			return err
		}
		if o.EndOn, err = roles(r.EndOn); err != nil {
			return err
		}
		got, err := TrimMessages(in, r.MaxTokens, count, o)
		if err != nil {
			return err
		}
		var out [][2]string
		for _, m := range got {
			out = append(out, [2]string{string(m.Role), Message(m).Content})
		}
		if !slices.Equal(out, r.Out) {
			return fmt.Errorf("%d tokens, %+v: got %q, want %q", r.MaxTokens, o, out, r.Out)
		}
		return nil
	})
}
