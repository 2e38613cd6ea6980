package trace

import (
	"context"

	"github.com/tmc/langchaingo/embeddings"
	"go.opentelemetry.io/otel/attribute"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/prodailabs/prodai/internal/usage"
)

// An Embedder records a span for each call of the wrapped embedder. langchaingo's
// embedders report no usage: with Options.Tokens the tokens are counted, and with
// Options.Cost they are priced.
type Embedder struct {
	next embeddings.Embedder
	o    *Options
}

// NewEmbedder returns an Embedder around next. Its error wraps [ErrOption].
func NewEmbedder(next embeddings.Embedder, o *Options) (*Embedder, error) {
	if next == nil {
		return nil, optionError("the embedder to wrap is nil")
	}
	checked, err := o.check()
	if err != nil {
		return nil, err
	}
	return &Embedder{next, checked}, nil
}

// EmbedDocuments embeds within a span.
func (e *Embedder) EmbedDocuments(ctx context.Context, texts []string) ([][]float32, error) {
	ctx, s := e.start(ctx)
	returned := false
	defer s.done(&returned)
	out, err := e.next.EmbedDocuments(ctx, texts)
	returned = true
	dimensions := 0
	if len(out) > 0 {
		dimensions = len(out[0])
	}
	e.record(ctx, s, texts, dimensions, err)
	return out, err
}

// EmbedQuery embeds within a span.
func (e *Embedder) EmbedQuery(ctx context.Context, text string) ([]float32, error) {
	ctx, s := e.start(ctx)
	returned := false
	defer s.done(&returned)
	out, err := e.next.EmbedQuery(ctx, text)
	returned = true
	e.record(ctx, s, []string{text}, len(out), err)
	return out, err
}

func (e *Embedder) start(ctx context.Context) (context.Context, *Step) {
	ctx, s := e.o.start(private(ctx), OperationEmbeddings, e.o.Model, oteltrace.SpanKindClient, nil,
		attribute.String(SpanOperation, OperationEmbeddings), attribute.String(SpanProvider, e.o.provider()), attribute.String(SpanModel, e.o.Model))
	s.model = e.o.Model
	return ctx, s
}

func (e *Embedder) record(ctx context.Context, s *Step, texts []string, dimensions int, err error) {
	a := e.o.identity(ctx, nil)
	if dimensions > 0 {
		a = append(a, attribute.Int(SpanDimensions, dimensions))
	}
	if err != nil {
		s.fail(err)
	} else if e.o.Tokens != nil { // a failed call is not billed
		n := e.o.count(texts...)
		pico, priced := int64(0), false
		if e.o.Cost != nil {
			pico, priced = e.o.Cost(s.model, estimated(usage.Tokens{Input: n}))
		}
		a = append(a, attribute.Int64(SpanInputTokens, n), attribute.Bool(SpanEstimated, true))
		if priced {
			a = append(a, attribute.Int64(SpanCostPicoUSD, pico))
		}
		e.o.meters.usage(s, n, 0, pico, priced, e.o.Cost != nil)
	}
	if s.span.IsRecording() {
		s.set(a)
	}
}
