package retry

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retry/admission"
	"github.com/prodailabs/prodai/retry/fault"
)

type hostileGate struct {
	held    atomic.Int64
	acquire func(context.Context) error
	done    func()
}

func (g *hostileGate) Acquire(ctx context.Context) (admission.Permit, error) {
	if g.acquire != nil {
		if err := g.acquire(ctx); err != nil {
			return admission.Permit{}, err
		}
	}
	g.held.Add(1)
	return admission.NewPermit((*hostileOwner)(g), 0), nil
}

type hostileOwner hostileGate

func (g *hostileOwner) Done(time.Time, admission.Held, admission.Outcome) {
	g.held.Add(-1)
	if g.done != nil {
		g.done()
	}
}
func (g *hostileOwner) Cancel(time.Time, admission.Held) { g.held.Add(-1) }

func hostileDo(p *Policy, f func(context.Context) (int, error)) (panicked any, err error) {
	defer func() { panicked = recover() }()
	_, err = Do(context.Background(), p, f)
	return nil, err
}

type hostileLimiter func(context.Context) error

func (f hostileLimiter) Wait(ctx context.Context) error { return f(ctx) }

type hostileBudget struct{ success, retry, request func() }

func (b hostileBudget) Request(time.Time) {
	if b.request != nil {
		b.request()
	}
}
func (b hostileBudget) Success(time.Time) {
	if b.success != nil {
		b.success()
	}
}
func (b hostileBudget) Retry(time.Time) bool {
	if b.retry != nil {
		b.retry()
	}
	return true
}

type hostileLog struct{ slog.Handler }

func (hostileLog) Enabled(context.Context, slog.Level) bool  { return true }
func (hostileLog) Handle(context.Context, slog.Record) error { panic("log") }

// Whatever code of the caller's panics, the permits that were given come back.
func TestPanicsGiveThePermitsBack(t *testing.T) {
	ok := func(context.Context) (int, error) { return 1, nil }
	bad := func(context.Context) (int, error) { return 0, fault.New(fault.ClassServerError, errors.New("down")) }
	for name, c := range map[string]struct {
		change func(o *Options)
		f      func(context.Context) (int, error)
	}{
		"f":      {func(*Options) {}, func(context.Context) (int, error) { panic("f") }},
		"Goexit": {func(*Options) {}, func(context.Context) (int, error) { runtime.Goexit(); return 0, nil }},
		"a later gate": {func(o *Options) {
			o.Gates = append(o.Gates, &hostileGate{acquire: func(context.Context) error { panic("gate") }})
		}, ok},
		"its Done":       {func(o *Options) { o.Gates = append(o.Gates, &hostileGate{done: func() { panic("done") }}) }, ok},
		"Budget.Success": {func(o *Options) { o.Budget = hostileBudget{success: func() { panic("budget") }} }, ok},
		"Budget.Retry":   {func(o *Options) { o.Budget = hostileBudget{retry: func() { panic("budget") }} }, bad},
		"OnChange": {func(o *Options) {
			o.Breaker, _ = NewBreaker(&BreakerOptions{Failures: 1, OnChange: func(from, to State) { panic("change") }})
		}, bad},
		"Logger": {func(o *Options) {
			o.Breaker, _ = NewBreaker(&BreakerOptions{Failures: 1})
			o.Logger = slog.New(hostileLog{})
		}, bad},
		"Sleep": {func(o *Options) { o.Sleep = func(context.Context, time.Duration) error { panic("sleep") } }, bad},
		"Limiter behind a shedder": {func(o *Options) {
			o.Shedder, _ = NewShedder(nil)
			o.Limiter = hostileLimiter(func(context.Context) error { panic("limiter") })
		}, ok},
	} {
		t.Run(name, func(t *testing.T) {
			g := &hostileGate{}
			bulk, _ := NewBulkhead(1, nil)
			adaptive, _ := NewAdaptive(nil)
			o := &Options{Gates: []admission.Gate{g}, Bulkhead: bulk, Adaptive: adaptive}
			c.change(o)
			p, err := NewPolicy(o)
			require.NoError(t, err)
			done := make(chan struct{})
			go func() { defer close(done); _, _ = hostileDo(p, c.f) }()
			<-done
			require.Zero(t, g.held.Load(), "a permit of the first gate is lost")
			require.Empty(t, bulk.room, "a place of the bulkhead is lost")
			require.Zero(t, adaptive.inFlight, "a place of the adaptive limit is lost")
		})
	}
}

// A panic of OnChange when the breaker lets a probe through must not lose the
// probe or what was acquired before it.
func TestOnChangePanicsAtTheProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom := false
		b, _ := NewBreaker(&BreakerOptions{Failures: 1, OpenFor: time.Millisecond, OnChange: func(from, to State) {
			if boom {
				panic("change")
			}
		}})
		bulk, _ := NewBulkhead(1, nil)
		p, err := NewPolicy(&Options{Breaker: b, Bulkhead: bulk, MaxAttempts: 1})
		require.NoError(t, err)
		_, _ = hostileDo(p, func(context.Context) (int, error) { return 0, fault.New(fault.ClassServerError, nil) })
		time.Sleep(5 * time.Millisecond)
		boom = true
		v, _ := hostileDo(p, func(context.Context) (int, error) { return 1, nil })
		require.NotNil(t, v)
		require.Empty(t, bulk.room)
		boom = false
		_, err = hostileDo(p, func(context.Context) (int, error) { return 1, nil })
		require.NoError(t, err)
	})
}

// The package's comment: cenkalti "runs the operation once even if the context is
// done", ours differs.
func TestDoneContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p, _ := NewPolicy(nil)
	ran := 0
	_, err := Do(ctx, p, func(context.Context) (int, error) { ran++; return 1, nil })
	require.Error(t, err)
	require.Zero(t, ran)
}

func TestBulkheadDoneContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b, _ := NewBulkhead(1, nil)
	_, err := b.Acquire(ctx)
	require.ErrorIs(t, err, context.Canceled, "Adaptive and limit.Account refuse it")
}

func TestAdaptiveBarging(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := NewAdaptive(&AdaptiveOptions{Initial: 1, Interval: 20 * time.Millisecond})
		now := time.Now()
		p, err := a.TryAcquire(now)
		require.NoError(t, err)
		p.Done(now, admission.OutcomeHealthy)
		p, err = a.TryAcquire(now)
		require.NoError(t, err)
		first := make(chan struct{})
		go func() {
			if _, err := a.Acquire(t.Context()); err == nil {
				close(first)
			}
		}()
		synctest.Wait()
		require.Len(t, a.waiting, 1)
		_, err = a.TryAcquire(now.Add(time.Second)) // the interval is over, the limit grows by one
		synctest.Wait()
		select {
		case <-first:
		default:
			t.Error("the call that has waited longest got no place")
		}
		require.Error(t, err, "a later call has taken the new place")
		_ = p
	})
}

// Copies of permits that end twice make no negative counts.
func TestCopies(t *testing.T) {
	now := time.Now()
	b, _ := NewBreaker(&BreakerOptions{Failures: 1, OpenFor: time.Second})
	p, _ := b.TryAcquire(now)
	p.Done(now, admission.OutcomeUnhealthy)
	now = now.Add(2 * time.Second)
	p, err := b.TryAcquire(now)
	require.NoError(t, err)
	q, r := p, p
	p.Cancel(now)
	q.Cancel(now)
	r.Cancel(now)
	n := 0
	for range 5 {
		if _, err := b.TryAcquire(now); err == nil {
			n++
		}
	}
	require.Equal(t, 1, n, "probes that a half-open breaker with Probes 1 admitted")
}

// typed nils
func TestTypedNilError(t *testing.T) {
	p, _ := NewPolicy(nil)
	require.NotPanics(t, func() {
		_, err := Do(t.Context(), p, func(context.Context) (int, error) {
			var e *fault.Error
			return 1, e
		})
		t.Log(err)
	})
}

func TestOptionsTypedNil(t *testing.T) {
	_, err := NewPolicy(&Options{Gates: []admission.Gate{(*Bulkhead)(nil)}})
	require.ErrorIs(t, err, ErrOption)
}

func TestGatesTwice(t *testing.T) {
	b, _ := NewBulkhead(1, &BulkheadOptions{Queue: 1})
	_, err := NewPolicy(&Options{Gates: []admission.Gate{b, b}})
	require.ErrorIs(t, err, ErrOption, "each attempt waits for itself")
}

func TestZeroValues(t *testing.T) {
	now := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	f := func(context.Context) (int, error) { return 1, nil }
	for name, try := range map[string]func(){
		"Policy":     func() { _, _ = Do(ctx, &Policy{}, f) },
		"nil Policy": func() { _, _ = Do(ctx, nil, f) },
		"Breaker": func() {
			var b Breaker
			p, _ := b.TryAcquire(now)
			p.Done(now, admission.OutcomeUnhealthy)
			b.State(now)
			b.State(now)
		},
		"Adaptive":     func() { var a Adaptive; _, _ = a.TryAcquire(now); _, _ = a.Acquire(ctx); a.Limit() },
		"Bulkhead":     func() { var a Bulkhead; _, _ = a.TryAcquire(now); _, _ = a.Acquire(ctx) },
		"Shedder":      func() { var s Shedder; p, _ := s.TryAcquire(now, ShedRequest{}); p.Done(now, admission.OutcomeHealthy) },
		"TokenBudget":  func() { var b TokenBudget; b.Retry(now); b.Success(now); b.Tokens() },
		"WindowBudget": func() { var b WindowBudget; b.Request(now); b.Retry(now); b.Balance(now) },
		"Hedger":       func() { var h Hedger; h.Delay(); h.FirstTokenDelay() },
		"Hedger in a policy": func() {
			p, err := NewPolicy(&Options{Hedger: &Hedger{}})
			if err == nil {
				_, _ = Do(ctx, p, f)
			}
		},
		"Breaker in a policy": func() {
			p, err := NewPolicy(&Options{Breaker: &Breaker{}})
			if err == nil {
				_, _ = Do(ctx, p, f)
			}
		},
		"Model":                   func() { var m Model; _, _ = m.GenerateContent(ctx, nil) },
		"Model.SupportsReasoning": func() { var m Model; m.SupportsReasoning(); m.Unwrap() },
		"Exponential":             func() { Exponential{}.Delay(-5, -1, 2); Exponential{}.BackOff(nil).NextBackOff() },
		"State":                   func() { _ = State(200).String(); _ = admission.Outcome(200).String(); _ = Priority(100) },
		"Permit":                  func() { var p admission.Permit; p.Begin(now); p.Done(now, 9); p.Cancel(now) },
		"NewPermit nil": func() {
			p := admission.NewPermit(nil, 0)
			p.Done(now, 0)
			q := admission.NewTimedPermit(nil, time.Time{}, 0)
			q.Begin(now)
			q.Cancel(now)
		},
	} {
		t.Run(name, func(t *testing.T) { require.NotPanics(t, try) })
	}
}

type hostileLLM func(ctx context.Context, o ...llms.CallOption) (*llms.ContentResponse, error)

func (f hostileLLM) GenerateContent(ctx context.Context, _ []llms.MessageContent, o ...llms.CallOption) (*llms.ContentResponse, error) {
	if f == nil {
		return nil, io.EOF
	}
	return f(ctx, o...)
}
func (f hostileLLM) Call(context.Context, string, ...llms.CallOption) (string, error) { return "", nil }

// A storm of calls with random failures, hedges, cancellations and panics leaves
// all counters at zero.
func TestStorm(t *testing.T) {
	g1, g2 := &hostileGate{}, &hostileGate{acquire: func(ctx context.Context) error {
		if rand.IntN(10) == 0 {
			return fault.New(fault.ClassRateLimit, errors.New("no"))
		}
		return nil
	}}
	bulk, _ := NewBulkhead(5, &BulkheadOptions{Queue: 20})
	waiting, _ := NewAdaptive(&AdaptiveOptions{Initial: 6, Interval: 5 * time.Millisecond})
	adaptive, _ := NewAdaptive(&AdaptiveOptions{Initial: 4, Interval: 5 * time.Millisecond})
	breaker, _ := NewBreaker(&BreakerOptions{Failures: 3, OpenFor: 3 * time.Millisecond, Probes: 2})
	shedder, _ := NewShedder(nil)
	hedger, _ := NewHedger(&HedgerOptions{Delay: 300 * time.Microsecond, Budget: NoBudget})
	p, err := NewPolicy(&Options{Gates: []admission.Gate{g1, waiting, g2}, Bulkhead: bulk, Adaptive: adaptive, Breaker: breaker, Shedder: shedder, Hedger: hedger,
		Budget: NoBudget, Backoff: Exponential{Base: time.Microsecond, Cap: time.Millisecond}, Timeouts: Timeouts{Attempt: 3 * time.Millisecond, Total: 30 * time.Millisecond}})
	require.NoError(t, err)
	var wait sync.WaitGroup
	for range 32 {
		wait.Go(func() {
			for range 60 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.IntN(8000))*time.Microsecond)
				func() {
					defer func() { _ = recover() }()
					_, _ = Do(ctx, p, func(ctx context.Context) (int, error) {
						select {
						case <-time.After(time.Duration(rand.IntN(1500)) * time.Microsecond):
						case <-ctx.Done():
							return 0, ctx.Err()
						}
						switch rand.IntN(12) {
						case 0:
							panic("boom")
						case 1, 2, 3:
							return 0, fault.New(fault.ClassServerError, nil)
						}
						return 1, nil
					})
				}()
				cancel()
			}
		})
	}
	wait.Wait()
	require.Zero(t, g1.held.Load())
	require.Zero(t, g2.held.Load())
	require.Empty(t, bulk.room)
	require.Zero(t, bulk.waiting.Load())
	require.Zero(t, adaptive.inFlight)
	require.Zero(t, waiting.inFlight)
	require.Empty(t, waiting.waiting)
	require.Eventually(t, func() bool { // the breaker is not stuck half-open
		_, _ = Do(t.Context(), p, func(context.Context) (int, error) { return 1, nil })
		return breaker.State(time.Now()) == StateClosed
	}, time.Minute, 4*time.Millisecond)
}

// Streams: a panic of the caller's callback, and of the model after a chunk.
func TestStreamPanics(t *testing.T) {
	bulk, _ := NewBulkhead(1, nil)
	m, err := New(hostileLLM(func(ctx context.Context, o ...llms.CallOption) (*llms.ContentResponse, error) {
		var c llms.CallOptions
		for _, f := range o {
			f(&c)
		}
		if err := c.StreamingFunc(ctx, []byte("a")); err != nil {
			return nil, err
		}
		panic("after")
	}), &Options{Bulkhead: bulk, Timeouts: Timeouts{FirstToken: time.Hour, BetweenTokens: time.Hour, Attempt: time.Hour, Total: time.Hour}})
	require.NoError(t, err)
	require.Panics(t, func() {
		_, _ = m.GenerateContent(t.Context(), nil, llms.WithStreamingFunc(func(context.Context, []byte) error { panic("callback") }))
	})
	require.Empty(t, bulk.room)
	require.Panics(t, func() {
		_, _ = m.GenerateContent(t.Context(), nil, llms.WithStreamingFunc(func(context.Context, []byte) error { return nil }))
	})
	require.Empty(t, bulk.room)
}
