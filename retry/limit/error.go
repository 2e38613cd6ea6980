package limit

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/prodailabs/prodai/retry/fault"
)

// An Error is a call that a limit refused. The call reached no model, costs nothing
// and isn't counted.
type Error struct {
	// Refusal is what the caller can do. fault.RefusalWait: wait, the limit refills.
	// fault.RefusalCap: send less, the call is larger than the whole limit.
	// fault.RefusalStop: stop, the budget is spent or the switch is off.
	// fault.RefusalNone: no limit has refused the call, but their store is down
	// ([ErrStore]).
	Refusal   fault.Refusal
	Dimension string // "requests", "tokens", "money", "concurrency", "spend", "switch", "store"
	Tenant    string
	Reason    string
	Delay     time.Duration // when to come back, if HasDelay
	HasDelay  bool

	cause error
}

// ErrStore is wrapped by the error of a call whose limits could not be read, beside
// the store's own error.
var ErrStore = errors.New("limit: the store of the limits is down")

// storeDown is the error of a call whose limits could not be read.
func storeDown(tenant string, err error) *Error {
	return &Error{Dimension: "store", Tenant: tenant, Reason: "the store of the limits is down", cause: storeError{err}}
}

// A storeError is a store's error, and ErrStore.
type storeError struct{ error }

// Is makes it ErrStore.
func (e storeError) Is(target error) bool { return target == ErrStore }

// Unwrap returns the store's error.
func (e storeError) Unwrap() error { return e.error }

// Error names the tenant, the dimension and the reason.
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

// HTTPStatus returns 429 if the limit refills, 413 if the call is larger than the
// limit, 402 if the budget is spent, and 503 if the switch is off or the store is
// down.
func (e *Error) HTTPStatus() int {
	switch {
	case e.Refusal == fault.RefusalCap:
		return http.StatusRequestEntityTooLarge
	case e.Refusal == fault.RefusalWait:
		return http.StatusTooManyRequests
	case e.Refusal == fault.RefusalStop && e.Dimension != "switch":
		return http.StatusPaymentRequired
	}
	return http.StatusServiceUnavailable
}

// Code returns OpenAI's word for the refusal, as a [Handler] sends it:
//
//	rate_limit_exceeded  429  the limit refills
//	request_too_large    413  the call is larger than the limit
//	insufficient_quota   402  the budget is spent
//	service_unavailable  503  the switch is off, or the store is down
func (e *Error) Code() string {
	switch e.HTTPStatus() {
	case http.StatusTooManyRequests:
		return "rate_limit_exceeded"
	case http.StatusRequestEntityTooLarge:
		return "request_too_large"
	case http.StatusPaymentRequired:
		return "insufficient_quota"
	}
	return "service_unavailable"
}

// Header returns X-Should-Retry: false if waiting doesn't help, else nil.
func (e *Error) Header() http.Header {
	if e.Refusal == fault.RefusalCap || e.Refusal == fault.RefusalStop {
		return http.Header{"X-Should-Retry": {"false"}}
	}
	return nil
}

// RetryAfter returns when to come back, and whether that is known.
func (e *Error) RetryAfter() (time.Duration, bool) { return e.Delay, e.HasDelay }

// Unsent returns true: the call reached no provider. See [fault.Error.Unsent].
func (e *Error) Unsent() bool { return true }

// Unwrap returns the context's error if the call was canceled while it waited,
// or the store's.
func (e *Error) Unwrap() error { return e.cause }
