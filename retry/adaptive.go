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

// An Adaptive limit finds out how many calls at once a target can take. It uses
// additive increase and multiplicative decrease (Chiu and Jain, 1989): one more
// after an interval in which the limit was reached, and a cut as soon as an
// interval is congested. It needs no knowledge of the target.
//
// A stream shows with its first token that the target is well, and may go on for a
// minute. So until there is congestion, each first token allows two calls more
// while the limit is reached. In every round twice as many streams begin (slow
// start; Jacobson, 1988). Slow start begins again when the limit is twice the one
// at which there was congestion. Outside of slow start the limit grows by 2 % an
// interval, or by one if that is more.
//
// Late first tokens lower the limit. If even the soonest first token of an interval
// takes more than twice the mean of a good time, calls wait inside the target, and
// the limit falls by their number. An answer that comes whole shows nothing before
// its end, so for such calls only the interval counts.
//
// [admission.OutcomeHealthy] raises the limit, and [admission.OutcomeUnhealthy] and
// [admission.OutcomeThrottled] lower it: a target that throttles has asked for
// fewer calls. Make one with [NewAdaptive]: the zero Adaptive is not usable. An
// Adaptive is safe for concurrent use. The caller passes the time, except to
// Acquire.
type Adaptive struct {
	o        AdaptiveOptions
	mu       sync.Mutex
	limit    float64
	inFlight int
	waiting  []chan struct{} // closed when a place has been taken for the call that waits
	full     bool            // the limit was reached in this interval
	wasFull  bool            // and in the one before
	cut      bool            // there was congestion in this interval
	ok, bad  int
	end      time.Time

	slow      bool    // slow start: no congestion was seen yet, or only at a much lower limit
	congested float64 // the limit at the last congestion
	tokens    pace    // of first tokens
	begun     bool    // there was one in this interval
	answering int     // the calls in progress that had theirs
	grace     int     // the intervals in which a cut for late ones may still take effect
	lateness  float64 // the mean of first tokens at that cut
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
	a.limit, a.slow = float64(min(max(s.Initial, s.Min), s.Max)), true
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
	return a.permit(now), nil
}

// Acquire admits a call, perhaps after a wait for room, in the order of arrival. It
// returns ctx's error if ctx is done before. As one of [Options].Gates, an Adaptive
// makes an attempt wait; as [Options].Adaptive it makes the attempt fail at once.
func (a *Adaptive) Acquire(ctx context.Context) (admission.Permit, error) {
	if err := ctx.Err(); err != nil {
		return admission.Permit{}, err
	}
	now := time.Now()
	a.mu.Lock()
	if err := zeroError(a); err != nil {
		a.mu.Unlock()
		return admission.Permit{}, err
	}
	a.advance(now)
	if len(a.waiting) == 0 && a.room() {
		a.enter()
		a.mu.Unlock()
		return a.permit(now), nil
	}
	a.full = true
	place := make(chan struct{})
	a.waiting = append(a.waiting, place)
	a.mu.Unlock()
	select {
	case <-place:
		return a.permit(time.Now()), nil
	case <-ctx.Done():
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if i := slices.Index(a.waiting, place); i >= 0 {
		a.waiting = slices.Delete(a.waiting, i, i+1)
	} else { // the place came while the caller left
		a.leave()
	}
	return admission.Permit{}, ctx.Err()
}

func (a *Adaptive) permit(now time.Time) admission.Permit {
	return admission.NewTimedPermit((*adaptivePermits)(a), now, 0)
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

// wake gives the free places to the calls that wait.
func (a *Adaptive) wake() {
	for len(a.waiting) > 0 && a.room() {
		a.enter()
		close(a.waiting[0])
		a.waiting = a.waiting[1:]
	}
}

// adaptivePermits is the limit as the owner of its permits.
type adaptivePermits Adaptive

// FirstToken implements admission.FirstTokenOwner.
func (p *adaptivePermits) FirstToken(now time.Time, h admission.Held) {
	a := (*Adaptive)(p)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.advance(now)
	a.ok++
	a.begun = true
	a.answering++
	a.tokens.add(h.Took(now))
	if a.slow && (a.full || a.wasFull) && !a.cut {
		a.limit = math.Min(float64(a.o.Max), a.limit+2) // so that twice as many begin in the next round
		a.wake()
	}
}

// Done implements admission.Owner.
func (p *adaptivePermits) Done(now time.Time, h admission.Held, o admission.Outcome) {
	(*Adaptive)(p).done(now, h, o)
}

// Cancel implements admission.Owner.
func (p *adaptivePermits) Cancel(now time.Time, h admission.Held) {
	(*Adaptive)(p).done(now, h, admission.OutcomeIgnored)
}

func (a *Adaptive) done(now time.Time, h admission.Held, o admission.Outcome) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.advance(now)
	if h.Answering {
		a.answering--
	}
	switch o {
	case admission.OutcomeHealthy:
		if !h.Answering { // else its first token has counted
			a.ok++
		}
	case admission.OutcomeUnhealthy, admission.OutcomeThrottled:
		a.bad++
	}
	// A few failures among few calls are bad luck. So the share is one of the limit
	// until as many calls have ended. A second cut in an interval would count failures
	// of calls that were in progress at the first.
	if !a.cut && a.bad > 1 && float64(a.bad) > a.o.Congested*max(float64(a.ok+a.bad), a.limit) {
		a.congested, a.slow, a.cut = a.limit, false, true
		a.limit = math.Max(float64(a.o.Min), a.limit*a.o.Cut)
	}
	a.leave()
}

// Limit returns how many calls at once are allowed now.
func (a *Adaptive) Limit() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.limit >= float64(a.o.Max) { // a float64 rounds the largest int up
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
	switch late, known := a.tokens.late(); {
	case a.cut || !a.full: // an unused limit is no evidence for more
	case late:
		a.giveWay()
	case a.grace > 0 && !known: // few begin after a cut
	case a.ok > 0:
		a.grace = 0
		step := 1.0
		if a.begun { // with streams, a limit that is too high is noticed early and soon lowered
			step = math.Max(1, a.limit/50)
		}
		a.limit = math.Min(float64(a.o.Max), a.limit+step)
		a.slow = a.slow || a.limit > 2*a.congested
	}
	a.cut, a.begun, a.wasFull = false, false, a.full
	a.ok, a.bad, a.full, a.end = 0, 0, !a.room(), now.Add(a.o.Interval)
	a.wake()
}

// giveWay lowers the limit by the number of calls that wait inside the target:
// those without a first token, less those that have none in a good time. Then it
// checks whether that helped. If first tokens come as late with fewer calls, there
// is another reason, such as longer prompts, and no congestion.
func (a *Adaptive) giveWay() {
	const patience = 5
	switch {
	case a.grace > 0 && float64(a.inFlight) > a.limit: // the calls of before the cut
		return
	case a.grace > 1:
		a.grace--
		return
	case a.grace == 1 && a.tokens.mean > 0.8*a.lateness:
		a.tokens.base, a.slow, a.grace = a.tokens.mean, true, 0
		return
	}
	usual := float64(a.ok) * a.tokens.base / float64(a.o.Interval)
	waiting := float64(a.inFlight-a.answering) - usual
	a.congested, a.slow, a.grace, a.lateness = a.limit, false, patience, a.tokens.mean
	a.limit = math.Max(float64(a.o.Min), a.limit-min(max(waiting, 0), a.limit/2))
}

// A pace is how soon first tokens come.
type pace struct {
	n          int
	sum, least time.Duration
	mean       float64
	base       float64 // the mean of a good time
}

func (p *pace) add(d time.Duration) {
	if p.n == 0 || d < p.least {
		p.least = d
	}
	p.n++
	p.sum += d
}

// late reports whether first tokens have come late since it was called before, if
// there were enough of them to know. They are late if even the soonest took more
// than twice the mean of a good time. A target with room answers some call soon; a
// target without room lets all of them wait. (CoDel looks at the least delay of an
// interval for the same reason: Nichols and Jacobson, 2012.)
func (p *pace) late() (late, known bool) {
	const enough = 8
	if p.n < enough {
		return false, false
	}
	late = p.base > 0 && float64(p.least) > 2*p.base
	p.mean = float64(p.sum) / float64(p.n)
	if p.base == 0 || p.mean < p.base {
		p.base = p.mean
	} else {
		p.base *= 1.02 // an old good time may not be possible any more
	}
	p.n, p.sum = 0, 0
	return late, true
}

// busyError is a refusal of the gate and not of the target, so another attempt may
// find room.
func busyError() *fault.Error {
	e := fault.New(fault.ClassOverloaded, ErrBusy)
	e.Unhealthy, e.Unsent = false, true
	return e
}
