package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/cache/engine/llama/tiny"
	"github.com/prodailabs/prodai/cache/engine/llama/weights"
	"github.com/prodailabs/prodai/examples/capstone/internal/service"
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

// A small model in this process answers, and the user reads what such models can do.
func TestSmallModelIsAnnounced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tiny.gguf")
	file, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, tiny.Target().Requantize(file, func(w weights.Tensor) weights.Type { return w.Type }))
	require.NoError(t, file.Close())
	var out, errs bytes.Buffer
	require.NoError(t, run(t.Context(), func() {}, []string{"ask", "-no-course", "-gguf", path, "What is a retry?"}, &out, &errs))
	require.NotEmpty(t, out.String())
	require.Contains(t, errs.String(), service.SmallModel)
}
