package retry

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// A Backoff computes how long to wait before a retry. It is a pure function, so one
// value serves all callers. n counts the retries of this call from 0, prev is the
// wait before the last retry (0 at the first), and u is a random number, uniform in
// [0, 1).
type Backoff interface {
	Delay(n int, prev time.Duration, u float64) time.Duration
}

// Jitter is how a backoff spreads the callers that failed at the same moment. The
// formulas below use t = min(Cap, Base·Multiplier^n).
type Jitter uint8

// The jitters. [JitterFull] spreads best for a given mean wait and is the default.
// No jitter helps in an overload that lasts longer than the cap: then only sending
// less helps (see [Budget]).
const (
	JitterFull         Jitter = iota // u·t: the zero value
	JitterEqual                      // t/2 + u·t/2: never less than half
	JitterDecorrelated               // min(Cap, Base + u·(3·prev − Base)): grows by what was drawn; Multiplier isn't used
	JitterNone                       // t: all callers come back together
	JitterProportional               // t·(1−Factor) + u·2·Factor·t: exactly what cenkalti/backoff v4 does; up to (1+Factor)·Cap
	JitterShaved                     // t·(1 − Factor·u): the OpenAI and Anthropic SDKs, with Factor 0.25
	JitterAdded                      // min(Cap, t + u·Base): tenacity's wait_exponential_jitter
)

// longestWait is used for a wait that is too long for a time.Duration.
const longestWait = time.Duration(math.MaxInt64)

// Exponential is truncated exponential backoff with jitter: Brooker,
// "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
type Exponential struct {
	Base       time.Duration // the first wait. Default: 500 ms
	Cap        time.Duration // the longest wait. Default: 8 s
	Multiplier float64       // of a wait over the one before. Default: 2
	Jitter     Jitter        // Default: JitterFull, the zero value
	Factor     float64       // of JitterProportional and JitterShaved. Default: 0.5 and 0.25
}

func (e Exponential) withDefaults() Exponential {
	if e.Base == 0 {
		e.Base = 500 * time.Millisecond
	}
	if e.Cap == 0 {
		e.Cap = 8 * time.Second
	}
	if e.Multiplier == 0 {
		e.Multiplier = 2
	}
	if e.Factor == 0 {
		e.Factor = 0.5
		if e.Jitter == JitterShaved {
			e.Factor = 0.25
		}
	}
	return e
}

func (e Exponential) check() error {
	if e.Base < 0 || e.Cap < 0 {
		return optionError("Exponential.Base is %v and Cap %v: want 0 (the default) or more", e.Base, e.Cap)
	}
	if e.Multiplier != 0 && !(e.Multiplier >= 1 && !math.IsInf(e.Multiplier, 1)) {
		return optionError("Exponential.Multiplier is %v: want 0 (the default, 2), or 1 or more", e.Multiplier)
	}
	if !(e.Factor >= 0 && e.Factor <= 1) {
		return optionError("Exponential.Factor is %v: want 0 (the default) to 1", e.Factor)
	}
	if e.Jitter > JitterAdded {
		return optionError("Exponential.Jitter is %d: want JitterFull (0) to JitterAdded (%d)", e.Jitter, JitterAdded)
	}
	return nil
}

// Delay implements [Backoff]. It is never negative and never overflows.
func (e Exponential) Delay(n int, prev time.Duration, u float64) time.Duration {
	e = e.withDefaults()
	if e.Jitter == JitterProportional {
		return e.proportional(n, u)
	}
	ns := e.nanos(n, float64(prev), u)
	if ns >= math.MaxInt64 {
		return longestWait
	}
	return time.Duration(math.Round(ns))
}

// nanos is the wait before it is rounded to a Duration. Decorrelated uses it for
// the next wait, so a rounding here would grow.
func (e Exponential) nanos(n int, prev, u float64) float64 {
	base, limit := float64(e.Base), float64(e.Cap)
	if e.Jitter == JitterDecorrelated {
		if prev <= 0 {
			prev = base
		}
		return max(0, min(limit, base+u*(3*prev-base)))
	}
	t := min(limit, base*math.Pow(e.Multiplier, float64(max(n, 0))))
	switch e.Jitter {
	case JitterFull:
		t *= u
	case JitterEqual:
		t = t/2 + u*t/2
	case JitterShaved:
		t *= 1 - e.Factor*u
	case JitterAdded:
		t = min(limit, t+u*base)
	}
	return max(0, t)
}

// proportional is cenkalti/backoff v4 to the nanosecond: the wait without
// jitter grows in whole nanoseconds, the first may exceed the cap, and the draw
// includes both ends.
func (e Exponential) proportional(n int, u float64) time.Duration {
	t := float64(e.Base)
	for range n {
		if t >= float64(e.Cap)/e.Multiplier {
			t = float64(e.Cap)
			break
		}
		t = math.Trunc(t * e.Multiplier)
		if e.Multiplier == 1 {
			break
		}
	}
	low, high := t*(1-e.Factor), t*(1+e.Factor)
	ns := low + u*(high-low+1)
	if ns >= math.MaxInt64 {
		return longestWait
	}
	return time.Duration(ns)
}

// BackOff returns e as a cenkalti/backoff BackOff for that library's Retry. It
// never stops by itself. Like every BackOff it is for one call and one goroutine at
// a time. uniform draws from [0, 1); nil means math/rand/v2.
func (e Exponential) BackOff(uniform func() float64) backoff.BackOff {
	if uniform == nil {
		uniform = rand.Float64
	}
	return &asBackOff{backoff: e, uniform: uniform}
}

var _ backoff.BackOff = (*asBackOff)(nil)

type asBackOff struct {
	backoff Backoff
	uniform func() float64
	n       int
	prev    time.Duration
}

func (b *asBackOff) NextBackOff() time.Duration {
	b.prev = b.backoff.Delay(b.n, b.prev, b.uniform())
	b.n++
	return b.prev
}

func (b *asBackOff) Reset() { b.n, b.prev = 0, 0 }
