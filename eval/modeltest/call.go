package modeltest

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/delta"
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
	return Call{Context: c.Context, Messages: cloneMessages(c.Messages), Options: cloneOptions(c.Options)}
}

// cloneMessages copies messages down to the bytes of their parts.
func cloneMessages(messages []llms.MessageContent) []llms.MessageContent {
	out := make([]llms.MessageContent, len(messages))
	for i, m := range messages {
		out[i] = llms.MessageContent{Role: m.Role, Parts: make([]llms.ContentPart, len(m.Parts))}
		for j, p := range m.Parts {
			switch p := p.(type) {
			case llms.BinaryContent:
				p.Data = slices.Clone(p.Data)
				out[i].Parts[j] = p
			case llms.ToolCall:
				p.FunctionCall = cloneFunction(p.FunctionCall)
				out[i].Parts[j] = p
			default:
				out[i].Parts[j] = p
			}
		}
	}
	return out
}

func cloneFunction(f *llms.FunctionCall) *llms.FunctionCall {
	if f == nil {
		return nil
	}
	g := *f
	return &g
}

// cloneOptions copies what a later change by the caller could reach.
func cloneOptions(o llms.CallOptions) llms.CallOptions {
	o.StopWords = slices.Clone(o.StopWords)
	o.Tools = slices.Clone(o.Tools)
	o.Functions = slices.Clone(o.Functions)
	if o.Metadata != nil {
		o.Metadata = cloneValue(o.Metadata).(map[string]any)
	}
	return o
}

func cloneChoice(c *llms.ContentChoice) *llms.ContentChoice {
	if c == nil {
		return nil
	}
	d := *c
	d.FuncCall = cloneFunction(c.FuncCall)
	d.ToolCalls = slices.Clone(c.ToolCalls)
	for i := range d.ToolCalls {
		d.ToolCalls[i].FunctionCall = cloneFunction(d.ToolCalls[i].FunctionCall)
	}
	if c.GenerationInfo != nil {
		d.GenerationInfo = cloneValue(c.GenerationInfo).(map[string]any)
	}
	return &d
}

// cloneValue copies maps and slices of JSON's shape; other values are shared.
func cloneValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := maps.Clone(v)
		for k, e := range m {
			m[k] = cloneValue(e)
		}
		return m
	case []any:
		s := slices.Clone(v)
		for i, e := range s {
			s[i] = cloneValue(e)
		}
		return s
	case []string:
		return slices.Clone(v)
	}
	return v
}

// An emitter hands a stream's chunks to the callbacks.
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
