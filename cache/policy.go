package cache

import (
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/callopt"
	"github.com/prodailabs/prodai/internal/stopreason"
)

// A Policy decides which calls may be answered from the cache and which answers
// may be stored. The zero Policy is the careful one.
type Policy struct {
	// Sampled lets calls be cached that ask for variety: those with a temperature
	// above 0 and without a seed. A call that sets no temperature is always
	// answered from the cache. Default: sampled calls are not cached.
	Sampled bool

	// StoreLength lets answers be stored that a token limit cut short. The
	// limit is part of the key, so they answer only calls with the same limit.
	// Default: they are not stored.
	StoreLength bool

	// StoreUnreported lets answers be stored whose model never reports why they
	// ended. It is for a model that reports nothing at all: elsewhere a missing
	// reason means that the answer broke off. Default: they are not stored.
	StoreUnreported bool

	// SideEffects reports whether running the named tool changes the world. An
	// answer that calls such a tool is not stored. Default: every tool does.
	SideEffects func(tool string) bool
}

// MayAsk returns why a call with these options must not be answered from a cache, or
// "" if it may be.
func (p Policy) MayAsk(options ...llms.CallOption) string {
	o := callopt.Resolve(options)
	return p.mayAsk(&o)
}

// mayAsk returns why a call must not be answered from the cache, or "".
func (p Policy) mayAsk(o *callopt.Options) string {
	if !p.Sampled && o.Has(callopt.Temperature) && o.Temperature > 0 && !o.Has(callopt.Seed) {
		return "sampled"
	}
	return ""
}

// MayStore returns why an answer must not be stored, or "" if it may be. Only an
// answer that is known to be complete may be stored. The stop reasons of all
// providers are known here; an unknown one doesn't show that an answer is complete.
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
	switch stopreason.Of(c.StopReason) {
	case stopreason.Complete:
	case stopreason.Cut:
		if !p.StoreLength {
			return "cut short"
		}
	case stopreason.Filtered:
		if strings.EqualFold(c.StopReason, "refusal") {
			return "refused"
		}
		return "filtered"
	case stopreason.Failed:
		return "error"
	default:
		if c.StopReason != "" || !p.StoreUnreported {
			return "not known to be complete"
		}
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
