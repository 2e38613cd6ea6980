package secret

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// ErrMissing is wrapped by the error of [Load] when a secret is not set.
var ErrMissing = errors.New("secret: missing")

// maxFile limits the file of a secret, in bytes, so that a path to a wrong, large file
// fails early.
const maxFile = 1 << 20

// Load returns the secret called name. lookup is usually [os.LookupEnv], because the
// library itself never reads the environment. A nil lookup is an error that wraps
// [ErrOption].
//
// If name is not set but name_FILE is, Load reads the secret from the file at that path:
// container platforms mount secrets as files. It is an error if both are set, and if the
// secret is empty, which is usually a mistake in the deployment. If neither is set, the
// error wraps [ErrMissing].
func Load(lookup func(name string) (string, bool), name string) (Value, error) {
	if lookup == nil {
		return Value{}, fmt.Errorf("%w: the lookup function is nil", ErrOption)
	}
	value, direct := lookup(name)
	path, file := lookup(name + "_FILE")
	switch {
	case direct && file:
		return Value{}, fmt.Errorf("secret: both %s and %s_FILE are set; keep one", name, name)
	case direct && value == "":
		return Value{}, fmt.Errorf("secret: %s is set but empty", name)
	case direct:
		return NewValue(value), nil
	case file:
		return File(path)
	}
	return Value{}, fmt.Errorf("%w: set %s or %s_FILE", ErrMissing, name, name)
}

// File reads a secret from a file, without the newline at its end.
func File(path string) (Value, error) {
	f, err := os.Open(path)
	if err != nil {
		return Value{}, fmt.Errorf("secret: %w", err)
	}
	defer func() { _ = f.Close() }() // only read from
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return Value{}, fmt.Errorf("secret: %w", err)
	}
	if len(data) > maxFile {
		return Value{}, fmt.Errorf("secret: %s has more than %d bytes: want a file with one secret", path, maxFile)
	}
	s := strings.TrimRight(string(data), "\r\n")
	if s == "" {
		return Value{}, fmt.Errorf("secret: %s is empty", path)
	}
	return NewValue(s), nil
}
