package guard

import (
	"context"
	"fmt"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/callopt"
	"github.com/prodailabs/prodai/internal/wrap"
)

// A Model checks what goes into the wrapped model and what comes out of it. It is
// safe for concurrent use. Make one with [New].
//
// With checks on the output that block or redact, a stream is re-chunked: a
// chunk is passed on when every such check has decided it, and empty chunks may
// be dropped. With Tools or checks on tool calls, the deltas of tool calls are
// held until the answer is complete, since only a whole call can be checked.
// Without either, chunks pass as they come.
type Model struct {
	next llms.Model
	p    *Pipeline
}

// New returns a Model around next. A nil next and an invalid option are errors
// that wrap [ErrOption].
func New(next llms.Model, o *Options) (*Model, error) {
	if next == nil {
		return nil, fmt.Errorf("%w: the model to wrap is nil", ErrOption)
	}
	p, err := NewPipeline(o)
	if err != nil {
		return nil, err
	}
	return &Model{next: next, p: p}, nil
}

// Unwrap returns the wrapped model.
func (m *Model) Unwrap() llms.Model { return m.next }

// SupportsReasoning reports whether the wrapped model does.
func (m *Model) SupportsReasoning() bool { return wrap.SupportsReasoning(m.next) }

// CheckOutput runs the checks of Output on a text that leaves beside the model's
// answer, as [Pipeline.CheckOutput] does.
func (m *Model) CheckOutput(ctx context.Context, text string) (string, []Verdict, error) {
	return m.p.CheckOutput(ctx, text)
}

// Call answers a single prompt, as [Model.GenerateContent] does.
func (m *Model) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return wrap.Call(ctx, m, prompt, options...)
}

// GenerateContent checks the messages, calls the wrapped model with what is left
// of them, and checks the answer. A call that the guard ends returns a
// [*BlockedError]; of a stream, what was released by then has passed every
// check.
func (m *Model) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("guard: %w", err)
	}
	o := callopt.Resolve(options)
	inner, shown, err := m.p.checkRequest(ctx, messages)
	if err != nil {
		return nil, wrap.ContextError(ctx, err)
	}
	a := m.p.newAnswer(inner, &o.CallOptions)
	defer a.end()
	r, err := m.next.GenerateContent(inner, shown, a.wrapCallbacks(options)...)
	if a.stopped != nil { // before err: the wrapped model may have hidden it
		return nil, wrap.ContextError(ctx, a.stopped)
	}
	if err != nil {
		return nil, wrap.ContextError(ctx, err) // half an answer is not checked
	}
	if r, err = a.finish(r); err != nil {
		return nil, wrap.ContextError(ctx, err)
	}
	return r, nil
}
