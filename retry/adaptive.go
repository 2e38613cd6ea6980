package retry

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/prodailabs/prodai/retry/admission"
	"github.com/prodailabs/prodai/retry/fault"
)

// ErrBusy is wrapped by the error of a call that an [Adaptive] limit or a
// [Bulkhead] had no room for.
var ErrBusy = errors.New("retry: no room for another call")

// AdaptiveOptions are the settings of an [Adaptive] limit.
type AdaptiveOptions struct {
	// Min and Max bound the limit. Default: 1 and 1000, or Min if that is more.
	Min, Max int
	// Initial is where the limit starts. Default: 20, within the bounds.
	Initial int
	// Interval is how often the limit moves. Default: 1 s.
	Interval time.Duration
	// Congested is the share of an interval's calls that must be refused, time
	// out or fail before the limit is cut. Default: 0.1.
	Congested float64
	// Cut is the factor by which the limit then falls. Default: 0.7.
	Cut float64
}

// An Adaptive limit finds out how many calls at once a target can take, by
// additive increase and multiplicative decrease (Chiu and Jain, 1989): one more
// after an interval that used the limit, a cut as soon as one is congested. It
// needs no knowledge of the target.
//
// [admission.OutcomeHealthy] counts for the limit, [admission.OutcomeUnhealthy]
// and [admission.OutcomeThrottled] against it: a target that throttles has asked
// for fewer calls. Make one with [NewAdaptive]: the zero Adaptive is not usable. An
// Adaptive is safe for concurrent use. The clock is the
// caller's, but for Acquire.
type Adaptive struct {
	o        AdaptiveOptions
	mu       sync.Mutex
	limit    float64
	inFlight int
	waiting  []chan struct{} // closed when a place has been taken for the call that waits
	full     bool            // the limit was reached in this interval
	cut      bool            // there was congestion in this interval
	ok, bad  int
	end      time.Time
}

// NewAdaptive returns a limit; nil options mean the defaults. It fails with
// [ErrOption].
func NewAdaptive(o *AdaptiveOptions) (*Adaptive, error) {
	a := &Adaptive{}
	if o != nil {
		a.o = *o
	}
	s := &a.o
	for _, x := range []struct {
		name  string
		value int64
	}{{"Min", int64(s.Min)}, {"Max", int64(s.Max)}, {"Initial", int64(s.Initial)}, {"Interval", int64(s.Interval)}} {
		if x.value < 0 {
			return nil, optionError("AdaptiveOptions.%s is %d: want 0 (the default) or more", x.name, x.value)
		}
	}
	if !(s.Congested >= 0 && s.Congested < 1) {
		return nil, optionError("AdaptiveOptions.Congested is %v: want 0 (the default, 0.1) to less than 1", s.Congested)
	}
	if !(s.Cut >= 0 && s.Cut < 1) {
		return nil, optionError("AdaptiveOptions.Cut is %v: want 0 (the default, 0.7) to less than 1", s.Cut)
	}
	if s.Min == 0 {
		s.Min = 1
	}
	if s.Max == 0 {
		s.Max = max(1000, s.Min)
	}
	if s.Min > s.Max {
		return nil, optionError("AdaptiveOptions.Min is %d: want at most Max, %d", s.Min, s.Max)
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

// TryAcquire admits a call, or returns an error that wraps [ErrBusy]. It doesn't
// overtake the calls that wait in Acquire.
func (a *Adaptive) TryAcquire(now time.Time) (admission.Permit, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := zeroError(a); err != nil {
		return admission.Permit{}, err
	}
	a.advance(now)
	if len(a.waiting) > 0 || !a.room() {
		a.full = true
		return admission.Permit{}, busyError()
	}
	a.enter()
	return a.permit(), nil
}

// Acquire admits a call, if need be after a wait for room, first come first
// served. It returns ctx's error if ctx is done before. In [Options].Gates an
// Adaptive makes attempts wait that would fail at once if it were
// [Options].Adaptive.
func (a *Adaptive) Acquire(ctx context.Context) (admission.Permit, error) {
	if err := ctx.Err(); err != nil {
		return admission.Permit{}, err
	}
	a.mu.Lock()
	if err := zeroError(a); err != nil {
		a.mu.Unlock()
		return admission.Permit{}, err
	}
	a.advance(time.Now())
	if len(a.waiting) == 0 && a.room() {
		a.enter()
		a.mu.Unlock()
		return a.permit(), nil
	}
	a.full = true
	place := make(chan struct{})
	a.waiting = append(a.waiting, place)
	a.mu.Unlock()
	select {
	case <-place:
		return a.permit(), nil
	case <-ctx.Done():
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if i := slices.Index(a.waiting, place); i >= 0 {
		a.waiting = slices.Delete(a.waiting, i, i+1)
	} else { // it came as the caller left
		a.leave()
	}
	return admission.Permit{}, ctx.Err()
}

func (a *Adaptive) permit() admission.Permit {
	return admission.NewPermit((*adaptivePermits)(a), 0)
}

func (a *Adaptive) room() bool { return float64(a.inFlight)+1 <= a.limit }

func (a *Adaptive) enter() {
	a.inFlight++
	a.full = a.full || !a.room()
}

// leave frees a place.
func (a *Adaptive) leave() {
	a.inFlight = max(0, a.inFlight-1)
	a.wake()
}

// wake gives the places that there are to the calls that wait.
func (a *Adaptive) wake() {
	for len(a.waiting) > 0 && a.room() {
		a.enter()
		close(a.waiting[0])
		a.waiting = a.waiting[1:]
	}
}

// adaptivePermits is the limit as the owner of its permits.
type adaptivePermits Adaptive

// Done implements admission.Owner.
func (p *adaptivePermits) Done(now time.Time, _ admission.Held, o admission.Outcome) {
	(*Adaptive)(p).done(now, o)
}

// Cancel implements admission.Owner.
func (p *adaptivePermits) Cancel(now time.Time, _ admission.Held) {
	(*Adaptive)(p).done(now, admission.OutcomeIgnored)
}

func (a *Adaptive) done(now time.Time, o admission.Outcome) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.advance(now)
	switch o {
	case admission.OutcomeHealthy:
		a.ok++
	case admission.OutcomeUnhealthy, admission.OutcomeThrottled:
		a.bad++
	}
	// A few failures among few calls are bad luck: the share is one of the limit
	// until as many have ended. More than one cut an interval would punish the
	// calls that were in progress at the first.
	if !a.cut && a.bad > 1 && float64(a.bad) > a.o.Congested*max(float64(a.ok+a.bad), a.limit) {
		a.limit = math.Max(float64(a.o.Min), a.limit*a.o.Cut)
		a.cut = true
	}
	a.leave()
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
	a.wake()
}

// busyError is the gate's refusal, not the target's: another attempt may find
// room.
func busyError() *fault.Error {
	e := fault.New(fault.ClassOverloaded, ErrBusy)
	e.Unhealthy, e.Unsent = false, true
	return e
}
