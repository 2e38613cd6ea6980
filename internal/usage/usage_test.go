package usage

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/golden"
)

type usageRow struct {
	GenerationInfo []map[string]any `json:"generation_info"`
	Usage          *struct {
		Input      int64 `json:"input"`
		Output     int64 `json:"output"`
		CacheRead  int64 `json:"cache_read"`
		CacheWrite int64 `json:"cache_write"`
		Reasoning  int64 `json:"reasoning"`
		AudioIn    int64 `json:"audio_in"`
		AudioOut   int64 `json:"audio_out"`
	} `json:"usage"`
}

func TestGoldenUsage(t *testing.T) {
	golden.Rows(t, "trace", "usage_cases.jsonl", func(row usageRow) error {
		r := &llms.ContentResponse{}
		for _, info := range row.GenerationInfo {
			r.Choices = append(r.Choices, &llms.ContentChoice{GenerationInfo: info})
		}
		got, err := Of(r)
		if row.Usage == nil {
			if err == nil {
				return fmt.Errorf("got %+v, want unknown", got)
			}
			return nil
		}
		if err != nil {
			return err
		}
		w := row.Usage
		want := Tokens{Input: w.Input, Output: w.Output, CacheRead: w.CacheRead, CacheWrite: w.CacheWrite,
			Reasoning: w.Reasoning, AudioIn: w.AudioIn, AudioOut: w.AudioOut}
		got.CacheReadEstimate = 0
		if got != want {
			return fmt.Errorf("got %+v, want %+v", got, want)
		}
		return nil
	})
}

func TestRealGoTypes(t *testing.T) {
	type sdkUsage struct { // as Mistral's SDK declares it
		PromptTokens     int `json:"prompt_tokens"`
		CompletionTokens int `json:"completion_tokens"`
		TotalTokens      int `json:"total_tokens"`
	}
	got, err := FromInfo(map[string]any{"model": "m", "usage": sdkUsage{9, 4, 13}})
	require.NoError(t, err)
	require.Equal(t, Tokens{Input: 9, Output: 4}, got)

	got, err = FromInfo(map[string]any{"PromptTokens": int32(100), "CompletionTokens": int32(20), "CachedTokens": int32(60), "CacheReadInputTokens": int32(60)})
	require.NoError(t, err)
	require.Equal(t, Tokens{Input: 100, Output: 20, CacheRead: 60}, got)

	got, err = FromInfo(map[string]any{"PromptTokens": 26, "CompletionTokens": 298, "CachedTokens": 20})
	require.NoError(t, err)
	require.Equal(t, Tokens{Input: 26, Output: 298, CacheReadEstimate: 20}, got)
}

func TestUnknownAndInvalid(t *testing.T) {
	_, err := Of(nil)
	require.ErrorIs(t, err, ErrUnknown)
	_, err = Of(&llms.ContentResponse{Choices: []*llms.ContentChoice{nil, {}}})
	require.ErrorIs(t, err, ErrUnknown)
	_, err = FromInfo(map[string]any{"PromptTokens": 0, "CompletionTokens": 0})
	require.ErrorIs(t, err, ErrUnknown, "langchaingo reports zeros when the provider sent no usage")
	for _, bad := range []any{-1, 1.5, "x", "NaN", 1e300, []int{1}, true} {
		_, err = FromInfo(map[string]any{"PromptTokens": bad, "CompletionTokens": 3})
		require.ErrorIs(t, err, ErrInvalid, "%v", bad)
		require.False(t, errors.Is(err, ErrUnknown))
	}
}

func TestFirstChoiceWithUsageCounts(t *testing.T) {
	got, err := Of(&llms.ContentResponse{Choices: []*llms.ContentChoice{
		{}, {GenerationInfo: map[string]any{"PromptTokens": 3, "CompletionTokens": 2}},
		{GenerationInfo: map[string]any{"PromptTokens": 3, "CompletionTokens": 2}},
	}})
	require.NoError(t, err)
	require.Equal(t, Tokens{Input: 3, Output: 2}, got)
}

func TestServersThatSpeakOpenAI(t *testing.T) {
	for name, row := range map[string]struct {
		info map[string]any
		want Tokens
	}{
		"DeepSeek": {map[string]any{"prompt_tokens": 10000, "completion_tokens": 100, "total_tokens": 10100, "prompt_cache_hit_tokens": 9000, "prompt_cache_miss_tokens": 1000},
			Tokens{Input: 10000, Output: 100, CacheRead: 9000}},
		"Moonshot": {map[string]any{"prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 105, "cached_tokens": 64}, Tokens{Input: 100, Output: 5, CacheRead: 64}},
		"thoughts outside the completion": {map[string]any{"prompt_tokens": 21, "completion_tokens": 0, "total_tokens": 81, "completion_tokens_details": map[string]any{"reasoning_tokens": 60}},
			Tokens{Input: 21, Output: 60, Reasoning: 60}},
		"Anthropic behind a gateway": {map[string]any{"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110, "cache_creation_input_tokens": 50, "cache_read_input_tokens": 40, "prompt_tokens_details": map[string]any{"cached_tokens": 40}},
			Tokens{Input: 100, Output: 10, CacheRead: 40, CacheWrite: 50}},
		"thoughts inside": {map[string]any{"prompt_tokens": 9, "completion_tokens": 8, "total_tokens": 17, "completion_tokens_details": map[string]any{"reasoning_tokens": 6, "audio_tokens": 1}},
			Tokens{Input: 9, Output: 8, Reasoning: 6, AudioOut: 1}},
		"langchaingo's keys, thoughts outside": {map[string]any{"PromptTokens": 21, "CompletionTokens": 10, "TotalTokens": 91}, Tokens{Input: 21, Output: 70, Reasoning: 60}},
	} {
		got, err := FromInfo(row.info)
		require.NoError(t, err, name)
		require.Equal(t, row.want, got, name)
	}
	_, err := FromInfo(map[string]any{"prompt_tokens": 1, "completion_tokens": 1, "prompt_tokens_details": map[string]any{"cached_tokens": -1}})
	require.ErrorIs(t, err, ErrInvalid)
}
