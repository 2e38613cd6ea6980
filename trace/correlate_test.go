package trace

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"testing/slogtest"

	"github.com/stretchr/testify/require"
)

func TestCorrelator(t *testing.T) {
	_, err := NewCorrelator(nil)
	require.ErrorIs(t, err, ErrOption)
	var b strings.Builder
	h, err := NewCorrelator(slog.NewJSONHandler(&b, nil))
	require.NoError(t, err)
	lines := func() []map[string]any {
		var out []map[string]any
		for line := range strings.Lines(b.String()) {
			var m map[string]any
			require.NoError(t, json.Unmarshal([]byte(line), &m))
			out = append(out, m)
		}
		return out
	}
	require.NoError(t, slogtest.TestHandler(h, lines))

	b.Reset()
	provider, _ := recorder()
	ctx, span := provider.Tracer("t").Start(t.Context(), "s")
	log := slog.New(h).With("static", 1)
	log.InfoContext(ctx, "a", "k", 1)
	log.WithGroup("g").With("in", 2).InfoContext(ctx, "b", "k", 1)
	log.Info("c")
	span.End()
	got := lines()
	for _, line := range got[:2] {
		require.Equal(t, span.SpanContext().TraceID().String(), line[LogTraceID])
		require.Equal(t, span.SpanContext().SpanID().String(), line[LogSpanID])
		require.EqualValues(t, 1, line["static"])
	}
	require.Equal(t, map[string]any{"in": 2.0, "k": 1.0}, got[1]["g"])
	require.NotContains(t, got[2], LogTraceID)
}
