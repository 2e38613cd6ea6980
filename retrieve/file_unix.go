//go:build unix && !solaris && !aix

package retrieve

import (
	"fmt"
	"io"
	"os"

	"github.com/prodailabs/prodai/internal/filelock"
)

// lock makes this process the only writer of an open file until that is closed.
func lock(_ string, file *os.File) (io.Closer, error) {
	return nil, filelock.Exclusive(file)
}

// replace puts the open file at from in place of the open file at to, and returns the
// one that is at to then.
func replace(from, to string, fresh, old *os.File) (*os.File, error) {
	if _, err := lock(from, fresh); err != nil {
		return old, err
	}
	if err := os.Rename(from, to); err != nil {
		return old, err
	}
	_ = old.Close() // its content is in the new file
	return fresh, nil
}

// syncFolder makes sure that a file's name survives a crash.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("retrieve: %w", err)
	}
	defer func() { _ = d.Close() }() // nothing was written through it
	if err := d.Sync(); err != nil {
		return fmt.Errorf("retrieve: sync the folder %s: %w", dir, err)
	}
	return nil
}
