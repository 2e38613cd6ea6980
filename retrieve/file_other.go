//go:build !windows && (!unix || solaris || aix)

package retrieve

import (
	"io"
	"os"
)

// lock does nothing here: the user must take care that only one process opens the
// file.
func lock(string, *os.File) (io.Closer, error) { return nil, nil }

func replace(from, to string, fresh, old *os.File) (*os.File, error) {
	return replaceClosed(from, to, fresh, old)
}

// syncFolder does nothing: folders can't be synced here.
func syncFolder(string) error { return nil }
