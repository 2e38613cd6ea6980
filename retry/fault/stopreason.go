package fault

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/stopreason"
)

// A StopReason is why an answer ended, in terms of what may be done with it. An
// answer that is not known to be complete should not be put into a cache, and not
// be parsed without a check.
type StopReason = stopreason.Reason

// The stop reasons.
const (
	StopUnknown  = stopreason.Unknown  // the provider sent no word, or one that is not in the table
	StopComplete = stopreason.Complete // the model ended the answer, perhaps with a tool call
	StopCut      = stopreason.Cut      // a limit of length ended the answer
	StopFiltered = stopreason.Filtered // the provider or the model withheld the answer
	StopFailed   = stopreason.Failed   // the generation broke
)

// StopReasonOf returns what a provider's finish or stop reason means, in upper or
// lower case: llms.ContentChoice.StopReason, "finish_reason" of the OpenAI
// protocol, "stop_reason" of Anthropic's, "finishReason" of Gemini's.
func StopReasonOf(reason string) StopReason { return stopreason.Of(reason) }

// classOfStopReason returns the class of an answer that ended for a reason which
// isn't known to be good. A word that isn't in the table is not retried, because a
// server that uses it for good answers would use it again.
func classOfStopReason(reason string) Class {
	switch stopreason.Of(reason) {
	case stopreason.Filtered:
		return ClassContentFilter
	case stopreason.Failed:
		switch {
		case strings.EqualFold(reason, "timeout"):
			return ClassTimeout
		case strings.EqualFold(reason, "insufficient_system_resource"): // DeepSeek
			return ClassOverloaded
		}
		return ClassServerError
	case stopreason.Unknown:
		if reason == "" {
			return ClassMalformed
		}
	}
	return ClassUnknown
}

// StoppedBy returns the error of an answer that was returned as a success and whose
// stop reason is a word for a generation that broke, with the answer in
// Error.Partial; nil for any other answer.
func StoppedBy(r *llms.ContentResponse) *Error {
	if r == nil {
		return nil
	}
	for _, c := range r.Choices {
		if c == nil || c.StopReason == "" || stopreason.Of(c.StopReason) != stopreason.Failed {
			continue
		}
		e := New(classOfStopReason(c.StopReason), fmt.Errorf("%w: its stop reason is %q", ErrStopReason, c.StopReason))
		e.ProviderCode, e.Partial = c.StopReason, r
		return e
	}
	return nil
}

// ErrStopReason is wrapped by the error of [StoppedBy].
var ErrStopReason = errors.New("fault: the generation broke")
