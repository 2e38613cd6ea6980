package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRunIsTheSameEveryTime(t *testing.T) {
	page := filepath.Join(t.TempDir(), "b.html")
	run := func(l lab) string {
		var out bytes.Buffer
		require.NoError(t, l.run(t.Context(), &out))
		return out.String()
	}
	l := lab{kind: "shuffled", n: 300, k: 10, html: page}
	a := run(l)
	require.Equal(t, a, run(l))
	require.Contains(t, a, "What to notice")
	html, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Contains(t, string(html), "Recall against bits")
}

// TestWhatTheLabSays: eight bits lose almost nothing, more bits and more candidates find
// more, a shift ruins the signs only, and codes find less among vectors without near ones.
func TestWhatTheLabSays(t *testing.T) {
	by := func(kind string, shift float64) map[string]row {
		l := lab{kind: kind, n: 700, k: 10, shift: shift}
		vectors, queries, err := l.shifted(t.Context())
		require.NoError(t, err)
		rows, err := l.measure(vectors, queries)
		require.NoError(t, err)
		out := map[string]row{}
		before := row{bits: 99}
		for _, r := range rows {
			out[r.name] = r
			for i := 1; i < len(factors); i++ {
				require.GreaterOrEqual(t, r.recall[i], r.recall[i-1], r.name)
			}
			if r.family == "product" {
				require.Less(t, r.bits, before.bits)
				if before.name != "" {
					require.Greater(t, r.lost, before.lost)
					require.Less(t, r.recall[0], before.recall[0])
				}
				before = r
			}
		}
		return out
	}
	plain, shifted, shuffled := by("course", 0), by("course", .1), by("shuffled", 0)
	require.Greater(t, plain["int8"].recall[0], .97)
	require.Less(t, plain["int8"].lost, .001)
	require.Greater(t, plain["binary"].recall[2], .95)
	require.Less(t, shifted["binary"].recall[1], plain["binary"].recall[1]-.2)
	require.Greater(t, shifted["int8"].recall[1], .97)
	const short = "product, 1 byte for 8"
	require.InDelta(t, plain[short].lost, shuffled[short].lost, .05)
	require.Less(t, shuffled[short].recall[0], plain[short].recall[0]-.1)
}

func TestRefusals(t *testing.T) {
	for _, l := range []lab{{kind: "course", n: 1000}, {kind: "other", n: 1000, k: 1}, {kind: "course", n: 5, k: 1}} {
		require.Error(t, l.run(t.Context(), &bytes.Buffer{}))
	}
}
