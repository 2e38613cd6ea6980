package fault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type hostileTrip func(*http.Request) (*http.Response, error)

func (f hostileTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// What http.Client forgives in a RoundTripper is forgiven with a Transport too.
func TestTransportOddResponses(t *testing.T) {
	for name, resp := range map[string]*http.Response{
		"nil response":             nil,
		"nil body, 200":            {StatusCode: 200, Header: http.Header{}},
		"nil body, 500":            {StatusCode: 500, Header: http.Header{}},
		"nil header, 200":          {StatusCode: 200, Body: http.NoBody},
		"nil header, 500":          {StatusCode: 500, Body: http.NoBody},
		"nil header, nil body 200": {StatusCode: 200},
		"nil header, nil body 500": {StatusCode: 500},
		"status 0":                 {StatusCode: 0, Body: io.NopCloser(strings.NewReader("x"))},
		"status 101":               {StatusCode: 101, Body: http.NoBody, Header: http.Header{}},
	} {
		for _, sdk := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " sdk ", sdk), func(t *testing.T) {
				use := func(c *http.Client) (err error) {
					a := &Attempt{}
					a.Start(t.Context(), nil)
					req, _ := http.NewRequestWithContext(a, http.MethodPost, "http://x/", strings.NewReader("{}"))
					if sdk {
						req.Header.Set(stainless, "0")
					}
					var clone *http.Response
					if resp != nil {
						c := *resp
						clone = &c
					}
					c.Transport = wrapTrip(c.Transport, hostileTrip(func(*http.Request) (*http.Response, error) { return clone, nil }))
					got, err := c.Do(req)
					if err == nil {
						_, _ = io.ReadAll(got.Body)
						_ = got.Body.Close()
					}
					a.Failure(err, time.Now())
					return err
				}
				require.NotPanics(t, func() { t.Log("plain:", use(&http.Client{})) })
				require.NotPanics(t, func() { t.Log("fault:", use(HTTPClient(nil))) })
			})
		}
	}
	require.NotPanics(t, func() {
		a := &Attempt{}
		a.Start(t.Context(), nil)
		_, _ = (&Transport{Base: hostileTrip(func(*http.Request) (*http.Response, error) { return nil, io.EOF })}).RoundTrip((&http.Request{Method: "GET"}).WithContext(a))
	}, "a request without headers")
}

func wrapTrip(t http.RoundTripper, base http.RoundTripper) http.RoundTripper {
	if f, ok := t.(*Transport); ok {
		f.Base = base
		return f
	}
	return base
}

// An upgraded connection stays writable.
func TestTransportUpgrade(t *testing.T) {
	a := &Attempt{}
	a.Start(t.Context(), nil)
	req, _ := http.NewRequestWithContext(a, http.MethodGet, "http://x/", nil)
	rwc := struct {
		io.Reader
		io.Writer
		io.Closer
	}{strings.NewReader(""), io.Discard, io.NopCloser(nil)}
	resp, err := (&Transport{Base: hostileTrip(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 101, Header: http.Header{}, Body: rwc}, nil
	})}).RoundTrip(req)
	require.NoError(t, err)
	_, ok := resp.Body.(io.Writer)
	require.True(t, ok, "the body of a 101 must be an io.ReadWriteCloser (net/http)")
}

type hostileErr struct{ status int }

func (e hostileErr) Error() string       { return "hostile" }
func (e hostileErr) HTTPStatus() int     { return e.status }
func (e hostileErr) Header() http.Header { return nil }
func (e hostileErr) Body() []byte        { return nil }

type hostilePtr struct{ s int }

func (e *hostilePtr) Error() string   { return "nil pointer" }
func (e *hostilePtr) HTTPStatus() int { return e.s }

type hostileCode struct{ code string }

func (e hostileCode) Error() string                     { return "code" }
func (e hostileCode) HTTPStatus() int                   { return 400 }
func (e hostileCode) Code() string                      { return e.code }
func (e hostileCode) RetryAfter() (time.Duration, bool) { return -time.Hour, true }

func TestFromErrorOdd(t *testing.T) {
	var typedNil *Error
	for name, err := range map[string]error{
		"typed nil":                typedNil,
		"wrapped typed nil":        fmt.Errorf("x: %w", typedNil),
		"joined typed nil":         errors.Join(errors.New("a"), typedNil),
		"nil pointer with methods": (*hostilePtr)(nil),
		"status -1":                hostileErr{-1},
		"status 99":                hostileErr{99},
		"status 100":               hostileErr{100},
		"status 204":               hostileErr{204},
		"status 302":               hostileErr{302},
		"status 1000":              hostileErr{1000},
		"code":                     hostileCode{"rate_limit"},
		"code empty":               hostileCode{""},
		"code quota":               hostileCode{"insufficient_quota"},
	} {
		t.Run(name, func(t *testing.T) {
			var e *Error
			require.NotPanics(t, func() { e = FromError(t.Context(), err) })
			require.NotNil(t, e, "an error that isn't nil")
			require.NotPanics(t, func() { _ = e.Error(); _ = e.Unwrap() })
			require.False(t, e.HasDelay && e.Delay < 0, "a wait of %v", e.Delay)
			t.Logf("%v retryable %v unhealthy %v", e.Class, e.Retryable, e.Unhealthy)
		})
	}
	require.NotPanics(t, func() {
		_ = (&Error{}).Error()
		_ = (&Error{}).Unwrap()
		_ = Class(255).String()
		_ = Refusal(255).String()
		_ = Class(255).Retryable()
	})
	require.NotPanics(t, func() {
		Classify(Response{}, time.Time{})
		RetryAfter(nil, time.Time{})
		ParseAllowances(nil, time.Time{})
		BodyDelay(nil)
	})
	require.NotPanics(t, func() { FromContext(nil, nil); FromContext(context.Canceled, nil) })
	require.NotPanics(t, func() { IdempotencyKey(t.Context()); AttemptOf(t.Context()) })
}
