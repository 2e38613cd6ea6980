package retry

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/retry/fault"
)

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// sdk does what the official Go SDKs of OpenAI and Anthropic do around a
// request: up to two retries, unless the response says not to.
func sdk(ctx context.Context, rt http.RoundTripper) error {
	for n := 0; ; n++ {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://model.example", bytes.NewReader([]byte("{}")))
		if err != nil {
			return err
		}
		req.Header.Set("X-Stainless-Retry-Count", strconv.Itoa(n))
		resp, err := rt.RoundTrip(req)
		if err == nil {
			_, _ = io.ReadAll(resp.Body)
			if resp.StatusCode < 300 {
				return nil
			}
			err = errors.New(resp.Status)
		}
		if n == 2 || resp != nil && resp.Header.Get("X-Should-Retry") == "false" {
			return err
		}
	}
}

func TestRetriesOfAnSDKDontMultiply(t *testing.T) {
	for name, c := range map[string]struct {
		answer   func(*http.Request) (*http.Response, error)
		requests int
		nested   int
		class    fault.Class
	}{
		"refused": {func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 503, Status: "503", Request: r, Header: http.Header{"X-Should-Retry": {"true"}}, Body: io.NopCloser(bytes.NewReader(nil))}, nil
		}, 3, 0, fault.ClassOverloaded},
		"not connected": {func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }, 9, 3, fault.ClassNetwork},
		"answered": {func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Request: r, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader([]byte("{}")))}, nil
		}, 1, 0, fault.ClassUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			requests := 0
			rt := &fault.Transport{Base: roundTripper(func(r *http.Request) (*http.Response, error) { requests++; return c.answer(r) })}
			var log bytes.Buffer
			p, err := NewPolicy(&Options{Budget: NoBudget, Sleep: func(context.Context, time.Duration) error { return nil },
				Logger: slog.New(&event.Checker{Report: t.Errorf, Next: slog.NewTextHandler(&log, nil)})})
			require.NoError(t, err)
			_, err = Do(t.Context(), p, func(ctx context.Context) (int, error) { return 0, sdk(ctx, rt) })
			require.Equal(t, c.requests, requests)
			require.Equal(t, c.nested, bytes.Count(log.Bytes(), []byte("msg="+event.RetryNested)))
			if c.class == fault.ClassUnknown {
				require.NoError(t, err)
				return
			}
			var e *fault.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, c.class, e.Class, "what the server sent decides, not what the SDK was told")
			require.Equal(t, 3, e.Attempts)
		})
	}
}

// An error of a client without a fault.Transport has lost the code that
// distinguishes a spent quota from a rate limit. That is reported, once.
func TestALostCodeIsReportedOnce(t *testing.T) {
	const body = `{"error":{"message":"no money","code":"insufficient_quota"}}`
	spent := roundTripper(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 429, Status: "429", Request: r, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader([]byte(body)))}, nil
	})
	for name, c := range map[string]struct {
		transport http.RoundTripper
		reports   int
		class     fault.Class
	}{
		"without": {spent, 1, fault.ClassRateLimit},
		"with":    {&fault.Transport{Base: spent}, 0, fault.ClassQuota},
	} {
		var log bytes.Buffer
		p, err := NewPolicy(&Options{Budget: NoBudget, Sleep: func(context.Context, time.Duration) error { return nil },
			Logger: slog.New(&event.Checker{Report: t.Errorf, Next: slog.NewTextHandler(&log, nil)})})
		require.NoError(t, err)
		for range 3 {
			_, err = Do(t.Context(), p, func(ctx context.Context) (int, error) {
				err := sdk(ctx, c.transport)
				return 0, errors.New("API returned unexpected status code: " + err.Error())
			})
			var e *fault.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, c.class, e.Class, name)
		}
		require.Equal(t, c.reports, bytes.Count(log.Bytes(), []byte("level=WARN msg="+event.RetryGuess)), name)
	}
}
