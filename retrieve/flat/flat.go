package flat

import (
	"errors"
	"fmt"
	"sync"

	"github.com/prodailabs/prodai/internal/vec"
	"github.com/prodailabs/prodai/retrieve/internal/nearest"
	"github.com/prodailabs/prodai/retrieve/vecquant"
)

// A Metric is the measure of how near two vectors are.
type Metric = vec.Metric

// The metrics and their scores: the larger, the nearer.
const (
	MetricCosine = vec.MetricCosine // the cosine of the angle, -1 to 1
	MetricDot    = vec.MetricDot    // the inner product
	MetricL2     = vec.MetricL2     // minus the squared Euclidean distance
)

// Errors of an [Index].
var (
	// ErrOption is wrapped by errors for options, and a k, that cannot work.
	ErrOption = errors.New("flat: invalid option")
	// ErrDimension is wrapped by errors for a vector of the wrong length.
	ErrDimension = vec.ErrDimension
	// ErrNotFinite is wrapped by errors for a vector with NaN or an infinity and,
	// unless the metric is the cosine, one so long (about 1e19) that scores overflow.
	ErrNotFinite = vec.ErrNotFinite
	// ErrZero is wrapped by errors for a zero vector where the metric is the cosine.
	ErrZero = vec.ErrZero
)

// Options configure an [Index].
type Options struct {
	// Metric is how nearness is measured. Default: MetricCosine.
	Metric Metric

	// AllowZero makes the cosine of a zero vector with any other 0. Default: false,
	// a zero vector is refused with ErrZero.
	AllowZero bool

	// Codes makes a search compare short codes of the vectors first, which takes a
	// fraction of the time, and rank the best Rescore·k by the vectors themselves.
	// The search is no longer exact. The quantizer must be for vectors of the same
	// dimension, and be able to answer the metric; for MetricCosine, one that is
	// trained needs training vectors of length 1. Default: nil, all vectors are
	// compared.
	Codes vecquant.Quantizer

	// Rescore is how many times k candidates are ranked by the vectors themselves if
	// there are Codes. Binary codes need more than others. Default: 10.
	Rescore int
}

// A Hit is a vector's id and its score. It is an alias of a plain struct, so that
// an Index fits interfaces of packages that don't import this one.
type Hit = nearest.Hit

// An Index is a set of vectors that is searched by comparing all of them. It is
// safe for concurrent use.
type Index struct {
	dim int
	o   Options

	mu    sync.RWMutex
	rows  []float32   // dim elements each; for the cosine, of length 1
	ids   []int       // of the rows
	codes []byte      // of the rows, if there are Options.Codes
	place map[int]int // row of an id
}

// New returns an empty index for vectors of dim elements, or an error that wraps
// [ErrOption].
func New(dim int, o *Options) (*Index, error) {
	x := &Index{dim: dim, place: map[int]int{}}
	if o != nil {
		x.o = *o
	}
	if dim < 1 {
		return nil, fmt.Errorf("%w: dim is %d: want 1 or more", ErrOption, dim)
	}
	if !x.o.Metric.Valid() {
		return nil, fmt.Errorf("%w: Options.Metric is %v: want MetricCosine, MetricDot or MetricL2", ErrOption, x.o.Metric)
	}
	if x.o.Rescore < 0 {
		return nil, fmt.Errorf("%w: Options.Rescore is %d: want 1 or more, or 0 (the default, 10)", ErrOption, x.o.Rescore)
	}
	if x.o.Rescore == 0 {
		x.o.Rescore = 10
	}
	if x.o.Codes != nil {
		probe := make([]float32, dim)
		probe[0] = 1
		if _, err := x.o.Codes.Query(probe, x.o.Metric); err != nil {
			return nil, fmt.Errorf("%w: Options.Codes: %w", ErrOption, err)
		}
	}
	return x, nil
}

// Add puts a copy of a vector into the index under id, in place of the one that was
// there. It fails with [ErrDimension], [ErrNotFinite] or [ErrZero], and then
// changes nothing.
func (x *Index) Add(id int, vector []float32) error {
	v, err := nearest.Prepare(nil, vector, x.dim, x.o.Metric, x.o.AllowZero)
	if err != nil {
		return fmt.Errorf("flat: add %d: %w", id, err)
	}
	var code []byte
	if x.o.Codes != nil {
		if code, err = x.o.Codes.Encode(nil, v); err != nil {
			return fmt.Errorf("flat: add %d: %w", id, err)
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	at, ok := x.place[id]
	if !ok {
		x.place[id] = len(x.ids)
		x.ids, x.rows, x.codes = append(x.ids, id), append(x.rows, v...), append(x.codes, code...)
		return nil
	}
	copy(x.rows[at*x.dim:], v)
	copy(x.codes[at*len(code):], code)
	return nil
}

// Remove removes a vector and reports whether it was there.
func (x *Index) Remove(id int) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	at, ok := x.place[id]
	if !ok {
		return false
	}
	// The last row moves into the gap.
	last := len(x.ids) - 1
	copy(x.rows[at*x.dim:][:x.dim], x.rows[last*x.dim:])
	x.ids[at] = x.ids[last]
	x.place[x.ids[at]] = at
	delete(x.place, id)
	x.ids, x.rows = x.ids[:last], x.rows[:last*x.dim]
	if x.o.Codes != nil {
		size := x.o.Codes.CodeSize()
		copy(x.codes[at*size:][:size], x.codes[last*size:])
		x.codes = x.codes[:last*size]
	}
	return true
}

// Len returns the number of vectors.
func (x *Index) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.ids)
}

// Get returns a copy of the vector of an id, and whether there is one. For the
// cosine it is scaled to length 1.
func (x *Index) Get(id int) ([]float32, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	at, ok := x.place[id]
	if !ok {
		return nil, false
	}
	return append([]float32(nil), x.rows[at*x.dim:][:x.dim]...), true
}

// scanRows is how many rows are scored before their scores are looked at: so many
// fit into the processor's first cache.
const scanRows = 256

// Search returns the k nearest vectors, best first, ties by the lower id; fewer if
// there are fewer. With Options.Codes it may miss some. allowed, if it is not nil,
// reports whether an id may be found; it must not call methods of the index. It
// fails with [ErrOption], [ErrDimension], [ErrNotFinite] or [ErrZero].
func (x *Index) Search(query []float32, k int, allowed func(id int) bool) ([]Hit, error) {
	if k < 1 {
		return nil, fmt.Errorf("%w: k is %d: want 1 or more", ErrOption, k)
	}
	q, err := nearest.Prepare(nil, query, x.dim, x.o.Metric, x.o.AllowZero)
	if err != nil {
		return nil, fmt.Errorf("flat: query: %w", err)
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.o.Codes != nil && k < len(x.ids)/x.o.Rescore {
		return x.searchCodes(q, k, allowed)
	}
	best := nearest.Best{K: k}
	var scores [scanRows]float32
	var rows [scanRows]uint32
	for from := 0; from < len(x.ids); from += scanRows {
		n := min(scanRows, len(x.ids)-from)
		if allowed == nil {
			nearest.Scores(x.o.Metric, q, x.rows[from*x.dim:], nil, scores[:n])
			offer(&best, x.ids[from:from+n], scores[:n])
			continue
		}
		picked := rows[:0]
		for i, id := range x.ids[from : from+n] {
			if allowed(id) {
				picked = append(picked, uint32(from+i))
			}
		}
		x.exact(&best, q, picked, scores[:len(picked)])
	}
	return best.Hits(), nil
}

// exact computes the exact scores of rows and offers them.
func (x *Index) exact(best *nearest.Best, q []float32, rows []uint32, scores []float32) {
	nearest.Scores(x.o.Metric, q, x.rows, rows, scores)
	for i, row := range rows {
		best.Offer(x.ids[row], scores[i])
	}
}

func offer(best *nearest.Best, ids []int, scores []float32) {
	for i, s := range scores {
		if bar, full := best.Bar(); !full || s >= bar {
			best.Offer(ids[i], s)
		}
	}
}

// searchCodes finds candidates by their codes, and ranks them by the vectors.
func (x *Index) searchCodes(q []float32, k int, allowed func(id int) bool) ([]Hit, error) {
	scorer, err := x.o.Codes.Query(q, x.o.Metric)
	if err != nil {
		return nil, fmt.Errorf("flat: query: %w", err)
	}
	size := x.o.Codes.CodeSize()
	candidates := nearest.Top{K: k * x.o.Rescore}
	var scores [scanRows]float32
	for from := 0; from < len(x.ids); from += scanRows {
		n := min(scanRows, len(x.ids)-from)
		if err := scorer.Scores(x.codes[from*size:][:n*size], scores[:n]); err != nil {
			return nil, fmt.Errorf("flat: query: %w", err)
		}
		bar, full := candidates.Bar()
		for i, s := range scores[:n] {
			if full && s <= bar {
				continue // rows come in order, so of equal ones the first is kept
			}
			if allowed == nil || allowed(x.ids[from+i]) {
				candidates.Add(uint32(from+i), s)
				bar, full = candidates.Bar()
			}
		}
	}
	best := nearest.Best{K: k}
	rows := candidates.Rows()
	x.exact(&best, q, rows, make([]float32, len(rows)))
	return best.Hits(), nil
}
