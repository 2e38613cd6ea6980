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
		"LRU        hit rate 34.4 %", "S3-FIFO    hit rate 44.8 %", "W-TinyLFU  hit rate 44.9 %", "Belady     hit rate 53.3 %",
	} {
		require.Contains(t, out.String(), line)
	}
	require.Error(t, run([]string{"extra"}, io.Discard, io.Discard))
}
