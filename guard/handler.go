package guard

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/prodailabs/prodai/internal/apierror"
)

// A Handler checks HTTP requests before the wrapped handler sees them: each
// value of the query, and each string of a JSON body or the whole of a text
// body. The body itself decides which of these it is, not its Content-Type, since
// handlers read it in the same way.
//
// It also puts a new context for [Untrusted] on each request, see
// [Pipeline.NewContext]. The answer is checked by the [Model]. Make one with
// [NewHandler].
type Handler struct {
	next http.Handler
	p    *Pipeline
}

// NewHandler returns a Handler around next that runs the Input checks of o. A nil
// next and an invalid option are errors that wrap [ErrOption].
func NewHandler(next http.Handler, o *Options) (*Handler, error) {
	if next == nil {
		return nil, fmt.Errorf("%w: the handler to wrap is nil", ErrOption)
	}
	p, err := NewPipeline(o)
	if err != nil {
		return nil, err
	}
	return &Handler{next: next, p: p}, nil
}

// ServeHTTP passes a request on if its checks allow it, and otherwise responds as
// [WriteError] does. A body that is neither JSON nor UTF-8, or is compressed, gets
// status 415; JSON that is broken off, nested deeper than 64, or gives a key twice
// gets 400.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = r.WithContext(h.p.NewContext(r.Context()))
	s := h.p.start(r.Context(), StageInput)
	defer s.end()
	if err := h.check(s, w, r); err != nil {
		WriteError(w, err)
		return
	}
	h.next.ServeHTTP(w, r)
}

// A requestError is a request that can't be checked.
type requestError struct {
	status  int
	message string
}

func (e *requestError) Error() string   { return "guard: " + e.message }
func (e *requestError) HTTPStatus() int { return e.status }
func (e *requestError) Code() string    { return "guard_unreadable" }

func (h *Handler) check(s *session, w http.ResponseWriter, r *http.Request) error {
	if err := h.checkQuery(s, r); err != nil {
		return err
	}
	if r.Body == nil || r.Body == http.NoBody {
		return nil
	}
	if e := r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return &requestError{http.StatusUnsupportedMediaType, "a compressed body can't be checked: send it as it is"}
	}
	limit := r.Body
	if h.p.o.MaxBytes > 0 {
		limit = http.MaxBytesReader(w, r.Body, int64(h.p.o.MaxBytes))
	}
	body, err := io.ReadAll(limit)
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return s.block(Verdict{Stage: StageInput, Check: "size", Location: nowhere("body"), Err: ErrTooLarge})
	} else if err != nil {
		return &requestError{http.StatusBadRequest, "the body can't be read"}
	}
	if body, err = h.checkBody(s, body); err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	r.Header = r.Header.Clone()
	r.Header.Del("Content-Length")
	return nil
}

func (h *Handler) checkQuery(s *session, r *http.Request) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return &requestError{http.StatusBadRequest, "the query can't be read"}
	}
	changed := false
	for _, values := range query {
		for i, v := range values {
			checked, _, err := s.inspect(v, nowhere("query"))
			if err != nil {
				return err
			}
			changed = changed || checked != v
			values[i] = checked
		}
	}
	if changed {
		u := *r.URL
		u.RawQuery = query.Encode()
		r.URL = &u
	}
	return nil
}

func (h *Handler) checkBody(s *session, body []byte) ([]byte, error) {
	if !utf8.Valid(body) {
		return nil, &requestError{http.StatusUnsupportedMediaType, "the body is neither JSON nor text in UTF-8"}
	}
	text := string(body)
	if trimmed := strings.TrimSpace(text); !strings.HasPrefix(trimmed, "{") && !strings.HasPrefix(trimmed, "[") {
		checked, _, err := s.inspect(text, nowhere("body"))
		return []byte(checked), err
	}
	leaves, err := readLeaves(text)
	if err != nil {
		return nil, &requestError{http.StatusBadRequest, "the body is not JSON that can be read in one way only"}
	}
	out, err := mapLeaves(text, leaves, func(value string) (string, error) {
		checked, _, err := s.inspect(value, nowhere("body"))
		return checked, err
	})
	return []byte(out), err
}

// WriteError responds with an error in the OpenAI API's form:
//
//	{"error": {"message": "…", "type": "…", "param": null, "code": "…"}}
//
// The status and the code are the error's own, from methods HTTPStatus() int and
// Code() string. The type is "rate_limit_error" for status 429,
// "invalid_request_error" for every other 4xx, such as a request that was blocked
// or could not be read, and "server_error" for 5xx. An error with a method
// RetryAfter() (time.Duration, bool) also sets the headers Retry-After and
// retry-after-ms. The message of a [BlockedError] is its reason, never the text;
// the message of any other error is its status text. An error without a status
// is a 500 that contains nothing of the error.
func WriteError(w http.ResponseWriter, err error) {
	var withRetry interface {
		RetryAfter() (time.Duration, bool)
	}
	if errors.As(err, &withRetry) {
		if wait, ok := withRetry.RetryAfter(); ok {
			apierror.SetRetryAfter(w.Header(), wait)
		}
	}
	apierror.Write(w, apiError(err))
}

// apiError returns what WriteError writes.
func apiError(err error) apierror.Error {
	var withStatus interface{ HTTPStatus() int }
	if !errors.As(err, &withStatus) || withStatus.HTTPStatus() < 400 || withStatus.HTTPStatus() > 599 {
		if errors.Is(err, context.DeadlineExceeded) {
			return apierror.Error{Status: http.StatusGatewayTimeout, Message: "the time is over", Type: "server_error", Code: "timeout"}
		}
		return apierror.Error{Status: http.StatusInternalServerError, Message: "internal error", Type: "server_error", Code: "internal_error"}
	}
	e := apierror.Error{Status: withStatus.HTTPStatus(), Type: "invalid_request_error"}
	switch {
	case e.Status >= 500:
		e.Type = "server_error"
	case e.Status == http.StatusTooManyRequests:
		e.Type = "rate_limit_error"
	}
	var withCode interface{ Code() string }
	if errors.As(err, &withCode) {
		e.Code = withCode.Code()
	}
	blocked, unreadable := (*BlockedError)(nil), (*requestError)(nil)
	switch {
	case errors.As(err, &blocked):
		e.Message = blocked.Error()
	case errors.As(err, &unreadable):
		e.Message = unreadable.Error()
	default:
		e.Message = http.StatusText(e.Status)
	}
	return e
}
