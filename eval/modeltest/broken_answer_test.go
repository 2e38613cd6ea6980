package modeltest_test

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/tmc/langchaingo/llms"
)

// brokenAnswers have a fault in answers.
var brokenAnswers = []brokenWrapper{
	{name: "returns the first choice only", gen: func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
		r, err := plain(ctx, m, messages, options)
		if err == nil && r != nil && len(r.Choices) > 1 && r.Choices[0] != nil {
			r.Choices = r.Choices[:1]
		}
		return r, err
	}, rules: []string{"choices"}},
	{name: "stops with stop", gen: choice(func(c *llms.ContentChoice) *llms.ContentChoice {
		c.StopReason = "stop"
		return c
	}), rules: []string{"stop-reason"}},
	{name: "drops tool calls", gen: choice(func(c *llms.ContentChoice) *llms.ContentChoice {
		c.ToolCalls, c.FuncCall = nil, nil
		return c
	}), rules: []string{"answer-owned", "tool-calls"}},
	{name: "keeps the usage only", gen: choice(func(c *llms.ContentChoice) *llms.ContentChoice {
		maps.DeleteFunc(c.GenerationInfo, func(k string, _ any) bool { return k != "PromptTokens" })
		return c
	}), rules: []string{"answer-owned", "generation-info"}},
	{name: "sends GenerationInfo through JSON", gen: choice(func(c *llms.ContentChoice) *llms.ContentChoice {
		data, err := json.Marshal(c.GenerationInfo)
		if err == nil && c.GenerationInfo["ID"] != nil {
			c.GenerationInfo = nil
			_ = json.Unmarshal(data, &c.GenerationInfo) // it was encoded in the line above
		}
		return c
	}), rules: []string{"answer-owned", "generation-info"}},
	{name: "drops the reasoning", gen: choice(func(c *llms.ContentChoice) *llms.ContentChoice {
		c.ReasoningContent = ""
		return c
	}), rules: []string{"reasoning-content"}},
	{name: "takes an answer for granted", gen: func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
		r, err := plain(ctx, m, messages, options)
		if err == nil {
			_ = r.Choices
		}
		return r, err
	}, rules: []string{"nil-response"}},
	{name: "takes a first choice for granted", gen: func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
		r, err := plain(ctx, m, messages, options)
		if err == nil && r != nil {
			_ = r.Choices[0]
		}
		return r, err
	}, rules: []string{"call-no-choice", "no-choice"}},
	{name: "takes every choice for granted", gen: func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
		r, err := plain(ctx, m, messages, options)
		if err == nil && r != nil {
			for _, c := range r.Choices {
				_ = c.Content
			}
		}
		return r, err
	}, rules: []string{"call-no-choice", "nil-choice"}},
	{name: "mixes up calls", gen: func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
		o := resolve(options)
		m.mu.Lock()
		m.shared = o
		m.mu.Unlock()
		if o.StreamingFunc == nil {
			return plain(ctx, m, messages, options)
		}
		return plain(ctx, m, messages, append(slices.Clip(options), llms.WithStreamingFunc(func(ctx context.Context, chunk []byte) error {
			m.mu.Lock()
			f := m.shared.StreamingFunc
			m.mu.Unlock()
			if f == nil {
				return nil
			}
			return f(ctx, chunk)
		})))
	}, rules: []string{"answers-apart"}},
}
