// Package llmcopy copies langchaingo's messages and answers so deeply that
// nothing done to one copy is seen in the other.
package llmcopy

import (
	"maps"
	"slices"

	"github.com/tmc/langchaingo/llms"
)

// Messages copies messages down to the bytes and the tool calls of their parts.
func Messages(messages []llms.MessageContent) []llms.MessageContent {
	out := slices.Clone(messages)
	for i := range out {
		out[i].Parts = slices.Clone(out[i].Parts)
		for j, p := range out[i].Parts {
			switch p := p.(type) {
			case llms.BinaryContent:
				p.Data = slices.Clone(p.Data)
				out[i].Parts[j] = p
			case llms.ToolCall:
				p.FunctionCall = function(p.FunctionCall)
				out[i].Parts[j] = p
			}
		}
	}
	return out
}

// Response copies an answer: its choices, their tool calls, and GenerationInfo as
// [Value] does.
func Response(r *llms.ContentResponse) *llms.ContentResponse {
	out := &llms.ContentResponse{Choices: slices.Clone(r.Choices)}
	for i, c := range out.Choices {
		out.Choices[i] = Choice(c)
	}
	return out
}

// Choice copies one choice of an answer, which may be nil.
func Choice(c *llms.ContentChoice) *llms.ContentChoice {
	if c == nil {
		return nil
	}
	out := *c
	out.FuncCall = function(c.FuncCall)
	out.ToolCalls = slices.Clone(c.ToolCalls)
	for i := range out.ToolCalls {
		out.ToolCalls[i].FunctionCall = function(out.ToolCalls[i].FunctionCall)
	}
	out.GenerationInfo, _ = Value(c.GenerationInfo).(map[string]any)
	return &out
}

func function(f *llms.FunctionCall) *llms.FunctionCall {
	if f == nil {
		return nil
	}
	out := *f
	return &out
}

// Value copies maps and slices of JSON's shape, and bytes. Values of other types
// are shared.
func Value(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := maps.Clone(v)
		for key, inner := range out {
			out[key] = Value(inner)
		}
		return out
	case []any:
		out := slices.Clone(v)
		for i, inner := range out {
			out[i] = Value(inner)
		}
		return out
	case []string:
		return slices.Clone(v)
	case []byte:
		return slices.Clone(v)
	}
	return v
}
