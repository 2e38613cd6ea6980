package openai

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

// TestThoughtSignaturesGoBack: Gemini 3 answers 400 to a conversation whose tool
// calls lack the signatures that it sent with them.
func TestThoughtSignaturesGoBack(t *testing.T) {
	const (
		extra = `{"google":{"thought_signature":"SIG"}}`
		call  = `[{"index":0,"id":"a","type":"function","extra_content":` + extra + `,"function":{"name":"f","arguments":"{}"}}]`
	)
	for name, s := range map[string]saying{
		"whole":    {200, `{"choices":[{"message":{"tool_calls":` + call + `},"finish_reason":"tool_calls"}]}`, nil},
		"streamed": {200, `data: {"choices":[{"delta":{"tool_calls":` + call + `},"finish_reason":"stop"}]}` + "\n\n", eventStream},
	} {
		var sent string
		m := s.model(t, Options{})
		var options []llms.CallOption
		if name == "streamed" {
			options = append(options, toStream)
		}
		r, err := m.GenerateContent(t.Context(), ask("q"), options...)
		require.NoError(t, err)
		next := func(m *Model, c llms.ToolCall, options ...llms.CallOption) string {
			m.client.http.Transport = tap(func(body []byte) { sent = string(body) })
			_, _ = m.GenerateContent(t.Context(), append(ask("q"), llms.MessageContent{Role: llms.ChatMessageTypeAI, Parts: []llms.ContentPart{c}},
				llms.MessageContent{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{llms.ToolCallResponse{ToolCallID: "a", Name: "f", Content: "1"}}}), options...)
			return sent
		}
		ours := r.Choices[0].ToolCalls[0]
		require.Contains(t, next(m, ours), `"extra_content":`+extra, name)
		other := llms.ToolCall{ID: "a", Type: "function", FunctionCall: &llms.FunctionCall{Name: "f", Arguments: `{"other":1}`}}
		require.NotContains(t, next(m, other), "SIG", "a call of another conversation with the same id")

		stranger := s.model(t, Options{})
		require.NotContains(t, next(stranger, ours), "SIG")
		given := r.Choices[0].GenerationInfo["ToolCallExtra"]
		require.Contains(t, next(stranger, ours, llms.WithMetadata(map[string]any{MetadataToolCallExtra: given})), `"extra_content":`+extra, "from another process")
		_, err = stranger.GenerateContent(t.Context(), ask("q"), llms.WithMetadata(map[string]any{MetadataToolCallExtra: "x"}))
		require.ErrorIs(t, err, ErrOption)
	}
}

func TestExtrasAreBounded(t *testing.T) {
	var e extras
	key := func(i int) extraKey { return extraKey{id: fmt.Sprint(i)} }
	for i := range 3 * maxExtras {
		e.keep(key(i), json.RawMessage(`1`))
		e.keep(key(i), json.RawMessage(`2`))
	}
	require.Len(t, e.known, maxExtras)
	_, ok := e.of(key(2*maxExtras - 1))
	require.False(t, ok)
	extra, ok := e.of(key(2 * maxExtras))
	require.True(t, ok)
	require.Equal(t, "2", string(extra))
	e.keep(key(-1), make(json.RawMessage, maxExtraSize+1))
	_, ok = e.of(key(-1))
	require.False(t, ok)
}

func TestToolsWithoutAType(t *testing.T) {
	var sent string
	m := saying{200, plainAnswer, nil}.model(t, Options{HTTPClient: http.DefaultClient})
	m.client.http.Transport = tap(func(body []byte) { sent = string(body) })
	tools := []llms.Tool{{Function: &llms.FunctionDefinition{Name: "f"}}}
	for _, choice := range []any{llms.ToolChoice{Function: &llms.FunctionReference{Name: "f"}}, &llms.ToolChoice{Function: &llms.FunctionReference{Name: "f"}}} {
		_, _ = m.GenerateContent(t.Context(), ask("q"), llms.WithTools(tools), llms.WithToolChoice(choice))
		require.Contains(t, sent, `"tools":[{"type":"function","function":{"name":"f"`)
		require.Contains(t, sent, `"tool_choice":{"type":"function","function":{"name":"f"}}`)
	}
	require.Empty(t, tools[0].Type, "the caller's own is not changed")
	_, err := m.GenerateContent(t.Context(), ask("q"), llms.WithTools([]llms.Tool{{}}))
	require.ErrorIs(t, err, ErrOption)
}
