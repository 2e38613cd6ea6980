package retrieve

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/prodailabs/prodai/retrieve/flat"
	"github.com/prodailabs/prodai/retrieve/hnsw"
)

// A step is a change with the numbers of the passages. Numbers depend only on the
// changes of the file so far, so that a stored index fits the collection that is read
// again.
type step struct {
	put     []*passage
	removed []*passage
	free    []int // after the step
	slots   int   // after the step
	dim     int
}

// plan gives the passages of a change their numbers, none of which is that of a passage
// it removes. Nothing is changed yet.
func (c *Collection) plan(ch *change) (*step, error) {
	s := &step{free: c.free, slots: len(c.slots), dim: c.dim}
	if ch.Free != nil {
		if err := c.checkNumbers(ch.Free); err != nil {
			return nil, err
		}
		s.free, s.slots = ch.Free, len(ch.Free)
	}
	gone := map[string]bool{}
	remove := func(id string) {
		if p := c.passages[id]; p != nil && !gone[id] {
			gone[id] = true
			s.removed = append(s.removed, p)
		}
	}
	for _, id := range ch.Delete {
		remove(id)
	}
	at := map[string]int{}
	for _, p := range ch.Put {
		if p == nil {
			return nil, errors.New("a passage is null")
		}
		if s.dim == 0 {
			s.dim = len(p.Vector) / 4
		}
		if len(p.Vector) != 4*s.dim || s.dim == 0 {
			return nil, fmt.Errorf("%w: a vector of %d bytes, want %d", ErrEmbedder, len(p.Vector), 4*s.dim)
		}
		v := p.vector()
		if err := checkVector(v, s.dim); err != nil {
			return nil, err
		}
		if err := checkWeights(p.Weights); err != nil {
			return nil, err
		}
		p.zero = !slices.ContainsFunc(v, func(e float32) bool { return e != 0 })
		p.access = accessOf(p.Meta)
		remove(p.ID)
		if i, twice := at[p.ID]; twice { // the last one counts
			p.number = s.put[i].number
			s.put[i] = p
			continue
		}
		at[p.ID] = len(s.put)
		if n := len(s.free); n > 0 {
			p.number, s.free = s.free[n-1], s.free[:n-1]
		} else {
			p.number = s.slots
			s.slots++
		}
		s.put = append(s.put, p)
	}
	s.free = slices.Clone(s.free)
	for _, p := range s.removed {
		s.free = append(s.free, p.number)
	}
	return s, nil
}

// checkNumbers checks the numbers of a compacted file: each is there once.
func (c *Collection) checkNumbers(free []int) error {
	seen := make([]bool, len(free))
	for _, n := range free {
		if len(c.slots) > 0 || n < 0 || n >= len(free) || seen[n] {
			return errors.New("the numbers of the passages are not in order")
		}
		seen[n] = true
	}
	return nil
}

// commit writes a change to the file and then to memory. Searches see all of it or
// nothing, and go on while the vectors are added to the index.
func (c *Collection) commit(ch *change) error {
	if len(ch.Put) == 0 && len(ch.Delete) == 0 {
		return nil
	}
	if c.journal != nil && c.journal.readOnly {
		return fmt.Errorf("%w: %s", ErrReadOnly, c.journal.path)
	}
	s, err := c.plan(ch)
	if err != nil {
		return err
	}
	if err := c.addVectors(s); err != nil {
		c.takeBack(s)
		return err
	}
	if c.journal != nil {
		if err := c.journal.append(ch); err != nil {
			c.takeBack(s)
			return err
		}
	}
	c.install(s)
	if err := c.grow(); err != nil {
		return nil //nolint:nilerr // the change is made; the exact index goes on to answer
	}
	if err := c.compactIfWorthIt(); err != nil {
		return nil //nolint:nilerr // the change is made and the old file whole
	}
	if c.unsaved > len(c.passages)/2 {
		c.saveIndex()
	}
	return nil
}

func (c *Collection) setMoving(moving bool) {
	c.mu.Lock()
	c.moving = moving
	c.mu.Unlock()
}

// addVectors adds the new vectors to the index. No search returns them yet, since their
// numbers are those of no passage.
func (c *Collection) addVectors(s *step) error {
	if c.index == nil {
		if s.dim == 0 {
			return nil
		}
		x, err := c.newIndex(s.dim, len(s.put))
		if err != nil {
			return err
		}
		c.mu.Lock()
		c.index = x
		c.mu.Unlock()
	}
	c.setMoving(true)
	if len(s.put) >= 64 {
		return fill(c.index, s.put)
	}
	for _, p := range s.put {
		if p.zero {
			continue
		}
		if err := c.index.Add(p.number, p.vector()); err != nil {
			return fmt.Errorf("retrieve: index: %w", err)
		}
	}
	return nil
}

func (c *Collection) takeBack(s *step) {
	if c.index == nil {
		return
	}
	for _, p := range s.put {
		c.index.Remove(p.number)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.moving = false
	if c.dim == 0 { // its dimension is that of vectors which were not added
		c.index = nil
	}
}

// install makes a change in memory whose vectors are in the index.
func (c *Collection) install(s *step) {
	c.mu.Lock()
	c.replace(s)
	c.mu.Unlock()
	for _, p := range s.removed {
		c.index.Remove(p.number)
	}
	c.setMoving(false)
	c.unsaved += len(s.put) + len(s.removed)
}

// replace makes a change in memory, without the index. It is called under c.mu.
func (c *Collection) replace(s *step) {
	c.dim = s.dim
	for _, p := range s.removed {
		delete(c.passages, p.ID)
		c.slots[p.number] = nil
		if p.access.limits() {
			c.limited--
		}
		if c.o.Words != nil && !c.wordless {
			c.o.Words.Remove(p.number)
		}
		c.dead++
	}
	for len(c.slots) < s.slots {
		c.slots = append(c.slots, nil)
	}
	for _, p := range s.put {
		c.slots[p.number] = p
		c.passages[p.ID] = p
		if p.access.limits() {
			c.limited++
		}
		if c.o.Words != nil && !c.wordless {
			c.addWords(p)
		}
	}
	c.free = s.free
}

// apply makes a change of the file in memory, while the file is read.
func (c *Collection) apply(ch *change) error {
	s, err := c.plan(ch)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.replace(s)
	c.mu.Unlock()
	if c.index == nil {
		return nil
	}
	for _, p := range s.removed {
		c.index.Remove(p.number)
	}
	return fill(c.index, s.put)
}

// build makes the index of a collection that was read, unless a stored one was taken
// and still has the right kind. It reports whether it made one.
func (c *Collection) build() (bool, error) {
	_, isFlat := c.index.(*flat.Index)
	_, isGraph := c.index.(*hnsw.Index)
	large := len(c.passages) >= c.flatUntil
	if c.dim == 0 || c.index != nil && c.o.Index == nil && (large && isGraph || !large && isFlat) {
		return false, nil
	}
	x, err := c.newIndex(c.dim, len(c.passages))
	if err != nil {
		return false, err
	}
	if err := fill(x, c.present()); err != nil {
		return false, err
	}
	c.mu.Lock()
	c.index = x
	c.mu.Unlock()
	return true, nil
}

// buildWords adds the passages of a collection that was read to the words, unless these
// were restored, and reports whether it did.
func (c *Collection) buildWords() bool {
	if !c.wordless || c.o.Words == nil {
		c.wordless = false
		return false
	}
	for _, p := range c.present() {
		c.addWords(p)
	}
	c.wordless = false
	return true
}

// compactFrom is how many removed passages a file has at least when it is compacted.
const compactFrom = 100

// compactIfWorthIt compacts the file if more than half of its passages are removed ones.
// If that isn't possible, the file only stays larger.
func (c *Collection) compactIfWorthIt() error {
	if c.journal == nil || c.dead <= len(c.passages) || c.dead <= compactFrom {
		return nil
	}
	err := c.compact()
	c.dead = 0 // if it failed, the next try is after as many more
	return err
}

// compact rewrites the file with the present passages, one record for each source. The
// passages keep their numbers, and so does the index.
func (c *Collection) compact() error {
	changes := c.everything()
	if err := c.journal.compact(c.compacted(c.o.EmbedderName, changes)); err != nil {
		return err
	}
	c.dead = 0
	c.saveIndex() // the stored one belonged to the old file
	return nil
}

// compacted returns the records of a file that gives the passages of the changes their
// present numbers.
func (c *Collection) compacted(embedder string, changes []*change) []*change {
	var numbers []int
	for _, ch := range changes {
		for _, p := range ch.Put {
			numbers = append(numbers, c.passages[p.ID].number)
		}
	}
	slices.Reverse(numbers)
	records := []*change{{Embedder: embedder, Sparse: c.sparseName()}}
	if free := slices.Concat(c.free, numbers); len(free) > 0 {
		records = append(records, &change{Free: free})
	}
	return append(records, changes...)
}

// everything returns the changes that make the present collection, one for each source.
func (c *Collection) everything() []*change {
	bySource := map[string]*change{}
	for _, id := range slices.Sorted(maps.Keys(c.passages)) {
		p := c.passages[id]
		if bySource[p.Source] == nil {
			bySource[p.Source] = &change{}
		}
		bySource[p.Source].Put = append(bySource[p.Source].Put, p)
	}
	var out []*change
	for _, source := range slices.Sorted(maps.Keys(bySource)) {
		out = append(out, bySource[source])
	}
	return out
}

// forget empties the memory.
func (c *Collection) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.o.Words != nil {
		for _, p := range c.passages {
			c.o.Words.Remove(p.number)
		}
	}
	c.passages, c.slots, c.free = map[string]*passage{}, nil, nil
	c.index, c.dead, c.limited, c.unsaved, c.dim = nil, 0, 0, 0, 0
}
