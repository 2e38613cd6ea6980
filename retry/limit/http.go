package limit

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/prodailabs/prodai/internal/apierror"
	"github.com/prodailabs/prodai/retry/fault"
)

// HandlerOptions are the settings of a [Handler].
type HandlerOptions struct {
	// Key returns whose request it is. An address is a poor key (behind a proxy it
	// is the proxy's); an API key that has been verified is a good one. Default:
	// all requests are one caller's.
	Key func(*http.Request) string
	// Cost is how many units a request takes. Default: 1.
	Cost func(*http.Request) float64
	// Store keeps the rate. Default: a LocalStore.
	Store Store
	// StoreClosed answers requests with status 503 while the store fails. Default:
	// false, they pass.
	StoreClosed bool
	// Switch stops requests by hand. Default: nil, none.
	Switch *Switch
}

// A Handler is an http.Handler that limits the requests to another one at a rate
// for each key. Every response carries x-ratelimit-limit-requests,
// -remaining-requests and -reset-requests in OpenAI's form. A refused request gets
// OpenAI's error body, so that every SDK of today does the right thing with it:
//
//	429  rate_limit_error, rate_limit_exceeded    with Retry-After and retry-after-ms
//	413  invalid_request_error, request_too_large the request needs more than the limit
//	503  insufficient_quota                       the switch is off
//	503  server_error, service_unavailable        the store is down, with StoreClosed
type Handler struct {
	next http.Handler
	rate Rate
	o    HandlerOptions
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
	if h.o.Key == nil {
		h.o.Key = func(*http.Request) string { return "" }
	}
	if h.o.Cost == nil {
		h.o.Cost = func(*http.Request) float64 { return 1 }
	}
	if h.o.Store == nil {
		h.o.Store = &LocalStore{}
	}
	return h, nil
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := h.o.Key(r)
	if err := h.o.Switch.check(key); err != nil {
		refuse(w, err)
		return
	}
	d, err := h.o.Store.Take(r.Context(), []Claim{{Key: "http:" + key, Rate: h.rate, N: max(0, h.o.Cost(r))}}, 0)
	if err != nil {
		if h.o.StoreClosed {
			refuse(w, storeDown(key, err))
			return
		}
		h.next.ServeHTTP(w, r)
		return
	}
	header := w.Header()
	header.Set("x-ratelimit-limit-requests", strconv.FormatFloat(math.Floor(d.Limit), 'f', -1, 64))
	header.Set("x-ratelimit-remaining-requests", strconv.FormatFloat(math.Floor(d.Remaining), 'f', -1, 64))
	header.Set("x-ratelimit-reset-requests", d.Reset.Round(time.Millisecond).String())
	if !d.OK {
		e := &Error{Refusal: fault.RefusalWait, Dimension: "requests", Tenant: key, Reason: "too many requests", Delay: d.Wait, HasDelay: true}
		if d.Wait == Never {
			e.Refusal, e.Delay, e.HasDelay = fault.RefusalCap, 0, false
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
	out := apierror.Error{Status: e.HTTPStatus(), Message: e.Reason}
	switch e.Refusal {
	case fault.RefusalWait:
		out.Type, out.Code = "rate_limit_error", "rate_limit_exceeded"
	case fault.RefusalCap:
		out.Type, out.Code = "invalid_request_error", "request_too_large"
	case fault.RefusalStop:
		out.Type, out.Code = "insufficient_quota", "insufficient_quota"
	default:
		out.Type, out.Code = "server_error", "service_unavailable"
	}
	if e.Refusal == fault.RefusalCap || e.Refusal == fault.RefusalStop {
		w.Header().Set("x-should-retry", "false")
	}
	apierror.Write(w, out)
}
