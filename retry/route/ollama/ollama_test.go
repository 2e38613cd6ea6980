package ollama

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retry/fault"
	"github.com/prodailabs/prodai/retry/route/internal/replay"
)

// The answers are written after Ollama's published API; none was recorded.
const (
	stream = `{"model":"m","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"","thinking":"hm"},"done":false}
{"model":"m","message":{"role":"assistant","content":"Hel"},"done":false}

{"model":"m","message":{"role":"assistant","content":"lo"},"done":false}
`
	end   = `{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","total_duration":5,"prompt_eval_count":26,"eval_count":2}` + "\n"
	tools = `{"model":"m","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"weather","arguments":{"city":"Paris"}}},{"function":{"name":"now","arguments":{}}}]},"done":true,"done_reason":"stop"}`
)

func serve(t *testing.T, status int, text string, o *Options) (*Model, *replay.Server) {
	t.Helper()
	s := replay.Serve(t, &replay.Row{Status: status, Text: &text, Header: map[string]string{"Content-Type": "application/x-ndjson"}})
	m, err := New(s.URL, "m", o)
	require.NoError(t, err)
	return m, s
}

func ask(text string) []llms.MessageContent {
	return []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, text)}
}

func TestStream(t *testing.T) {
	m, s := serve(t, 200, stream+end, &Options{WindowTokens: 8192, KeepAlive: "10m"})
	text, reasoning := "", ""
	r, err := m.GenerateContent(t.Context(), ask("hi"), llms.WithTemperature(0), llms.WithMaxTokens(9),
		llms.WithStreamingFunc(func(_ context.Context, c []byte) error { text += string(c); return nil }),
		llms.WithStreamingReasoningFunc(func(_ context.Context, c, _ []byte) error { reasoning += string(c); return nil }))
	require.NoError(t, err)
	require.Equal(t, "Hello", text)
	require.Equal(t, "hm", reasoning)
	c := r.Choices[0]
	require.Equal(t, "Hello", c.Content)
	require.Equal(t, "hm", c.ReasoningContent)
	require.Equal(t, "stop", c.StopReason)
	require.Equal(t, map[string]any{"PromptTokens": 26, "CompletionTokens": 2, "TotalTokens": 28}, c.GenerationInfo)
	path, body, _ := s.Last()
	require.Equal(t, "/api/chat", path)
	require.JSONEq(t, `{"model":"m","stream":true,"keep_alive":"10m","messages":[{"role":"user","content":"hi"}],"options":{"temperature":0,"num_predict":9,"num_ctx":8192}}`, string(body))
}

// TestBrokenAnswers: none of them is a success.
func TestBrokenAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		text   string
		class  fault.Class
	}{
		"cut":               {200, stream, fault.ClassStreamInterrupted},
		"error in a stream": {200, stream + `{"error":"out of memory"}` + "\n", fault.ClassServerError},
		"no JSON":           {200, "hello\n", fault.ClassMalformed},
		"unknown model":     {404, `{"error":"model \"m\" not found, try pulling it first"}`, fault.ClassNotFound},
		"bad request":       {400, `{"error":"bad"}`, fault.ClassInvalidRequest},
		"empty":             {200, "", fault.ClassStreamInterrupted},
		"busy":              {503, `{"error":"server busy, please try again. maximum pending requests exceeded"}`, fault.ClassOverloaded},
	} {
		m, _ := serve(t, c.status, c.text, nil)
		_, err := m.GenerateContent(t.Context(), ask("hi"), llms.WithStreamingFunc(func(context.Context, []byte) error { return nil }))
		require.Error(t, err, name)
		require.Equal(t, c.class, fault.FromError(t.Context(), err).Class, name)
	}
}

func TestTools(t *testing.T) {
	m, s := serve(t, 200, tools, nil)
	r, err := m.GenerateContent(t.Context(), []llms.MessageContent{
		llms.TextParts(llms.ChatMessageTypeSystem, "Be brief."),
		{Role: llms.ChatMessageTypeHuman, Parts: []llms.ContentPart{llms.TextContent{Text: "look"}, llms.BinaryPart("image/png", []byte{1, 2})}},
		{Role: llms.ChatMessageTypeAI, Parts: []llms.ContentPart{llms.ToolCall{ID: "1", FunctionCall: &llms.FunctionCall{Name: "f", Arguments: `{"a":1}`}}}},
		{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{llms.ToolCallResponse{ToolCallID: "1", Name: "f", Content: "7"}}},
	}, llms.WithTools([]llms.Tool{{Type: "function", Function: &llms.FunctionDefinition{Name: "weather"}}}))
	require.NoError(t, err)
	calls := r.Choices[0].ToolCalls
	require.Len(t, calls, 2)
	require.Equal(t, "call_1", calls[1].ID)
	require.JSONEq(t, `{"city":"Paris"}`, calls[0].FunctionCall.Arguments)
	require.Equal(t, "tool_calls", r.Choices[0].StopReason)
	_, body, _ := s.Last()
	var sent struct{ Messages json.RawMessage }
	require.NoError(t, json.Unmarshal(body, &sent))
	require.JSONEq(t, `[{"role":"system","content":"Be brief."},{"role":"user","content":"look","images":["AQI="]},
		{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]},{"role":"tool","content":"7","tool_name":"f"}]`, string(sent.Messages))
	for _, bad := range []llms.ContentPart{llms.ImageURLContent{}, llms.BinaryPart("audio/wav", nil), llms.ToolCall{}} {
		_, err = m.GenerateContent(t.Context(), []llms.MessageContent{{Parts: []llms.ContentPart{bad}}})
		require.Equal(t, fault.ClassInvalidRequest, fault.FromError(t.Context(), err).Class)
	}
}

func TestCheck(t *testing.T) {
	m, _ := serve(t, 200, `{"models":[{"name":"other"},{"name":"m:latest"}]}`, nil)
	require.NoError(t, m.Check(t.Context()))
	m, _ = serve(t, 200, `{"models":[]}`, nil)
	require.Error(t, m.Check(t.Context()))
	for _, c := range []struct {
		address, model string
		o              *Options
	}{{"", "m", nil}, {"http://host", "", nil}, {"http://host", "m", &Options{WindowTokens: -1}}} {
		_, err := New(c.address, c.model, c.o)
		require.ErrorIs(t, err, ErrOption)
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(stream + end))
	f.Add([]byte(tools))
	f.Fuzz(func(t *testing.T, data []byte) {
		a := answer{ContentChoice: llms.ContentChoice{GenerationInfo: map[string]any{}}}
		for line := range bytes.Lines(data) {
			if _, err := a.add(line); err != nil {
				return
			}
		}
		require.LessOrEqual(t, a.text.Len()+a.thinking.Len(), 3*len(data), "a byte that isn't text becomes three")
		for _, c := range a.ToolCalls {
			require.NotEmpty(t, c.ID)
		}
	})
}
