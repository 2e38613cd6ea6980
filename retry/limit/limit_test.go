package limit

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
	"golang.org/x/time/rate"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/internal/golden"
	"github.com/prodailabs/prodai/retry/fault"
)

func TestGoldenGCRA(t *testing.T) {
	type row struct {
		Rate  float64 `json:"rate_per_s"`
		Burst float64
		Steps []struct {
			Key                 string
			N, Limit, Remaining float64
			Limited             bool
			T                   int64   `json:"t_ms"`
			Reset               float64 `json:"reset_after_ms"`
			Retry               float64 `json:"retry_after_ms"`
		}
	}
	golden.Rows(t, "retry", "gcra.jsonl", func(r row) error {
		rate := Rate{N: r.Rate, Per: time.Second, Burst: r.Burst + 1}
		now := time.Unix(1_790_000_000, 0)
		epoch := now
		l := &LocalStore{Now: func() time.Time { return now }}
		for i, s := range r.Steps {
			now = epoch.Add(time.Duration(s.T) * time.Millisecond)
			d, err := l.Take(t.Context(), []Claim{{s.Key, rate, s.N}}, 0)
			if err != nil {
				return err
			}
			retry := -1.0
			if (!d.OK || s.N == 0) && d.Wait > 0 {
				retry = float64(d.Wait) / 1e6
			}
			if d.Wait == Never { // the reference doesn't look at the state then and says it is full
				d.Remaining, d.Reset = d.Limit, 0
			}
			if d.OK == s.Limited || d.Limit != s.Limit || math.Floor(d.Remaining+1e-9) != s.Remaining ||
				math.Abs(float64(d.Reset)/1e6-s.Reset) > 1e-3 || math.Abs(retry-s.Retry) > 1e-3 {
				return fmt.Errorf("step %d: got %+v, want %+v", i, d, s)
			}
		}
		return nil
	})
}

// What is left is whole where whole units were taken, whatever a unit's time.
func TestRemainingIsWhole(t *testing.T) {
	now := time.Unix(1_790_000_000, 0)
	for _, n := range []float64{3, 7, 11, 60, 999, 30_000} {
		l := &LocalStore{Now: func() time.Time { return now }}
		left := n
		for _, take := range []float64{1, 0, n - 2, 1} {
			left -= take
			d, err := l.Take(t.Context(), []Claim{{"k", Rate{N: n, Per: time.Second}, take}}, 0)
			require.NoError(t, err)
			require.Equal(t, left, d.Remaining, "%v of %v", take, n)
		}
		l = &LocalStore{Now: l.Now}
		for i := range int(n) {
			d, err := l.Take(t.Context(), []Claim{{"k", Rate{N: n, Per: time.Second}, 1}}, 0)
			require.NoError(t, err)
			require.True(t, d.OK, "the %dth of %v", i+1, n)
		}
	}
}

func TestGoldenTokenBucket(t *testing.T) {
	type row struct {
		Burst int
		Limit any `json:"limit_per_s"`
		Steps []struct {
			Op     string
			N      int
			T      int64 `json:"t_ms"`
			OK     bool
			Delay  any `json:"delay_ms"`
			Tokens any
		}
	}
	golden.Rows(t, "retry", "token_bucket.jsonl", func(r row) error {
		limit := rate.Inf
		if f, ok := r.Limit.(float64); ok {
			limit = rate.Limit(f)
		}
		b, err := NewBucket(limit, r.Burst)
		if err != nil {
			return err
		}
		epoch := time.Unix(1_790_000_000, 0)
		b.AllowN(epoch, 0)
		var granted []Reservation
		for i, s := range r.Steps {
			now := epoch.Add(time.Duration(s.T) * time.Millisecond)
			ok := s.OK
			switch s.Op {
			case "allow":
				ok = b.AllowN(now, s.N)
			case "reserve":
				res := b.ReserveN(now, s.N)
				if ok = res.OK(); ok {
					// Without a refill the wait is forever.
					if want, is := s.Delay.(float64); is && math.Abs(float64(res.DelayFrom(now))/1e6-want) > 1e-3 || !is && res.DelayFrom(now) != rate.InfDuration {
						return fmt.Errorf("step %d: delay %v, want %v", i, res.DelayFrom(now), s.Delay)
					}
					granted = append(granted, res)
				}
			case "cancel_last_reservation":
				if n := len(granted); n > 0 {
					granted[n-1].CancelAt(now)
					granted = granted[:n-1]
				}
			}
			if ok != s.OK {
				return fmt.Errorf("step %d: %s %d is %v", i, s.Op, s.N, ok)
			}
			if want, is := s.Tokens.(float64); is && math.Abs(b.TokensAt(now)-want) > 1e-6 {
				return fmt.Errorf("step %d: %v tokens, want %v", i, b.TokensAt(now), want)
			}
		}
		return nil
	})
}

// The sequence by which x/time/rate lets 20 of 15 through.
func TestBucketKeepsItsClock(t *testing.T) {
	b, err := NewBucket(10, 10)
	require.NoError(t, err)
	at := func(ms int) time.Time { return time.Unix(1_790_000_000, int64(ms)*1e6) }
	granted := 0
	for _, ask := range [][2]int{{0, 10}, {500, 1}, {0, 1}, {500, 8}} {
		for range ask[1] {
			if b.AllowN(at(ask[0]), 1) {
				granted++
			}
		}
	}
	require.Equal(t, 15, granted)
}

// Sixteen goroutines never get more than burst + rate·t, and at least 99 % of it.
func TestNeverMoreThanTheRate(t *testing.T) {
	ask := map[string]func() func() bool{
		"Bucket": func() func() bool {
			b, _ := NewBucket(200, 200)
			return func() bool { return b.Allow() }
		},
		"LocalStore": func() func() bool {
			l := &LocalStore{}
			claims := []Claim{{"k", Rate{N: 200, Per: time.Second}, 1}}
			return func() bool {
				d, _ := l.Take(context.Background(), claims, 0)
				return d.OK
			}
		},
	}
	for name, make := range ask {
		t.Run(name, func(t *testing.T) {
			f := make()
			var granted atomic.Int64
			f() // the clock of a LocalStore begins with its first use
			granted.Add(1)
			begin := time.Now()
			end := begin.Add(500 * time.Millisecond)
			var wg sync.WaitGroup
			for range 16 {
				wg.Go(func() {
					for time.Now().Before(end) {
						if f() {
							granted.Add(1)
						}
					}
				})
			}
			wg.Wait()
			least := 0.99 * min(400, 200+200*time.Since(begin).Seconds())
			for f() { // a machine that stood still in the end left some in the bucket
				granted.Add(1)
			}
			most := 200 + 200*time.Since(begin).Seconds()
			require.LessOrEqual(t, float64(granted.Load()), most+1)
			require.GreaterOrEqual(t, float64(granted.Load()), least-1)
		})
	}
}

// fakeModel answers after a second with the usage that use says.
type fakeModel struct {
	use  func(prompt string) int
	wait time.Duration
	used atomic.Int64
	busy atomic.Int64
	most atomic.Int64
	err  error
}

func (f *fakeModel) Call(ctx context.Context, prompt string, o ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, f, prompt, o...)
}

func (f *fakeModel) GenerateContent(_ context.Context, messages []llms.MessageContent, _ ...llms.CallOption) (*llms.ContentResponse, error) {
	f.most.Store(max(f.most.Load(), f.busy.Add(1)))
	defer f.busy.Add(-1)
	if f.wait > 0 {
		time.Sleep(f.wait)
	}
	if f.err != nil {
		return nil, f.err
	}
	n := f.use(messages[0].Parts[0].(llms.TextContent).Text)
	f.used.Add(int64(n))
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "ok", GenerationInfo: map[string]any{"PromptTokens": n, "CompletionTokens": 0}}}}, nil
}

// With estimates that are off by half, either way, what is really used stays
// within 2 % of the limit over ten minutes.
func TestTokensAreReconciled(t *testing.T) {
	for _, factor := range []float64{0.5, 1, 1.5} {
		synctest.Test(t, func(t *testing.T) {
			next := &fakeModel{wait: time.Second, use: func(string) int { return int(1000 * factor) }}
			m, err := New(next, &Options{Quota: Quota{Tokens: Rate{N: 60_000, Per: time.Minute, Burst: 2000}},
				Tokens: func(string) int { return 896 }, AnswerTokens: 100, Wait: time.Hour})
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			defer cancel()
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					for ctx.Err() == nil {
						if _, err := m.Call(ctx, "q"); err != nil {
							time.Sleep(time.Second) // the last seconds, for which no room comes in time
						}
					}
				})
			}
			wg.Wait()
			require.InEpsilon(t, 600_000, next.used.Load(), 0.02, "estimates off by %v", factor)
		})
	}
}

// Two tenants that always have calls waiting get the shared limit 3:1, and the
// small one never starves.
func TestWeightsDivideTheSharedLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type tenantKey struct{}
		var got [2]atomic.Int64
		var last atomic.Int64
		var longest atomic.Int64
		next := &fakeModel{use: func(who string) int { got[who[0]-'0'].Add(1); return 10 }}
		m, err := New(next, &Options{
			Tenant:  func(ctx context.Context) string { return ctx.Value(tenantKey{}).(string) },
			Tenants: map[string]Quota{"0": {Weight: 3}, "1": {Weight: 1}},
			Shared:  Quota{Requests: Rate{N: 10, Per: time.Second, Burst: 1}},
			Wait:    time.Hour,
		})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		last.Store(time.Now().UnixNano())
		var wg sync.WaitGroup
		for _, who := range []string{"0", "1"} {
			for range 5 {
				wg.Go(func() {
					for ctx.Err() == nil {
						if _, err := m.Call(context.WithValue(ctx, tenantKey{}, who), who); err != nil {
							time.Sleep(time.Second)
						} else if who == "1" {
							now := time.Now().UnixNano()
							longest.Store(max(longest.Load(), now-last.Swap(now)))
						}
					}
				})
			}
		}
		wg.Wait()
		total := got[0].Load() + got[1].Load()
		require.InEpsilon(t, 1200, total, 0.01)
		require.InEpsilon(t, 0.75, float64(got[0].Load())/float64(total), 0.02)
		require.Less(t, time.Duration(longest.Load()), 2*time.Second)
	})
}

func TestSpendStopsBeforeItIsPassed(t *testing.T) {
	next := &fakeModel{use: func(string) int { return 1000 }, wait: time.Millisecond}
	cost := func(_ string, r *llms.ContentResponse) (int64, bool) {
		info := r.Choices[0].GenerationInfo
		return int64(info["PromptTokens"].(int)+info["CompletionTokens"].(int)) * USD / 1000, true // $1 a thousand tokens
	}
	m, err := New(next, &Options{Quota: Quota{SpendPicoUSD: 10 * USD}, Cost: cost, Tokens: func(string) int { return 996 }, AnswerTokens: 1})
	require.NoError(t, err)
	var wg sync.WaitGroup
	var ok, stopped atomic.Int64
	for range 50 {
		wg.Go(func() {
			_, err := m.Call(t.Context(), "q")
			var e *Error
			if errors.As(err, &e) && e.Refusal == fault.RefusalStop && e.HTTPStatus() == 402 {
				stopped.Add(1)
			} else if err == nil {
				ok.Add(1)
			}
		})
	}
	wg.Wait()
	require.LessOrEqual(t, m.Spent(""), int64(10*USD))
	require.Equal(t, int64(50), ok.Load()+stopped.Load())
	require.Positive(t, ok.Load())
	m.Forgive("")
	_, err = m.Call(t.Context(), "q")
	require.NoError(t, err)
}

func TestARefusalOfTheProviderCostsNothing(t *testing.T) {
	next := &fakeModel{err: &Error{Refusal: fault.RefusalWait}}
	store := &LocalStore{}
	m, err := New(next, &Options{Quota: Quota{Tokens: Rate{N: 1000, Per: time.Hour}}, Store: store, AnswerTokens: 900})
	require.NoError(t, err)
	for range 5 {
		_, err = m.Call(t.Context(), "q")
		require.Equal(t, next.err, err)
	}
	next.err = errors.New("the connection broke") // who knows what was generated
	_, _ = m.Call(t.Context(), "q")
	_, err = m.Call(t.Context(), "q")
	var e *Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, "tokens", e.Dimension)
	require.True(t, e.HasDelay)
}

func TestTooLargeIsNeverAWait(t *testing.T) {
	m, err := New(&fakeModel{}, &Options{Quota: Quota{Tokens: Rate{N: 100, Per: time.Minute}}, Wait: time.Hour})
	require.NoError(t, err)
	_, err = m.Call(t.Context(), "q")
	var e *Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, fault.RefusalCap, e.Refusal)
	_, has := e.RetryAfter()
	require.False(t, has)
}

func TestSwitch(t *testing.T) {
	var s Switch
	m, err := New(&fakeModel{use: func(string) int { return 1 }}, &Options{Switch: &s})
	require.NoError(t, err)
	_, err = m.Call(t.Context(), "q")
	require.NoError(t, err)
	s.Off("", "incident 7")
	_, err = m.Call(t.Context(), "q")
	require.ErrorContains(t, err, "incident 7")
	s.On("")
	_, err = m.Call(t.Context(), "q")
	require.NoError(t, err)
}

func TestConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := &fakeModel{use: func(string) int { return 1 }, wait: time.Second}
		m, err := New(next, &Options{Quota: Quota{Concurrency: 3}})
		require.NoError(t, err)
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { _, _ = m.Call(t.Context(), "q") })
		}
		wg.Wait()
		require.Equal(t, int64(3), next.most.Load())
	})
}

// The limit of the one tenant of a program that names none isn't the shared one.
func TestOwnAndSharedAreApart(t *testing.T) {
	five := Rate{N: 5, Per: time.Hour}
	m, err := New(&fakeModel{use: func(string) int { return 1 }}, &Options{Quota: Quota{Requests: five}, Shared: Quota{Requests: five}})
	require.NoError(t, err)
	for i := range 6 {
		_, err = m.Call(t.Context(), "q")
		require.Equal(t, i == 5, err != nil, "call %d", i)
	}
}

type brokenStore struct{}

func (brokenStore) Take(context.Context, []Claim, time.Duration) (Decision, error) {
	return Decision{}, errors.New("down")
}
func (brokenStore) Charge(context.Context, []Claim) error { return errors.New("down") }

func TestStoreDown(t *testing.T) {
	quota := Quota{Requests: Rate{N: 2, Per: time.Hour}}
	open, err := New(&fakeModel{use: func(string) int { return 1 }}, &Options{Quota: quota, Store: brokenStore{}})
	require.NoError(t, err)
	for i := range 3 {
		_, err = open.Call(t.Context(), "q")
		require.Equal(t, i == 2, err != nil, "the limits of this process hold meanwhile")
	}
	closed, err := New(&fakeModel{}, &Options{Quota: quota, Store: brokenStore{}, StoreClosed: true})
	require.NoError(t, err)
	_, err = closed.Call(t.Context(), "q")
	require.ErrorContains(t, err, "down")
}

func TestHandler(t *testing.T) {
	now := time.Unix(1_790_000_000, 0)
	h, err := NewHandler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), Rate{N: 2, Per: 3 * time.Second},
		&HandlerOptions{Store: &LocalStore{Now: func() time.Time { return now }}})
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

func TestNonsenseIsRefused(t *testing.T) {
	nan := math.NaN()
	ok := &fakeModel{}
	for _, f := range []func() error{
		func() error { _, err := New(nil, nil); return err },
		func() error { _, err := New(ok, &Options{Quota: Quota{Requests: Rate{N: 0, Per: 1}}}); return err },
		func() error { _, err := New(ok, &Options{Quota: Quota{Requests: Rate{N: nan, Per: 1}}}); return err },
		func() error { _, err := New(ok, &Options{Quota: Quota{Weight: nan}}); return err },
		func() error { _, err := New(ok, &Options{Quota: Quota{Concurrency: -1}}); return err },
		func() error { _, err := New(ok, &Options{Quota: Quota{SpendPicoUSD: 1}}); return err },
		func() error { _, err := New(ok, &Options{Wait: -1}); return err },
		func() error { _, err := NewBucket(rate.Limit(nan), 1); return err },
		func() error { _, err := NewBucket(1, 0); return err },
		func() error { _, err := NewHandler(nil, Rate{}, nil); return err },
		func() error { return Rate{N: 1e-9, Per: 1000 * time.Hour, Burst: 1e9}.Check() },
	} {
		require.ErrorIs(t, f(), ErrOption)
	}
}

func TestWrapperContract(t *testing.T) {
	for name, o := range map[string]*Options{
		"nothing": nil,
		"everything": {
			Quota:  Quota{Requests: Rate{N: 1e6, Per: time.Second}, Tokens: Rate{N: 1e9, Per: time.Second}, Concurrency: 100},
			Shared: Quota{Requests: Rate{N: 1e6, Per: time.Second}}, Wait: time.Second, Switch: &Switch{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			modeltest.Run(t, func(tb testing.TB, next llms.Model) llms.Model {
				m, err := New(next, o)
				require.NoError(tb, err)
				return m
			}, nil)
		})
	}
}

// A Bucket has the methods of a *rate.Limiter, and they mean the same.
func TestBucketIsALimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, err := NewBucket(1, 3)
		require.NoError(t, err)
		lim := rate.NewLimiter(1, 3)
		require.Equal(t, lim.Limit(), b.Limit())
		require.Equal(t, lim.Burst(), b.Burst())
		require.Equal(t, lim.Allow(), b.Allow())
		require.Equal(t, lim.Tokens(), b.Tokens())
		require.NoError(t, lim.WaitN(t.Context(), 2))
		require.NoError(t, b.WaitN(t.Context(), 2))
		r, want := b.Reserve(), lim.Reserve()
		require.Equal(t, want.OK(), r.OK())
		require.Equal(t, want.Delay(), r.Delay())
		require.Equal(t, time.Second, r.Delay())
		r.Cancel()
		want.Cancel()
		require.Equal(t, lim.Tokens(), b.Tokens())
		require.False(t, b.ReserveN(time.Now(), 4).OK())
		require.Equal(t, rate.InfDuration, b.ReserveN(time.Now(), 4).Delay())
		var e *Error
		require.ErrorAs(t, b.WaitN(t.Context(), 4), &e)
		require.Equal(t, fault.RefusalCap, e.Refusal)
		begin := time.Now()
		require.NoError(t, b.Wait(t.Context()))
		require.Equal(t, time.Second, time.Since(begin))
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		require.ErrorAs(t, b.Wait(ctx), &e)
		require.Equal(t, fault.RefusalWait, e.Refusal)
		require.Equal(t, time.Second, e.Delay)
	})
}

// Every refusal of a handler is an error of OpenAI's form that Classify reads as
// the refusal that it is.
func TestHandlerErrors(t *testing.T) {
	var s Switch
	units := 1.0
	h, err := NewHandler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), Rate{N: 1, Per: time.Hour},
		&HandlerOptions{Switch: &s, Cost: func(*http.Request) float64 { return units }})
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
		{func() { s.Off("", "incident \"7\"") }, 503, "insufficient_quota", "insufficient_quota", fault.RefusalStop, "false"},
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

// An Error whose Refusal was not set doesn't ask anyone to wait.
func TestZeroRefusalIsNotAWait(t *testing.T) {
	e := &Error{}
	require.Equal(t, http.StatusServiceUnavailable, e.HTTPStatus())
	require.Equal(t, "overloaded", e.Code())
}
