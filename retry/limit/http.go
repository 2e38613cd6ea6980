package limit

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/prodailabs/prodai/internal/apierror"
	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/retry/fault"
)

// HandlerOptions are the settings of a [Handler].
type HandlerOptions struct {
	// Tenant returns whose request it is. An IP address is a bad name, because it may
	// be a proxy's. An API key that has been verified is a good one. Default: all
	// requests are one tenant's, "".
	Tenant func(*http.Request) string
	// Units is how many units a request takes, 0 or more. A request whose units
	// are negative, infinite or NaN is answered with status 500. Default: 1.
	Units func(*http.Request) float64
	// Store keeps the rate. One that takes more than 250 ms has failed. Default: a Memory.
	Store Store
	// Prefix begins the store's keys. Handlers with one Store and one Prefix share
	// each tenant's room. Default: "http".
	Prefix string
	// RefuseOnStoreFailure answers requests with status 503 while the store fails.
	// Default: false, the same rate is kept in this process meanwhile; n
	// processes then admit up to n times as much.
	RefuseOnStoreFailure bool
	// Switch stops requests by hand. Default: nil, none.
	Switch *Switch
	// Logger gets the event limit.store. Default: nil, it is discarded.
	Logger *slog.Logger
}

// A Handler limits the requests to another http.Handler, at a rate for each tenant.
// Every response carries x-ratelimit-limit-requests, -remaining-requests and
// -reset-requests in OpenAI's form. A refused request gets OpenAI's error body, so
// that the usual SDKs do the right thing with it:
//
//	429  rate_limit_error, rate_limit_exceeded    with Retry-After and retry-after-ms
//	413  invalid_request_error, request_too_large the request needs more than the limit
//	503  server_error, service_unavailable        the switch is off
//	503  server_error, service_unavailable        the store is down, with RefuseOnStoreFailure
//	500  server_error, internal_error             Units returned an invalid number
//
// X-Should-Retry is "false" where no wait helps the same request: for status 413,
// and for a switch that is off. Then the SDKs of OpenAI and Anthropic, and package
// retry, don't retry.
type Handler struct {
	next    http.Handler
	rate    Rate
	o       HandlerOptions
	backing backing // HandlerOptions.Store
}

// NewHandler returns a handler; nil options mean the defaults. It fails with
// [ErrOption].
func NewHandler(next http.Handler, rate Rate, o *HandlerOptions) (*Handler, error) {
	if next == nil {
		return nil, optionError("the handler of NewHandler is nil")
	}
	if rate.IsZero() {
		return nil, optionError("the rate of NewHandler is zero: want a limit")
	}
	if err := rate.check("the rate of NewHandler"); err != nil {
		return nil, err
	}
	h := &Handler{next: next, rate: rate}
	if o != nil {
		h.o = *o
	}
	if h.o.Tenant == nil {
		h.o.Tenant = func(*http.Request) string { return "" }
	}
	if h.o.Units == nil {
		h.o.Units = func(*http.Request) float64 { return 1 }
	}
	if h.o.Store == nil {
		h.o.Store = &Memory{}
	}
	if h.o.Prefix == "" {
		h.o.Prefix = "http"
	}
	h.backing.store, h.backing.refuse, h.backing.log = h.o.Store, h.o.RefuseOnStoreFailure, event.Logger(h.o.Logger)
	return h, nil
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	tenant := h.o.Tenant(r)
	if err := h.o.Switch.check(tenant); err != nil {
		refuse(w, err)
		return
	}
	units := h.o.Units(r)
	if !(units >= 0) || math.IsInf(units, 1) {
		apierror.Write(w, apierror.Error{Status: http.StatusInternalServerError, Type: "server_error", Code: "internal_error",
			Message: fmt.Sprintf("the request takes %v units: want a number, 0 or more", units)})
		return
	}
	_, d, err := h.backing.take(r.Context(), []Claim{{Key: h.o.Prefix + ":" + tenant, Rate: h.rate, N: units}}, 0)
	switch {
	case err != nil && r.Context().Err() != nil: // the store has not failed
		refuse(w, &Error{Dimension: dimensions[0], Tenant: tenant, Reason: "the request was canceled"})
		return
	case err != nil:
		refuse(w, storeDown(tenant, err))
		return
	}
	header := w.Header()
	header.Set("x-ratelimit-limit-requests", strconv.FormatFloat(math.Floor(d.Limit), 'f', -1, 64))
	header.Set("x-ratelimit-remaining-requests", strconv.FormatFloat(math.Floor(d.Remaining), 'f', -1, 64))
	header.Set("x-ratelimit-reset-requests", d.Reset.Round(time.Millisecond).String())
	if !d.OK {
		e := &Error{Refusal: fault.RefusalWait, Dimension: dimensions[0], Tenant: tenant, Reason: "too many requests", Delay: d.Wait, HasDelay: true}
		if d.Wait == Never {
			*e = Error{Refusal: fault.RefusalCap, Dimension: dimensions[0], Tenant: tenant,
				Reason: fmt.Sprintf("the request needs %v units, the limit is %v", units, d.Limit)}
		}
		refuse(w, e)
		return
	}
	h.next.ServeHTTP(w, r)
}

// refuse writes err, an *Error or what wraps one, as a response.
func refuse(w http.ResponseWriter, err error) {
	e := &Error{Reason: "refused"}
	errors.As(err, &e)
	if d, ok := e.RetryAfter(); ok {
		apierror.SetRetryAfter(w.Header(), d)
	}
	for name, values := range e.Header() {
		w.Header()[name] = values
	}
	out := apierror.Error{Status: e.HTTPStatus(), Message: e.Reason, Type: "server_error", Code: e.Code()}
	switch out.Status {
	case http.StatusTooManyRequests:
		out.Type = "rate_limit_error"
	case http.StatusRequestEntityTooLarge:
		out.Type = "invalid_request_error"
	case http.StatusPaymentRequired:
		out.Type = "insufficient_quota"
	}
	apierror.Write(w, out)
}
