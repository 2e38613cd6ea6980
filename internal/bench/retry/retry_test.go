// Package retry_test measures retry and retry/limit beside their peers. Run
//
//	cd internal/bench && go test -bench . -benchmem ./retry
//
// Wall times of one run compare with one another, not with another machine's,
// and on a busy machine only those taken in turn. This prints the medians of
// eight rounds, and of their ratios:
//
//	cd internal/bench && go test ./retry -run Ratios -rounds 8 -benchtime 50ms -v
package retry_test

import (
	"context"
	"flag"
	"slices"
	"strings"
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
	"github.com/prodailabs/prodai/retry/admission"
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

func stack(next llms.Model, timeouts retry.Timeouts) *retry.Model {
	return must(retry.New(next, &retry.Options{
		Budget:   must(retry.NewTokenBudget(nil)),
		Breaker:  must(retry.NewBreaker(nil)),
		Limiter:  must(limit.NewBucket(rate.Limit(1e9), 1e9)),
		Timeouts: timeouts,
	}))
}

// TestSuccessPathAllocates holds the promise: at most two allocations for
// retry, breaker, limit and timeout together.
func TestSuccessPathAllocates(t *testing.T) {
	m, ctx := stack(model{}, retry.Timeouts{Attempt: time.Minute}), context.Background()
	n := testing.AllocsPerRun(1000, func() { _, _ = m.GenerateContent(ctx, nil) })
	if n > 2 {
		t.Errorf("%v allocations on the success path, want at most 2", n)
	}
}

// TestGatesDontAllocate holds what Policy's documentation says.
func TestGatesDontAllocate(t *testing.T) {
	p := must(retry.NewPolicy(&retry.Options{
		Budget: must(retry.NewTokenBudget(nil)), Breaker: must(retry.NewBreaker(nil)), Limiter: must(limit.NewBucket(rate.Limit(1e9), 1e9)),
		Adaptive: must(retry.NewAdaptive(nil)), Bulkhead: must(retry.NewBulkhead(10, &retry.BulkheadOptions{Queue: 10})), Shedder: must(retry.NewShedder(&retry.ShedderOptions{Service: time.Second})),
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

// A work is a benchmark: group/name.
type work struct {
	group, name string
	run         func(*testing.B)
}

// each returns a benchmark of f.
func each(f func()) func(*testing.B) {
	return func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			f()
		}
	}
}

func one() (int, error) { return 1, nil }

func works() []work {
	ctx := context.Background()
	do := func(p *retry.Policy) func() {
		return func() { _, _ = retry.Do(ctx, p, func(context.Context) (int, error) { return 1, nil }) }
	}
	ask := func(m *retry.Model) func() { return func() { _, _ = m.GenerateContent(ctx, nil) } }
	get := func(e failsafe.Executor[int]) func() { return func() { _, _ = e.Get(one) } }
	retries := retrypolicy.NewBuilder[int]().Build()
	breaks := circuitbreaker.NewBuilder[int]().Build()
	rooms := bulkhead.New[int](100)
	ends := timeout.New[int](time.Minute)
	watched := failsafe.With[int](retries, breaks, rooms, ends)
	minute := retry.Timeouts{Attempt: time.Minute}
	breaker := must(retry.NewBreaker(nil))
	gobreak := gobreaker.NewCircuitBreaker[int](gobreaker.Settings{})
	return []work{
		{"Retry", "prodai", each(do(must(retry.NewPolicy(&retry.Options{Budget: retry.NoBudget}))))},
		{"Retry", "backoff-v5", each(func() {
			_, _ = backoffv5.Retry(ctx, one, backoffv5.WithBackOff(backoffv5.NewExponentialBackOff()))
		})},
		{"Retry", "failsafe", each(get(failsafe.With[int](retries)))},
		{"Breaker", "prodai", each(func() {
			if p, err := breaker.TryAcquire(time.Now()); err == nil {
				p.Done(time.Now(), admission.OutcomeHealthy)
			}
		})},
		{"Breaker", "gobreaker", each(func() { _, _ = gobreak.Execute(one) })},
		{"Breaker", "failsafe", each(get(failsafe.With[int](breaks)))},
		{"Hedge", "prodai", each(do(must(retry.NewPolicy(&retry.Options{
			Budget: retry.NoBudget, Hedger: must(retry.NewHedger(&retry.HedgerOptions{Delay: time.Minute, Budget: retry.NoBudget})),
		}))))},
		{"Hedge", "failsafe", each(get(failsafe.With[int](retries, hedgepolicy.NewBuilderWithDelay[int](time.Minute).Build())))},
		{"Stack", "prodai-retry+breaker+limit", each(ask(stack(model{}, retry.Timeouts{})))},
		{"Stack", "failsafe-retry+breaker+bulkhead", each(get(failsafe.With[int](retries, breaks, rooms)))},
		{"Stack", "prodai-retry+breaker+limit+timeout", each(ask(stack(model{}, minute)))},
		{"Stack", "failsafe-retry+breaker+bulkhead+timeout", each(get(watched))},
		{"Stack", "prodai-retry+breaker+limit+timeout, watched", each(ask(stack(watching{}, minute)))},
		{"Stack", "failsafe-retry+breaker+bulkhead+timeout, watched", each(func() {
			_, _ = watched.GetWithExecution(func(x failsafe.Execution[int]) (int, error) {
				select {
				case <-x.Canceled():
					return 0, context.Canceled
				default:
					return 1, nil
				}
			})
		})},
	}
}

func run(b *testing.B, group string) {
	for _, w := range works() {
		if w.group == group {
			b.Run(w.name, w.run)
		}
	}
}

func BenchmarkRetry(b *testing.B)   { run(b, "Retry") }
func BenchmarkBreaker(b *testing.B) { run(b, "Breaker") }
func BenchmarkHedge(b *testing.B)   { run(b, "Hedge") }
func BenchmarkStack(b *testing.B)   { run(b, "Stack") }

var rounds = flag.Int("rounds", 0, "how often TestRatios takes each time")

// TestRatios takes the times of all in turn, several rounds, and prints for
// each peer how many times as long as ours it took.
func TestRatios(t *testing.T) {
	if *rounds == 0 {
		t.Skip("give -rounds")
	}
	all := works()
	ns := make([][]float64, len(all))
	for range *rounds {
		for i, w := range all {
			r := testing.Benchmark(w.run)
			ns[i] = append(ns[i], float64(r.T.Nanoseconds())/float64(r.N))
		}
	}
	ours := 0
	for i, w := range all {
		if strings.HasPrefix(w.name, "prodai") {
			ours = i
			t.Logf("%-8s %-52s %6.0f ns", w.group, w.name, median(ns[i]))
			continue
		}
		ratios := make([]float64, *rounds)
		for r := range ratios {
			ratios[r] = ns[i][r] / ns[ours][r]
		}
		t.Logf("%-8s %-52s %6.0f ns, %.2f times ours (%.2f to %.2f)", w.group, w.name, median(ns[i]), median(ratios), slices.Min(ratios), slices.Max(ratios))
	}
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return (x[(len(x)-1)/2] + x[len(x)/2]) / 2
}
