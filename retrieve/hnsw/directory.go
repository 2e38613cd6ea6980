package hnsw

import (
	"cmp"
	"errors"
	"slices"
)

// A directory finds the slots of ids. That of an index which was opened and not changed
// since takes 4 bytes an id instead of some 40: its slots, in the order of their ids.
type directory struct {
	slots  map[int]uint32 // nil: see sorted
	sorted []uint32
	ids    []int64 // by slot, for sorted
}

func newDirectory() directory { return directory{slots: map[int]uint32{}} }

// openDirectory makes the directory of slots that have different ids.
func openDirectory(slots []uint32, ids []int64) (directory, error) {
	d := directory{sorted: slots, ids: ids}
	byID := func(a, b uint32) int { return cmp.Compare(ids[a], ids[b]) }
	if !slices.IsSortedFunc(slots, byID) {
		slices.SortFunc(slots, byID)
	}
	for i := 1; i < len(slots); i++ {
		if ids[slots[i]] == ids[slots[i-1]] {
			return d, errors.New("an id twice")
		}
	}
	return d, nil
}

func (d *directory) len() int { return len(d.slots) + len(d.sorted) }

func (d *directory) find(id int) (slot uint32, ok bool) {
	if d.slots != nil {
		slot, ok = d.slots[id]
		return slot, ok
	}
	i, ok := slices.BinarySearchFunc(d.sorted, int64(id), func(slot uint32, id int64) int { return cmp.Compare(d.ids[slot], id) })
	if !ok {
		return 0, false
	}
	return d.sorted[i], true
}

func (d *directory) set(id int, slot uint32) {
	d.thaw()
	d.slots[id] = slot
}

func (d *directory) remove(id int) {
	d.thaw()
	delete(d.slots, id)
}

// thaw makes the form that can be changed.
func (d *directory) thaw() {
	if d.slots != nil {
		return
	}
	d.slots = make(map[int]uint32, len(d.sorted))
	for _, slot := range d.sorted {
		d.slots[int(d.ids[slot])] = slot
	}
	d.sorted, d.ids = nil, nil
}
