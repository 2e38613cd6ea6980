package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRunIsTheSameEveryTime(t *testing.T) {
	l := lab{html: filepath.Join(t.TempDir(), "c.html"), budget: 1000}
	var a, b bytes.Buffer
	require.NoError(t, l.run(t.Context(), &a))
	require.NoError(t, l.run(t.Context(), &b))
	require.Equal(t, a.String(), b.String())
	require.Contains(t, a.String(), "Five passages: recursive=markdown 400 wins")
	page, err := os.ReadFile(l.html)
	require.NoError(t, err)
	require.Contains(t, string(page), "Recall at 1000 tokens")
}

func TestOwnText(t *testing.T) {
	dir := t.TempDir()
	text, questions := filepath.Join(dir, "t.md"), filepath.Join(dir, "q.jsonl")
	require.NoError(t, os.WriteFile(text, []byte("# Manual\n\nRefunds take 14 days.\n\nKeys rotate in March.\n"), 0o644))
	var out bytes.Buffer
	l := lab{text: text, budget: 100}
	require.NoError(t, l.run(t.Context(), &out))
	require.Contains(t, out.String(), "How the chunkers cut your text")

	l.questions = questions
	require.NoError(t, os.WriteFile(questions, []byte(`{"question":"How long do refunds take?","references":[{"content":"Refunds take 14 days."}]}`), 0o644))
	out.Reset()
	require.NoError(t, l.run(t.Context(), &out))
	require.Contains(t, out.String(), "1.000")

	require.NoError(t, os.WriteFile(questions, []byte(`{"question":"?","references":[{"content":"not there"}]}`), 0o644))
	require.ErrorContains(t, l.run(t.Context(), &out), "line 1")
}
