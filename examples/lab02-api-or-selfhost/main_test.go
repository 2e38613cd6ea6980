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
	text := out.String()
	require.Regexp(t, `gpt-4o-mini +\$ 0\.240 a million +never`, text)
	require.Regexp(t, `gpt-4o +\$ 4\.000 a million +1912  \(1582 to 2455\)`, text)
	require.Regexp(t, `busy +5 % +never`, text)
	require.Regexp(t, ` 1000 +0 %  \.{20}\n`, text)
	require.Regexp(t, ` 20000 +9\d %  #{19}`, text)
	var again bytes.Buffer
	require.NoError(t, run(nil, &again, io.Discard))
	require.Equal(t, text, again.String())
	require.Error(t, run([]string{"extra"}, io.Discard, io.Discard))
	require.Error(t, run([]string{"-gpu", "-1"}, io.Discard, io.Discard))
	require.Error(t, run([]string{"-busy", "1.5"}, io.Discard, io.Discard))
}
