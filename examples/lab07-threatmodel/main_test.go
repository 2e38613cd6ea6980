package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLab(t *testing.T) {
	var b strings.Builder
	require.NoError(t, run(nil, &b))
	out := b.String()
	for _, want := range []string{
		`the assistant of a lamp shop: 18 attacks`, `18 attacks become 20`, `documents → model: a document or a result gives the model orders \(LLM01:2025, AML.T0051.001\)`,
		`none +20 open`, `\+ guard +15 open +LLM02×4 LLM03×2`, `\+ trace +0 open`, `> model hub → model +LLM03:2025`,
	} {
		require.Regexp(t, want, out)
	}
}

func TestReadsItsOwnDescription(t *testing.T) {
	var printed, listed strings.Builder
	require.NoError(t, run([]string{"-print"}, &printed))
	file := filepath.Join(t.TempDir(), "system.json")
	require.NoError(t, os.WriteFile(file, []byte(printed.String()), 0o600))
	require.NoError(t, run([]string{"-file", file}, &listed))
	require.Contains(t, listed.String(), "18 attacks")
	require.Error(t, run([]string{"-file", file + "x"}, &listed))
}
