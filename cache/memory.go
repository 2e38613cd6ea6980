package cache

import (
	"container/list"
	"context"
	"fmt"
	"sync"
	"time"
)

// A Store keeps answers. It must be safe for concurrent use. An error of
// either method never fails a call: the model is asked instead.
//
// A store outside this process encodes the [Entry], and encoding/json does:
//
//	func (r *Remote) Get(ctx context.Context, key cache.Key) (*cache.Entry, error) {
//		data, err := r.client.Get(ctx, "answer:"+key.String())
//		if err != nil || data == nil {
//			return nil, err
//		}
//		e := new(cache.Entry)
//		return e, json.Unmarshal(data, e)
//	}
//
//	func (r *Remote) Put(ctx context.Context, key cache.Key, e *cache.Entry) error {
//		data, err := json.Marshal(e)
//		if err != nil {
//			return err
//		}
//		return r.client.Set(ctx, "answer:"+key.String(), data, e.Expires)
//	}
//
// An [Expirer], a [LocalStore], an [Eraser] and a [Walker] can do more.
type Store interface {
	// Get returns the entry of a key, or nil if there is none.
	Get(ctx context.Context, key Key) (*Entry, error)

	// Put keeps an entry. The store may drop it at any time.
	Put(ctx context.Context, key Key, e *Entry) error
}

// An Expirer is a [Store] that drops an entry when a [Model] finds it past its
// time. A store that expires entries by itself, as Redis does, need not be one.
type Expirer interface {
	// Expire drops the entry of a key if it is still past its time at now: it may
	// have been replaced meanwhile.
	Expire(ctx context.Context, key Key, now time.Time)
}

// A LocalStore is a [Store] that reports whether it is in this process. A [Model]
// asks a local store once more before a call of the model, for an equal call
// that has stored its answer in the meantime. It does not ask a remote store
// twice for that rare case.
type LocalStore interface {
	// Local reports whether a Get costs no more than a look into memory.
	Local() bool
}

// A Walker is a [Store] whose entries can be visited. A program that keeps an index of
// them in memory fills it so when it starts.
type Walker interface {
	// Walk calls visit for each entry, in any order and perhaps twice, and drops those
	// for which it returns true. The entry is nil if it can't be read. If the error
	// isn't nil, some entries may be left.
	Walk(ctx context.Context, visit func(key Key, e *Entry) (drop bool)) error
}

var (
	_ Store      = (*Memory)(nil)
	_ Expirer    = (*Memory)(nil)
	_ LocalStore = (*Memory)(nil)
	_ Eraser     = (*Memory)(nil)
)

// A Memory is a Store in this process, bounded in bytes. When it is full it evicts
// by S3-FIFO: a new entry waits in a small queue, a tenth of the room, and moves
// into the main queue only if it was asked for again meanwhile, so many questions
// that are asked once can't push out those that come back. A ghost queue remembers
// the keys that left the small queue; they enter the main one directly when they
// return.
//
// Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023.
//
// Make one with [NewMemory]: the zero Memory is not usable.
type Memory struct {
	mu      sync.Mutex
	room    int
	used    int // bytes in both queues
	small   *list.List
	smallIn int // bytes in the small queue
	main    *list.List
	ghost   *list.List
	items   map[Key]*list.Element
	ghosts  map[Key]*list.Element
}

type item struct {
	key    Key
	entry  *Entry
	size   int
	hits   uint8 // since it entered its queue, at most 3
	inMain bool
}

// NewMemory returns a store of about the given number of bytes, 1 or more. Its
// error wraps [ErrOption].
func NewMemory(bytes int) (*Memory, error) {
	if bytes <= 0 {
		return nil, fmt.Errorf("%w: a memory store of %d bytes: want 1 or more", ErrOption, bytes)
	}
	return &Memory{room: bytes, small: list.New(), main: list.New(), ghost: list.New(),
		items: map[Key]*list.Element{}, ghosts: map[Key]*list.Element{}}, nil
}

// Len returns the number of entries.
func (m *Memory) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.items)
}

// Get returns the entry of a key, or nil. It never fails.
func (m *Memory) Get(_ context.Context, key Key) (*Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	el, ok := m.items[key]
	if !ok {
		return nil, nil
	}
	it := el.Value.(*item)
	it.hits = min(it.hits+1, 3)
	return it.entry, nil
}

// Put keeps an entry. One that is larger than the whole store is dropped, and so
// is one without a response. It never fails.
func (m *Memory) Put(_ context.Context, key Key, e *Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e == nil || e.Response == nil {
		return nil
	}
	it := &item{key: key, entry: e, size: e.size()}
	if it.size > m.room {
		if el, ok := m.items[key]; ok { // an older answer to the same call
			m.remove(el)
		}
		return nil
	}
	if el, ok := m.items[key]; ok { // a newer answer to the same call
		old := el.Value.(*item)
		it.hits, it.inMain = old.hits, old.inMain
		m.account(old, -1)
		m.account(it, +1)
		el.Value = it
	} else {
		m.insert(it)
	}
	for m.used > m.room {
		m.evict()
	}
	return nil
}

// Delete drops the entries for which the function returns true, and returns their
// number. The function can pick the entries of one model, or those that were stored
// before a time.
func (m *Memory) Delete(drop func(key Key, e *Entry) bool) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	if drop == nil {
		return n
	}
	for key, el := range m.items {
		if it := el.Value.(*item); drop(key, it.entry) {
			m.remove(el)
			n++
		}
	}
	return n
}

// Local returns true.
func (m *Memory) Local() bool { return true }

// Expire drops an entry that is past its time, unless it was replaced.
func (m *Memory) Expire(_ context.Context, key Key, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if el, ok := m.items[key]; ok && el.Value.(*item).entry.Expired(now) {
		m.remove(el)
	}
}

func (m *Memory) insert(it *item) {
	if g, ok := m.ghosts[it.key]; ok {
		m.ghost.Remove(g)
		delete(m.ghosts, it.key)
		it.inMain = true
	}
	m.account(it, +1)
	if it.inMain {
		m.items[it.key] = m.main.PushFront(it)
	} else {
		m.items[it.key] = m.small.PushFront(it)
	}
}

func (m *Memory) remove(el *list.Element) {
	it := el.Value.(*item)
	m.account(it, -1)
	delete(m.items, it.key)
	if it.inMain {
		m.main.Remove(el)
	} else {
		m.small.Remove(el)
	}
}

func (m *Memory) account(it *item, sign int) {
	m.used += sign * it.size
	if !it.inMain {
		m.smallIn += sign * it.size
	}
}

// evict takes one step towards a smaller store.
func (m *Memory) evict() {
	if el := m.small.Back(); el != nil && (m.smallIn > m.room/10 || m.main.Len() == 0) {
		it := el.Value.(*item)
		m.remove(el)
		if it.hits > 0 {
			it.inMain, it.hits = true, 0
			m.account(it, +1)
			m.items[it.key] = m.main.PushFront(it)
			return
		}
		m.remember(it.key)
		return
	}
	el := m.main.Back()
	it := el.Value.(*item)
	if it.hits > 0 {
		it.hits--
		m.main.MoveToFront(el)
		return
	}
	m.remove(el)
}

// remember puts a key among the ghosts, which are as many as the main queue
// has entries.
func (m *Memory) remember(key Key) {
	m.ghosts[key] = m.ghost.PushFront(key)
	for m.ghost.Len() > max(m.main.Len(), 16) {
		g := m.ghost.Back()
		delete(m.ghosts, m.ghost.Remove(g).(Key))
	}
}

// Expired reports whether the entry is past its time at now.
func (e *Entry) Expired(now time.Time) bool {
	return !e.Expires.IsZero() && !now.Before(e.Expires)
}
