package modeltest_test

import (
	"context"
	"encoding/json"
	"slices"
	"sync"

	"github.com/tmc/langchaingo/llms"
)

// A mutant is a wrapper that keeps the contract except for one fault.
type mutant struct {
	base
	generate generateFunc
	call     func(ctx context.Context, m *mutant, prompt string, options []llms.CallOption) (string, error)

	mu     sync.Mutex
	kept   map[string]*llms.ContentResponse
	shared llms.CallOptions
	slots  chan struct{}
}

type generateFunc func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error)

func (m *mutant) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	if m.generate == nil {
		return plain(ctx, m, messages, options)
	}
	return m.generate(ctx, m, messages, options)
}

func (m *mutant) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	if m.call == nil {
		return callWith(ctx, m, prompt, options)
	}
	return m.call(ctx, m, prompt, options)
}

// plain is the correct way.
func plain(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
	r, err := m.next.GenerateContent(ctx, messages, options...)
	return r, withContext(ctx, err)
}

// choice is the correct way except for what f does to each choice.
func choice(f func(c *llms.ContentChoice) *llms.ContentChoice) generateFunc {
	return func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
		r, err := plain(ctx, m, messages, options)
		if err != nil || r == nil {
			return r, err
		}
		for i, c := range r.Choices {
			if c != nil {
				r.Choices[i] = f(c)
			}
		}
		return r, nil
	}
}

type callback func(ctx context.Context, chunk []byte) error

// onText is the correct way except that f replaces the text callback.
func onText(f func(ctx context.Context, callback callback) callback) generateFunc {
	return func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
		if o := resolve(options); o.StreamingFunc != nil {
			options = append(slices.Clip(options), llms.WithStreamingFunc(f(ctx, o.StreamingFunc)))
		}
		return plain(ctx, m, messages, options)
	}
}

// with is the correct way with options appended.
func with(add func(o llms.CallOptions) []llms.CallOption) generateFunc {
	return func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
		return plain(ctx, m, messages, append(slices.Clip(options), add(resolve(options))...))
	}
}

// noUnwrap hides the method.
type noUnwrap struct{ llms.Model }

func (m noUnwrap) SupportsReasoning() bool { return llms.SupportsReasoningModel(m.Model) }

// circular never leads to next.
type circular struct{ *pass }

func (m circular) Unwrap() llms.Model { return m }

// noReasoning hides the method SupportsReasoning.
type noReasoning struct{ llms.Model }

func (m noReasoning) Unwrap() llms.Model { return m.Model }

// cached is a cache with faults; keep and replay are its parts.
func cached(keep func(*llms.ContentResponse) *llms.ContentResponse, replay func(o llms.CallOptions, text []byte) error) generateFunc {
	return func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
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
			text := ""
			if len(r.Choices) > 0 && r.Choices[0] != nil {
				text = r.Choices[0].Content
			}
			return keep(r), replay(o, []byte(text))
		}
		r, err = plain(ctx, m, messages, options)
		if err != nil || r == nil {
			return r, err
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.kept == nil {
			m.kept = map[string]*llms.ContentResponse{}
		}
		m.kept[key] = keep(r)
		return r, nil
	}
}

func same(r *llms.ContentResponse) *llms.ContentResponse { return r }

// replayed is the correct replay.
func replayed(o llms.CallOptions, text []byte) error {
	return (&caching{}).replay(context.Background(), o, &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: string(text)}}})
}
