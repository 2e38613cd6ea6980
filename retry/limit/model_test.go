package limit

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
	"golang.org/x/time/rate"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/retry/fault"
)

type slowStore struct{ Memory }

func (s *slowStore) Take(ctx context.Context, claims []Claim, ahead time.Duration) (Decision, error) {
	time.Sleep(time.Millisecond)
	return s.Memory.Take(ctx, claims, ahead)
}

// Calls that may not wait and come at the same time are refused because there is no
// room, and not because they come at the same time.
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

func TestARefusalOfTheProviderCostsNothing(t *testing.T) {
	next := &fakeModel{err: &Error{Refusal: fault.RefusalWait}}
	store := &Memory{}
	m, err := New(next, &Options{Quota: Quota{Tokens: Rate{N: 1000, Per: time.Hour}}, Store: store, AnswerTokens: 900})
	require.NoError(t, err)
	for range 5 {
		_, err = m.Call(t.Context(), "q")
		require.Equal(t, next.err, err)
	}
	next.err = errors.New("the connection broke") // it isn't known what was generated
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
