package retry

import (
	"context"
	"sync"
	"time"
)

// A deadline is the context that context.WithDeadlineCause(Context, at, cause)
// returns, made only when something first waits for it. The timer and its four
// allocations cost more than all the policies of a call together, and an answer
// from a cache needs none of them. A nil deadline means that there is none.
//
// Code that notices the end of a context (a child of it, an HTTP client, a select)
// asks for Done first, and Err compares clocks. So no caller sees a difference.
type deadline struct {
	context.Context
	at    time.Time
	cause *timeoutError

	mu     sync.Mutex
	inner  context.Context // once something waits
	cancel context.CancelFunc
	over   bool
}

// Deadline implements context.Context.
func (d *deadline) Deadline() (time.Time, bool) {
	if at, ok := d.Context.Deadline(); ok && at.Before(d.at) {
		return at, ok
	}
	return d.at, true
}

// Done implements context.Context.
func (d *deadline) Done() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.waited().Done()
}

// waited makes the context that ends by itself; mu is held.
func (d *deadline) waited() context.Context {
	if d.inner == nil {
		d.inner, d.cancel = context.WithDeadlineCause(d.Context, d.at, d.cause)
		if d.over {
			d.cancel()
		}
	}
	return d.inner
}

// Err implements context.Context.
func (d *deadline) Err() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.inner == nil && !d.over && time.Now().Before(d.at) {
		return d.Context.Err()
	}
	return d.waited().Err()
}

// Value implements context.Context. Through it the context package finds the inner
// context, and so the cause, and adds children to it.
func (d *deadline) Value(key any) any {
	d.mu.Lock()
	inner := d.inner
	d.mu.Unlock()
	if inner != nil {
		return inner.Value(key)
	}
	return d.Context.Value(key)
}

// stop ends the context, also before its time.
func (d *deadline) stop() {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over = true
	if d.cancel != nil {
		d.cancel()
	}
}
