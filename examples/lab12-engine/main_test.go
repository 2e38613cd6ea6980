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
	file := filepath.Join(t.TempDir(), "e.html")
	require.NoError(t, run([]string{"-html", file}, &out, io.Discard))
	for _, want := range []string{
		"(16 were there)", "prompt, 34 of 34, and a token", "gives up its blocks", "waits", "token 14 of 14",
		"Your first token came 61 ms after you asked, the last after 199 ms. You were preempted\n1 time(s)",
		"      1                   450             1.0", "     12                    45            10.0", "equal, to the last token",
	} {
		require.Contains(t, out.String(), want)
	}
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(page), ">you</text>")
	require.ErrorContains(t, run([]string{"x"}, &out, io.Discard), "unexpected")
}
