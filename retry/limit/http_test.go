package limit

import (
	"bytes"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/retry/fault"
)

func TestHandlerWithoutItsStore(t *testing.T) {
	for refuse, want := range map[bool][2]int{true: {503, 503}, false: {200, 429}} {
		var log bytes.Buffer
		h, err := NewHandler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), Rate{N: 1, Per: time.Hour},
			&HandlerOptions{Store: brokenStore{}, RefuseOnStoreFailure: refuse, Logger: slog.New(&event.Checker{Report: t.Errorf, Next: slog.NewTextHandler(&log, nil)})})
		require.NoError(t, err)
		for i, want := range want {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
			require.Equal(t, want, w.Code, "request %d: without its store a handler goes by the rate of this process", i+1)
			if refuse {
				require.JSONEq(t, `{"error":{"message":"the store of the limits is down","type":"server_error","param":null,"code":"service_unavailable"}}`, w.Body.String())
				require.Empty(t, w.Header().Get("x-should-retry"))
				e := fault.Classify(fault.Response{Status: w.Code, Header: w.Header(), Body: w.Body.Bytes()}, time.Now())
				require.Equal(t, fault.ClassOverloaded, e.Class)
			}
		}
		require.Equal(t, 1, strings.Count(log.String(), "msg=limit.store"), "one record a second: %s", &log)
		require.Contains(t, log.String(), "reason=down")
	}
}

// Units that are not a number are a mistake of the server, and not a limit.
func TestHandlerUnits(t *testing.T) {
	units := 0.0
	h, err := NewHandler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), Rate{N: 1, Per: time.Hour},
		&HandlerOptions{Units: func(*http.Request) float64 { return units }})
	require.NoError(t, err)
	for _, c := range []struct {
		units  float64
		status int
		words  string
	}{
		{math.NaN(), 500, "the request takes NaN units: want a number, 0 or more"},
		{-1, 500, "takes -1 units"}, {math.Inf(1), 500, "takes +Inf units"},
		{5, 413, "the request needs 5 units, the limit is 1"}, {0, 200, ""}, {1, 200, ""}, {1, 429, ""},
	} {
		units = c.units
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		require.Equal(t, c.status, w.Code, c.units)
		require.Contains(t, w.Body.String(), c.words)
	}
}

func TestHandler(t *testing.T) {
	now := time.Unix(1_790_000_000, 0)
	h, err := NewHandler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), Rate{N: 2, Per: 3 * time.Second},
		&HandlerOptions{Store: &Memory{Now: func() time.Time { return now }}})
	require.NoError(t, err)
	get := func() *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		return w
	}
	require.Equal(t, 200, get().Code)
	require.Equal(t, "0", get().Header().Get("x-ratelimit-remaining-requests"))
	w := get()
	require.Equal(t, 429, w.Code)
	require.Equal(t, "2", w.Header().Get("Retry-After"))
	require.Equal(t, "1500", w.Header().Get("retry-after-ms"))
	require.Equal(t, "3s", w.Header().Get("x-ratelimit-reset-requests"))
	require.Contains(t, w.Body.String(), `"code":"rate_limit_exceeded"`)
	now = now.Add(1500 * time.Millisecond)
	require.Equal(t, 200, get().Code)
}

// Every refusal of a handler is an error of OpenAI's form that Classify reads as
// the refusal that it is.
func TestHandlerErrors(t *testing.T) {
	var s Switch
	units := 1.0
	h, err := NewHandler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), Rate{N: 1, Per: time.Hour},
		&HandlerOptions{Switch: &s, Units: func(*http.Request) float64 { return units }})
	require.NoError(t, err)
	get := func() *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		return w
	}
	require.Equal(t, http.StatusOK, get().Code)
	for _, c := range []struct {
		set     func()
		status  int
		typ     string
		code    string
		refusal fault.Refusal
		stop    string
	}{
		{func() {}, 429, "rate_limit_error", "rate_limit_exceeded", fault.RefusalWait, ""},
		{func() { units = 2 }, 413, "invalid_request_error", "request_too_large", fault.RefusalCap, "false"},
		{func() { s.StopAll("incident \"7\"") }, 503, "server_error", "service_unavailable", fault.RefusalNone, "false"},
	} {
		c.set()
		w := get()
		require.Equal(t, c.status, w.Code)
		require.Equal(t, c.stop, w.Header().Get("x-should-retry"))
		require.Equal(t, "application/json", w.Header().Get("Content-Type"))
		require.Contains(t, w.Body.String(), fmt.Sprintf(`"type":%q,"param":null,"code":%q`, c.typ, c.code))
		e := fault.Classify(fault.Response{Status: w.Code, Header: w.Header(), Body: w.Body.Bytes()}, time.Now())
		require.Equal(t, c.refusal, e.Class.Refusal())
		require.Equal(t, c.refusal == fault.RefusalWait, e.HasDelay)
	}
}
