package openai

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/usage"
)

// TestUsageSurvives: the answer's GenerationInfo means the same as the server's own
// words.
func TestUsageSurvives(t *testing.T) {
	for _, raw := range []string{
		`{"prompt_tokens":9,"completion_tokens":8,"total_tokens":17,"completion_tokens_details":{"reasoning_tokens":6,"audio_tokens":1}}`,
		`{"prompt_tokens":10000,"completion_tokens":100,"total_tokens":10100,"prompt_cache_hit_tokens":9000,"prompt_cache_miss_tokens":1000}`,
		`{"prompt_tokens":21,"completion_tokens":0,"total_tokens":81,"completion_tokens_details":{"reasoning_tokens":60}}`,
		`{"prompt_tokens":100,"completion_tokens":10,"total_tokens":110,"cache_creation_input_tokens":50,"cache_read_input_tokens":40,"prompt_tokens_details":{"cached_tokens":40}}`,
		`{"prompt_tokens":20,"completion_tokens":198,"total_tokens":623}`,
		`{"prompt_tokens":5,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":1,"audio_tokens":2}}`,
	} {
		var fields map[string]any
		require.NoError(t, json.Unmarshal([]byte(raw), &fields))
		want, err := usage.FromInfo(fields)
		require.NoError(t, err)
		r, err := saying{200, `{"choices":[{"message":{"content":"a"},"finish_reason":"stop"}],"usage":` + raw + `}`, nil}.model(t, Options{}).GenerateContent(t.Context(), ask("q"))
		require.NoError(t, err)
		got, err := usage.Of(r)
		require.NoError(t, err)
		require.Equal(t, want, got, raw)
	}
}
