package service

import (
	"fmt"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/cache/engine/llama"
)

// answerTokens bounds an answer of a local model: a small one that has lost the thread
// goes on to the end of its context.
const answerTokens = 300

// localModel loads a model that runs in this process. The system prompt and the passages
// stay in its cache of keys and values; what an answer quotes is guessed from them.
func localModel(path string) (llms.Model, string, error) {
	m, err := llama.Open(path, &llama.Options{
		MaxTokens: answerTokens, LookUp: llama.Lookup{MaxNGram: 3},
		Sampler: llama.SamplerOptions{Repeat: 1.15, Last: 64}, // small models say the same again and again
	})
	if err != nil {
		return nil, "", fmt.Errorf("the local model: %w", err)
	}
	return m, m.Config().Name, nil
}
