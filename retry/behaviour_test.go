package retry

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/retry/fault"
)

// A play is a model whose calls run the functions in turn, the last forever.
type play struct {
	llms.Model
	turns []func(ctx context.Context, say func(string) error) (*llms.ContentResponse, error)
	calls int
}

func (p *play) GenerateContent(ctx context.Context, _ []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	var o llms.CallOptions
	for _, f := range options {
		f(&o)
	}
	turn := p.turns[min(p.calls, len(p.turns)-1)]
	p.calls++
	return turn(ctx, func(chunk string) error {
		if o.StreamingFunc == nil {
			return nil
		}
		return o.StreamingFunc(ctx, []byte(chunk))
	})
}

type turn = func(context.Context, func(string) error) (*llms.ContentResponse, error)

func hangs(ctx context.Context, _ func(string) error) (*llms.ContentResponse, error) {
	<-ctx.Done()
	return nil, errors.New("request timeout: API call exceeded deadline") // as langchaingo hides it
}

func answers(text string) turn {
	return func(_ context.Context, say func(string) error) (*llms.ContentResponse, error) {
		if err := say(text); err != nil {
			return nil, err
		}
		return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: text, StopReason: "stop"}}}, nil
	}
}

func fails(r fault.Response) turn {
	return func(context.Context, func(string) error) (*llms.ContentResponse, error) {
		return nil, fault.Classify(r, time.Now())
	}
}

func asking(t *testing.T, m llms.Model, ctx context.Context, stream bool) (heard string, resp *llms.ContentResponse, e *fault.Error) {
	t.Helper()
	var options []llms.CallOption
	if stream {
		options = append(options, llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
			heard += string(chunk)
			return nil
		}))
	}
	resp, err := m.GenerateContent(ctx, []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "hi")}, options...)
	if err != nil {
		require.ErrorAs(t, err, &e)
	}
	return heard, resp, e
}

func TestTimeoutsFireOnTime(t *testing.T) {
	speaksThenHangs := func(ctx context.Context, say func(string) error) (*llms.ContentResponse, error) {
		for range 3 {
			time.Sleep(2 * time.Second)
			if err := say("x"); err != nil {
				return nil, err
			}
		}
		return hangs(ctx, say)
	}
	empty := func(ctx context.Context, say func(string) error) (*llms.ContentResponse, error) {
		_ = say("") // a role, no token
		return hangs(ctx, say)
	}
	for name, c := range map[string]struct {
		t         Timeouts
		turn      turn
		stream    bool
		after     time.Duration
		class     fault.Class
		retryable bool
		heard     string
	}{
		"first token":                 {Timeouts{FirstToken: 5 * time.Second}, hangs, true, 5 * time.Second, fault.ClassTimeout, true, ""},
		"an empty chunk is no token":  {Timeouts{FirstToken: 5 * time.Second}, empty, true, 5 * time.Second, fault.ClassTimeout, true, ""},
		"between tokens":              {Timeouts{FirstToken: 5 * time.Second, BetweenTokens: 3 * time.Second}, speaksThenHangs, true, 9 * time.Second, fault.ClassStreamInterrupted, false, "xxx"},
		"attempt":                     {Timeouts{Attempt: 7 * time.Second}, hangs, false, 7 * time.Second, fault.ClassTimeout, true, ""},
		"total":                       {Timeouts{Total: 8 * time.Second}, hangs, false, 8 * time.Second, fault.ClassTimeout, false, ""},
		"total ends a stream as well": {Timeouts{Total: 5 * time.Second}, speaksThenHangs, true, 5 * time.Second, fault.ClassTimeout, false, "xx"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, err := New(&play{turns: []turn{c.turn}}, &Options{MaxAttempts: 1, Timeouts: c.t})
				require.NoError(t, err)
				begin := time.Now()
				heard, _, e := asking(t, m, t.Context(), c.stream)
				require.NotNil(t, e)
				// A callback that sleeps is not interrupted: the next chunk's end is when the call returns.
				require.InDelta(t, c.after.Seconds(), time.Since(begin).Seconds(), 1.01)
				require.Equal(t, c.class, e.Class)
				require.Equal(t, c.retryable, e.Retryable)
				require.ErrorIs(t, e, context.DeadlineExceeded)
				if c.stream && c.class != fault.ClassTimeout {
					require.Equal(t, c.heard, heard)
					require.Equal(t, c.heard, e.Partial.Choices[0].Content)
				}
			})
		})
	}
}

func TestStreamIsRetriedOnlyInSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		quiet := func(_ context.Context, say func(string) error) (*llms.ContentResponse, error) {
			_ = say("")
			return nil, errors.New("connection reset by peer")
		}
		p := &play{turns: []turn{quiet, answers("hello")}}
		m, err := New(p, nil)
		require.NoError(t, err)
		heard, _, e := asking(t, m, t.Context(), true)
		require.Nil(t, e)
		require.Equal(t, "hello", heard)
		require.Equal(t, 2, p.calls)

		spoken := func(_ context.Context, say func(string) error) (*llms.ContentResponse, error) {
			_ = say("hel")
			return nil, errors.New("connection reset by peer")
		}
		p = &play{turns: []turn{spoken, answers("hello")}}
		m, _ = New(p, &Options{Fallbacks: []llms.Model{&play{turns: []turn{answers("other")}}}})
		heard, _, e = asking(t, m, t.Context(), true)
		require.Equal(t, "hel", heard)
		require.Equal(t, fault.ClassStreamInterrupted, e.Class)
		require.Equal(t, 1, p.calls)
		require.Equal(t, "hel", e.Partial.Choices[0].Content)
	})
}

func TestRetryAfterIsKeptAndJitteredAbove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limited := fails(fault.Response{Status: 429, Header: http.Header{"Retry-After": {"7"}}})
		m, err := New(&play{turns: []turn{limited, answers("ok")}}, nil)
		require.NoError(t, err)
		begin := time.Now()
		_, _, e := asking(t, m, t.Context(), false)
		require.Nil(t, e)
		require.GreaterOrEqual(t, time.Since(begin), 7*time.Second)
		require.Less(t, time.Since(begin), 9*time.Second)

		// Past the caller's deadline: now, with the wait in the error.
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		m, _ = New(&play{turns: []turn{limited}}, nil)
		begin = time.Now()
		_, _, e = asking(t, m, ctx, false)
		require.Zero(t, time.Since(begin))
		require.Equal(t, 7*time.Second, e.Delay)
		require.NotErrorIs(t, e, context.DeadlineExceeded)

		// Longer than anyone waits.
		m, _ = New(&play{turns: []turn{fails(fault.Response{Status: 429, Header: http.Header{"Retry-After": {"99999999999999999999"}}})}}, nil)
		begin = time.Now()
		_, _, e = asking(t, m, t.Context(), false)
		require.Zero(t, time.Since(begin))
		require.Equal(t, longestWait, e.Delay)
	})
}

func TestNestedRetriesDontMultiply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &play{turns: []turn{fails(fault.Response{Status: 503})}}
		inner, err := New(p, nil)
		require.NoError(t, err)
		outer, err := New(inner, nil)
		require.NoError(t, err)
		_, _, e := asking(t, outer, t.Context(), false)
		require.Equal(t, 3, p.calls)
		require.Equal(t, 3, e.Attempts)
	})
}

func TestFallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		other := &play{turns: []turn{answers("other")}}
		for _, c := range []struct {
			r    fault.Response
			asks int
		}{{fault.Response{Status: 401}, 1}, {fault.Response{Status: 400}, 0}, {fault.Response{Status: 503}, 1}} {
			other.calls = 0
			m, err := New(&play{turns: []turn{fails(c.r)}}, &Options{Fallbacks: []llms.Model{other}})
			require.NoError(t, err)
			_, _, _ = asking(t, m, t.Context(), false)
			require.Equal(t, c.asks, other.calls, "%+v", c.r)
		}
	})
}

func TestBudgetIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		budget, err := NewWindowBudget(&WindowBudgetOptions{Window: time.Hour, PerSecond: -1})
		require.NoError(t, err)
		p := &play{turns: []turn{fails(fault.Response{Status: 503})}}
		for range 5 {
			m, err := New(p, &Options{Budget: budget})
			require.NoError(t, err)
			for range 20 {
				_, _, _ = asking(t, m, t.Context(), false)
			}
		}
		require.Equal(t, 110, p.calls)
	})
}

func TestBreakerCountsOnlyTheTargetsFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, err := NewBreaker(&BreakerOptions{Failures: 2, OpenFor: time.Minute})
		require.NoError(t, err)
		p := &play{turns: []turn{fails(fault.Response{Status: 400}), fails(fault.Response{Status: 401}), fails(fault.Response{Status: 429}), fails(fault.Response{Status: 500}), fails(fault.Response{Status: 500}), answers("ok")}}
		m, err := New(p, &Options{Breaker: b, MaxAttempts: 1})
		require.NoError(t, err)
		for range 5 {
			_, _, _ = asking(t, m, t.Context(), false)
		}
		_, _, e := asking(t, m, t.Context(), false)
		require.ErrorIs(t, e, ErrOpen)
		require.Equal(t, 5, p.calls)
		d, has := e.RetryAfter()
		require.True(t, has)
		require.Equal(t, time.Minute, d)
		time.Sleep(time.Minute + 1)
		_, _, e = asking(t, m, t.Context(), false)
		require.Nil(t, e)
	})
}

// Where Do differs from backoff/v4's Retry: it returns at once if the next wait
// passes the deadline, keeps the operation's error beside the context's, and
// takes that library's policies.
func TestAgainstBackoffV4(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom := errors.New("connection reset by peer")
		p, err := NewPolicy(&Options{MaxAttempts: 10, NewBackOff: func() backoff.BackOff {
			return backoff.WithMaxRetries(backoff.NewConstantBackOff(2*time.Second), 2)
		}})
		require.NoError(t, err)
		calls := 0
		begin := time.Now()
		_, err = Do(t.Context(), p, func(context.Context) (int, error) { calls++; return 0, boom })
		require.Equal(t, 3, calls)
		require.Equal(t, 4*time.Second, time.Since(begin))
		require.ErrorIs(t, err, boom)

		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		begin = time.Now()
		_, err = Do(ctx, p, func(context.Context) (int, error) { return 0, boom })
		require.Equal(t, 2*time.Second, time.Since(begin))
		require.ErrorIs(t, err, boom)

		// Ours inside theirs.
		calls = 0
		err = backoff.Retry(func() error { calls++; return boom }, backoff.WithMaxRetries(Exponential{}.BackOff(rand.New(rand.NewPCG(1, 1)).Float64), 2))
		require.ErrorIs(t, err, boom)
		require.Equal(t, 3, calls)
	})
}

func TestEventsAreOfTheTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := New(&play{turns: []turn{fails(fault.Response{Status: 503})}}, &Options{
			Logger:    slog.New(&event.Checker{Report: t.Errorf}),
			Fallbacks: []llms.Model{&play{turns: []turn{fails(fault.Response{Status: 503})}}},
		})
		require.NoError(t, err)
		_, _, e := asking(t, m, t.Context(), false)
		require.Equal(t, fault.ClassOverloaded, e.Class)
	})
}

// The call that changes a breaker's state says so.
func TestBreakerEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		quiet := func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
				return slog.Attr{}
			}
			return a
		}
		b, err := NewBreaker(&BreakerOptions{Failures: 2, OpenFor: time.Minute})
		require.NoError(t, err)
		p := &play{turns: []turn{fails(fault.Response{Status: 500}), fails(fault.Response{Status: 503}), answers("ok")}}
		m, err := New(p, &Options{Breaker: b, MaxAttempts: 1, Target: "east", Logger: slog.New(&event.Checker{
			Report: t.Errorf, Next: slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: quiet})})})
		require.NoError(t, err)
		for range 3 {
			_, _, _ = asking(t, m, t.Context(), false)
		}
		time.Sleep(time.Hour)
		_, _, _ = asking(t, m, t.Context(), false)
		var states []string
		for line := range strings.Lines(log.String()) {
			if strings.Contains(line, event.BreakerState) {
				states = append(states, strings.TrimSpace(line))
			}
		}
		require.Equal(t, []string{
			"msg=retry.breaker state=open target=east reason=overloaded",
			`msg=retry.breaker state=half-open target=east reason="its time was over"`,
			`msg=retry.breaker state=closed target=east reason="the probes succeeded"`,
		}, states)
	})
}

func TestOptionsRefuseNonsense(t *testing.T) {
	ok := &play{}
	for _, f := range []func() error{
		func() error { _, err := New(nil, nil); return err },
		func() error { _, err := New(ok, &Options{MaxAttempts: -1}); return err },
		func() error { _, err := New(ok, &Options{MaxDelay: -1}); return err },
		func() error { _, err := New(ok, &Options{Timeouts: Timeouts{Total: -1}}); return err },
		func() error { _, err := New(ok, &Options{Fallbacks: []llms.Model{nil}}); return err },
		func() error { _, err := New(ok, &Options{Backoff: Exponential{Factor: 2}}); return err },
	} {
		require.ErrorIs(t, f(), ErrOption)
	}
}

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
