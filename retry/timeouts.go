package retry

import (
	"context"
	"time"
)

// Timeouts bounds the parts of a call. Zero means no bound of ours: the
// caller's context, and whatever the HTTP client has, still hold.
//
// One timeout is not enough for a stream. A total of a minute kills a good long
// answer, and lets a dead one hang for a minute; a first token that doesn't
// come in ten seconds, or a gap of ten seconds after it, says that the answer
// is dead, however long it was to be.
type Timeouts struct {
	FirstToken    time.Duration // a stream's first chunk, from the start of the attempt
	BetweenTokens time.Duration // from one chunk of a stream to the next, or to its end
	Attempt       time.Duration // one attempt, streamed or not
	Total         time.Duration // the whole call: attempts, waits and fallbacks
}

func (t Timeouts) check() error {
	for _, d := range []time.Duration{t.FirstToken, t.BetweenTokens, t.Attempt, t.Total} {
		if d < 0 {
			return optionError("a timeout is %v: want 0 (none) or more", d)
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

// Timeout and Is make it what a deadline's error is to the rest of the world.
func (e *timeoutError) Timeout() bool        { return true }
func (e *timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }
