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
		"0.90             6       6              6       0\n", "lowest bound over all thresholds is 51.4 %",
		"0.90            35      18               487\n", "0.95             6      14               520\n",
		"learned        170       0               370\n",
	} {
		require.Contains(t, out.String(), line)
	}
	require.Error(t, run([]string{"extra"}, io.Discard, io.Discard))
	require.Error(t, run([]string{"-wrong", "2"}, io.Discard, io.Discard))
}
