package stopreason

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOf(t *testing.T) {
	for want, words := range map[Reason]string{
		Complete: "stop STOP end_turn stop_sequence COMPLETE FINISH_REASON_STOP FinishReasonStop tool_calls function_call tool_use TOOL_CALL eos_token FINISH",
		Cut:      "length LENGTH max_tokens MAX_TOKENS FinishReasonMaxTokens model_length model_context_window_exceeded pause_turn incomplete",
		Filtered: "content_filter CONTENT_FILTERED refusal SAFETY RECITATION BLOCKLIST PROHIBITED_CONTENT SPII IMAGE_SAFETY LANGUAGE sensitive guardrail_intervened my_filter_v2",
		Failed:   "error ERROR_TOXIC malformed_function_call network_error insufficient_system_resource abort cancelled OTHER timeout",
		Unknown:  "null weird stop! stopped_by_admin finish_reason_unspecified",
	} {
		for word := range strings.SplitSeq(words, " ") {
			require.Equal(t, want, Of(word), word)
		}
	}
	require.Equal(t, Unknown, Of(""), "no word proves nothing")
	require.Equal(t, Unknown, Of("FinishReason"))
}

func TestTableIsNormal(t *testing.T) {
	for word, r := range table {
		require.Equal(t, word, normal(word))
		require.NotEqual(t, Unknown, r, word)
	}
	require.Equal(t, "unknown complete cut filtered failed unknown", strings.Join([]string{Unknown.String(), Complete.String(), Cut.String(), Filtered.String(), Failed.String(), Reason(99).String()}, " "))
}
