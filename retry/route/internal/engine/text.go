package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/callopt"
	"github.com/prodailabs/prodai/internal/delta"
	"github.com/prodailabs/prodai/internal/wrap"
	"github.com/prodailabs/prodai/retry/fault"
)

// A Request is a call as an engine for plain text needs it.
type Request struct {
	Prompt string
	callopt.Options
	// Emit passes text on to the caller's streaming functions; nil if there are none.
	Emit func(text string) error
}

// An Answer is what an engine has generated.
type Answer struct {
	Text       string
	StopReason string
	Info       map[string]any
}

// ErrCallback means that the caller's streaming function returned an error, which
// is wrapped too.
var ErrCallback = errors.New("the streaming function stopped the stream")

// Generate is the frame of a model over an engine that knows only text: it makes the
// prompt, refuses what can't be sent, and passes chunks on.
func Generate(ctx context.Context, messages []llms.MessageContent, options []llms.CallOption, prompt func([]llms.MessageContent) (string, error), ask func(context.Context, *Request) (*Answer, error)) (*llms.ContentResponse, error) {
	r := &Request{Options: callopt.Resolve(options)}
	if err := plain(&r.CallOptions); err != nil {
		return nil, fault.New(fault.ClassInvalidRequest, err)
	}
	var err error
	if r.Prompt, err = prompt(messages); err != nil {
		return nil, fault.New(fault.ClassInvalidRequest, err)
	}
	r.Emit = Emitter(ctx, &r.CallOptions)
	a, err := ask(ctx, r)
	if err != nil {
		if done := ctx.Err(); done != nil && !errors.Is(err, done) {
			err = fault.FromContext(done, err)
		}
		return nil, err
	}
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: a.Text, StopReason: a.StopReason, GenerationInfo: a.Info}}}, nil
}

// Emitter returns a function that passes text to the streaming functions of a call,
// or nil if there are none.
func Emitter(ctx context.Context, o *llms.CallOptions) func(string) error {
	if o.StreamingFunc == nil && o.StreamingReasoningFunc == nil {
		return nil
	}
	chunk := delta.With(ctx, delta.Delta{Kind: delta.Text})
	return func(text string) error {
		if o.StreamingReasoningFunc != nil {
			if err := o.StreamingReasoningFunc(chunk, nil, []byte(text)); err != nil {
				return fault.New(fault.ClassCanceled, fmt.Errorf("%w: %w", ErrCallback, err))
			}
		}
		if o.StreamingFunc != nil {
			if err := o.StreamingFunc(chunk, []byte(text)); err != nil {
				return fault.New(fault.ClassCanceled, fmt.Errorf("%w: %w", ErrCallback, err))
			}
		}
		return nil
	}
}

// plain refuses what a text endpoint would ignore without a word.
func plain(o *llms.CallOptions) error {
	switch {
	case len(o.Tools) > 0 || len(o.Functions) > 0:
		return errors.New("the engine has no tools")
	case o.N > 1 || o.CandidateCount > 1:
		return errors.New("the engine gives one answer")
	case o.JSONMode:
		return errors.New("the engine has no JSON mode")
	}
	return nil
}

// Prompt writes messages as lines of "role: text" and ends with the answer's role.
// It is for models without a chat template of their own on the server.
func Prompt(messages []llms.MessageContent) (string, error) {
	var b strings.Builder
	for i, m := range messages {
		for _, part := range m.Parts {
			text, ok := part.(llms.TextContent)
			if !ok {
				return "", fmt.Errorf("message %d has a %T: want texts only", i, part)
			}
			if len(messages) == 1 {
				b.WriteString(text.Text)
				continue
			}
			fmt.Fprintf(&b, "%s: %s\n", role(m.Role), text.Text)
		}
	}
	if b.Len() == 0 {
		return "", errors.New("the prompt is empty")
	}
	if len(messages) > 1 {
		b.WriteString("assistant:")
	}
	return b.String(), nil
}

func role(r llms.ChatMessageType) string {
	switch r {
	case llms.ChatMessageTypeSystem:
		return "system"
	case llms.ChatMessageTypeAI:
		return "assistant"
	}
	return "user"
}

// Call implements a model's Call.
func Call(ctx context.Context, m llms.Model, prompt string, options ...llms.CallOption) (string, error) {
	return wrap.Call(ctx, m, prompt, options...)
}
