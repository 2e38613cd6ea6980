package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The claim of the lecture.
func TestNothingAnUntrustedPassageAskedForGetsThrough(t *testing.T) {
	l, err := measure()
	require.NoError(t, err)
	for _, c := range l.classes {
		assert.Equal(t, l.of[c], l.succeed[c]["none"], "without a guard, every %s succeeds", c)
		assert.Zero(t, l.succeed[c]["all"], c)
	}
	require.GreaterOrEqual(t, len(l.tasks), 40)
	mistaken := 0
	for i, s := range l.tasks {
		o := l.final[i]
		if o.by == "injection" {
			mistaken++
			continue
		}
		assert.False(t, o.stopped, "%s: %v", s.name, o.err)
		assert.Equal(t, s.class != "", !o.smooth(), s.name)
	}
	assert.LessOrEqual(t, mistaken, 1, "ordinary requests that the filter takes for attacks")
	for _, layer := range l.layers {
		assert.Positive(t, l.succeed[total][layer.name], "no single layer does it: %s", layer.name)
	}
}

func TestRun(t *testing.T) {
	var out bytes.Buffer
	file := filepath.Join(t.TempDir(), "lab.html")
	require.NoError(t, run([]string{"-v", "-out", file}, &out))
	assert.Contains(t, out.String(), "All layers: 0 of 928 attacks succeed")
	assert.Regexp(t, `noisy +the same again +retry/limit: 429`, out.String())
	assert.Equal(t, 2, strings.Count(out.String(), "guard/flood: "))
	assert.Contains(t, out.String(), "What to notice")
	assert.Regexp(t, `quiet +a short question +passes`, out.String())
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Contains(t, string(page), "<svg")
	assert.NotContains(t, string(page), "http://evil")
	assert.Error(t, run([]string{"-nonsense"}, &out))
}
