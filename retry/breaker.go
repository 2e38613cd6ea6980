package retry

import (
	"errors"
	"sync"
	"time"

	"github.com/prodailabs/prodai/retry/admission"
	"github.com/prodailabs/prodai/retry/fault"
)

// A State is what a circuit breaker does with calls. A new breaker is closed.
type State uint8

// The states.
const (
	StateClosed   State = iota // calls pass
	StateOpen                  // calls are refused
	StateHalfOpen              // a few calls pass, to see how the target is
)

// String returns "closed", "open" or "half-open"; "unknown" for another value.
func (s State) String() string {
	return [...]string{"closed", "open", "half-open", "unknown"}[min(s, StateHalfOpen+1)]
}

// ErrOpen is wrapped by the error of a call that a breaker refused.
var ErrOpen = errors.New("retry: circuit breaker is open")

// BreakerOptions are the settings of a [Breaker].
type BreakerOptions struct {
	// Failures is how many failures open the breaker: in a row or, with a Window,
	// among the last Window calls. Default: 5, or Window if that is smaller.
	Failures int
	// Window is how many of the last calls are looked at. The breaker doesn't
	// open before Failures calls were seen. Default: 0, failures must come in a
	// row.
	Window int
	// Interval is how often a closed breaker forgets its failures, so that failures
	// hours apart don't add up. It needs Window 0. Default: 0, never.
	Interval time.Duration
	// OpenFor is how long calls are refused before the first probe. Default:
	// 30 s.
	OpenFor time.Duration
	// Probes is how many calls a half-open breaker admits, and how many must succeed
	// to close it. One failure opens it again. Default: 1.
	Probes int
	// OnChange is called at every change, in order. It must not call the breaker,
	// whose lock is held. Default: nil.
	OnChange func(from, to State)
}

// A Breaker is a circuit breaker: it stops calls to a target that keeps failing,
// and lets a test call (a probe) through after a pause. Callers then fail at once
// instead of waiting, and the target gets time to recover (Nygard, "Release It!",
// 2007). Make one with [NewBreaker]: the zero Breaker is not usable. It is safe for
// concurrent use. The caller passes the time.
//
// Every change of the state starts a generation. The outcome of a call that began
// in an earlier generation is ignored. So a slow failure from before the end of the
// outage can't open the breaker again.
type Breaker struct {
	o  BreakerOptions
	mu sync.Mutex

	state      State
	generation uint64
	until      time.Time // Open: when probes begin. Closed: when the run of failures is cleared

	run     int // Closed: failures in a row, or in the window
	cut     int // Closed: streams in a row that failed after their first token
	results []bool
	next    int // where in results the next goes
	seen    int // how many results there are

	admitted, succeeded int // HalfOpen
}

// NewBreaker returns a closed breaker; nil options mean the defaults. It fails
// with [ErrOption].
func NewBreaker(o *BreakerOptions) (*Breaker, error) {
	b := &Breaker{}
	if o != nil {
		b.o = *o
	}
	for _, s := range []struct {
		name  string
		value int64
	}{{"Failures", int64(b.o.Failures)}, {"Probes", int64(b.o.Probes)}, {"Interval", int64(b.o.Interval)}, {"OpenFor", int64(b.o.OpenFor)}} {
		if s.value < 0 {
			return nil, optionError("BreakerOptions.%s is %d: want 0 (the default) or more", s.name, s.value)
		}
	}
	if b.o.Window < 0 || b.o.Window > 1<<20 {
		return nil, optionError("BreakerOptions.Window is %d: want 0 to 1048576", b.o.Window)
	}
	if b.o.Failures == 0 {
		b.o.Failures = 5
		if b.o.Window > 0 {
			b.o.Failures = min(5, b.o.Window)
		}
	}
	if b.o.Window > 0 && b.o.Failures > b.o.Window {
		return nil, optionError("BreakerOptions.Failures is %d: want at most Window, %d", b.o.Failures, b.o.Window)
	}
	if b.o.Window > 0 && b.o.Interval > 0 {
		return nil, optionError("BreakerOptions.Interval is %v: want 0 with a Window, in which nothing is a run of failures", b.o.Interval)
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

// TryAcquire admits a call, or returns an error that wraps [ErrOpen], with the time
// until the next probe. [admission.OutcomeUnhealthy] counts as a failure,
// [admission.OutcomeHealthy] as a success, and the others don't count.
func (b *Breaker) TryAcquire(now time.Time) (admission.Permit, error) {
	generation, _, err := b.admit(now)
	if err != nil {
		return admission.Permit{}, err
	}
	return admission.NewPermit((*breakerPermits)(b), generation), nil
}

// A change is what a call did to a breaker.
type change struct{ from, to State }

// admit admits a call in the generation that it returns, or refuses it; it also
// returns what changed.
func (b *Breaker) admit(now time.Time) (generation uint64, c change, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := zeroError(b); err != nil {
		return 0, c, err
	}
	c.from = b.state
	b.advance(now)
	c.to = b.state
	switch {
	case b.state == StateOpen:
		return 0, c, openError(max(0, b.until.Sub(now)))
	case b.state == StateHalfOpen && b.admitted >= b.o.Probes:
		return 0, c, openError(0) // the probes are in progress: how long they take is unknown
	case b.state == StateHalfOpen:
		b.admitted++
	}
	return b.generation, c, nil
}

// breakerPermits is the breaker as the owner of its permits.
type breakerPermits Breaker

// FirstToken implements admission.FirstTokenOwner.
func (b *breakerPermits) FirstToken(now time.Time, h admission.Held) {
	(*Breaker)(b).firstToken(now, h.Mark)
}

// Done implements admission.Owner.
func (b *breakerPermits) Done(now time.Time, h admission.Held, o admission.Outcome) {
	if h.Answering {
		(*Breaker)(b).endStream(now, h.Mark, o)
		return
	}
	(*Breaker)(b).done(now, h.Mark, o)
}

// Cancel implements admission.Owner: the place of a probe is free again.
func (b *breakerPermits) Cancel(now time.Time, h admission.Held) {
	(*Breaker)(b).done(now, h.Mark, admission.OutcomeIgnored)
}

// refusal returns the error of a call that TryAcquire would refuse because it
// comes too early, and changes nothing.
func (b *Breaker) refusal(now time.Time) *fault.Error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state != StateOpen || !now.Before(b.until) {
		return nil
	}
	return openError(b.until.Sub(now))
}

func openError(wait time.Duration) *fault.Error {
	e := fault.New(fault.ClassOverloaded, ErrOpen)
	e.Retryable, e.Unhealthy, e.Unsent = false, false, true // the target has refused nothing
	e.Delay, e.HasDelay = wait, wait > 0
	return e
}

// done ends a call that was admitted in a generation and returns what changed.
func (b *Breaker) done(now time.Time, generation uint64, o admission.Outcome) (c change) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c.from = b.state
	b.advance(now)
	switch {
	case generation != b.generation:
	case b.state == StateHalfOpen:
		b.probed(now, o)
	case o != admission.OutcomeHealthy && o != admission.OutcomeUnhealthy, b.state == StateOpen:
	case b.count(o == admission.OutcomeUnhealthy) >= b.o.Failures && b.seen >= b.o.Failures:
		b.enter(StateOpen, now)
	}
	c.to = b.state
	return c
}

// firstToken counts a call that has begun to answer as a success, and returns what
// changed. A stream can last for minutes. If only its end counted, no call would
// pass a half-open breaker until then, and in a closed one the few failures of
// those minutes would be a run.
func (b *Breaker) firstToken(now time.Time, generation uint64) (c change) {
	return b.done(now, generation, admission.OutcomeHealthy)
}

// endStream ends a call that firstToken has counted and returns what changed. A target
// that begins to answer and then fails, call after call, is not well either.
func (b *Breaker) endStream(now time.Time, generation uint64, o admission.Outcome) (c change) {
	if o != admission.OutcomeHealthy && o != admission.OutcomeUnhealthy {
		return c
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	c.from = b.state
	b.advance(now)
	switch {
	case generation != b.generation || b.state == StateOpen:
	case o == admission.OutcomeHealthy:
		b.cut = 0
	case b.state == StateHalfOpen:
		b.enter(StateOpen, now)
	default:
		if b.cut++; b.cut >= b.o.Failures || b.o.Window > 0 && b.count(true) >= b.o.Failures && b.seen >= b.o.Failures {
			b.enter(StateOpen, now)
		}
	}
	c.to = b.state
	return c
}

func (b *Breaker) probed(now time.Time, o admission.Outcome) {
	switch o {
	case admission.OutcomeUnhealthy:
		b.enter(StateOpen, now)
	case admission.OutcomeHealthy:
		if b.succeeded++; b.succeeded >= b.o.Probes {
			b.enter(StateClosed, now)
		}
	default:
		b.admitted = max(0, b.admitted-1) // its place is free for another probe: once, also if copies of its permit end
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

// advance does what is due by now. The instant of a change belongs to the old state
// for a run of failures, as in gobreaker, and to the new one for a window, as in
// failsafe-go. So the breaker equals both references to the nanosecond.
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
	b.cut, b.run, b.seen, b.next, b.admitted, b.succeeded = 0, 0, 0, 0, 0, 0
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

// State returns the state at now. An open breaker whose time is over is reported as
// half-open, also before the first probe.
func (b *Breaker) State(now time.Time) State {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.advance(now)
	return b.state
}
