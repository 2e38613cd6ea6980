package limit

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// A Bucket is a *rate.Limiter that many goroutines can't get past.
//
// Allow of golang.org/x/time/rate reads the clock and then takes its lock. Two
// goroutines can take the lock in the other order, the limiter's time then goes
// back, and the interval is counted twice: NewLimiter(10, 10) asked for 10, 1,
// 1 and 8 at 0, 500, 0 and 500 ms grants all 20 where 15 is the most. A Bucket
// reads the clock under a lock of its own and never lets it go back.
//
// It is the limit of one provider account, to be waited for before each attempt
// (retry.Options.Limiter), if that limit is known; an [Account] learns it. For
// tenants, tokens and money, which need debts and refunds that a Limiter hasn't,
// see [Model].
type Bucket struct {
	mu   sync.Mutex
	lim  *rate.Limiter
	last time.Time
}

// NewBucket returns a full bucket of burst tokens that refills at r a second.
func NewBucket(r rate.Limit, burst int) (*Bucket, error) {
	if !(r >= 0) || burst < 0 || burst == 0 && r != rate.Inf {
		return nil, fmt.Errorf("%w: a bucket of %d at %v a second: want a rate of 0 or more and a burst above 0", ErrOption, burst, r)
	}
	return &Bucket{lim: rate.NewLimiter(r, burst)}, nil
}

// now returns the later of t and every instant before.
func (b *Bucket) now(t time.Time) time.Time {
	if t.After(b.last) {
		b.last = t
	}
	return b.last
}

// Allow reports whether n tokens are there now, and takes them.
func (b *Bucket) Allow(n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lim.AllowN(b.now(time.Now()), n)
}

// AllowAt is Allow at an instant of the caller's clock.
func (b *Bucket) AllowAt(now time.Time, n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lim.AllowN(b.now(now), n)
}

// A Reservation is of n tokens; it isn't OK if there will never be as many at
// once.
type Reservation struct {
	b     *Bucket
	r     *rate.Reservation
	OK    bool
	Delay time.Duration // until the tokens may be used
}

// ReserveAt takes n tokens, of the future if need be.
func (b *Bucket) ReserveAt(now time.Time, n int) Reservation {
	b.mu.Lock()
	defer b.mu.Unlock()
	now = b.now(now)
	r := b.lim.ReserveN(now, n)
	out := Reservation{b: b, r: r, OK: r.OK()}
	if out.OK {
		out.Delay = r.DelayFrom(now)
	}
	return out
}

// CancelAt gives the tokens back as far as later reservations don't count on
// them; those whose time has come stay taken.
func (r Reservation) CancelAt(now time.Time) {
	if !r.OK {
		return
	}
	r.b.mu.Lock()
	defer r.b.mu.Unlock()
	r.r.CancelAt(r.b.now(now))
}

// TokensAt returns how many tokens there are; negative if some of the future's
// are taken.
func (b *Bucket) TokensAt(now time.Time) float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lim.TokensAt(b.now(now))
}

// Wait takes a token and waits until it is there. It fails at once, taking
// nothing, if that would be after ctx's deadline, and with ctx.Err() if ctx is
// done before. It allocates only if it has to wait.
func (b *Bucket) Wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if b.Allow(1) {
		return nil
	}
	r := b.ReserveAt(time.Now(), 1)
	if !r.OK {
		return fmt.Errorf("%w: a bucket of no tokens", ErrOption)
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < r.Delay {
		r.CancelAt(time.Now())
		return &Error{Dimension: "requests", Reason: "the wait would pass the deadline", Delay: r.Delay, HasDelay: true}
	}
	if r.Delay == 0 {
		return nil
	}
	t := time.NewTimer(r.Delay)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		r.CancelAt(time.Now())
		return ctx.Err()
	}
}
