package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/prodailabs/prodai/examples/capstone/internal/service"
	"github.com/prodailabs/prodai/retry/fault"
)

// An apiError is an error in OpenAI's shape.
type apiError struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    *string `json:"code"`
}

func newError(typ, code, param, message string) apiError {
	e := apiError{Message: message, Type: typ}
	if code != "" {
		e.Code = &code
	}
	if param != "" {
		e.Param = &param
	}
	return e
}

// fail answers with an error.
func fail(w http.ResponseWriter, status int, typ, code, param, message string) {
	reply(w, status, map[string]any{"error": newError(typ, code, param, message)})
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(body) // whoever asked has gone
}

// describe turns an error of the service into a status and OpenAI's shape. What
// a provider says is passed on where it is about the request, and kept back
// where it is about our account or its insides.
func describe(err error) (status int, e apiError, wait time.Duration, asked bool) {
	var said interface {
		HTTPStatus() int
		Code() string
	}
	if errors.Is(err, service.ErrTooLong) {
		return http.StatusBadRequest, newError("invalid_request_error", "context_length_exceeded", "messages", err.Error()), 0, false
	}
	var later interface {
		RetryAfter() (time.Duration, bool)
	}
	if errors.As(err, &later) {
		wait, asked = later.RetryAfter()
	}
	if errors.As(err, &said) {
		code := said.Code()
		if tried := new(fault.Error); errors.As(err, &tried) && tried.ProviderCode != "" {
			code = tried.ProviderCode // the word that clients know, not our class
		}
		switch status := said.HTTPStatus(); {
		case status == http.StatusTooManyRequests:
			if code == "rate_limit" { // our own limiter's word; clients know OpenAI's
				code = ""
			}
			return status, newError("rate_limit_error", or(code, "rate_limit_exceeded"), "", "too many requests; try again later"), wait, asked
		case status == http.StatusUnauthorized, status == http.StatusForbidden && code != "content_filter":
			return http.StatusBadGateway, newError("upstream_error", "upstream_authentication", "", "the model's provider refused this server's credentials"), 0, false
		case status == http.StatusServiceUnavailable:
			return status, newError("upstream_error", or(code, "overloaded"), "", "the model's provider is overloaded; try again later"), wait, asked
		case status >= 400 && status < 500:
			return http.StatusBadRequest, newError("invalid_request_error", or(code, "refused"), "", "the request was refused: "+or(code, strconv.Itoa(status))), 0, false
		case status >= 500:
			return http.StatusBadGateway, newError("upstream_error", or(code, "upstream_failed"), "", "the model's provider failed"), wait, asked
		}
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusGatewayTimeout, newError("timeout_error", "timeout", "", "the answer took too long"), 0, false
	case errors.Is(err, context.Canceled):
		return 499, newError("canceled", "canceled", "", "the client left"), 0, false
	}
	return http.StatusBadGateway, newError("upstream_error", "upstream_failed", "", "the model's provider can't be reached or broke off"), wait, asked
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// failWith answers with an error of the service.
func failWith(w http.ResponseWriter, err error) {
	status, e, wait, asked := describe(err)
	if asked {
		w.Header().Set("Retry-After", strconv.FormatInt(int64(math.Ceil(min(wait, time.Hour).Seconds())), 10))
		w.Header().Set("Retry-After-Ms", strconv.FormatInt(min(wait, time.Hour).Milliseconds(), 10))
	}
	reply(w, status, map[string]any{"error": e})
}
