package service

import (
	"fmt"

	"github.com/prodailabs/prodai/cache/engine/llama"
)

// answerTokens bounds an answer of a local model: a small one that has lost the thread
// goes on to the end of its context.
const answerTokens = 300

// localModel loads a model that runs in this process. The system prompt and the passages
// stay in its cache of keys and values; what an answer quotes is guessed from them.
func localModel(path string) (*llama.Model, error) {
	m, err := llama.Open(path, &llama.Options{
		MaxTokens: answerTokens, LookUp: llama.Lookup{MaxNGram: 3},
		// Small models say the same again and again. A penalty that saw the whole prompt
		// would keep them from the words of the passages.
		Sampler: llama.SamplerOptions{Repeat: 1.15, Last: 64},
	})
	if err != nil {
		return nil, fmt.Errorf("the local model: %w", err)
	}
	return m, nil
}

const (
	// smallWeights is how many weights a model has that is expected to answer worse than
	// quotes.
	smallWeights = 1e9
	// smallPassages are how many passages a small model gets: it reads for seconds, and
	// loses the thread in a long prompt.
	smallPassages = 3
)

// SmallModel is what was measured of small models, for those who choose one.
const SmallModel = `Small models answer worse than quotes of the notes. SmolLM2-135M and the quotes, on 65
questions by authors who had not read the notes, with 95 % intervals:
                                   SmolLM2-135M           quotes (without -gguf)
  right, at least in part          11/46 = 24 % [14, 38]  40/46 = 87 % [74, 94]
  cited a passage                   0/46                  41/46
  answered what it should refuse   15/15                   0/15
Check what such a model writes against the passages.
`

// isSmall counts a model's weights by its shape.
func isSmall(c llama.Config) bool {
	attention := 2 * c.Width * c.HeadSize * (c.Heads + c.KVHeads)
	return c.Vocabulary*c.Width+c.Layers*(attention+3*c.Width*c.FeedForward) < smallWeights
}
