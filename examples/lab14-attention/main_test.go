package main

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run([]string{"-longest", "1024"}, &out, io.Discard))
	for _, want := range []string{
		"      256         1.3 MB      0.5 MB     2.9 ", "     1024        17.8 MB      5.0 MB     3.6 ", // the table of package attention
		"     64          82 kB         5.0 MB", "    256         526 kB         1.8 MB",
	} {
		require.Contains(t, out.String(), want)
	}
	require.ErrorContains(t, run([]string{"-longest", "99999"}, &out, io.Discard), "want up to")
	require.ErrorContains(t, run([]string{"-dim", "-1"}, &out, io.Discard), "want sizes from 1")
	require.ErrorContains(t, run([]string{"x"}, &out, io.Discard), "unexpected")
}
