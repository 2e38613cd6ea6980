package retrieve

import (
	"io"
	"os"

	"golang.org/x/sys/windows"
)

// lock makes this process the only writer of the file at path until the lock is closed.
// The lock is on a file beside it, since the file itself is closed while it is replaced.
func lock(path string, _ *os.File) (io.Closer, error) {
	f, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &windows.Overlapped{}); err != nil {
		_ = f.Close() // the lock's error is the one to report
		return nil, err
	}
	return f, nil
}

// replace fails while a reader has the file open: the file then stays as it is.
func replace(from, to string, fresh, old *os.File) (*os.File, error) {
	return replaceClosed(from, to, fresh, old)
}

// syncFolder does nothing: a file's name is written with the file here.
func syncFolder(string) error { return nil }
