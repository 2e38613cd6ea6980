package fault

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

func TestStopReasonOf(t *testing.T) {
	for word, want := range map[string]StopReason{"": StopUnknown, "stop": StopComplete, "MAX_TOKENS": StopCut, "refusal": StopFiltered, "error": StopFailed} {
		require.Equal(t, want, StopReasonOf(word), word)
	}
}

// Of Gemini's finish reasons, those that withhold an answer without content make
// it an error; the others don't.
func TestBlockedByStopReason(t *testing.T) {
	for reason, filtered := range map[string]bool{
		"SAFETY": true, "RECITATION": true, "PROHIBITED_CONTENT": true, "BLOCKLIST": true, "SPII": true, "IMAGE_SAFETY": true, "LANGUAGE": true, "IMAGE_PROHIBITED_CONTENT": true,
		"STOP": false, "MAX_TOKENS": false, "OTHER": false, "MALFORMED_FUNCTION_CALL": false,
	} {
		e := Classify(Response{Status: 200, Body: []byte(`{"candidates":[{"finishReason":"` + reason + `"}]}`)}, time.Now())
		if !filtered {
			require.Nil(t, e, reason)
			continue
		}
		require.NotNil(t, e, reason)
		require.Equal(t, ClassContentFilter, e.Class, reason)
	}
}

func TestStoppedBy(t *testing.T) {
	answer := func(reasons ...string) *llms.ContentResponse {
		r := &llms.ContentResponse{}
		for _, reason := range reasons {
			r.Choices = append(r.Choices, nil, &llms.ContentChoice{StopReason: reason})
		}
		return r
	}
	require.Nil(t, StoppedBy(nil))
	require.Nil(t, StoppedBy(answer("stop", "length", "content_filter", "made_up", "")))
	for reason, class := range map[string]Class{"error": ClassServerError, "timeout": ClassTimeout, "insufficient_system_resource": ClassOverloaded, "FinishReasonOther": ClassServerError} {
		r := answer("stop", reason)
		e := StoppedBy(r)
		require.NotNil(t, e, reason)
		require.Equal(t, class, e.Class, reason)
		require.Same(t, r, e.Partial)
		require.ErrorIs(t, e, ErrStopReason)
	}
}
