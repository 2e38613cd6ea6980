package main

import (
	"bytes"
	"io"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), nil, &out, io.Discard))
	text := out.String()
	require.Contains(t, text, "4 layers, 4 heads that share 2 of keys and values, vectors of 128, 2048 tokens")
	// Some head looks at the token before, some at what followed the same word earlier.
	for _, pattern := range []string{`looks at the token before \((\d+) %`, `looks at what followed the same token before \((\d+) %`} {
		m := regexp.MustCompile(pattern).FindStringSubmatch(text)
		require.NotNil(t, m, text)
		share, err := strconv.Atoi(m[1])
		require.NoError(t, err)
		require.Greater(t, share, 15)
	}
	m := regexp.MustCompile(`  64 +(\d+) .* ms +(\d+) .* ms`).FindStringSubmatch(text)
	require.NotNil(t, m, text)
	with, err := strconv.Atoi(m[1])
	require.NoError(t, err)
	without, err := strconv.Atoi(m[2])
	require.NoError(t, err)
	require.Greater(t, without, 20*with)
	require.Error(t, run(t.Context(), []string{"extra"}, io.Discard, io.Discard))
	require.Error(t, run(t.Context(), []string{"-gguf", "main.go"}, io.Discard, io.Discard))
}
