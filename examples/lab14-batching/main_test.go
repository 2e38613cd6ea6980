package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	var out bytes.Buffer
	file := filepath.Join(t.TempDir(), "b.html")
	require.NoError(t, run([]string{"-html", file}, &out, io.Discard))
	for _, want := range []string{
		"      8     53.3 %     99.7 %", "     16     48.6 %     99.5 %", "     32     44.0 %     99.2 %", // the table of package sched
		"dynamic, 16, 50 ms         437.66 s 942.81 s          55 ms          0.06 s",
		"continuous, whole prompts    0.15 s   0.54 s         115 ms          0.63 s",
		"continuous, chunks of 512    0.21 s   0.67 s          74 ms          0.08 s",
		"reserve the whole answer                124           0            0.0 %",
		"reserve what is needed                  170         801           50.4 %",
	} {
		require.Contains(t, out.String(), want)
	}
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, 5, strings.Count(string(page), "<svg"))
	require.ErrorContains(t, run([]string{"x"}, &out, io.Discard), "unexpected")
}
