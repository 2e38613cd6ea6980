package main

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(nil, &out, io.Discard))
	for _, text := range []string{"invalid_request  failed     machine (balance)\n", "api (fallback: auth)", "What to notice"} {
		require.Contains(t, out.String(), text)
	}
	require.Error(t, run([]string{"extra"}, io.Discard, io.Discard))
	require.Error(t, run([]string{"-spill", "0"}, io.Discard, io.Discard))
}

// TestDay: the sentences at the end of the lab are true.
func TestDay(t *testing.T) {
	own, err := simulate(2, false, 0)
	require.NoError(t, err)
	both, err := simulate(2, true, 20)
	require.NoError(t, err)
	require.Greater(t, own.p99.Seconds(), 60.0)
	require.Less(t, both.p99.Seconds(), 15.0)
	require.Less(t, both.dollars, 2*own.dollars)
	require.InDelta(t, 0.05, both.managed, 0.04)
}
