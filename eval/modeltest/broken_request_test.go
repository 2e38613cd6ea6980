package modeltest_test

import (
	"context"
	"slices"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
)

// brokenRequests have a fault in requests.
var brokenRequests = []brokenWrapper{
	{name: "keeps text parts only", gen: func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
		var texts []llms.MessageContent
		for _, msg := range messages {
			kept := llms.MessageContent{Role: msg.Role, Parts: []llms.ContentPart{}}
			for _, p := range msg.Parts {
				if _, ok := p.(llms.TextContent); ok {
					kept.Parts = append(kept.Parts, p)
				}
			}
			texts = append(texts, kept)
		}
		return plain(ctx, m, texts, options)
	}, rules: []string{"messages"}},
	{name: "writes into the caller's messages", o: modeltest.Options{MayRewrite: true}, gen: func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
		for _, msg := range messages {
			for i, p := range msg.Parts {
				if text, ok := p.(llms.TextContent); ok {
					msg.Parts[i] = llms.TextPart(strings.TrimSuffix(text.Text, "."))
				}
			}
		}
		return plain(ctx, m, messages, options)
	}, rules: []string{"messages-unchanged"}},
	{name: "appends behind the caller's messages", o: modeltest.Options{MayRewrite: true}, gen: func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
		return plain(ctx, m, append(messages, llms.TextParts(llms.ChatMessageTypeSystem, "Be kind.")), options)
	}, rules: []string{"messages-unchanged"}},
	{name: "appends behind a message's parts", o: modeltest.Options{MayRewrite: true}, gen: func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
		messages = slices.Clone(messages)
		messages[0].Parts = append(messages[0].Parts, llms.TextPart("Be kind."))
		return plain(ctx, m, messages, options)
	}, rules: []string{"messages-unchanged"}},
	{name: "adds a message, though it doesn't rewrite", gen: func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
		return plain(ctx, m, append(slices.Clip(messages), llms.TextParts(llms.ChatMessageTypeSystem, "Be kind.")), options)
	}, rules: []string{"call-equals-generate", "messages", "request-owned"}},
	{name: "collapses the options into one", gen: func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
		return plain(ctx, m, messages, []llms.CallOption{llms.WithOptions(resolve(options))})
	}, rules: []string{"options-unset", "options-zero"}},
	{name: "passes on what isn't zero", gen: func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
		o := resolve(options)
		return plain(ctx, m, messages, []llms.CallOption{func(next *llms.CallOptions) {
			model, temperature, tokens, seed, topP, stop := next.Model, next.Temperature, next.MaxTokens, next.Seed, next.TopP, next.StopWords
			*next = o
			if o.Model == "" {
				next.Model = model
			}
			if o.Temperature == 0 {
				next.Temperature = temperature
			}
			if o.MaxTokens == 0 {
				next.MaxTokens = tokens
			}
			if o.Seed == 0 {
				next.Seed = seed
			}
			if o.TopP == 0 {
				next.TopP = topP
			}
			if o.StopWords == nil {
				next.StopWords = stop
			}
		}})
	}, rules: []string{"options-zero"}},
	{name: "reverses the options", gen: func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
		options = slices.Clone(options)
		slices.Reverse(options)
		return plain(ctx, m, messages, options)
	}, rules: []string{"options-order"}},
	{name: "sets a temperature of its own", gen: with(func(llms.CallOptions) []llms.CallOption {
		return []llms.CallOption{llms.WithTemperature(1)}
	}), rules: []string{"options", "options-order", "options-unset", "options-zero"}},
	{name: "appends to the caller's options", skip: "answers-apart", gen: func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
		return plain(ctx, m, messages, append(options, func(*llms.CallOptions) {}))
	}, rules: []string{"options-slice"}},
	{name: "writes into the caller's metadata", gen: with(func(o llms.CallOptions) []llms.CallOption {
		if o.Metadata != nil {
			o.Metadata["seen"] = true
		}
		return nil
	}), rules: []string{"options-values"}},
	{name: "appends to the caller's stop words", gen: with(func(o llms.CallOptions) []llms.CallOption {
		if cap(o.StopWords) > len(o.StopWords) {
			_ = append(o.StopWords, "STOP")
		}
		return nil
	}), rules: []string{"options-values"}},
	{name: "has a context of its own", gen: func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
		own, cancel := context.WithCancel(context.Background())
		defer cancel()
		defer context.AfterFunc(ctx, cancel)()
		r, err := m.next.GenerateContent(own, messages, options...)
		return r, withContext(ctx, err)
	}, rules: []string{"context-values"}},
	{name: "asks twice", gen: func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
		if o := resolve(options); o.StreamingFunc == nil && o.StreamingReasoningFunc == nil {
			if r, err := plain(ctx, m, messages, options); err != nil {
				return r, err
			}
		}
		return plain(ctx, m, messages, options)
	}, rules: []string{"asked-once"}},
	{name: "caches without saying so", gen: cached(copyOf, replayed), rules: []string{"asked-once"}},
}
