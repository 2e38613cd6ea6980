package cost

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"github.com/prodailabs/prodai/internal/usage"
)

// An API is the form of a provider's response: where it has its token counts, and
// what they mean.
type API string

// The forms that [UsageFromBody] reads.
const (
	APIOpenAIChat       API = "openai.chat"       // and servers that use its form: cached tokens are inside the input
	APIOpenAIResponses  API = "openai.responses"  // the same with other names
	APIOpenAIEmbeddings API = "openai.embeddings" // input only
	APIAnthropic        API = "anthropic"         // cached tokens are beside the input
	APIGoogle           API = "google"            // Gemini: thoughts are beside the output, tool results beside the input
	APIBedrock          API = "aws.bedrock"       // Converse: cached tokens are beside the input
	APIMistral          API = "mistral_ai"        // OpenAI's, without cache writes
)

// UsageFromBody returns the token counts in the JSON body of a response, or in one
// event of a stream, for programs that don't use langchaingo. A count that the form
// does not have is 0; a body without any is [ErrNoUsage]. Counts that cannot be
// right are [ErrUsage].
//
// Streams of OpenAI and Google repeat growing counts: keep those of the last event
// that has some. Anthropic's first event has the input and its last the output.
func UsageFromBody(api API, body []byte) (Usage, error) {
	read, key := bodies[api], "usage"
	if read == nil {
		return Usage{}, fmt.Errorf("%w: the API %q: want one of the API constants", ErrOption, api)
	}
	if api == APIGoogle {
		key = "usageMetadata"
	}
	var root map[string]any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&root); err != nil {
		return Usage{}, fmt.Errorf("%w: the body is not a JSON object: %w", ErrUsage, err)
	}
	counts, ok := root[key].(map[string]any)
	if !ok {
		return Usage{}, fmt.Errorf("%w: no %q in the body", ErrNoUsage, key)
	}
	b := &bodyReader{counts: counts}
	u := read(b)
	switch {
	case b.err != nil:
		return Usage{}, b.err
	case !b.found:
		return Usage{}, fmt.Errorf("%w: no counts of the API %q", ErrNoUsage, api)
	}
	return u, u.check()
}

// check refuses parts that are larger than what contains them.
func (u Usage) check() error {
	if text, spoken := u.plain(); min(text, spoken, u.CacheRead, u.CacheWrite5m, u.CacheWrite1h, u.AudioIn, u.ImageIn, u.Reasoning, u.AudioOut, u.ImageOut) < 0 {
		return fmt.Errorf("%w: a part is negative or larger than its total: %+v", ErrUsage, u)
	}
	return nil
}

// plain is the tokens of text: what no part has.
func (u Usage) plain() (in, out int64) {
	return u.Input - u.CacheRead - u.CacheWrite5m - u.CacheWrite1h - u.AudioIn - u.ImageIn, u.Output - u.Reasoning - u.AudioOut - u.ImageOut
}

var bodies = map[API]func(*bodyReader) Usage{
	APIOpenAIChat: func(b *bodyReader) Usage {
		in, out := b.part("prompt_tokens_details"), b.part("completion_tokens_details")
		u := Usage{Input: b.count("prompt_tokens"), CacheRead: in.count("cached_tokens"), CacheWrite5m: in.count("cache_write_tokens"), AudioIn: in.count("audio_tokens"),
			Output: b.count("completion_tokens"), Reasoning: out.count("reasoning_tokens"), AudioOut: out.count("audio_tokens")}
		b.join(in, out)
		return u
	},
	APIMistral: func(b *bodyReader) Usage {
		in, out := b.part("prompt_tokens_details"), b.part("completion_tokens_details")
		u := Usage{Input: b.count("prompt_tokens"), CacheRead: in.count("cached_tokens"), Output: b.count("completion_tokens"), Reasoning: out.count("reasoning_tokens")}
		b.join(in, out)
		return u
	},
	APIOpenAIEmbeddings: func(b *bodyReader) Usage { return Usage{Input: b.count("prompt_tokens")} },
	APIOpenAIResponses: func(b *bodyReader) Usage {
		in, out := b.part("input_tokens_details"), b.part("output_tokens_details")
		u := Usage{Input: b.count("input_tokens"), CacheRead: in.count("cached_tokens"), CacheWrite5m: in.count("cache_write_tokens"),
			Output: b.count("output_tokens"), Reasoning: out.count("reasoning_tokens")}
		b.join(in, out)
		return u
	},
	APIAnthropic: func(b *bodyReader) Usage {
		kept, out := b.part("cache_creation"), b.part("output_tokens_details")
		read, write, hour := b.count("cache_read_input_tokens"), b.count("cache_creation_input_tokens"), kept.count("ephemeral_1h_input_tokens")
		u := Usage{Input: b.count("input_tokens") + read + write, CacheRead: read, CacheWrite5m: write - hour, CacheWrite1h: hour,
			Output: b.count("output_tokens"), Reasoning: out.count("thinking_tokens")}
		b.join(kept, out)
		return u
	},
	APIBedrock: func(b *bodyReader) Usage {
		read, write := b.count("cacheReadInputTokens"), b.count("cacheWriteInputTokens")
		return Usage{Input: b.count("inputTokens") + read + write, CacheRead: read, CacheWrite5m: write, Output: b.count("outputTokens")}
	},
	APIGoogle: func(b *bodyReader) Usage {
		thoughts := b.count("thoughtsTokenCount")
		u := Usage{Input: b.count("promptTokenCount") + b.count("toolUsePromptTokenCount"), CacheRead: b.count("cachedContentTokenCount"),
			Output: b.count("candidatesTokenCount") + thoughts, Reasoning: thoughts}
		in, cached, out := b.modalities("promptTokensDetails"), b.modalities("cacheTokensDetails"), b.modalities("candidatesTokensDetails")
		// What was read from the cache is billed as that, and not as audio or image too.
		u.AudioIn = max(in["AUDIO"]-cached["AUDIO"], 0)
		u.ImageIn = max(in["IMAGE"]+in["DOCUMENT"]-cached["IMAGE"]-cached["DOCUMENT"], 0)
		u.AudioOut, u.ImageOut = out["AUDIO"], out["IMAGE"]
		return u
	},
}

// bodyReader reads counts and keeps the first error.
type bodyReader struct {
	counts map[string]any
	found  bool // a count was there
	err    error
}

func (b *bodyReader) count(key string) int64 {
	v, ok := b.counts[key]
	if !ok || v == nil {
		return 0
	}
	b.found = true
	n, err := wholeCount(v)
	if err != nil && b.err == nil {
		b.err = fmt.Errorf("%w: %s is %v", ErrUsage, key, v)
	}
	return n
}

// part returns a reader of a nested object.
func (b *bodyReader) part(key string) *bodyReader {
	m, _ := b.counts[key].(map[string]any)
	return &bodyReader{counts: m}
}

func (b *bodyReader) join(parts ...*bodyReader) {
	for _, p := range parts {
		if b.err == nil {
			b.err = p.err
		}
	}
}

// modalities reads Google's lists of counts by kind of content.
func (b *bodyReader) modalities(key string) map[string]int64 {
	out := map[string]int64{}
	list, _ := b.counts[key].([]any)
	for _, x := range list {
		m, _ := x.(map[string]any)
		name, _ := m["modality"].(string)
		r := bodyReader{counts: m}
		out[name] += r.count("tokenCount")
		b.join(&r)
	}
	return out
}

// wholeCount reads a count that is not negative and small enough to be multiplied.
func wholeCount(v any) (int64, error) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, usage.ErrInvalid
	}
	f, err := strconv.ParseFloat(n.String(), 64)
	if err != nil || !(f >= 0 && f <= 1<<40) || f != math.Trunc(f) {
		return 0, usage.ErrInvalid
	}
	return int64(f), nil
}
