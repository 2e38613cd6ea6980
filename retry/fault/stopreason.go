package fault

import "github.com/prodailabs/prodai/internal/stopreason"

// A StopReason is why an answer ended, in terms of what may be done with it. An
// answer that is not known to be complete should not be treated as complete: it
// is not for a cache, and a program should not parse it without a look.
type StopReason = stopreason.Reason

// The stop reasons.
const (
	StopUnknown  = stopreason.Unknown  // the provider gave no word, or one that is not in the table
	StopComplete = stopreason.Complete // the model came to its end, by a tool call perhaps
	StopCut      = stopreason.Cut      // a limit of length ended the answer
	StopFiltered = stopreason.Filtered // the provider or the model withheld the answer
	StopFailed   = stopreason.Failed   // the generation broke
)

// StopReasonOf returns what a provider's finish or stop reason means, in any
// case of letters: llms.ContentChoice.StopReason, "finish_reason" of the OpenAI
// protocol, "stop_reason" of Anthropic's, "finishReason" of Gemini's.
func StopReasonOf(reason string) StopReason { return stopreason.Of(reason) }
