package limit

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// HandlerOptions are the settings of a [Handler].
type HandlerOptions struct {
	// Key says whose request it is; default: all requests are one caller's.
	// An address is a poor key (behind a proxy it is the proxy's); an API key
	// that has been verified is a good one.
	Key func(*http.Request) string
	// Cost is how many units a request takes; default 1.
	Cost func(*http.Request) float64
	// Store keeps the rate; default a Local. If it fails, requests pass,
	// unless StoreClosed.
	Store       Store
	StoreClosed bool
	// Switch, if not nil, stops requests by hand.
	Switch *Switch
}

// Handler limits requests to next at rate for each key. Every response carries
// x-ratelimit-limit-requests, -remaining-requests and -reset-requests in
// OpenAI's form; a refused request gets 429 with Retry-After (whole seconds,
// rounded up, as RFC 9110 has it) and retry-after-ms, and OpenAI's error body,
// so that every SDK of today does the right thing with it.
func Handler(next http.Handler, rate Rate, o *HandlerOptions) (http.Handler, error) {
	if next == nil {
		return nil, fmt.Errorf("%w: the handler to wrap is nil", ErrOption)
	}
	if rate.None() {
		return nil, fmt.Errorf("%w: a handler needs a rate", ErrOption)
	}
	if err := rate.Check(); err != nil {
		return nil, err
	}
	h := &handler{next: next, rate: rate}
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
		h.o.Store = &Local{}
	}
	return h, nil
}

type handler struct {
	next http.Handler
	rate Rate
	o    HandlerOptions
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := h.o.Key(r)
	if err := h.o.Switch.check(key); err != nil {
		refuse(w, err)
		return
	}
	d, err := h.o.Store.Take(r.Context(), []Claim{{Key: "http:" + key, Rate: h.rate, N: max(0, h.o.Cost(r))}}, 0)
	if err != nil {
		if h.o.StoreClosed {
			refuse(w, &Error{Dimension: "switch", Reason: "the limits can't be read", cause: err})
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
		e := &Error{Dimension: "requests", Tenant: key, Reason: "too many requests", Delay: d.Wait, HasDelay: d.Wait != Never}
		if d.Wait == Never {
			e.Refusal = Cap
		}
		refuse(w, e)
		return
	}
	h.next.ServeHTTP(w, r)
}

// refuse writes err, an *Error or what wraps one, as a response.
func refuse(w http.ResponseWriter, err error) {
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Reason: "refused"}
	}
	if d, ok := e.RetryAfter(); ok {
		w.Header().Set("Retry-After", strconv.FormatInt(int64(math.Ceil(d.Seconds())), 10))
		w.Header().Set("retry-after-ms", strconv.FormatInt(int64(math.Ceil(float64(d)/1e6)), 10))
	}
	if e.Refusal != Wait {
		w.Header().Set("x-should-retry", "false")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.HTTPStatus())
	code := map[Refusal]string{Wait: "rate_limit_exceeded", Cap: "request_too_large", Stop: "insufficient_quota"}[e.Refusal]
	fmt.Fprintf(w, `{"error":{"message":%s,"type":%q,"param":null,"code":%q}}`+"\n", strconv.QuoteToASCII(e.Reason), e.Dimension, code)
}
