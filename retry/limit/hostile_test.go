package limit

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/admission"
	"github.com/prodailabs/prodai/retry/fault"
)

// No number is so large that it passes, or fills a bucket that it should
// empty.
func TestNoSumOverflows(t *testing.T) {
	day := Rate{N: 1000, Per: 24 * time.Hour}
	claims := func(n float64) []Claim { return []Claim{{Key: "k", Rate: day, N: n}} }
	for _, n := range []float64{1001, 1e8, 2e8, math.MaxInt32, 1e12, math.MaxFloat64, math.Inf(1)} {
		var l LocalStore
		d, err := l.Take(t.Context(), claims(n), math.MaxInt64)
		require.NoError(t, err)
		require.False(t, d.OK, n)
		require.Equal(t, Never, d.Wait, n)

		for range 4 { // debts add up
			require.NoError(t, l.Charge(t.Context(), claims(n)))
			d, err = l.Take(t.Context(), claims(1), 0)
			require.NoError(t, err)
			require.False(t, d.OK, n)
			require.Positive(t, d.Wait, n)
		}
		require.NoError(t, l.Charge(t.Context(), claims(-n)))
	}
	century := []Claim{{Key: "k", Rate: Rate{N: 1, Per: time.Duration(maxSpan)}, N: 1}}
	var l LocalStore
	for range 8 { // a caller whose patience knows no end
		d, err := l.Take(t.Context(), century, math.MaxInt64)
		require.NoError(t, err)
		require.GreaterOrEqual(t, l.tats["k"], l.last, "%+v", d)
	}
}

// A caller can't talk its estimate down by asking for more than an int holds.
func TestNoEstimateOverflows(t *testing.T) {
	_, use := Estimate(nil, []llms.CallOption{llms.WithMaxTokens(math.MaxInt), llms.WithN(2)}, nil, 0)
	require.Greater(t, use.OutputTokens, 1e9)
	m, err := New(&fakeModel{}, &Options{
		Quota: Quota{Money: Rate{N: USD, Per: time.Hour}},
		Cost: func(_ string, r *llms.ContentResponse) (int64, bool) {
			n, ok := reported(r)
			return int64(n), ok
		},
	})
	require.NoError(t, err)
	c := m.begin(t.Context(), nil, []llms.CallOption{llms.WithMaxTokens(math.MaxInt), llms.WithN(math.MaxInt)})
	require.Greater(t, c.money, int64(1e9))
	require.Greater(t, c.tokens, 1e9)

	n, ok := reported(&llms.ContentResponse{Choices: []*llms.ContentChoice{{GenerationInfo: map[string]any{"PromptTokens": int64(1 << 33), "CompletionTokens": 0}}}})
	require.True(t, ok)
	require.GreaterOrEqual(t, n, math.MaxInt32, "also where an int has 32 bits")
}

type slowStore struct{ LocalStore }

func (s *slowStore) Take(ctx context.Context, claims []Claim, ahead time.Duration) (Decision, error) {
	time.Sleep(time.Millisecond)
	return s.LocalStore.Take(ctx, claims, ahead)
}

// Calls that may not wait and come at once are refused for want of room, not
// for coming at once.
func TestNobodyIsRefusedForCompany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, o := range []Options{
			{Shared: Quota{Requests: Rate{N: 100, Per: time.Hour}}, Store: &slowStore{}},
			{Account: account(t, &AccountOptions{Requests: Rate{N: 100, Per: time.Hour}})},
		} {
			m, err := New(&fakeModel{use: func(string) int { return 1 }, wait: time.Second}, &o)
			require.NoError(t, err)
			var wg sync.WaitGroup
			errs := make([]error, 150)
			for i := range errs {
				wg.Go(func() { _, errs[i] = m.Call(t.Context(), "q") })
			}
			wg.Wait()
			passed := 0
			for _, err := range errs {
				if err == nil {
					passed++
				}
			}
			require.Equal(t, 100, passed)
		}
	})
}

// Whoever has left takes no room.
func TestAccountWaitsForNobody(t *testing.T) {
	a := account(t, &AccountOptions{Requests: Rate{N: 1, Per: time.Hour}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := a.Acquire(ctx)
	require.ErrorIs(t, err, context.Canceled)
	_, err = a.Acquire(t.Context())
	require.NoError(t, err)
}

// A thousand other models may push one out while a call to it is in progress.
// What its response says is learned nevertheless, and what those say that come
// after.
func TestAccountForgetsAndLearns(t *testing.T) {
	a := account(t, nil)
	for range 50 {
		a.take(start, "m", Use{})
	}
	permit, _ := a.take(start, "m", Use{})
	for i := range 2 * maxModels {
		a.take(start.Add(time.Second+time.Duration(i)), strconv.Itoa(i), Use{})
	}
	now := start.Add(time.Minute)
	says := func(remaining int64) []fault.Allowance {
		return []fault.Allowance{{Dimension: "requests", Limit: 100, Remaining: remaining, Reset: time.Minute}}
	}
	permit.Learn(now, says(40))
	require.EqualValues(t, 40, a.Limits(now, "m")[0].Remaining)
	permit, _ = a.take(now, "m", Use{})
	permit.Learn(now, says(20))
	require.EqualValues(t, 20, a.Limits(now, "m")[0].Remaining)
}

// An account hears of its calls also through a Model with another one.
func TestAccountsNest(t *testing.T) {
	a := account(t, nil)
	p := &provider{s: server{n: 40, level: 40, at: time.Now()}}
	inner, err := New(client{a.HTTPClient(&http.Client{Transport: p})}, &Options{Account: account(t, nil)})
	require.NoError(t, err)
	outer, err := New(inner, &Options{Account: a, Model: "m"})
	require.NoError(t, err)
	_, err = outer.Call(t.Context(), "q")
	require.NoError(t, err)
	require.NotEmpty(t, a.Limits(time.Now(), "m"))
}

// Names of tenants are forgotten although someone always waits.
func TestFairForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f fair
		require.NoError(t, f.enter(t.Context(), "first", 1, 1))
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _ = f.enter(ctx, "patient", 1e9, 1) }()
		for i := range 5000 {
			go func() { _ = f.enter(t.Context(), strconv.Itoa(i), 1, 1) }()
			synctest.Wait()
			f.leave()
		}
		cancel()
		require.Less(t, len(f.tags), 2500)
	})
}

// Below another Model with the same account a Model knows what the call is.
func TestModelsWithOneAccountNest(t *testing.T) {
	a := account(t, nil)
	next := &fakeModel{use: func(string) int { return 1 }}
	inner, err := New(next, &Options{Account: a, Quota: Quota{Tokens: Rate{N: 100, Per: time.Hour}}})
	require.NoError(t, err)
	outer, err := New(inner, &Options{Account: a, Model: "m"})
	require.NoError(t, err)
	_, err = outer.Call(t.Context(), "q", llms.WithMaxTokens(1000))
	var e *Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, fault.RefusalCap, e.Refusal)
	require.NotContains(t, a.models, "")
}

// Whoever waits for one model stands in no other's way.
func TestModelsDontWaitForOneAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := account(t, nil)
		permit, _ := a.take(time.Now(), "full", Use{})
		permit.LearnRefusal(time.Now(), 30*time.Second)
		m, err := New(&fakeModel{use: func(string) int { return 1 }}, &Options{Account: a, Wait: time.Minute})
		require.NoError(t, err)
		var wg sync.WaitGroup
		begin := time.Now()
		for range 3 {
			wg.Go(func() { _, _ = m.Call(t.Context(), "q", llms.WithModel("full")) })
		}
		synctest.Wait()
		_, err = m.Call(t.Context(), "q", llms.WithModel("free"))
		require.NoError(t, err)
		require.Zero(t, time.Since(begin))
		wg.Wait()
		require.GreaterOrEqual(t, time.Since(begin), 30*time.Second)
	})
}

// The tenants of a Model get an account's room by their weights.
func TestWeightsDivideTheAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type tenant struct{}
		var served [2]int
		var mu sync.Mutex
		a := account(t, &AccountOptions{Requests: Rate{N: 10, Per: time.Second, Burst: 1}})
		m, err := New(&fakeModel{use: func(string) int { return 1 }}, &Options{
			Account: a, Wait: time.Hour,
			Tenant:  func(ctx context.Context) string { s, _ := ctx.Value(tenant{}).(string); return s },
			Tenants: map[string]Quota{"a": {Weight: 3}},
		})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		var wg sync.WaitGroup
		for i, name := range []string{"a", "b"} {
			for range 20 {
				wg.Go(func() {
					for {
						if _, err := m.Call(context.WithValue(ctx, tenant{}, name), "q"); err != nil {
							return
						}
						mu.Lock()
						served[i]++
						mu.Unlock()
					}
				})
			}
		}
		wg.Wait()
		require.InDelta(t, 3, float64(served[0])/float64(served[1]), 0.3, "%v", served)
	})
}

// A refusal that a retry below has got over was one.
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

// Below a Model a Limiter takes no room for the first attempt, which the Model
// has taken, and takes it for the others.
func TestAccountIsAskedOnceAnAttempt(t *testing.T) {
	a := account(t, &AccountOptions{Requests: Rate{N: 10, Per: time.Hour}})
	failing := &fakeModel{err: &fault.Error{Class: fault.ClassServerError, Retryable: true}}
	inner, err := retry.New(failing, &retry.Options{Gates: []admission.Gate{a}, Backoff: retry.Exponential{Base: 1, Cap: 1}, Budget: retry.NoBudget})
	require.NoError(t, err)
	m, err := New(inner, &Options{Account: a, Model: "m"})
	require.NoError(t, err)
	_, err = m.Call(t.Context(), "q")
	require.Error(t, err)
	require.EqualValues(t, 10-3, a.Limits(time.Now(), "m")[0].Remaining)
}
