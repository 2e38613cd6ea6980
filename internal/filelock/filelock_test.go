//go:build unix && !solaris && !aix

package filelock_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/filelock"
)

// A copy of a closed file, as a process that is being started has one, keeps the lock for
// a moment only.
func TestExclusiveWaitsForCopies(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	synctest.Test(t, func(t *testing.T) {
		open := func() *os.File {
			f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
			require.NoError(t, err)
			t.Cleanup(func() { _ = f.Close() }) // some are closed before
			return f
		}
		first := open()
		require.NoError(t, filelock.Exclusive(first))
		began := time.Now()
		require.ErrorIs(t, filelock.Exclusive(open()), syscall.EWOULDBLOCK)
		require.InDelta(t, 1, time.Since(began).Seconds(), .1)

		copied, err := syscall.Dup(int(first.Fd()))
		require.NoError(t, err)
		require.NoError(t, first.Close())
		time.AfterFunc(300*time.Millisecond, func() { _ = syscall.Close(copied) })
		require.NoError(t, filelock.Exclusive(open()))
	})
}
