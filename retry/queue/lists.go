package queue

import "cmp"

// A fifo is a list of records in order. It may contain records that do not count any
// more, which pop skips.
type fifo struct {
	items []*record
	head  int
}

func (f *fifo) push(r *record) { f.items = append(f.items, r) }

// pop returns the first record that counts, or nil.
func (f *fifo) pop(counts func(*record) bool) *record {
	for f.head < len(f.items) {
		r := f.items[f.head]
		f.items[f.head] = nil
		f.head++
		if f.head > 1024 && f.head > len(f.items)/2 {
			f.items = append(f.items[:0:0], f.items[f.head:]...)
			f.head = 0
		}
		if counts(r) {
			return r
		}
	}
	f.items, f.head = f.items[:0], 0
	return nil
}

// each calls visit in order until it returns false, and returns whether it never did.
func (f *fifo) each(visit func(*record) bool) bool {
	for _, r := range f.items[f.head:] {
		if !visit(r) {
			return false
		}
	}
	return true
}

// shrink drops the records that do not count, once they are the larger part.
func (f *fifo) shrink(counting int, counts func(*record) bool) {
	if len(f.items)-f.head < 2*counting+64 {
		return
	}
	kept := make([]*record, 0, counting+16)
	for _, r := range f.items[f.head:] {
		if counts(r) {
			kept = append(kept, r)
		}
	}
	f.items, f.head = kept, 0
}

// An entry is a record in a heap.
type entry struct {
	at int64
	r  *record
}

func compareEntries(a, b entry) int {
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.r.seq, b.r.seq))
}

// A heap has the entry with the smallest time first, and of equal ones the oldest.
type heap []entry

func (h *heap) push(e entry) {
	*h = append(*h, e)
	s := *h
	for i := len(s) - 1; i > 0; {
		up := (i - 1) / 2
		if compareEntries(s[up], s[i]) <= 0 {
			return
		}
		s[up], s[i] = s[i], s[up]
		i = up
	}
}

func (h *heap) pop() entry {
	s := *h
	first := s[0]
	last := len(s) - 1
	s[0], s[last] = s[last], entry{}
	s = s[:last]
	*h = s
	for i := 0; ; {
		child := 2*i + 1
		if child >= len(s) {
			return first
		}
		if child+1 < len(s) && compareEntries(s[child+1], s[child]) < 0 {
			child++
		}
		if compareEntries(s[i], s[child]) <= 0 {
			return first
		}
		s[i], s[child] = s[child], s[i]
		i = child
	}
}
