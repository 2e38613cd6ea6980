package fault

import "github.com/tmc/langchaingo/llms"

// A Class is the kind of a failure, defined by what a caller can do about it. The
// zero Class is [ClassUnknown].
type Class uint8

// The classes. Their names, as [Class.String] gives them, are stable: they
// appear in logs, in metrics and as [Error.Code].
const (
	ClassUnknown           Class = iota // no other class fits: not retried, another target may succeed
	ClassAuth                           // the key is missing or wrong
	ClassPermission                     // the key is right and may not do this
	ClassNotFound                       // no such model, deployment or route
	ClassContextLength                  // the prompt is longer than the model's window
	ClassInvalidRequest                 // the request is wrong and will stay so
	ClassContentFilter                  // the provider refused the content
	ClassRateLimit                      // a limit of the account that refills: wait
	ClassRequestTooLarge                // this request can never pass: larger than the limit itself
	ClassQuota                          // the money, plan or spend limit is used up: stop
	ClassQuotaDaily                     // the day's amount is used up: stop until another day
	ClassServerError                    // the server failed
	ClassOverloaded                     // the server is short of room
	ClassTimeout                        // no answer in time
	ClassConflict                       // a lock or version conflict
	ClassNetwork                        // no response came
	ClassTLS                            // certificates or protocol: the configuration is wrong, and stays so
	ClassCanceled                       // the caller gave up
	ClassMalformed                      // a success whose body is empty, cut or not JSON
	ClassStreamInterrupted              // part of an answer arrived, and not its end
)

var classNames = [...]string{
	"unknown", "auth", "permission", "not_found", "context_length", "invalid_request",
	"content_filter", "rate_limit", "request_too_large", "quota", "quota_daily",
	"server_error", "overloaded", "timeout", "conflict", "network", "tls", "canceled",
	"malformed", "stream_interrupted",
}

// String returns the class's stable name.
func (c Class) String() string {
	if int(c) < len(classNames) {
		return classNames[c]
	}
	return classNames[ClassUnknown]
}

// Retryable reports whether the same request to the same target may succeed later.
// It looks only at the class. The field [Error.Retryable] also depends on the
// server's x-should-retry, the caller's own deadline, and whether the caller has
// seen the beginning of a stream.
func (c Class) Retryable() bool {
	switch c {
	case ClassRateLimit, ClassServerError, ClassOverloaded, ClassTimeout, ClassConflict, ClassNetwork, ClassMalformed:
		return true
	}
	return false
}

// Fallback reports whether another target may succeed where this one failed. For
// [ClassContextLength] that must be a model with a larger window.
func (c Class) Fallback() bool {
	switch c {
	case ClassInvalidRequest, ClassContentFilter, ClassCanceled, ClassConflict:
		return false
	}
	return true
}

// Unhealthy reports whether the error counts against the target's health, in a
// circuit breaker for example. A caller's mistake, a full quota or a canceled call
// shows nothing of the server.
func (c Class) Unhealthy() bool {
	switch c {
	case ClassServerError, ClassOverloaded, ClassTimeout, ClassNetwork, ClassMalformed, ClassStreamInterrupted:
		return true
	}
	return false
}

// A Refusal is one of the three things that status 429 can mean. Code that treats
// them alike waits forever on the second, and repeats refused calls all weekend on
// the third.
type Refusal uint8

// The three refusals, and none.
const (
	RefusalNone Refusal = iota // the error is not a refusal by a limit
	RefusalWait                // the limit refills: the same request passes later
	RefusalCap                 // the request is larger than the limit: it never passes as it is
	RefusalStop                // quota or spend limit: waiting doesn't help, a person must act
)

// String returns "", "wait", "cap" or "stop"; "unknown" for another value.
func (r Refusal) String() string {
	return [...]string{"", "wait", "cap", "stop", "unknown"}[min(r, RefusalStop+1)]
}

// Refusal returns which of the three refusals the class is.
func (c Class) Refusal() Refusal {
	switch c {
	case ClassRateLimit:
		return RefusalWait
	case ClassRequestTooLarge:
		return RefusalCap
	case ClassQuota, ClassQuotaDaily:
		return RefusalStop
	}
	return RefusalNone
}

// llmsCode is the nearest of langchaingo's twelve codes.
func (c Class) llmsCode() llms.ErrorCode {
	switch c {
	case ClassAuth, ClassPermission:
		return llms.ErrCodeAuthentication
	case ClassNotFound:
		return llms.ErrCodeResourceNotFound
	case ClassContextLength:
		return llms.ErrCodeTokenLimit
	case ClassInvalidRequest, ClassRequestTooLarge, ClassConflict:
		return llms.ErrCodeInvalidRequest
	case ClassContentFilter:
		return llms.ErrCodeContentFilter
	case ClassRateLimit:
		return llms.ErrCodeRateLimit
	case ClassQuota, ClassQuotaDaily:
		return llms.ErrCodeQuotaExceeded
	case ClassServerError, ClassOverloaded, ClassNetwork, ClassTLS, ClassMalformed, ClassStreamInterrupted:
		return llms.ErrCodeProviderUnavailable
	case ClassTimeout:
		return llms.ErrCodeTimeout
	case ClassCanceled:
		return llms.ErrCodeCanceled
	}
	return llms.ErrCodeUnknown
}

// classOfLLMS is the inverse: the class of an *llms.Error that has a code.
func classOfLLMS(code llms.ErrorCode) Class {
	switch code {
	case llms.ErrCodeAuthentication:
		return ClassAuth
	case llms.ErrCodeRateLimit:
		return ClassRateLimit
	case llms.ErrCodeInvalidRequest, llms.ErrCodeNotImplemented:
		return ClassInvalidRequest
	case llms.ErrCodeResourceNotFound:
		return ClassNotFound
	case llms.ErrCodeTimeout:
		return ClassTimeout
	case llms.ErrCodeCanceled:
		return ClassCanceled
	case llms.ErrCodeQuotaExceeded:
		return ClassQuota
	case llms.ErrCodeContentFilter:
		return ClassContentFilter
	case llms.ErrCodeTokenLimit:
		return ClassContextLength
	case llms.ErrCodeProviderUnavailable:
		return ClassOverloaded
	}
	return ClassUnknown
}
