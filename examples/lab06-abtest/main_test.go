package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPeekingBreaksThePromiseAndSequentialTestsKeepIt(t *testing.T) {
	out := filepath.Join(t.TempDir(), "lab.html")
	var text bytes.Buffer
	require.NoError(t, run([]string{"-experiments", "300", "-pairs", "800", "-out", out}, &text))
	verdicts := map[string]string{}
	for line := range strings.SplitSeq(text.String(), "\n") {
		for _, p := range policies {
			if strings.Contains(line, p.name) && verdicts[p.name] == "" {
				fields := strings.Fields(line)
				verdicts[p.name] = fields[len(fields)-1]
			}
		}
	}
	require.Equal(t, map[string]string{
		policies[0].name: "kept", policies[1].name: "BROKEN", policies[2].name: "BROKEN",
		policies[3].name: "kept", policies[4].name: "kept",
	}, verdicts)

	page, err := os.ReadFile(out)
	require.NoError(t, err)
	require.Contains(t, string(page), "confidence sequence")
	require.NotContains(t, string(page), "http://", "the page must be self-contained")
}

func TestTheSameSeedTellsTheSameStory(t *testing.T) {
	args := []string{"-experiments", "20", "-pairs", "100", "-seed", "9"}
	var a, b bytes.Buffer
	require.NoError(t, run(args, &a))
	require.NoError(t, run(args, &b))
	require.Equal(t, a.String(), b.String())
}

func TestBadFlags(t *testing.T) {
	for _, args := range [][]string{
		{"-pairs", "10"}, {"-experiments", "0"}, {"-alpha", "2"}, {"-base", "1"}, {"-nonsense"},
	} {
		require.Error(t, run(args, &bytes.Buffer{}), args)
	}
}
