package defaults_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/defaults"
	"github.com/prodailabs/prodai/retry/fault"
	"github.com/prodailabs/prodai/retry/limit"
)

// Callers come and leave at any moment, and in the end every place is free.
func TestEveryPlaceComesBack(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			account, err := limit.NewAccount(&limit.AccountOptions{Requests: limit.Rate{N: 10, Per: time.Second}})
			require.NoError(t, err)
			o, err := defaults.New(&defaults.Options{Account: account})
			require.NoError(t, err)
			p, err := retry.NewPolicy(o)
			require.NoError(t, err)
			var wg sync.WaitGroup
			for i := range 300 {
				wg.Go(func() {
					rng := rand.New(rand.NewPCG(seed, uint64(i)))
					time.Sleep(time.Duration(rng.IntN(10_000)) * time.Millisecond)
					ctx := retry.WithPriority(t.Context(), retry.Priority(rng.IntN(3)-1))
					ctx, cancel := context.WithTimeout(ctx, time.Duration(rng.IntN(8000))*time.Millisecond)
					defer cancel()
					defer func() { _ = recover() }()
					_, _ = retry.Do(account.WithCall(ctx, "", limit.Use{}), p, func(ctx context.Context) (int, error) {
						select {
						case <-time.After(time.Duration(rng.ExpFloat64() * float64(time.Second))):
						case <-ctx.Done():
							return 0, ctx.Err()
						}
						switch rng.IntN(10) {
						case 0:
							panic("caller")
						case 1:
							return 0, fault.Classify(fault.Response{Status: 429, Header: http.Header{"Retry-After": {"1"}}}, time.Now())
						case 2:
							return 0, fault.Classify(fault.Response{Status: 503}, time.Now())
						}
						return 1, nil
					})
				})
			}
			wg.Wait()
			time.Sleep(time.Minute)
			limit := adaptive(o)
			place, err := limit.TryAcquire(time.Now()) // the limit may grow here, for the last time
			require.NoError(t, err)
			for range limit.Limit() - 1 {
				_, err := limit.TryAcquire(time.Now())
				require.NoError(t, err)
			}
			_, err = limit.TryAcquire(time.Now())
			require.ErrorIs(t, err, retry.ErrBusy)
			place.Cancel(time.Now())
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err = o.Gates[0].Acquire(ctx)
			require.NoError(t, err, "no call has the turn")
		})
	}
}

// Every wrapper keeps the contract above and below every other.
func TestNestedModelsKeepTheContract(t *testing.T) {
	wrappers := map[string]func(next llms.Model) (llms.Model, error){
		"retry": func(next llms.Model) (llms.Model, error) {
			h, err := retry.NewHedger(&retry.HedgerOptions{Delay: 20 * time.Millisecond, Budget: retry.NoBudget})
			if err != nil {
				return nil, err
			}
			return retry.New(next, &retry.Options{
				Hedger: h, Resume: &retry.Resume{},
				Timeouts: retry.Timeouts{Total: time.Minute, Attempt: time.Minute, FirstToken: time.Minute, BetweenTokens: time.Minute},
			})
		},
		"limit": func(next llms.Model) (llms.Model, error) {
			a, err := limit.NewAccount(nil)
			if err != nil {
				return nil, err
			}
			below, err := limit.New(next, &limit.Options{Account: a, Wait: time.Minute})
			if err != nil {
				return nil, err
			}
			return limit.New(below, &limit.Options{Account: a, Wait: time.Minute})
		},
		"defaults": func(next llms.Model) (llms.Model, error) { return defaults.NewModel(next, nil) },
	}
	for above, f := range wrappers {
		for below, g := range wrappers {
			t.Run(above+" over "+below, func(t *testing.T) {
				modeltest.Run(t, func(tb testing.TB, next llms.Model) llms.Model {
					inner, err := g(next)
					require.NoError(tb, err)
					outer, err := f(inner)
					require.NoError(tb, err)
					return outer
				}, &modeltest.Options{MayRetry: true})
			})
		}
	}
}

// A call that waits for one model's limits doesn't delay calls to another.
func TestModelsDontWaitForOneAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		account, err := limit.NewAccount(nil)
		require.NoError(t, err)
		permit, err := account.TryAcquire(time.Now(), "full", limit.Use{})
		require.NoError(t, err)
		permit.LearnRefusal(time.Now(), 30*time.Second)
		m, err := defaults.NewModel(&modeltest.Script{Turns: []modeltest.Turn{modeltest.Say("a"), modeltest.Say("b"), modeltest.Say("c"), modeltest.Say("d")}}, &defaults.Options{Account: account, Model: "free"})
		require.NoError(t, err)
		begin := time.Now()
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { _, _ = m.Call(t.Context(), "q", llms.WithModel("full")) })
		}
		synctest.Wait()
		_, err = m.Call(t.Context(), "q")
		require.NoError(t, err)
		require.Zero(t, time.Since(begin))
		wg.Wait()
		require.GreaterOrEqual(t, time.Since(begin), 30*time.Second)
	})
}

// A bulkhead added to the defaults refuses attempts that the gate has admitted:
// their places come back, and their room in the account.
func TestRefusedByABulkhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		account, err := limit.NewAccount(&limit.AccountOptions{Requests: limit.Rate{N: 10, Per: time.Hour}})
		require.NoError(t, err)
		o, err := defaults.New(&defaults.Options{Account: account})
		require.NoError(t, err)
		o.Bulkhead, err = retry.NewBulkhead(1, nil)
		require.NoError(t, err)
		o.MaxAttempts = 1
		p, err := retry.NewPolicy(o)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err = retry.Do(ctx, p, func(ctx context.Context) (int, error) {
			for range 100 {
				_, err := retry.Do(t.Context(), p, func(context.Context) (int, error) { return 0, nil })
				require.ErrorIs(t, err, retry.ErrBusy)
			}
			return 0, ctx.Err()
		})
		require.NoError(t, err)
		require.EqualValues(t, 9, account.Allowances(time.Now(), "")[0].Remaining, "one call of a hundred and one was made")
	})
}
