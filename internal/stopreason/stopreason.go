// Package stopreason sorts the words by which providers say why an answer ended.
// Public code finds it as fault.StopReason in package retry/fault.
package stopreason

import "strings"

// A Reason is why an answer ended, in terms of what may be done with it.
type Reason uint8

// The reasons.
const (
	Unknown  Reason = iota // no word, or one that is not in the table
	Complete               // the model came to its end, by a tool call perhaps
	Cut                    // a limit of length ended it
	Filtered               // the provider or the model withheld it
	Failed                 // the generation broke
)

// String returns "unknown", "complete", "cut", "filtered" or "failed".
func (r Reason) String() string {
	if r > Failed {
		r = Unknown
	}
	return [...]string{"unknown", "complete", "cut", "filtered", "failed"}[r]
}

var table = map[string]Reason{
	"stop":               Complete, // OpenAI, Gemini, Mistral, vLLM, Ollama
	"end_turn":           Complete, // Anthropic, Bedrock
	"stop_sequence":      Complete, // Anthropic, Bedrock
	"complete":           Complete, // Cohere
	"finish_reason_stop": Complete, // Bedrock's older models
	"tool_calls":         Complete, // OpenAI
	"function_call":      Complete, // OpenAI, before tools
	"tool_use":           Complete, // Anthropic, Bedrock
	"tool_call":          Complete, // Cohere

	"length":       Cut, // OpenAI, Ollama, vLLM
	"max_tokens":   Cut, // Anthropic, Gemini, Bedrock, Cohere
	"model_length": Cut, // Mistral: the window's end

	"content_filter":     Filtered, // OpenAI, Azure
	"content_filtered":   Filtered, // Bedrock
	"refusal":            Filtered, // Anthropic
	"safety":             Filtered, // Gemini, from here on
	"recitation":         Filtered,
	"blocklist":          Filtered,
	"prohibited_content": Filtered,
	"spii":               Filtered,
	"image_safety":       Filtered,

	"error":                   Failed, // OpenRouter, Mistral, Cohere
	"error_toxic":             Failed, // Cohere
	"malformed_function_call": Failed, // Gemini
}

// Of returns what a provider's word means, in any case of letters.
func Of(word string) Reason {
	word = strings.ToLower(word)
	if r, ok := table[word]; ok {
		return r
	}
	if strings.Contains(word, "filter") { // as gateways vary it
		return Filtered
	}
	return Unknown
}
