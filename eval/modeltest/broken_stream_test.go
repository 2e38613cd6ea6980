package modeltest_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
)

// brokenStreams have a fault in streams, rewritten ones among them.
var brokenStreams = []brokenWrapper{
	{name: "splits chunks", gen: onText(func(_ context.Context, f callback) callback {
		return func(ctx context.Context, chunk []byte) error {
			if len(chunk) < 8 {
				return f(ctx, chunk)
			}
			return errors.Join(f(ctx, chunk[:4]), f(ctx, chunk[4:]))
		}
	}), rules: []string{"both-callbacks", "stream-chunks", "stream-kinds"}},
	{name: "drops empty chunks", gen: onText(func(_ context.Context, f callback) callback {
		return func(ctx context.Context, chunk []byte) error {
			if len(chunk) == 0 {
				return nil
			}
			return f(ctx, chunk)
		}
	}), rules: []string{"stream-chunks"}},
	{name: "trims chunks", gen: onText(func(_ context.Context, f callback) callback {
		return func(ctx context.Context, chunk []byte) error {
			return f(ctx, []byte(strings.TrimSuffix(string(chunk), "\n\n")))
		}
	}), rules: []string{"stream-borrowed", "stream-chunks", "stream-content"}},
	{name: "repairs UTF-8 chunk by chunk", gen: onText(func(_ context.Context, f callback) callback {
		return func(ctx context.Context, chunk []byte) error {
			return f(ctx, []byte(strings.ToValidUTF8(string(chunk), "\uFFFD")))
		}
	}), rules: []string{"stream-borrowed", "stream-chunks", "stream-content"}},
	{name: "gives the callback the call's context", gen: onText(func(call context.Context, f callback) callback {
		return func(_ context.Context, chunk []byte) error { return f(call, chunk) }
	}), rules: []string{"both-callbacks", "stream-chunks", "stream-kinds"}},
	{name: "keeps chunks uncopied", gen: func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
		o := resolve(options)
		if o.StreamingFunc == nil || o.StreamingReasoningFunc != nil {
			return plain(ctx, m, messages, options)
		}
		var late func() error
		r, err := plain(ctx, m, messages, append(slices.Clip(options), llms.WithStreamingFunc(func(ctx context.Context, chunk []byte) error {
			if late != nil { // always one chunk late
				if err := late(); err != nil {
					return err
				}
			}
			late = func() error { return o.StreamingFunc(ctx, chunk) }
			return nil
		})))
		if late != nil {
			err = errors.Join(err, late())
		}
		return r, err
	}, rules: []string{"callback-error", "stream-borrowed"}},
	{name: "holds the stream back to the end", gen: func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
		o := resolve(options)
		if o.StreamingFunc == nil || o.StreamingReasoningFunc != nil {
			return plain(ctx, m, messages, options)
		}
		var held []func() error
		r, err := plain(ctx, m, messages, append(slices.Clip(options), llms.WithStreamingFunc(func(ctx context.Context, chunk []byte) error {
			kept := slices.Clone(chunk)
			held = append(held, func() error { return o.StreamingFunc(ctx, kept) })
			return nil
		})))
		for _, f := range held {
			if err := f(); err != nil {
				return nil, err
			}
		}
		return r, err
	}, rules: []string{"ctx-in-callback", "stream-order"}},
	{name: "calls back from goroutines", gen: onText(func(_ context.Context, f callback) callback {
		return func(ctx context.Context, chunk []byte) error {
			kept := slices.Clone(chunk)
			errs := make(chan error, 1)
			go func() { errs <- f(ctx, kept) }()
			select {
			case err := <-errs:
				return err
			case <-time.After(time.Millisecond):
				return nil
			}
		}
	}), rules: []string{"stream-order"}},
	{name: "streams always", gen: with(func(o llms.CallOptions) []llms.CallOption {
		if o.StreamingFunc != nil {
			return nil
		}
		return []llms.CallOption{llms.WithStreamingFunc(func(context.Context, []byte) error { return nil })}
	}), rules: []string{"plain-stays-plain", "reasoning-callback-only"}},
	{name: "turns on reasoning beside text", gen: with(func(o llms.CallOptions) []llms.CallOption {
		if o.StreamingFunc == nil || o.StreamingReasoningFunc != nil {
			return nil
		}
		return []llms.CallOption{llms.WithStreamingReasoningFunc(func(context.Context, []byte, []byte) error { return nil })}
	}), rules: []string{"text-callback-only"}},
	{name: "gives the text callback's chunks to both", gen: with(func(o llms.CallOptions) []llms.CallOption {
		text, reasoning := o.StreamingFunc, o.StreamingReasoningFunc
		if text == nil || reasoning == nil {
			return nil
		}
		return []llms.CallOption{llms.WithStreamingFunc(func(ctx context.Context, chunk []byte) error {
			return errors.Join(text(ctx, chunk), reasoning(ctx, nil, chunk))
		})}
	}), rules: []string{"both-callbacks", "stream-kinds"}},
	{name: "swallows the callback's error", gen: onText(func(_ context.Context, f callback) callback {
		return func(ctx context.Context, chunk []byte) error {
			_ = f(ctx, chunk)
			return nil
		}
	}), rules: []string{"callback-error"}},
	{name: "retries whatever failed", o: modeltest.Options{MayRetry: true}, gen: func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (r *llms.ContentResponse, err error) {
		for range 3 {
			if r, err = plain(ctx, m, messages, options); err == nil || ctx.Err() != nil {
				break
			}
		}
		return r, err
	}, rules: []string{"callback-error", "stream-errors"}},

	{name: "rewrites the answer but not its stream", o: modeltest.Options{MayRewrite: true}, gen: choice(func(c *llms.ContentChoice) *llms.ContentChoice {
		c.Content = strings.ToUpper(c.Content)
		return c
	}), rules: []string{"answers-apart", "both-callbacks", "call-streams", "stream-borrowed", "stream-content", "text-callback-only"}},
	{name: "drops pictures on the way to rewrite texts", o: modeltest.Options{MayRewrite: true}, gen: func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
		messages = slices.Clone(messages)
		for i := range messages {
			messages[i].Parts = slices.DeleteFunc(slices.Clone(messages[i].Parts), func(p llms.ContentPart) bool {
				_, picture := p.(llms.ImageURLContent)
				return picture
			})
		}
		return plain(ctx, m, messages, options)
	}, rules: []string{"messages"}},
	{name: "drops a message on the way to rewrite texts", o: modeltest.Options{MayRewrite: true}, gen: func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
		return plain(ctx, m, slices.DeleteFunc(slices.Clone(messages), func(m llms.MessageContent) bool { return m.Role == llms.ChatMessageTypeSystem }), options)
	}, rules: []string{"messages"}},
	{name: "forgets the tail of a stream that it rechunks", o: modeltest.Options{MayRechunk: true}, gen: func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
		o := resolve(options)
		if o.StreamingFunc == nil || o.StreamingReasoningFunc != nil {
			return plain(ctx, m, messages, options)
		}
		var held []byte
		return plain(ctx, m, messages, append(slices.Clip(options), llms.WithStreamingFunc(func(ctx context.Context, chunk []byte) error {
			held = append(held, chunk...)
			if len(held) == 0 || held[len(held)-1] != ' ' {
				return nil
			}
			defer func() { held = nil }()
			return o.StreamingFunc(ctx, held)
		})))
	}, rules: []string{"answers-apart", "call-streams", "callback-error", "stream-borrowed", "stream-chunks", "stream-content", "stream-kinds", "text-callback-only"}},
}
