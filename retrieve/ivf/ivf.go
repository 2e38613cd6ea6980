package ivf

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
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
	ErrOption = errors.New("ivf: invalid option")
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

	// Lists is the number of groups. More make a search faster at the same number of
	// vectors it looks at, and learning slower. Default: 2·√n, where n is the number
	// of vectors when the groups are learned.
	Lists int

	// Probes is how many lists a search looks at. More find more, more slowly.
	// Default: 4·√l, where l is the number of lists.
	Probes int

	// Codes makes a search compare short codes of the vectors of a list first, and rank
	// the best Rescore·k by the vectors themselves. The quantizer must be for vectors of
	// the same dimension, and be able to answer the metric; for MetricCosine, one that
	// is trained needs training vectors of length 1. Default: nil, the vectors are
	// compared.
	Codes vecquant.Quantizer

	// Rescore is how many times k candidates are ranked by the vectors themselves if
	// there are Codes. Default: 10.
	Rescore int

	// Rand chooses the first centers. The index uses it alone from then on. Default: a
	// generator with a fixed seed.
	Rand *rand.Rand
}

// A Hit is a vector's id and its score. It is an alias of a plain struct, so that
// an Index fits interfaces of packages that don't import this one.
type Hit = nearest.Hit

// An Index is a set of vectors in groups. It is safe for concurrent use.
type Index struct {
	dim int
	o   Options

	learning sync.Mutex // one learner at a time; guards o.Rand

	mu      sync.RWMutex
	centers []float32 // dim elements each; nil: not learned, and one list
	lists   []list
	place   map[int]spot
	next    int // the number of vectors at which the groups are learned
}

// A list has the vectors of a group.
type list struct {
	ids   []int
	rows  []float32
	codes []byte
}

// A spot is where a vector is.
type spot struct{ list, at int }

// learnFrom is how many vectors the groups are learned from first. Below, all vectors
// are compared.
const learnFrom = 1000

// growth is how many times more vectors than at the last time there are when the groups
// are learned anew.
const growth = 4

// New returns an empty index for vectors of dim elements, or an error that wraps
// [ErrOption].
func New(dim int, o *Options) (*Index, error) {
	x := &Index{dim: dim, place: map[int]spot{}, lists: make([]list, 1), next: learnFrom}
	if o != nil {
		x.o = *o
	}
	if x.o.Rescore == 0 {
		x.o.Rescore = 10
	}
	if x.o.Rand == nil {
		x.o.Rand = rand.New(rand.NewPCG(1, 1))
	}
	const most = 1 << 20
	switch {
	case dim < 1:
		return nil, fmt.Errorf("%w: dim is %d: want 1 or more", ErrOption, dim)
	case !x.o.Metric.Valid():
		return nil, fmt.Errorf("%w: Options.Metric is %v: want MetricCosine, MetricDot or MetricL2", ErrOption, x.o.Metric)
	case x.o.Lists < 0 || x.o.Lists > most:
		return nil, fmt.Errorf("%w: Options.Lists is %d: want 1 to %d, or 0 (the default)", ErrOption, x.o.Lists, most)
	case x.o.Probes < 0:
		return nil, fmt.Errorf("%w: Options.Probes is %d: want 1 or more, or 0 (the default)", ErrOption, x.o.Probes)
	case x.o.Rescore < 0:
		return nil, fmt.Errorf("%w: Options.Rescore is %d: want 1 or more, or 0 (the default, 10)", ErrOption, x.o.Rescore)
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
// there. It fails with [ErrDimension], [ErrNotFinite] or [ErrZero], and then changes
// nothing. The call with which the index reaches 1,000 vectors, or four times as many
// as when the groups were learned last, learns them, see [Index.Learn].
func (x *Index) Add(id int, vector []float32) error {
	v, err := nearest.Prepare(nil, vector, x.dim, x.o.Metric, false)
	if err != nil {
		return fmt.Errorf("ivf: add %d: %w", id, err)
	}
	var code []byte
	if x.o.Codes != nil {
		if code, err = x.o.Codes.Encode(nil, v); err != nil {
			return fmt.Errorf("ivf: add %d: %w", id, err)
		}
	}
	x.mu.Lock()
	x.remove(id)
	x.put(x.nearestList(v), id, v, code)
	learn := len(x.place) >= x.next
	x.mu.Unlock()
	if learn && x.learning.TryLock() {
		x.learn()
		x.learning.Unlock()
	}
	return nil
}

// nearestList returns the list whose center is nearest.
func (x *Index) nearestList(v []float32) int {
	if x.centers == nil {
		return 0
	}
	distances := make([]float32, len(x.lists))
	vec.L2Rows(v, x.centers, distances)
	at := 0
	for i, d := range distances {
		if d < distances[at] {
			at = i
		}
	}
	return at
}

func (x *Index) put(to, id int, v []float32, code []byte) {
	l := &x.lists[to]
	x.place[id] = spot{to, len(l.ids)}
	l.ids, l.rows, l.codes = append(l.ids, id), append(l.rows, v...), append(l.codes, code...)
}

// Remove removes a vector and reports whether it was there.
func (x *Index) Remove(id int) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.remove(id)
}

func (x *Index) remove(id int) bool {
	s, ok := x.place[id]
	if !ok {
		return false
	}
	l := &x.lists[s.list]
	last := len(l.ids) - 1 // the last one moves into the gap
	l.ids[s.at] = l.ids[last]
	copy(l.rows[s.at*x.dim:][:x.dim], l.rows[last*x.dim:])
	x.place[l.ids[s.at]] = s
	delete(x.place, id)
	l.ids, l.rows = l.ids[:last], l.rows[:last*x.dim]
	if x.o.Codes != nil {
		size := x.o.Codes.CodeSize()
		copy(l.codes[s.at*size:][:size], l.codes[last*size:])
		l.codes = l.codes[:last*size]
	}
	return true
}

// Len returns the number of vectors.
func (x *Index) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.place)
}

// Lists returns the number of groups: 1 until they are learned.
func (x *Index) Lists() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.lists)
}

// Get returns a copy of the vector of an id, and whether there is one. For the
// cosine it is scaled to length 1.
func (x *Index) Get(id int) ([]float32, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	s, ok := x.place[id]
	if !ok {
		return nil, false
	}
	return slices.Clone(x.lists[s.list].rows[s.at*x.dim:][:x.dim]), true
}

// probes returns how many lists a search looks at.
func (x *Index) probes(o *SearchOptions) int {
	switch {
	case o.Probes > 0:
		return o.Probes
	case x.o.Probes > 0:
		return x.o.Probes
	}
	return int(4 * math.Sqrt(float64(len(x.lists))))
}

// listsFor returns how many groups to make of n vectors.
func (x *Index) listsFor(n int) int {
	k := x.o.Lists
	if k == 0 {
		k = int(2 * math.Sqrt(float64(n)))
	}
	return max(1, min(k, n))
}
