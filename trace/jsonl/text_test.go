package jsonl

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWriteText(t *testing.T) {
	root := node("t", "a", "", 0)
	root.Name, root.End = "invoke_workflow support", root.Start.Add(4*time.Second)
	first := node("t", "b", "a", 1)
	first.Name, first.Status, first.ErrorType = "chat m", "Error", "429"
	second := node("t", "c", "a", 2)
	second.Name, second.End = "chat m", second.Start.Add(2*time.Second)
	second.UsageKnown, second.Usage, second.CostKnown, second.CostPicoUSD = true, Usage{Input: 1200, CacheRead: 1024, Output: 80}, true, 151_200_000
	second.Links = []Link{{SpanID: "b", Attributes: map[string]any{"retry.attempt": int64(2)}}}
	second.Events = []Event{{Name: "cache.miss"}}
	var b strings.Builder
	require.NoError(t, Traces([]Record{second, first, root})[0].WriteText(&b))
	require.Equal(t, ""+
		"  1 |████████████████████████| invoke_workflow support       4s\n"+
		"  2 |      ██████            |   chat m                      1s  ERROR 429\n"+
		"  3 |            ████████████|   chat m                      2s  1200→80 tokens (1024 cached)  151200000 pico-USD  retry of line 2  [cache.miss]\n", b.String())
	require.ErrorIs(t, (&Trace{}).WriteText(nil), ErrOption)
}

// TestWriteTextIsHarmless: hostile names and times make one line a span.
func TestWriteTextIsHarmless(t *testing.T) {
	bad := node("t", "a", "gone", 5)
	bad.Name, bad.End = "x\x1b[2J\n\u202e\xff"+strings.Repeat("y", 200), bad.Start.Add(-time.Hour)
	later := node("t", "b", "a", 1<<33)
	var b strings.Builder
	require.NoError(t, Traces([]Record{bad, later})[0].WriteText(&b))
	require.Equal(t, 2, strings.Count(b.String(), "\n"))
	require.NotContains(t, b.String(), "\x1b")
	require.Less(t, len(b.String()), 1000)
}
