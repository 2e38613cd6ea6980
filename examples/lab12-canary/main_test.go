package main

import (
	"bytes"
	"io"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(nil, &out, io.Discard))
	for _, line := range []string{`good: .* promoting `, `bad: .* failed `, `broken: .* failed `, `under load, at 25 % +failed .* (25|50) %: rolled back`, `outage .* progressing `, "What to notice"} {
		require.Regexp(t, regexp.MustCompile(line), out.String())
	}
	require.Error(t, run([]string{"extra"}, io.Discard, io.Discard))
	require.Error(t, run([]string{"-alarming", "0.001"}, io.Discard, io.Discard))
}
