package limit

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/usage"
)

// A caller can't lower its estimate by a maximum that is too large for an int.
func TestNoEstimateOverflows(t *testing.T) {
	_, use := Estimate(nil, []llms.CallOption{llms.WithMaxTokens(math.MaxInt), llms.WithN(2)}, nil, 0)
	require.Greater(t, use.OutputTokens, 1e9)
	m, err := New(&fakeModel{}, &Options{
		Quota: Quota{Money: Rate{N: USD, Per: time.Hour}},
		Cost: func(_ string, r *llms.ContentResponse) (int64, bool) {
			u, err := usage.Of(r)
			return int64(reported(u)), err == nil
		},
	})
	require.NoError(t, err)
	c := m.begin(t.Context(), nil, []llms.CallOption{llms.WithMaxTokens(math.MaxInt), llms.WithN(math.MaxInt)})
	require.Greater(t, c.money, int64(1e9))
	require.Greater(t, c.tokens, 1e9)

	u, err := usage.Of(&llms.ContentResponse{Choices: []*llms.ContentChoice{{GenerationInfo: map[string]any{"PromptTokens": int64(1 << 33), "CompletionTokens": 0}}}})
	require.NoError(t, err)
	require.GreaterOrEqual(t, reported(u), math.MaxInt32, "also where an int has 32 bits")
}
