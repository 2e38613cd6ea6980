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
	for _, want := range []string{
		"1500 conversations of 14339 tokens on average, 131072 bytes a token",
		"blocks of 16 tokens                 2821 GB   0.05 % stays empty",
		"room for the longest allowed       25770 GB  89.06 % stays empty",
		"the first question of Ben           1002 tokens,   992 of them computed before,  1 blocks are new",
		"the same one, from another tenant   1065 tokens,     0 of them computed before, 67 blocks are new",
		"      10000    671 GB    20.0 %   18.8 %   17.9 %",
	} {
		require.Contains(t, out.String(), want)
	}
	require.ErrorContains(t, run([]string{"-model", "x"}, &out, io.Discard), "unknown model")
	require.ErrorContains(t, run([]string{"x"}, &out, io.Discard), "unexpected")
}
