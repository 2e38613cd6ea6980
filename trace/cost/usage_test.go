package cost

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/golden"
)

func answer(info map[string]any) *llms.ContentResponse {
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{GenerationInfo: info}, {GenerationInfo: info}}}
}

func TestUsageOf(t *testing.T) {
	// OpenAI's input contains the tokens that were read from the cache, Anthropic's
	// does not.
	u, err := UsageOf(answer(map[string]any{"PromptTokens": 1200, "CompletionTokens": 80, "PromptCachedTokens": 1024}))
	require.NoError(t, err)
	require.Equal(t, Usage{Input: 1200, CacheRead: 1024, Output: 80}, u)
	u, err = UsageFromInfo(map[string]any{"InputTokens": 100, "OutputTokens": 8, "CacheReadInputTokens": 1000, "CacheCreationInputTokens": 24})
	require.NoError(t, err)
	require.Equal(t, Usage{Input: 1124, CacheRead: 1000, CacheWrite5m: 24, Output: 8}, u)

	_, err = UsageOf(nil)
	require.ErrorIs(t, err, ErrNoUsage)
	_, err = UsageOf(answer(nil))
	require.ErrorIs(t, err, ErrNoUsage)
	_, err = UsageOf(answer(map[string]any{"PromptTokens": -1, "CompletionTokens": 1}))
	require.ErrorIs(t, err, ErrUsage)
}

func TestFromCache(t *testing.T) {
	require.True(t, FromCache(answer(map[string]any{KeyFromCache: "exact"})))
	require.False(t, FromCache(answer(nil)))
	require.False(t, FromCache(nil))
}

// TestBillsOfServersThatSpeakOpenAI: cached tokens, cache writes and reasoning are
// billed in whichever field a server counts them.
func TestBillsOfServersThatSpeakOpenAI(t *testing.T) {
	table, err := Load(bytes.NewReader(golden.Read(t, "trace", "prices.json.gz")))
	require.NoError(t, err)
	golden.Rows(t, "trace", "cost_gateways.jsonl", func(row struct {
		Model string         `json:"model"`
		Usage map[string]any `json:"usage"`
		Want  string         `json:"want_usd"`
	}) error {
		pico, ok := table.Of(row.Model, answer(row.Usage))
		if got := USD(pico); !ok || got != row.Want {
			return fmt.Errorf("%s: got %s (%v), want %s", row.Model, got, ok, row.Want)
		}
		return nil
	})
}

func TestAnUnknownTierIsNotStandard(t *testing.T) {
	table, err := Default()
	require.NoError(t, err)
	_, err = table.Bill("gpt-4o-mini", "banana", Usage{Input: 1})
	require.ErrorIs(t, err, ErrUnknownTier)
	_, ok := table.Of("gpt-4o-mini", answer(map[string]any{"PromptTokens": 1, "CompletionTokens": 1, "ServiceTier": "banana"}))
	require.False(t, ok)
	for _, tier := range serviceTiers {
		_, err = table.Bill("gpt-4o-mini", tier, Usage{Input: 1})
		require.NoError(t, err, tier)
	}
}
