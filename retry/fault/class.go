package fault

import "github.com/tmc/langchaingo/llms"

// Class says what went wrong, in terms of what a caller can do about it. The
// zero Class is [Unknown].
type Class uint8

// The classes. Their names, as [Class.String] gives them, are stable: they
// appear in logs, in metrics and as [Error.Code].
const (
	Unknown           Class = iota // nothing below fits: not retried, another target may do better
	Auth                           // the key is missing or wrong
	Permission                     // the key is right and may not do this
	NotFound                       // no such model, deployment or route
	ContextLength                  // the prompt is longer than the model's window
	InvalidRequest                 // the request is wrong and will stay so
	ContentFilter                  // the provider refused the content
	RateLimit                      // a limit of the account that refills: wait
	RequestTooLarge                // this request can never pass: larger than the limit itself
	Quota                          // money, plan or spend limit: stop
	QuotaDaily                     // used up until another day: stop
	ServerError                    // the server failed
	Overloaded                     // the server is short of room
	Timeout                        // no answer in time
	Conflict                       // a lock or version conflict
	Network                        // no response came
	TLS                            // certificates or protocol: a configuration, not a flake
	Canceled                       // the caller gave up
	Malformed                      // a success whose body is empty, cut or no JSON
	StreamInterrupted              // part of an answer arrived, and no end of it
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
	return classNames[Unknown]
}

// Retryable reports whether the same request to the same target may succeed
// later. It is a property of the class; [Error.Retryable] knows more (the
// server's x-should-retry, the caller's own deadline, a stream that has spoken).
func (c Class) Retryable() bool {
	switch c {
	case RateLimit, ServerError, Overloaded, Timeout, Conflict, Network, Malformed:
		return true
	}
	return false
}

// Fallback reports whether another target may answer what this one didn't. For
// [ContextLength] that must be a model with a larger window.
func (c Class) Fallback() bool {
	switch c {
	case InvalidRequest, ContentFilter, Canceled, Conflict:
		return false
	}
	return true
}

// Unhealthy reports whether the error speaks against the target's health and
// so counts in a circuit breaker. A caller's mistake, a full quota or a
// cancelled call says nothing about the server.
func (c Class) Unhealthy() bool {
	switch c {
	case ServerError, Overloaded, Timeout, Network, Malformed, StreamInterrupted:
		return true
	}
	return false
}

// A Refusal is one of the three things that status 429 can mean. Code that
// treats them alike waits for ever on the second and burns a weekend on the
// third.
type Refusal uint8

// The three refusals, and none.
const (
	NotRefused Refusal = iota // the error is no refusal by a limit
	Wait                      // the limit refills: the same request passes later
	Cap                       // the request is larger than the limit: it never passes as it is
	Stop                      // quota or spend limit: no waiting helps, someone must act
)

// String returns "", "wait", "cap" or "stop".
func (r Refusal) String() string {
	return [...]string{"", "wait", "cap", "stop"}[min(r, Stop)]
}

// Refusal returns which of the three refusals the class is.
func (c Class) Refusal() Refusal {
	switch c {
	case RateLimit:
		return Wait
	case RequestTooLarge:
		return Cap
	case Quota, QuotaDaily:
		return Stop
	}
	return NotRefused
}

// llmsCode is the nearest of langchaingo's twelve codes.
func (c Class) llmsCode() llms.ErrorCode {
	switch c {
	case Auth, Permission:
		return llms.ErrCodeAuthentication
	case NotFound:
		return llms.ErrCodeResourceNotFound
	case ContextLength:
		return llms.ErrCodeTokenLimit
	case InvalidRequest, RequestTooLarge, Conflict:
		return llms.ErrCodeInvalidRequest
	case ContentFilter:
		return llms.ErrCodeContentFilter
	case RateLimit:
		return llms.ErrCodeRateLimit
	case Quota, QuotaDaily:
		return llms.ErrCodeQuotaExceeded
	case ServerError, Overloaded, Network, TLS, Malformed, StreamInterrupted:
		return llms.ErrCodeProviderUnavailable
	case Timeout:
		return llms.ErrCodeTimeout
	case Canceled:
		return llms.ErrCodeCanceled
	}
	return llms.ErrCodeUnknown
}

// classOfLLMS is the inverse: what an *llms.Error that already has a code says.
func classOfLLMS(code llms.ErrorCode) Class {
	switch code {
	case llms.ErrCodeAuthentication:
		return Auth
	case llms.ErrCodeRateLimit:
		return RateLimit
	case llms.ErrCodeInvalidRequest, llms.ErrCodeNotImplemented:
		return InvalidRequest
	case llms.ErrCodeResourceNotFound:
		return NotFound
	case llms.ErrCodeTimeout:
		return Timeout
	case llms.ErrCodeCanceled:
		return Canceled
	case llms.ErrCodeQuotaExceeded:
		return Quota
	case llms.ErrCodeContentFilter:
		return ContentFilter
	case llms.ErrCodeTokenLimit:
		return ContextLength
	case llms.ErrCodeProviderUnavailable:
		return Overloaded
	}
	return Unknown
}
