package stopreason

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOf(t *testing.T) {
	for want, words := range map[Reason][]string{
		Unknown:  {"", "other", "OTHER", "unknown", "language", "stopped"},
		Complete: {"stop", "STOP", "end_turn", "stop_sequence", "COMPLETE", "FINISH_REASON_STOP", "tool_calls", "tool_use", "tool_call", "function_call"},
		Cut:      {"length", "max_tokens", "MAX_TOKENS", "model_length"},
		Filtered: {"content_filter", "content_filtered", "refusal", "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY", "prompt_filtered"},
		Failed:   {"error", "ERROR_TOXIC", "MALFORMED_FUNCTION_CALL"},
	} {
		for _, word := range words {
			require.Equal(t, want, Of(word), word)
		}
	}
}

func TestString(t *testing.T) {
	require.Equal(t, "cut", Cut.String())
	require.Equal(t, "unknown", Reason(200).String())
}
