package route

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/prodailabs/prodai/retry/fault"
)

// A Version is one of the two versions of a canary rollout.
type Version uint8

// The versions.
const (
	VersionAny    Version = iota // there is no rollout
	VersionStable                // the targets without the mark
	VersionCanary                // those with it
)

// String returns "any", "stable" or "canary"; "unknown" for another value.
func (v Version) String() string {
	return [...]string{"any", "stable", "canary", "unknown"}[min(v, VersionCanary+1)]
}

// A Set is a set of targets by their index.
type Set [maxTargets / 64]uint64

// Add adds target i.
func (s *Set) Add(i int) { s[i/64] |= 1 << (i % 64) }

// Has reports whether target i is in the set.
func (s *Set) Has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }

// A Request is what a choice depends on.
type Request struct {
	Tokens       int     // of the prompt
	AnswerTokens int     // reserved for the answer
	Estimated    bool    // Tokens may be wrong, so too long is no reason to refuse
	MinWindow    int     // a window must be at least so large; 0: any
	Key          uint64  // of what should stay together; 0: nothing. See [Hash]
	Stream       bool    // the latency that counts is that of the first token
	Version      Version // VersionAny without a canary
	Tried        Set     // targets that are left out
}

// TryAcquire chooses a target for a call that begins at now. Its error is a
// *[fault.Error] that wraps [ErrNoTarget], names targets with the reason why each is left
// out, and has the time until one returns, if one is only paused.
//
// Targets are left out that were tried, are drained, down, paused, at MaxInFlight,
// or whose window is too small. Of the rest those count that are in the lowest tier
// and have no queue of SpillAt. Of these Key or Balance chooses one.
func (p *Pool) TryAcquire(now time.Time, r Request) (Pick, error) {
	at, tried := p.since(now), r.Tried
	for {
		c := p.choose(at, &r)
		if c.i < 0 && r.Version != VersionAny {
			// An empty version must not mean no answer: the other one serves.
			other := r
			other.Version = VersionAny
			if c = p.choose(at, &other); c.i >= 0 {
				c.reason = "version"
			}
		}
		if c.i < 0 {
			return Pick{}, p.noTarget(at, &r, &tried, c)
		}
		m := p.members[c.i]
		k := Pick{p: p, m: m, i: c.i, began: at, stream: r.Stream, reason: c.reason, work: int64(p.o.CallTokens) + int64(max(r.Tokens, 0))}
		// Another call may have been faster: the limit holds, and the next best is
		// taken.
		if n := m.inFlight.Add(1); m.maxInFlight > 0 && n > m.maxInFlight {
			m.inFlight.Add(-1)
			r.Tried.Add(c.i)
			continue
		}
		var err error
		if k.permit, err = m.breaker.TryAcquire(now); err != nil {
			m.inFlight.Add(-1)
			r.Tried.Add(c.i)
			continue
		}
		m.work.Add(k.work)
		m.picks.Add(1)
		if c.remember {
			p.moved.put(r.Key, c.i)
		}
		return k, nil
	}
}

// A choice is what choose found; i is -1 if there is no target.
type choice struct {
	i        int
	reason   string
	remember bool // the key's own target wasn't available
	small    bool // a window was too small
}

// available reports whether a target may get a call at all.
func (m *member) available(at time.Duration) bool { return m.notBefore.Load() <= int64(at) }

func (m *member) of(v Version) bool { return v == VersionAny || m.canary == (v == VersionCanary) }

// fits reports whether the call fits a target's window, as far as that is known.
func (m *member) fits(r *Request) bool {
	return m.window == 0 || m.window >= max(r.Tokens, 0)+max(r.AnswerTokens, 0) && m.window >= r.MinWindow
}

func (p *Pool) choose(at time.Duration, r *Request) choice {
	var list [maxTargets]uint8
	n, best, lowest := 0, math.MaxInt, math.MaxInt
	c := choice{i: -1, reason: "balance"}
	largest, window := -1, 0
	for i, m := range p.members {
		if r.Tried.Has(i) || !m.of(r.Version) || !m.available(at) {
			continue
		}
		if m.maxInFlight > 0 && m.inFlight.Load() >= m.maxInFlight {
			lowest = min(lowest, m.tier)
			continue
		}
		if w := m.window; !m.fits(r) {
			c.small = true
			if w >= r.MinWindow && w > window {
				largest, window = i, w
			}
			continue
		}
		lowest = min(lowest, m.tier)
		rank := m.tier
		if m.spill > 0 && m.queue(at, 3*p.o.Interval) >= m.spill {
			rank += 1 << 21 // after all tiers without a queue
		}
		if rank < best {
			best, n = rank, 0
		}
		if rank == best {
			list[n] = uint8(i)
			n++
		}
	}
	switch {
	case n == 0 && largest >= 0 && r.Estimated:
		c.i, c.reason = largest, "window"
		return c
	case n == 0:
		return c
	}
	some := list[:n]
	if r.Key != 0 {
		p.keep(&c, at, some, r)
	} else {
		c.i = p.balance(at, some, r)
	}
	if p.members[c.i].tier > lowest {
		c.reason = "spill"
	}
	return c
}

// keep chooses by the request's key: rendezvous hashing with bounded loads
// (Thaler and Ravishankar, 1998; Mirrokni, Thorup and Zadimoghaddam, 2018). Each
// target has a random rank for the key, and the best one whose load is at most Bound
// times the mean gets the call. So a key stays where it is while targets come and
// go, and a popular one can't overload its target.
func (p *Pool) keep(c *choice, at time.Duration, some []uint8, r *Request) {
	total := int64(p.o.CallTokens)
	for _, i := range some {
		total += p.members[i].work.Load()
	}
	bound := max(p.o.Bound*float64(total)/float64(len(some)), float64(p.o.CallTokens))
	fits := func(i int) bool { return float64(p.members[i].work.Load()+int64(p.o.CallTokens)) <= bound }
	if i, ok := p.moved.get(r.Key); ok {
		for _, j := range some {
			if int(j) == i && fits(i) {
				c.i, c.reason = i, "moved"
				return
			}
		}
	}
	top, most := -1, uint64(0)
	for _, i := range some {
		if h := mix(r.Key, p.members[i].seed); (top < 0 || h > most) && fits(int(i)) {
			top, most = int(i), h
		}
	}
	if top < 0 { // the loads changed meanwhile
		c.i = p.balance(at, some, r)
		return
	}
	c.i, c.reason = top, "affinity"
	for i, m := range p.members { // the key's own target, if all were available
		if m.tier == p.members[top].tier && m.of(r.Version) && mix(r.Key, m.seed) > most && (r.Tried.Has(i) || !m.available(at)) {
			c.remember = true
			return
		}
	}
}

// balance chooses among some targets, of which there is at least one.
func (p *Pool) balance(at time.Duration, some []uint8, r *Request) int {
	if len(some) == 1 {
		return int(some[0])
	}
	switch p.o.Balance {
	case BalanceLeast:
		return p.least(some, func(m *member) float64 { return float64(m.work.Load()) })
	case BalanceCost:
		return p.cheapest(at, some, r)
	case BalanceWeighted:
		p.turnMu.Lock()
		defer p.turnMu.Unlock()
		return p.turns.next(some)
	case BalanceRandom:
		return int(some[p.intn(len(some))])
	}
	i, j := p.pair(len(some))
	a, b := p.members[some[i]], p.members[some[j]]
	x, y := float64(a.work.Load()), float64(b.work.Load())
	if p.o.Balance == BalanceEWMA {
		s, t := a.latency(r.Stream).seconds(at, p.o.Decay), b.latency(r.Stream).seconds(at, p.o.Decay)
		if s > 0 && t > 0 { // a target that was never measured is compared by its load
			own := float64(p.o.CallTokens + max(r.Tokens, 0))
			x, y = s*(x+own), t*(y+own)
		}
	}
	if y < x {
		i = j
	}
	return int(some[i])
}

func (m *member) latency(stream bool) *peak {
	if stream {
		return &m.first
	}
	return &m.whole
}

// least returns the member with the smallest value, any of equal ones.
func (p *Pool) least(some []uint8, value func(*member) float64) int {
	best, lowest, ties := 0, math.Inf(1), 0
	for _, i := range some {
		switch v := value(p.members[i]); {
		case v < lowest:
			best, lowest, ties = int(i), v, 1
		case v == lowest:
			if ties++; p.intn(ties) == 0 {
				best = int(i)
			}
		}
	}
	return best
}

// cheapest returns the cheapest target that is fast enough, or else the fastest. A
// price that isn't known is above every known one.
func (p *Pool) cheapest(at time.Duration, some []uint8, r *Request) int {
	wait := func(m *member) float64 { return m.latency(r.Stream).seconds(at, p.o.Decay) }
	goal := p.o.LatencyGoal.Seconds()
	if goal > 0 {
		var fast [maxTargets]uint8
		n := 0
		for _, i := range some {
			if wait(p.members[i]) <= goal {
				fast[n] = i
				n++
			}
		}
		if n == 0 {
			return p.least(some, wait)
		}
		return p.least(fast[:n], func(m *member) float64 { return m.t.price(r) })
	}
	return p.least(some, func(m *member) float64 { return m.t.price(r) })
}

// price returns what a call costs in pico-USD, +Inf if that isn't known.
func (t *Target) price(r *Request) float64 {
	switch {
	case t.Free:
		return 0
	case t.InputPicoUSD == 0 && t.OutputPicoUSD == 0:
		return math.MaxFloat64
	}
	return float64(t.InputPicoUSD)*float64(max(r.Tokens, 0)) + float64(t.OutputPicoUSD)*float64(max(r.AnswerTokens, 0))
}

// noTarget is the error of a call without a target. The call has tried some itself, and
// r.Tried has those too that were busy when they were chosen.
func (p *Pool) noTarget(at time.Duration, r *Request, tried *Set, c choice) *fault.Error {
	if c.small {
		e := fault.New(fault.ClassContextLength, ErrNoTarget)
		e.Message = "route: the prompt is longer than the window of each target that is left: " + p.reasons(at, r, tried)
		e.Unsent, e.Fallback = true, false
		return e
	}
	e := fault.New(fault.ClassOverloaded, ErrNoTarget)
	e.Message, e.Unsent, e.Unhealthy = "route: no target is left for the call: "+p.reasons(at, r, tried), true, false
	wait := int64(math.MaxInt64)
	for i, m := range p.members {
		if until := m.notBefore.Load(); until > int64(at) && until != never && !r.Tried.Has(i) {
			wait = min(wait, until-int64(at))
		}
	}
	if wait < math.MaxInt64 {
		e.Delay, e.HasDelay = time.Duration(wait), true
	}
	return e
}

// mostReasons is how many targets an error names.
const mostReasons = 10

// reasons says why each target is left out.
func (p *Pool) reasons(at time.Duration, r *Request, tried *Set) string {
	var b strings.Builder
	for i, m := range p.members {
		if i == mostReasons {
			fmt.Fprintf(&b, "; and %d more", len(p.members)-i)
			break
		}
		if i > 0 {
			b.WriteString("; ")
		}
		fmt.Fprintf(&b, "%q ", m.t.Name)
		switch state, wait := m.state(at); {
		case tried.Has(i):
			b.WriteString("was tried")
		case state == "open":
			fmt.Fprintf(&b, "has an open circuit breaker for %v", wait.Round(time.Millisecond))
		case state == "paused":
			fmt.Fprintf(&b, "is paused for %v", wait.Round(time.Millisecond))
		case state != "":
			b.WriteString("is " + state)
		case m.maxInFlight > 0 && m.inFlight.Load() >= m.maxInFlight:
			fmt.Fprintf(&b, "is full (MaxInFlight %d)", m.maxInFlight)
		case !m.fits(r):
			fmt.Fprintf(&b, "has a window of %d tokens", m.window)
		default:
			b.WriteString("was just taken by another call")
		}
	}
	return b.String()
}
