package cost

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/golden"
)

// flavors are the readers of pydantic/genai-prices whose form is one of ours.
var flavors = map[string]API{
	"openai/chat": APIOpenAIChat, "openai/responses": APIOpenAIResponses, "openai/embeddings": APIOpenAIEmbeddings,
	"anthropic/default": APIAnthropic, "google/default": APIGoogle, "aws/default": APIBedrock, "mistral/default": APIMistral,
}

type bodyRow struct {
	Body      json.RawMessage `json:"body"`
	Extracted []struct {
		Extractors []struct {
			Provider string `json:"provider_id"`
			Flavor   string `json:"api_flavor"`
		}
		Usage map[string]int64
	}
}

// names are the counts that both have. Theirs of text, video and tools have no price
// of their own here.
func names(u Usage) map[string]int64 {
	out := map[string]int64{}
	for name, n := range map[string]int64{
		"input_tokens": u.Input, "output_tokens": u.Output, "cache_read_tokens": u.CacheRead, "cache_write_tokens": u.CacheWrite5m + u.CacheWrite1h, "cache_write_1h_tokens": u.CacheWrite1h,
		"output_reasoning_tokens": u.Reasoning, "input_audio_tokens": u.AudioIn, "output_audio_tokens": u.AudioOut, "output_image_tokens": u.ImageOut,
	} {
		if n != 0 {
			out[name] = n
		}
	}
	return out
}

var compared = []string{"input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens", "output_reasoning_tokens", "input_audio_tokens", "output_audio_tokens", "output_image_tokens"}

func TestGoldenUsageOfBodies(t *testing.T) {
	read := map[API]int{}
	golden.Rows(t, "trace", "genai_prices_usages.jsonl", func(row bodyRow) error {
		for _, group := range row.Extracted {
			for _, x := range group.Extractors {
				api, ours := flavors[x.Provider+"/"+x.Flavor]
				if !ours {
					continue
				}
				read[api]++
				u, err := UsageFromBody(api, row.Body)
				if len(group.Usage) == 0 {
					if u != (Usage{}) {
						return fmt.Errorf("%s: got %+v, want none", api, u)
					}
					continue
				}
				if err != nil {
					return fmt.Errorf("%s: %w", api, err)
				}
				got := names(u)
				for _, name := range compared {
					if got[name] != group.Usage[name] {
						return fmt.Errorf("%s: %s is %d, want %d", api, name, got[name], group.Usage[name])
					}
				}
			}
		}
		return nil
	})
	require.Len(t, read, len(flavors), "every form has rows: %v", read)
}

func TestUsageFromBodyRefuses(t *testing.T) {
	for body, want := range map[string]error{
		`{}`: ErrNoUsage, `{"usage":null}`: ErrNoUsage, `{"usage":{}}`: ErrNoUsage, `{"usage":{"total_tokens":3}}`: ErrNoUsage, `[]`: ErrUsage, `x`: ErrUsage,
		`{"usage":{"prompt_tokens":-1}}`: ErrUsage, `{"usage":{"prompt_tokens":1.5}}`: ErrUsage, `{"usage":{"prompt_tokens":"x"}}`: ErrUsage, `{"usage":{"prompt_tokens":1e99}}`: ErrUsage,
		`{"usage":{"prompt_tokens":1,"prompt_tokens_details":{"cached_tokens":2}}}`: ErrUsage,
	} {
		_, err := UsageFromBody(APIOpenAIChat, []byte(body))
		require.ErrorIs(t, err, want, body)
	}
	_, err := UsageFromBody("made up", []byte(`{}`))
	require.ErrorIs(t, err, ErrOption)
}

func FuzzUsageFromBody(f *testing.F) {
	f.Add(`{"usage":{"prompt_tokens":9,"completion_tokens":8,"prompt_tokens_details":{"cached_tokens":3}}}`)
	f.Add(`{"usageMetadata":{"promptTokenCount":41,"candidatesTokenCount":10,"thoughtsTokenCount":52,"promptTokensDetails":[{"modality":"AUDIO","tokenCount":41}]}}`)
	f.Add(`{"usage":{"input_tokens":4,"cache_creation_input_tokens":219,"cache_creation":{"ephemeral_1h_input_tokens":0}}}`)
	f.Fuzz(func(t *testing.T, body string) {
		for api := range bodies {
			if u, err := UsageFromBody(api, []byte(body)); err == nil {
				require.NoError(t, u.check())
			}
		}
	})
}
