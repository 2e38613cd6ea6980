package retry

import (
	"context"
	"crypto/rand"
	"sync"
	"sync/atomic"
)

// A call is a logical call: what all its attempts share.
type call struct {
	ctx  context.Context // the caller's, which may carry the key
	once sync.Once
	key  string
}

func (c *call) idempotencyKey() string {
	c.once.Do(func() {
		if c.key, _ = c.ctx.Value(idempotencyKey{}).(string); c.key == "" {
			c.key = rand.Text()
		}
	})
	return c.key
}

// An attempt is the context of one attempt: besides its parent's values it
// carries the exchange and the logical call, and ends at the attempt's timeout.
type attempt struct {
	deadline
	exchange atomic.Pointer[exchange] // the last, if a Transport took part
	call     *call
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
	return a.deadline.Value(key)
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
		return a.call.idempotencyKey(), true
	}
	key, ok = ctx.Value(idempotencyKey{}).(string)
	return key, ok
}
