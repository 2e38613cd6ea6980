package trace

import (
	"context"

	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/vectorstores"
	"go.opentelemetry.io/otel/attribute"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/prodailabs/prodai/internal/docmeta"
)

// A Retriever records a span for each search of the wrapped retriever.
type Retriever struct {
	next   schema.Retriever
	source string
	o      *Options
}

// NewRetriever returns a Retriever around next; source names what is searched.
// Its error wraps [ErrOption].
func NewRetriever(next schema.Retriever, source string, o *Options) (*Retriever, error) {
	if next == nil {
		return nil, optionError("the retriever to wrap is nil")
	}
	checked, err := o.check()
	if err != nil {
		return nil, err
	}
	return &Retriever{next, source, checked}, nil
}

// GetRelevantDocuments searches within a span.
func (r *Retriever) GetRelevantDocuments(ctx context.Context, query string) ([]schema.Document, error) {
	return r.o.search(ctx, r.source, query, 0, func(ctx context.Context) ([]schema.Document, error) {
		return r.next.GetRelevantDocuments(ctx, query)
	})
}

// A VectorStore records a span for each search of the wrapped vector store, and one
// for each addition of documents.
type VectorStore struct {
	next   vectorstores.VectorStore
	source string
	o      *Options
}

// NewVectorStore returns a VectorStore around next; source names it. Its error
// wraps [ErrOption].
func NewVectorStore(next vectorstores.VectorStore, source string, o *Options) (*VectorStore, error) {
	if next == nil {
		return nil, optionError("the vector store to wrap is nil")
	}
	checked, err := o.check()
	if err != nil {
		return nil, err
	}
	return &VectorStore{next, source, checked}, nil
}

// SimilaritySearch searches within a span.
func (v *VectorStore) SimilaritySearch(ctx context.Context, query string, numDocuments int, options ...vectorstores.Option) ([]schema.Document, error) {
	return v.o.search(ctx, v.source, query, numDocuments, func(ctx context.Context) ([]schema.Document, error) {
		return v.next.SimilaritySearch(ctx, query, numDocuments, options...)
	})
}

// AddDocuments adds documents within a span "invoke_workflow add SOURCE": the
// conventions have no operation for it.
func (v *VectorStore) AddDocuments(ctx context.Context, docs []schema.Document, options ...vectorstores.Option) (ids []string, err error) {
	ctx, s := v.o.start(ctx, OperationWorkflow, "add "+v.source, oteltrace.SpanKindInternal, nil,
		attribute.String(SpanOperation, OperationWorkflow), attribute.String(SpanWorkflow, "add "+v.source))
	returned := false
	defer s.done(&returned)
	ids, err = v.next.AddDocuments(ctx, docs, options...)
	returned = true
	if err != nil {
		s.fail(err)
	}
	if s.span.IsRecording() {
		s.set(v.o.identity(ctx, []attribute.KeyValue{attribute.Int(SpanRetrievalCount, len(ids))}))
	}
	return ids, err
}

// search makes the span of a search; top is how many documents are asked for, 0 if
// that is not known.
func (o *Options) search(ctx context.Context, source, query string, top int, find func(context.Context) ([]schema.Document, error)) ([]schema.Document, error) {
	ctx, s := o.start(ctx, OperationRetrieval, source, oteltrace.SpanKindClient, nil,
		attribute.String(SpanOperation, OperationRetrieval), attribute.String(SpanDataSource, source))
	returned := false
	defer s.done(&returned)
	docs, err := find(ctx)
	returned = true
	if err != nil {
		s.fail(err)
	}
	if !s.span.IsRecording() {
		return docs, err
	}
	a := []attribute.KeyValue{attribute.Int(SpanRetrievalCount, len(docs))}
	if top > 0 {
		a = append(a, attribute.Float64(SpanTopK, float64(top)))
	}
	a = o.identity(ctx, a)
	if o.Content {
		a = append(a, attribute.String(SpanQuery, query), attribute.String(SpanDocuments, asJSON(found(docs))))
	}
	s.set(a)
	if o.Content && o.OpenInference {
		s.span.SetAttributes(openInferenceDocuments(docs)...)
	}
	return docs, err
}

type foundDocument struct {
	ID    string  `json:"id"`
	Score float64 `json:"score"`
}

func found(docs []schema.Document) []foundDocument {
	out := make([]foundDocument, 0, len(docs))
	for _, d := range docs {
		id, _ := docmeta.String(d.Metadata, docmeta.ID)
		out = append(out, foundDocument{id, score(d.Score)})
	}
	return out
}
