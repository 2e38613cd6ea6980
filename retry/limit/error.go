package limit

import (
	"fmt"
	"strings"
	"time"
)

// Refusal says what the caller of a refused call can do; they are the three
// things that a 429 can mean.
type Refusal uint8

// The refusals.
const (
	Wait Refusal = iota // the limit refills: come back after Delay
	Cap                 // the call is larger than the limit will ever be
	Stop                // the budget is spent or the switch is off: no wait helps
)

// An Error is a call that a limit refused. It reached no model and cost
// nothing.
type Error struct {
	Refusal   Refusal
	Dimension string // "requests", "tokens", "money", "concurrency", "spend", "switch"
	Tenant    string
	Reason    string
	Delay     time.Duration // when to come back, if HasDelay
	HasDelay  bool

	cause error
}

// Error says who was refused what and why.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("limit: ")
	if e.Tenant != "" {
		fmt.Fprintf(&b, "tenant %q, ", e.Tenant)
	}
	b.WriteString(e.Dimension)
	if e.Reason != "" {
		fmt.Fprintf(&b, ": %s", e.Reason)
	}
	if e.HasDelay {
		unit := time.Microsecond
		if e.Delay > time.Second {
			unit = time.Millisecond
		}
		fmt.Fprintf(&b, ": come back in %v", e.Delay.Round(unit))
	}
	if e.cause != nil {
		fmt.Fprintf(&b, ": %v", e.cause)
	}
	return b.String()
}

// HTTPStatus returns 429, or 413 for what is too large ever to pass, or 402
// for a budget that is spent, or 503 for a switch that is off.
func (e *Error) HTTPStatus() int {
	switch {
	case e.Refusal == Cap:
		return 413
	case e.Dimension == "switch":
		return 503
	case e.Refusal == Stop:
		return 402
	}
	return 429
}

// Code returns "rate_limit", "request_too_large" or "quota".
func (e *Error) Code() string {
	return [...]string{"rate_limit", "request_too_large", "quota"}[min(e.Refusal, Stop)]
}

// RetryAfter returns when to come back, and whether that is known.
func (e *Error) RetryAfter() (time.Duration, bool) { return e.Delay, e.HasDelay }

// Unwrap returns the context's error if the call was cancelled while it waited,
// or the store's.
func (e *Error) Unwrap() error { return e.cause }
