package fault

import (
	"context"
	"crypto/rand"
	"sync/atomic"
	"time"
)

// A call is what all attempts of a logical call share.
type call struct {
	key atomic.Pointer[string]
}

// idempotencyKey returns the call's key: ctx, of any of its attempts, may carry
// one that the caller chose.
func (c *call) idempotencyKey(ctx context.Context) string {
	if key := c.key.Load(); key != nil {
		return *key
	}
	key, _ := ctx.Value(idempotencyKey{}).(string)
	if key == "" {
		key = rand.Text()
	}
	c.key.CompareAndSwap(nil, &key)
	return *c.key.Load()
}

// An Attempt is the context of one attempt of a call. A [Transport] records in it
// what came over the wire, and finds the call's idempotency key in it. It is for
// packages that make attempts, as package retry does.
//
// The zero Attempt must be started before it is used.
type Attempt struct {
	// An attempt costs one allocation, because an Attempt is its own context, and the
	// first one of a call contains what the others share.
	context.Context
	exchange atomic.Pointer[exchange] // the last, if a Transport took part
	repeats  atomic.Int32             // requests that the client repeated by itself
	call     *call
	first    call // the storage of the first attempt's
}

// Start makes a the context of an attempt, a child of parent. sibling is an earlier
// attempt of the same call; nil begins a new call.
func (a *Attempt) Start(parent context.Context, sibling *Attempt) {
	a.Context, a.call = parent, &a.first
	if sibling != nil {
		a.call = sibling.call
	}
}

// Recorded reports whether a [Transport] has seen a request of the attempt.
func (a *Attempt) Recorded() bool { return a.exchange.Load() != nil }

// Repeats returns how many requests the client has repeated by itself, as far as
// its headers show that.
func (a *Attempt) Repeats() int { return int(a.repeats.Load()) }

// Failure returns what failed in the attempt's last HTTP exchange, or nil if that
// was a success as a whole, or if no [Transport] saw it. err is the error that the
// client returned.
func (a *Attempt) Failure(err error, now time.Time) *Error {
	x := a.exchange.Load()
	if x == nil {
		return nil
	}
	return x.failure(err != nil, now)
}

// record begins a new exchange.
func (a *Attempt) record() *exchange {
	x := &exchange{}
	a.exchange.Store(x)
	return x
}

type attemptKey struct{}

// Value implements context.Context.
func (a *Attempt) Value(key any) any {
	if key == (attemptKey{}) {
		return a
	}
	return a.Context.Value(key)
}

// AttemptOf returns the attempt that ctx belongs to, or nil.
func AttemptOf(ctx context.Context) *Attempt {
	a, _ := ctx.Value(attemptKey{}).(*Attempt)
	return a
}

type idempotencyKey struct{}

// WithIdempotencyKey returns a context whose calls use key instead of a random one.
// So a caller that repeats a call can show the provider that both are the same.
func WithIdempotencyKey(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, idempotencyKey{}, key)
}

// IdempotencyKey returns the idempotency key of ctx's call, the same for all
// attempts of the call. ctx is an [Attempt] or a child of one. The function is for
// clients that don't use [Transport].
func IdempotencyKey(ctx context.Context) (key string, ok bool) {
	if a := AttemptOf(ctx); a != nil {
		return a.call.idempotencyKey(ctx), true
	}
	key, ok = ctx.Value(idempotencyKey{}).(string)
	return key, ok
}
