package eval

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLatencyAndCost(t *testing.T) {
	outputs := []*Output{
		{Latency: time.Second, CostPicoUSD: 2e9, InputTokens: 10, OutputTokens: 5},
		{Latency: 3 * time.Second, CostPicoUSD: 4e9, InputTokens: 20, OutputTokens: 5},
		{Latency: 2 * time.Second},
	}
	score := func(m Metric) Score {
		table := must(NewTable(m))
		for _, o := range outputs {
			require.NoError(t, table.Add(t.Context(), &Case{}, o))
		}
		s, err := table.Score()
		require.NoError(t, err)
		return s
	}
	within, err := NewLatencyWithin(2 * time.Second)
	require.NoError(t, err)
	require.InDelta(t, 2, score(NewLatency()).Value, 1e-12)
	require.InDelta(t, 2.0/3, score(within).Value, 1e-12)
	require.InDelta(t, 0.003, score(NewCost()).Value, 1e-15)
	require.Equal(t, 1, score(NewCost()).Skipped)
	require.InDelta(t, 20, score(NewTokenCount()).Value, 1e-12)
	_, err = NewLatencyWithin(0)
	require.ErrorIs(t, err, ErrOption)
}

// TestAnUnknownCostIsNotFree: tokens without a price are skipped; a cost of 0 is
// counted where the output marks it as known.
func TestAnUnknownCostIsNotFree(t *testing.T) {
	sum := must(NewSum(NewCost()))
	for _, o := range []*Output{
		{CostPicoUSD: 4e9, InputTokens: 10},
		{InputTokens: 500_000, OutputTokens: 321_000},
		{InputTokens: 10, CostKnown: true},
	} {
		require.NoError(t, sum.Add(t.Context(), &Case{}, o))
	}
	score, err := sum.Score()
	require.NoError(t, err)
	require.Equal(t, 2, score.Signature.N)
	require.Equal(t, 1, score.Skipped)
	require.InDelta(t, 0.002, score.Value, 1e-15)
	require.ErrorIs(t, sum.Add(t.Context(), &Case{}, &Output{CostPicoUSD: -1, CostKnown: true}), ErrRange)
	require.ErrorIs(t, must(NewSum(NewTokenCount())).Add(t.Context(), &Case{}, &Output{InputTokens: -1}), ErrRange)
}
