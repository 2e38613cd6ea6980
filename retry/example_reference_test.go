package retry

import (
	"fmt"
	"time"
)

// A plainBreaker is a circuit breaker as it is defined, for one goroutine. [Breaker]
// adds a lock, a window, several probes and streams, and the tests compare the two.
//
//	        failures in a row          openFor is over
//	closed --------------------> open ----------------> half-open
//	   ^                           ^                      |    |
//	   |                           +---- probe failed ----+    |
//	   +------------------ probe succeeded --------------------+
//
// Traps:
//   - No timer opens the way: the next call finds that the time is over.
//   - A half-open breaker lets one call pass. If it let all pass, every pause would end
//     in a crowd that the target can't serve.
//   - A call can end long after it began. Its result counts only in the generation, the
//     time between two changes, in which it began.
//   - A success sets the count back to 0. Otherwise one failure a day opens the breaker
//     at last.
type plainBreaker struct {
	failures   int           // failures in a row that open the breaker
	openFor    time.Duration // the pause
	state      State
	row        int  // failures in a row
	probing    bool // half-open: the probe is in progress
	until      time.Time
	generation int
}

func (b *plainBreaker) enter(s State, now time.Time) {
	b.state, b.row, b.probing, b.until = s, 0, false, now.Add(b.openFor)
	b.generation++
}

// allow reports whether a call may start, and in which generation.
func (b *plainBreaker) allow(now time.Time) (generation int, ok bool) {
	if b.state == StateOpen && now.After(b.until) {
		b.enter(StateHalfOpen, now)
	}
	if b.state == StateOpen || b.state == StateHalfOpen && b.probing {
		return 0, false
	}
	b.probing = b.state == StateHalfOpen
	return b.generation, true
}

// done takes the result of a call that was allowed.
func (b *plainBreaker) done(now time.Time, generation int, failed bool) {
	switch {
	case generation != b.generation: // from before a change
	case b.state == StateHalfOpen && failed:
		b.enter(StateOpen, now)
	case b.state == StateHalfOpen:
		b.enter(StateClosed, now)
	case !failed:
		b.row = 0
	default:
		if b.row++; b.row >= b.failures {
			b.enter(StateOpen, now)
		}
	}
}

// A target fails for some time. Two failures open the breaker for 10 seconds, and the
// first call after them is the probe.
func Example_circuitBreaker() {
	b := &plainBreaker{failures: 2, openFor: 10 * time.Second}
	for second := 0; second <= 28; second += 4 {
		now := time.Unix(int64(second), 0)
		generation, ok := b.allow(now)
		if ok {
			b.done(now, generation, second < 20)
		}
		fmt.Printf("%2d s: allowed %-5v then %v\n", second, ok, b.state)
	}
	// Output:
	//  0 s: allowed true  then closed
	//  4 s: allowed true  then open
	//  8 s: allowed false then open
	// 12 s: allowed false then open
	// 16 s: allowed true  then open
	// 20 s: allowed false then open
	// 24 s: allowed false then open
	// 28 s: allowed true  then closed
}
