package flood

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// ErrBomb reports compressed data that grow beyond their limits.
var ErrBomb = errors.New("flood: the compressed data grow beyond their limits")

// GunzipOptions bound decompression. The zero value works.
type GunzipOptions struct {
	// MaxBytes is how many bytes may come out. Default: 10 MiB.
	MaxBytes int64

	// MaxRatio is how many bytes may come out for each that goes in, once more
	// than 64 KiB came out. Default: 100.
	MaxRatio float64
}

// NewGunzip returns a reader of gzip data that fails with [ErrBomb] before more
// than the limits admit has been read. A thousand zeros fit into a byte of
// DEFLATE, so ten megabytes of upload can need ten gigabytes of memory. A nil
// reader and a negative limit are errors that wrap [ErrOption].
func NewGunzip(r io.Reader, o *GunzipOptions) (io.Reader, error) {
	g := &gunzip{}
	if o != nil {
		g.o = *o
	}
	switch {
	case r == nil:
		return nil, fmt.Errorf("%w: the reader is nil", ErrOption)
	case g.o.MaxBytes < 0:
		return nil, fmt.Errorf("%w: GunzipOptions.MaxBytes is %d: want 0 (the default, 10 MiB) or more", ErrOption, g.o.MaxBytes)
	case !(g.o.MaxRatio >= 0): // NaN neither
		return nil, fmt.Errorf("%w: GunzipOptions.MaxRatio is %v: want 0 (the default, 100) or more", ErrOption, g.o.MaxRatio)
	}
	if g.o.MaxBytes == 0 {
		g.o.MaxBytes = 10 << 20
	}
	if g.o.MaxRatio == 0 {
		g.o.MaxRatio = 100
	}
	g.in.r = r
	zr, err := gzip.NewReader(&g.in)
	if err != nil {
		return nil, err
	}
	g.r = zr
	return g, nil
}

type gunzip struct {
	o   GunzipOptions
	in  countingReader
	r   io.Reader
	out int64
}

func (g *gunzip) Read(b []byte) (int, error) {
	n, err := g.r.Read(b)
	g.out += int64(n)
	// What was read ahead counts as input, which only favors the sender.
	if g.out > g.o.MaxBytes || g.out > 64<<10 && float64(g.out) > g.o.MaxRatio*float64(g.in.n) {
		return 0, ErrBomb
	}
	return n, err
}

type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}
