package limit

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
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

// hangingStore is a store whose packets are lost.
type hangingStore struct{}

func (hangingStore) Take(ctx context.Context, _ []Claim, _ time.Duration) (Decision, error) {
	<-ctx.Done()
	return Decision{}, ctx.Err()
}
func (hangingStore) Charge(ctx context.Context, _ []Claim) error { <-ctx.Done(); return ctx.Err() }

// "a store that is down stops no call": a store that hangs doesn't, either.
func TestHangingStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := New(hostileModel(func(context.Context) (*llms.ContentResponse, error) { return hostileAnswer(3, 4), nil }), &Options{Quota: Quota{Requests: Rate{N: 10, Per: time.Hour}}, Store: hangingStore{}})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err = m.GenerateContent(ctx, nil)
		require.NoError(t, err)
	})
}

func TestHangingStoreRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := New(hostileModel(func(context.Context) (*llms.ContentResponse, error) { return hostileAnswer(3, 4), nil }), &Options{Quota: Quota{Requests: Rate{N: 10, Per: time.Hour}}, Store: hangingStore{}, RefuseOnStoreFailure: true})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err = m.GenerateContent(ctx, nil)
		require.ErrorIs(t, err, ErrStore)
	})
}

// The store hangs only when the answer is there: the answer must not be late for
// long.
func TestHangingCharge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &hostileStore{charge: func() error { return nil }}
		m, err := New(hostileModel(func(context.Context) (*llms.ContentResponse, error) { return hostileAnswer(3, 4), nil }),
			&Options{Quota: Quota{Tokens: Rate{N: 1e6, Per: time.Hour}}, Shared: Quota{Tokens: Rate{N: 1e6, Per: time.Hour}}, Store: &chargeHangs{s}})
		require.NoError(t, err)
		began := time.Now()
		_, err = hostileAsk(m)
		require.NoError(t, err)
		require.Less(t, time.Since(began), 1500*time.Millisecond, "an answer that is there waits for the store")
	})
}

type chargeHangs struct{ *hostileStore }

func (*chargeHangs) Charge(ctx context.Context, _ []Claim) error { <-ctx.Done(); return ctx.Err() }

// A stream that breaks or is refused by the caller's function keeps its
// reservation once, and its place not at all.
func TestBrokenStreams(t *testing.T) {
	for name, f := range map[string]func(ctx context.Context, c llms.CallOptions) (*llms.ContentResponse, error){
		"breaks": func(ctx context.Context, c llms.CallOptions) (*llms.ContentResponse, error) {
			_ = c.StreamingFunc(ctx, []byte("a"))
			return nil, errors.New("broke")
		},
		"panics":   func(ctx context.Context, c llms.CallOptions) (*llms.ContentResponse, error) { panic("x") },
		"nil, nil": func(ctx context.Context, c llms.CallOptions) (*llms.ContentResponse, error) { return nil, nil },
		"no choice": func(ctx context.Context, c llms.CallOptions) (*llms.ContentResponse, error) {
			return &llms.ContentResponse{}, nil
		},
		"nil choice": func(ctx context.Context, c llms.CallOptions) (*llms.ContentResponse, error) {
			return &llms.ContentResponse{Choices: []*llms.ContentChoice{nil}}, nil
		},
		"429": func(ctx context.Context, c llms.CallOptions) (*llms.ContentResponse, error) {
			e := fault.New(fault.ClassRateLimit, nil)
			e.Status = 429
			return nil, e
		},
		"odd usage": func(ctx context.Context, c llms.CallOptions) (*llms.ContentResponse, error) {
			return hostileAnswer(-5, -7), nil
		},
		"huge usage": func(ctx context.Context, c llms.CallOptions) (*llms.ContentResponse, error) {
			return hostileAnswer(1<<62, 1<<62), nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := &Memory{}
			m, err := New(optModel(f), &Options{Quota: Quota{Concurrency: 1, Tokens: Rate{N: 10_000, Per: time.Hour}}, Shared: Quota{Tokens: Rate{N: 10_000, Per: time.Hour}}, Store: s, AnswerTokens: 100})
			require.NoError(t, err)
			func() {
				defer func() { _ = recover() }()
				_, _ = m.GenerateContent(t.Context(), nil, llms.WithStreamingFunc(func(context.Context, []byte) error { return nil }))
			}()
			require.Empty(t, m.purses.all)
			d, _ := s.Take(t.Context(), []Claim{{"limit:tenant::tokens", Rate{N: 10_000, Per: time.Hour}, 0}}, 0)
			t.Logf("%v left", d.Remaining)
			if name != "huge usage" && name != "429" && name != "odd usage" {
				require.InDelta(t, 9_900, d.Remaining, 1)
			}
		})
	}
}

type optModel func(context.Context, llms.CallOptions) (*llms.ContentResponse, error)

func (f optModel) GenerateContent(ctx context.Context, _ []llms.MessageContent, o ...llms.CallOption) (*llms.ContentResponse, error) {
	var c llms.CallOptions
	for _, x := range o {
		x(&c)
	}
	return f(ctx, c)
}
func (f optModel) Call(context.Context, string, ...llms.CallOption) (string, error) { return "", nil }

// Hedges: each attempt's room of the account is taken once, a refused hedge's comes
// back.
func TestHedgesAndTheAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, place := range []int{1, 2} {
			a, err := NewAccount(&AccountOptions{Requests: Rate{N: 100, Per: time.Hour}})
			require.NoError(t, err)
			bulk, _ := retry.NewBulkhead(place, nil)
			hedger, _ := retry.NewHedger(&retry.HedgerOptions{Delay: 5 * time.Millisecond, Budget: retry.NoBudget})
			p, err := retry.NewPolicy(&retry.Options{Gates: []admission.Gate{a}, Bulkhead: bulk, Hedger: hedger})
			require.NoError(t, err)
			var mu sync.Mutex
			made := 0
			_, err = retry.Do(a.WithCall(t.Context(), "m", Use{}), p, func(context.Context) (int, error) {
				mu.Lock()
				made++
				mu.Unlock()
				time.Sleep(30 * time.Millisecond)
				return 1, nil
			})
			require.NoError(t, err)
			require.EqualValues(t, 100-made, a.Allowances(time.Now(), "m")[0].Remaining, "%d attempts were made", made)
		}
	})
}

// The Handler's own panics and odd keys.
func TestHandlerKeys(t *testing.T) {
	h, err := NewHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {}), Rate{N: 1, Per: time.Hour}, &HandlerOptions{Tenant: func(r *http.Request) string { return r.Header.Get("K") }})
	require.NoError(t, err)
	for _, k := range []string{"", "a", "a:requests", "x\x00y", "é"} {
		for i, want := range []int{200, 429} {
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header["K"] = []string{k}
			h.ServeHTTP(w, r)
			require.Equal(t, want, w.Code, "%q %d", k, i)
		}
	}
}

// Two tenants' keys in the store must differ.
func TestTenantsKeys(t *testing.T) {
	s := &Memory{}
	who := ""
	m, err := New(hostileModel(func(context.Context) (*llms.ContentResponse, error) { return hostileAnswer(1, 1), nil }), &Options{Store: s, Quota: Quota{Requests: Rate{N: 1, Per: time.Hour}}, Shared: Quota{Requests: Rate{N: 100, Per: time.Hour}}, Tenant: func(context.Context) string { return who }})
	require.NoError(t, err)
	for _, who = range []string{"", "a", ":all", "all", "a:requests", "a:tokens", "tenant:a"} {
		_, err := hostileAsk(m)
		require.NoError(t, err, "%q", who)
		_, err = hostileAsk(m)
		require.Error(t, err)
	}
}
