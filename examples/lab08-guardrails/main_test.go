package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What the lecture claims, held by a test.
func TestNothingAnUntrustedPassageAskedForGetsThrough(t *testing.T) {
	l, err := measure()
	require.NoError(t, err)
	for _, c := range l.classes {
		assert.Equal(t, l.of[c], l.succeed[c]["none"], "without a guard, every %s succeeds", c)
		assert.Zero(t, l.succeed[c]["all"], c)
	}
	mistaken := 0
	for i, s := range l.tasks {
		if l.final[i].by == "injection" {
			mistaken++
			continue
		}
		assert.Equal(t, s.class != "", l.final[i].stopped, "%s: %v", s.name, l.final[i].err)
	}
	assert.LessOrEqual(t, mistaken, 2, "ordinary requests that the filter takes for attacks")
	for _, layer := range l.layers {
		assert.Positive(t, l.succeed[total][layer.name], "no single layer does it: %s", layer.name)
	}
}

func TestRun(t *testing.T) {
	var out bytes.Buffer
	file := filepath.Join(t.TempDir(), "lab.html")
	require.NoError(t, run([]string{"-v", "-out", file}, &out))
	assert.Contains(t, out.String(), "All layers: 0 of 244 attacks succeed")
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Contains(t, string(page), "<svg")
	assert.NotContains(t, string(page), "http://evil")
	assert.Error(t, run([]string{"-nonsense"}, &out))
}
