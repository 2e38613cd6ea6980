package limit

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/prodailabs/prodai/retry/fault"
)

// A Bucket is a *rate.Limiter, with its methods, that keeps its rate also with many
// goroutines.
//
// Allow of golang.org/x/time/rate reads the clock and then takes its lock. Two
// goroutines can take the lock in the other order. Then the limiter's time goes
// back, and an interval is counted twice: NewLimiter(10, 10) asked for 10, 1, 1 and
// 8 tokens at 0, 500, 0 and 500 ms grants all 20, where 15 is the most. A Bucket
// reads the clock under a lock of its own and never lets it go back.
//
// A Bucket is for a limit of one provider account that you know, and that each
// attempt waits for (retry.Options.Limiter). An [Account] learns such a limit. For
// tenants, tokens and money, which need debts and refunds, see [Model].
type Bucket struct {
	mu   sync.Mutex
	lim  *rate.Limiter
	last time.Time
}

// NewBucket returns a full bucket of burst tokens that refills at r a second. It
// fails with [ErrOption].
func NewBucket(r rate.Limit, burst int) (*Bucket, error) {
	if !(r >= 0) {
		return nil, optionError("the rate of NewBucket is %v a second: want 0 or more", r)
	}
	if burst < 0 || burst == 0 && r != rate.Inf {
		return nil, optionError("the burst of NewBucket is %d: want 1 or more", burst)
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

// limiter returns the limiter below. For the zero Bucket it is one that lets
// nothing pass, as the zero rate.Limiter does. mu is held.
func (b *Bucket) limiter() *rate.Limiter {
	if b.lim == nil {
		b.lim = &rate.Limiter{}
	}
	return b.lim
}

// Limit returns the tokens a second.
func (b *Bucket) Limit() rate.Limit {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.limiter().Limit()
}

// Burst returns how many tokens a full bucket has.
func (b *Bucket) Burst() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.limiter().Burst()
}

// Allow is AllowN(time.Now(), 1).
func (b *Bucket) Allow() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.limiter().AllowN(b.now(time.Now()), 1)
}

// AllowN reports whether n tokens are there at t, and takes them.
func (b *Bucket) AllowN(t time.Time, n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.limiter().AllowN(b.now(t), n)
}

// A Reservation is for tokens that are there now, or later. See [Bucket.ReserveN].
type Reservation struct {
	b *Bucket
	r *rate.Reservation
}

// Reserve is ReserveN(time.Now(), 1).
func (b *Bucket) Reserve() Reservation { return b.ReserveN(time.Now(), 1) }

// ReserveN takes n tokens, perhaps those of a later time.
func (b *Bucket) ReserveN(t time.Time, n int) Reservation {
	b.mu.Lock()
	defer b.mu.Unlock()
	return Reservation{b, b.limiter().ReserveN(b.now(t), n)}
}

// OK reports whether the tokens were taken. It is false if the bucket never has as
// many at once.
func (r Reservation) OK() bool { return r.r != nil && r.r.OK() }

// Delay is DelayFrom(time.Now()).
func (r Reservation) Delay() time.Duration { return r.DelayFrom(time.Now()) }

// DelayFrom returns how long after t the tokens may be used. It is rate.InfDuration
// if the reservation isn't OK.
func (r Reservation) DelayFrom(t time.Time) time.Duration {
	if r.b == nil {
		return rate.InfDuration
	}
	r.b.mu.Lock()
	defer r.b.mu.Unlock()
	return r.r.DelayFrom(r.b.now(t))
}

// Cancel is CancelAt(time.Now()).
func (r Reservation) Cancel() { r.CancelAt(time.Now()) }

// CancelAt gives the tokens back, except those that later reservations need and
// those whose time has come.
func (r Reservation) CancelAt(t time.Time) {
	if r.b == nil {
		return
	}
	r.b.mu.Lock()
	defer r.b.mu.Unlock()
	r.r.CancelAt(r.b.now(t))
}

// Tokens is TokensAt(time.Now()).
func (b *Bucket) Tokens() float64 { return b.TokensAt(time.Now()) }

// TokensAt returns how many tokens there are at t. It is negative if tokens of a
// later time are taken.
func (b *Bucket) TokensAt(t time.Time) float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.limiter().TokensAt(b.now(t))
}

// Wait is WaitN(ctx, 1).
func (b *Bucket) Wait(ctx context.Context) error { return b.WaitN(ctx, 1) }

// WaitN takes n tokens and waits until they are there. It fails at once with an
// *[Error], and takes nothing, if the bucket never has as many or if they would
// come after ctx's deadline. It fails with ctx.Err() if ctx is done before. It
// allocates only if it has to wait.
func (b *Bucket) WaitN(ctx context.Context, n int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	now := time.Now()
	if b.AllowN(now, n) {
		return nil
	}
	r := b.ReserveN(now, n)
	if !r.OK() {
		return &Error{Refusal: fault.RefusalCap, Dimension: "requests", Reason: fmt.Sprintf("the call needs %d and there are never more than %d at once", n, b.Burst())}
	}
	delay := r.DelayFrom(now)
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < delay {
		r.Cancel()
		return &Error{Refusal: fault.RefusalWait, Dimension: "requests", Reason: "the wait would pass the deadline", Delay: delay, HasDelay: true}
	}
	if delay == 0 {
		return nil
	}
	t := time.NewTimer(delay)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		r.Cancel()
		return ctx.Err()
	}
}
