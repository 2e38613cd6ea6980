package cost

import (
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/usage"
)

// ErrNoUsage is wrapped by the errors of [UsageOf] and [UsageFromInfo] for a
// response that carries no token counts. Unknown usage is not zero usage.
var ErrNoUsage = usage.ErrUnknown

// ErrUsage is wrapped by errors about token counts that cannot be right: a count
// is negative, fractional or too large, or a part is larger than the total that
// contains it.
var ErrUsage = usage.ErrInvalid

// KeyFromCache is the GenerationInfo key with which a response cache marks an
// answer that was not generated for this call. Its value is the kind of hit. See
// [FromCache].
const KeyFromCache = usage.FromCache

// FromCache reports whether r came from a response cache. Such an answer used no
// tokens and cost nothing.
func FromCache(r *llms.ContentResponse) bool { return usage.Cached(r) }

// Usage is the tokens of one request. Totals contain their parts: Input contains
// CacheRead, CacheWrite5m, CacheWrite1h, AudioIn and ImageIn; Output contains
// Reasoning, AudioOut and ImageOut.
type Usage struct {
	Input        int64 // all prompt tokens
	CacheRead    int64 // prompt tokens read from the provider's cache
	CacheWrite5m int64 // prompt tokens written to it, kept for five minutes
	CacheWrite1h int64 // prompt tokens written to it, kept for an hour
	AudioIn      int64
	ImageIn      int64

	Output    int64 // all generated tokens
	Reasoning int64 // generated tokens that aren't part of the visible answer
	AudioOut  int64
	ImageOut  int64
}

// UsageOf returns the token counts of a response of any of langchaingo's providers.
// The providers differ: OpenAI's prompt tokens contain the cached ones, Anthropic's
// do not; Google uses Anthropic's key with OpenAI's meaning; Mistral sends a
// struct. UsageOf reads each form and returns one.
//
// Every choice repeats the usage of the whole response: it is read once and
// never summed. The error wraps [ErrNoUsage] or [ErrUsage]. An answer of a
// response cache carries the usage of the call that generated it: ask
// [FromCache] first.
func UsageOf(r *llms.ContentResponse) (Usage, error) {
	t, err := usage.Of(r)
	return normalized(t), err
}

// UsageFromInfo returns the token counts in the GenerationInfo of one choice. Its
// errors are those of [UsageOf].
func UsageFromInfo(info map[string]any) (Usage, error) {
	t, err := usage.FromInfo(info)
	return normalized(t), err
}

func normalized(t usage.Tokens) Usage {
	return Usage{
		Input: t.Input, CacheRead: t.CacheRead, CacheWrite5m: t.CacheWrite - t.CacheWrite1h, CacheWrite1h: t.CacheWrite1h, AudioIn: t.AudioIn,
		Output: t.Output, Reasoning: t.Reasoning, AudioOut: t.AudioOut,
	}
}
