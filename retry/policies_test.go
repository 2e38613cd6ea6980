package retry

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/golden"
	"github.com/prodailabs/prodai/retry/admission"
)

func seconds(s float64) time.Duration { return time.Duration(math.Round(s * 1e9)) }

// strategyOf builds the Exponential that a golden row names; tenacity's rows
// carry their parameters in the name.
func strategyOf(name string, base, limit, mult float64) (Exponential, error) {
	e := Exponential{Base: seconds(base), Cap: seconds(limit), Multiplier: mult}
	if call, ok := strings.CutPrefix(name, "tenacity."); ok {
		fn, args, _ := strings.Cut(strings.TrimSuffix(call, ")"), "(")
		get := func(key string, otherwise float64) float64 {
			for arg := range strings.SplitSeq(args, ",") {
				if v, ok := strings.CutPrefix(strings.TrimSpace(arg), key+"="); ok {
					var f float64
					fmt.Sscan(v, &f)
					return f
				}
			}
			return otherwise
		}
		e = Exponential{Base: seconds(get("multiplier", 1)), Cap: seconds(get("max", 60)), Multiplier: get("exp_base", 2)}
		switch fn {
		case "wait_random_exponential":
			e.Jitter = JitterFull
		case "wait_exponential":
			e.Jitter = JitterNone
		case "wait_exponential_jitter":
			e.Base, e.Jitter = seconds(get("initial", 1)), JitterAdded
			if get("jitter", 1) != get("initial", 1) {
				return e, fmt.Errorf("a jitter other than the initial wait is not offered")
			}
		default:
			return e, fmt.Errorf("unknown strategy %s", name)
		}
		return e, nil
	}
	jitters := map[string]Jitter{"none": JitterNone, "full": JitterFull, "equal": JitterEqual, "decorrelated": JitterDecorrelated, "cenkalti_v4": JitterProportional, "openai_sdk": JitterShaved}
	j, ok := jitters[name]
	if !ok {
		return e, fmt.Errorf("unknown strategy %s", name)
	}
	e.Jitter = j
	return e, nil
}

func TestGoldenBackoff(t *testing.T) {
	type row struct {
		Strategy string    `json:"strategy"`
		Base     float64   `json:"base_s"`
		Cap      float64   `json:"cap_s"`
		Mult     float64   `json:"mult"`
		U        []float64 `json:"u"`
		Seconds  []float64 `json:"delay_s"`
		Nanos    []int64   `json:"delay_ns"`
	}
	golden.Rows(t, "retry", "backoff.jsonl", func(r row) error {
		e, err := strategyOf(r.Strategy, r.Base, r.Cap, r.Mult)
		if err != nil {
			return err
		}
		prev := 0.0
		for n, u := range r.U {
			if r.Nanos != nil {
				if got := e.Delay(n, 0, u); int64(got) != r.Nanos[n] {
					return fmt.Errorf("retry %d: got %d ns, want %d", n, got, r.Nanos[n])
				}
				continue
			}
			prev = e.withDefaults().nanos(n, prev, u)
			if diff := math.Abs(prev/1e9 - r.Seconds[n]); diff > 1e-9 {
				return fmt.Errorf("retry %d: got %v ns, want %v s", n, prev, r.Seconds[n])
			}
			if got := e.Delay(n, 0, u); e.Jitter != JitterDecorrelated && math.Abs(float64(got)-prev) > 0.5 {
				return fmt.Errorf("retry %d: Delay rounds %v ns to %d", n, prev, got)
			}
		}
		return nil
	})
}

func TestGoldenBackoffDistribution(t *testing.T) {
	type moments struct {
		Min, Max, Mean, Var, P10, P50, P90 float64
		MinPossible                        float64 `json:"min_possible"`
		MaxPossible                        float64 `json:"max_possible"`
	}
	type row struct {
		Base                      float64 `json:"base_s"`
		Cap                       float64 `json:"cap_s"`
		N                         int     `json:"n"`
		Full, Equal, Decorrelated *moments
	}
	const draws = 20_000
	rng := rand.New(rand.NewPCG(1, 2))
	golden.Rows(t, "retry", "backoff_distribution.jsonl", func(r row) error {
		for jitter, want := range map[Jitter]*moments{JitterFull: r.Full, JitterEqual: r.Equal, JitterDecorrelated: r.Decorrelated} {
			if want == nil {
				continue
			}
			e := Exponential{Base: seconds(r.Base), Cap: seconds(r.Cap), Jitter: jitter}
			all := make([]float64, draws)
			sum := 0.0
			for i := range all {
				var d time.Duration
				if jitter == JitterDecorrelated {
					for n := range r.N + 1 {
						d = e.Delay(n, d, rng.Float64())
					}
				} else {
					d = e.Delay(r.N, 0, rng.Float64())
				}
				all[i] = d.Seconds()
				sum += all[i]
			}
			slices.Sort(all)
			mean := sum / draws
			low, high := want.Min, want.Max
			tolerance := 4 * math.Sqrt(want.Var/draws)
			if jitter == JitterDecorrelated {
				low, high = want.MinPossible, want.MaxPossible
				tolerance = 0.02 * want.Mean
			}
			if math.Abs(mean-want.Mean) > tolerance {
				return fmt.Errorf("jitter %d: mean %v, want %v ± %v", jitter, mean, want.Mean, tolerance)
			}
			if all[0] < low-1e-9 || all[draws-1] > high+1e-9 {
				return fmt.Errorf("jitter %d: %v to %v, want within %v to %v", jitter, all[0], all[draws-1], low, high)
			}
			if jitter != JitterDecorrelated {
				continue
			}
			for q, v := range map[float64]float64{0.1: want.P10, 0.5: want.P50, 0.9: want.P90} {
				// 2 % of the value, or of the range where the density is flat.
				if got := all[int(q*draws)]; math.Abs(got-v) > max(0.02*v, 0.02*(high-low)) {
					return fmt.Errorf("p%v %v, want %v", 100*q, got, v)
				}
			}
		}
		return nil
	})
}

func TestGoldenBackoffV4(t *testing.T) {
	type row struct {
		Initial   int64   `json:"initial_ns"`
		Max       int64   `json:"max_ns"`
		Mult      float64 `json:"multiplier"`
		Delays    []int64 `json:"delay_ns"`
		Semantics string
	}
	golden.Rows(t, "retry", "backoff_v4.jsonl", func(r row) error {
		if r.Semantics != "" {
			return nil // what Retry of that library does: TestAgainstBackoffV4 says where ours differs
		}
		// A factor that rounds to nothing stands for RandomizationFactor 0.
		b := Exponential{Base: time.Duration(r.Initial), Cap: time.Duration(r.Max), Multiplier: r.Mult, Jitter: JitterProportional, Factor: 1e-300}.BackOff(nil)
		for i, want := range r.Delays {
			if got := b.NextBackOff(); int64(got) != want {
				return fmt.Errorf("wait %d: got %d ns, want %d", i, got, want)
			}
		}
		return nil
	})
}

var _ backoff.BackOff = (*asBackOff)(nil)

func TestBackoffLaws(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		e := Exponential{
			Base: time.Duration(rng.Int64N(1 << rng.IntN(62))), Cap: time.Duration(rng.Int64N(1 << rng.IntN(62))),
			Multiplier: 1 + 10*rng.Float64(), Jitter: Jitter(rng.IntN(7)), Factor: rng.Float64(),
		}
		d := e.Delay(rng.IntN(1000)-1, time.Duration(rng.Int64()), rng.Float64())
		require.GreaterOrEqual(t, d, time.Duration(0), "%+v", e)
		if e.Cap > 0 && e.Jitter != JitterProportional {
			require.LessOrEqual(t, d, e.Cap+e.Cap/(1<<52)+1, "%+v", e)
		}
	}
}

// orNone is an option of a WindowBudget, whose 0 is the default.
func orNone(x float64) float64 {
	if x == 0 {
		return -1
	}
	return x
}

func TestGoldenRetryBudget(t *testing.T) {
	type row struct {
		Budget  string
		Max     float64 `json:"max_tokens"`
		Ratio   float64 `json:"token_ratio"`
		TTL     float64 `json:"ttl_s"`
		Min     float64 `json:"min_retries_per_s"`
		Percent float64 `json:"percent_can_retry"`
		Steps   []struct {
			Event   string
			Tokens  float64
			Allowed bool `json:"retry_allowed"`
			T       float64
			CanTry  *bool `json:"allowed"`
			Balance float64
		}
	}
	golden.Rows(t, "retry", "retry_budget.jsonl", func(r row) error {
		if r.Budget == "grpc_a6" {
			b, err := NewTokenBudget(&TokenBudgetOptions{MaxTokens: r.Max, Ratio: r.Ratio})
			if err != nil {
				return err
			}
			for i, s := range r.Steps {
				allowed := false
				switch s.Event {
				case "ok":
					b.Success(time.Time{})
				case "fail":
					allowed = b.Retry(time.Time{})
				}
				if allowed != s.Allowed || math.Abs(b.Tokens()-s.Tokens) > 1e-9 {
					return fmt.Errorf("step %d (%s): %v, %v tokens; want %v, %v", i, s.Event, allowed, b.Tokens(), s.Allowed, s.Tokens)
				}
			}
			return nil
		}
		b, err := NewWindowBudget(&WindowBudgetOptions{Window: seconds(r.TTL), Share: orNone(r.Percent), PerSecond: orNone(r.Min)})
		if err != nil {
			return err
		}
		epoch := time.Unix(1_790_000_000, 0)
		for i, s := range r.Steps {
			now := epoch.Add(seconds(s.T))
			if s.CanTry == nil {
				b.Request(now)
			} else if got := b.Retry(now); got != *s.CanTry {
				return fmt.Errorf("step %d at %v s: allowed %v, balance %v", i, s.T, got, b.Balance(now))
			}
			if got := b.Balance(now); math.Abs(got-s.Balance) > 1e-9 {
				return fmt.Errorf("step %d at %v s: balance %v, want %v", i, s.T, got, s.Balance)
			}
		}
		return nil
	})
}

func TestGoldenBreaker(t *testing.T) {
	type row struct {
		Interval    int64 `json:"closed_interval_ms"`
		Consecutive int   `json:"consecutive_failures"`
		HalfOpenMax int   `json:"half_open_max"`
		OpenTimeout int64 `json:"open_timeout_ms"`
		Threshold   int   `json:"failure_threshold"`
		Window      int   `json:"window"`
		Successes   int   `json:"half_open_successes"`
		OpenDelay   int64 `json:"open_delay_ms"`
		Steps       []struct {
			T             int64 `json:"t_ms"`
			Before, After string
			Admitted      bool
			Result        string `json:"result_if_admitted"`
		}
	}
	golden.Rows(t, "retry", "breaker.jsonl", func(r row) error {
		o := &BreakerOptions{Failures: r.Consecutive, Probes: r.HalfOpenMax,
			Interval: time.Duration(r.Interval) * time.Millisecond, OpenFor: time.Duration(r.OpenTimeout) * time.Millisecond}
		if r.Window > 0 {
			o = &BreakerOptions{Failures: r.Threshold, Window: r.Window, Probes: r.Successes, OpenFor: time.Duration(r.OpenDelay) * time.Millisecond}
		}
		b, err := NewBreaker(o)
		if err != nil {
			return err
		}
		epoch := time.Unix(1_790_000_000, 0)
		b.State(epoch) // gobreaker's first interval begins when it is made
		for i, s := range r.Steps {
			now := epoch.Add(time.Duration(s.T) * time.Millisecond)
			before := b.State(now).String()
			// failsafe-go says "open" until a call asks; ours as soon as the time is over.
			if before != s.Before && !(r.Window > 0 && before == "half-open" && s.Before == "open" && s.Admitted) {
				return fmt.Errorf("step %d at %d ms: %s before, want %s", i, s.T, before, s.Before)
			}
			permit, err := b.TryAcquire(now)
			if (err == nil) != s.Admitted {
				return fmt.Errorf("step %d at %d ms: admitted %v, want %v", i, s.T, err == nil, s.Admitted)
			}
			if err == nil {
				permit.Done(now, map[string]admission.Outcome{"ok": admission.OutcomeHealthy, "fail": admission.OutcomeUnhealthy}[s.Result])
			}
			if after := b.State(now).String(); after != s.After {
				return fmt.Errorf("step %d at %d ms: %s after, want %s", i, s.T, after, s.After)
			}
		}
		return nil
	})
}

func TestBreakerIgnoresAnEarlierGeneration(t *testing.T) {
	b, err := NewBreaker(&BreakerOptions{Failures: 1, OpenFor: time.Second})
	require.NoError(t, err)
	now := time.Unix(0, 0)
	slow, err := b.TryAcquire(now)
	require.NoError(t, err)
	quick, err := b.TryAcquire(now)
	require.NoError(t, err)
	quick.Done(now, admission.OutcomeUnhealthy)
	_, err = b.TryAcquire(now)
	require.ErrorIs(t, err, ErrOpen)
	now = now.Add(2 * time.Second)
	probe, err := b.TryAcquire(now)
	require.NoError(t, err)
	slow.Done(now, admission.OutcomeUnhealthy) // from before the outage
	require.Equal(t, StateHalfOpen, b.State(now))
	probe.Done(now, admission.OutcomeHealthy)
	require.Equal(t, StateClosed, b.State(now))
}

func TestBreakerAdmitsOnlyItsProbes(t *testing.T) {
	b, err := NewBreaker(&BreakerOptions{Failures: 1, OpenFor: time.Second, Probes: 3})
	require.NoError(t, err)
	now := time.Unix(0, 0)
	first, _ := b.TryAcquire(now)
	first.Done(now, admission.OutcomeUnhealthy)
	now = now.Add(2 * time.Second)
	var wg sync.WaitGroup
	var mu sync.Mutex
	admitted := 0
	for range 50 {
		wg.Go(func() {
			if _, err := b.TryAcquire(now); err == nil {
				mu.Lock()
				admitted++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	require.Equal(t, 3, admitted)
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
