package search

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/cache"
)

// flights are the keys that are asked for at the moment.
type flights struct {
	mu   sync.Mutex
	keys map[cache.Key]*batch

	erasing sync.RWMutex // held for reading while a result is stored
	era     int          // grows with each Erase; written under both locks
}

// A batch is one call of the wrapped embedder or retriever, for one key or several. It
// has a context of its own, which ends when all its callers have left.
type batch struct {
	cancel  context.CancelFunc
	done    chan struct{}
	waiters int // under flights.mu
	era     int // of flights, when it began
	results map[cache.Key]result
	err     error
	panic   any
}

// rounds is how often a key is tried whose batch failed: another caller's text may have
// been the reason, so it is tried once more on its own account.
const rounds = 2

// A result is the encoded form of what was found, and how long it may be used; 0 means
// that it isn't stored. What has no encoded form is in plain.
type result struct {
	content string
	plain   []schema.Document
	life    time.Duration // negative: forever
}

type fetch func(context.Context, []cache.Key) (map[cache.Key]result, error)

// collect returns what belongs to each key: from the store, from a batch in progress, or
// from one new batch for all the others.
func (m *memo) collect(ctx context.Context, s cache.Scope, keys []cache.Key, ask fetch) (map[cache.Key]result, error) {
	out := map[cache.Key]result{}
	var missing []cache.Key
	for _, key := range keys {
		if _, ok := out[key]; ok {
			m.stats.shared.Add(1)
			continue
		}
		content, ok := m.get(ctx, key)
		if ok {
			m.stats.hits.Add(1)
		} else {
			missing = append(missing, key)
		}
		out[key] = result{content: content}
	}
	for round := 1; len(missing) > 0; round++ {
		own, others := m.join(ctx, s, missing, ask)
		failed, err := m.wait(ctx, own, others, out)
		if err != nil {
			return nil, err
		}
		if len(failed) > 0 && round == rounds {
			return nil, fmt.Errorf("cache/search: an equal call failed: %w", others[failed[0]].err)
		}
		missing = failed
	}
	return out, nil
}

// join finds the batches in progress that have some of the keys, and starts one for the
// others.
func (m *memo) join(ctx context.Context, s cache.Scope, keys []cache.Key, ask fetch) (own *batch, all map[cache.Key]*batch) {
	f := &m.flights
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.keys == nil {
		f.keys = map[cache.Key]*batch{}
	}
	all = map[cache.Key]*batch{}
	joined := map[*batch]bool{}
	var free []cache.Key
	for _, key := range keys {
		b, ok := f.keys[key]
		if !ok {
			free = append(free, key)
			continue
		}
		all[key] = b
		if !joined[b] {
			joined[b] = true
			b.waiters++
		}
		m.stats.shared.Add(1)
	}
	if len(free) == 0 {
		return nil, all
	}
	detached, cancel := context.WithCancel(context.WithoutCancel(ctx))
	own = &batch{cancel: cancel, done: make(chan struct{}), waiters: 1, era: f.era}
	for _, key := range free {
		all[key], f.keys[key] = own, own
	}
	m.stats.misses.Add(int64(len(free)))
	go m.run(detached, s, own, free, ask)
	return own, all
}

// run asks for a batch, and stores what was found.
func (m *memo) run(ctx context.Context, s cache.Scope, b *batch, keys []cache.Key, ask fetch) {
	var found map[cache.Key]result
	err := errors.New("cache/search: the goroutine ended without a result") // runtime.Goexit
	defer func() {
		b.panic = recover()
		b.err = err
		f := &m.flights
		f.mu.Lock()
		for _, key := range keys {
			if f.keys[key] == b {
				delete(f.keys, key)
			}
		}
		f.mu.Unlock()
		close(b.done)
		b.cancel()
	}()
	found, err = ask(ctx, keys)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return
	}
	b.results = found
	for key, r := range found {
		if r.life != 0 {
			m.store(ctx, s, b, key, r)
		}
	}
}

// store stores a result unless results were erased since the batch began.
func (m *memo) store(ctx context.Context, s cache.Scope, b *batch, key cache.Key, r result) {
	m.flights.erasing.RLock()
	defer m.flights.erasing.RUnlock()
	if b.era == m.flights.era {
		m.put(ctx, s, key, r.content, r.life)
	}
}

// expire keeps the results of all batches in progress from being stored.
func (f *flights) expire() {
	f.erasing.Lock()
	defer f.erasing.Unlock()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.era++
}

// leave ends a caller's waiting for a batch; the last one ends the batch.
func (f *flights) leave(b *batch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	b.waiters--
	if b.waiters > 0 {
		return
	}
	b.cancel()
	for key, other := range f.keys {
		if other == b { // nothing may join a batch that was canceled
			delete(f.keys, key)
		}
	}
}

// wait fills in the results of the batches. It returns the keys of batches of other
// callers that failed.
func (m *memo) wait(ctx context.Context, own *batch, all map[cache.Key]*batch, out map[cache.Key]result) (failed []cache.Key, err error) {
	joined := map[*batch]bool{}
	for _, b := range all {
		joined[b] = true
	}
	defer func() {
		for b := range joined {
			m.flights.leave(b)
		}
	}()
	for key, b := range all {
		select {
		case <-b.done:
		case <-ctx.Done():
			return nil, fmt.Errorf("cache/search: %w", context.Cause(ctx))
		}
		r, ok := b.results[key]
		switch {
		case ok:
			out[key] = r
		case b.panic != nil && b == own:
			panic(b.panic) // as it would have without a cache
		case b == own:
			return nil, b.err
		default:
			failed = append(failed, key)
		}
	}
	return failed, nil
}
