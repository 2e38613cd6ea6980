// Package stopreason sorts the words by which providers say why an answer ended.
// Public code finds it as fault.StopReason in package retry/fault.
//
// It is a list of what is known to be complete. A word that is not in the table,
// or no word at all, is no proof that the answer is whole.
package stopreason

import "strings"

// A Reason is why an answer ended, in terms of what may be done with it.
type Reason uint8

// The reasons.
const (
	Unknown  Reason = iota // no word, or one that is not in the table
	Complete               // the model came to its end, by a tool call perhaps
	Cut                    // a limit ended it, or the turn goes on
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

// table has the words in their [normal] form.
var table = map[string]Reason{
	"stop":         Complete, // OpenAI, Gemini, Mistral, vLLM, Ollama
	"endturn":      Complete, // Anthropic, Bedrock
	"stopsequence": Complete, // Anthropic, Bedrock, Cohere, TGI, watsonx
	"complete":     Complete, // Cohere
	"completed":    Complete, // OpenAI's Responses
	"finish":       Complete, // Bedrock's Titan
	"finished":     Complete, // AI21
	"endoftext":    Complete, // AI21
	"eos":          Complete,
	"eostoken":     Complete, // TGI, watsonx
	"endid":        Complete, // TensorRT-LLM
	"stopwords":    Complete, // TensorRT-LLM
	"normal":       Complete, // Ernie
	"toolcalls":    Complete, // OpenAI
	"functioncall": Complete, // OpenAI, before tools
	"tooluse":      Complete, // Anthropic, Bedrock
	"toolcall":     Complete, // Cohere

	"length":                     Cut, // OpenAI, Ollama, vLLM
	"maxtokens":                  Cut, // Anthropic, Gemini, Bedrock, Cohere
	"maxoutputtokens":            Cut, // OpenAI's Responses
	"maxoutput":                  Cut, // MiniMax
	"maxlength":                  Cut,
	"modellength":                Cut, // Mistral: the window's end
	"modelcontextwindowexceeded": Cut, // Anthropic, Z.AI
	"tokenlimit":                 Cut, // watsonx
	"timelimit":                  Cut, // watsonx
	"notfinished":                Cut, // watsonx
	"incomplete":                 Cut, // OpenAI's Responses
	"context":                    Cut, // Reka
	"pauseturn":                  Cut, // Anthropic: the turn goes on

	"contentfilter":          Filtered, // OpenAI, Azure
	"contentfiltered":        Filtered, // Bedrock
	"refusal":                Filtered, // Anthropic
	"guardrailintervened":    Filtered, // Bedrock
	"sensitive":              Filtered, // Z.AI, MiniMax
	"safety":                 Filtered, // Gemini, from here on
	"recitation":             Filtered,
	"blocklist":              Filtered,
	"prohibitedcontent":      Filtered,
	"spii":                   Filtered,
	"language":               Filtered,
	"imagesafety":            Filtered,
	"imageprohibitedcontent": Filtered,
	"imagerecitation":        Filtered,

	"error":                      Failed, // OpenRouter, Mistral, Cohere, watsonx
	"errortoxic":                 Failed, // Cohere
	"errorlimit":                 Failed, // Cohere
	"timeout":                    Failed, // Cohere
	"networkerror":               Failed, // Z.AI
	"insufficientsystemresource": Failed, // DeepSeek
	"abort":                      Failed, // vLLM, SGLang
	"aborted":                    Failed,
	"cancelled":                  Failed, // watsonx, OpenAI's Responses
	"canceled":                   Failed,
	"usercancel":                 Failed, // Cohere
	"failed":                     Failed, // OpenAI's Responses
	"load":                       Failed, // Ollama: only the model was loaded
	"unload":                     Failed,
	"malformedmodeloutput":       Failed, // Bedrock
	"malformedtooluse":           Failed, // Bedrock
	"malformedfunctioncall":      Failed, // Gemini, from here on
	"malformedresponse":          Failed,
	"unexpectedtoolcall":         Failed,
	"toomanytoolcalls":           Failed,
	"missingthoughtsignature":    Failed,
	"noimage":                    Failed,
	"imageother":                 Failed,
	"other":                      Failed,
}

// Of returns what a provider's word means, in any case of letters.
func Of(word string) Reason {
	word = normal(word)
	if r, ok := table[word]; ok {
		return r
	}
	if strings.Contains(word, "filter") { // as gateways vary it
		return Filtered
	}
	return Unknown
}

// normal reduces a word to what its spellings share: "MAX_TOKENS", "max-tokens"
// and Google's "FinishReasonMaxTokens" are all "maxtokens".
func normal(word string) string {
	word = strings.Map(func(r rune) rune {
		switch {
		case 'A' <= r && r <= 'Z':
			return r - 'A' + 'a'
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			return r
		case r == '_', r == '-', r == ' ':
			return -1
		}
		return '?' // a word with anything else in it is none of ours
	}, word)
	if short := strings.TrimPrefix(word, "finishreason"); short != "" {
		word = short
	}
	return word
}
