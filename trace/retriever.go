package trace

import (
	"context"
	"fmt"

	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/schema"
	"go.opentelemetry.io/otel/attribute"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/prodailabs/prodai/internal/docmeta"
)

// A Retriever records a span for each search of the wrapped retriever.
type Retriever struct {
	next   schema.Retriever
	source string
	o      Options
}

// NewRetriever returns a Retriever around next; source names what is searched.
// Its error wraps [ErrOption].
func NewRetriever(next schema.Retriever, source string, o *Options) (*Retriever, error) {
	if next == nil {
		return nil, fmt.Errorf("%w: the retriever to wrap is nil", ErrOption)
	}
	r := &Retriever{next: next, source: source}
	if o != nil {
		r.o = *o
	}
	return r, nil
}

// GetRelevantDocuments searches within a span.
func (r *Retriever) GetRelevantDocuments(ctx context.Context, query string) ([]schema.Document, error) {
	ctx, span := r.o.tracer().Start(ctx, opRetrieval+" "+r.source, oteltrace.WithSpanKind(oteltrace.SpanKindClient),
		oteltrace.WithAttributes(attribute.String(keyOperation, opRetrieval), attribute.String(keySource, r.source)))
	defer span.End()
	docs, err := r.next.GetRelevantDocuments(ctx, query)
	if err != nil {
		r.o.fail(span, err)
	}
	span.SetAttributes(attribute.Int(keyCount, len(docs)))
	if r.o.Content {
		span.SetAttributes(attribute.String(keyQuery, query), attribute.String(keyDocuments, asJSON(found(docs))))
	}
	return docs, err
}

type foundDocument struct {
	ID    string  `json:"id"`
	Score float32 `json:"score"`
}

func found(docs []schema.Document) []foundDocument {
	out := make([]foundDocument, 0, len(docs))
	for _, d := range docs {
		id, _ := docmeta.String(d.Metadata, docmeta.ID)
		out = append(out, foundDocument{id, d.Score})
	}
	return out
}

// An Embedder records a span for each call of the wrapped embedder.
type Embedder struct {
	next embeddings.Embedder
	o    Options
}

// NewEmbedder returns an Embedder around next. Its error wraps [ErrOption].
func NewEmbedder(next embeddings.Embedder, o *Options) (*Embedder, error) {
	if next == nil {
		return nil, fmt.Errorf("%w: the embedder to wrap is nil", ErrOption)
	}
	e := &Embedder{next: next}
	if o != nil {
		e.o = *o
	}
	return e, nil
}

// EmbedDocuments embeds within a span.
func (e *Embedder) EmbedDocuments(ctx context.Context, texts []string) ([][]float32, error) {
	ctx, span := e.start(ctx)
	defer span.End()
	out, err := e.next.EmbedDocuments(ctx, texts)
	if len(out) > 0 {
		span.SetAttributes(attribute.Int(keyDimensions, len(out[0])))
	}
	if err != nil {
		e.o.fail(span, err)
	}
	return out, err
}

// EmbedQuery embeds within a span.
func (e *Embedder) EmbedQuery(ctx context.Context, text string) ([]float32, error) {
	ctx, span := e.start(ctx)
	defer span.End()
	out, err := e.next.EmbedQuery(ctx, text)
	span.SetAttributes(attribute.Int(keyDimensions, len(out)))
	if err != nil {
		e.o.fail(span, err)
	}
	return out, err
}

func (e *Embedder) start(ctx context.Context) (context.Context, oteltrace.Span) {
	return e.o.tracer().Start(ctx, opEmbeddings+" "+e.o.Model, oteltrace.WithSpanKind(oteltrace.SpanKindClient),
		oteltrace.WithAttributes(attribute.String(keyOperation, opEmbeddings), attribute.String(keyProvider, e.o.provider()), attribute.String(keyModel, e.o.Model)))
}
