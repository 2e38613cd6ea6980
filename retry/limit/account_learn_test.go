package limit

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/admission"
	"github.com/prodailabs/prodai/retry/fault"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// provider answers within a limit of n requests at once, n a second, and reports it
// in headers if headers is set.
type provider struct {
	mu     sync.Mutex
	s      server
	silent bool
	asked  int
}

func (p *provider) RoundTrip(*http.Request) (*http.Response, error) {
	time.Sleep(10 * time.Millisecond)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	ok, reset := p.s.ask(time.Now())
	r := &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}"))}
	if !ok {
		r.StatusCode = 429
		r.Header.Set("retry-after-ms", "100")
	}
	if !p.silent {
		r.Header.Set("x-ratelimit-limit-requests", fmt.Sprint(p.s.n))
		r.Header.Set("x-ratelimit-remaining-requests", fmt.Sprint(int(max(0, p.s.level))))
		r.Header.Set("x-ratelimit-reset-requests", reset.String())
	}
	return r, nil
}

// client is a model whose errors, like those of langchaingo's clients, contain
// little of a refusal.
type client struct{ http *http.Client }

func (c client) Call(ctx context.Context, prompt string, o ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, c, prompt, o...)
}

func (c client) GenerateContent(ctx context.Context, _ []llms.MessageContent, _ ...llms.CallOption) (*llms.ContentResponse, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://provider.invalid", nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return nil, err
	}
	if resp.StatusCode != 200 {
		return nil, fmt.Errorf("API returned unexpected status code: %d: rate limit reached", resp.StatusCode)
	}
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "ok"}}}, nil
}

// Eighty callers, each of which waits for its answer, get the provider's rate and
// hardly any refusals.
func TestModelLearns(t *testing.T) {
	for _, silent := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			a := account(t, nil)
			p := &provider{s: server{n: 40, level: 40, at: time.Now()}, silent: silent}
			m, err := New(client{a.HTTPClient(&http.Client{Transport: p})}, &Options{Account: a, Wait: time.Minute, Model: "m"})
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			var ok, failed atomic.Int64
			var wg sync.WaitGroup
			for range 80 {
				wg.Go(func() {
					for ctx.Err() == nil {
						if _, err := m.Call(ctx, "q"); err == nil {
							ok.Add(1)
						} else {
							failed.Add(1)
							time.Sleep(time.Second)
						}
					}
				})
			}
			wg.Wait()
			t.Logf("silent %v: %d answers, %d failures, %d refusals", silent, ok.Load(), failed.Load(), p.s.refused)
			require.InEpsilon(t, 40*60+40, ok.Load(), 0.05)
			require.Less(t, p.s.refused*10, p.asked)
			if !silent {
				l, _ := roomOf(a, time.Now(), "m", "requests")
				require.Equal(t, int64(40), l.Limit)
			}
		})
	}
}

// The provider counts 150 tokens where 200 were estimated: its headers report it,
// and all of its 6,000 a minute is used, once.
func TestModelLearnsTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := account(t, nil)
		s := &server{n: 40, level: 40, at: time.Now()} // calls of 150 tokens, here a second
		refused := 0
		next := roundTrip(func(*http.Request) (*http.Response, error) {
			ok, reset := s.ask(time.Now())
			r := &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}"))}
			if !ok {
				refused++
				r.StatusCode = 429
			}
			r.Header.Set("anthropic-ratelimit-tokens-limit", fmt.Sprint(150*s.n))
			r.Header.Set("anthropic-ratelimit-tokens-remaining", fmt.Sprint(int(150*max(0, s.level))))
			r.Header.Set("anthropic-ratelimit-tokens-reset", time.Now().Add(reset).Format(time.RFC3339Nano))
			return r, nil
		})
		m, err := New(client{a.HTTPClient(&http.Client{Transport: next})},
			&Options{Account: a, Wait: time.Minute, Model: "m", Tokens: func(string) int { return 96 }, AnswerTokens: 100})
		require.NoError(t, err)
		ok := 0
		for began := time.Now(); time.Since(began) < time.Minute; {
			if _, err := m.Call(t.Context(), "q"); err == nil {
				ok++
			}
		}
		require.Zero(t, refused)
		require.InEpsilon(t, 40*60+40, ok, 0.05)
	})
}

// Under a retry.Model the account is waited for before each attempt, and the
// attempt goes down with its permit.
func TestAccountUnderRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := account(t, nil)
		p := &provider{s: server{n: 2, level: 2, at: time.Now()}}
		m, err := New(client{a.HTTPClient(fault.HTTPClient(&http.Client{Transport: p}))}, &Options{Account: a, Model: "m"})
		require.NoError(t, err)
		r, err := retry.New(m, &retry.Options{Gates: []admission.Gate{a}})
		require.NoError(t, err)
		ctx := a.WithCall(t.Context(), "m", Use{})
		began := time.Now()
		for range 6 {
			_, err := r.Call(ctx, "q")
			require.NoError(t, err)
		}
		require.InDelta(t, 2, time.Since(began).Seconds(), 0.2)
		require.Zero(t, p.s.refused)
		short, cancel := context.WithTimeout(ctx, time.Millisecond)
		defer cancel()
		_, err = r.Call(short, "q")
		var e *fault.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, fault.ClassRateLimit, e.Class)
		require.True(t, e.HasDelay)
	})
}

func TestAccountForOtherCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := account(t, nil)
		p := &provider{s: server{n: 5, level: 5, at: time.Now()}}
		c := client{a.HTTPClient(&http.Client{Transport: p})}
		policy, err := retry.NewPolicy(&retry.Options{Gates: []admission.Gate{a}})
		require.NoError(t, err)
		for range 20 {
			_, err := retry.Do(a.WithCall(t.Context(), "embedder", Use{InputTokens: 100}), policy, func(ctx context.Context) (string, error) { return c.Call(ctx, "q") })
			require.NoError(t, err)
		}
		require.Zero(t, p.s.refused)
		time.Sleep(time.Second)
		_, err = c.Call(t.Context(), "nobody says whose call it is")
		require.NoError(t, err)
		l, ok := roomOf(a, time.Now(), "embedder", "requests")
		require.True(t, ok)
		require.Equal(t, int64(5), l.Limit)
		c.http.CloseIdleConnections()
	})
}

// Without a Transport the account learns from the refusals' errors.
func TestAnErrorTeaches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := account(t, nil)
		m, err := New(&fakeModel{err: &fault.Error{Class: fault.ClassRateLimit, Status: 429, Delay: 2 * time.Second, HasDelay: true,
			Allowances: learned(10, 0, 60*time.Second)}}, &Options{Account: a, Model: "m"})
		require.NoError(t, err)
		_, err = m.Call(t.Context(), "q")
		require.ErrorAs(t, err, new(*fault.Error))
		l, ok := roomOf(a, time.Now(), "m", "requests")
		require.True(t, ok)
		require.Equal(t, fault.Allowance{Dimension: "requests", Limit: 10, Remaining: 0, Reset: time.Minute}, l)
		_, err = m.Call(t.Context(), "q")
		var refused *Error
		require.ErrorAs(t, err, &refused)
		require.Equal(t, 6*time.Second, refused.Delay, "one of ten a minute")
		_, err = m.Call(t.Context(), "q", llms.WithModel("another"))
		require.ErrorAs(t, err, new(*fault.Error), "whose room isn't known")
	})
}

// A quota that is used up doesn't change the pace, and neither does a refusal of
// our own.
func TestOnlyRateLimitsArePaced(t *testing.T) {
	for _, err := range []error{
		&fault.Error{Class: fault.ClassQuota, Status: 429},
		&Error{Refusal: fault.RefusalWait, Dimension: "requests"},
		fmt.Errorf("API returned unexpected status code: 500: oops"),
	} {
		a := account(t, nil)
		m, err := New(&fakeModel{err: err}, &Options{Account: a})
		require.NoError(t, err)
		for range 5 {
			_, err = m.Call(t.Context(), "q")
			require.Error(t, err)
		}
		require.Zero(t, a.models[""].pace.rate, err.Error())
	}
}

func TestModelWithAccountKeepsTheContract(t *testing.T) {
	modeltest.Run(t, func(tb testing.TB, next llms.Model) llms.Model {
		m, err := New(next, &Options{Account: account(tb, nil), Wait: time.Second})
		require.NoError(tb, err)
		return m
	}, nil)
}

// With any headers in any order, waits are never longer than a minute and never
// negative, and a call always passes after a minute of silence.
func FuzzAccount(f *testing.F) {
	f.Add("x-ratelimit-limit-requests: 10\nx-ratelimit-remaining-requests: 3\nx-ratelimit-reset-requests: 2s\n", 5, 100, 200)
	f.Add("x-ratelimit-limit-tokens: 1e18\nx-ratelimit-remaining-tokens: -4\nretry-after: 99999999999999999999\n", 1, 0, -5)
	f.Add("ratelimit: \"default\";r=0;t=50\nanthropic-ratelimit-requests-reset: 2999-01-01T00:00:00Z", 3, 1, 1)
	f.Fuzz(func(t *testing.T, headers string, calls, ms, tokens int) {
		a := account(t, nil)
		now := start
		h := http.Header{}
		for line := range strings.Lines(headers) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
			h.Add(name, value)
			for range min(max(calls, 1), 20) {
				permit, wait := a.take(now, "m", Use{float64(tokens), float64(ms)})
				if wait < 0 || wait > maxSilent {
					t.Fatalf("wait %v", wait)
				}
				now = now.Add(time.Duration(ms%5000) * time.Millisecond)
				permit.Learn(now, fault.ParseAllowances(h, now))
				if asked, ok := fault.RetryAfter(h, now); ok {
					permit.LearnRefusal(now, asked)
				}
				permit.Settle(now, Use{float64(tokens), -1})
			}
		}
		now = now.Add(2 * maxSilent)
		if _, wait := a.take(now, "m", Use{InputTokens: 1e9}); wait > 0 {
			now = now.Add(wait)
			if _, wait = a.take(now, "m", Use{}); wait > 0 {
				t.Fatalf("after a minute of silence: %v", wait)
			}
		}
	})
}

func ExampleAccount() {
	account, err := NewAccount(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Unix(1_790_000_000, 0)
	permit, _ := account.take(now, "m", Use{})
	header := http.Header{} // of the response to that request
	header.Set("x-ratelimit-limit-requests", "60")
	header.Set("x-ratelimit-remaining-requests", "1")
	header.Set("x-ratelimit-reset-requests", "59s")
	permit.Learn(now, fault.ParseAllowances(header, now))
	for range 3 {
		_, wait := account.take(now, "m", Use{})
		fmt.Println("wait", wait)
		now = now.Add(wait)
	}
	// Output:
	// wait 0s
	// wait 1s
	// wait 0s
}

// An account learns from its calls also through a Model with another account.
func TestAccountsNest(t *testing.T) {
	a := account(t, nil)
	p := &provider{s: server{n: 40, level: 40, at: time.Now()}}
	inner, err := New(client{a.HTTPClient(&http.Client{Transport: p})}, &Options{Account: account(t, nil)})
	require.NoError(t, err)
	outer, err := New(inner, &Options{Account: a, Model: "m"})
	require.NoError(t, err)
	_, err = outer.Call(t.Context(), "q")
	require.NoError(t, err)
	require.NotEmpty(t, a.Allowances(time.Now(), "m"))
}

// A refusal counts also if a retry below has succeeded after it.
func TestAccountHearsOfRefusalsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := account(t, nil)
		p := &provider{s: server{n: 2, level: 0, at: time.Now()}, silent: true}
		inner, err := retry.New(client{a.HTTPClient(fault.HTTPClient(&http.Client{Transport: p}))}, &retry.Options{Backoff: retry.Exponential{Base: time.Minute, Cap: time.Minute, Jitter: retry.JitterNone}})
		require.NoError(t, err)
		m, err := New(inner, &Options{Account: a, Model: "m"})
		require.NoError(t, err)
		_, err = m.Call(t.Context(), "q")
		require.NoError(t, err)
		require.Equal(t, 1, p.s.refused)
		require.Positive(t, a.models["m"].pace.rate)
	})
}
