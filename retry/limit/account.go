package limit

import (
	"math"
	"sync"
	"time"

	"github.com/prodailabs/prodai/retry/fault"
)

// A Use is what a call takes of a provider's limits besides one request: the
// tokens of its prompt and of its answer.
type Use struct{ InputTokens, OutputTokens float64 }

// allowances are the dimensions that providers limit, as [fault.Allowance] names
// them. "any" is treated as requests.
var allowances = [...]string{"requests", "tokens", "input-tokens", "output-tokens", "any"}

// of returns how much u takes of the dimension allowances[i].
func (u Use) of(i int) float64 {
	return [...]float64{1, u.InputTokens + u.OutputTokens, u.InputTokens, u.OutputTokens, 1}[i]
}

func (u Use) sane() Use {
	clamp := func(f float64) float64 {
		if !(f >= 0) {
			return 0
		}
		return min(f, maxLimit)
	}
	return Use{clamp(u.InputTokens), clamp(u.OutputTokens)}
}

// AccountOptions are the settings of an [Account].
type AccountOptions struct {
	// Requests and Tokens are the rates on the provider's page of limits. Headers
	// replace them. Default: none, they are learned.
	Requests, Tokens Rate
}

// An Account is the room that a provider gives one API key, for each model. It
// is learned from the provider's responses:
//
//   - Limit, remaining and reset, of requests and of tokens. The room is what
//     remained at the response's request, less what has been sent since. Its rate
//     is what it takes to go from remaining to limit in the time reset, so no
//     window has to be known. A larger plan is learned in the same way as a smaller
//     one.
//   - Retry-After: no call is admitted before that.
//   - Status 429: the requests a second go down to nine tenths of those that were
//     accepted. They go up by 3 % in each second in which a call waited for them.
//     Where a provider sends no headers, the account learns only from this. It also
//     divides the room between processes that share a key.
//
// An impossible value is not learned: a limit of 0 or above 10^12, more remaining
// than the limit, a reset more than a month away. What is learned stops a model for
// a minute after the last response at most. Then one call is admitted, to ask
// again.
//
// An Account is safe for concurrent use. The zero Account works and learns
// everything. The caller passes the time to TryAcquire and to the methods of its
// permits.
type Account struct {
	o      AccountOptions
	mu     sync.Mutex
	models map[string]*allotment
}

// NewAccount returns an account. With nil options everything is learned. It fails
// with [ErrOption].
func NewAccount(o *AccountOptions) (*Account, error) {
	a := &Account{}
	if o != nil {
		a.o = *o
	}
	for _, r := range []struct {
		name string
		rate Rate
	}{{"Requests", a.o.Requests}, {"Tokens", a.o.Tokens}} {
		if err := r.rate.check("AccountOptions." + r.name); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// The bounds of what is learned.
const (
	maxLimit  = 1e12
	maxReset  = 31 * 24 * time.Hour
	maxSilent = time.Minute // the time after which one call passes, to ask again
	maxModels = 1000
)

// An allotment is what is known of one model's room.
type allotment struct {
	rooms  [len(allowances)]room
	taken  [len(allowances)]float64 // in all
	pace   pace
	last   time.Time // never runs backwards
	heard  time.Time // the last response or, without one, the first call
	pause  time.Time // Retry-After
	newest float64   // the request, by its number, from whose response the rooms are known

	turn    fair          // of those that wait in Acquire
	changed chan struct{} // there is news for the one that has the turn
}

// A room is a token bucket whose size and rate the provider reports; a limit of 0
// is not known.
type room struct {
	limit, rate, level float64
	told               bool // the level comes from headers
}

// of returns the model's allotment as of now, and now as the account's clock,
// which never runs backwards, has it.
func (a *Account) of(model string, now time.Time) (*allotment, time.Time) {
	m := a.models[model]
	if m == nil {
		if a.models == nil {
			a.models = make(map[string]*allotment)
		}
		if len(a.models) >= maxModels { // names come from callers, so the one without news for the longest time is removed
			oldest := ""
			for name, x := range a.models {
				if oldest == "" || x.last.Before(a.models[oldest].last) {
					oldest = name
				}
			}
			delete(a.models, oldest)
		}
		m = &allotment{last: now, heard: now, changed: make(chan struct{}, 1)}
		for i, r := range []Rate{a.o.Requests, a.o.Tokens} {
			if !r.IsZero() {
				m.rooms[i] = room{limit: r.Capacity(), rate: r.N / r.Per.Seconds(), level: r.Capacity()}
			}
		}
		a.models[model] = m
	}
	if now.Before(m.last) {
		now = m.last
	}
	dt := now.Sub(m.last).Seconds()
	for i := range m.rooms {
		r := &m.rooms[i]
		r.level = min(r.limit, r.level+r.rate*dt)
	}
	m.pace.advance(now, dt)
	m.last = now
	return m, now
}

// TryAcquire takes the room for a call to model that will use u. If there is no
// room, it takes nothing and returns an *[Error], whose Delay is the time until
// another try may succeed.
func (a *Account) TryAcquire(now time.Time, model string, u Use) (AccountPermit, error) {
	p, wait := a.take(now, model, u)
	if wait > 0 {
		return p, full(wait)
	}
	return p, nil
}

// full is the error of a call for which the provider has no room.
func full(wait time.Duration) *Error {
	return &Error{Refusal: fault.RefusalWait, Dimension: allowances[0], Reason: "the provider has no room", Delay: wait, HasDelay: true}
}

// take is TryAcquire for callers that wait. It returns how long to wait, or 0 if
// the room was taken.
func (a *Account) take(now time.Time, model string, u Use) (AccountPermit, time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	m, now := a.of(model, now)
	u = u.sane()
	wait := max(0, m.pause.Sub(now))
	for i := range m.rooms {
		// A call larger than the limit passes when the whole limit is free: the limit may
		// have grown meanwhile, and the provider decides.
		if r := m.rooms[i]; r.limit > 0 {
			wait = max(wait, until(min(u.of(i), r.limit)-r.level, r.rate))
		}
	}
	if paced := m.pace.wait(); paced > 0 && wait == 0 {
		m.pace.waited, wait = true, paced
	}
	if silent := now.Sub(m.heard); wait > 0 && silent < maxSilent {
		return AccountPermit{}, min(wait, maxSilent-silent)
	} else if wait > 0 {
		m.heard = now // only one call passes
	}
	m.pace.take()
	for i := range m.rooms {
		m.rooms[i].level -= u.of(i)
		m.taken[i] += u.of(i)
	}
	return AccountPermit{account: a, model: model, use: u, at: now, taken: m.taken}, 0
}

// until returns how long n units take at rate a second.
func until(n, rate float64) time.Duration {
	if n <= 1e-9 {
		return 0
	}
	return time.Duration(math.Ceil(min(n/rate*1e9, 1e18))) // in whole nanoseconds, rounded up
}

// hear notes that there was a response.
func (m *allotment) hear(now time.Time) {
	m.heard = now
	m.news()
}

// news wakes the call that waits for room.
func (m *allotment) news() {
	select {
	case m.changed <- struct{}{}:
	default:
	}
}

func credible(l fault.Allowance) bool {
	return l.Limit <= maxLimit && l.Remaining <= maxLimit && (l.Limit < 0 || l.Limit > 0 && l.Remaining <= l.Limit) && l.Reset <= maxReset
}

func (m *allotment) learn(i int, l fault.Allowance, now time.Time, p *AccountPermit, newer bool) {
	r := &m.rooms[i]
	switch {
	case l.Limit < 0 && r.limit == 0: // what remains of an unknown limit
		if l.Remaining == 0 && l.Reset > 0 && newer {
			m.pause = now.Add(min(l.Reset, maxSilent))
		}
		return
	case l.Limit > 0 && r.limit == 0:
		*r = room{limit: float64(l.Limit), rate: float64(l.Limit) / 60, level: float64(l.Limit)} // most limits are for a minute
	case l.Limit > 0 && r.limit != float64(l.Limit):
		r.rate *= float64(l.Limit) / r.limit
		r.limit = float64(l.Limit)
	}
	if l.Remaining < 0 || !newer {
		return
	}
	remaining := min(float64(l.Remaining), r.limit)
	if used := r.limit - remaining; l.Reset > 0 && used > 0 {
		rate := used / l.Reset.Seconds()
		if used < r.limit/20 { // the reset of a few units is mostly the rounding of the header
			rate = max(rate, r.rate)
		}
		r.rate = rate
	}
	r.level = min(r.limit, remaining+r.rate*now.Sub(p.at).Seconds()) - (m.taken[i] - p.taken[i])
	r.told = true
}

// Allowances returns what is known of model's limits, in the order of requests,
// tokens, input and output tokens; Reset is the time until the bucket is full.
func (a *Account) Allowances(now time.Time, model string) []fault.Allowance {
	a.mu.Lock()
	defer a.mu.Unlock()
	m, _ := a.of(model, now)
	var all []fault.Allowance
	for i, r := range m.rooms {
		if r.limit > 0 {
			all = append(all, fault.Allowance{Dimension: allowances[i], Limit: int64(r.limit),
				Remaining: int64(max(0, r.level)), Reset: until(r.limit-r.level, r.rate)})
		}
	}
	return all
}
