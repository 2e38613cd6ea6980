package modeltest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/delta"
)

// base has the common parts of the correct wrappers below: the rules that don't
// depend on what a wrapper is for.
type base struct{ next llms.Model }

func (b base) Unwrap() llms.Model      { return b.next }
func (b base) SupportsReasoning() bool { return llms.SupportsReasoningModel(b.next) }

// callWith is Call on top of a wrapper's GenerateContent.
func callWith(ctx context.Context, m llms.Model, prompt string, options []llms.CallOption) (string, error) {
	r, err := m.GenerateContent(ctx, []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, prompt)}, options...)
	if err != nil {
		return "", err
	}
	if r == nil || len(r.Choices) == 0 || r.Choices[0] == nil {
		return "", errors.New("no choice")
	}
	return r.Choices[0].Content, nil
}

// withContext makes err wrap ctx.Err() if the context is done.
func withContext(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil || errors.Is(err, ctx.Err()) {
		return err
	}
	return fmt.Errorf("%w: %w", ctx.Err(), err)
}

func resolve(options []llms.CallOption) llms.CallOptions {
	var o llms.CallOptions
	for _, set := range options {
		set(&o)
	}
	return o
}

// pass is the smallest wrapper that keeps the contract.
type pass struct{ base }

func (m *pass) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	r, err := m.next.GenerateContent(ctx, messages, options...)
	return r, withContext(ctx, err)
}

func (m *pass) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return callWith(ctx, m, prompt, options)
}

// tap is a correct wrapper that listens to the stream.
type tap struct {
	base
	mu   sync.Mutex
	seen int
}

func (m *tap) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	o := resolve(options)
	options = slices.Clip(options)
	count := func(n int) {
		m.mu.Lock()
		m.seen += n
		m.mu.Unlock()
	}
	if f := o.StreamingFunc; f != nil {
		options = append(options, llms.WithStreamingFunc(func(ctx context.Context, chunk []byte) error {
			count(len(chunk))
			return f(ctx, chunk)
		}))
	}
	if f := o.StreamingReasoningFunc; f != nil {
		options = append(options, llms.WithStreamingReasoningFunc(func(ctx context.Context, reasoning, chunk []byte) error {
			count(len(reasoning))
			if o.StreamingFunc == nil {
				count(len(chunk))
			}
			return f(ctx, reasoning, chunk)
		}))
	}
	r, err := m.next.GenerateContent(ctx, messages, options...)
	return r, withContext(ctx, err)
}

func (m *tap) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return callWith(ctx, m, prompt, options)
}

// retrying tries three times, except if the stream has begun or the caller stops.
type retrying struct{ base }

func (m *retrying) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	o := resolve(options)
	options = slices.Clip(options)
	spoke := false
	if f := o.StreamingFunc; f != nil {
		options = append(options, llms.WithStreamingFunc(func(ctx context.Context, chunk []byte) error {
			spoke = true
			return f(ctx, chunk)
		}))
	}
	if f := o.StreamingReasoningFunc; f != nil {
		options = append(options, llms.WithStreamingReasoningFunc(func(ctx context.Context, reasoning, chunk []byte) error {
			spoke = true
			return f(ctx, reasoning, chunk)
		}))
	}
	for attempt := 1; ; attempt++ {
		r, err := m.next.GenerateContent(ctx, messages, options...)
		if err == nil && r != nil && len(r.Choices) > 0 {
			return r, nil
		}
		if err == nil {
			err = errors.New("empty answer")
		}
		if attempt == 3 || spoke || ctx.Err() != nil {
			return nil, withContext(ctx, fmt.Errorf("attempt %d: %w", attempt, err))
		}
		timer := time.NewTimer(time.Second)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
}

func (m *retrying) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return callWith(ctx, m, prompt, options)
}

// caching stores complete answers by the messages and every option that can change
// them.
type caching struct {
	base
	mu   sync.Mutex
	kept map[string]*llms.ContentResponse
}

func (m *caching) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	o := resolve(options)
	encoded, err := json.Marshal([]any{messages, o})
	if err != nil {
		return nil, err
	}
	key := string(encoded)
	m.mu.Lock()
	r, ok := m.kept[key]
	m.mu.Unlock()
	if ok {
		return copyOf(r), m.replay(ctx, o, r)
	}
	r, err = m.next.GenerateContent(ctx, messages, options...)
	if err != nil || r == nil {
		return r, withContext(ctx, err)
	}
	m.mu.Lock()
	if m.kept == nil {
		m.kept = make(map[string]*llms.ContentResponse)
	}
	m.kept[key] = copyOf(r)
	m.mu.Unlock()
	return r, nil
}

func (m *caching) replay(ctx context.Context, o llms.CallOptions, r *llms.ContentResponse) error {
	if len(r.Choices) == 0 || r.Choices[0] == nil {
		return nil
	}
	text := []byte(r.Choices[0].Content)
	ctx = delta.With(ctx, delta.Delta{Kind: delta.Text})
	if o.StreamingFunc != nil {
		if err := o.StreamingFunc(ctx, text); err != nil {
			return err
		}
	}
	if o.StreamingReasoningFunc != nil {
		return o.StreamingReasoningFunc(ctx, nil, text)
	}
	return nil
}

func (m *caching) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return callWith(ctx, m, prompt, options)
}

func copyOf(r *llms.ContentResponse) *llms.ContentResponse {
	out := &llms.ContentResponse{Choices: make([]*llms.ContentChoice, len(r.Choices))}
	for i, c := range r.Choices {
		if c == nil {
			continue
		}
		d := *c
		if c.FuncCall != nil {
			f := *c.FuncCall
			d.FuncCall = &f
		}
		d.ToolCalls = slices.Clone(c.ToolCalls)
		for i, t := range d.ToolCalls {
			f := *t.FunctionCall
			d.ToolCalls[i].FunctionCall = &f
		}
		d.GenerationInfo = maps.Clone(c.GenerationInfo)
		for k, v := range d.GenerationInfo {
			switch v := v.(type) {
			case []string:
				d.GenerationInfo[k] = slices.Clone(v)
			case map[string]any:
				d.GenerationInfo[k] = maps.Clone(v)
			}
		}
		out.Choices[i] = &d
	}
	return out
}

// sentences passes text on sentence by sentence, and passes the rest on when
// something else comes.
type sentences struct{ base }

func (m *sentences) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	o := resolve(options)
	options = slices.Clip(options)
	var flush []func() error
	if f := o.StreamingFunc; f != nil {
		gate, end := bySentence(f)
		options = append(options, llms.WithStreamingFunc(gate))
		flush = append(flush, end)
	}
	if f := o.StreamingReasoningFunc; f != nil {
		gate, end := bySentence(func(ctx context.Context, chunk []byte) error { return f(ctx, nil, chunk) })
		options = append(options, llms.WithStreamingReasoningFunc(func(ctx context.Context, reasoning, chunk []byte) error {
			if len(reasoning) > 0 {
				return errors.Join(end(), f(ctx, reasoning, chunk))
			}
			return gate(ctx, chunk)
		}))
		flush = append(flush, end)
	}
	r, err := m.next.GenerateContent(ctx, messages, options...)
	if err != nil {
		return r, withContext(ctx, err)
	}
	for _, f := range flush {
		if err := f(); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (m *sentences) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return callWith(ctx, m, prompt, options)
}

func bySentence(f callback) (gate callback, end func() error) {
	var held []byte
	var of context.Context
	end = func() error {
		if len(held) == 0 {
			return nil
		}
		out := held
		held = nil
		return f(of, out)
	}
	return func(ctx context.Context, chunk []byte) error {
		if of == nil || delta.From(ctx) != delta.From(of) {
			if err := end(); err != nil {
				return err
			}
			of = ctx
		}
		held = append(held, chunk...)
		if delta.From(ctx).Kind == delta.Tool || bytes.HasSuffix(held, []byte(".")) {
			return end()
		}
		return nil
	}, end
}

// rewriting adds a system message, writes the text in capitals, and delays the
// stream until the answer is complete.
type rewriting struct{ base }

func (m *rewriting) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	o := resolve(options)
	options = slices.Clip(options)
	type flush func() error
	var flushes []flush
	if f := o.StreamingFunc; f != nil {
		held := map[delta.Delta]*bytes.Buffer{}
		options = append(options, llms.WithStreamingFunc(func(ctx context.Context, chunk []byte) error {
			d := delta.From(ctx)
			if d.Kind == delta.Tool {
				return f(ctx, chunk)
			}
			if held[d] == nil {
				held[d] = &bytes.Buffer{}
				flushes = append(flushes, func() error { return f(ctx, bytes.ToUpper(held[d].Bytes())) })
			}
			held[d].Write(chunk)
			return nil
		}))
	}
	if f := o.StreamingReasoningFunc; f != nil {
		held := map[delta.Delta]*bytes.Buffer{}
		options = append(options, llms.WithStreamingReasoningFunc(func(ctx context.Context, reasoning, chunk []byte) error {
			d := delta.From(ctx)
			switch {
			case d.Kind == delta.Tool:
				return f(ctx, nil, chunk)
			case len(reasoning) > 0:
				return f(ctx, reasoning, nil)
			}
			if held[d] == nil {
				held[d] = &bytes.Buffer{}
				flushes = append(flushes, func() error { return f(ctx, nil, bytes.ToUpper(held[d].Bytes())) })
			}
			held[d].Write(chunk)
			return nil
		}))
	}
	rules := llms.TextParts(llms.ChatMessageTypeSystem, "Shout.")
	r, err := m.next.GenerateContent(ctx, append([]llms.MessageContent{rules}, messages...), options...)
	if err != nil || r == nil {
		return nil, withContext(ctx, err)
	}
	for _, f := range flushes {
		if err := f(); err != nil {
			return nil, err
		}
	}
	for _, c := range r.Choices {
		if c != nil {
			c.Content = strings.ToUpper(c.Content)
		}
	}
	return r, nil
}

func (m *rewriting) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return callWith(ctx, m, prompt, options)
}
