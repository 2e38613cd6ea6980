package retry

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/prodailabs/prodai/retry/fault"
)

// ErrBusy is wrapped by the error of a call that an [Adaptive] limit or a
// [Bulkhead] had no room for.
var ErrBusy = errors.New("retry: no room for another call")

// AdaptiveOptions are the settings of an [Adaptive] limit.
type AdaptiveOptions struct {
	Min, Max int // bounds of the limit; defaults 1 and 1000
	Initial  int // where it starts; default 20, within the bounds
	// Interval is how often the limit moves; default 1 s.
	Interval time.Duration
	// Congested is the share of an interval's calls that must be refused, time
	// out or fail before the limit is cut; default 0.1.
	Congested float64
	// Cut is the factor by which it then falls; default 0.7.
	Cut float64
}

// An Adaptive limit finds out how many calls at once a target can take, by
// additive increase and multiplicative decrease (Chiu and Jain, 1989): one more
// after an interval that used the limit, a cut as soon as one is congested. It needs
// no knowledge of the target and is safe for concurrent use. The clock is the
// caller's.
type Adaptive struct {
	o        AdaptiveOptions
	mu       sync.Mutex
	limit    float64
	inFlight int
	kept     int             // places that Wait keeps for an Acquire
	waiting  []chan struct{} // closed when a place is kept
	full     bool            // the limit was reached in this interval
	cut      bool            // there was congestion in this interval
	ok, bad  int
	end      time.Time
}

// NewAdaptive returns a limit; nil options mean the defaults.
func NewAdaptive(o *AdaptiveOptions) (*Adaptive, error) {
	a := &Adaptive{}
	if o != nil {
		a.o = *o
	}
	s := &a.o
	if s.Min < 0 || s.Max < 0 || s.Initial < 0 || s.Interval < 0 || !(s.Congested >= 0 && s.Congested < 1) || !(s.Cut >= 0 && s.Cut < 1) {
		return nil, optionError("adaptive: a setting is out of range: %+v", *s)
	}
	if s.Min == 0 {
		s.Min = 1
	}
	if s.Max == 0 {
		s.Max = max(1000, s.Min)
	}
	if s.Min > s.Max {
		return nil, optionError("adaptive: Min %d is above Max %d", s.Min, s.Max)
	}
	if s.Initial == 0 {
		s.Initial = 20
	}
	if s.Interval == 0 {
		s.Interval = time.Second
	}
	if s.Congested == 0 {
		s.Congested = 0.1
	}
	if s.Cut == 0 {
		s.Cut = 0.7
	}
	a.limit = float64(min(max(s.Initial, s.Min), s.Max))
	return a, nil
}

// Acquire admits a call or returns an error that wraps [ErrBusy]. Every
// admitted call must come back with Release.
func (a *Adaptive) Acquire(now time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.advance(now)
	if a.kept > 0 {
		a.kept--
	} else if !a.room() {
		a.full = true
		return busyError()
	}
	a.inFlight++
	if !a.room() {
		a.full = true
	}
	return nil
}

func (a *Adaptive) room() bool { return float64(a.inFlight+a.kept)+1 <= a.limit }

// Wait waits for room, first come first served, and keeps it for the Acquire, or
// the Forgo, that must follow. With it an Adaptive can also be the Limiter of the
// [Options] that it is in: attempts then wait for room instead of failing.
func (a *Adaptive) Wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	a.mu.Lock()
	a.advance(time.Now())
	if len(a.waiting) == 0 && a.room() {
		a.kept++
		a.mu.Unlock()
		return nil
	}
	a.full = true
	place := make(chan struct{})
	a.waiting = append(a.waiting, place)
	a.mu.Unlock()
	select {
	case <-place:
		return nil
	case <-ctx.Done():
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if i := slices.Index(a.waiting, place); i >= 0 {
		a.waiting = slices.Delete(a.waiting, i, i+1)
	} else { // it came as the caller left
		a.kept--
		a.wake()
	}
	return ctx.Err()
}

// Forgo gives back the place that a Wait has kept, where no Acquire will take it.
func (a *Adaptive) Forgo(now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.advance(now)
	if a.kept == 0 {
		return
	}
	a.full = a.full || !a.room()
	a.kept--
	a.wake()
}

// wake keeps the places that there are for those who wait.
func (a *Adaptive) wake() {
	for len(a.waiting) > 0 && a.room() {
		a.kept++
		close(a.waiting[0])
		a.waiting = a.waiting[1:]
	}
}

// Release ends an admitted call. Healthy and Sick count for and against the
// limit; Neither says nothing. A rate limit is Sick here, though not for a
// [Breaker]: the target has asked for fewer calls.
func (a *Adaptive) Release(now time.Time, o Outcome) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.advance(now)
	a.inFlight = max(0, a.inFlight-1)
	switch o {
	case Healthy:
		a.ok++
	case Sick:
		a.bad++
	}
	// A few failures among few calls are bad luck: the share is one of the limit
	// until as many have ended. More than one cut an interval would punish the
	// calls that were under way at the first.
	if !a.cut && a.bad > 1 && float64(a.bad) > a.o.Congested*max(float64(a.ok+a.bad), a.limit) {
		a.limit = math.Max(float64(a.o.Min), a.limit*a.o.Cut)
		a.cut = true
	}
	a.wake()
}

// Limit returns how many calls at once are allowed now.
func (a *Adaptive) Limit() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.limit >= float64(a.o.Max) { // which, if it is the largest int, a float64 rounds up
		return a.o.Max
	}
	return int(a.limit)
}

func (a *Adaptive) advance(now time.Time) {
	if a.end.IsZero() {
		a.end = now.Add(a.o.Interval)
	}
	if now.Before(a.end) {
		return
	}
	if a.full && !a.cut && a.ok > 0 { // an unused limit says nothing about more
		a.limit = math.Min(float64(a.o.Max), a.limit+1)
	}
	a.cut = false
	a.ok, a.bad, a.full, a.end = 0, 0, !a.room(), now.Add(a.o.Interval)
}

// busyError is our refusal, not the target's: another attempt may find room.
func busyError() *fault.Error {
	e := fault.New(fault.ClassOverloaded, ErrBusy)
	e.Unhealthy = false
	return e
}
