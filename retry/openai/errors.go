package openai

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retry"
)

// What can be wrong with an answer whose status said that all was well. An
// [*Error] wraps one of them.
var (
	// ErrIncompleteStream says that a stream ended, by a cut connection or
	// quietly, before the answer did. Error.Partial holds what was seen.
	ErrIncompleteStream = errors.New("the stream ended before the answer did")

	// ErrMalformed says that an answer isn't what the protocol has: no JSON, or
	// JSON of another shape.
	ErrMalformed = errors.New("the answer is malformed")

	// ErrEmpty says that an answer has no choice.
	ErrEmpty = errors.New("the answer is empty")

	// ErrTooLarge says that a line or an answer is longer than Options allow.
	ErrTooLarge = errors.New("the answer is too large")

	// ErrInBand says that an error came where an answer should: as an event of
	// a stream, or in the body of a success.
	ErrInBand = errors.New("the server reported an error within a success")

	// ErrCallback says that the caller's streaming function returned an error,
	// which is wrapped too.
	ErrCallback = errors.New("the streaming function stopped the stream")
)

// maxErrorBody is how much of an error's body is kept.
const maxErrorBody = 64 << 10

// An Error is a call that failed, with all that the server said about it. It
// unwraps to what caused it (ctx.Err() if the context is done, even where the
// transport hid it; an error of the connection; one of this package's), and to
// an *llms.Error with the code that fits, so that llms.IsRateLimitError and its
// like work. It never holds the API key.
type Error struct {
	status    int
	code      string
	typ       string
	param     string
	message   string
	header    http.Header
	body      []byte
	partial   *llms.ContentResponse
	cause     []error
	requestAt time.Time
}

// Error says what happened, for people.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("openai: ")
	if e.status != 0 && e.status != http.StatusOK {
		fmt.Fprintf(&b, "status %d: ", e.status)
	}
	if e.code != "" {
		b.WriteString(e.code + ": ")
	}
	switch {
	case e.message != "":
		b.WriteString(e.message)
	case len(e.cause) > 0:
		b.WriteString(e.cause[0].Error())
	default:
		b.WriteString("no message")
	}
	if id := e.RequestID(); id != "" {
		b.WriteString(" (request " + id + ")")
	}
	return b.String()
}

// Unwrap returns the causes and an *llms.Error.
func (e *Error) Unwrap() []error {
	provider := llms.NewError(e.llmsCode(), "openai", e.message)
	if len(e.cause) > 0 {
		provider = provider.WithCause(e.cause[0])
	}
	return append(append([]error(nil), e.cause...), provider)
}

// HTTPStatus is the status of the response, 0 if there was none. An error
// within a success has the status that its code stands for, if that is a
// number, else 200.
func (e *Error) HTTPStatus() int { return e.status }

// Code is the provider's word for what is wrong, "" if it gave none. A number
// is turned into text.
func (e *Error) Code() string { return e.code }

// Type is the provider's kind of error, such as "invalid_request_error".
func (e *Error) Type() string { return e.typ }

// Param names the parameter that is wrong, if one is.
func (e *Error) Param() string { return e.param }

// Message is what the provider said, without anything added.
func (e *Error) Message() string { return e.message }

// RequestID is the provider's id of the request, to ask its support about.
func (e *Error) RequestID() string {
	for _, name := range []string{"X-Request-Id", "Apim-Request-Id", "Request-Id"} {
		if id := e.header.Get(name); id != "" {
			return id
		}
	}
	return ""
}

// Header is the response's header, with the rate limits. nil without response.
func (e *Error) Header() http.Header { return e.header }

// Body is the body of the error, its first 64 KiB at most.
func (e *Error) Body() []byte { return e.body }

// Partial is what a stream had delivered before it broke; nil if nothing.
func (e *Error) Partial() *llms.ContentResponse { return e.partial }

// RetryAfter is how long the server asked to wait, and whether it did: the
// header retry-after-ms, or Retry-After in seconds or as a date (one in the
// past is 0).
func (e *Error) RetryAfter() (time.Duration, bool) {
	return retry.RetryAfter(e.header, e.requestAt)
}

// llmsCode is langchaingo's word for the error.
func (e *Error) llmsCode() llms.ErrorCode {
	for _, c := range e.cause {
		switch {
		case errors.Is(c, context.Canceled):
			return llms.ErrCodeCanceled
		case errors.Is(c, context.DeadlineExceeded):
			return llms.ErrCodeTimeout
		}
	}
	word := e.code + " " + e.typ
	has := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(word, p) {
				return true
			}
		}
		return false
	}
	switch {
	case has("context_length", "string_above_max_length"):
		return llms.ErrCodeTokenLimit
	case has("content_filter", "content_policy"):
		return llms.ErrCodeContentFilter
	case has("insufficient_quota", "billing", "quota_exceeded"):
		return llms.ErrCodeQuotaExceeded
	case has("rate_limit"):
		return llms.ErrCodeRateLimit
	case has("model_not_found"):
		return llms.ErrCodeResourceNotFound
	}
	return codeOfStatus(e.status)
}

func codeOfStatus(status int) llms.ErrorCode {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return llms.ErrCodeAuthentication
	case status == http.StatusPaymentRequired:
		return llms.ErrCodeQuotaExceeded
	case status == http.StatusNotFound:
		return llms.ErrCodeResourceNotFound
	case status == http.StatusRequestTimeout, status == http.StatusGatewayTimeout:
		return llms.ErrCodeTimeout
	case status == http.StatusTooManyRequests:
		return llms.ErrCodeRateLimit
	case status == http.StatusNotImplemented:
		return llms.ErrCodeNotImplemented
	case status >= 500:
		return llms.ErrCodeProviderUnavailable
	case status >= 400:
		return llms.ErrCodeInvalidRequest
	}
	return llms.ErrCodeUnknown
}

// statusError makes the error of a response that isn't a success.
func (c *client) statusError(ctx context.Context, resp *http.Response) *Error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	e := &Error{status: resp.StatusCode, header: resp.Header.Clone(), body: body, requestAt: time.Now()}
	e.read(body)
	if err != nil { // what could be read still says something
		e.cause = append(causes(ctx, err), e.cause...)
	}
	c.scrub(e)
	return e
}

// transportError makes the error of a request that got no response.
func (c *client) transportError(ctx context.Context, err error) *Error {
	e := &Error{cause: causes(ctx, err), message: err.Error()}
	c.scrub(e)
	return e
}

// brokenError makes the error of a success that went wrong.
func (c *client) brokenError(ctx context.Context, resp *http.Response, err error, body []byte) *Error {
	e := &Error{status: resp.StatusCode, header: resp.Header.Clone(), cause: causes(ctx, err), message: err.Error(), requestAt: time.Now()}
	e.body = bytes.Clone(body[:min(len(body), maxErrorBody)])
	c.scrub(e)
	return e
}

// inBandError makes the error that came as JSON within a success, or nil if
// the JSON is none.
func (c *client) inBandError(resp *http.Response, data []byte) *Error {
	e := &Error{status: resp.StatusCode, header: resp.Header.Clone(), body: bytes.Clone(data[:min(len(data), maxErrorBody)]),
		cause: []error{ErrInBand}, requestAt: time.Now()}
	if !e.read(data) {
		return nil
	}
	if len(e.code) == 3 && e.code >= "400" && e.code <= "599" {
		e.status = int(e.code[0]-'0')*100 + int(e.code[1]-'0')*10 + int(e.code[2]-'0')
	}
	c.scrub(e)
	return e
}

// causes puts ctx.Err() first if the context is done and err hides it.
func causes(ctx context.Context, err error) []error {
	if ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		return []error{ctx.Err(), err}
	}
	return []error{err}
}

// scrub takes the key out of what the server quoted of the request.
func (c *client) scrub(e *Error) {
	if len(c.o.APIKey) < 8 {
		return
	}
	e.message = strings.ReplaceAll(e.message, c.o.APIKey, "[key]")
	e.body = bytes.ReplaceAll(e.body, []byte(c.o.APIKey), []byte("[key]"))
}

// read takes what it can from an error's body, and reports whether the body is
// an error: OpenAI's object, FastAPI's detail, an engine's own form, or else a
// text, of which the beginning is the message.
func (e *Error) read(body []byte) bool {
	var shape struct {
		Error   json.RawMessage `json:"error"`
		Detail  json.RawMessage `json:"detail"`
		Object  string          `json:"object"`
		Message string          `json:"message"`
		Type    string          `json:"type"`
		Code    json.RawMessage `json:"code"`
		Param   json.RawMessage `json:"param"`
	}
	if json.Unmarshal(body, &shape) != nil {
		e.message = beginning(string(body))
		return false
	}
	switch {
	case len(shape.Error) > 0 && string(shape.Error) != "null":
		var inner struct {
			Message string          `json:"message"`
			Type    string          `json:"type"`
			Code    json.RawMessage `json:"code"`
			Param   json.RawMessage `json:"param"`
			Inner   struct {
				Code string `json:"code"`
			} `json:"innererror"`
		}
		if json.Unmarshal(shape.Error, &inner) != nil {
			e.message = word(shape.Error)
			return true
		}
		e.message, e.typ, e.code, e.param = inner.Message, inner.Type, word(inner.Code), word(inner.Param)
		if e.code == "" {
			e.code = inner.Inner.Code
		}
		return true
	case shape.Object == "error":
		e.message, e.typ, e.code, e.param = shape.Message, shape.Type, word(shape.Code), word(shape.Param)
		return true
	case len(shape.Detail) > 0:
		e.message = word(shape.Detail)
		return true
	}
	e.message = shape.Message
	if e.message == "" {
		e.message = beginning(string(body))
	}
	return false
}

// word returns a JSON string's text, nothing for null, and other JSON as it is
// written.
func word(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return beginning(string(raw))
}

// beginning returns the first words of a text in one line.
func beginning(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	const limit = 300
	if len(text) <= limit {
		return text
	}
	cut := limit
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}
