package evict

import (
	"container/list"
	"math/bits"
)

// A TinyLFU gives new keys a small window, a hundredth of the room. A key that leaves
// the window enters the main part only if it was asked for more often than the entry
// that it would replace. The main part has entries on probation and protected ones,
// which were used there again. Counts are approximate and are halved from time to time,
// so that old fame fades. Einziger, Friedman, Manes: "TinyLFU: a highly efficient cache
// admission policy", ACM TOS 2017.
type TinyLFU struct {
	queues
	sketch sketch
}

const (
	window = iota
	probation
	protected
)

// NewTinyLFU returns an empty TinyLFU. Its error wraps [ErrOption].
func NewTinyLFU(room int) (*TinyLFU, error) {
	if err := check(room); err != nil {
		return nil, err
	}
	return &TinyLFU{newQueues(room, 3), newSketch(room)}, nil
}

// Access implements [Policy].
func (p *TinyLFU) Access(r Request) bool {
	p.sketch.add(r.Key)
	el, ok := p.items[r.Key]
	if ok {
		p.use(el)
		return true
	}
	if r.Size > p.room {
		return false
	}
	p.push(&node{key: r.Key, size: r.Size}, window)
	for p.in[window] > max(p.room/100, 1) && p.lists[window].Len() > 1 {
		p.admit(p.pop(p.lists[window].Back()))
	}
	for p.used > p.room { // the window's newest is larger than the window
		p.pop(p.victim())
	}
	return false
}

func (p *TinyLFU) use(el *list.Element) {
	n := el.Value.(*node)
	if n.where != probation {
		p.lists[n.where].MoveToFront(el)
		return
	}
	p.push(p.pop(el), protected)
	for p.in[protected] > p.room*8/10 {
		p.push(p.pop(p.lists[protected].Back()), probation)
	}
}

// admit moves a key from the window into the main part, if it is worth more than what
// it would replace.
func (p *TinyLFU) admit(n *node) {
	for p.used+n.size > p.room {
		el := p.victim()
		if el == nil || p.sketch.count(n.key) <= p.sketch.count(el.Value.(*node).key) {
			return
		}
		p.pop(el)
	}
	p.push(n, probation)
}

// victim returns the entry of the main part that would leave next, or the oldest of
// the window if there is none.
func (p *TinyLFU) victim() *list.Element {
	for _, where := range []int{probation, protected, window} {
		if el := p.lists[where].Back(); el != nil {
			return el
		}
	}
	return nil
}

// A sketch counts keys approximately (count-min, four rows, at most 15).
type sketch struct {
	rows    [4][]uint8
	mask    uint64
	added   int
	halveAt int
}

func newSketch(room int) sketch {
	n := 1 << bits.Len(uint(min(max(room, 16), 1<<22)*4-1))
	s := sketch{mask: uint64(n - 1), halveAt: 10 * min(max(room, 16), 1<<22)}
	for i := range s.rows {
		s.rows[i] = make([]uint8, n)
	}
	return s
}

func (s *sketch) at(row int, key uint64) *uint8 {
	h := (key + uint64(row+1)*0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9
	h ^= h >> 31
	h *= 0x94d049bb133111eb
	h ^= h >> 29
	return &s.rows[row][h&s.mask]
}

func (s *sketch) add(key uint64) {
	least := s.count(key)
	if least < 15 {
		for i := range s.rows { // only the lowest counters: fewer keys are overcounted
			if c := s.at(i, key); *c == least {
				*c++
			}
		}
	}
	s.added++
	if s.added < s.halveAt {
		return
	}
	s.added /= 2
	for _, row := range s.rows {
		for i := range row {
			row[i] /= 2
		}
	}
}

func (s *sketch) count(key uint64) uint8 {
	least := uint8(15)
	for i := range s.rows {
		least = min(least, *s.at(i, key))
	}
	return least
}
