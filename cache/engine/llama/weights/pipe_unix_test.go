//go:build unix

package weights_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/cache/engine/llama/weights"
)

// Opening a named pipe waits for a writer, which doesn't come.
func TestOpenPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.gguf")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	_, err := weights.Open(path)
	require.ErrorIs(t, err, weights.ErrFormat)
}
