package modeltest_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tmc/langchaingo/llms"
)

// brokenErrors have a fault in errors, panics and contexts.
var brokenErrors = []brokenWrapper{
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
		if ctx.Done() == nil || ctx.Err() != nil { // where the select below would choose at random
			return plain(ctx, m, messages, options)
		}
		type outcome struct {
			r   *llms.ContentResponse
			err error
		}
		done := make(chan outcome) // no buffer: the sender waits forever
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
}
