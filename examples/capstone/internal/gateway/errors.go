package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/prodailabs/prodai/examples/capstone/internal/service"
	"github.com/prodailabs/prodai/guard"
	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/fault"
	"github.com/prodailabs/prodai/retry/limit"
)

// An apiError is an error in OpenAI's shape.
type apiError struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    *string `json:"code"`
}

func newError(typ, code, param, message string) apiError {
	e := apiError{Message: clip(message), Type: typ}
	code, param = clip(code), clip(param)
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
	_ = enc.Encode(body) // fails only if the client is gone
}

// ErrStopping is the cause with which the contexts of requests are canceled when
// the server's time to stop is over.
var ErrStopping = errors.New("the server is being stopped")

// A problem is an error of the service as a client and the log see it.
type problem struct {
	apiError
	status int
	wait   time.Duration // when to come back, if asked
	asked  bool
	ours   bool // an operator of this server must act
}

// describe turns an error of the service into a status and OpenAI's shape. What
// a provider reports is passed on where it is about the request, and kept back
// where it is about this server's account or its insides.
func describe(err error) problem {
	var later interface {
		RetryAfter() (time.Duration, bool)
	}
	p := problem{status: http.StatusBadGateway, apiError: newError("upstream_error", "upstream_failed", "", "the model's provider cannot be reached or broke off")}
	if errors.As(err, &later) {
		p.wait, p.asked = later.RetryAfter()
	}
	var blocked *guard.BlockedError
	var limited *limit.Error
	var failed *fault.Error
	switch {
	case errors.Is(err, ErrStopping):
		return problem{status: http.StatusServiceUnavailable, apiError: newError("server_error", "stopping", "", "this server is being stopped; ask again"), wait: time.Second, asked: true}
	case errors.Is(err, service.ErrTooLong):
		return problem{status: http.StatusBadRequest, apiError: newError("invalid_request_error", "context_length_exceeded", "messages", err.Error())}
	case errors.As(err, &blocked):
		return guardsBlock(blocked)
	case errors.Is(err, retry.ErrOpen), errors.Is(err, retry.ErrBusy), errors.Is(err, retry.ErrShed):
		return p.ownRefusal(err)
	case errors.As(err, &limited):
		return p.tenantsLimit(limited)
	case errors.As(err, &failed) && failed.Class != fault.ClassUnknown && failed.Class != fault.ClassCanceled && !errors.Is(err, context.DeadlineExceeded):
		return p.providers(failed)
	case errors.Is(err, context.DeadlineExceeded):
		return problem{status: http.StatusGatewayTimeout, apiError: newError("timeout_error", "timeout", "", "the answer took too long")}
	case errors.Is(err, context.Canceled):
		return problem{status: statusClientClosed, apiError: newError("canceled", "canceled", "", "the client left")}
	}
	var said interface {
		HTTPStatus() int
		Code() string
	}
	if errors.As(err, &said) {
		status := said.HTTPStatus()
		if said.Code() == "content_filter" {
			status = http.StatusBadRequest
		}
		if status >= 400 && status < 500 && status != http.StatusUnauthorized && status != http.StatusForbidden {
			p.status, p.apiError = status, newError("invalid_request_error", or(said.Code(), "refused"), "", "the request was refused: "+or(said.Code(), strconv.Itoa(status)))
		}
	}
	return p
}

// guardsBlock is a request or an answer that a check blocked, or a check that
// failed, which is not the client's fault.
func guardsBlock(e *guard.BlockedError) problem {
	kind := "invalid_request_error"
	if e.HTTPStatus() >= 500 {
		kind = "server_error"
	}
	return problem{status: e.HTTPStatus(), apiError: newError(kind, e.Code(), "", e.Error()), ours: e.HTTPStatus() >= 500}
}

// statusClientClosed is nginx's word for a client that left.
const statusClientClosed = 499

// ownRefusal describes a call that this server did not make: no place, no time,
// or a provider that has just been failing. The provider has not failed this
// call, and the client may come back.
func (p problem) ownRefusal(err error) problem {
	p.status = http.StatusServiceUnavailable
	if !p.asked {
		p.wait, p.asked = time.Second, true
	}
	switch {
	case errors.Is(err, retry.ErrOpen):
		p.apiError = newError("server_error", "upstream_unavailable", "", "the model's provider keeps failing, so it is not asked for a while; try again later")
	case errors.Is(err, retry.ErrBusy):
		p.apiError = newError("server_error", "overloaded", "", "this server has as many requests in progress as its provider can take; try again later")
	default:
		p.apiError = newError("server_error", "overloaded", "", "this server is so busy that the answer would come too late; try again later")
	}
	return p
}

// tenantsLimit describes a refusal of the tenant's own limits.
func (p problem) tenantsLimit(e *limit.Error) problem {
	p.status = e.HTTPStatus()
	switch p.status {
	case http.StatusRequestEntityTooLarge:
		p.apiError = newError("invalid_request_error", "request_too_large", "", "the request is larger than your limit of "+e.Dimension)
	case http.StatusPaymentRequired:
		p.apiError = newError("insufficient_quota", "insufficient_quota", "", "your budget is used up")
	case http.StatusServiceUnavailable:
		p.apiError = newError("server_error", "unavailable", "", "requests cannot be taken now; try again later")
	default:
		p.apiError = newError("rate_limit_error", "rate_limit_exceeded", "", "too many requests: your limit of "+e.Dimension+" is reached; try again later")
	}
	return p
}

// providers describes an error response of the provider.
func (p problem) providers(e *fault.Error) problem {
	word := or(e.ProviderCode, e.Code())
	switch e.Class {
	case fault.ClassQuota, fault.ClassQuotaDaily:
		p.ours, p.status, p.asked = true, http.StatusTooManyRequests, false // the status and code that OpenAI's clients know
		p.apiError = newError("insufficient_quota", "insufficient_quota", "", "this service's account with the model's provider is used up; waiting does not help")
	case fault.ClassAuth, fault.ClassPermission:
		p.ours, p.asked = true, false
		p.apiError = newError("upstream_error", "upstream_authentication", "", "the model's provider refused this server's credentials")
	case fault.ClassNotFound:
		p.ours, p.asked = true, false
		p.apiError = newError("upstream_error", "upstream_model_not_found", "", "the model's provider does not know the model that this server is set to use")
	case fault.ClassRateLimit:
		p.status = http.StatusTooManyRequests
		if word == "rate_limit" { // our word; clients know OpenAI's
			word = "rate_limit_exceeded"
		}
		p.apiError = newError("rate_limit_error", word, "", "the model's provider takes no more requests now; try again later")
	case fault.ClassOverloaded:
		p.status, p.apiError = http.StatusServiceUnavailable, newError("upstream_error", or(e.ProviderCode, "overloaded"), "", "the model's provider is overloaded; try again later")
	case fault.ClassContentFilter, fault.ClassContextLength, fault.ClassInvalidRequest, fault.ClassRequestTooLarge, fault.ClassConflict:
		p.status, p.asked = http.StatusBadRequest, false // whatever the provider's status was, if there was one
		p.apiError = newError("invalid_request_error", word, "", "the request was refused: "+word)
	case fault.ClassTimeout:
		p.status, p.apiError = http.StatusGatewayTimeout, newError("upstream_error", "upstream_timeout", "", "the model's provider took too long")
	case fault.ClassServerError:
		p.apiError = newError("upstream_error", word, "", "the model's provider failed")
	}
	return p
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// failWith answers with an error of the service, and logs what the client must not
// see.
func (g *Gateway) failWith(w http.ResponseWriter, r *http.Request, err error) {
	p := describe(err)
	g.logFailure(r.Context(), err, p)
	if p.asked {
		wait := min(max(p.wait, 0), time.Hour)
		w.Header().Set("Retry-After", strconv.FormatInt(int64(math.Ceil(wait.Seconds())), 10))
		w.Header().Set("Retry-After-Ms", strconv.FormatInt(wait.Milliseconds(), 10))
	}
	if p.ours {
		w.Header().Set("X-Should-Retry", "false") // OpenAI's SDKs obey
	}
	reply(w, p.status, map[string]any{"error": p.apiError})
}

// logFailure keeps the evidence of a failure: what the provider answered, how
// often it was asked, and what is an operator's to mend as an error.
func (g *Gateway) logFailure(ctx context.Context, err error, p problem) {
	a := accessOf(ctx)
	if p.status == statusClientClosed {
		a.broken("client gone")
		return
	}
	if p.status < 500 && !p.ours {
		return // the access line says it
	}
	a.broken(*p.Code)
	level := slog.LevelWarn
	if p.ours {
		level = slog.LevelError
	}
	attrs := []slog.Attr{slog.String("id", a.id), slog.String("tenant", a.tenant), slog.String("code", *p.Code), slog.String("error", err.Error())}
	if e := new(fault.Error); errors.As(err, &e) {
		attrs = append(attrs, slog.String("class", e.Class.String()), slog.Int("provider_status", e.Status), slog.String("provider_code", e.ProviderCode),
			slog.String("provider_request", e.RequestID), slog.Int("attempts", e.Attempts))
	}
	g.o.Log.LogAttrs(ctx, level, "answer failed", attrs...)
}
