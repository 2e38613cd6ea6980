package ivf

import (
	"fmt"
	"slices"

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
	kind    = "ivf"
	version = 1
)

// Save writes the index with its groups to the file at path, in place of the one that
// was there. A crash leaves the old file or the new one. Searches go on meanwhile;
// changes wait.
func (x *Index) Save(path string) error {
	x.mu.RLock()
	defer x.mu.RUnlock()
	n := len(x.place)
	sizes, ids, rows := make([]int64, len(x.lists)), make([]int64, 0, n), make([]float32, 0, n*x.dim)
	for i, l := range x.lists {
		sizes[i] = int64(len(l.ids))
		for _, id := range l.ids {
			ids = append(ids, int64(id))
		}
		rows = append(rows, l.rows...)
	}
	head := []int64{int64(x.dim), int64(x.o.Metric), int64(x.o.Lists), int64(x.o.Probes), int64(x.next)}
	return snapshot.Save(path, kind, version, snapshot.Bytes(head), snapshot.Bytes(x.centers), snapshot.Bytes(sizes), snapshot.Bytes(ids), snapshot.Bytes(rows))
}

// Open returns the index that [Index.Save] wrote, without learning its groups again. The
// file is mapped into memory where the system can do that: a search reads only the
// lists it looks at. Options.Metric is that of the file, and so are Lists and Probes if
// they are 0; codes are made anew with Options.Codes. Open fails with [ErrFormat],
// [ErrVersion], [ErrOption], or the error of reading the file.
func Open(path string, o *Options) (*Index, error) {
	return snapshot.Load(path, kind, version, func(f *snapshot.File) (*Index, error) { return decode(f, o) })
}

func decode(f *snapshot.File, o *Options) (*Index, error) {
	head, err := snapshot.Numbers[int64](f, 0, 5)
	if err != nil {
		return nil, err
	}
	own := Options{}
	if o != nil {
		own = *o
	}
	dim := head[0]
	if dim < 1 || dim > 1<<24 || head[1] < 0 || head[1] > int64(MetricL2) || head[4] < 1 {
		return nil, fmt.Errorf("%w: %d elements, metric %d", ErrFormat, dim, head[1])
	}
	own.Metric = Metric(head[1])
	if own.Lists == 0 {
		own.Lists = int(head[2])
	}
	if own.Probes == 0 {
		own.Probes = int(head[3])
	}
	x, err := New(int(dim), &own)
	if err != nil {
		return nil, err
	}
	x.next = int(head[4])
	sizes, err := snapshot.All[int64](f, 2)
	if err != nil {
		return nil, err
	}
	ids, err := snapshot.All[int64](f, 3)
	if err != nil {
		return nil, err
	}
	rows, err := snapshot.Numbers[float32](f, 4, len(ids)*x.dim)
	if err != nil {
		return nil, err
	}
	if x.centers, err = snapshot.All[float32](f, 1); err != nil {
		return nil, err
	}
	if learned := len(x.centers) > 0; len(sizes) == 0 || learned && len(x.centers) != len(sizes)*x.dim || !learned && len(sizes) != 1 {
		return nil, fmt.Errorf("%w: %d lists and %d elements of centers", ErrFormat, len(sizes), len(x.centers))
	}
	x.lists = make([]list, len(sizes))
	for i, size := range sizes {
		if size < 0 || size > int64(len(ids)) {
			return nil, fmt.Errorf("%w: list %d has %d vectors, %d are left", ErrFormat, i, size, len(ids))
		}
		if err := x.fill(i, ids[:size], rows[:int(size)*x.dim]); err != nil {
			return nil, err
		}
		ids, rows = ids[size:], rows[int(size)*x.dim:]
	}
	if len(ids) > 0 {
		return nil, fmt.Errorf("%w: %d vectors in no list", ErrFormat, len(ids))
	}
	return x, nil
}

// fill gives a list the vectors of the file.
func (x *Index) fill(at int, ids []int64, rows []float32) error {
	l := &x.lists[at]
	l.rows = slices.Clip(rows)
	l.ids = make([]int, len(ids))
	for i, id := range ids {
		if _, twice := x.place[int(id)]; twice {
			return fmt.Errorf("%w: the id %d twice", ErrFormat, id)
		}
		l.ids[i] = int(id)
		x.place[int(id)] = spot{at, i}
		if x.o.Codes == nil {
			continue
		}
		row := rows[i*x.dim:][:x.dim]
		err := vec.Check(row, x.dim, MetricDot)
		if err == nil {
			l.codes, err = x.o.Codes.Encode(l.codes, row)
		}
		if err != nil {
			return fmt.Errorf("%w: vector %d: %w", ErrFormat, id, err)
		}
	}
	return nil
}
