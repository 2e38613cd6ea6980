package fault

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/tmc/langchaingo/llms"
)

// The methods that an error of another package may have; see the comment of
// [FromError]. An error of retry/openai has all but the last, and one of
// retry/limit the first three and the last.
type (
	httpStatuser interface{ HTTPStatus() int }
	coder        interface{ Code() string }
	retryAfterer interface {
		RetryAfter() (time.Duration, bool)
	}
	typer       interface{ Type() string }
	requestIDer interface{ RequestID() string }
	headerer    interface{ Header() http.Header }
	bodier      interface{ Body() []byte }
	stopper     interface {
		StopReason() (reason string, wrong bool)
	}
	partialer interface{ Partial() *llms.ContentResponse }
	unsenter  interface{ Unsent() bool }
)

// FromError returns what err means to the call whose context is ctx, and nil for
// nil. If err is or wraps an *Error, it returns that *Error.
//
// FromError looks, in this order, at the call's own context, at the methods below,
// at an *llms.Error, and at the types of net, net/url and crypto/x509. Last it
// reads the text, and then sets Guess. An error of a client may have the methods
// below. The first is required, and the others are optional:
//
//	HTTPStatus() int                       of the response; 0 if there was none
//	Code() string                          the provider's word for what is wrong
//	RetryAfter() (time.Duration, bool)     the wait that the server asked for
//	Type() string                          the provider's kind of error
//	RequestID() string                     the provider's id of the request
//	Header() http.Header                   of the response
//	Body() []byte                          of the response
//	StopReason() (string, bool)            why the answer ended, and whether that is what is wrong
//	Partial() *llms.ContentResponse        what a stream had delivered
//	Unsent() bool                          whether the request was never sent
//
// A wait below 0 is 0.
func FromError(ctx context.Context, err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		if e == nil {
			return New(ClassUnknown, errors.New("fault: the error is a nil *Error"))
		}
		return e
	}
	if done := ctx.Err(); done != nil {
		return FromContext(done, err)
	}
	if e = fromSeam(err); e != nil {
		return e
	}
	var l *llms.Error
	if errors.As(err, &l) {
		return New(classOfLLMS(l.Code), err)
	}
	return fromTransport(err)
}

// FromContext returns the error of a call whose own context is done; done is its
// ctx.Err(). The error is not retryable, and has no fallback, because no time is
// left.
func FromContext(done, cause error) *Error {
	class := ClassCanceled
	if errors.Is(done, context.DeadlineExceeded) {
		class = ClassTimeout
	}
	e := New(class, cause)
	e.Retryable, e.Fallback, e.ContextErr = false, false, done
	return e
}

func fromSeam(err error) *Error {
	e := fromStatus(err)
	var u unsenter
	if e != nil && errors.As(err, &u) {
		e.Unsent = u.Unsent()
	}
	return e
}

// fromStatus reads all methods but Unsent.
func fromStatus(err error) *Error {
	var s httpStatuser
	if !errors.As(err, &s) || isNil(s) {
		return nil
	}
	r := Response{Status: s.HTTPStatus()}
	var h headerer
	if errors.As(err, &h) {
		r.Header = h.Header()
	}
	var b bodier
	if errors.As(err, &b) {
		r.Body = b.Body()
	}
	var p partialer
	var partial *llms.ContentResponse
	if errors.As(err, &p) {
		partial = p.Partial()
	}
	if r.Status == 0 {
		e := fromTransport(err)
		e.Partial = partial
		return e
	}
	var e *Error
	if r.Body != nil || r.Status >= 300 {
		e = Classify(r, time.Now())
	}
	if e == nil {
		e = fromStopReason(err, r.Status)
	} else if r.Status < 300 && e.Class == ClassMalformed && partial != nil {
		e = nil
	}
	if r.Status < 300 && e == nil {
		e = New(ClassStreamInterrupted, nil) // the response began well and the client still failed
		if partial == nil {
			e = New(ClassMalformed, nil)
		}
		e.Status = r.Status
	}
	e.Cause, e.Partial = err, partial
	named(e, err)
	return r.override(e)
}

// fromStopReason returns the error of an answer that ended for a reason that isn't
// known to be good, or nil.
func fromStopReason(err error, status int) *Error {
	var s stopper
	if !errors.As(err, &s) {
		return nil
	}
	reason, wrong := s.StopReason()
	if !wrong {
		return nil
	}
	e := New(classOfStopReason(reason), err)
	e.Status, e.ProviderCode = status, reason
	return e
}

// named adds what the error's methods return, where the body didn't contain it.
func named(e *Error, err error) {
	var c coder
	if errors.As(err, &c) && e.ProviderCode == "" {
		e.ProviderCode = c.Code()
		if class, ok := classOfNames([]string{e.ProviderCode}, e.Status); ok {
			retyped(e, class)
		}
	}
	var t typer
	if errors.As(err, &t) && e.Type == "" {
		e.Type = t.Type()
	}
	var id requestIDer
	if errors.As(err, &id) && e.RequestID == "" {
		e.RequestID = id.RequestID()
	}
	var a retryAfterer
	if errors.As(err, &a) && !e.HasDelay && e.Class != ClassRequestTooLarge {
		e.Delay, e.HasDelay = a.RetryAfter()
		e.Delay = max(e.Delay, 0) // a wait until an instant in the past
	}
}

// isNil reports whether an error with methods is a nil pointer, which has no status.
func isNil(x any) bool {
	v := reflect.ValueOf(x)
	return v.Kind() == reflect.Pointer && v.IsNil()
}

func retyped(e *Error, class Class) {
	e.Class = class
	e.Retryable, e.Fallback, e.Unhealthy = class.Retryable(), class.Fallback(), class.Unhealthy()
}

// fromTransport classifies an error without a response.
func fromTransport(err error) *Error {
	var (
		timeout   interface{ Timeout() bool }
		unknownCA x509.UnknownAuthorityError
		host      x509.HostnameError
		invalid   x509.CertificateInvalidError
		verify    *tls.CertificateVerificationError
		record    tls.RecordHeaderError
		alert     tls.AlertError
		op        *net.OpError
		dns       *net.DNSError
		link      *url.Error
		syntax    *json.SyntaxError
		typed     *json.UnmarshalTypeError
	)
	switch {
	case errors.Is(err, context.Canceled):
		return New(ClassCanceled, err)
	case errors.As(err, &unknownCA), errors.As(err, &host), errors.As(err, &invalid), errors.As(err, &verify),
		errors.As(err, &record), errors.As(err, &alert):
		return New(ClassTLS, err)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return New(ClassTimeout, err) // not the call's: an attempt's, or a client's own
	case errors.As(err, &op), errors.As(err, &dns), errors.As(err, &link),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe), errors.Is(err, net.ErrClosed),
		errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return New(ClassNetwork, err)
	case errors.As(err, &syntax), errors.As(err, &typed), errors.Is(err, bufio.ErrTooLong):
		return New(ClassMalformed, err)
	}
	return fromText(err)
}

var statusInText = regexp.MustCompile(`(?:unexpected status code|status code|status):? (\d{3})\b(?:: (.*))?`)

// fromText reads the sentences of langchaingo's clients. Without a [Transport]
// nothing else is left of the response.
func fromText(err error) *Error {
	s := err.Error()
	guess := func(c Class) *Error {
		e := New(c, err)
		e.Guess = true
		return e
	}
	if m := statusInText.FindStringSubmatch(s); m != nil {
		status := int(m[1][0]-'0')*100 + int(m[1][1]-'0')*10 + int(m[1][2]-'0')
		body, _ := json.Marshal(map[string]string{"message": m[2]})
		if e := Classify(Response{Status: status, Body: body}, time.Now()); e != nil {
			e.Cause, e.Guess = err, true
			return e
		}
	}
	for _, known := range []struct {
		words string
		class Class
	}{
		{"request timeout: ", ClassTimeout},
		{"attempt timeout", ClassTimeout},
		{"request cancelled", ClassCanceled},
		{"x509: ", ClassTLS},
		{"tls: ", ClassTLS},
		{"network error: ", ClassNetwork},
		{"connection refused", ClassNetwork},
		{"connection reset", ClassNetwork},
		{"no such host", ClassNetwork},
		{"EOF", ClassNetwork},
		{"GOAWAY", ClassNetwork},
		{"empty response", ClassMalformed},
		{"no response", ClassMalformed},
		{"invalid character ", ClassMalformed},
		{"json: cannot unmarshal", ClassMalformed},
		{"overloaded_error", ClassOverloaded},
	} {
		if strings.Contains(s, known.words) {
			return guess(known.class)
		}
	}
	return guess(ClassUnknown)
}
