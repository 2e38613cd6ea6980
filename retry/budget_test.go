package retry

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/golden"
)

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

// A field that is not set means the documented default.
func TestBudgetDefaults(t *testing.T) {
	now := time.Unix(0, 0)
	allowed := func(b Budget) (n int) {
		for range 1000 {
			b.Request(now)
		}
		for b.Retry(now) {
			n++
		}
		return n
	}
	window := func(o *WindowBudgetOptions) Budget {
		b, err := NewWindowBudget(o)
		require.NoError(t, err)
		return b
	}
	require.Equal(t, 100+10, allowed(window(nil)))
	require.Equal(t, 100+10, allowed(window(&WindowBudgetOptions{})))
	require.Equal(t, 10, allowed(window(&WindowBudgetOptions{Share: -1})))
	require.Equal(t, 100, allowed(window(&WindowBudgetOptions{PerSecond: -1})))
	require.Zero(t, allowed(window(&WindowBudgetOptions{Share: -1, PerSecond: -1})))
	tokens, err := NewTokenBudget(nil)
	require.NoError(t, err)
	require.EqualValues(t, 10, tokens.Tokens())
	tokens.Retry(now)
	tokens.Success(now)
	require.InDelta(t, 9.1, tokens.Tokens(), 1e-9)
}
