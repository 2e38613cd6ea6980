package hnsw

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/prodailabs/prodai/internal/vec"
	"github.com/prodailabs/prodai/retrieve/internal/nearest"
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
	ErrOption = errors.New("hnsw: invalid option")
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

	// M is the number of links that a new vector gets in each layer, 2 to 512; in
	// the lowest layer it may come to have 2·M. More links find more in data of
	// many dimensions, and cost memory and time. Default: 16.
	M int

	// EFConstruction is how many candidates Add looks at to choose the links, M or
	// more. Higher builds a better graph, more slowly. Default: 200.
	EFConstruction int

	// EF is how many candidates a search keeps; it keeps k if that is more. Higher
	// finds more of the true nearest, more slowly. Default: 64.
	EF int

	// Int8 makes searches walk through the graph by 8-bit codes of the vectors, which
	// is a quarter of the memory to read, and then rank the best 4·k by the vectors
	// themselves. The graph is the same. The codes take dim + 8 bytes more for each
	// vector, rounded up to 16. Default: false, searches walk by the vectors.
	Int8 bool

	// Capacity is how many vectors to reserve memory for. Default: 0, memory grows
	// with the index, which copies the vectors now and then.
	Capacity int

	// Rand draws the layers of the vectors. The index uses it alone from then on.
	// Default: a generator with a fixed seed.
	Rand *rand.Rand
}

// A Hit is a vector's id and its score. It is an alias of a plain struct, so that
// an Index fits interfaces of packages that don't import this one.
type Hit = nearest.Hit

// An Index is a set of vectors with a graph to search it by. It is safe for
// concurrent use: searches run side by side, also while vectors are added.
type Index struct {
	dim int
	o   Options

	neverScan bool // for tests of the graph itself

	random sync.Mutex // guards o.Rand
	purge  sync.Mutex // one clean-up at a time
	pool   sync.Pool  // of *scratch

	mu     sync.RWMutex
	place  directory           // the slot of an id
	twins  map[uint32][]int    // by slot: further ids with the same vector
	slots  int                 // in use or free
	live   int                 // slots in state live
	rows   []float32           // dim elements for each slot; for the cosine, of length 1
	codes  []int8              // codeSize for each slot, if o.Int8
	base   []uint32            // 1 + 2M for each slot: number of links in layer 0, the links
	upper  map[uint32][]uint32 // of a slot in higher layers: the same for each of them, 1 + M
	level  []uint8             // by slot: the highest layer
	refs   []uint32            // by slot: links of layer 0 to it
	ids    []int64             // by slot: the id, or one of them if several ids have the vector
	state  []state             // by slot
	free   []uint32            // slots
	dead   int                 // slots in state dead or leaving
	top    int                 // the highest layer; -1: the index is empty
	entry  uint32              // a slot in the highest layer
	epoch  int                 // grows when slots become free
	adding map[*insertion]struct{}
}

// A state is what a slot contains.
type state uint8

const (
	stateFree    state = iota
	stateLive          // a vector that can be found
	stateDead          // a removed vector; searches still walk through it
	stateLeaving       // a vector that a clean-up is removing from the graph
)

// maxLevel is higher than any layer that is drawn in practice: a layer has 1/M of
// the vectors of the one below it.
const maxLevel = 31

// maxVectors is how many vectors slot numbers can count.
const maxVectors = 1<<31 - 1

// New returns an empty index for vectors of dim elements, or an error that wraps
// [ErrOption].
func New(dim int, o *Options) (*Index, error) {
	x := &Index{dim: dim, place: newDirectory(), top: -1, adding: map[*insertion]struct{}{}}
	if o != nil {
		x.o = *o
	}
	if x.o.M == 0 {
		x.o.M = 16
	}
	if x.o.EFConstruction == 0 {
		x.o.EFConstruction = max(200, x.o.M)
	}
	if x.o.EF == 0 {
		x.o.EF = 64
	}
	if x.o.Rand == nil {
		x.o.Rand = rand.New(rand.NewPCG(1, 1))
	}
	switch {
	case dim < 1:
		return nil, fmt.Errorf("%w: dim is %d: want 1 or more", ErrOption, dim)
	case !x.o.Metric.Valid():
		return nil, fmt.Errorf("%w: Options.Metric is %v: want MetricCosine, MetricDot or MetricL2", ErrOption, x.o.Metric)
	case x.o.M < 2 || x.o.M > 512:
		return nil, fmt.Errorf("%w: Options.M is %d: want 2 to 512, or 0 (the default, 16)", ErrOption, x.o.M)
	case x.o.EFConstruction < x.o.M:
		return nil, fmt.Errorf("%w: Options.EFConstruction is %d: want M (%d) or more, or 0 (the default, 200)", ErrOption, x.o.EFConstruction, x.o.M)
	case x.o.EF < 0:
		return nil, fmt.Errorf("%w: Options.EF is %d: want 1 or more, or 0 (the default, 64)", ErrOption, x.o.EF)
	case x.o.Capacity < 0 || x.o.Capacity > maxVectors:
		return nil, fmt.Errorf("%w: Options.Capacity is %d: want 0 to %d", ErrOption, x.o.Capacity, maxVectors)
	}
	x.pool.New = func() any { return &scratch{} }
	x.reset()
	return x, nil
}

// reset empties the index.
func (x *Index) reset() {
	n := x.o.Capacity
	x.rows = make([]float32, 0, n*x.dim)
	x.base = make([]uint32, 0, n*x.stride(0))
	if x.o.Int8 {
		x.codes = make([]int8, 0, n*x.codeSize())
	}
	x.upper, x.level, x.refs = map[uint32][]uint32{}, make([]uint8, 0, n), make([]uint32, 0, n)
	x.ids, x.state = make([]int64, 0, n), make([]state, 0, n)
	x.twins = map[uint32][]int{}
	x.free, x.dead, x.live, x.slots, x.top = nil, 0, 0, 0, -1
	x.epoch++
	for ins := range x.adding {
		ins.missed = nil
	}
}

// Add puts a copy of a vector into the index under id, in place of the one that was
// there. It fails with [ErrDimension], [ErrNotFinite] or [ErrZero], and then
// changes nothing. Called from several goroutines, it uses several processors.
func (x *Index) Add(id int, vector []float32) error {
	v, err := nearest.Prepare(nil, vector, x.dim, x.o.Metric, false)
	if err != nil {
		return fmt.Errorf("hnsw: add %d: %w", id, err)
	}
	x.insert(id, v)
	return nil
}

// Remove takes a vector out of the index and reports whether it was there. It is
// never found again. Walks still pass through it until a fifth of the vectors in
// the graph are removed ones. Then the call that reaches this limit cleans up, in
// small steps between which searches go on.
func (x *Index) Remove(id int) bool {
	x.mu.Lock()
	slot, ok := x.place.find(id)
	if ok {
		x.place.remove(id)
		x.drop(id, slot)
	}
	clean := x.mustClean()
	x.mu.Unlock()
	if clean {
		x.clean()
	}
	return ok
}

// drop removes an id from its slot. The slot becomes dead with its last id. If no
// live slot is left, the index starts anew.
func (x *Index) drop(id int, slot uint32) {
	if twins := x.twins[slot]; len(twins) > 0 {
		if x.ids[slot] == int64(id) {
			x.ids[slot] = int64(twins[len(twins)-1])
			twins = twins[:len(twins)-1]
		} else {
			twins = slices.DeleteFunc(twins, func(t int) bool { return t == id })
		}
		if x.twins[slot] = twins; len(twins) == 0 {
			delete(x.twins, slot)
		}
		return
	}
	x.state[slot] = stateDead
	x.dead++
	if x.live--; x.live == 0 {
		x.reset()
	}
}

func (x *Index) mustClean() bool { return x.dead > 32 && x.dead*4 > x.live }

// Len returns the number of vectors.
func (x *Index) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.place.len()
}

// Get returns a copy of the vector of an id, and whether there is one. For the
// cosine it is scaled to length 1.
func (x *Index) Get(id int) ([]float32, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	slot, ok := x.place.find(id)
	if !ok {
		return nil, false
	}
	return append([]float32(nil), x.row(slot)...), true
}

func (x *Index) row(slot uint32) []float32 { return x.rows[int(slot)*x.dim:][:x.dim] }

// capacity returns how many links a slot can have in a layer.
func (x *Index) capacity(level int) int {
	if level == 0 {
		return 2 * x.o.M
	}
	return x.o.M
}

// stride returns the length of a list of links with its counter.
func (x *Index) stride(level int) int { return 1 + x.capacity(level) }

// list returns a slot's list of links in a layer: the counter, the links, and free
// room.
func (x *Index) list(slot uint32, level int) []uint32 {
	n := x.stride(level)
	if level == 0 {
		return x.base[int(slot)*n:][:n:n]
	}
	return x.upper[slot][(level-1)*n:][:n:n]
}

// links returns a slot's links in a layer.
func (x *Index) links(slot uint32, level int) []uint32 {
	l := x.list(slot, level)
	return l[1:][:l[0]]
}

// drawLevel returns the highest layer of a new vector: l with probability
// (1-1/M)·M^-l.
func (x *Index) drawLevel() int {
	x.random.Lock()
	defer x.random.Unlock()
	u := 1 - x.o.Rand.Float64() // above 0
	return min(maxLevel, int(-math.Log(u)/math.Log(float64(x.o.M))))
}

// Dim returns the number of elements of a vector.
func (x *Index) Dim() int { return x.dim }

// Contains reports whether there is a vector under an id.
func (x *Index) Contains(id int) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	_, ok := x.place.find(id)
	return ok
}
