package cache

import (
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/callopt"
)

// A Policy says which calls may be answered from the cache and which answers
// may be stored. The zero Policy is the careful one.
type Policy struct {
	// Sampled lets calls be cached that ask for variety: an explicit
	// temperature above 0 without a seed. A call that sets no temperature is
	// always answered from the cache. Default: sampled calls are not cached.
	Sampled bool

	// StoreLength lets answers be stored that a token limit cut short. The
	// limit is part of the key, so they answer only calls with the same limit.
	// Default: they are not stored.
	StoreLength bool

	// SideEffects reports whether running the named tool changes the world. An
	// answer that calls such a tool is not stored. Default: every tool does.
	SideEffects func(tool string) bool
}

// mayAsk returns why a call must not be answered from the cache, or "".
func (p Policy) mayAsk(o *callopt.Options) string {
	if !p.Sampled && o.Has(callopt.Temperature) && o.Temperature > 0 && !o.Has(callopt.Seed) {
		return "sampled"
	}
	return ""
}

// MayStore returns why an answer must not be stored, or "" if it may be. The
// stop reasons of all providers langchaingo knows are understood.
func (p Policy) MayStore(r *llms.ContentResponse) string {
	if r == nil || len(r.Choices) == 0 {
		return "no answer"
	}
	for _, c := range r.Choices {
		if reason := p.choice(c); reason != "" {
			return reason
		}
	}
	return ""
}

func (p Policy) choice(c *llms.ContentChoice) string {
	if c == nil {
		return "no answer"
	}
	switch stop := strings.ToLower(c.StopReason); {
	case strings.Contains(stop, "filter") || stop == "safety" || stop == "recitation" || stop == "blocklist" || stop == "prohibited_content" || stop == "spii":
		return "filtered"
	case stop == "refusal":
		return "refused"
	case stop == "error" || stop == "error_toxic" || stop == "malformed_function_call":
		return "error"
	case !p.StoreLength && (stop == "length" || stop == "max_tokens" || stop == "model_length"):
		return "cut short"
	}
	if refusal, _ := c.GenerationInfo["Refusal"].(string); refusal != "" {
		return "refused"
	}
	if c.Content == "" && len(c.ToolCalls) == 0 && c.FuncCall == nil {
		return "empty"
	}
	for _, t := range c.ToolCalls {
		if t.FunctionCall == nil || p.SideEffects == nil || p.SideEffects(t.FunctionCall.Name) {
			return "tool with side effects"
		}
	}
	if f := c.FuncCall; f != nil && (p.SideEffects == nil || p.SideEffects(f.Name)) {
		return "tool with side effects"
	}
	return ""
}
