package eval

import (
	"context"
	"fmt"
	"time"
)

// simple returns a mean over the outputs' own numbers.
func simple(sig Signature, f func(o *Output) (float64, error)) Metric {
	return &mean{sig, func(_ context.Context, _ *Case, o *Output) (float64, error) { return f(o) }}
}

// NewLatency returns the mean latency in seconds. Lower is better. A mean hides the
// few very slow answers; [NewLatencyWithin] doesn't.
func NewLatency() Metric {
	return simple(Signature{Metric: "latency", Params: "unit:s|stat:mean", LowerIsBetter: true}, func(o *Output) (float64, error) {
		return o.Latency.Seconds(), nil
	})
}

// NewLatencyWithin returns the share of answers that took at most this long. A
// percentile isn't a sum, but a bound on one is: "p95 <= 2s" is "the share
// within 2s is at least 0.95", which adds up over shards and slices.
func NewLatencyWithin(budget time.Duration) (Metric, error) {
	if budget <= 0 {
		return nil, fmt.Errorf("%w: the budget is %v: want more than 0", ErrOption, budget)
	}
	return simple(Signature{Metric: "within", Params: "budget:" + budget.String()}, func(o *Output) (float64, error) {
		return indicator(o.Latency <= budget), nil
	}), nil
}

// NewCost returns the mean cost of an answer in US dollars. Lower is better. An
// output whose cost is 0 is skipped unless CostKnown is set: a model without a
// known price is not a model that is free.
func NewCost() Metric {
	return simple(Signature{Metric: "cost", Params: "unit:USD|stat:mean", LowerIsBetter: true}, func(o *Output) (float64, error) {
		if o.CostPicoUSD < 0 {
			return 0, fmt.Errorf("%w: a cost of %d pico-USD", ErrRange, o.CostPicoUSD)
		}
		if o.CostPicoUSD == 0 && !o.CostKnown {
			return 0, skip("the output's cost is unknown")
		}
		return float64(o.CostPicoUSD) / 1e12, nil
	})
}

// NewTokenCount returns the mean number of tokens of an answer, prompt and
// completion together. Lower is better.
func NewTokenCount() Metric {
	return simple(Signature{Metric: "tokens", Params: "stat:mean", LowerIsBetter: true}, func(o *Output) (float64, error) {
		if o.InputTokens == 0 && o.OutputTokens == 0 {
			return 0, skip("the output has no token counts")
		}
		if o.InputTokens < 0 || o.OutputTokens < 0 {
			return 0, fmt.Errorf("%w: %d and %d tokens", ErrRange, o.InputTokens, o.OutputTokens)
		}
		return float64(o.InputTokens + o.OutputTokens), nil
	})
}
