package modeltest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
)

// broken are wrappers with a fault each, and the rules that find it.
var broken = []struct {
	name  string
	o     modeltest.Options
	wrap  func(next llms.Model) llms.Model // or the two below
	gen   generateFunc
	call  func(ctx context.Context, m *mutant, prompt string, options []llms.CallOption) (string, error)
	skip  string // a rule in which the fault is a data race
	rules []string
}{
	{name: "has no Unwrap", wrap: func(next llms.Model) llms.Model { return noUnwrap{&pass{base{next}}} }, rules: []string{"unwrap"}},
	{name: "unwraps to itself", wrap: func(next llms.Model) llms.Model { return circular{&pass{base{next}}} }, rules: []string{"unwrap"}},
	{name: "forgets SupportsReasoning", wrap: func(next llms.Model) llms.Model { return noReasoning{&pass{base{next}}} }, rules: []string{"supports-reasoning"}},
	{name: "drops Call's options", call: func(ctx context.Context, m *mutant, prompt string, _ []llms.CallOption) (string, error) {
		return callWith(ctx, m, prompt, nil)
	}, rules: []string{"call-equals-generate", "call-streams"}},
	{name: "Call takes the last choice", call: func(ctx context.Context, m *mutant, prompt string, options []llms.CallOption) (string, error) {
		r, err := m.GenerateContent(ctx, []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, prompt)}, options...)
		if err != nil {
			return "", err
		}
		if r == nil || len(r.Choices) == 0 || r.Choices[0] == nil {
			return "", errors.New("no choice")
		}
		return r.Choices[len(r.Choices)-1].Content, nil
	}, rules: []string{"call-equals-generate"}},
	{name: "Call indexes choices without a look", call: func(ctx context.Context, m *mutant, prompt string, options []llms.CallOption) (string, error) {
		r, err := m.GenerateContent(ctx, []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, prompt)}, options...)
		if err != nil {
			return "", err
		}
		return r.Choices[0].Content, nil
	}, rules: []string{"call-no-choice", "nil-response"}},
	{name: "Call turns no choice into no text", call: func(ctx context.Context, m *mutant, prompt string, options []llms.CallOption) (string, error) {
		text, err := callWith(ctx, m, prompt, options)
		if err != nil && err.Error() == "no choice" {
			return "", nil
		}
		return text, err
	}, rules: []string{"call-no-choice", "nil-response"}},
	{name: "Call swallows errors", call: func(ctx context.Context, m *mutant, prompt string, options []llms.CallOption) (string, error) {
		text, err := callWith(ctx, m, prompt, options)
		if err != nil && err.Error() != "no choice" && ctx.Err() == nil {
			return "sorry", nil
		}
		return text, err
	}, rules: []string{"call-error"}},

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
			_ = json.Unmarshal(data, &c.GenerationInfo) // it was JSON a line ago
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
			if late != nil { // always one chunk behind
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

	{name: "keeps the error's text only", gen: func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
		r, err := m.next.GenerateContent(ctx, messages, options...)
		if err != nil {
			err = withContext(ctx, errors.New(err.Error()))
		}
		return r, err
	}, rules: []string{"call-error", "callback-error", "errors", "stream-errors"}},
	{name: "answers a failure", gen: func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
		r, err := plain(ctx, m, messages, options)
		if err != nil && ctx.Err() == nil && resolve(options).StreamingFunc == nil && resolve(options).StreamingReasoningFunc == nil {
			return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "sorry"}}}, nil
		}
		return r, err
	}, rules: []string{"call-error", "error-no-answer", "errors"}},
	{name: "keeps a slot through a panic", gen: func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
		m.mu.Lock()
		if m.slots == nil {
			m.slots = make(chan struct{}, 100)
			if len(resolve(options).Metadata) == 0 {
				m.slots = make(chan struct{}, 1)
			}
		}
		slots := m.slots
		m.mu.Unlock()
		slots <- struct{}{}
		r, err := plain(ctx, m, messages, options)
		<-slots
		return r, err
	}, rules: []string{"panic"}},
	{name: "swallows a panic", gen: func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (r *llms.ContentResponse, err error) {
		defer func() { _ = recover() }()
		return plain(ctx, m, messages, options)
	}, rules: []string{"panic"}},

	{name: "lets next hide the context's error", gen: func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
		return m.next.GenerateContent(ctx, messages, options...)
	}, rules: []string{"ctx-hidden", "ctx-hidden-call", "ctx-in-callback"}},
	{name: "calls every timeout a cancellation", gen: func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
		r, err := m.next.GenerateContent(ctx, messages, options...)
		if err != nil && ctx.Err() != nil {
			err = fmt.Errorf("%w: %s", context.Canceled, err)
		}
		return r, err
	}, rules: []string{"ctx-deadline", "ctx-hidden", "ctx-hidden-call", "ctx-stream"}},
	{name: "calls every failure a timeout", gen: func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
		r, err := plain(ctx, m, messages, options)
		if err != nil {
			err = fmt.Errorf("%w: %w", context.DeadlineExceeded, err)
		}
		return r, err
	}, rules: []string{"ctx-not-done"}},
	{name: "leaves a goroutine behind", gen: func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
		if ctx.Done() == nil || ctx.Err() != nil { // where the select below would toss a coin
			return plain(ctx, m, messages, options)
		}
		type outcome struct {
			r   *llms.ContentResponse
			err error
		}
		done := make(chan outcome) // no room: the sender waits for ever
		go func() {
			r, err := plain(ctx, m, messages, options)
			done <- outcome{r, err}
		}()
		select {
		case o := <-done:
			return o.r, o.err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}, rules: []string{"ctx-cancel", "ctx-deadline", "ctx-hidden", "ctx-hidden-call", "ctx-in-callback", "ctx-stream"}},
	{name: "doesn't see the context", gen: func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
		return m.next.GenerateContent(context.WithoutCancel(ctx), messages, options...)
	}, rules: []string{"ctx-before", "ctx-cancel", "ctx-deadline", "ctx-hidden", "ctx-hidden-call", "ctx-in-callback", "ctx-stream"}},
	{name: "looks at the context now and then", gen: func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
		own, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
		defer cancel(nil)
		go func() {
			for own.Err() == nil {
				if ctx.Err() != nil {
					cancel(ctx.Err())
				}
				select {
				case <-time.After(700 * time.Millisecond):
				case <-own.Done():
				}
			}
		}()
		r, err := m.next.GenerateContent(own, messages, options...)
		return r, withContext(ctx, err)
	}, rules: []string{"ctx-cancel", "ctx-deadline", "ctx-hidden", "ctx-stream"}},

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
		// Right for one message; wrong when the array behind it changes.
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

// TestBrokenWrappers holds the suite to what it is for: each fault is found,
// by the rules that speak of it and by no other.
func TestBrokenWrappers(t *testing.T) {
	found := map[string]bool{}
	for _, b := range broken {
		t.Run(b.name, func(t *testing.T) {
			wrap := func(_ testing.TB, next llms.Model) llms.Model {
				if b.wrap != nil {
					return b.wrap(next)
				}
				return &mutant{base: base{next}, generate: b.gen, call: b.call}
			}
			failed := modeltest.Failures(t, wrap, &b.o, b.skip)
			want := slices.Sorted(slices.Values(b.rules))
			require.Equal(t, want, slices.Sorted(maps.Keys(failed)), "%v", failed)
			for rule, messages := range failed {
				found[rule] = true
				for _, m := range messages {
					require.Regexp(t, `^rule `+rule+`: .+\n\tcame:  .+\n(.+\n)*\tright: .+$`, m)
				}
			}
		})
	}
	for _, name := range modeltest.RuleNames() {
		require.True(t, found[name], "no broken wrapper shows that rule %s can fail", name)
	}
}
