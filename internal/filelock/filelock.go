//go:build unix && !solaris && !aix

package filelock

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// Exclusive locks an open file until it is closed. A lock outlives its closed file for
// a moment where the process is starting another one, which has a copy of the file until
// it begins to run, or where another program looks at the open files. So Exclusive tries
// again for a second before it fails.
func Exclusive(f *os.File) error {
	for wait := time.Millisecond; ; wait *= 2 {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if wait > time.Second || !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return err
		}
		time.Sleep(wait)
	}
}
