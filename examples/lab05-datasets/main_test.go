package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRunIsTheSameEveryTime(t *testing.T) {
	dir := t.TempDir()
	file, journal := filepath.Join(dir, "r.html"), filepath.Join(dir, "run.jsonl")
	var a, b bytes.Buffer
	require.NoError(t, run(t.Context(), &a, file, journal))
	require.NoError(t, run(t.Context(), &b, file, journal), "the journal is gone on with")
	require.Equal(t, a.String(), b.String())
	require.NotContains(t, a.String(), "eva@example.com")
	require.Contains(t, a.String(), "FAIL  exact_match >= 1 in kind=regression")
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NotContains(t, string(page), "eva@example.com")
}
