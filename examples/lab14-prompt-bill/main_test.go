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
		`"time": the timestamp "09:00:00" changes to "09:01:00" and costs 11391 cached tokens a call: move it to the end`,
		"Breakpoints after: handbook\n",
		"openai            2026-11      229.6        229.6        121.4                47 %",
		"anthropic 5m      2026-11      229.6        286.9         36.5                87 %",
		"anthropic 1h      2026-11      229.6        459.0         45.1                90 %",
		"mistral           2026-11      229.6        228.4         33.6                85 %",
	} {
		require.Contains(t, out.String(), line)
	}
	out.Reset()
	require.NoError(t, run([]string{"-pause", "10m"}, &out, io.Discard))
	require.Contains(t, out.String(), "anthropic 5m      2026-11      229.6        286.9        286.9                 0 %")
	require.Error(t, run([]string{"extra"}, io.Discard, io.Discard))
	require.Error(t, run([]string{"-pause", "-1s"}, io.Discard, io.Discard))
}
