// Package vectorstore reads the options of langchaingo's vectorstores, for the collection
// and for the databases.
package vectorstore

import (
	"context"
	"fmt"

	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/vectorstores"
)

func read(options []vectorstores.Option) (o vectorstores.Options) {
	for _, set := range options {
		set(&o)
	}
	return o
}

// Fresh returns the documents that the deduplicater of AddDocuments leaves. Another option
// is an error that wraps errOption.
func Fresh(ctx context.Context, docs []schema.Document, options []vectorstores.Option, errOption error) (fresh []schema.Document, err error) {
	o := read(options)
	if o.NameSpace != "" || o.ScoreThreshold != 0 || o.Filters != nil || o.Embedder != nil {
		return nil, fmt.Errorf("%w: AddDocuments takes only WithDeduplicater", errOption)
	}
	for _, d := range docs {
		if o.Deduplicater == nil || !o.Deduplicater(ctx, d) {
			fresh = append(fresh, d)
		}
	}
	return fresh, nil
}

// Search returns the options of SimilaritySearch. One that can't be taken is an error that
// wraps errOption; what names the store in it.
func Search(options []vectorstores.Option, what string, errOption error) (o vectorstores.Options, err error) {
	o = read(options)
	if o.NameSpace != "" || o.Embedder != nil {
		return o, fmt.Errorf("%w: a %s has no namespaces and one embedder: see Options.Tenant", errOption, what)
	}
	if !(o.ScoreThreshold >= 0 && o.ScoreThreshold <= 1) {
		return o, fmt.Errorf("%w: the score threshold is %v: want 0 to 1", errOption, o.ScoreThreshold)
	}
	return o, nil
}

// Keeps reports whether the threshold and the deduplicater leave a document that was found
// with a cosine.
func Keeps(ctx context.Context, o *vectorstores.Options, cosine float64, d schema.Document) bool {
	return cosine >= float64(o.ScoreThreshold) && (o.Deduplicater == nil || !o.Deduplicater(ctx, d))
}
