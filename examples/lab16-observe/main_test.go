package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestLab: the detectors find the change and raise no alarm before it, and a limit on
// single scores finds nothing.
func TestLab(t *testing.T) {
	var out, errs bytes.Buffer
	require.NoError(t, run(t.Context(), nil, &out, &errs))
	for _, want := range []string{`CUSUM +10:\d\d, after \d+ requests +0`, `EWMA +10:\d\d, after \d+ requests +0`, `ADWIN +1[01]:\d\d, after \d+ requests +0`, `score under 0\.3 +none`} {
		require.Regexp(t, want, out.String())
	}
	require.Empty(t, errs.String())
}

// TestServesAFile: until the program is interrupted.
func TestServesAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "traces.jsonl")
	require.NoError(t, os.WriteFile(path, []byte(`{"trace_id":"a","name":"x"}`+"\nbroken\n"), 0o600))
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	var out, errs bytes.Buffer
	require.NoError(t, run(ctx, []string{"-serve", "127.0.0.1:0", path}, &out, &errs))
	require.Contains(t, out.String(), "the page is at http://127.0.0.1:")
	require.Contains(t, errs.String(), "line 2")
	require.Error(t, run(ctx, []string{"missing.jsonl"}, &out, &errs))
}
