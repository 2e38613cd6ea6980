package retry

import (
	"errors"
	"sync"
	"time"

	"github.com/prodailabs/prodai/retry/fault"
)

// State is what a circuit breaker does with calls.
type State uint8

// The states. Closed lets calls pass, Open refuses them, HalfOpen lets a few
// pass to see how the target is.
const (
	StateClosed State = iota
	StateOpen
	StateHalfOpen
)

// String returns "closed", "open" or "half-open".
func (s State) String() string {
	return [...]string{"closed", "open", "half-open"}[min(s, StateHalfOpen)]
}

// ErrOpen is wrapped by the error of a call that a breaker refused.
var ErrOpen = errors.New("retry: circuit breaker is open")

// Outcome is what a call says about its target's health.
type Outcome uint8

// The outcomes. Neither is for what says nothing about the target: a cancelled
// call, a bad request, a full quota.
const (
	Healthy Outcome = iota
	Sick
	Neither
)

// BreakerOptions are the settings of a [Breaker].
type BreakerOptions struct {
	// Failures opens the breaker: so many in a row or, with a Window, so many
	// among the last Window calls. Default 5.
	Failures int
	// Window is how many of the last calls are looked at; 0 (the default)
	// means that failures must come in a row. The breaker doesn't open before
	// Failures calls were seen.
	Window int
	// Interval clears the run of failures that often while the breaker is
	// closed, so that failures hours apart don't add up; it needs Window 0.
	// Default 0: never.
	Interval time.Duration
	// OpenFor is how long calls are refused before the first probe. Default
	// 30 s.
	OpenFor time.Duration
	// Probes is how many calls a half-open breaker admits in all, and how many
	// must succeed to close it; one failure opens it again. Default 1.
	Probes int
	// OnChange, if not nil, is told of every change, in order, under the
	// breaker's lock: it must not call the breaker.
	OnChange func(from, to State)
}

// A Breaker stops calls to a target that fails, so that callers fail at once
// instead of waiting, and so that the target has air to recover: Nygard,
// "Release It!", 2007. It is safe for concurrent use.
//
// Every transition starts a generation; the outcome of a call that began in an
// earlier one is ignored, so a slow failure from before the outage ended can't
// open the breaker again.
type Breaker struct {
	o  BreakerOptions
	mu sync.Mutex

	state      State
	generation uint64
	until      time.Time // Open: when probes begin. Closed: when the run of failures is cleared

	run     int // Closed: failures in a row, or in the window
	results []bool
	next    int // where in results the next goes
	seen    int // how many results there are

	admitted, succeeded int // HalfOpen
}

// A Ticket is an admitted call's; it goes back with [Breaker.Done].
type Ticket struct {
	generation uint64
}

// NewBreaker returns a closed breaker. nil options mean the defaults.
func NewBreaker(o *BreakerOptions) (*Breaker, error) {
	b := &Breaker{}
	if o != nil {
		b.o = *o
	}
	if b.o.Failures < 0 || b.o.Window < 0 || b.o.Probes < 0 || b.o.Interval < 0 || b.o.OpenFor < 0 {
		return nil, optionError("breaker: a setting is negative: %+v", b.o)
	}
	if b.o.Window > 1<<20 {
		return nil, optionError("breaker: a window of %d calls: want 1048576 at most", b.o.Window)
	}
	if b.o.Failures == 0 {
		b.o.Failures = 5
		if b.o.Window > 0 {
			b.o.Failures = min(5, b.o.Window)
		}
	}
	if b.o.Window > 0 && b.o.Failures > b.o.Window {
		return nil, optionError("breaker: %d failures never fit in a window of %d", b.o.Failures, b.o.Window)
	}
	if b.o.Window > 0 && b.o.Interval > 0 {
		return nil, optionError("breaker: Interval clears a run of failures and has no meaning with a Window")
	}
	if b.o.OpenFor == 0 {
		b.o.OpenFor = 30 * time.Second
	}
	if b.o.Probes == 0 {
		b.o.Probes = 1
	}
	b.results = make([]bool, b.o.Window)
	return b, nil
}

// Allow admits a call or returns an error that wraps [ErrOpen] and says when
// to ask again. Every ticket must come back.
func (b *Breaker) Allow(now time.Time) (Ticket, error) {
	t, _, err := b.allow(now)
	return t, err
}

// A change is what a call did to a breaker.
type change struct{ from, to State }

// allow is Allow; it also says what changed.
func (b *Breaker) allow(now time.Time) (t Ticket, c change, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c.from = b.state
	b.advance(now)
	c.to = b.state
	switch {
	case b.state == StateOpen:
		return t, c, openError(max(0, b.until.Sub(now)))
	case b.state == StateHalfOpen && b.admitted >= b.o.Probes:
		return t, c, openError(0) // the probes are under way: nobody knows how long they take
	case b.state == StateHalfOpen:
		b.admitted++
	}
	return Ticket{generation: b.generation}, c, nil
}

// closedTo returns the error of a call that Allow would refuse for want of time,
// and changes nothing.
func (b *Breaker) closedTo(now time.Time) *fault.Error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state != StateOpen || !now.Before(b.until) {
		return nil
	}
	return openError(b.until.Sub(now))
}

func openError(wait time.Duration) *fault.Error {
	e := fault.New(fault.ClassOverloaded, ErrOpen)
	e.Retryable, e.Unhealthy = false, false // it is us who refuse
	e.Delay, e.HasDelay = wait, wait > 0
	return e
}

// Done brings the ticket of an admitted call back, with what the call says of
// the target.
func (b *Breaker) Done(now time.Time, t Ticket, o Outcome) { b.done(now, t, o) }

// done is Done; it also says what changed.
func (b *Breaker) done(now time.Time, t Ticket, o Outcome) (c change) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c.from = b.state
	b.advance(now)
	switch {
	case t.generation != b.generation:
	case b.state == StateHalfOpen:
		b.probed(now, o)
	case o == Neither, b.state == StateOpen:
	case b.count(o == Sick) >= b.o.Failures && b.seen >= b.o.Failures:
		b.enter(StateOpen, now)
	}
	c.to = b.state
	return c
}

func (b *Breaker) probed(now time.Time, o Outcome) {
	switch o {
	case Sick:
		b.enter(StateOpen, now)
	case Healthy:
		if b.succeeded++; b.succeeded >= b.o.Probes {
			b.enter(StateClosed, now)
		}
	case Neither:
		b.admitted-- // its place is free for another probe
	}
}

// count records a result and returns the failures that matter.
func (b *Breaker) count(failed bool) int {
	if b.o.Window == 0 {
		b.seen++
		b.run++
		if !failed {
			b.run = 0
		}
		return b.run
	}
	if b.seen == b.o.Window && b.results[b.next] {
		b.run--
	}
	b.results[b.next] = failed
	b.next = (b.next + 1) % b.o.Window
	b.seen = min(b.seen+1, b.o.Window)
	if failed {
		b.run++
	}
	return b.run
}

// advance does what is due by now. The instant itself belongs to the old state
// for a run of failures (as in gobreaker) and to the new one for a window (as
// in failsafe-go), so that both references are met to the nanosecond.
func (b *Breaker) advance(now time.Time) {
	if b.state == StateHalfOpen || b.state == StateClosed && b.o.Interval == 0 {
		return // nothing is due, and this is every healthy call
	}
	if b.state == StateClosed && b.until.IsZero() {
		b.until = now.Add(b.o.Interval)
		return
	}
	if now.After(b.until) || b.o.Window > 0 && now.Equal(b.until) {
		next := StateClosed // a new run of failures
		if b.state == StateOpen {
			next = StateHalfOpen
		}
		b.enter(next, now)
	}
}

func (b *Breaker) enter(s State, now time.Time) {
	from := b.state
	b.state = s
	b.generation++
	b.run, b.seen, b.next, b.admitted, b.succeeded = 0, 0, 0, 0, 0
	b.until = time.Time{}
	switch {
	case s == StateOpen:
		b.until = now.Add(b.o.OpenFor)
	case s == StateClosed && b.o.Interval > 0:
		b.until = now.Add(b.o.Interval)
	}
	if s != from && b.o.OnChange != nil {
		b.o.OnChange(from, s)
	}
}

// State returns the state at now. An open breaker whose time is over is
// reported as half-open before the first probe asks.
func (b *Breaker) State(now time.Time) State {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.advance(now)
	return b.state
}
