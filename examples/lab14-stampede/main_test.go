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
	for _, line := range []string{
		"without a cache 100 calls of the model, with one 1\n",
		"100 answered from the cache, 0 waited, 1 more call of the model\n",
		"jitter   0 %: at most  200 calls of the model in one minute\n",
		"jitter  20 %: at most   22 calls of the model in one minute\n",
	} {
		require.Contains(t, out.String(), line)
	}
	require.Error(t, run([]string{"extra"}, io.Discard, io.Discard))
	require.Error(t, run([]string{"-jitter", "1"}, io.Discard, io.Discard))
}
