package hnsw

import (
	"fmt"
	"math/rand/v2"
	"slices"

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
	kind    = "hnsw"
	version = 1
)

// The sections of the file.
const (
	headSection = iota
	rowSection
	codeSection
	baseSection
	upperSection
	levelSection
	stateSection
	idSection
	twinSection // pairs of slot and id
)

// The numbers of the head.
const (
	headDim = iota
	headMetric
	headM
	headInt8
	headSlots
	headEntry
	headEF
	headEFConstruction
	headNumbers
)

// Save writes the index with its graph to the file at path, in place of the one that
// was there. A crash leaves the old file or the new one. Searches go on meanwhile;
// changes wait.
func (x *Index) Save(path string) error {
	x.mu.RLock()
	defer x.mu.RUnlock()
	head := make([]int64, headNumbers)
	head[headDim], head[headMetric], head[headM] = int64(x.dim), int64(x.o.Metric), int64(x.o.M)
	head[headSlots], head[headEF], head[headEFConstruction] = int64(x.slots), int64(x.o.EF), int64(x.o.EFConstruction)
	head[headEntry] = -1
	if x.top >= 0 {
		head[headEntry] = int64(x.entry)
	}
	if x.o.Int8 {
		head[headInt8] = 1
	}
	var twins []int64
	for slot, more := range x.twins {
		for _, id := range more {
			twins = append(twins, int64(slot), int64(id))
		}
	}
	var upper []uint32
	for slot := range uint32(x.slots) {
		upper = append(upper, x.upper[slot]...)
	}
	return snapshot.Save(path, kind, version, snapshot.Bytes(head), snapshot.Bytes(x.rows), snapshot.Bytes(x.codes), snapshot.Bytes(x.base),
		snapshot.Bytes(upper), snapshot.Bytes(x.level), snapshot.Bytes(x.state), snapshot.Bytes(x.ids), snapshot.Bytes(twins))
}

// Open returns the index that [Index.Save] wrote, without building the graph again.
// The file is mapped into memory where the system can do that: it is checked once, and
// then read from the disk where searches walk. The first Add copies it. Options.Metric,
// M and Int8 are those of the file, and so are EF and EFConstruction if they are 0. Open
// fails with [ErrFormat], [ErrVersion], [ErrOption], or the error of reading the file.
func Open(path string, o *Options) (*Index, error) {
	return snapshot.Load(path, kind, version, func(f *snapshot.File) (*Index, error) { return decode(f, o) })
}

func decode(f *snapshot.File, o *Options) (*Index, error) {
	head, err := snapshot.Numbers[int64](f, headSection, headNumbers)
	if err != nil {
		return nil, err
	}
	own := Options{}
	if o != nil {
		own = *o
	}
	own.Metric, own.M, own.Int8 = Metric(head[headMetric]), int(head[headM]), head[headInt8] == 1
	if own.EF == 0 {
		own.EF = int(head[headEF])
	}
	if own.EFConstruction == 0 {
		own.EFConstruction = int(head[headEFConstruction])
	}
	own.Capacity = 0
	dim, slots := head[headDim], head[headSlots]
	if dim < 1 || dim > 1<<24 || slots < 0 || slots > maxVectors || head[headMetric] < 0 || head[headMetric] > int64(MetricL2) {
		return nil, fmt.Errorf("%w: %d vectors of %d elements, metric %d", ErrFormat, slots, dim, head[headMetric])
	}
	if own.Rand == nil {
		own.Rand = rand.New(rand.NewPCG(1, uint64(slots)+2)) // not the layers of the first vectors again
	}
	x, err := New(int(dim), &own)
	if err != nil {
		return nil, err
	}
	x.slots = int(slots)
	if err := x.sections(f); err != nil {
		return nil, err
	}
	if err := x.validate(head[headEntry]); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return x, nil
}

// sections sets the parts of the index from the file.
func (x *Index) sections(f *snapshot.File) error {
	n := x.slots
	var err error
	if x.rows, err = snapshot.Numbers[float32](f, rowSection, n*x.dim); err != nil {
		return err
	}
	codes := 0
	if x.o.Int8 {
		codes = n * x.codeSize()
	}
	if x.codes, err = snapshot.Numbers[int8](f, codeSection, codes); err != nil {
		return err
	}
	if x.base, err = snapshot.Numbers[uint32](f, baseSection, n*x.stride(0)); err != nil {
		return err
	}
	if x.level, err = snapshot.Numbers[uint8](f, levelSection, n); err != nil {
		return err
	}
	if x.state, err = snapshot.Numbers[state](f, stateSection, n); err != nil {
		return err
	}
	if x.ids, err = snapshot.Numbers[int64](f, idSection, n); err != nil {
		return err
	}
	twins, err := snapshot.All[int64](f, twinSection)
	if err != nil {
		return err
	}
	upper, err := snapshot.All[uint32](f, upperSection)
	if err != nil {
		return err
	}
	x.refs = make([]uint32, n) // not before the file is known to have n vectors
	live := make([]uint32, 0, n)
	for slot, s := range x.state {
		switch s {
		case stateFree:
			x.free = append(x.free, uint32(slot))
			continue
		case stateLive:
			live = append(live, uint32(slot))
		case stateDead, stateLeaving: // of a clean-up that the file doesn't know
			x.state[slot] = stateDead
			x.dead++
		default:
			return fmt.Errorf("%w: a vector is in state %d", ErrFormat, s)
		}
		size := int(x.level[slot]) * x.stride(1)
		if size > len(upper) {
			return fmt.Errorf("%w: the links of the upper layers are cut off", ErrFormat)
		}
		if size > 0 {
			x.upper[uint32(slot)], upper = upper[:size:size], upper[size:]
		}
	}
	if len(upper) > 0 || len(twins)%2 != 0 {
		return fmt.Errorf("%w: numbers that belong to no vector", ErrFormat)
	}
	x.live = len(live)
	if x.place, err = openDirectory(live, x.ids); err != nil {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	for pair := range slices.Chunk(twins, 2) {
		if pair[0] < 0 || pair[0] >= int64(n) || x.state[pair[0]] != stateLive {
			return fmt.Errorf("%w: a copy of no vector", ErrFormat)
		}
		x.twins[uint32(pair[0])] = append(x.twins[uint32(pair[0])], int(pair[1]))
		x.place.set(int(pair[1]), uint32(pair[0]))
	}
	if x.place.len() != x.live+len(twins)/2 {
		return fmt.Errorf("%w: an id twice", ErrFormat)
	}
	return nil
}

// validate checks that no walk leaves the graph, and counts the references.
func (x *Index) validate(entry int64) error {
	if x.live+x.dead == 0 {
		return nil
	}
	if entry < 0 || entry >= int64(x.slots) || x.state[entry] == stateFree || x.live == 0 {
		return fmt.Errorf("the entry is %d", entry)
	}
	x.entry = uint32(entry)
	x.top = int(x.level[entry])
	for slot, st := range x.state {
		if st == stateFree {
			if x.base[slot*x.stride(0)] != 0 {
				return fmt.Errorf("slot %d is free and has links", slot)
			}
			continue
		}
		if int(x.level[slot]) > min(x.top, maxLevel) {
			return fmt.Errorf("slot %d is in layer %d of %d", slot, x.level[slot], x.top)
		}
		for level := range int(x.level[slot]) + 1 {
			list := x.list(uint32(slot), level)
			if int(list[0]) > x.capacity(level) {
				return fmt.Errorf("slot %d has %d links", slot, list[0])
			}
			for _, l := range list[1:][:list[0]] {
				if int(l) >= x.slots || x.state[l] == stateFree || int(x.level[l]) < level || int(l) == slot {
					return fmt.Errorf("slot %d has a link to %d", slot, l)
				}
				if level == 0 {
					x.refs[l]++
				}
			}
		}
	}
	return nil
}
