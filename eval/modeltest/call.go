package modeltest

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/delta"
	"github.com/prodailabs/prodai/internal/llmcopy"
)

// A Call is one call that a [Script] got. Messages and Options are copies of
// what they were when the call began.
type Call struct {
	Context  context.Context
	Messages []llms.MessageContent
	Options  llms.CallOptions // the script's Defaults with the call's options on top
}

// Streaming reports whether either callback was set.
func (c Call) Streaming() bool {
	return c.Options.StreamingFunc != nil || c.Options.StreamingReasoningFunc != nil
}

// Text returns the text of the last message, "" if there is none.
func (c Call) Text() string {
	if len(c.Messages) == 0 {
		return ""
	}
	return textOf(c.Messages[len(c.Messages)-1])
}

func (c *Call) clone() Call {
	return Call{Context: c.Context, Messages: llmcopy.Messages(c.Messages), Options: cloneOptions(c.Options)}
}

// cloneOptions copies what a later change by the caller could reach.
func cloneOptions(o llms.CallOptions) llms.CallOptions {
	o.StopWords = slices.Clone(o.StopWords)
	o.Tools = slices.Clone(o.Tools)
	o.Functions = slices.Clone(o.Functions)
	o.Metadata, _ = llmcopy.Value(o.Metadata).(map[string]any)
	return o
}

// An emitter gives the chunks of a stream to the callbacks.
type emitter struct {
	opts     llms.CallOptions
	base     context.Context
	contexts *delta.Contexts
	reuse    bool
	buf      []byte
}

func (e *emitter) emit(c Chunk) error {
	d := delta.Delta{Kind: delta.Text, Choice: c.Choice}
	data := []byte(c.Text)
	switch {
	case c.Tools != nil:
		d.Kind = delta.Tool
		encoded, err := json.Marshal(c.Tools)
		if err != nil {
			return err
		}
		data = encoded
	case c.Reasoning != "":
		d.Kind = delta.Reasoning
		data = []byte(c.Reasoning)
	}
	ctx := e.base
	if !c.Unmarked {
		ctx = e.contexts.Of(d)
	}
	if e.reuse {
		e.buf = append(e.buf[:0], data...)
		data = e.buf
		defer func() {
			for i := range e.buf {
				e.buf[i] = '#'
			}
		}()
	}
	if d.Kind == delta.Reasoning {
		if e.opts.StreamingReasoningFunc == nil {
			return nil
		}
		return e.opts.StreamingReasoningFunc(ctx, data, nil)
	}
	if e.opts.StreamingFunc != nil {
		if err := e.opts.StreamingFunc(ctx, data); err != nil {
			return err
		}
	}
	if e.opts.StreamingReasoningFunc != nil {
		return e.opts.StreamingReasoningFunc(ctx, nil, data)
	}
	return nil
}
