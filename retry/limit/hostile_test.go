package limit

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
	"golang.org/x/time/rate"

	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/admission"
	"github.com/prodailabs/prodai/retry/fault"
)

type hostileModel func(context.Context) (*llms.ContentResponse, error)

func (f hostileModel) GenerateContent(ctx context.Context, _ []llms.MessageContent, _ ...llms.CallOption) (*llms.ContentResponse, error) {
	return f(ctx)
}
func (f hostileModel) Call(ctx context.Context, p string, o ...llms.CallOption) (string, error) {
	return "", nil
}

func hostileAnswer(in, out int) *llms.ContentResponse {
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "x", StopReason: "stop", GenerationInfo: map[string]any{"PromptTokens": in, "CompletionTokens": out}}}}
}

func hostileAsk(m *Model) (panicked any, err error) {
	defer func() { panicked = recover() }()
	_, err = m.GenerateContent(context.Background(), []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "hello")})
	return nil, err
}

// A panic of the caller's Usage or Cost after the call must not keep the place.
func TestPanicInSettleKeepsThePlace(t *testing.T) {
	for _, name := range []string{"Usage", "Cost", "Store.Charge"} {
		t.Run(name, func(t *testing.T) {
			boom := true
			o := &Options{Quota: Quota{Concurrency: 1, Tokens: Rate{N: 1e6, Per: time.Hour}}}
			calls := 0
			switch name {
			case "Usage":
				o.Usage = func(*llms.ContentResponse) (int, bool) {
					if boom {
						panic("usage")
					}
					return 1, true
				}
			case "Cost":
				o.Cost = func(string, *llms.ContentResponse) (int64, bool) {
					if calls++; boom && calls == 2 {
						panic("cost")
					}
					return 1, true
				}
			case "Store.Charge":
				o.Store = &hostileStore{charge: func() error {
					if boom {
						panic("store")
					}
					return nil
				}}
			}
			m, err := New(hostileModel(func(context.Context) (*llms.ContentResponse, error) { return hostileAnswer(3, 4), nil }), o)
			require.NoError(t, err)
			p, _ := hostileAsk(m)
			require.NotNil(t, p)
			boom = false
			p, err = hostileAsk(m)
			require.Nil(t, p)
			require.NoError(t, err, "the panicked call still holds the only place")
		})
	}
}

// A panic while the call is being admitted (a store's) must not keep the place.
func TestPanicInAdmitKeepsThePlace(t *testing.T) {
	boom := true
	s := &hostileStore{take: func() error {
		if boom {
			panic("store")
		}
		return nil
	}}
	m, err := New(hostileModel(func(context.Context) (*llms.ContentResponse, error) { return hostileAnswer(3, 4), nil }),
		&Options{Quota: Quota{Concurrency: 1, Tokens: Rate{N: 1e6, Per: time.Hour}}, Store: s})
	require.NoError(t, err)
	p, _ := hostileAsk(m)
	require.NotNil(t, p)
	boom = false
	_, err = hostileAsk(m)
	require.NoError(t, err)
}

type hostileStore struct {
	Memory
	take, charge func() error
}

func (s *hostileStore) Take(ctx context.Context, c []Claim, ahead time.Duration) (Decision, error) {
	if s.take != nil {
		if err := s.take(); err != nil {
			return Decision{}, err
		}
	}
	return s.Memory.Take(ctx, c, ahead)
}

func (s *hostileStore) Charge(ctx context.Context, c []Claim) error {
	if s.charge != nil {
		if err := s.charge(); err != nil {
			return err
		}
	}
	return s.Memory.Charge(ctx, c)
}

// A call that never left this process (an open breaker, a full bulkhead below)
// costs the tenant nothing.
func TestRefusedBelowIsNotSpent(t *testing.T) {
	b, err := retry.NewBreaker(&retry.BreakerOptions{Failures: 1, OpenFor: time.Hour})
	require.NoError(t, err)
	made := 0
	retried, err := retry.New(hostileModel(func(context.Context) (*llms.ContentResponse, error) {
		made++
		return nil, fault.New(fault.ClassServerError, errors.New("down"))
	}), &retry.Options{Breaker: b, MaxAttempts: 1})
	require.NoError(t, err)
	m, err := New(retried, &Options{Quota: Quota{Tokens: Rate{N: 10_000, Per: time.Hour}, SpendPicoUSD: 100},
		Cost: func(string, *llms.ContentResponse) (int64, bool) { return 10, true }})
	require.NoError(t, err)
	_, _ = hostileAsk(m)
	spent := m.Spent("")
	for range 5 {
		_, err = hostileAsk(m)
		require.ErrorIs(t, err, retry.ErrOpen)
	}
	require.Equal(t, 1, made)
	require.Equal(t, spent, m.Spent(""), "spent by calls that were never made")
}

// ... and takes no room of the account.
func TestRefusedBelowTakesNoRoomOfTheAccount(t *testing.T) {
	b, err := retry.NewBreaker(&retry.BreakerOptions{Failures: 1, OpenFor: time.Hour})
	require.NoError(t, err)
	p, err := b.TryAcquire(time.Now())
	require.NoError(t, err)
	p.Done(time.Now(), admission.OutcomeUnhealthy)
	a, err := NewAccount(&AccountOptions{Requests: Rate{N: 10, Per: time.Hour}})
	require.NoError(t, err)
	retried, err := retry.New(hostileModel(func(context.Context) (*llms.ContentResponse, error) { return hostileAnswer(1, 1), nil }),
		&retry.Options{Breaker: b, Gates: []admission.Gate{a}})
	require.NoError(t, err)
	m, err := New(retried, &Options{Account: a})
	require.NoError(t, err)
	for range 5 {
		_, err = hostileAsk(m)
		require.ErrorIs(t, err, retry.ErrOpen)
	}
	l := a.Allowances(time.Now(), "")
	require.EqualValues(t, 10, l[0].Remaining)
}

// A retry below a Model that a later gate refuses gives its room back.
func TestRetryBelowAModelGivesRoomBack(t *testing.T) {
	a, err := NewAccount(&AccountOptions{Requests: Rate{N: 10, Per: time.Hour}})
	require.NoError(t, err)
	bulk, err := retry.NewBulkhead(1, nil)
	require.NoError(t, err)
	var other admission.Permit
	made := 0
	retried, err := retry.New(hostileModel(func(context.Context) (*llms.ContentResponse, error) {
		made++
		return nil, fault.New(fault.ClassServerError, errors.New("down"))
	}), &retry.Options{Gates: []admission.Gate{a}, Bulkhead: bulk, MaxAttempts: 3, Budget: retry.NoBudget, Sleep: func(context.Context, time.Duration) error {
		if other == (admission.Permit{}) {
			other, _ = bulk.TryAcquire(time.Now()) // another call takes the place
		}
		return nil
	}})
	require.NoError(t, err)
	m, err := New(retried, &Options{Account: a})
	require.NoError(t, err)
	_, err = hostileAsk(m)
	require.ErrorIs(t, err, retry.ErrBusy)
	require.Equal(t, 1, made)
	require.EqualValues(t, 9, a.Allowances(time.Now(), "")[0].Remaining, "one request was sent")
}

// Sums of money must not wrap around the budget.
func TestMoneyOverflow(t *testing.T) {
	cost := int64(1)
	m, err := New(hostileModel(func(context.Context) (*llms.ContentResponse, error) { return hostileAnswer(1, 1), nil }),
		&Options{Quota: Quota{SpendPicoUSD: 100}, Cost: func(string, *llms.ContentResponse) (int64, bool) { return cost, true }})
	require.NoError(t, err)
	_, err = hostileAsk(m)
	require.NoError(t, err)
	cost = math.MaxInt64 // a table that saturates
	_, err = hostileAsk(m)
	require.Error(t, err, "a call of nine million dollars passed a budget of 100 pico-USD")
}

func TestHandlerCost(t *testing.T) {
	for _, c := range []float64{math.NaN(), math.Inf(1), -1, math.Inf(-1), 1e300, 1e-300} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			cost := 5.0
			h, err := NewHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {}), Rate{N: 5, Per: time.Hour}, &HandlerOptions{Units: func(*http.Request) float64 { return cost }})
			require.NoError(t, err)
			do := func() int {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
				return w.Code
			}
			require.Equal(t, 200, do())
			cost = 1
			require.Equal(t, 429, do())
			cost = c
			do()
			cost = 1
			require.Equal(t, 429, do(), "a cost of %v emptied the debt", c)
		})
	}
}

func TestStoreClaims(t *testing.T) {
	for _, n := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1, -1e300} {
		var s Memory
		r := Rate{N: 5, Per: time.Hour}
		d, _ := s.Take(t.Context(), []Claim{{"k", r, 5}}, 0)
		require.True(t, d.OK)
		_, _ = s.Take(t.Context(), []Claim{{"k", r, n}}, 0)
		d, _ = s.Take(t.Context(), []Claim{{"k", r, 1}}, 0)
		if d.OK {
			t.Errorf("a claim of %v emptied the debt", n)
		}
		_ = s.Charge(t.Context(), []Claim{{"k", r, n}})
		d, _ = s.Take(t.Context(), []Claim{{"k", r, 1}}, 0)
		if d.OK && math.IsNaN(n) {
			t.Errorf("a charge of %v emptied the debt", n)
		}
	}
}

// Calls that gave up waiting must not push the tenant's later calls back.
func TestFairnessAfterCanceledWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fair{}
		require.NoError(t, f.enter(t.Context(), "b", 1, 1))
		done, cancel := context.WithCancel(t.Context())
		cancel()
		for range 100 {
			require.Error(t, f.enter(done, "a", 1, 1))
		}
		var mu sync.Mutex
		var order []string
		var wait sync.WaitGroup
		queued := 0
		enter := func(tenant string) {
			wait.Go(func() {
				if f.enter(context.Background(), tenant, 1, 1) == nil {
					mu.Lock()
					order = append(order, tenant)
					mu.Unlock()
					f.leave()
				}
			})
			queued++
			synctest.Wait()
			require.Len(t, f.waiting, queued)
		}
		enter("a")
		for range 50 {
			enter("b")
		}
		f.leave()
		wait.Wait()
		at := -1
		for i, x := range order {
			if x == "a" {
				at = i
			}
		}
		require.LessOrEqual(t, at, 2, "tenant a has had nothing, and is served after %d of b's", at)
	})
}

// A finish tag must stay finite: else all calls are served in the order of arrival.
func TestWeightBounds(t *testing.T) {
	for _, w := range []float64{1e-320, 1e-7, 1e7, -1, math.NaN(), math.Inf(1)} {
		require.ErrorIs(t, Quota{Weight: w}.check("x"), ErrOption)
	}
	for _, w := range []float64{0, 1e-6, 1, 1e6} {
		require.NoError(t, Quota{Weight: w}.check("x"))
	}
}

// Whichever call of a store fails, in the end only what was used is counted.
func TestStoreFailsAtEachCall(t *testing.T) {
	down := errors.New("down")
	for _, closed := range []bool{false, true} {
		for k := range 12 {
			for width := 1; width <= 3; width++ {
				n := 0
				failing := true
				fail := func() error {
					n++
					if failing && n > k && n <= k+width {
						return down
					}
					return nil
				}
				s := &hostileStore{}
				s.take, s.charge = fail, fail
				clock := time.Unix(1e9, 0)
				s.Memory.Now = func() time.Time { return clock }
				passed := 0
				m, err := New(hostileModel(func(context.Context) (*llms.ContentResponse, error) { passed++; return hostileAnswer(30, 20), nil }), &Options{
					Quota: Quota{Tokens: Rate{N: 100_000, Per: time.Hour}, Requests: Rate{N: 100, Per: time.Hour}, Concurrency: 3}, Shared: Quota{Tokens: Rate{N: 100_000, Per: time.Hour}}, Store: s, RefuseOnStoreFailure: closed})
				require.NoError(t, err)
				bad := 0
				for range 4 {
					p, err := hostileAsk(m)
					require.Nil(t, p)
					var e *Error
					if err != nil {
						bad++
						require.ErrorAs(t, err, &e)
						require.Equal(t, 503, e.HTTPStatus())
						require.ErrorIs(t, err, ErrStore)
						require.ErrorIs(t, err, down)
					}
				}
				if !closed {
					require.Zero(t, bad)
				}
				failing = false
				_, err = hostileAsk(m) // pays what is owed
				require.NoError(t, err)
				if closed {
					for _, key := range []string{"limit:tenant::tokens", "limit:all:tokens"} {
						d, _ := s.Memory.Take(t.Context(), []Claim{{key, Rate{N: 100_000, Per: time.Hour}, 0}}, 0)
						require.InDelta(t, 100_000-50*float64(passed), d.Remaining, 1, "%s: failures %d to %d, %d passed", key, k+1, k+width, passed)
					}
					d, _ := s.Memory.Take(t.Context(), []Claim{{"limit:tenant::requests", Rate{N: 100, Per: time.Hour}, 0}}, 0)
					require.InDelta(t, 100-float64(passed), d.Remaining, 0.01)
				}
				require.Empty(t, m.purses.all)
			}
		}
	}
}

func TestBucketZero(t *testing.T) {
	require.NotPanics(t, func() { var b rate.Limiter; b.Allow() })
	require.NotPanics(t, func() { var b Bucket; b.Allow() })
	require.NotPanics(t, func() { var r rate.Reservation; _ = r.OK(); r.Delay(); r.Cancel() })
	require.NotPanics(t, func() { var r Reservation; _ = r.OK(); r.Delay(); r.Cancel() })
}

func TestBucketLikeLimiter(t *testing.T) {
	b, err := NewBucket(10, 10)
	require.NoError(t, err)
	now := time.Now()
	require.True(t, b.AllowN(now.Add(24*time.Hour), 10)) // one reading of a wrong clock
	l := rate.NewLimiter(10, 10)
	require.True(t, l.AllowN(now.Add(24*time.Hour), 10))
	require.True(t, l.AllowN(now, 0))
	time.Sleep(300 * time.Millisecond)
	t.Logf("rate: %v, bucket: %v", l.Allow(), b.Allow())
	for _, n := range []int{0, -1} {
		b, _ := NewBucket(1, 1)
		l := rate.NewLimiter(1, 1)
		require.Equal(t, l.AllowN(now, 1), b.AllowN(now, 1))
		require.Equal(t, l.WaitN(t.Context(), n), b.WaitN(t.Context(), n), n)
	}
	inf, err := NewBucket(rate.Inf, 0)
	require.NoError(t, err)
	require.NoError(t, inf.WaitN(t.Context(), 1000))
	require.NoError(t, rate.NewLimiter(rate.Inf, 0).WaitN(t.Context(), 1000))
	zero, err := NewBucket(0, 1)
	require.NoError(t, err)
	require.NoError(t, zero.Wait(t.Context()))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.Error(t, zero.Wait(ctx))
	ctx2, cancel2 := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel2)
	err = zero.Wait(ctx2)
	t.Logf("rate 0, no deadline: %v (x/time/rate: %v)", err, rate.NewLimiter(0, 1).WaitN(context.Background(), 1))
}

func TestAccountConcurrency(t *testing.T) {
	a, err := NewAccount(&AccountOptions{Requests: Rate{N: 1000, Per: time.Hour}})
	require.NoError(t, err)
	var wait sync.WaitGroup
	for i := range 50 {
		wait.Go(func() {
			ctx := t.Context()
			if i%2 == 0 {
				ctx = a.WithCall(ctx, "m", Use{1, 1})
			} else {
				ctx = a.WithCall(ctx, "m", Use{2, 1})
			}
			for range 20 {
				p, err := a.Acquire(ctx)
				if err != nil {
					t.Error(err)
					return
				}
				q := p
				p.Cancel(time.Now())
				p.Cancel(time.Now())
				p.Done(time.Now(), admission.OutcomeThrottled)
				_ = q
			}
		})
	}
	wait.Wait()
	require.EqualValues(t, 1000, a.Allowances(time.Now(), "m")[0].Remaining)
}

// A copy of a canceled account permit must not give back more room than was taken.
func TestAccountPermitCopies(t *testing.T) {
	a, err := NewAccount(&AccountOptions{Requests: Rate{N: 10, Per: time.Hour}})
	require.NoError(t, err)
	now := time.Now()
	for range 10 {
		_, err := a.TryAcquire(now, "m", Use{})
		require.NoError(t, err)
	}
	var zero AccountPermit
	zero.Cancel(now)
	zero.Done(now, admission.OutcomeThrottled)
	zero.Learn(now, nil)
	zero.Settle(now, Use{math.NaN(), math.Inf(1)})
	zero.LearnRefusal(now, -1)
	_, err = a.TryAcquire(now, "m", Use{})
	require.Error(t, err)
	_, err = a.TryAcquire(now, "m", Use{math.NaN(), math.Inf(-1)})
	require.Error(t, err)
}

// A panicking Cost, Tokens or Tenant before the call holds nothing.
func TestPanicsBefore(t *testing.T) {
	boom := true
	m, err := New(hostileModel(func(context.Context) (*llms.ContentResponse, error) { return hostileAnswer(3, 4), nil }),
		&Options{Quota: Quota{Concurrency: 1, Tokens: Rate{N: 1e6, Per: time.Hour}}, Tokens: func(string) int {
			if boom {
				panic("tokens")
			}
			return 1
		}})
	require.NoError(t, err)
	p, _ := hostileAsk(m)
	require.NotNil(t, p)
	boom = false
	_, err = hostileAsk(m)
	require.NoError(t, err)
}
