package retry

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/golden"
)

// Where Do differs from backoff/v4's Retry: it returns at once if the next wait
// passes the deadline, keeps the operation's error beside the context's, and
// takes that library's policies.
func TestAgainstBackoffV4(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom := errors.New("connection reset by peer")
		p, err := NewPolicy(&Options{MaxAttempts: 10, NewBackOff: func() backoff.BackOff {
			return backoff.WithMaxRetries(backoff.NewConstantBackOff(2*time.Second), 2)
		}})
		require.NoError(t, err)
		calls := 0
		begin := time.Now()
		_, err = Do(t.Context(), p, func(context.Context) (int, error) { calls++; return 0, boom })
		require.Equal(t, 3, calls)
		require.Equal(t, 4*time.Second, time.Since(begin))
		require.ErrorIs(t, err, boom)

		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		begin = time.Now()
		_, err = Do(ctx, p, func(context.Context) (int, error) { return 0, boom })
		require.Equal(t, 2*time.Second, time.Since(begin))
		require.ErrorIs(t, err, boom)

		// Ours inside theirs.
		calls = 0
		err = backoff.Retry(func() error { calls++; return boom }, backoff.WithMaxRetries(Exponential{}.BackOff(rand.New(rand.NewPCG(1, 1)).Float64), 2))
		require.ErrorIs(t, err, boom)
		require.Equal(t, 3, calls)
	})
}

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
			return nil // what Retry of that library does: TestAgainstBackoffV4 shows where ours differs
		}
		// A factor that rounds to nothing is used for RandomizationFactor 0.
		b := Exponential{Base: time.Duration(r.Initial), Cap: time.Duration(r.Max), Multiplier: r.Mult, Jitter: JitterProportional, Factor: 1e-300}.BackOff(nil)
		for i, want := range r.Delays {
			if got := b.NextBackOff(); int64(got) != want {
				return fmt.Errorf("wait %d: got %d ns, want %d", i, got, want)
			}
		}
		return nil
	})
}

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
