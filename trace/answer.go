package trace

import (
	"context"
	"errors"

	"github.com/tmc/langchaingo/llms"
	"go.opentelemetry.io/otel/attribute"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/prodailabs/prodai/internal/usage"
)

// response records the answer: on attempts with usage and cost. Content comes last,
// because the SDK drops what comes after 128 attributes, and a long chat has more.
func (m *Model) response(s *Step, messages []llms.MessageContent, r *llms.ContentResponse, w *watch, err error) {
	a := s.pending
	chunks := w.streamed()
	if chunks > 0 {
		stalls := int(w.stalls.Load())
		m.o.meters.streamed(s, w.first(), stalls)
		a = append(a, attribute.Float64(SpanFirstChunk, w.first().Seconds()), attribute.Int64(SpanChunks, chunks), attribute.Float64(SpanMaxGap, w.maxGap().Seconds()))
		if stalls > 0 {
			a = append(a, attribute.Int(SpanStalls, stalls))
		}
	}
	if usage.Cached(r) {
		a = append(a, attribute.Bool(SpanFromCache, true))
	}
	if m.o.Kind == KindAttempt {
		if r != nil {
			a = appendAnswer(a, r)
		}
		a = m.appendUsage(s, a, messages, r, w, err)
	}
	if !s.span.IsRecording() {
		return
	}
	s.set(a)
	m.content(s, messages, r, w)
}

func (m *Model) content(s *Step, messages []llms.MessageContent, r *llms.ContentResponse, w *watch) {
	if m.o.Content {
		a := appendMessages(nil, messages)
		switch {
		case r != nil:
			a = append(a, attribute.String(SpanOutput, outputMessages(r)))
		case w.streamed() > 0: // what a stream that broke off had produced
			a = append(a, attribute.String(SpanOutput, asJSON([]message{{Role: "assistant", Parts: []part{{Type: "text", Content: w.text()}}, FinishReason: "error"}})))
		}
		s.set(a)
	}
	if !m.o.OpenInference {
		return
	}
	if m.o.Content {
		s.span.SetAttributes(openInferenceText(true, lastUserText(messages))...)
	}
	if r != nil && m.o.Kind == KindAttempt {
		s.span.SetAttributes(openInferenceOutput(r, m.o.Content)...)
	} else if r != nil && m.o.Content && len(r.Choices) > 0 && r.Choices[0] != nil {
		s.span.SetAttributes(openInferenceText(false, r.Choices[0].Content)...)
	}
	if m.o.Kind == KindAttempt {
		s.span.SetAttributes(openInferenceInput(messages, m.o.Content)...)
	}
}

// appendAnswer appends what the provider reports of itself.
func appendAnswer(a []attribute.KeyValue, r *llms.ContentResponse) []attribute.KeyValue {
	var reasons []string
	for _, c := range r.Choices {
		if c == nil {
			continue
		}
		if len(reasons) == 0 {
			id, _ := c.GenerationInfo["ID"].(string)
			name, _ := c.GenerationInfo["Model"].(string)
			a = appendText(appendText(a, SpanResponseID, id), SpanResponseModel, name)
		}
		reasons = append(reasons, finishReason(c))
	}
	if len(reasons) > 0 {
		a = append(a, attribute.StringSlice(SpanFinishReasons, reasons))
	}
	return a
}

// appendUsage appends tokens and cost. Counts that cannot be right are dropped with
// an event. A stream that broke off has no counts; with Options.Tokens what it
// produced is counted, and marked.
func (m *Model) appendUsage(s *Step, a []attribute.KeyValue, messages []llms.MessageContent, r *llms.ContentResponse, w *watch, err error) []attribute.KeyValue {
	u, unknown := usage.Of(r)
	if errors.Is(unknown, usage.ErrInvalid) {
		s.span.AddEvent(EventUsageInvalid, oteltrace.WithAttributes(attribute.String(AttrModel, s.model), attribute.String(AttrReason, "a token count is negative, fractional or too large")))
	}
	if unknown != nil && m.o.Tokens != nil && w.streamed() > 0 && err != nil {
		u, unknown = usage.Tokens{Input: m.o.count(textsOf(messages)...), Output: m.o.count(w.text())}, nil
		r = estimated(u)
		a = append(a, attribute.Bool(SpanEstimated, true))
	}
	if unknown == nil {
		a = append(a, attribute.Int64(SpanInputTokens, u.Input), attribute.Int64(SpanOutputTokens, u.Output))
		for _, part := range []struct {
			key string
			n   int64
		}{{SpanCacheRead, u.CacheRead}, {SpanCacheCreation, u.CacheWrite}, {SpanReasoningTokens, u.Reasoning}} {
			if part.n > 0 {
				a = append(a, attribute.Int64(part.key, part.n))
			}
		}
	}
	pico, priced := int64(0), false
	if m.o.Cost != nil && r != nil {
		pico, priced = m.o.Cost(s.model, r)
		if priced {
			a = append(a, attribute.Int64(SpanCostPicoUSD, pico))
		}
	}
	wanted := m.o.Cost != nil && r != nil
	if unknown == nil {
		m.o.meters.usage(s, u.Input, u.Output, pico, priced, wanted)
	} else {
		m.o.meters.money(s, pico, priced, wanted)
	}
	return a
}

// count adds up the tokens of texts.
func (o *Options) count(texts ...string) int64 {
	var n int64
	for _, text := range texts {
		n += int64(max(o.Tokens(text), 0))
	}
	return n
}

// estimated is an answer with these counts, for Options.Cost.
func estimated(u usage.Tokens) *llms.ContentResponse {
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{GenerationInfo: map[string]any{"PromptTokens": u.Input, "CompletionTokens": u.Output}}}}
}

func textsOf(messages []llms.MessageContent) []string {
	var out []string
	for _, m := range messages {
		for _, p := range m.Parts {
			if t, ok := p.(llms.TextContent); ok {
				out = append(out, t.Text)
			}
		}
	}
	return out
}

type attemptKey struct{}

// asAttempt notes the attempt on the context. It is known by the memory of its
// messages: a second wrapper around the same client gets the same slice, another call
// another one.
func asAttempt(ctx context.Context, s *Step, messages []llms.MessageContent) context.Context {
	if len(messages) == 0 {
		return ctx
	}
	s.messages = messages
	return context.WithValue(ctx, attemptKey{}, s)
}

func isAttempt(ctx context.Context, messages []llms.MessageContent) bool {
	in, ok := ctx.Value(attemptKey{}).(*Step)
	return ok && len(messages) == len(in.messages) && &messages[0] == &in.messages[0]
}
