package limit

import (
	"context"
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

// A call that has stopped waiting takes no room.
func TestAccountWaitsForNobody(t *testing.T) {
	a := account(t, &AccountOptions{Requests: Rate{N: 1, Per: time.Hour}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := a.Acquire(ctx)
	require.ErrorIs(t, err, context.Canceled)
	_, err = a.Acquire(t.Context())
	require.NoError(t, err)
}

// Below another Model with the same account, a Model knows what the call will use.
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

// A call that waits for one model doesn't delay calls to another.
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
	require.EqualValues(t, 10-3, a.Allowances(time.Now(), "m")[0].Remaining)
}
