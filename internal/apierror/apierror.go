// Package apierror writes HTTP errors in the one form that every client of the
// OpenAI API reads:
//
//	{"error": {"message": "…", "type": "…", "param": null, "code": "…"}}
package apierror

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"time"
)

// An Error is the body's error object and the status that goes with it.
type Error struct {
	Status  int    // the HTTP status; 0 means 500
	Message string // for people
	Type    string // OpenAI's kinds: "invalid_request_error", "rate_limit_error", "server_error", …
	Param   string // the request's field that is wrong; "" is written as null
	Code    string // for programs: "rate_limit_exceeded", …; "" is written as null
}

// MarshalJSON writes the error object, without the status.
func (e Error) MarshalJSON() ([]byte, error) {
	optional := func(s string) *string {
		if s == "" {
			return nil
		}
		return &s
	}
	return json.Marshal(struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    *string `json:"code"`
	}{e.Message, e.Type, optional(e.Param), optional(e.Code)})
}

// Write answers with e. Headers must be set before.
func Write(w http.ResponseWriter, e Error) {
	if e.Status == 0 {
		e.Status = http.StatusInternalServerError
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(e.Status)
	_ = json.NewEncoder(w).Encode(map[string]Error{"error": e}) // fails only if the client is gone
}

// SetRetryAfter sets the two headers that say when to come back: Retry-After in
// whole seconds, rounded up, and retry-after-ms, which OpenAI's SDKs prefer.
func SetRetryAfter(h http.Header, wait time.Duration) {
	wait = max(wait, 0)
	h.Set("Retry-After", strconv.FormatInt(int64(math.Ceil(wait.Seconds())), 10))
	h.Set("retry-after-ms", strconv.FormatInt(int64(math.Ceil(float64(wait)/float64(time.Millisecond))), 10))
}
