//go:build unix

package retrieve

import (
	"fmt"
	"os"
	"syscall"
)

// lock makes this process the file's only writer until the file is closed.
func lock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

// replace renames the file at from to the path to, whose old file is open.
func replace(from, to string, _ *os.File) error { return os.Rename(from, to) }

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
