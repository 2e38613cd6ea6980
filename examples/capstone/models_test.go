package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLocalModels(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	t.Setenv("OLLAMA_MODELS", "")
	t.Setenv("PRODAI_GGUF", "")
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), func() {}, []string{"serve", "-gguf", "list"}, &out, io.Discard))
	require.Contains(t, out.String(), "no model of Ollama or LM Studio")
	file := filepath.Join(home, ".lmstudio", "models", "x", "broken.gguf")
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
	require.NoError(t, os.WriteFile(file, []byte("GGUF broken"), 0o600))
	out.Reset()
	require.NoError(t, run(t.Context(), func() {}, []string{"serve", "-gguf", "list"}, &out, io.Discard))
	require.Contains(t, out.String(), "broken.gguf")
	require.Contains(t, out.String(), "not a valid file")
	err := run(context.Background(), func() {}, []string{"ask", "-no-course", "-gguf", file, "why?"}, &out, io.Discard)
	require.ErrorContains(t, err, "the local model")
}
