package cache

import (
	"context"
	"math"
	"math/rand/v2"
	"time"

	"github.com/tmc/langchaingo/llms"
)

// A Locker is a [Store] that several processes share, and that lets one of them at a
// time ask the model for a key. Without it, a hundred processes that miss at the same
// moment make a hundred calls.
type Locker interface {
	// TryLock takes the key for at most the given time and returns the function that
	// gives it back. If another process has the key, ok is false.
	TryLock(ctx context.Context, key Key, atMost time.Duration) (unlock func(), ok bool, err error)
}

// Bounds of the pause between two looks at what another process does.
const (
	firstLook = 10 * time.Millisecond
	lastLook  = 100 * time.Millisecond
)

// lock waits while another process asks the model for an equal call. It reports whether
// the answer is in the store now. A process whose wait ended without an answer goes on
// without the lock: what the other got may not be stored, and a queue of processes
// would ask one after the other.
func (m *Model) lock(ctx context.Context, c *call) (unlock func(), elsewhere bool) {
	none := func() {}
	s, ok := m.o.Store.(Locker)
	if !ok || m.o.LockWait < 0 {
		return none, false
	}
	waited := false
	end := time.NewTimer(m.o.LockWait)
	defer end.Stop()
	for pause := firstLook; ; pause = min(2*pause, lastLook) {
		unlock, ok, err := s.TryLock(ctx, c.key, m.o.LockWait)
		switch {
		case err != nil:
			m.count(storeErrors)
			return none, false
		case ok && m.lookup(c) != nil: // stored since this call looked
			unlock()
			return none, true
		case ok && waited:
			unlock()
			return none, false
		case ok:
			return unlock, false
		}
		waited = true
		next := time.NewTimer(pause/2 + rand.N(pause)) // processes must not look in step
		select {
		case <-next.C:
		case <-end.C:
			next.Stop()
			return none, false
		case <-ctx.Done():
			next.Stop()
			return none, false
		}
		if m.lookup(c) != nil {
			return none, true
		}
	}
}

// within reports whether an entry is at most the given time past its own.
func (m *Model) within(e *Entry, past time.Duration) bool {
	return e != nil && past > 0 && m.o.Now().Before(e.Expires.Add(past))
}

// giveStale answers with the entry that was found past its time.
func (m *Model) giveStale(c *call, began time.Time) (*llms.ContentResponse, error) {
	m.hit(c, c.stale, "stale", began)
	r := fromCache(c.stale.Response, "stale")
	return r, m.replay(c, c.stale, r)
}

// early reports whether an answer that is still good should be refreshed now. Each
// caller draws a number of its own, so one of many is early and the others needn't be.
func (m *Model) early(e *Entry) bool {
	if m.o.EarlyRefresh == 0 || e.Took <= 0 || e.Expires.IsZero() {
		return false
	}
	ahead := float64(e.Took) * m.o.EarlyRefresh * -math.Log(1-m.o.Rand()) // 1-: the logarithm of 0 is infinite
	return ahead >= float64(e.Expires.Sub(m.o.Now()))
}

// refresh asks the model in the background, once for all callers, and stores its
// answer. It replaces an entry that was stored at the given time or earlier.
func (m *Model) refresh(c *call, newer time.Time) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), refreshLimit)
	o := *c.o
	o.StreamingFunc, o.StreamingReasoningFunc = nil, nil
	back := &call{ctx: ctx, messages: c.messages, o: &o, model: c.model, key: c.key, tenant: c.tenant, namespace: c.namespace, newer: newer}
	back.options = append(append(back.options, c.options...), llms.WithStreamingFunc(nil), llms.WithStreamingReasoningFunc(nil))
	f, first := m.join(back)
	if !first { // a refresh is in progress
		m.leave(f)
		cancel()
		return
	}
	go func() {
		defer cancel()
		defer func() { _ = recover() }() // no caller is there to see the model's panic
		_, _ = m.follow(back, f)         // the next caller past the time tries again
	}()
}
