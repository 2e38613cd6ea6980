package main

import (
	"bytes"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestIngestFollowsAFolder: what is deleted from a folder is removed at the next
// ingest; the output has no terminal's control characters in a pipe.
func TestIngestFollowsAFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.Mkdir("docs", 0o755))
	require.NoError(t, os.WriteFile("docs/a.md", []byte("# A\n\nKeys are rotated every 90 days.\n"), 0o644))
	require.NoError(t, os.WriteFile("docs/b.md", []byte("# B\n\nRefunds take 30 days.\n"), 0o644))
	ingest := func() string {
		var out bytes.Buffer
		require.NoError(t, run(t.Context(), func() {}, []string{"ingest", "docs"}, &out, io.Discard))
		require.NotContains(t, out.String(), "\r")
		return out.String()
	}
	require.Contains(t, ingest(), "2 passages added")
	require.NoError(t, os.Remove("docs/b.md"))
	require.Contains(t, ingest(), "docs/b.md is gone: 1 passages removed")
	require.NotContains(t, ingest(), "gone")
}
