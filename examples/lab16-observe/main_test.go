package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

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

// A reader of what the program writes.
type reader func(text string)

func (r reader) Write(p []byte) (int, error) {
	r(string(p))
	return len(p), nil
}

// TestServesAFile: until the program is interrupted.
func TestServesAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "traces.jsonl")
	require.NoError(t, os.WriteFile(path, []byte(`{"trace_id":"a","name":"x"}`+"\nbroken\n"), 0o600))
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var out, errs bytes.Buffer
	require.NoError(t, run(ctx, []string{"-serve", "127.0.0.1:0", path}, io.MultiWriter(&out, reader(func(text string) {
		if strings.Contains(text, "the page is at") {
			interrupt()
		}
	})), &errs))
	require.Contains(t, out.String(), "the page is at http://127.0.0.1:")
	require.Contains(t, errs.String(), "line 2")
	require.Error(t, run(ctx, []string{"missing.jsonl"}, &out, &errs))
}
