package flood

import (
	"compress/gzip"
	"errors"
	"io"
)

// ErrBomb says that compressed data grow beyond their limits.
var ErrBomb = errors.New("flood: the compressed data grow beyond their limits")

// A GunzipOptions bounds decompression.
type GunzipOptions struct {
	MaxBytes int64   // of output; 0: 10 MiB
	MaxRatio float64 // of output to input, once there are more than 64 KiB of output; 0: 100
}

// NewGunzip returns a reader of gzip data that fails with [ErrBomb] before more
// than the limits admit has been read. A thousand zeros fit into a byte of
// DEFLATE, so ten megabytes of upload are ten gigabytes of memory to who doesn't
// look.
func NewGunzip(r io.Reader, l *GunzipOptions) (io.Reader, error) {
	g := &gunzip{l: GunzipOptions{MaxBytes: 10 << 20, MaxRatio: 100}}
	if l != nil && l.MaxBytes > 0 {
		g.l.MaxBytes = l.MaxBytes
	}
	if l != nil && l.MaxRatio > 0 {
		g.l.MaxRatio = l.MaxRatio
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
	l   GunzipOptions
	in  countingReader
	r   io.Reader
	out int64
}

func (g *gunzip) Read(b []byte) (int, error) {
	n, err := g.r.Read(b)
	g.out += int64(n)
	// What was read ahead counts as input, which only favours the sender.
	if g.out > g.l.MaxBytes || g.out > 64<<10 && float64(g.out) > g.l.MaxRatio*float64(g.in.n) {
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
