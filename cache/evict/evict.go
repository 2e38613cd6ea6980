package evict

import (
	"container/heap"
	"container/list"
	"errors"
	"fmt"
	"math"
)

// ErrOption is wrapped by the errors of constructors whose room is not 1 or more.
var ErrOption = errors.New("evict: invalid option")

// A Request asks for a key. Size is what its entry would occupy, in the unit of the
// room, 1 or more; Cost is what a miss costs.
type Request struct {
	Key  uint64
	Size int
	Cost float64
}

// A Policy is a cache of keys without values. It is not safe for concurrent use.
type Policy interface {
	// Access reports whether the key was there. If not, it is added, and others may be
	// dropped. An entry that is larger than the whole room is not added.
	Access(r Request) bool

	// Used is how much of the room is occupied.
	Used() int
}

// A Result is what a [Replay] counted.
type Result struct {
	Requests, Hits int
	Cost, Saved    float64 // of all requests, and of those that were hits
}

// HitRate is the share of requests that were hits.
func (r Result) HitRate() float64 { return float64(r.Hits) / float64(r.Requests) }

// Replay runs a trace against a policy.
func Replay(p Policy, trace []Request) Result {
	var out Result
	for _, r := range trace {
		out.add(r, p.Access(r))
	}
	return out
}

func (r *Result) add(q Request, hit bool) {
	r.Requests++
	r.Cost += q.Cost
	if hit {
		r.Hits++
		r.Saved += q.Cost
	}
}

func check(room int) error {
	if room < 1 {
		return fmt.Errorf("%w: a room of %d: want 1 or more", ErrOption, room)
	}
	return nil
}

// node is an entry of any of the policies.
type node struct {
	key      uint64
	size     int
	hits     uint8
	where    uint8 // which queue
	priority float64
	at       int // in the heap
	uses     float64
}

// queues are lists of nodes that share one table of keys.
type queues struct {
	room  int
	used  int
	lists []list.List // the front is the newest
	in    []int       // occupied, by list
	items map[uint64]*list.Element
}

func newQueues(room, n int) queues {
	return queues{room: room, lists: make([]list.List, n), in: make([]int, n), items: map[uint64]*list.Element{}}
}

// Used is how much of the room is occupied.
func (q *queues) Used() int { return q.used }

func (q *queues) push(n *node, where uint8) {
	n.where = where
	q.items[n.key] = q.lists[where].PushFront(n)
	q.used += n.size
	q.in[where] += n.size
}

func (q *queues) pop(el *list.Element) *node {
	n := el.Value.(*node)
	q.lists[n.where].Remove(el)
	q.used -= n.size
	q.in[n.where] -= n.size
	delete(q.items, n.key)
	return n
}

// An LRU drops the entry that was not used for the longest time.
type LRU struct{ queues }

// NewLRU returns an empty LRU. Its error wraps [ErrOption].
func NewLRU(room int) (*LRU, error) {
	return &LRU{newQueues(room, 1)}, check(room)
}

// Access implements [Policy].
func (p *LRU) Access(r Request) bool {
	if el, ok := p.items[r.Key]; ok {
		p.lists[0].MoveToFront(el)
		return true
	}
	if r.Size > p.room {
		return false
	}
	p.push(&node{key: r.Key, size: r.Size}, 0)
	for p.used > p.room {
		p.pop(p.lists[0].Back())
	}
	return false
}

// A Sieve drops the first entry that was not used since the hand last passed it. Zhang
// et al., "SIEVE is simpler than LRU", NSDI 2024.
type Sieve struct {
	queues
	hand *list.Element
}

// NewSieve returns an empty Sieve. Its error wraps [ErrOption].
func NewSieve(room int) (*Sieve, error) {
	return &Sieve{queues: newQueues(room, 1)}, check(room)
}

// Access implements [Policy].
func (p *Sieve) Access(r Request) bool {
	if el, ok := p.items[r.Key]; ok {
		el.Value.(*node).hits = 1
		return true
	}
	if r.Size > p.room {
		return false
	}
	for p.used+r.Size > p.room {
		el := p.hand
		if el == nil {
			el = p.lists[0].Back()
		}
		p.hand = el.Prev()
		if n := el.Value.(*node); n.hits > 0 {
			n.hits = 0
			continue
		}
		p.pop(el)
	}
	p.push(&node{key: r.Key, size: r.Size}, 0)
	return false
}

// An S3FIFO has a small queue for new keys, a main queue for those that were asked for
// twice more there, and a ghost queue that remembers keys that left the small one. Yang et al.,
// "FIFO queues are all you need for cache eviction", SOSP 2023.
type S3FIFO struct {
	queues
	ghosts LRU // by key only
}

const (
	small = iota
	main
)

// NewS3FIFO returns an empty S3FIFO. Its error wraps [ErrOption].
func NewS3FIFO(room int) (*S3FIFO, error) {
	return &S3FIFO{queues: newQueues(room, 2), ghosts: LRU{newQueues(0, 1)}}, check(room)
}

// Access implements [Policy].
func (p *S3FIFO) Access(r Request) bool {
	if el, ok := p.items[r.Key]; ok {
		n := el.Value.(*node)
		n.hits = min(n.hits+1, 3)
		return true
	}
	if r.Size > p.room {
		return false
	}
	for p.used+r.Size > p.room {
		p.evict()
	}
	where := uint8(small)
	if g, ok := p.ghosts.items[r.Key]; ok {
		p.ghosts.pop(g)
		where = main
	}
	p.push(&node{key: r.Key, size: r.Size}, where)
	return false
}

func (p *S3FIFO) evict() {
	if el := p.lists[small].Back(); el != nil && (p.in[small] >= max(p.room/10, 1) || p.lists[main].Len() == 0) {
		n := p.pop(el)
		if n.hits > 1 { // twice: one more request soon after the first says little
			n.hits = 0
			p.push(n, main)
			return
		}
		p.ghosts.push(&node{key: n.key, size: n.size}, 0)
		for p.ghosts.used > p.room-p.room/10 {
			p.ghosts.pop(p.ghosts.lists[0].Back())
		}
		return
	}
	el := p.lists[main].Back()
	if n := el.Value.(*node); n.hits > 0 {
		n.hits--
		p.lists[main].MoveToFront(el)
		return
	}
	p.pop(el)
}

// A GDSF keeps what saves the most for its size: priority = aging × age + uses × cost ÷ size,
// where the age is the priority of the last entry that was dropped. The uses of dropped
// keys are remembered for a while, as the paper doesn't do. Cherkasova,
// "Improving WWW proxies performance with greedy-dual-size-frequency caching", 1998.
type GDSF struct {
	room, used int
	aging, age float64
	items      map[uint64]*node
	order      byPriority
	ghosts     LRU // of dropped keys, with their uses
}

// GDSFOptions configure a [GDSF]. The zero value works.
type GDSFOptions struct {
	// Aging is the share of the age that new priorities get, above 0 and at most 1.
	// Below 1 the age stops growing after a while, and what was used often stays almost
	// forever. So it is for questions whose popularity doesn't change, and 0.9 is a good
	// value then. Default: 1, as in the paper.
	Aging float64
}

// NewGDSF returns an empty GDSF; nil options mean the defaults. Its error wraps
// [ErrOption].
func NewGDSF(room int, o *GDSFOptions) (*GDSF, error) {
	p := &GDSF{room: room, aging: 1, items: map[uint64]*node{}, ghosts: LRU{newQueues(0, 1)}}
	if o != nil && o.Aging != 0 {
		p.aging = o.Aging
	}
	if !(p.aging > 0 && p.aging <= 1) {
		return nil, fmt.Errorf("%w: an aging of %v: want above 0 and at most 1", ErrOption, p.aging)
	}
	return p, check(room)
}

// Used is how much of the room is occupied.
func (p *GDSF) Used() int { return p.used }

// Access implements [Policy].
func (p *GDSF) Access(r Request) bool {
	value := func(n *node) float64 { return p.aging*p.age + n.uses*r.Cost/float64(max(r.Size, 1)) }
	if n, ok := p.items[r.Key]; ok {
		n.uses++
		n.priority = value(n)
		heap.Fix(&p.order, n.at)
		return true
	}
	if r.Size > p.room {
		return false
	}
	n := &node{key: r.Key, size: r.Size, uses: 1}
	if g, ok := p.ghosts.items[r.Key]; ok {
		n.uses += p.ghosts.pop(g).uses
	}
	n.priority = value(n)
	p.used += n.size
	p.items[r.Key] = n
	heap.Push(&p.order, n)
	for p.used > p.room {
		p.drop() // the new entry itself, if it saves the least
	}
	return false
}

// drop drops the entry that saves the least, and remembers how often it was used.
func (p *GDSF) drop() {
	n := heap.Pop(&p.order).(*node)
	p.age = n.priority
	p.used -= n.size
	delete(p.items, n.key)
	p.ghosts.push(&node{key: n.key, size: n.size, uses: n.uses}, 0)
	for p.ghosts.used > p.room {
		p.ghosts.pop(p.ghosts.lists[0].Back())
	}
}

// byPriority is a heap: the least worth keeping is first.
type byPriority []*node

func (h byPriority) Len() int           { return len(h) }
func (h byPriority) Less(i, j int) bool { return h[i].priority < h[j].priority }
func (h byPriority) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i, j
}
func (h *byPriority) Push(x any) {
	n := x.(*node)
	n.at = len(*h)
	*h = append(*h, n)
}
func (h *byPriority) Pop() any {
	last := len(*h) - 1
	n := (*h)[last]
	*h = (*h)[:last]
	return n
}

// Belady replays a trace with knowledge of the future: it drops the key whose next
// request is farthest away, and doesn't add one that would be that. It is the best
// hit rate for entries of equal size, so Size is ignored. Its error wraps [ErrOption].
func Belady(room int, trace []Request) (Result, error) {
	if err := check(room); err != nil {
		return Result{}, err
	}
	next := make([]int, len(trace))
	seen := map[uint64]int{}
	for i := len(trace) - 1; i >= 0; i-- {
		next[i] = math.MaxInt
		if at, ok := seen[trace[i].Key]; ok {
			next[i] = at
		}
		seen[trace[i].Key] = i
	}
	var out Result
	items := map[uint64]*node{}
	var order byPriority
	for i, r := range trace {
		n, hit := items[r.Key]
		out.add(r, hit)
		priority := -float64(next[i])
		if hit {
			n.priority = priority
			heap.Fix(&order, n.at)
			continue
		}
		n = &node{key: r.Key, priority: priority}
		items[r.Key] = n
		heap.Push(&order, n)
		if len(order) > room {
			delete(items, heap.Pop(&order).(*node).key)
		}
	}
	return out, nil
}
