package rayserve

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retry/fault"
	"github.com/prodailabs/prodai/retry/route"
	"github.com/prodailabs/prodai/retry/route/internal/replay"
)

// TestGoldenWire replays what a real server answered.
func TestGoldenWire(t *testing.T) {
	replay.Rows(t, "server_ray_bento.jsonl", func(t *testing.T, r *replay.Row) {
		if len(r.Server) < 3 || r.Server[:3] != "ray" {
			t.Skip("another server")
		}
		s := replay.Serve(t, r)
		m, err := New(s.URL, "ray-1", nil)
		require.NoError(t, err)
		switch {
		case r.Path == "/-/healthz":
			require.NoError(t, m.Check(t.Context()))
		case r.Status == 200 && !r.Streams():
			text, err := m.Call(t.Context(), "hello ray")
			require.NoError(t, err)
			require.Equal(t, r.ChatText(t), text)
			path, _, _ := s.Last()
			require.Equal(t, "/v1/chat/completions", path)
		case r.Status >= 400:
			_, err := m.Call(t.Context(), "hello ray")
			e := fault.FromError(t.Context(), err)
			require.Equal(t, r.Status, e.Status)
			if r.Status == 422 {
				require.Equal(t, fault.ClassInvalidRequest, e.Class)
			}
		default:
			got := ""
			resp, err := m.GenerateContent(t.Context(), []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "hello ray")}, streaming(&got))
			if err == nil {
				require.Equal(t, r.ChatText(t), resp.Choices[0].Content)
			}
			require.Equal(t, r.ChatText(t), got)
		}
	})
}

func TestLoad(t *testing.T) {
	text := "ray_serve_deployment_queued_queries{application=\"a\",deployment=\"LLM\"} 4\nray_serve_deployment_queued_queries{deployment=\"other\"} 9\nray_serve_replica_processing_queries{deployment=\"LLM\",replica=\"1\"} 2\n"
	s := replay.Serve(t, &replay.Row{Status: 200, Text: &text})
	m, err := New("http://host", "m", &Options{MetricsURL: s.URL, Deployment: "LLM"})
	require.NoError(t, err)
	load, err := m.Load(t.Context())
	require.NoError(t, err)
	require.Equal(t, route.Load{Waiting: 4, Running: 2}, load)
	all, err := New("http://host", "m", &Options{MetricsURL: s.URL})
	require.NoError(t, err)
	load, err = all.Load(t.Context())
	require.NoError(t, err)
	require.Equal(t, 13, load.Waiting)
	none, err := New("http://host", "m", nil)
	require.NoError(t, err)
	_, err = none.Load(t.Context())
	require.ErrorIs(t, err, ErrMetrics)
	_, err = New("x", "m", nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = New("http://host", "", nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = New("http://host", "m", &Options{MetricsURL: "x"})
	require.ErrorIs(t, err, ErrOption)
}

func streaming(got *string) llms.CallOption {
	return llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
		*got += string(chunk)
		return nil
	})
}
