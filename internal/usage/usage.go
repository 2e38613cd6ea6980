// Package usage reads token counts from the GenerationInfo of every langchaingo
// provider. Each provider has its own keys, types and rules:
//
//   - OpenAI, Ollama, Maritaca: PromptTokens, CompletionTokens. Input includes
//     cached tokens (PromptCachedTokens). Ollama's CachedTokens is a guess made
//     by the client, not a billed count.
//   - Anthropic: InputTokens, OutputTokens. Input excludes cache reads and
//     writes, so both are added. There is a choice for each content block.
//   - Google: PromptTokens and input_tokens beside each other; the key
//     CacheReadInputTokens is Anthropic's, but here input includes it.
//   - Bedrock: input_tokens, output_tokens.
//   - Mistral: a struct of its SDK under "usage", read through JSON.
//
// Every choice repeats the usage of the whole response: it is read once and
// never summed. A response without counts, or with nothing but zeros, has
// unknown usage, which is not the same as none.
package usage

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/tmc/langchaingo/llms"
)

// ErrUnknown means that the response has no token counts.
var ErrUnknown = errors.New("the response carries no token counts")

// ErrInvalid means that a count was negative, fractional or too large. The whole
// usage is dropped, because half of it would make a wrong bill.
var ErrInvalid = errors.New("impossible token counts")

// Tokens is the usage of one response. The parts are contained in the totals:
// Input includes CacheRead, CacheWrite and AudioIn; Output includes Reasoning
// and AudioOut.
type Tokens struct {
	Input        int64 // all prompt tokens
	Output       int64 // all generated tokens
	CacheRead    int64 // prompt tokens served from the provider's cache
	CacheWrite   int64 // prompt tokens written to the provider's cache, any lifetime
	CacheWrite1h int64 // the part of CacheWrite with a lifetime of an hour
	Reasoning    int64 // generated tokens that the answer doesn't show
	AudioIn      int64
	AudioOut     int64

	// CacheReadEstimate is a client's guess at CacheRead (Ollama); it is not
	// part of CacheRead and never billed.
	CacheReadEstimate int64
}

// Of returns the usage of r, or [ErrUnknown], or an error that wraps
// [ErrInvalid].
func Of(r *llms.ContentResponse) (Tokens, error) {
	if r == nil {
		return Tokens{}, ErrUnknown
	}
	for _, c := range r.Choices {
		if c == nil {
			continue
		}
		t, err := FromInfo(c.GenerationInfo)
		if !errors.Is(err, ErrUnknown) {
			return t, err
		}
	}
	return Tokens{}, ErrUnknown
}

// FromInfo returns the usage in one choice's GenerationInfo; errors as [Of].
func FromInfo(info map[string]any) (Tokens, error) {
	if nested, ok := info["usage"]; ok {
		if m, ok := asMap(nested); ok {
			info = m
		}
	}
	r := reader{info: info}
	var t Tokens
	switch {
	case r.has("InputTokens", "OutputTokens"): // Anthropic
		t.CacheRead = r.count("CacheReadInputTokens")
		t.CacheWrite = r.count("CacheCreationInputTokens")
		t.CacheWrite1h = r.count("CacheCreation1hInputTokens")
		t.Input = r.count("InputTokens") + t.CacheRead + t.CacheWrite
		t.Output = r.count("OutputTokens")
		t.Reasoning = r.count("ReasoningTokens")
	case r.has("PromptTokens", "CompletionTokens"): // OpenAI, Google, Ollama, Maritaca, Mistral
		t.Input = r.count("PromptTokens")
		t.Output = r.count("CompletionTokens")
		t.CacheRead = max(r.count("PromptCachedTokens"), r.count("CacheReadInputTokens"))
		t.CacheWrite = r.count("PromptCacheWriteTokens")
		t.Reasoning = max(r.count("CompletionReasoningTokens"), r.count("ReasoningTokens"), r.count("ThinkingTokens"))
		t.AudioIn = r.count("PromptAudioTokens")
		t.AudioOut = r.count("CompletionAudioTokens")
		if !r.has("CacheReadInputTokens", "PromptCachedTokens") {
			t.CacheReadEstimate = r.count("CachedTokens")
		}
		r.addUncounted(&t, "TotalTokens")
	case r.has("prompt_tokens", "completion_tokens"): // OpenAI's JSON, Mistral's struct
		r.openAI(&t)
	case r.has("input_tokens", "output_tokens"): // Bedrock
		t.Input = r.count("input_tokens")
		t.Output = r.count("output_tokens")
	}
	if r.err != nil {
		return Tokens{}, r.err
	}
	if t.Input == 0 && t.Output == 0 {
		return Tokens{}, ErrUnknown
	}
	return t, nil
}

// openAI reads the JSON form of OpenAI's API and of the servers that use it. They
// report cached tokens in different places, and always as a part of prompt_tokens:
// details (OpenAI), prompt_cache_hit_tokens (DeepSeek), cached_tokens (Moonshot),
// Anthropic's two fields (gateways).
func (r *reader) openAI(t *Tokens) {
	prompt, completion := r.part("prompt_tokens_details"), r.part("completion_tokens_details")
	t.Input = r.count("prompt_tokens")
	t.Output = r.count("completion_tokens")
	t.CacheRead = max(prompt.count("cached_tokens"), r.count("prompt_cache_hit_tokens"), r.count("cached_tokens"), r.count("cache_read_input_tokens"))
	t.CacheWrite = max(prompt.count("cache_write_tokens"), prompt.count("cache_creation_tokens"), r.count("cache_creation_input_tokens"))
	t.AudioIn = prompt.count("audio_tokens")
	t.Reasoning = completion.count("reasoning_tokens")
	t.AudioOut = completion.count("audio_tokens")
	r.err = errors.Join(r.err, prompt.err, completion.err)
	r.addUncounted(t, "total_tokens")
}

// addUncounted adds to the output what the total has above its two parts: tokens of
// reasoning that a server, such as Gemini's, bills but doesn't count in the
// completion.
func (r *reader) addUncounted(t *Tokens, total string) {
	if rest := r.count(total) - t.Input - t.Output; rest > 0 {
		t.Output += rest
		t.Reasoning = max(t.Reasoning, rest)
	}
}

// part returns a reader of a nested object.
func (r *reader) part(key string) *reader {
	m, _ := asMap(r.info[key])
	return &reader{info: m}
}

// reader reads counts and keeps the first error.
type reader struct {
	info map[string]any
	err  error
}

func (r *reader) has(keys ...string) bool {
	for _, k := range keys {
		if v, ok := r.info[k]; ok && v != nil {
			return true
		}
	}
	return false
}

func (r *reader) count(key string) int64 {
	v, ok := r.info[key]
	if !ok || v == nil {
		return 0
	}
	n, ok := asCount(v)
	if !ok && r.err == nil {
		r.err = fmt.Errorf("%w: %s is %v", ErrInvalid, key, v)
	}
	return n
}

// maxCount bounds a count so that sums and products with a price can't overflow.
const maxCount = 1 << 40

func asCount(v any) (int64, bool) {
	var f float64
	switch v := v.(type) {
	case int:
		f = float64(v)
	case int32:
		f = float64(v)
	case int64:
		f = float64(v)
	case uint32:
		f = float64(v)
	case uint64:
		f = float64(v)
	case float32:
		f = float64(v)
	case float64:
		f = v
	case json.Number:
		return asCount(v.String())
	case string:
		parsed, err := strconv.ParseFloat(v, 64)
		if err != nil {
			return 0, false
		}
		f = parsed
	default:
		return 0, false
	}
	if !(f >= 0 && f <= maxCount) || f != math.Trunc(f) {
		return 0, false
	}
	return int64(f), true
}

// asMap returns v as a map: itself, or a struct through its JSON form.
func asMap(v any) (map[string]any, bool) {
	switch v := v.(type) {
	case nil:
		return nil, false
	case map[string]any:
		return v, true
	}
	data, err := json.Marshal(v)
	if err != nil {
		return nil, false
	}
	var m map[string]any
	return m, json.Unmarshal(data, &m) == nil && m != nil
}

// FromCache is the GenerationInfo key under which a response cache reports that the
// answer was not generated for this call, with the kind of cache that had it. Code
// that counts tokens or money counts none for such an answer.
const FromCache = "FromCache"

// Cached reports whether r came from a response cache.
func Cached(r *llms.ContentResponse) bool {
	if r == nil || len(r.Choices) == 0 || r.Choices[0] == nil {
		return false
	}
	_, ok := r.Choices[0].GenerationInfo[FromCache]
	return ok
}
