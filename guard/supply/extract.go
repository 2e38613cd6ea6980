package supply

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"

	"github.com/prodailabs/prodai/guard/sink"
)

// ErrArchive reports an archive that [Extract] refuses: a name that leaves the folder, a
// link, a file that exists already, or more bytes than allowed.
var ErrArchive = errors.New("supply: the archive is refused")

// ExtractOptions configure [Extract].
type ExtractOptions struct {
	// MaxBytes bounds the sum of what is written. Default: 16 GiB.
	MaxBytes int64

	// MaxMembers bounds the files. Default: 10,000.
	MaxMembers int
}

// Extract unpacks a zip archive into a folder, which must exist. All names are checked
// before the first file is written, and each file is opened inside of [os.Root], so
// neither a name nor a link that is already in the folder leads out of it. An existing
// file is never replaced. What is refused is an error that wraps [ErrArchive]; files
// that were written before it stay.
func Extract(ctx context.Context, r io.ReaderAt, size int64, dir string, o *ExtractOptions) error {
	if r == nil || dir == "" {
		return fmt.Errorf("%w: the reader is nil or the folder is empty", ErrOption)
	}
	if o == nil {
		o = &ExtractOptions{}
	}
	if o.MaxBytes < 0 || o.MaxMembers < 0 {
		return fmt.Errorf("%w: MaxBytes is %d and MaxMembers %d: want 0 (the default) or more", ErrOption, o.MaxBytes, o.MaxMembers)
	}
	left, members := o.MaxBytes, o.MaxMembers
	if left == 0 {
		left = 16 << 30
	}
	if members == 0 {
		members = 10_000
	}
	z, err := zip.NewReader(r, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return fmt.Errorf("%w: %w", ErrArchive, err)
	}
	if len(z.File) > members {
		return fmt.Errorf("%w: it has %d members: want at most %d", ErrArchive, len(z.File), members)
	}
	for _, f := range z.File {
		if _, err := sink.CleanPath(f.Name); err != nil {
			return fmt.Errorf("%w: %q: %w", ErrArchive, f.Name, err)
		}
		if !f.Mode().IsDir() && !f.Mode().IsRegular() {
			return fmt.Errorf("%w: %q is a link or a device", ErrArchive, f.Name)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	for _, f := range z.File {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := unpack(ctx, root, f, left)
		if err != nil {
			return err
		}
		left -= n
	}
	return nil
}

func unpack(ctx context.Context, root *os.Root, f *zip.File, left int64) (int64, error) {
	name, err := sink.CleanPath(f.Name)
	if err != nil {
		return 0, fmt.Errorf("%w: %q: %w", ErrArchive, f.Name, err)
	}
	if f.Mode().IsDir() {
		return 0, root.MkdirAll(name, 0o755)
	}
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return 0, fmt.Errorf("%w: %q: %w", ErrArchive, name, err)
	}
	in, err := f.Open()
	if err != nil {
		return 0, fmt.Errorf("%w: %q: %w", ErrArchive, name, err)
	}
	defer func() { _ = in.Close() }()
	out, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return 0, fmt.Errorf("%w: %q: %w", ErrArchive, name, err)
	}
	// One byte more than allowed is read, so that too much is noticed: the size in the
	// archive's directory may be false.
	budget := left + 1
	n, err := io.Copy(out, &metered{ctx: ctx, r: in, left: &budget})
	err = errors.Join(err, out.Close())
	if n > left {
		return n, fmt.Errorf("%w: its files have more bytes than allowed", ErrArchive)
	}
	if err != nil {
		return n, fmt.Errorf("%w: %q: %w", ErrArchive, name, err)
	}
	return n, nil
}
