package retry

import (
	"context"
	"crypto/rand"
	"sync/atomic"
)

// A call is a logical call: what all its attempts share.
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

// An attempt is the context of one attempt: besides its parent's values it
// carries the exchange and the logical call. Being its own context, and with
// the call in the first of them, it is one allocation.
type attempt struct {
	context.Context
	exchange atomic.Pointer[exchange] // the last, if a Transport took part
	nested   atomic.Int32             // requests that the client repeated by itself
	call     *call
	first    call // the storage of the first attempt's
}

// record begins a new exchange.
func (a *attempt) record() *exchange {
	x := &exchange{}
	a.exchange.Store(x)
	return x
}

type attemptKey struct{}

// Value implements context.Context.
func (a *attempt) Value(key any) any {
	if key == (attemptKey{}) {
		return a
	}
	return a.Context.Value(key)
}

func attemptOf(ctx context.Context) *attempt {
	a, _ := ctx.Value(attemptKey{}).(*attempt)
	return a
}

type idempotencyKey struct{}

// WithIdempotencyKey returns a context whose calls use key instead of a random
// one: a caller that repeats a call itself can so tell the provider that it is
// the same.
func WithIdempotencyKey(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, idempotencyKey{}, key)
}

// IdempotencyKey returns the key of the logical call that ctx, as a [Model]
// hands it on, belongs to: the same for all its attempts. It is for clients
// that don't use [Transport].
func IdempotencyKey(ctx context.Context) (key string, ok bool) {
	if a := attemptOf(ctx); a != nil {
		return a.call.idempotencyKey(ctx), true
	}
	key, ok = ctx.Value(idempotencyKey{}).(string)
	return key, ok
}
