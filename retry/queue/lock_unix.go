//go:build unix && !solaris && !aix

package queue

import (
	"io"
	"os"

	"github.com/prodailabs/prodai/internal/filelock"
)

// lockFile takes a lock that ends with the process.
func lockFile(name string) (io.Closer, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := filelock.Exclusive(f); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// syncDir puts the names of new files on the disk.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return err
}
