// Package retry_test measures retry and retry/limit beside their peers. Run
//
//	cd internal/bench && go test -bench . -benchmem ./retry
//
// Wall times of one run compare with one another, not with another machine's.
package retry_test

import (
	"context"
	"testing"
	"time"

	backoffv5 "github.com/cenkalti/backoff/v5"
	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/hedgepolicy"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
	"github.com/failsafe-go/failsafe-go/timeout"
	"github.com/sony/gobreaker/v2"
	"github.com/tmc/langchaingo/llms"
	"golang.org/x/time/rate"

	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/limit"
)

var answer = &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "ok"}}}

type model struct{ llms.Model }

func (model) GenerateContent(context.Context, []llms.MessageContent, ...llms.CallOption) (*llms.ContentResponse, error) {
	return answer, nil
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func stack(timeouts retry.Timeouts) *retry.Model { return stackOver(model{}, timeouts) }

func stackOver(next llms.Model, timeouts retry.Timeouts) *retry.Model {
	return must(retry.New(next, &retry.Options{
		Budget:   must(retry.NewTokenBudget(10, 0.1)),
		Breaker:  must(retry.NewBreaker(nil)),
		Limiter:  must(limit.NewBucket(rate.Limit(1e9), 1e9)),
		Timeouts: timeouts,
	}))
}

// TestSuccessPathAllocates holds the promise: at most two allocations for
// retry, breaker, limit and timeout together.
func TestSuccessPathAllocates(t *testing.T) {
	m, ctx := stack(retry.Timeouts{Attempt: time.Minute}), context.Background()
	n := testing.AllocsPerRun(1000, func() { _, _ = m.GenerateContent(ctx, nil) })
	if n > 2 {
		t.Errorf("%v allocations on the success path, want at most 2", n)
	}
}

// TestGatesDontAllocate holds what Policy's documentation says.
func TestGatesDontAllocate(t *testing.T) {
	p := must(retry.NewPolicy(&retry.Options{
		Budget: must(retry.NewTokenBudget(10, 0.1)), Breaker: must(retry.NewBreaker(nil)), Limiter: must(limit.NewBucket(rate.Limit(1e9), 1e9)),
		Adaptive: must(retry.NewAdaptive(nil)), Bulkhead: must(retry.NewBulkhead(10, 10)), Shedder: must(retry.NewShedder(time.Second)),
		Timeouts: retry.Timeouts{Attempt: time.Minute},
	}))
	ctx := context.Background()
	n := testing.AllocsPerRun(1000, func() { _, _ = retry.Do(ctx, p, func(context.Context) (int, error) { return 1, nil }) })
	if n > 1 {
		t.Errorf("%v allocations on the success path, want 1", n)
	}
}

// watching is a model that looks whether its context is done, as one that
// waits for a network does: then the timeout's timer has to run.
type watching struct{ llms.Model }

func (watching) GenerateContent(ctx context.Context, _ []llms.MessageContent, _ ...llms.CallOption) (*llms.ContentResponse, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	default:
		return answer, nil
	}
}

func BenchmarkRetry(b *testing.B) {
	ctx := context.Background()
	b.Run("prodai", func(b *testing.B) {
		p := must(retry.NewPolicy(&retry.Options{Budget: retry.NoBudget}))
		b.ReportAllocs()
		for b.Loop() {
			_, _ = retry.Do(ctx, p, func(context.Context) (int, error) { return 1, nil })
		}
	})
	b.Run("backoff-v5", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = backoffv5.Retry(ctx, func() (int, error) { return 1, nil }, backoffv5.WithBackOff(backoffv5.NewExponentialBackOff()))
		}
	})
	b.Run("failsafe", func(b *testing.B) {
		e := failsafe.With(retrypolicy.NewBuilder[int]().Build())
		b.ReportAllocs()
		for b.Loop() {
			_, _ = e.Get(func() (int, error) { return 1, nil })
		}
	})
}

func BenchmarkBreaker(b *testing.B) {
	b.Run("prodai", func(b *testing.B) {
		c := must(retry.NewBreaker(nil))
		b.ReportAllocs()
		for b.Loop() {
			t, err := c.Allow(time.Now())
			if err == nil {
				c.Done(time.Now(), t, retry.Healthy)
			}
		}
	})
	b.Run("gobreaker", func(b *testing.B) {
		c := gobreaker.NewCircuitBreaker[int](gobreaker.Settings{})
		b.ReportAllocs()
		for b.Loop() {
			_, _ = c.Execute(func() (int, error) { return 1, nil })
		}
	})
	b.Run("failsafe", func(b *testing.B) {
		e := failsafe.With(circuitbreaker.NewBuilder[int]().Build())
		b.ReportAllocs()
		for b.Loop() {
			_, _ = e.Get(func() (int, error) { return 1, nil })
		}
	})
}

func BenchmarkStack(b *testing.B) {
	ctx := context.Background()
	b.Run("prodai-retry+breaker+limit", func(b *testing.B) {
		m := stack(retry.Timeouts{})
		b.ReportAllocs()
		for b.Loop() {
			_, _ = m.GenerateContent(ctx, nil)
		}
	})
	b.Run("prodai-retry+breaker+limit+timeout", func(b *testing.B) {
		m := stack(retry.Timeouts{Attempt: time.Minute})
		b.ReportAllocs()
		for b.Loop() {
			_, _ = m.GenerateContent(ctx, nil)
		}
	})
	b.Run("prodai-retry+breaker+limit+timeout-watched", func(b *testing.B) {
		m := stackOver(watching{}, retry.Timeouts{Attempt: time.Minute})
		b.ReportAllocs()
		for b.Loop() {
			_, _ = m.GenerateContent(ctx, nil)
		}
	})
	b.Run("failsafe-retry+breaker+bulkhead", func(b *testing.B) {
		e := failsafe.With[int](retrypolicy.NewBuilder[int]().Build(), circuitbreaker.NewBuilder[int]().Build(), bulkhead.New[int](100))
		b.ReportAllocs()
		for b.Loop() {
			_, _ = e.Get(func() (int, error) { return 1, nil })
		}
	})
	b.Run("failsafe-retry+breaker+bulkhead+timeout", func(b *testing.B) {
		e := failsafe.With[int](retrypolicy.NewBuilder[int]().Build(), circuitbreaker.NewBuilder[int]().Build(), bulkhead.New[int](100), timeout.New[int](time.Minute))
		b.ReportAllocs()
		for b.Loop() {
			_, _ = e.Get(func() (int, error) { return 1, nil })
		}
	})
	b.Run("failsafe-retry+breaker+bulkhead+timeout-watched", func(b *testing.B) {
		e := failsafe.With[int](retrypolicy.NewBuilder[int]().Build(), circuitbreaker.NewBuilder[int]().Build(), bulkhead.New[int](100), timeout.New[int](time.Minute))
		b.ReportAllocs()
		for b.Loop() {
			_, _ = e.GetWithExecution(func(x failsafe.Execution[int]) (int, error) {
				select {
				case <-x.Canceled():
					return 0, context.Canceled
				default:
					return 1, nil
				}
			})
		}
	})
}

func BenchmarkHedge(b *testing.B) {
	b.Run("prodai", func(b *testing.B) {
		h := must(retry.NewHedger(&retry.HedgerOptions{Delay: time.Minute}))
		p := must(retry.NewPolicy(&retry.Options{Budget: retry.NoBudget, Hedger: h}))
		ctx := context.Background()
		b.ReportAllocs()
		for b.Loop() {
			_, _ = retry.Do(ctx, p, func(context.Context) (int, error) { return 1, nil })
		}
	})
	b.Run("failsafe", func(b *testing.B) {
		e := failsafe.With[int](retrypolicy.NewBuilder[int]().Build(), hedgepolicy.NewBuilderWithDelay[int](time.Minute).Build())
		b.ReportAllocs()
		for b.Loop() {
			_, _ = e.Get(func() (int, error) { return 1, nil })
		}
	})
}
