package limit

import (
	"context"
	"math"
	"sync"
	"time"
)

// A Claim is a request for N units under the limit that Key names. The claims
// of one call have different keys.
type Claim struct {
	Key  string
	Rate Rate
	N    float64
}

// A Store keeps the state of limits. [Memory] keeps it in memory; package
// limit/redis keeps it where many processes share it.
type Store interface {
	// Take grants all of the claims or none. With ahead above 0 it may grant room that
	// will be there within ahead. Then the caller waits for Decision.Wait before it
	// uses the room. An error is a failure of the store, and not a refusal. A claim of
	// less than 0 units, or of NaN, is an error that wraps ErrOption.
	Take(ctx context.Context, claims []Claim, ahead time.Duration) (Decision, error)
	// Charge takes N units of each claim without asking, into debt if need be,
	// and gives back where N is negative. NaN is an error that wraps ErrOption.
	Charge(ctx context.Context, claims []Claim) error
}

// A Memory is a [Store] in memory. The zero Memory is ready; it is safe for
// concurrent use.
//
// It reads the clock under its lock. A limiter that reads the clock before, as
// x/time/rate's Allow does, can apply two readings in the wrong order. It then
// counts the time between them twice and lets more through than its rate. See
// [Bucket].
type Memory struct {
	// Now is the clock. Default: time.Now.
	Now func() time.Time

	mu    sync.Mutex
	epoch time.Time
	last  int64
	tats  map[string]int64
	sweep int // how many keys there may be before the full buckets are dropped
}

// Take implements [Store]; it fails only with [ErrOption].
func (l *Memory) Take(_ context.Context, claims []Claim, ahead time.Duration) (Decision, error) {
	for i, c := range claims {
		if !(c.N >= 0) {
			return Decision{}, optionError("Claim.N of %q, claim %d, is %v: want 0 or more", c.Key, i, c.N)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	var worst Decision
	var room [4]int64
	tats := room[:0]
	for i, c := range claims {
		if c.Rate.IsZero() {
			tats = append(tats, 0)
			continue
		}
		tat, d := c.Rate.step(l.tats[c.Key], now, c.N, ahead)
		tats = append(tats, tat)
		d.Claim = i
		if i == 0 || worst.Limit == 0 || binds(d, worst) {
			worst = d
		}
	}
	if worst.Limit == 0 {
		return Decision{OK: true}, nil // no claim has a limit
	}
	if worst.OK {
		for i, c := range claims {
			if !c.Rate.IsZero() {
				l.set(c.Key, tats[i], now)
			}
		}
	}
	return worst, nil
}

// binds reports whether the decision a counts before b: a refusal counts before a
// grant, Never before a wait, then the longer wait, then the smaller part that is
// left.
func binds(a, b Decision) bool {
	switch {
	case a.OK != b.OK:
		return !a.OK
	case (a.Wait == Never) != (b.Wait == Never):
		return a.Wait == Never
	case a.Wait != b.Wait:
		return a.Wait > b.Wait
	}
	return a.Remaining*b.Limit < b.Remaining*a.Limit
}

// Charge implements [Store]; it fails only with [ErrOption], and then charges
// nothing.
func (l *Memory) Charge(_ context.Context, claims []Claim) error {
	for i, c := range claims {
		if math.IsNaN(c.N) {
			return optionError("Claim.N of %q, claim %d, is NaN: want a number", c.Key, i)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	for _, c := range claims {
		if !c.Rate.IsZero() {
			l.set(c.Key, c.Rate.charge(l.tats[c.Key], now, c.N), now)
		}
	}
	return nil
}

// now returns nanoseconds since the first call; they never run backwards.
func (l *Memory) now() int64 {
	t := time.Now
	if l.Now != nil {
		t = l.Now
	}
	if l.tats == nil {
		l.tats, l.epoch, l.sweep = make(map[string]int64), t(), 1024
	}
	l.last = max(l.last, int64(t().Sub(l.epoch)))
	return l.last
}

func (l *Memory) set(key string, tat, now int64) {
	l.tats[key] = tat
	if len(l.tats) < l.sweep {
		return
	}
	for k, t := range l.tats { // a full bucket needs no memory
		if t <= now {
			delete(l.tats, k)
		}
	}
	l.sweep = max(1024, 2*len(l.tats))
}
