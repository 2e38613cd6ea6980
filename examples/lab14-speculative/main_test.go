package main

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), nil, &out, io.Discard))
	text := out.String()
	require.Equal(t, 4, strings.Count(text, "      true\n"), text)
	require.NotContains(t, text, "false")
	require.Regexp(t, `\n       1  +5\d %  +1\.5\d `, text)
	require.Regexp(t, `lookup    40 tokens in  [23]\d passes`, text)
	require.Error(t, run(t.Context(), []string{"extra"}, io.Discard, io.Discard))
}
