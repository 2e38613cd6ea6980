package llamacpp

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retry/fault"
	"github.com/prodailabs/prodai/retry/openai"
	"github.com/prodailabs/prodai/retry/route"
	"github.com/prodailabs/prodai/retry/route/internal/replay"
)

// TestGoldenWire replays what a real server answered. No error that the request has
// caused is retried, and none has a path of the server's files.
func TestGoldenWire(t *testing.T) {
	replay.Rows(t, "server_llamacpp.jsonl", func(t *testing.T, r *replay.Row) {
		s := replay.Serve(t, r)
		m, err := New(s.URL, "tiny", nil)
		require.NoError(t, err)
		switch r.Path {
		case "/v1/models":
			require.NoError(t, m.Check(t.Context()))
		case "/v1/chat/completions":
			resp, err := m.GenerateContent(t.Context(), []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "Say hello.")})
			if r.Streams() {
				t.Skip("the client's own tests replay streams")
			}
			if r.Status == 200 {
				require.NoError(t, err)
				require.Equal(t, r.ChatText(t), resp.Choices[0].Content)
				return
			}
			require.Error(t, err)
			require.NotContains(t, err.Error(), "SITE_PACKAGES")
			require.NotContains(t, err.Error(), ".py")
			var o struct {
				Error struct{ Message string }
			}
			if json.Unmarshal(r.Body(t), &o) == nil && len(o.Error.Message) > 0 && o.Error.Message[0] == '1' {
				e := fault.FromError(t.Context(), err)
				require.Equal(t, fault.ClassInvalidRequest, e.Class)
				require.False(t, e.Retryable || e.Fallback || e.Unhealthy)
			}
		default:
			t.Skip("no part of the adapter")
		}
	})
}

func TestQuirks(t *testing.T) {
	answer := &replay.Row{Status: 200, JSON: json.RawMessage(`{"choices":[{"index":0,"message":{"content":"text"},"finish_reason":"stop"}]}`)}
	s := replay.Serve(t, answer)
	m, err := New(s.URL, "tiny", nil)
	require.NoError(t, err)
	format := map[string]any{"type": "json_schema", "json_schema": map[string]any{"name": "a", "schema": map[string]any{"type": "object"}}}
	_, err = m.Call(t.Context(), "hi", llms.WithMetadata(map[string]any{openai.MetadataExtra: map[string]any{"response_format": format}}))
	require.NoError(t, err)
	_, body, _ := s.Last()
	require.Contains(t, string(body), `"response_format":{"schema":{"type":"object"},"type":"json_object"}`)
	require.Equal(t, "json_schema", format["type"], "the caller's map is the caller's")

	tools := llms.WithTools([]llms.Tool{{Type: "function", Function: &llms.FunctionDefinition{Name: "f"}}})
	_, err = m.Call(t.Context(), "hi", tools, llms.WithToolChoice("required"))
	require.Equal(t, fault.ClassMalformed, fault.FromError(t.Context(), err).Class)

	_, err = m.Load(t.Context())
	require.ErrorIs(t, err, ErrMetrics)
	_, err = New("http://host", "", nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = New("", "m", nil)
	require.ErrorIs(t, err, ErrOption)
}

func TestCheckAndLoad(t *testing.T) {
	native := true
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/health" && native, r.URL.Path == "/v1/models" && !native:
		case r.URL.Path == "/metrics":
			_, _ = w.Write([]byte("llamacpp:requests_processing 2\nllamacpp:requests_deferred 5\n"))
		default:
			http.NotFound(w, r)
		}
	}))
	defer h.Close()
	m, err := New(h.URL, "tiny", &Options{APIKey: "k"})
	require.NoError(t, err)
	require.NoError(t, m.Check(t.Context()))
	native = false
	require.NoError(t, m.Check(t.Context()))
	load, err := m.Load(t.Context())
	require.NoError(t, err)
	require.Equal(t, route.Load{Waiting: 5, Running: 2}, load)
}
