package trace

import (
	"context"

	"github.com/prodailabs/prodai/internal/delta"
)

// A Delta describes a streamed chunk: its Kind, and the index of the Choice that
// it belongs to.
//
//	type Delta struct {
//		Kind   DeltaKind
//		Choice int
//	}
//
// langchaingo passes only bytes to a streaming callback. The models of this library
// also put a Delta on the context that the callback receives, so that a reader can
// tell the answer's text from reasoning and from the fragments of a tool call:
//
//	llms.WithStreamingFunc(func(ctx context.Context, chunk []byte) error {
//		if d := trace.DeltaFrom(ctx); d.Kind == trace.DeltaText && d.Choice == 0 {
//			fmt.Printf("%s", chunk)
//		}
//		return nil
//	})
type Delta = delta.Delta

// DeltaKind is the kind of a streamed chunk.
type DeltaKind = delta.Kind

// The kinds of chunk. A chunk of a model that puts no Delta on the context is of
// unknown kind: it may be text or a fragment of a tool call.
const (
	DeltaUnknown   = delta.Unknown
	DeltaText      = delta.Text      // a piece of the answer
	DeltaReasoning = delta.Reasoning // a piece of the reasoning
	DeltaTool      = delta.Tool      // tool-call deltas: a JSON array in OpenAI's form
)

// DeltaFrom returns the Delta on the context of a streaming callback, or the
// zero Delta, which is of unknown kind.
func DeltaFrom(ctx context.Context) Delta { return delta.From(ctx) }

// WithDelta returns ctx with d on it. It is for authors of models: call the
// streaming function with the context that it returns.
func WithDelta(ctx context.Context, d Delta) context.Context { return delta.With(ctx, d) }
