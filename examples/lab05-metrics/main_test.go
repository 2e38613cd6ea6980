package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRunIsTheSameEveryTime(t *testing.T) {
	file := filepath.Join(t.TempDir(), "m.html")
	var a, b bytes.Buffer
	require.NoError(t, run(&a, file))
	require.NoError(t, run(&b, file))
	require.Equal(t, a.String(), b.String())
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(page), "negation")
	require.Contains(t, a.String(), "BLEU prefers the wrong answer, or scores both the same, in 5 of 6 cases")
}
