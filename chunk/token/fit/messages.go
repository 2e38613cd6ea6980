package fit

import (
	"slices"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/chunk/token"
)

// Message returns the parts of a langchaingo message that cost tokens. The sizes of
// images aren't known; a binary part of another type, such as a PDF, counts as an
// image.
func Message(m llms.MessageContent) token.Message {
	out := token.Message{Role: role(m.Role)}
	var text strings.Builder
	for _, part := range m.Parts {
		switch p := part.(type) {
		case llms.TextContent:
			text.WriteString(p.Text)
		case llms.ImageURLContent:
			out.Images = append(out.Images, token.Image{Detail: p.Detail})
		case llms.BinaryContent:
			out.Images = append(out.Images, token.Image{})
		case llms.ToolCall:
			call := token.ToolCall{ID: p.ID}
			if p.FunctionCall != nil {
				call.Name, call.Arguments = p.FunctionCall.Name, p.FunctionCall.Arguments
			}
			out.ToolCalls = append(out.ToolCalls, call)
		case llms.ToolCallResponse:
			out.ToolCallID = p.ToolCallID
			text.WriteString(p.Content)
		}
	}
	out.Content = text.String()
	return out
}

func role(t llms.ChatMessageType) string {
	switch t {
	case llms.ChatMessageTypeHuman, llms.ChatMessageTypeGeneric:
		return "user"
	case llms.ChatMessageTypeAI:
		return "assistant"
	}
	return string(t)
}

// Tools returns the parts of langchaingo's tools that cost tokens.
func Tools(tools []llms.Tool) []token.Tool {
	var out []token.Tool
	for _, t := range tools {
		if t.Function != nil {
			out = append(out, token.Tool{Name: t.Function.Name, Description: t.Function.Description, Parameters: t.Function.Parameters})
		}
	}
	return out
}

// callIDs returns the ids of the calls of tools in a message.
func callIDs(m llms.MessageContent) (ids []string) {
	for _, part := range m.Parts {
		if c, ok := part.(llms.ToolCall); ok {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// isAnswer reports whether a message is the answer of a tool.
func isAnswer(m llms.MessageContent) bool {
	return m.Role == llms.ChatMessageTypeTool || slices.ContainsFunc(m.Parts, func(p llms.ContentPart) bool {
		_, ok := p.(llms.ToolCallResponse)
		return ok
	})
}

// answered returns the calls without those that an answer belongs to. ok is false
// if one belongs to another call. An answer that doesn't name its call belongs to
// the first.
func answered(calls []string, m llms.MessageContent) (rest []string, ok bool) {
	rest = slices.Clone(calls)
	named := false
	for _, part := range m.Parts {
		a, is := part.(llms.ToolCallResponse)
		if !is {
			continue
		}
		named = true
		i := slices.Index(rest, a.ToolCallID)
		if i < 0 {
			return calls, false
		}
		rest = slices.Delete(rest, i, i+1)
	}
	if named {
		return rest, true
	}
	if len(rest) == 0 {
		return calls, false
	}
	return rest[1:], true
}
