package limit

import (
	"container/heap"
	"context"
	"maps"
	"sync"
)

// fair lets one caller at a time ask the shared limit for room, in the order of
// weighted fair queueing: self-clocked fair queueing (Golestani, INFOCOM 1994).
// Each call gets a finish tag: the tenant's last tag or the tag in service,
// whichever is later, plus the call's size over the tenant's weight. The smallest
// tag is served next. So tenants that always have calls waiting get room in the
// proportion of their weights. A tenant that was idle gets no credit for that. No
// tenant starves, because only finitely many smaller tags can come before a waiting
// one.
type fair struct {
	mu      sync.Mutex
	busy    bool
	virtual float64            // the tag in service
	tags    map[string]float64 // each tenant's last
	sweep   int                // how many tags there may be before those passed are dropped
	waiting waiters
	arrived int
}

type waiter struct {
	tag   float64
	seq   int
	ready chan struct{}
	index int
}

// enter waits for the caller's turn. size is in units of the shared limit, and
// weight is above 0. After a nil error the caller must call leave.
func (f *fair) enter(ctx context.Context, tenant string, size, weight float64) error {
	f.mu.Lock()
	if f.tags == nil {
		f.tags = make(map[string]float64)
	}
	tag := max(f.virtual, f.tags[tenant]) + size/weight
	f.tags[tenant] = tag
	if len(f.tags) > max(f.sweep, 1024) { // a tag has no meaning once it is passed
		maps.DeleteFunc(f.tags, func(_ string, t float64) bool { return t <= f.virtual })
		f.sweep = 2 * len(f.tags)
	}
	if !f.busy {
		f.busy, f.virtual = true, tag
		f.mu.Unlock()
		return nil
	}
	f.arrived++
	w := &waiter{tag: tag, seq: f.arrived, ready: make(chan struct{})}
	heap.Push(&f.waiting, w)
	f.mu.Unlock()
	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if last, ok := f.tags[tenant]; ok { // it was not served, so the tenant's next call doesn't come after it
		f.tags[tenant] = last - size/weight
	}
	if w.index >= 0 {
		heap.Remove(&f.waiting, w.index)
	} else {
		f.next() // the turn came while the caller left: pass it on
	}
	return context.Cause(ctx)
}

// taken reports whether a call has the turn.
func (f *fair) taken() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.busy
}

func (f *fair) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next()
}

func (f *fair) next() {
	if len(f.waiting) == 0 {
		f.busy = false
		return
	}
	w := heap.Pop(&f.waiting).(*waiter)
	f.virtual = w.tag
	close(w.ready)
}

// waiters is a heap by tag, in order of arrival where tags are equal.
type waiters []*waiter

func (h waiters) Len() int { return len(h) }
func (h waiters) Less(i, j int) bool {
	return h[i].tag < h[j].tag || h[i].tag == h[j].tag && h[i].seq < h[j].seq
}
func (h waiters) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push implements heap.Interface.
func (h *waiters) Push(x any) {
	w := x.(*waiter)
	w.index = len(*h)
	*h = append(*h, w)
}

// Pop implements heap.Interface.
func (h *waiters) Pop() any {
	old := *h
	w := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	w.index = -1
	return w
}
