package fault

import (
	"fmt"
	"strings"
	"time"

	"github.com/tmc/langchaingo/llms"
)

// An Error is all that is known of a failed call. Each error of a retry.Model is
// one, for a call that reached the model below.
//
// It unwraps to the cause and to an *llms.Error, so that llms.IsRateLimitError and
// similar functions work. If the call's context is done, it also unwraps to
// ctx.Err(), even where a provider's client hid that.
type Error struct {
	Class        Class
	Status       int    // the HTTP status; 0 if no response came
	ProviderCode string // the provider's own code, as sent: "insufficient_quota"
	Type         string // the provider's own type: "rate_limit_error"
	Message      string // the provider's words; may repeat the caller's text
	RequestID    string // what the provider's support asks for

	// Delay is the wait that the server, or the layer that refused the call, asked
	// for, if HasDelay. A wait too long for a time.Duration is cut to the longest one.
	Delay    time.Duration
	HasDelay bool

	// Allowances is what the response's rate-limit headers contain.
	Allowances []Allowance

	Retryable bool // the same target may be tried again
	Fallback  bool // another target may be tried
	Unhealthy bool // counts against the target's health

	// Guess is set if the class was read from a message, because there was no status
	// and no code. See [Transport].
	Guess bool

	// Partial is what a stream that was cut had delivered, with its continuations, or
	// nil.
	Partial *llms.ContentResponse

	// Unsent is set if no request was sent: each attempt was refused before it
	// reached the provider, by a circuit breaker or a limit for example.
	Unsent bool
	// Began is set if the provider may have begun an answer in one of several
	// attempts: see [Error.Billable].
	Began bool

	Attempts int           // made: hedges, continuations and fallbacks included
	Elapsed  time.Duration // of the whole call

	Cause      error // what the layer below returned
	ContextErr error // the call's ctx.Err(), if it is done
}

// New returns an Error of a class, with the class's own Retryable, Fallback and
// Unhealthy.
func New(c Class, cause error) *Error {
	return &Error{Class: c, Retryable: c.Retryable(), Fallback: c.Fallback(), Unhealthy: c.Unhealthy(), Cause: cause}
}

// Error names the class, the status, the provider's code and the cause.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("fault: ")
	b.WriteString(e.Class.String())
	if e.Status != 0 {
		fmt.Fprintf(&b, " (status %d", e.Status)
		if e.ProviderCode != "" {
			fmt.Fprintf(&b, ", %s", e.ProviderCode)
		}
		b.WriteString(")")
	}
	if e.Attempts > 1 {
		fmt.Fprintf(&b, " after %d attempts", e.Attempts)
	}
	switch {
	case e.HasDelay && e.Unsent: // no server has asked for it
		fmt.Fprintf(&b, ", try again in %v", e.Delay)
	case e.HasDelay:
		fmt.Fprintf(&b, ", asked to wait %v", e.Delay)
	}
	switch {
	case e.Message != "":
		fmt.Fprintf(&b, ": %s", e.Message)
	case e.Cause != nil:
		fmt.Fprintf(&b, ": %v", e.Cause)
	}
	return b.String()
}

// Billable reports whether the provider may bill the call, because it may have
// begun an answer. It is false if nothing was sent, and if each attempt was refused
// with a status 4xx.
func (e *Error) Billable() bool {
	refused := e.Status >= 400 && e.Status < 500
	return !e.Unsent && (e.Began || e.Partial != nil || !refused)
}

// HTTPStatus returns the status of the response, or 0.
func (e *Error) HTTPStatus() int { return e.Status }

// Code returns the class's stable name; the provider's own is ProviderCode.
func (e *Error) Code() string { return e.Class.String() }

// RetryAfter returns the wait that the server asked for, and whether it did.
func (e *Error) RetryAfter() (time.Duration, bool) { return e.Delay, e.HasDelay }

// Unwrap returns the *llms.Error, the context's error and the cause.
func (e *Error) Unwrap() []error {
	all := make([]error, 1, 3)
	all[0] = &llms.Error{Code: e.Class.llmsCode(), Message: e.Message, Details: map[string]any{"status": e.Status, "code": e.ProviderCode}}
	if e.ContextErr != nil {
		all = append(all, e.ContextErr)
	}
	if e.Cause != nil {
		all = append(all, e.Cause)
	}
	return all
}
