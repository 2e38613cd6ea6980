package vllm

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retry/fault"
	"github.com/prodailabs/prodai/retry/route"
	"github.com/prodailabs/prodai/retry/route/internal/replay"
)

// TestGoldenWire replays what a real server answered.
func TestGoldenWire(t *testing.T) {
	replay.Rows(t, "server_vllm.jsonl", func(t *testing.T, r *replay.Row) {
		s := replay.Serve(t, r)
		m, err := New(s.URL, "tiny", nil)
		require.NoError(t, err)
		ctx := t.Context()
		switch {
		case r.Path == "/metrics":
			got, err := m.Metrics(ctx)
			require.NoError(t, err)
			require.GreaterOrEqual(t, got.PrefixQueries, got.PrefixHits)
			load, err := m.Load(ctx)
			require.NoError(t, err)
			require.Equal(t, route.Load{Waiting: got.Waiting, Running: got.Running, CacheUsage: got.CacheUsage}, load)
		case r.Path == "/tokenize" && r.Status == 200:
			n, err := m.Tokens(ctx, "x")
			require.NoError(t, err)
			var want struct{ Count int }
			require.NoError(t, json.Unmarshal(r.JSON, &want))
			require.Equal(t, want.Count, n)
		case r.Path == "/v1/models" && r.Status == 200:
			n, err := m.Window(ctx)
			require.NoError(t, err)
			require.Equal(t, 1024, n)
		case r.Path == "/v1/chat/completions":
			options := []llms.CallOption{llms.WithMaxTokens(6)}
			streamed := ""
			if r.Streams() {
				options = append(options, llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error { streamed += string(chunk); return nil }))
			}
			resp, err := m.GenerateContent(ctx, []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "Say hello.")}, options...)
			if r.Status != 200 {
				e := fault.FromError(ctx, err)
				require.Equal(t, r.Status, e.Status)
				require.False(t, e.Retryable)
				return
			}
			require.NoError(t, err)
			require.Equal(t, r.ChatText(t), resp.Choices[0].Content)
			if r.Streams() && len(resp.Choices[0].ToolCalls) == 0 {
				require.Equal(t, resp.Choices[0].Content, streamed)
			}
		default:
			t.Skip("no part of the adapter")
		}
	})
}

// TestWithChoice: the parameter is sent, and an answer that ignores it is an error
// that another target may heal.
func TestWithChoice(t *testing.T) {
	for text, fine := range map[string]bool{"yes": true, "certainly": false} {
		s := replay.Serve(t, &replay.Row{Status: 200, JSON: json.RawMessage(`{"choices":[{"index":0,"message":{"role":"assistant","content":"` + text + `"},"finish_reason":"stop"}]}`)})
		m, err := New(s.URL, "tiny", nil)
		require.NoError(t, err)
		metadata := map[string]any{"own": 1}
		got, err := m.Call(t.Context(), "really?", llms.WithMetadata(metadata), WithChoice("yes", "no"))
		require.Equal(t, map[string]any{"own": 1}, metadata, "the caller's map is the caller's")
		_, body, _ := s.Last()
		require.Contains(t, string(body), `"structured_outputs":{"choice":["yes","no"]}`)
		if fine {
			require.NoError(t, err)
			require.Equal(t, text, got)
			continue
		}
		e := fault.FromError(t.Context(), err)
		require.Equal(t, fault.ClassMalformed, e.Class)
		require.True(t, e.Fallback)
	}
}

func TestMetricsOfOtherReleases(t *testing.T) {
	m, err := ParseMetrics([]byte("# TYPE\nvllm:num_requests_waiting{engine=\"0\",x=\"}\"} 3\nvllm:num_requests_waiting{engine=\"1\"} 4.0\nvllm:gpu_cache_usage_perc 0.97\nvllm:num_requests_running NaN\n"))
	require.NoError(t, err)
	require.Equal(t, Metrics{Waiting: 7, CacheUsage: 0.97}, m)
	_, err = ParseMetrics([]byte("other 1"))
	require.ErrorIs(t, err, ErrMetrics)
	_, err = New("nowhere", "m", nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = New("http://host", "", nil)
	require.ErrorIs(t, err, ErrOption)
}

func FuzzParseMetrics(f *testing.F) {
	f.Add("vllm:num_requests_waiting{a=\"\\\"}\"} 1e3\nvllm:num_requests_waiting{")
	f.Add("vllm:num_requests_waiting +Inf 12")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := ParseMetrics([]byte(text))
		if err != nil {
			require.ErrorIs(t, err, ErrMetrics)
			require.False(t, strings.HasPrefix(text, "vllm:num_requests_waiting 1\n"))
			return
		}
		require.True(t, m.Waiting >= 0 && m.Running >= 0)
	})
}
