//go:build !unix

package retrieve

import (
	"errors"
	"os"
)

// lock does nothing here: the user must take care that only one process opens the
// file.
func lock(*os.File) error { return nil }

// replace does nothing here: an open file can't be renamed or replaced. The file
// stays as it is, and is larger than necessary.
func replace(string, string, *os.File) error { return errors.ErrUnsupported }

// syncFolder does nothing: folders can't be synced here.
func syncFolder(string) error { return nil }
