package guard

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/internal/docmeta"
)

// A Retriever checks the documents that the wrapped retriever finds, before a prompt
// is made of them. A document that a check blocks is left out, as if it had not been
// found, so that one poisoned document does not remove the others. Make one with
// [NewRetriever].
type Retriever struct {
	next schema.Retriever
	p    *Pipeline
}

// NewRetriever returns a Retriever around next that runs the Documents checks of
// o. A nil next and an invalid option are errors that wrap [ErrOption].
func NewRetriever(next schema.Retriever, o *Options) (*Retriever, error) {
	if next == nil {
		return nil, fmt.Errorf("%w: the retriever to wrap is nil", ErrOption)
	}
	p, err := NewPipeline(o)
	if err != nil {
		return nil, err
	}
	return &Retriever{next: next, p: p}, nil
}

// GetRelevantDocuments returns the documents that pass, with what is to be
// redacted replaced and "trust" set to "untrusted". Documents with "trusted" in
// their metadata pass as they are.
//
// If ctx comes from [NewContext], the documents are registered as by [Untrusted]. A
// [Model] then marks them where they appear in the prompt, whole or line by line. Their "source" may be cited, see [Provenance.Cites].
func (r *Retriever) GetRelevantDocuments(ctx context.Context, query string) ([]schema.Document, error) {
	docs, err := r.next.GetRelevantDocuments(ctx, query)
	if err != nil {
		return docs, err
	}
	s := r.p.start(ctx, StageDocument)
	defer s.end()
	passages := passagesOf(ctx)
	kept := make([]schema.Document, 0, len(docs))
	for i, d := range docs {
		if trust, _ := docmeta.String(d.Metadata, docmeta.Trust); trust == docmeta.TrustTrusted {
			kept = append(kept, d)
			continue
		}
		where := nowhere("document")
		where.Passage = i
		text, _, err := s.inspect(d.PageContent, where)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if blocked := (*BlockedError)(nil); errors.As(err, &blocked) {
			continue
		}
		d.PageContent = text
		d.Metadata = maps.Clone(d.Metadata)
		if d.Metadata == nil {
			d.Metadata = map[string]any{}
		}
		d.Metadata[docmeta.Trust] = docmeta.TrustUntrusted
		if passages != nil {
			passages.register([]string{text})
			source, _ := docmeta.String(d.Metadata, docmeta.Source)
			passages.source(source)
		}
		kept = append(kept, d)
	}
	return kept, nil
}
