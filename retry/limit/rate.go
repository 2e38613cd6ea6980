package limit

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// A Rate is N units in any time Per, with up to Burst of them at once. The zero
// Rate is not a limit.
//
//	limit.Rate{N: 60, Per: time.Minute}                     // 60 requests a minute
//	limit.Rate{N: 30_000, Per: time.Minute, Burst: 10_000}  // tokens, a third of them at once
//	limit.Rate{N: 50 * limit.USD, Per: 24 * time.Hour}      // money
type Rate struct {
	N     float64
	Per   time.Duration
	Burst float64 // 1 or more. Default: N, which must then be 1 or more
}

// USD is a dollar in pico-USD, the unit of all money here.
const USD = 1_000_000_000_000

// ErrOption is wrapped by the error of every constructor here, if an option has a
// value that can't work or a required argument is nil.
var ErrOption = errors.New("limit: invalid option")

func optionError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrOption, fmt.Sprintf(format, args...))
}

// IsZero reports whether r is not a limit.
func (r Rate) IsZero() bool { return r == Rate{} }

// Check returns an error that wraps [ErrOption] if r is neither a limit nor the
// zero Rate. A limit of nothing is not a Rate: see [Switch].
func (r Rate) Check() error { return r.check("Rate") }

// check is Check for a field of that name.
func (r Rate) check(name string) error {
	switch {
	case r.IsZero():
		return nil
	case !(r.N > 0) || math.IsInf(r.N, 1):
		return optionError("%s.N is %v: want more than 0", name, r.N)
	case r.Per <= 0:
		return optionError("%s.Per is %v: want a time above 0", name, r.Per)
	case !(r.Burst >= 0) || math.IsInf(r.Burst, 1):
		return optionError("%s.Burst is %v: want 0 (the default, N) or more", name, r.Burst)
	case r.Capacity() < 1:
		return optionError("%s is %v per %v, at most %v at once: want an N or a Burst of 1 or more, or no whole unit ever passes", name, r.N, r.Per, r.Capacity())
	case float64(r.Per)/r.N*r.Capacity() > maxSpan:
		return optionError("%s.Burst is %v at %v per %v: want what refills in a century", name, r.Burst, r.N, r.Per)
	}
	return nil
}

// These keep sums of instants and spans within 64 bits of nanoseconds, which are
// 292 years. A bucket refills in maxSpan at most. A tat is at most farSpan ahead,
// and a claim at most farSpan long.
const (
	maxSpan = float64(100 * 365 * 24 * time.Hour)
	farSpan = float64(125 * 365 * 24 * time.Hour)
)

// Capacity is the most that can be taken at once.
func (r Rate) Capacity() float64 {
	if r.Burst > 0 {
		return r.Burst
	}
	return r.N
}

// Span is the time that n units take to refill, cut to whole nanoseconds. So the
// spans of parts never add up to more than that of the whole, and a bucket of 60
// has 60 units also when they are taken one by one.
func (r Rate) Span(n float64) time.Duration {
	ns := float64(r.Per) * n / r.N
	if math.Abs(ns) > farSpan {
		return time.Duration(math.Copysign(farSpan, ns))
	}
	const ulps = 4e-16 // what the two operations may be off by
	return time.Duration(ns + ns*ulps)
}

// A Decision is the answer to a request for room.
type Decision struct {
	OK bool
	// Wait is how long until the room is there. If OK is true, it is the time until
	// the reserved units may be used; if not, until another try may succeed. Never,
	// -1, means that no wait helps, because more was asked for than the whole limit.
	Wait time.Duration
	// Limit, Remaining and Reset are for the x-ratelimit-* headers: the most
	// at once, what is left of it, and the time until it is full again.
	Limit, Remaining float64
	Reset            time.Duration
	// Claim is the index of the claim that decided: the one that refused, or the one
	// with the longest wait.
	Claim int
}

// Never is the Wait of a request that can't be met at all.
const Never time.Duration = -1

// step is GCRA, the generic cell rate algorithm (ATM Forum Traffic Management 4.0,
// 1996, §4.4.2): it stores a token bucket as one number, the instant at which it
// will be full again (the theoretical arrival time, tat). A request for n units
// moves that instant by the time of n units. The request passes if the instant is
// then no further ahead than the time that a whole bucket takes to fill.
//
// tat and now are nanoseconds on one clock. A tat in the past means a full bucket.
// A request that would pass within the time ahead is granted now and reserved. A
// request for 0 units only looks: it takes nothing, and Wait is the wait for the
// next unit.
func (r Rate) step(tat, now int64, n float64, ahead time.Duration) (int64, Decision) {
	peek := n == 0
	if peek {
		n = 1
	}
	increment, whole := int64(r.Span(n)), int64(r.Span(r.Capacity()))
	d := Decision{Limit: r.Capacity()}
	next := max(tat, now) + increment
	switch wait := time.Duration(next - whole - now); {
	case peek:
		d.OK, d.Wait = true, max(wait, 0)
	case increment > whole:
		d.Wait = Never
	case wait > min(max(ahead, 0), time.Duration(farSpan-maxSpan)):
		d.Wait = wait
	default:
		d.OK, d.Wait = true, max(wait, 0)
		tat = next
	}
	d.Reset = max(0, time.Duration(tat-now))
	d.Remaining = max(0, r.Units(time.Duration(whole)-d.Reset, time.Nanosecond))
	return tat, d
}

// Units is the number of units that refill in a span. The span is exact only to one
// tick of the clock, because a third of a second, for example, is not a whole
// number of ticks. If a whole number is as close as the clock can show, Units
// returns it. Otherwise a header that rounds down would be one too small.
func (r Rate) Units(span, tick time.Duration) float64 {
	perNano := r.N / float64(r.Per)
	n := float64(span) * perNano
	if whole := math.Round(n); math.Abs(n-whole) <= 2*float64(tick)*perNano {
		return whole
	}
	return n
}

// charge moves tat by n units without a check, because the units have been used. A
// negative n gives units back, up to a full bucket. A debt is at most farSpan.
func (r Rate) charge(tat, now int64, n float64) int64 {
	return min(max(max(tat, now)+int64(r.Span(n)), now), now+int64(farSpan))
}
