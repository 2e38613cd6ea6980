// Package delta describes what a streamed chunk is.
//
// langchaingo gives a streaming callback only bytes. So the callback can't
// distinguish the answer's text from a part of a tool call, nor the first choice
// from the second. The models of this module put both on the context that the
// callback receives:
//
//	func(ctx context.Context, chunk []byte) error {
//		if d := delta.From(ctx); d.Kind == delta.Text && d.Choice == 0 { … }
//	}
//
// A chunk from another model has no such mark, and is of the kind [Unknown]. It may
// be text or a part of a tool call, and a guard treats it as both.
package delta

import "context"

// Kind is what the bytes of a chunk are.
type Kind uint8

// The kinds of chunk.
const (
	Unknown   Kind = iota // from a model that doesn't mark its chunks
	Text                  // a piece of the answer
	Reasoning             // a piece of the reasoning
	Tool                  // tool-call deltas: a JSON array in OpenAI's form, each with its index
)

// String returns the kind's name.
func (k Kind) String() string {
	switch k {
	case Text:
		return "text"
	case Reasoning:
		return "reasoning"
	case Tool:
		return "tool"
	}
	return "unknown"
}

// A Delta is what a streamed chunk is: its kind, and the index of the choice
// it belongs to.
type Delta struct {
	Kind   Kind
	Choice int
}

type key struct{}

// With returns ctx with d on it.
func With(ctx context.Context, d Delta) context.Context {
	return context.WithValue(ctx, key{}, d)
}

// From returns the Delta that With put on ctx, or the zero Delta.
func From(ctx context.Context) Delta {
	d, _ := ctx.Value(key{}).(Delta)
	return d
}

// A Contexts returns the contexts of one stream. It allocates one for each kind and
// choice, instead of one for each chunk. It is for one goroutine.
type Contexts struct {
	base context.Context
	made map[Delta]context.Context
}

// NewContexts returns the contexts over ctx.
func NewContexts(ctx context.Context) *Contexts {
	return &Contexts{base: ctx, made: make(map[Delta]context.Context, 2)}
}

// Of returns the context that carries d.
func (c *Contexts) Of(d Delta) context.Context {
	ctx, ok := c.made[d]
	if !ok {
		ctx = With(c.base, d)
		c.made[d] = ctx
	}
	return ctx
}
