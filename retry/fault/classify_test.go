package fault

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/golden"
)

func header(m map[string]string) http.Header {
	h := http.Header{}
	for k, v := range m {
		h.Set(k, v)
	}
	return h
}

// millis compares a wait with a golden number of milliseconds, to a nanosecond.
func millis(got time.Duration, ok bool, want *float64) error {
	switch {
	case want == nil && ok:
		return fmt.Errorf("got %v, want none", got)
	case want == nil:
		return nil
	case !ok:
		return fmt.Errorf("got none, want %v ms", *want)
	}
	if diff := float64(got) - *want*1e6; diff > 1 || diff < -1 {
		return fmt.Errorf("got %v, want %v ms", got, *want)
	}
	return nil
}

func TestGoldenHeaders(t *testing.T) {
	type row struct {
		Now       float64           `json:"now_unix"`
		Headers   map[string]string `json:"headers"`
		Want      *float64          `json:"want_ms"`
		WantReset *float64          `json:"want_reset_ms"`
		Kind      string            `json:"kind"`
		Overflow  bool              `json:"overflow"`
	}
	golden.Rows(t, "retry", "headers.jsonl", func(r row) error {
		now := time.Unix(0, int64(r.Now*1e9)).UTC()
		h := header(r.Headers)
		if r.Kind == "" {
			got, ok := RetryAfter(h, now)
			if r.Overflow {
				if ok && got != tooLong || !ok && h.Get("retry-after") != "Infinity" && h.Get("retry-after") != "inf" {
					return fmt.Errorf("got %v, %v: want a saturated wait", got, ok)
				}
				return nil
			}
			return millis(got, ok, r.Want)
		}
		limits := ParseAllowances(h, now)
		if r.Kind == "binding" {
			got, ok := ResetDelay(limits)
			return millis(got, ok, r.WantReset)
		}
		for _, l := range limits {
			if l.Dimension == r.Kind {
				return millis(l.Reset, l.Reset >= 0, r.WantReset)
			}
		}
		return millis(0, false, r.WantReset)
	})
}

func TestGoldenBodyDelay(t *testing.T) {
	type row struct {
		Body string   `json:"body"`
		Want *float64 `json:"want_ms"`
	}
	golden.Rows(t, "retry", "body_delay.jsonl", func(r row) error {
		got, ok := BodyDelay([]byte(r.Body))
		return millis(got, ok, r.Want)
	})
}

// late is what a client that gives up by itself returns.
type late struct{}

func (late) Error() string { return "no answer to an attempt" }

func (late) Timeout() bool { return true }

// transportError builds the real error that a status-0 row describes.
func transportError(body string) error {
	dial := func(err error) error {
		return &url.Error{Op: "Post", URL: "http://x", Err: &net.OpError{Op: "dial", Net: "tcp", Err: err}}
	}
	switch body {
	case "attempt timeout":
		return late{}
	case "EOF before the response header":
		return &url.Error{Op: "Post", URL: "http://x", Err: io.EOF}
	case "dial tcp: connection refused":
		return dial(syscall.ECONNREFUSED)
	case "dial tcp: lookup api.example.invalid: no such host":
		return dial(&net.DNSError{Err: "no such host", Name: "api.example.invalid", IsNotFound: true})
	case "x509: certificate signed by unknown authority":
		return &url.Error{Op: "Post", URL: "http://x", Err: x509.UnknownAuthorityError{}}
	}
	return errors.New(body)
}

func TestGoldenClassify(t *testing.T) {
	type row struct {
		Status  int               `json:"status"`
		Headers map[string]string `json:"headers"`
		Body    string            `json:"body"`
		Want    struct {
			Class     string   `json:"cls"`
			Retryable bool     `json:"retryable"`
			Fallback  bool     `json:"fallback"`
			Delay     *float64 `json:"delay_ms"`
			Breaker   bool     `json:"breaker_failure"`
		} `json:"want"`
	}
	golden.Rows(t, "retry", "classify.jsonl", func(r row) error {
		var e *Error
		switch {
		case r.Status == 0 && r.Body == "context canceled":
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			e = FromError(ctx, ctx.Err())
		case r.Status == 0 && r.Body == "context deadline exceeded":
			ctx, cancel := context.WithTimeout(t.Context(), 0)
			defer cancel()
			e = FromError(ctx, ctx.Err())
		case r.Status == 0:
			e = FromError(t.Context(), transportError(r.Body))
		default:
			e = Classify(Response{Status: r.Status, Header: header(r.Headers), Body: []byte(r.Body)}, time.Now())
		}
		if e == nil {
			return fmt.Errorf("taken for a success, want %s", r.Want.Class)
		}
		if e.Class.String() != r.Want.Class || e.Retryable != r.Want.Retryable || e.Fallback != r.Want.Fallback || e.Unhealthy != r.Want.Breaker {
			return fmt.Errorf("got %s retryable %v fallback %v unhealthy %v, want %+v", e.Class, e.Retryable, e.Fallback, e.Unhealthy, r.Want)
		}
		return millis(e.Delay, e.HasDelay, r.Want.Delay)
	})
}

func TestSuccessIsNoError(t *testing.T) {
	for _, body := range []string{
		`{"id":"x","object":"chat.completion","choices":[{"message":{"content":"an \"error\""}}]}`,
		`{"type":"message","content":[],"message":"x"}`,
		`{"candidates":[{"content":{"parts":[{"text":"hi"}]},"finishReason":"STOP"}]}`,
		"data: {\"choices\":[]}\n\ndata: [DONE]\n\n",
		"{\"message\":{\"content\":\"a\"}}\n{\"done\":true}\n",
	} {
		require.Nil(t, Classify(Response{Status: 200, Body: []byte(body)}, time.Now()), body)
	}
	require.Equal(t, ClassMalformed, Classify(Response{Status: 200, Body: []byte(`{"choices":[{"mess`)}, time.Now()).Class)
}

// The words of a user's prompt, repeated in an error, must not decide.
func TestUserTextDecidesNothing(t *testing.T) {
	for _, quoted := range []string{"'prompt is too long: 9 tokens'", "`rate limit`", `\"maximum context length is 5 tokens\"`, "'try again in 20s'"} {
		body := `{"error":{"message":"Unknown parameter: ` + quoted + `.","type":"invalid_request_error","code":null}}`
		e := Classify(Response{Status: 400, Body: []byte(body)}, time.Now())
		require.Equal(t, ClassInvalidRequest, e.Class, quoted)
		require.False(t, e.HasDelay, quoted)
	}
}

func FuzzClassify(f *testing.F) {
	f.Add(429, "retry-after", "1e1", `{"error":{"message":"Limit 3, Requested 4","code":"x"}}`)
	f.Add(200, "x-ratelimit-reset", "1e99", "data: {\"error\":{\"code\":429}}\n\n")
	f.Add(200, "ratelimit", `"a";r=0;t=5`, `[{"error":{"details":[{"violations":[{"quotaId":"PerDay"}],"retryDelay":"1s"}]}}]`)
	f.Fuzz(func(t *testing.T, status int, name, value, body string) {
		h := http.Header{}
		h.Set(name, value)
		now := time.Unix(1_790_000_000, 0)
		if e := Classify(Response{Status: status, Header: h, Body: []byte(body)}, now); e != nil {
			require.GreaterOrEqual(t, e.Delay, time.Duration(0))
			_ = e.Error()
			for _, l := range e.Allowances {
				require.GreaterOrEqual(t, l.Limit, int64(-1))
				require.GreaterOrEqual(t, l.Reset, time.Duration(-1))
			}
		}
		if d, ok := RetryAfter(h, now); ok {
			require.GreaterOrEqual(t, d, time.Duration(0))
		}
	})
}

func FuzzBodyDelay(f *testing.F) {
	f.Add("Please try again in 2h3m4.5s.")
	f.Add(`{"error":{"details":[{"retryDelay":"99999999999999999999d"}]}}`)
	f.Fuzz(func(t *testing.T, body string) {
		d, _ := BodyDelay([]byte(body))
		require.GreaterOrEqual(t, d, time.Duration(0))
	})
}

// What providers' words and statuses mean where they disagree, and their sentences
// for spent money.
func TestGoldenClassifyWords(t *testing.T) {
	type row struct {
		ID, Body, Want string
		Status         int
	}
	golden.Rows(t, "retry", "classify_words.jsonl", func(r row) error {
		e := Classify(Response{Status: r.Status, Header: http.Header{}, Body: []byte(r.Body)}, time.Now())
		switch {
		case e == nil:
			return errors.New("it is a success")
		case e.Class.String() != r.Want:
			return fmt.Errorf("got %v, want %s", e.Class, r.Want)
		case r.Status >= 400 && r.Status < 500 && r.Status != 408 && r.Status != 424 && e.Unhealthy:
			return errors.New("the caller's mistake counts against the server's health")
		}
		return nil
	})
	e := Classify(Response{Status: 425}, time.Now())
	require.True(t, e.Retryable)
}

// A success with an empty error is a success.
func TestEmptyErrorIsNone(t *testing.T) {
	for _, empty := range []string{`{}`, `""`, `null`, `[]`, `{"message":"","type":"","param":"","code":null}`, `{"message":"","details":[],"metadata":{}}`} {
		require.Nil(t, Classify(Response{Status: 200, Body: []byte(`{"error":` + empty + `,"choices":[{"index":0,"message":{"content":"Hi"},"finish_reason":"stop"}]}`)}, time.Now()), empty)
		require.NotNil(t, Classify(Response{Status: 500, Body: []byte(`{"error":` + empty + `}`)}, time.Now()), empty)
	}
}
