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
	require.Contains(t, out.String(), "103194.00 on Monday")
	require.Contains(t, out.String(), "HTTP 402, spend: $   499.99 spent")
	require.Contains(t, out.String(), "incident 1")
	require.Error(t, run([]string{"extra"}, io.Discard, io.Discard))
	require.Error(t, run([]string{"-hourly", "-1"}, io.Discard, io.Discard))
}
