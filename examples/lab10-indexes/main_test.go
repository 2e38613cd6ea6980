package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retrieve"
)

// clock returns a lab's time, which goes on by a millisecond with each look.
func clock() func() time.Time {
	at := time.Unix(0, 0)
	return func() time.Time {
		at = at.Add(time.Millisecond)
		return at
	}
}

func TestRunIsTheSameEveryTime(t *testing.T) {
	page := filepath.Join(t.TempDir(), "i.html")
	run := func(kind string) string {
		var out bytes.Buffer
		l := lab{kind: kind, n: 1500, dim: 16, k: 10, html: page, now: clock()}
		require.NoError(t, l.run(t.Context(), &out))
		return out.String()
	}
	for _, kind := range []string{"course", "clusters", "random"} {
		a := run(kind)
		require.Equal(t, a, run(kind))
		require.Contains(t, a, "What to notice")
		require.Contains(t, a, "  0.99  ivf probes")
		require.Contains(t, a, "  0.99  hnsw ef")
	}
	html, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Contains(t, string(html), "Recall against speed")
}

func TestRecallRisesAlongEachFamily(t *testing.T) {
	l := lab{kind: "course", n: 3000, k: 10, now: clock()}
	vectors, queries, err := l.vectors(t.Context())
	require.NoError(t, err)
	require.Len(t, queries, held)
	require.GreaterOrEqual(t, len(vectors), 2990, "some sentences have no word that the embedder knows")
	families, err := l.families(vectors)
	require.NoError(t, err)
	require.Equal(t, "exact", families[0].name)
	require.Len(t, families, 5)
	for _, f := range families {
		before := 0.0
		for _, s := range f.settings {
			got, err := retrieve.IndexRecall(s.finder, families[0].settings[0].finder, queries, 10)
			require.NoError(t, err)
			require.Greater(t, got, before-.005, "%s %s", f.name, s.name)
			before = got
		}
		require.Greater(t, before, .95, "%s with the most careful setting", f.name)
	}
}

func TestRefusals(t *testing.T) {
	for _, l := range []lab{{kind: "course", n: 1000, dim: 1}, {kind: "other", n: 1000, k: 1, dim: 1}, {kind: "course", n: 5, k: 1, dim: 1}} {
		l.now = time.Now
		require.Error(t, l.run(t.Context(), &bytes.Buffer{}))
	}
}
