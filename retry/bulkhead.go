package retry

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/prodailabs/prodai/retry/admission"
)

// BulkheadOptions are the settings of a [Bulkhead].
type BulkheadOptions struct {
	// Queue is how many calls may wait in Acquire for a place. Default: 0: a call that
	// finds no place is refused at once.
	Queue int
}

// A Bulkhead limits the calls in progress to a fixed number, and the calls that
// wait for a place too. So one slow target can't take all of a process's memory and
// connections. The name is from ships, whose bulkheads keep a leak in one
// compartment. Make one with [NewBulkhead]: the zero Bulkhead is not usable. It is
// safe for concurrent use.
type Bulkhead struct {
	room    chan struct{}
	waiting atomic.Int64
	queue   int64
}

// NewBulkhead returns a bulkhead for that many calls at once, 1 or more; nil
// options mean the defaults. It fails with [ErrOption].
func NewBulkhead(calls int, o *BulkheadOptions) (*Bulkhead, error) {
	if calls < 1 {
		return nil, optionError("the calls of NewBulkhead are %d: want 1 or more", calls)
	}
	b := &Bulkhead{room: make(chan struct{}, calls)}
	if o != nil {
		b.queue = int64(o.Queue)
	}
	if b.queue < 0 {
		return nil, optionError("BulkheadOptions.Queue is %d: want 0 or more", b.queue)
	}
	return b, nil
}

// Acquire admits a call, perhaps after a wait in the queue. It returns an error
// that wraps [ErrBusy] if the queue is full, or ctx's error if ctx is done first.
func (b *Bulkhead) Acquire(ctx context.Context) (admission.Permit, error) {
	if _, err := b.enter(ctx); err != nil {
		return admission.Permit{}, err
	}
	return b.permit(), nil
}

// TryAcquire admits a call, or returns an error that wraps [ErrBusy].
func (b *Bulkhead) TryAcquire(time.Time) (admission.Permit, error) {
	if b.tryEnter() {
		return b.permit(), nil
	}
	if err := zeroError(b); err != nil {
		return admission.Permit{}, err
	}
	return admission.Permit{}, busyError()
}

func (b *Bulkhead) permit() admission.Permit {
	return admission.NewPermit((*bulkheadPermits)(b), 0)
}

func (b *Bulkhead) tryEnter() bool {
	select {
	case b.room <- struct{}{}:
		return true
	default:
		return false
	}
}

// enter takes a place, and reports whether it had to wait for it.
func (b *Bulkhead) enter(ctx context.Context) (waited bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if b.tryEnter() {
		return false, nil
	}
	if err := zeroError(b); err != nil {
		return false, err
	}
	defer b.waiting.Add(-1)
	if b.waiting.Add(1) > b.queue {
		return false, busyError()
	}
	select {
	case b.room <- struct{}{}:
		return true, nil
	case <-ctx.Done():
		return true, ctx.Err()
	}
}

// bulkheadPermits is the bulkhead as the owner of its permits.
type bulkheadPermits Bulkhead

// Done implements admission.Owner.
func (b *bulkheadPermits) Done(time.Time, admission.Held, admission.Outcome) { b.leave() }

// Cancel implements admission.Owner.
func (b *bulkheadPermits) Cancel(time.Time, admission.Held) { b.leave() }

func (b *bulkheadPermits) leave() {
	select {
	case <-b.room:
	default: // a copy of a permit was ended twice
	}
}
