package modeltest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
)

// brokenCaches have a fault in replays.
var brokenCaches = []brokenWrapper{
	{name: "shares what it keeps", o: modeltest.Options{MayCache: true}, gen: cached(same, replayed), rules: []string{"answer-owned"}},
	{name: "copies what it keeps at the surface", o: modeltest.Options{MayCache: true}, gen: cached(func(r *llms.ContentResponse) *llms.ContentResponse {
		out := &llms.ContentResponse{}
		for _, c := range r.Choices {
			if c != nil {
				d := *c
				c = &d
			}
			out.Choices = append(out.Choices, c)
		}
		return out
	}, replayed), rules: []string{"answer-owned"}},
	{name: "replays nothing to the callbacks", o: modeltest.Options{MayCache: true}, gen: cached(copyOf, func(llms.CallOptions, []byte) error { return nil }), rules: []string{"replay-callback-error", "replay-stream"}},
	{name: "replays twice to the reasoning callback", o: modeltest.Options{MayCache: true}, gen: cached(copyOf, func(o llms.CallOptions, text []byte) error {
		return errors.Join(replayed(o, text), replayed(llms.CallOptions{StreamingReasoningFunc: o.StreamingReasoningFunc}, text))
	}), rules: []string{"replay-stream"}},
	{name: "doesn't stop a replay", o: modeltest.Options{MayCache: true}, gen: cached(copyOf, func(o llms.CallOptions, text []byte) error {
		_ = replayed(o, text)
		return nil
	}), rules: []string{"replay-callback-error"}},
	{name: "keeps the last message as the key", o: modeltest.Options{MayCache: true}, gen: func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
		// Right for one message; wrong when the array of the slice changes.
		m.mu.Lock()
		last := m.shared.Metadata["messages"]
		kept := m.kept["last"]
		m.mu.Unlock()
		if was, ok := last.([]llms.MessageContent); ok && fmt.Sprint(was) == fmt.Sprint(messages[:1]) && resolve(options).Seed == 0 {
			o := resolve(options)
			return copyOf(kept), replayed(o, []byte(kept.Choices[0].Content))
		}
		r, err := plain(ctx, m, messages, options)
		if err == nil && r != nil && len(r.Choices) > 0 && r.Choices[0] != nil {
			m.mu.Lock()
			m.shared.Metadata = map[string]any{"messages": messages[:1]}
			m.kept = map[string]*llms.ContentResponse{"last": copyOf(r)}
			m.mu.Unlock()
		}
		return r, err
	}, rules: []string{"request-owned"}},
	{name: "keeps half of a broken stream", o: modeltest.Options{MayCache: true}, gen: func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
		key := fmt.Sprint(messages)
		m.mu.Lock()
		kept, ok := m.kept[key]
		m.mu.Unlock()
		if ok {
			return copyOf(kept), nil
		}
		half := ""
		if o := resolve(options); o.StreamingFunc != nil {
			options = append(slices.Clip(options), llms.WithStreamingFunc(func(ctx context.Context, chunk []byte) error {
				half += string(chunk)
				return o.StreamingFunc(ctx, chunk)
			}))
		}
		r, err := plain(ctx, m, messages, options)
		if err != nil && half != "" {
			m.mu.Lock()
			m.kept = map[string]*llms.ContentResponse{key: {Choices: []*llms.ContentChoice{{Content: half}}}}
			m.mu.Unlock()
		}
		return r, err
	}, rules: []string{"no-replay-of-failure"}},
}
