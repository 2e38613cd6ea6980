package retry

import (
	"context"
	"sync/atomic"
)

// A Bulkhead bounds the calls in progress, and those that wait for one to end,
// so that one slow target can't take all of a process's memory and
// connections. It is safe for concurrent use.
type Bulkhead struct {
	room    chan struct{}
	waiting atomic.Int64
	queue   int64
}

// NewBulkhead returns a bulkhead for calls at once, 1 or more, with room for
// queue others to wait, 0 or more.
func NewBulkhead(calls, queue int) (*Bulkhead, error) {
	if calls < 1 || queue < 0 {
		return nil, optionError("bulkhead: %d calls, queue %d: want 1 or more and 0 or more", calls, queue)
	}
	return &Bulkhead{room: make(chan struct{}, calls), queue: int64(queue)}, nil
}

// Enter takes a place, waiting in the queue for one if need be. It returns an
// error that wraps [ErrBusy] if the queue is full, or ctx's if that is done
// first. Every place must be given back with Leave.
func (b *Bulkhead) Enter(ctx context.Context) error {
	_, err := b.enter(ctx)
	return err
}

// enter is Enter; it also says whether it had to wait.
func (b *Bulkhead) enter(ctx context.Context) (waited bool, err error) {
	select {
	case b.room <- struct{}{}:
		return false, nil
	default:
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

// Leave gives a place back; without an Enter before it does nothing.
func (b *Bulkhead) Leave() {
	select {
	case <-b.room:
	default:
	}
}
