package bentoml

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retry/fault"
	"github.com/prodailabs/prodai/retry/route/internal/replay"
)

func ask() []llms.MessageContent {
	return []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "hi")}
}

// TestGoldenWire replays what a real service answered.
func TestGoldenWire(t *testing.T) {
	replay.Rows(t, "server_ray_bento.jsonl", func(t *testing.T, r *replay.Row) {
		if !strings.HasPrefix(r.Server, "bento") {
			t.Skip("another server")
		}
		s := replay.Serve(t, r)
		m, err := New(s.URL, nil)
		require.NoError(t, err)
		if r.Method == http.MethodGet {
			require.Equal(t, r.Status == 200, m.Check(t.Context()) == nil)
			return
		}
		var options []llms.CallOption
		streamed := ""
		if r.Path == "/stream" {
			options = append(options, llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error { streamed += string(chunk); return nil }))
		}
		resp, err := m.GenerateContent(t.Context(), ask(), options...)
		if r.Status != 200 {
			e := fault.FromError(t.Context(), err)
			require.Equal(t, r.Status, e.Status)
			return
		}
		require.NoError(t, err)
		require.Equal(t, string(r.Body(t)), resp.Choices[0].Content)
		if len(options) > 0 {
			require.Equal(t, resp.Choices[0].Content, streamed)
		}
	})
}

// TestStream: a character that is split over two writes arrives whole, and a
// connection that is cut is an error.
func TestStream(t *testing.T) {
	var cut atomic.Bool
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, part := range []string{"a \xe6\x97", "\xa5 b"} {
			_, _ = w.Write([]byte(part))
			_ = http.NewResponseController(w).Flush()
		}
		if cut.Load() {
			panic(http.ErrAbortHandler)
		}
	}))
	defer h.Close()
	m, err := New(h.URL, nil)
	require.NoError(t, err)
	var chunks []string
	collect := llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error { chunks = append(chunks, string(chunk)); return nil })
	r, err := m.GenerateContent(t.Context(), ask(), collect)
	require.NoError(t, err)
	require.Equal(t, "a 日 b", r.Choices[0].Content)
	for _, c := range chunks {
		require.True(t, strings.ToValidUTF8(c, "?") == c, "%q", c)
	}
	cut.Store(true)
	_, err = m.GenerateContent(t.Context(), ask(), collect)
	require.Error(t, err)
	stop := context.Canceled
	cut.Store(false)
	_, err = m.GenerateContent(t.Context(), ask(), llms.WithStreamingFunc(func(context.Context, []byte) error { return stop }))
	require.ErrorIs(t, err, stop)
}

func TestOptions(t *testing.T) {
	for _, o := range []*Options{{Path: "x"}, {StreamPath: "x"}} {
		_, err := New("http://host", o)
		require.ErrorIs(t, err, ErrOption)
	}
	_, err := New("", nil)
	require.ErrorIs(t, err, ErrOption)
	text := "fine"
	s := replay.Serve(t, &replay.Row{Status: 200, Text: &text})
	m, err := New(s.URL, &Options{Path: "/chat", TextField: "prompt", MaxTokensField: "limit", Fields: map[string]any{"top_k": 3}})
	require.NoError(t, err)
	_, err = m.GenerateContent(t.Context(), []llms.MessageContent{
		llms.TextParts(llms.ChatMessageTypeSystem, "Be brief."), llms.TextParts(llms.ChatMessageTypeHuman, "Hi <you>"),
	}, llms.WithMaxTokens(5))
	require.NoError(t, err)
	path, body, _ := s.Last()
	require.Equal(t, "/chat", path)
	require.Contains(t, string(body), "Hi <you>")
	require.JSONEq(t, `{"prompt":"system: Be brief.\nuser: Hi <you>\nassistant:","limit":5,"top_k":3}`, string(body))
	_, err = m.GenerateContent(t.Context(), []llms.MessageContent{{Parts: []llms.ContentPart{llms.ImageURLContent{}}}})
	require.Equal(t, fault.ClassInvalidRequest, fault.FromError(t.Context(), err).Class)
}
