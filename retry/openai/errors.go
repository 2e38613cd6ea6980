package openai

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/apierror"
	"github.com/prodailabs/prodai/retry/fault"
)

// What can be wrong with an answer whose status was a success. An [*Error] wraps
// one of them.
var (
	// ErrIncompleteStream means that a stream ended before the answer did, with or
	// without a connection error. Error.Partial has what was received.
	ErrIncompleteStream = errors.New("the stream ended before the answer did")

	// ErrMalformed means that an answer doesn't follow the protocol: it is not JSON,
	// or JSON of another form.
	ErrMalformed = errors.New("the answer is malformed")

	// ErrEmpty means that an answer has no choice.
	ErrEmpty = errors.New("the answer is empty")

	// ErrTooLarge means that a line or an answer is longer than Options allow.
	ErrTooLarge = errors.New("the answer is too large")

	// ErrInBand means that an error came in place of an answer: as an event of a
	// stream, or in the body of a success.
	ErrInBand = errors.New("the server reported an error within a success")

	// ErrStopReason means that an answer came to an end and isn't known to be
	// complete. Its finish_reason is missing, or is a word for a generation that broke
	// or was cut by a filter, or is a word that fault.StopReasonOf doesn't know.
	// Error.Partial has the text of the answer.
	ErrStopReason = errors.New("the answer is not known to be complete")

	// ErrCallback means that the caller's streaming function returned an error, which
	// is wrapped too.
	ErrCallback = errors.New("the streaming function stopped the stream")
)

// maxErrorBody is how much of an error's body is kept.
const maxErrorBody = 64 << 10

// An Error is a call that failed, with all that the server sent about it. It
// unwraps to its cause: ctx.Err() if the context is done, even where the transport
// hid it, or an error of the connection, or one of this package's. It also unwraps
// to an *llms.Error with the right code, so that llms.IsRateLimitError and similar
// functions work. It never contains the API key.
type Error struct {
	status    int
	code      string
	typ       string
	param     string
	message   string
	header    http.Header
	body      []byte
	partial   *llms.ContentResponse
	stop      *string // the finish_reason, if that is what is wrong
	cause     []error
	provider  *llms.Error
	requestAt time.Time
}

// Error returns a sentence for people.
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
	if e.provider == nil { // the zero Error
		return e.cause
	}
	return append(slices.Clip(e.cause), e.provider)
}

// HTTPStatus is the status of the response, or 0 if there was none. An error within
// a success has the status that its code means, if the code is a number, else 200.
func (e *Error) HTTPStatus() int { return e.status }

// Code is the provider's word for what is wrong, "" if it gave none. A number
// is turned into text.
func (e *Error) Code() string { return e.code }

// Type is the provider's kind of error, such as "invalid_request_error".
func (e *Error) Type() string { return e.typ }

// Param names the parameter that is wrong, if one is.
func (e *Error) Param() string { return e.param }

// Message is the provider's own message, with nothing added.
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

// StopReason returns the finish_reason of an answer that isn't known to be
// complete, or "" if it had none. wrong reports whether the finish_reason is what
// is wrong.
func (e *Error) StopReason() (reason string, wrong bool) {
	if e.stop == nil {
		return "", false
	}
	return *e.stop, true
}

// Partial is what a stream had delivered before it broke, or the text of an answer
// that isn't known to be complete. It is nil if there is none.
func (e *Error) Partial() *llms.ContentResponse { return e.partial }

// RetryAfter returns how long the server asked to wait, and whether it asked. It
// reads the header retry-after-ms, or Retry-After in seconds or as a date. A date
// in the past is 0.
func (e *Error) RetryAfter() (time.Duration, bool) {
	return fault.RetryAfter(e.header, e.requestAt)
}

// llmsCode is langchaingo's code for the error: that of the context's error, or
// what package fault finds in the status and the body.
func (e *Error) llmsCode() llms.ErrorCode {
	for _, c := range e.cause {
		switch {
		case errors.Is(c, context.Canceled):
			return llms.ErrCodeCanceled
		case errors.Is(c, context.DeadlineExceeded):
			return llms.ErrCodeTimeout
		case errors.Is(c, ErrCallback), errors.Is(c, ErrTooLarge):
			return llms.ErrCodeUnknown // the caller's doing
		}
	}
	var classified *llms.Error
	if e.stop != nil && errors.As(fault.FromError(context.Background(), e), &classified) {
		return classified.Code
	}
	if e.status != 0 {
		r := fault.Response{Status: e.status, Header: e.header, Body: e.body}
		if c := fault.Classify(r, e.requestAt); c != nil && errors.As(c, &classified) {
			return classified.Code
		}
	}
	return llms.ErrCodeProviderUnavailable // no response, or one that began well and broke
}

// statusError makes the error of a response that isn't a success.
func (c *client) statusError(ctx context.Context, resp *http.Response) *Error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	e := &Error{status: resp.StatusCode, header: resp.Header.Clone(), body: body, requestAt: time.Now()}
	e.read(body)
	if to := resp.Header.Get("Location"); resp.StatusCode < 400 && to != "" {
		e.message = "redirected to " + beginning(to) + ", which is not followed"
	}
	if err != nil { // the part that could be read is useful
		e.cause = causes(ctx, err)
	}
	return c.seal(e)
}

// transportError makes the error of a request that got no response.
func (c *client) transportError(ctx context.Context, err error) *Error {
	return c.seal(&Error{cause: causes(ctx, err), message: err.Error()})
}

// brokenError makes the error of a success that went wrong.
func (c *client) brokenError(ctx context.Context, resp *http.Response, err error, body []byte) *Error {
	return c.seal(&Error{status: resp.StatusCode, header: resp.Header.Clone(), cause: causes(ctx, err), message: err.Error(),
		body: bytes.Clone(body[:min(len(body), maxErrorBody)]), requestAt: time.Now()})
}

// inBandError makes the error that came within a success.
func (c *client) inBandError(resp *http.Response, data []byte) *Error {
	e := &Error{status: resp.StatusCode, header: resp.Header.Clone(), body: bytes.Clone(data[:min(len(data), maxErrorBody)]),
		cause: []error{ErrInBand}, requestAt: time.Now()}
	e.read(data)
	e.statusOfCode()
	return c.seal(e)
}

// statusOfCode takes the status from the code, if that is one.
func (e *Error) statusOfCode() {
	if len(e.code) == 3 && e.code >= "400" && e.code <= "599" {
		if status, err := strconv.Atoi(e.code); err == nil {
			e.status = status
		}
	}
}

// stopError makes the error of an answer that ended by the choice bad, and isn't
// known to be complete. body is the answer if it was not streamed.
func (c *client) stopError(resp *http.Response, a *answer, bad *choice, body []byte) *Error {
	e := &Error{status: resp.StatusCode, header: resp.Header.Clone(), stop: &bad.finish, cause: []error{ErrStopReason},
		body: bytes.Clone(body[:min(len(body), maxErrorBody)]), requestAt: time.Now()}
	if bad.err != nil {
		e.body = slices.Concat([]byte(`{"error":`), bad.err, []byte(`}`))
		e.cause = append(e.cause, ErrInBand)
		e.read(e.body)
		e.statusOfCode()
	}
	if e.code == "" {
		e.code = bad.finish
	}
	if bad.err == nil || e.message == "" {
		e.message = fmt.Sprintf("%v: its finish_reason is %q", ErrStopReason, beginning(bad.finish))
	}
	if a.spoken() {
		e.partial = a.response(resp.Header)
	}
	return c.seal(e)
}

// causes puts ctx.Err() first if the context is done and err hides it.
func causes(ctx context.Context, err error) []error {
	if ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		return []error{ctx.Err(), err}
	}
	return []error{err}
}

// seal removes the API key where the server quoted the request, and sets
// langchaingo's code.
func (c *client) seal(e *Error) *Error {
	if key := c.o.APIKey; len(key) >= 8 { // a shorter one is a placeholder, and may be part of any word
		for _, s := range []*string{&e.message, &e.code, &e.typ, &e.param} {
			*s = strings.ReplaceAll(*s, key, "[key]")
		}
		e.body = bytes.ReplaceAll(e.body, []byte(key), []byte("[key]"))
	}
	e.provider = llms.NewError(e.llmsCode(), "openai", e.message)
	if len(e.cause) > 0 {
		e.provider.Cause = e.cause[0]
	}
	return e
}

// read takes what it can from an error's body: OpenAI's object, FastAPI's detail,
// or an engine's own form. From any other text the beginning is the message.
func (e *Error) read(body []byte) {
	type fields struct {
		Message json.RawMessage `json:"message"`
		Type    json.RawMessage `json:"type"`
		Code    json.RawMessage `json:"code"`
		Param   json.RawMessage `json:"param"`
	}
	var shape struct {
		fields
		Error    json.RawMessage `json:"error"`
		Detail   json.RawMessage `json:"detail"`
		BaseResp baseResp        `json:"base_resp"`
		Groq     groq            `json:"x_groq"`
	}
	e.message = beginning(string(body))
	var list []json.RawMessage // Gemini wraps an error in one
	if json.Unmarshal(body, &list) == nil && len(list) > 0 {
		body = list[0]
	}
	var mismatch *json.UnmarshalTypeError
	if err := json.Unmarshal(body, &shape); err != nil && !errors.As(err, &mismatch) {
		return
	}
	if shape.Groq.Error != nil && apierror.Blank(shape.Error) {
		shape.Error = *shape.Groq.Error
	}
	if word(shape.Error) != "" {
		var inner struct {
			fields
			Inner struct {
				Code json.RawMessage `json:"code"`
			} `json:"innererror"`
		}
		if json.Unmarshal(shape.Error, &inner) != nil {
			e.message = word(shape.Error)
			return
		}
		e.message, e.typ, e.code, e.param = word(inner.Message), word(inner.Type), word(inner.Code), word(inner.Param)
		if e.code == "" {
			e.code = word(inner.Inner.Code)
		}
		return
	}
	e.typ, e.code, e.param = word(shape.Type), word(shape.Code), word(shape.Param)
	if n := shape.BaseResp.StatusCode; n != 0 {
		e.code, e.message = strconv.Itoa(n), shape.BaseResp.StatusMsg
		return
	}
	for _, raw := range []json.RawMessage{shape.Message, shape.Detail} {
		if text := word(raw); text != "" {
			e.message = text
			return
		}
	}
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
	for cut > limit-utf8.UTFMax && !utf8.RuneStart(text[cut]) { // a text that is not UTF-8 may have no start of a character
		cut--
	}
	return text[:cut] + "…"
}
