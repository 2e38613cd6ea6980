package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retry/overload"
)

func TestRun(t *testing.T) {
	var out bytes.Buffer
	page := filepath.Join(t.TempDir(), "page.html")
	require.NoError(t, run([]string{"-html", page}, &out, io.Discard))
	require.Contains(t, out.String(), "queue_metastable")
	require.Contains(t, out.String(), overload.DefaultsBlind)
	require.Contains(t, out.String(), "learning by ends")
	html, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Contains(t, string(html), "Goodput, queue_metastable")
	require.Error(t, run([]string{"extra"}, io.Discard, io.Discard))
}
