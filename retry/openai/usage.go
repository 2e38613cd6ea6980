package openai

import (
	"encoding/json"

	"github.com/prodailabs/prodai/internal/usage"
)

// addUsage adds a usage, in whatever place the server put it. The last one counts,
// since some engines send running totals. A usage without counts is ignored.
func (a *answer) addUsage(raw *json.RawMessage) {
	if raw == nil {
		return
	}
	if a.usage != nil {
		if _, _, ok := readUsage(*raw); !ok {
			return
		}
	}
	a.usage = *raw
}

// readUsage returns a usage as the server wrote it and as what it means, and
// whether there are counts in it. A usage that can't be right is ignored, and the
// answer is kept.
func readUsage(raw []byte) (fields map[string]any, t usage.Tokens, ok bool) {
	if json.Unmarshal(raw, &fields) != nil {
		return nil, t, false
	}
	t, err := usage.FromInfo(fields)
	return fields, t, err == nil && t.Input <= maxLimit && t.Output <= maxLimit
}

// A tokenCount is an entry of GenerationInfo.
type tokenCount struct {
	key string
	n   int
}

// tokenCounts returns a usage under the keys of langchaingo's client, or nil if
// none is known. For every server, cached tokens are part of PromptTokens, thoughts
// are part of CompletionTokens, and TotalTokens is the sum.
func tokenCounts(raw []byte) []tokenCount {
	if raw == nil {
		return nil
	}
	fields, t, ok := readUsage(raw)
	if !ok {
		return nil
	}
	counts := make([]tokenCount, 0, 14)
	_, sentPrompt := fields["prompt_tokens_details"].(map[string]any)
	completion, sentCompletion := fields["completion_tokens_details"].(map[string]any)
	predicted := func(name string) int64 {
		n, _ := completion[name].(float64)
		return int64(min(max(n, 0), maxLimit))
	}
	set := func(n int64, sent bool, keys ...string) {
		for _, key := range keys {
			if sent || n > 0 {
				counts = append(counts, tokenCount{key, int(n)})
			}
		}
	}
	set(t.Input, true, "PromptTokens")
	set(t.Output, true, "CompletionTokens")
	set(t.Input+t.Output, true, "TotalTokens")
	set(t.CacheRead, sentPrompt, "PromptCachedTokens")
	set(t.CacheWrite, false, "PromptCacheWriteTokens")
	set(t.AudioIn, sentPrompt, "PromptAudioTokens")
	set(t.Reasoning, sentCompletion, "ReasoningTokens", "CompletionReasoningTokens", "ThinkingTokens")
	set(t.AudioOut, sentCompletion, "CompletionAudioTokens")
	set(predicted("accepted_prediction_tokens"), sentCompletion, "CompletionAcceptedPredictionTokens")
	set(predicted("rejected_prediction_tokens"), sentCompletion, "CompletionRejectedPredictionTokens")
	return counts
}
