package limit

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// A backing is the store of a [Model], and what replaces it while it is down.
//
// A correction that the store can't take at once is owed to it, and paid before
// the next claim: a call that a failing store has refused stays uncounted.
type backing struct {
	store  Store
	closed bool       // nothing replaces the store
	spare  LocalStore // the same rates in this process

	owes atomic.Bool // there is something in owed; read without the lock
	mu   sync.Mutex
	owed map[string]Claim // by key
}

// maxOwed bounds what is remembered. What is dropped refills with time, as every
// rate does.
const maxOwed = 10_000

// A taking is what a call took of some limits, and where.
type taking struct {
	claims []Claim
	spare  bool // of the spare store
}

// take asks the store, or what replaces it. The taking is what has to be given
// back if the call isn't made; it is empty if the decision is a refusal.
func (b *backing) take(ctx context.Context, claims []Claim, ahead time.Duration) (taking, Decision, error) {
	err := b.pay(ctx)
	var d Decision
	if err == nil {
		d, err = b.store.Take(ctx, claims, ahead)
	}
	t := taking{claims: claims}
	if err != nil {
		if ctx.Err() != nil {
			return taking{}, d, ctx.Err()
		}
		if b.closed {
			return taking{}, d, err
		}
		t.spare = true
		d, _ = b.spare.Take(ctx, claims, ahead) // a LocalStore never fails
	}
	if !d.OK {
		return taking{}, d, nil
	}
	return t, d, nil
}

// charge applies corrections where the claims were taken. They must arrive
// although the call's context may be done.
func (b *backing) charge(corrections []Claim, spare bool) {
	if len(corrections) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if spare {
		_ = b.spare.Charge(ctx, corrections) // a LocalStore never fails
		return
	}
	if b.pay(ctx) != nil || b.store.Charge(ctx, corrections) != nil {
		b.owe(corrections)
	}
}

func (b *backing) owe(corrections []Claim) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.owed == nil {
		b.owed = make(map[string]Claim)
	}
	for _, c := range corrections {
		c.N += b.owed[c.Key].N
		if _, known := b.owed[c.Key]; known || len(b.owed) < maxOwed {
			b.owed[c.Key] = c
		}
	}
	b.owes.Store(true)
}

// pay brings the store what it is owed. An error means that it is still down.
func (b *backing) pay(ctx context.Context) error {
	if !b.owes.Load() {
		return nil
	}
	b.mu.Lock()
	corrections := make([]Claim, 0, len(b.owed))
	for _, c := range b.owed {
		corrections = append(corrections, c)
	}
	b.owed = nil
	b.owes.Store(false)
	b.mu.Unlock()
	if len(corrections) == 0 {
		return nil
	}
	err := b.store.Charge(ctx, corrections)
	if err != nil {
		b.owe(corrections)
	}
	return err
}
