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
	for _, line := range []string{"status 429  remaining 0", "knows nothing       329 passed, 871 refused", "329 passed,   0 refused, learned: 30", "learned: 60", "learned: 10", "paying", "What to notice"} {
		require.Contains(t, out.String(), line)
	}
	require.Error(t, run([]string{"extra"}, io.Discard, io.Discard))
	require.Error(t, run([]string{"-weight", "-2"}, io.Discard, io.Discard))
}
