package flat

import (
	"fmt"

	"github.com/prodailabs/prodai/internal/vec"
	"github.com/prodailabs/prodai/retrieve/internal/snapshot"
)

// Errors of [Open].
var (
	// ErrFormat is wrapped by errors for a file that isn't a stored index, is cut off
	// or changed.
	ErrFormat = snapshot.ErrFormat
	// ErrVersion is wrapped by errors for an index that was stored by a later version,
	// or by a machine with another byte order.
	ErrVersion = snapshot.ErrVersion
)

const (
	kind    = "flat"
	version = 1
)

// Save writes the index to the file at path, in place of the one that was there. A
// crash leaves the old file or the new one. Searches go on meanwhile; changes wait.
func (x *Index) Save(path string) error {
	x.mu.RLock()
	defer x.mu.RUnlock()
	zero := int64(0)
	if x.o.AllowZero {
		zero = 1
	}
	ids := make([]int64, len(x.ids))
	for i, id := range x.ids {
		ids[i] = int64(id)
	}
	return snapshot.Save(path, kind, version,
		snapshot.Bytes([]int64{int64(x.dim), int64(x.o.Metric), zero, int64(len(ids))}), snapshot.Bytes(ids), snapshot.Bytes(x.rows))
}

// Open returns the index that [Index.Save] wrote. The file is mapped into memory where
// the system can do that: vectors are read from the disk when they are first used, and
// the first Add copies them. Options.Metric and AllowZero are those of the file; codes
// are made anew with Options.Codes. Open fails with [ErrFormat], [ErrVersion],
// [ErrOption], or the error of reading the file.
func Open(path string, o *Options) (*Index, error) {
	return snapshot.Load(path, kind, version, func(f *snapshot.File) (*Index, error) { return decode(f, o) })
}

func decode(f *snapshot.File, o *Options) (*Index, error) {
	head, err := snapshot.Numbers[int64](f, 0, 4)
	if err != nil {
		return nil, err
	}
	dim, n := head[0], head[3]
	if o == nil {
		o = &Options{}
	}
	own := *o
	own.Metric, own.AllowZero = Metric(head[1]), head[2] == 1
	if head[1] < 0 || head[1] > int64(MetricL2) || dim < 1 || dim > 1<<24 || n < 0 || n > 1<<40 {
		return nil, fmt.Errorf("%w: metric %d, %d vectors of %d elements", ErrFormat, head[1], n, dim)
	}
	x, err := New(int(dim), &own)
	if err != nil {
		return nil, err
	}
	ids, err := snapshot.Numbers[int64](f, 1, int(n))
	if err != nil {
		return nil, err
	}
	if x.rows, err = snapshot.Numbers[float32](f, 2, int(n*dim)); err != nil {
		return nil, err
	}
	x.ids = make([]int, n)
	for i, id := range ids {
		x.ids[i] = int(id)
		x.place[int(id)] = i
	}
	if len(x.place) != len(x.ids) {
		return nil, fmt.Errorf("%w: an id twice", ErrFormat)
	}
	if x.o.Codes == nil {
		return x, nil
	}
	for i := range x.ids {
		row := x.rows[i*x.dim:][:x.dim]
		if err := vec.Check(row, x.dim, MetricDot); err != nil {
			return nil, fmt.Errorf("%w: vector %d: %w", ErrFormat, x.ids[i], err)
		}
		if x.codes, err = x.o.Codes.Encode(x.codes, row); err != nil {
			return nil, err
		}
	}
	return x, nil
}
