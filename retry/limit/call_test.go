package limit

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

// A caller can't talk its estimate down by asking for more than an int holds.
func TestNoEstimateOverflows(t *testing.T) {
	_, use := Estimate(nil, []llms.CallOption{llms.WithMaxTokens(math.MaxInt), llms.WithN(2)}, nil, 0)
	require.Greater(t, use.OutputTokens, 1e9)
	m, err := New(&fakeModel{}, &Options{
		Quota: Quota{Money: Rate{N: USD, Per: time.Hour}},
		Cost: func(_ string, r *llms.ContentResponse) (int64, bool) {
			n, ok := reported(r)
			return int64(n), ok
		},
	})
	require.NoError(t, err)
	c := m.begin(t.Context(), nil, []llms.CallOption{llms.WithMaxTokens(math.MaxInt), llms.WithN(math.MaxInt)})
	require.Greater(t, c.money, int64(1e9))
	require.Greater(t, c.tokens, 1e9)

	n, ok := reported(&llms.ContentResponse{Choices: []*llms.ContentChoice{{GenerationInfo: map[string]any{"PromptTokens": int64(1 << 33), "CompletionTokens": 0}}}})
	require.True(t, ok)
	require.GreaterOrEqual(t, n, math.MaxInt32, "also where an int has 32 bits")
}
