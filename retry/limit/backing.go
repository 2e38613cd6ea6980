package limit

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prodailabs/prodai/internal/event"
)

// A backing is the store of a [Model] or a [Handler], and its replacement while it
// is down.
//
// A correction that the store can't take at once is kept, and made before the next
// claim. So a call that a failing store has refused is not counted.
type backing struct {
	store  Store
	refuse bool   // nothing replaces the store
	spare  Memory // the same rates in this process
	log    *slog.Logger
	failed atomic.Int64 // failures that were not logged yet
	logged atomic.Int64 // when the last were, in Unix nanoseconds

	owes atomic.Bool // there is something in owed; read without the lock
	mu   sync.Mutex
	owed map[string]Claim // by key
}

// maxOwed bounds how many corrections are kept. What is dropped refills with time,
// as every rate does.
const maxOwed = 10_000

// How long a store may take. A limiter that waits longer is an outage itself.
const (
	takeTimeout   = 250 * time.Millisecond
	chargeTimeout = 100 * time.Millisecond // the answer is there, and waits for this
)

// A taking is what a call took of some limits, and where.
type taking struct {
	claims []Claim
	spare  bool // of the spare store
}

// take asks the store, or its replacement. The taking is what has to be given back
// if the call isn't made. It is empty if the decision is a refusal.
func (b *backing) take(ctx context.Context, claims []Claim, ahead time.Duration) (taking, Decision, error) {
	d, err := b.ask(ctx, claims, ahead)
	t := taking{claims: claims}
	if err != nil {
		if ctx.Err() != nil {
			return taking{}, d, ctx.Err()
		}
		b.report(ctx, err)
		if b.refuse {
			return taking{}, d, err
		}
		t.spare = true
		if d, err = b.spare.Take(ctx, claims, ahead); err != nil {
			return taking{}, d, err
		}
	}
	if !d.OK {
		return taking{}, d, nil
	}
	return t, d, nil
}

// ask asks the store alone.
func (b *backing) ask(ctx context.Context, claims []Claim, ahead time.Duration) (Decision, error) {
	if _, ok := b.store.(*Memory); !ok { // which never waits
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, takeTimeout)
		defer cancel()
	}
	if err := b.pay(ctx); err != nil {
		return Decision{}, err
	}
	d, err := b.store.Take(ctx, claims, ahead)
	if err == nil && (d.Claim < 0 || d.Claim >= len(claims)) {
		err = fmt.Errorf("limit: the store decided by claim %d of %d", d.Claim, len(claims))
	}
	return d, err
}

// report logs the store's failures, at most once a second.
func (b *backing) report(ctx context.Context, err error) {
	failed, now, last := b.failed.Add(1), time.Now().UnixNano(), b.logged.Load()
	if now-last < int64(time.Second) || !b.logged.CompareAndSwap(last, now) {
		return
	}
	b.failed.Add(-failed)
	state := "local"
	if b.refuse {
		state = "refusing"
	}
	event.Logger(b.log).LogAttrs(ctx, slog.LevelWarn, event.LimitStore, slog.String(event.State, state), slog.Int64(event.Count, failed), slog.String(event.Reason, err.Error()))
}

// charge applies corrections where the claims were taken. They must arrive also if
// the call's context is done.
func (b *backing) charge(corrections []Claim, spare bool) {
	if len(corrections) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), chargeTimeout)
	defer cancel()
	if spare {
		_ = b.spare.Charge(ctx, corrections) // a correction is never NaN
		return
	}
	err := b.pay(ctx)
	if err == nil {
		err = b.store.Charge(ctx, corrections)
	}
	if err != nil {
		b.owe(corrections)
		b.report(ctx, err)
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

// pay makes the corrections that were kept. An error means that the store is still
// down.
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
