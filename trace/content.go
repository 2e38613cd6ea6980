package trace

import (
	"encoding/json"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/stopreason"
	"go.opentelemetry.io/otel/attribute"
)

// A part is one part of a message, as the conventions' JSON schemas have it.
type part struct {
	Type      string `json:"type"`
	Content   any    `json:"content,omitempty"`
	ID        string `json:"id,omitempty"`
	Name      string `json:"name,omitempty"`
	Arguments any    `json:"arguments,omitempty"`
	Response  any    `json:"response,omitempty"`
	Modality  string `json:"modality,omitempty"`
	MIMEType  string `json:"mime_type,omitempty"`
	URI       string `json:"uri,omitempty"`
}

type message struct {
	Role         string `json:"role"`
	Parts        []part `json:"parts"`
	FinishReason string `json:"finish_reason,omitempty"`
}

// appendMessages records the prompt: the system's instructions separately, the
// other messages in order.
func appendMessages(a []attribute.KeyValue, messages []llms.MessageContent) []attribute.KeyValue {
	var system []part
	input := []message{}
	for _, m := range messages {
		parts := make([]part, 0, len(m.Parts))
		for _, p := range m.Parts {
			parts = append(parts, partOf(p))
		}
		if m.Role == llms.ChatMessageTypeSystem {
			system = append(system, parts...)
			continue
		}
		input = append(input, message{Role: roleOf(m.Role), Parts: parts})
	}
	if system != nil {
		a = append(a, attribute.String(SpanSystem, asJSON(system)))
	}
	return append(a, attribute.String(SpanInput, asJSON(input)))
}

func roleOf(r llms.ChatMessageType) string {
	switch r {
	case llms.ChatMessageTypeAI:
		return "assistant"
	case llms.ChatMessageTypeHuman, llms.ChatMessageTypeGeneric:
		return "user"
	case llms.ChatMessageTypeFunction:
		return "tool"
	}
	return string(r)
}

func partOf(p llms.ContentPart) part {
	switch p := p.(type) {
	case llms.TextContent:
		return part{Type: "text", Content: p.Text}
	case llms.ImageURLContent:
		return part{Type: "uri", Modality: "image", URI: p.URL}
	case llms.BinaryContent:
		kind, _, _ := strings.Cut(p.MIMEType, "/")
		return part{Type: "blob", Modality: kind, MIMEType: p.MIMEType, Content: p.Data}
	case llms.ToolCall:
		return toolCallPart(p)
	case llms.ToolCallResponse:
		return part{Type: "tool_call_response", ID: p.ToolCallID, Response: asValue(p.Content)}
	case llms.CachedContent:
		return partOf(p.ContentPart)
	}
	return part{Type: "unknown"}
}

func toolCallPart(t llms.ToolCall) part {
	p := part{Type: "tool_call", ID: t.ID}
	if t.FunctionCall != nil {
		p.Name, p.Arguments = t.FunctionCall.Name, asValue(t.FunctionCall.Arguments)
	}
	return p
}

// outputMessages is the answer in the form of the conventions, one message for each
// choice.
func outputMessages(r *llms.ContentResponse) string {
	out := []message{}
	for _, c := range r.Choices {
		if c == nil {
			continue
		}
		m := message{Role: "assistant", Parts: []part{}, FinishReason: finishReason(c)}
		if c.ReasoningContent != "" {
			m.Parts = append(m.Parts, part{Type: "reasoning", Content: c.ReasoningContent})
		}
		if c.Content != "" {
			m.Parts = append(m.Parts, part{Type: "text", Content: c.Content})
		}
		for _, t := range c.ToolCalls {
			m.Parts = append(m.Parts, toolCallPart(t))
		}
		out = append(out, m)
	}
	return asJSON(out)
}

// usual is the stop reason of nearly all answers, which need no table.
const usual = "stop"

// finishReason turns a provider's stop reason into the word of the conventions, if
// there is one.
func finishReason(c *llms.ContentChoice) string {
	if c.StopReason == usual {
		return usual
	}
	switch stopreason.Of(c.StopReason) {
	case stopreason.Complete:
		if strings.Contains(strings.ToLower(c.StopReason), "tool") || strings.EqualFold(c.StopReason, "function_call") {
			return "tool_call"
		}
		return "stop"
	case stopreason.Cut:
		return "length"
	case stopreason.Filtered:
		return "content_filter"
	case stopreason.Failed:
		return "error"
	}
	if c.StopReason == "" {
		return "unknown"
	}
	return c.StopReason
}

// broken returns the first stop reason among the choices that means an incomplete
// answer, or "". A token limit that the caller set isn't a failure, and a missing
// reason doesn't show that the answer is incomplete.
func broken(r *llms.ContentResponse) string {
	if r == nil {
		return ""
	}
	for _, c := range r.Choices {
		if c == nil || c.StopReason == "" || c.StopReason == usual {
			continue
		}
		switch reason := stopreason.Of(c.StopReason); reason {
		case stopreason.Failed, stopreason.Filtered, stopreason.Unknown:
			return reason.String()
		}
	}
	return ""
}

// asValue returns JSON text as its value, other text as itself.
func asValue(text string) any {
	if json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	return text
}

func asJSON(v any) string {
	data, err := json.Marshal(v)
	if err != nil { // no value above is one that JSON can't represent
		return "null"
	}
	return string(data)
}
