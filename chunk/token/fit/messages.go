package fit

import (
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/chunk/token"
)

// Message returns what of a langchaingo message costs tokens. Binary parts that
// are no images, and the sizes of images, are not known to it.
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

// Tools returns what of langchaingo's tools costs tokens.
func Tools(tools []llms.Tool) []token.Tool {
	var out []token.Tool
	for _, t := range tools {
		if t.Function != nil {
			out = append(out, token.Tool{Name: t.Function.Name, Description: t.Function.Description, Parameters: t.Function.Parameters})
		}
	}
	return out
}

func callsTools(m llms.MessageContent) bool {
	for _, part := range m.Parts {
		if _, ok := part.(llms.ToolCall); ok {
			return true
		}
	}
	return false
}
