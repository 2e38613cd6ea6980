package openai

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/callopt"
)

// The keys of CallOptions.Metadata that a [Model] reads. Other metadata stay
// with the caller.
const (
	// MetadataExtra is the key of a map[string]any whose fields are put into the
	// request as they are, in place of those that the options make: logprobs,
	// parallel_tool_calls, an engine's own sampling parameters.
	MetadataExtra = "openai:extra"

	// MetadataResponseFormat is the key of the request's response_format: any value
	// with the right JSON, such as a map with type "json_schema".
	MetadataResponseFormat = "openai:response_format"
)

// request makes the body of a chat completion. Only what the caller set is in
// it: a default of the provider's stays the provider's.
func (m *Model) request(messages []llms.MessageContent, o *callopt.Options) (map[string]any, error) {
	wire, err := wireMessages(messages)
	if err != nil {
		return nil, err
	}
	if err := m.extras.addExtras(wire, o); err != nil {
		return nil, err
	}
	model := m.modelOf(o)
	body := map[string]any{"model": model, "messages": wire}
	m.sampling(body, model, o)
	if len(o.StopWords) > 0 {
		body["stop"] = o.StopWords
	}
	if o.JSONMode || o.ResponseMIMEType == "application/json" {
		body["response_format"] = map[string]any{"type": "json_object"}
	}
	if format, ok := o.Metadata[MetadataResponseFormat]; ok {
		body["response_format"] = format
	}
	if err := tools(body, o); err != nil {
		return nil, err
	}
	if t := llms.GetThinkingConfig(&o.CallOptions); t != nil && t.Mode != "" && t.Mode != llms.ThinkingModeAuto {
		body["reasoning_effort"] = string(t.Mode)
	}
	if streams(o) {
		body["stream"] = true
		if !m.client.o.NoStreamUsage {
			body["stream_options"] = map[string]any{"include_usage": true}
		}
	}
	if extra, ok := o.Metadata[MetadataExtra]; ok {
		fields, ok := extra.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%w: Metadata[%q] is a %T, want a map[string]any", ErrOption, MetadataExtra, extra)
		}
		maps.Copy(body, fields)
	}
	return body, nil
}

func (m *Model) sampling(body map[string]any, model string, o *callopt.Options) {
	limit := "max_tokens"
	switch m.client.o.TokensField {
	case TokensFieldMaxCompletionTokens:
		limit = "max_completion_tokens"
	case TokensFieldAuto:
		if m.client.o.BaseURL == defaultBaseURL || openaiReasons(model) {
			limit = "max_completion_tokens"
		}
	case TokensFieldMaxTokens:
	}
	for _, f := range []struct {
		field callopt.Field
		name  string
		value any
	}{
		{callopt.MaxTokens, limit, o.MaxTokens},
		{callopt.Temperature, "temperature", o.Temperature},
		{callopt.TopP, "top_p", o.TopP},
		{callopt.TopK, "top_k", o.TopK}, // vLLM and llama.cpp know these two; OpenAI answers that it doesn't
		{callopt.RepetitionPenalty, "repetition_penalty", o.RepetitionPenalty},
		{callopt.Seed, "seed", o.Seed},
		{callopt.CandidateCount, "n", o.CandidateCount},
		{callopt.N, "n", o.N},
		{callopt.FrequencyPenalty, "frequency_penalty", o.FrequencyPenalty},
		{callopt.PresencePenalty, "presence_penalty", o.PresencePenalty},
	} {
		if o.Has(f.field) {
			body[f.name] = f.value
		}
	}
}

// tools puts the tools, and the functions they replaced, into the body.
func tools(body map[string]any, o *callopt.Options) error {
	if len(o.Tools) > 0 {
		tools := slices.Clone(o.Tools)
		for i := range tools {
			t := &tools[i]
			if t.Type == "" {
				t.Type = "function"
			}
			if t.Type == "function" && (t.Function == nil || t.Function.Name == "") {
				return fmt.Errorf("%w: tool %d has no function with a name", ErrOption, i)
			}
		}
		body["tools"] = tools
	}
	switch choice := o.ToolChoice.(type) {
	case nil:
	case llms.ToolChoice:
		body["tool_choice"] = functionChoice(choice)
	case *llms.ToolChoice:
		if choice != nil {
			body["tool_choice"] = functionChoice(*choice)
		}
	default:
		body["tool_choice"] = choice
	}
	if len(o.Functions) > 0 {
		body["functions"] = o.Functions
	}
	switch call := []byte(o.FunctionCallBehavior); {
	case len(call) == 0:
	case call[0] == '{' && json.Valid(call): // langchaingo's way to name one function
		body["function_call"] = json.RawMessage(call)
	default:
		body["function_call"] = o.FunctionCallBehavior
	}
	return nil
}

// functionChoice names the only type of tool there is, where the caller didn't.
func functionChoice(c llms.ToolChoice) llms.ToolChoice {
	if c.Type == "" && c.Function != nil {
		c.Type = "function"
	}
	return c
}

// A wireMessage is a message as the protocol has it.
type wireMessage struct {
	Role       string         `json:"role"`
	Content    any            `json:"content"` // a string, parts, or null beside tool calls
	ToolCalls  []wireToolCall `json:"tool_calls,omitempty"`
	ToolCallID string         `json:"tool_call_id,omitempty"`
	Name       string         `json:"name,omitempty"`
}

type wireToolCall struct {
	ID       string            `json:"id"`
	Type     string            `json:"type"`
	Function llms.FunctionCall `json:"function"`
	Extra    any               `json:"extra_content,omitempty"`
}

// wireMessages turns messages into the protocol's. A message with the results
// of several tools becomes one for each.
func wireMessages(messages []llms.MessageContent) ([]wireMessage, error) {
	out := make([]wireMessage, 0, len(messages))
	for i, m := range messages {
		role, err := wireRole(m.Role)
		if err != nil {
			return nil, fmt.Errorf("%w: message %d: %w", ErrOption, i, err)
		}
		w := wireMessage{Role: role}
		var parts []any
		results := 0
		for j, p := range m.Parts {
			if cached, ok := p.(llms.CachedContent); ok {
				p = cached.ContentPart
			}
			switch p := p.(type) {
			case llms.ToolCall:
				w.ToolCalls = append(w.ToolCalls, wireCall(p))
			case llms.ToolCallResponse:
				results++
				out = append(out, wireMessage{Role: role, Content: p.Content, ToolCallID: p.ToolCallID, Name: p.Name})
			default:
				part, err := wirePart(p)
				if err != nil {
					return nil, fmt.Errorf("%w: message %d, part %d: %w", ErrOption, i, j, err)
				}
				parts = append(parts, part)
			}
		}
		if results > 0 && len(parts) == 0 && len(w.ToolCalls) == 0 {
			continue // all of it was results
		}
		w.Content = wireContent(parts, len(w.ToolCalls) > 0)
		out = append(out, w)
	}
	return out, nil
}

func wireRole(r llms.ChatMessageType) (string, error) {
	switch r {
	case llms.ChatMessageTypeSystem:
		return "system", nil
	case llms.ChatMessageTypeAI:
		return "assistant", nil
	case llms.ChatMessageTypeHuman, llms.ChatMessageTypeGeneric:
		return "user", nil
	case llms.ChatMessageTypeTool:
		return "tool", nil
	case llms.ChatMessageTypeFunction:
		return "function", nil
	case "developer", "assistant", "user":
		return string(r), nil
	}
	return "", fmt.Errorf("the role %q is not one of the protocol's", r)
}

func wireCall(t llms.ToolCall) wireToolCall {
	w := wireToolCall{ID: t.ID, Type: t.Type}
	if w.Type == "" {
		w.Type = "function"
	}
	if t.FunctionCall != nil {
		w.Function = *t.FunctionCall
	}
	return w
}

// wireContent is a string if there is only one text, because engines that don't
// know parts understand that.
func wireContent(parts []any, hasCalls bool) any {
	if len(parts) == 0 {
		if hasCalls {
			return nil
		}
		return ""
	}
	if len(parts) == 1 {
		if t, ok := parts[0].(textPart); ok {
			return t.Text
		}
	}
	return parts
}

type textPart struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// wirePart turns a part that isn't about tools into the protocol's.
func wirePart(p llms.ContentPart) (any, error) {
	switch p := p.(type) {
	case llms.TextContent:
		return textPart{"text", p.Text}, nil
	case llms.ImageURLContent:
		image := map[string]any{"url": p.URL}
		if p.Detail != "" {
			image["detail"] = p.Detail
		}
		return map[string]any{"type": "image_url", "image_url": image}, nil
	case llms.BinaryContent:
		data := base64.StdEncoding.EncodeToString(p.Data)
		kind, format, _ := strings.Cut(p.MIMEType, "/")
		switch {
		case kind == "image":
			return map[string]any{"type": "image_url", "image_url": map[string]any{"url": "data:" + p.MIMEType + ";base64," + data}}, nil
		case kind == "audio":
			return map[string]any{"type": "input_audio", "input_audio": map[string]any{"data": data, "format": strings.TrimPrefix(format, "x-")}}, nil
		case p.MIMEType == "application/pdf":
			return map[string]any{"type": "file", "file": map[string]any{"filename": "document.pdf", "file_data": "data:application/pdf;base64," + data}}, nil
		}
		return nil, fmt.Errorf("binary content of type %q can't be sent: want image/*, audio/* or application/pdf", p.MIMEType)
	}
	return nil, fmt.Errorf("a part of type %T can't be sent", p)
}
