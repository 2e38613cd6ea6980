package queue

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// replay applies a transaction to the records only. rebuild makes the lists.
func (t *table) replay(payload []byte) error {
	if payload[0] == opSynced {
		return nil
	}
	d := &decoder{text: string(payload)}
	for d.text != "" && d.err == nil {
		switch op := d.byte(); op {
		case opPut:
			r := d.put()
			if d.err == nil {
				if len(t.jobs) == 0 {
					t.jobs = make(map[string]*record, t.expect)
				}
				t.jobs[r.id] = r
				t.order = append(t.order, r)
				t.seq = max(t.seq, r.seq)
			}
		case opMeta:
			id := d.string()
			r := t.jobs[id]
			if r == nil {
				return fmt.Errorf("queue: a step of the unknown job %q", id)
			}
			d.changing(r)
		case opDelete:
			delete(t.jobs, d.string())
		case opSlot:
			name := strings.Clone(d.string())
			t.slots[name] = d.varint()
		case opGroup:
			g := &group{}
			if err := json.Unmarshal([]byte(d.string()), g); err != nil {
				return fmt.Errorf("queue: a group: %w", err)
			}
			if g.Results == nil {
				g.Results = map[int]json.RawMessage{}
			}
			t.groups[g.ID] = g
		case opResult:
			g := t.groups[d.string()]
			i := d.uvarint()
			result := d.string()
			if g != nil && d.err == nil {
				g.Results[int(i)] = raw(strings.Clone(result))
			}
		case opGroupGone:
			delete(t.groups, d.string())
		case opEnd:
			t.ended = true
		default:
			return fmt.Errorf("queue: the operation %q is unknown", op)
		}
	}
	return d.err
}

// rebuild makes the lists of a table whose records were replayed.
func (t *table) rebuild(now int64) {
	all := slices.DeleteFunc(t.order, func(r *record) bool { return t.jobs[r.id] != r })
	t.order = nil
	// Mostly they are in this order already, which the sort sees.
	slices.SortStableFunc(all, func(a, b *record) int { return cmp.Compare(a.runAt, b.runAt) })
	for _, r := range all {
		t.line(r.queue).promoted = now
		t.index(r)
	}
}

// A snapshot is the state at one instant. Its records never change.
type snapshot struct {
	records []*record
	head    []byte // groups and slots
}

// snapshot needs the lock, for a short time: it copies pointers.
func (t *table) snapshot() *snapshot {
	s := &snapshot{records: make([]*record, 0, len(t.jobs))}
	for _, r := range t.jobs {
		s.records = append(s.records, r)
	}
	for _, g := range t.groups {
		if b, err := appendGroup(s.head, g); err == nil { // it was written so before
			s.head = b
		}
	}
	was := t.out
	t.out = s.head
	for name, slot := range t.slots {
		t.setSlot(name, slot)
	}
	s.head, t.out = t.out, was
	return s
}

func (s *snapshot) write(w io.Writer) error {
	b := bufio.NewWriterSize(w, 1<<20)
	if _, err := b.Write(fileHeader(headerSnap)); err != nil {
		return err
	}
	frame := func(payload []byte) error {
		_, err := b.Write(appendFrame(nil, payload))
		return err
	}
	if len(s.head) > 0 {
		if err := frame(s.head); err != nil {
			return err
		}
	}
	// In the order of arrival, so that reading needs no sorting.
	slices.SortFunc(s.records, func(a, b *record) int {
		if a.seq < b.seq {
			return -1
		}
		return 1
	})
	var payload []byte
	for _, r := range s.records {
		payload = appendPut(payload, r)
		if len(payload) > 16<<10 {
			if err := frame(payload); err != nil {
				return err
			}
			payload = payload[:0]
		}
	}
	if err := frame(append(payload, opEnd)); err != nil {
		return err
	}
	return b.Flush()
}
