//go:build !unix

package retrieve

import (
	"errors"
	"os"
)

// lock does nothing here: one process at a time is the user's to see to.
func lock(*os.File, bool) error { return nil }

// replace can't rename over an open file here, nor rename an open one; the
// collection stays as it is and is only larger than it need be.
func replace(string, string, *os.File) error { return errors.ErrUnsupported }

// syncFolder does nothing: folders can't be synced here.
func syncFolder(string) error { return nil }
