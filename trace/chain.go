package trace

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/tmc/langchaingo/schema"
)

// A Chainable is what langchaingo calls a chains.Chain. Its option type O is
// chains.ChainCallOption; as a type parameter it spares this package the import of
// chains and its large tree.
type Chainable[O any] interface {
	Call(ctx context.Context, inputs map[string]any, options ...O) (map[string]any, error)
	GetMemory() schema.Memory
	GetInputKeys() []string
	GetOutputKeys() []string
}

// A Chain records a span for each call of the wrapped chain, and is a chain itself:
// "invoke_workflow NAME", or "invoke_agent NAME" with KindAgent, which fits an
// agents.Executor.
type Chain[O any] struct {
	next Chainable[O]
	o    *Options
}

// NewChain returns a Chain around next. Options.Kind is KindLogical (also if it
// isn't set) or KindAgent. The error wraps [ErrOption].
//
//	traced, err := trace.NewChain(chain, &trace.Options{Name: "summary"})
func NewChain[O any](next Chainable[O], o *Options) (*Chain[O], error) {
	if next == nil {
		return nil, optionError("the chain to wrap is nil")
	}
	checked, err := o.check()
	if err != nil {
		return nil, err
	}
	checked.Kind = max(checked.Kind, KindLogical) // a chain is no attempt
	return &Chain[O]{next, checked}, nil
}

// Call runs the chain within a span.
func (c *Chain[O]) Call(ctx context.Context, inputs map[string]any, options ...O) (map[string]any, error) {
	ctx, s := c.o.startKind(ctx)
	returned := false
	defer s.done(&returned)
	out, err := c.next.Call(ctx, inputs, options...)
	returned = true
	if s.span.IsRecording() {
		s.set(c.o.identity(ctx, nil))
		if c.o.Content {
			s.Input(values(inputs))
			s.Output(values(out))
		}
	}
	if err != nil {
		s.fail(err)
	}
	return out, err
}

// GetMemory returns the wrapped chain's memory.
func (c *Chain[O]) GetMemory() schema.Memory { return c.next.GetMemory() }

// GetInputKeys returns the wrapped chain's input keys.
func (c *Chain[O]) GetInputKeys() []string { return c.next.GetInputKeys() }

// GetOutputKeys returns the wrapped chain's output keys.
func (c *Chain[O]) GetOutputKeys() []string { return c.next.GetOutputKeys() }

// values is a chain's inputs or outputs as JSON. A value that JSON cannot represent
// is written as Go prints it.
func values(m map[string]any) string {
	data, err := json.Marshal(m)
	if err == nil {
		return string(data)
	}
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[k] = fmt.Sprint(v)
	}
	return asJSON(out)
}
