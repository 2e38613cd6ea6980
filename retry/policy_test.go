package retry

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/retry/admission"
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

// A pointer to a backoff is checked as the backoff is.
func TestPointersAreChecked(t *testing.T) {
	for _, b := range []Backoff{Exponential{Multiplier: math.NaN()}, &Exponential{Multiplier: math.NaN()}} {
		_, err := NewPolicy(&Options{Backoff: b})
		require.ErrorIs(t, err, ErrOption)
	}
}

// An option that could never work is an error, and not a panic or silence.
func TestImpossibleSettings(t *testing.T) {
	for _, q := range []float64{0.998, 0.9981, 0.9999} {
		h, err := NewHedger(&HedgerOptions{Quantile: q})
		if err != nil {
			require.ErrorIs(t, err, ErrOption)
			require.Greater(t, q, 0.998)
			continue
		}
		for range 1000 {
			h.observe(false, time.Second)
		}
		_, known := h.Delay()
		require.True(t, known, q)
	}
	_, err := NewBreaker(&BreakerOptions{Window: math.MaxInt})
	require.ErrorIs(t, err, ErrOption)
}

func TestPoliciesRefuseNonsense(t *testing.T) {
	nan := math.NaN()
	for _, f := range []func() error{
		func() error { _, err := NewTokenBudget(&TokenBudgetOptions{MaxTokens: -1}); return err },
		func() error { _, err := NewTokenBudget(&TokenBudgetOptions{MaxTokens: nan}); return err },
		func() error { _, err := NewTokenBudget(&TokenBudgetOptions{Ratio: nan}); return err },
		func() error { _, err := NewTokenBudget(&TokenBudgetOptions{Ratio: 11}); return err },
		func() error { _, err := NewWindowBudget(&WindowBudgetOptions{Window: -1}); return err },
		func() error { _, err := NewWindowBudget(&WindowBudgetOptions{Share: nan}); return err },
		func() error { _, err := NewWindowBudget(&WindowBudgetOptions{PerSecond: nan}); return err },
		func() error { _, err := NewShedder(&ShedderOptions{Service: -1}); return err },
		func() error { _, err := Do[int](t.Context(), nil, nil); return err },
		func() error { _, err := NewBreaker(&BreakerOptions{Failures: -1}); return err },
		func() error { _, err := NewBreaker(&BreakerOptions{Failures: 9, Window: 3}); return err },
		func() error { return Exponential{Multiplier: nan}.check() },
		func() error { return Exponential{Base: -1}.check() },
	} {
		require.ErrorIs(t, f(), ErrOption)
	}
}

// A value that NewX has not made is refused with a typed error, and not with a
// panic or an endless wait.
func TestZeroPartsAreRefused(t *testing.T) {
	for name, o := range map[string]*Options{
		"Adaptive": {Adaptive: &Adaptive{}}, "Bulkhead": {Bulkhead: &Bulkhead{}}, "Breaker": {Breaker: &Breaker{}}, "Hedger": {Hedger: &Hedger{}},
		"TokenBudget": {Budget: &TokenBudget{}}, "WindowBudget": {Budget: &WindowBudget{}}, "gate": {Gates: []admission.Gate{&Bulkhead{}}},
		"Fallbacks": {Fallbacks: []llms.Model{nil}}, "Resume": {Resume: &Resume{}}, "Jitter": {Backoff: Exponential{Jitter: 77}},
	} {
		_, err := NewPolicy(o)
		require.ErrorIs(t, err, ErrOption, name)
	}
	now := time.Now()
	_, err := (&Adaptive{}).TryAcquire(now)
	require.ErrorIs(t, err, ErrOption)
	_, err = (&Adaptive{}).Acquire(t.Context())
	require.ErrorIs(t, err, ErrOption)
	_, err = (&Bulkhead{}).TryAcquire(now)
	require.ErrorIs(t, err, ErrOption)
	_, err = (&Bulkhead{}).Acquire(t.Context())
	require.ErrorIs(t, err, ErrOption)
	_, err = (&Breaker{}).TryAcquire(now)
	require.ErrorIs(t, err, ErrOption)
	_, err = Do(t.Context(), &Policy{}, func(context.Context) (int, error) { return 1, nil })
	require.ErrorIs(t, err, ErrOption)
	_, err = (&Model{}).GenerateContent(t.Context(), nil)
	require.ErrorIs(t, err, ErrOption)
	require.Equal(t, "unknown", State(9).String())
}
