package main

import (
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// The table of guard/redteam's notes is what the command prints. Virtual time waits
// while there is work, so no limit on time can change a figure.
func TestRedTeam(t *testing.T) {
	require.ErrorContains(t, run(t.Context(), func() {}, []string{"redteam", "more"}, io.Discard, io.Discard), "takes no arguments")
	if slow {
		t.Skip("one goroutine after another: the race detector finds nothing here")
	}
	var b strings.Builder
	synctest.Test(t, func(t *testing.T) {
		require.NoError(t, run(t.Context(), func() {}, []string{"redteam"}, &b, &b))
	})
	notes, err := os.ReadFile("../../guard/redteam/doc.go")
	require.NoError(t, err)
	flat := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	in := flat(string(notes))
	rows := 0
	for line := range strings.Lines(b.String()) {
		if strings.Contains(line, "]") && !strings.HasPrefix(line, "AML") && !strings.Contains(line, "Wilson") && !strings.HasPrefix(line, "Attacks") {
			require.Contains(t, in, flat(line))
			rows++
		}
	}
	require.Equal(t, len(redteamSettings()), rows, b.String())
	require.Contains(t, b.String(), "all checks 35/60")
	require.NotContains(t, b.String(), "not assessed")
}
