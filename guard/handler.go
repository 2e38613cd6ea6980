package guard

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// A Handler checks HTTP requests before the handler behind sees them: each
// value of the query, and each string of a JSON body or the whole of a text
// body. It goes by what the body is, not by what its Content-Type says, since
// handlers do the same.
//
// It also puts a new context for [Untrusted] on each request. The answer is the
// [Model]'s business.
type Handler struct {
	next http.Handler
	p    *Pipeline
}

// NewHandler returns a Handler around next that runs the Input checks of o. It
// fails with [ErrOption], or on a check that is incomplete.
func NewHandler(next http.Handler, o *Options) (*Handler, error) {
	if next == nil {
		return nil, ErrOption
	}
	p, err := NewPipeline(o)
	if err != nil {
		return nil, err
	}
	return &Handler{next: next, p: p}, nil
}

// ServeHTTP answers a request that is blocked itself, as [WriteError] does. A
// body that is neither JSON nor UTF-8, or is compressed, gets status 415;
// JSON that is broken off, nested deeper than 64, or gives a key twice gets 400.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = r.WithContext(NewContext(r.Context(), h.p.o.Spotlight))
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
		return nil, &requestError{http.StatusBadRequest, "the body is no JSON that can be read in one way only"}
	}
	out, err := mapLeaves(text, leaves, func(value string) (string, error) {
		checked, _, err := s.inspect(value, nowhere("body"))
		return checked, err
	})
	return []byte(out), err
}

// WriteError answers with an error in the OpenAI API's form. The status and code
// are the error's own, from methods HTTPStatus() int and Code() string; an error
// without them is a 500 that says nothing. A [BlockedError] tells the reason,
// never the text.
func WriteError(w http.ResponseWriter, err error) {
	status, code, message := http.StatusInternalServerError, "internal_error", "internal error"
	var withStatus interface{ HTTPStatus() int }
	var withCode interface{ Code() string }
	if errors.As(err, &withStatus) && withStatus.HTTPStatus() >= 400 {
		status, code, message = withStatus.HTTPStatus(), "error", http.StatusText(withStatus.HTTPStatus())
		if errors.As(err, &withCode) {
			code = withCode.Code()
		}
		blocked, unreadable := (*BlockedError)(nil), (*requestError)(nil)
		switch {
		case errors.As(err, &blocked):
			message = blocked.Error()
		case errors.As(err, &unreadable):
			message = unreadable.Error()
		}
	} else if errors.Is(err, context.DeadlineExceeded) {
		status, code, message = http.StatusGatewayTimeout, "timeout", "the time is over"
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	answer := struct {
		Error any `json:"error"`
	}{struct {
		Message string `json:"message"`
		Type    string `json:"type"`
		Code    string `json:"code"`
	}{message, "guard_error", code}}
	_ = json.NewEncoder(w).Encode(answer) // the client is gone if this fails
}
