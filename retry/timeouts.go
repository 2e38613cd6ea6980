package retry

import (
	"context"
	"time"
)

// Timeouts bound the parts of a call. Default: 0 in each field, which sets no
// bound. The caller's context and the HTTP client's timeout still apply.
//
// One timeout is not enough for a stream. A total of one minute ends a good long
// answer, and lets a dead one hang for a minute. If the first token doesn't come
// within ten seconds, or there is a gap of ten seconds after it, the answer is
// dead, however long it would be.
type Timeouts struct {
	FirstToken    time.Duration // a stream's first chunk, from the start of the attempt
	BetweenTokens time.Duration // from one chunk of a stream to the next, or to its end
	Attempt       time.Duration // one attempt, streamed or not
	Total         time.Duration // the whole call: attempts, waits and fallbacks
}

func (t Timeouts) check() error {
	for _, x := range []struct {
		name  string
		value time.Duration
	}{{"FirstToken", t.FirstToken}, {"BetweenTokens", t.BetweenTokens}, {"Attempt", t.Attempt}, {"Total", t.Total}} {
		if x.value < 0 {
			return optionError("Timeouts.%s is %v: want 0 (none) or more", x.name, x.value)
		}
	}
	return nil
}

// timeoutError is the cause of a context that one of the Timeouts ended.
type timeoutError struct {
	kind  string
	after time.Duration
}

func (e *timeoutError) Error() string { return "no " + e.kind + " within " + e.after.String() }

// Timeout and Is make it equal to a deadline's error for other packages.
func (e *timeoutError) Timeout() bool        { return true }
func (e *timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }
