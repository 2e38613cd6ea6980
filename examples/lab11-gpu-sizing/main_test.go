package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(nil, &out, io.Discard))
	for _, want := range []string{
		"8.0 billion weights, 131072 bytes of KV cache",
		"T4             BF16   16.1      does not fit",
		"L4             FP8     8.0      11.3 GB                 10     57            26    622    10548",
		"vllm serve NAME --max-model-len 8192",
	} {
		require.Contains(t, out.String(), want)
	}
	require.NotContains(t, out.String(), "T4             FP8", "it has no such units")
	out.Reset()
	require.NoError(t, run([]string{"-length", "131072"}, &out, io.Discard))
	require.Contains(t, out.String(), "fits, but not one request of the longest")
	file := filepath.Join(t.TempDir(), "config.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"model_type": "mine", "num_hidden_layers": 2, "hidden_size": 64, "num_attention_heads": 4, "intermediate_size": 128, "vocab_size": 1000}`), 0o600))
	out.Reset()
	require.NoError(t, run([]string{"-config", file, "-weights", "int4"}, &out, io.Discard))
	require.Contains(t, out.String(), "mine: 0.0 billion weights, 512 bytes")
	for want, args := range map[string][]string{
		"unknown model": {"-model", "x"}, "unknown format": {"-weights", "x"}, "no such file": {"-config", "/does/not/exist"}, "unexpected": {"x"}, "divisor": {"-gpus", "3"},
	} {
		require.ErrorContains(t, run(args, &out, io.Discard), want)
	}
}
