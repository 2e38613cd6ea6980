package compress

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"unicode"

	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/schema"
)

// RelevantOptions configure a [Relevant].
type RelevantOptions struct {
	// MinCosine is the cosine to the question that a passage needs, above 0 to 1.
	// Required: it is different for each embedder, so measure it on your questions.
	MinCosine float64
}

// Relevant drops passages that are far from the question in meaning, so that a prompt isn't
// filled up to k with whatever came next.
type Relevant struct {
	e embeddings.Embedder
	o RelevantOptions
}

// NewRelevant returns a Relevant. It fails with [ErrOption].
func NewRelevant(e embeddings.Embedder, o *RelevantOptions) (*Relevant, error) {
	if e == nil {
		return nil, fmt.Errorf("%w: the embedder of NewRelevant is nil", ErrOption)
	}
	if o == nil || !(o.MinCosine > 0 && o.MinCosine <= 1) {
		return nil, fmt.Errorf("%w: RelevantOptions.MinCosine: want above 0 to 1", ErrOption)
	}
	return &Relevant{e, *o}, nil
}

// Filter returns the passages that are near enough, in their order, with the cosine as their
// Score: the score that is shown is the one that decides. There may be none. It fails as
// the embedder does. It is a stage of a rag.Pipeline.
func (f *Relevant) Filter(ctx context.Context, question string, passages []schema.Document) ([]schema.Document, error) {
	if len(passages) == 0 {
		return nil, nil
	}
	query, vectors, err := embed(ctx, f.e, question, contents(passages))
	if err != nil {
		return nil, err
	}
	var out []schema.Document
	for i, p := range passages {
		if c := cosine(query, vectors[i]); c >= f.o.MinCosine {
			p.Score = float32(c)
			out = append(out, p)
		}
	}
	return out, nil
}

func contents(passages []schema.Document) []string {
	out := make([]string, len(passages))
	for i, p := range passages {
		out[i] = p.PageContent
	}
	return out
}

// RedundantOptions configure a [Redundant].
type RedundantOptions struct {
	// Embedder compares passages by the cosine of their vectors. Default: they are
	// compared by their words, as the share of runs of three words that both have.
	Embedder embeddings.Embedder

	// MaxSimilarity is how similar a passage may be to a better one, above 0 to 1.
	// Default: 0.95 with an embedder, 0.7 by words.
	MaxSimilarity float64
}

// Redundant drops passages that repeat a better one: versions of a page, quotations,
// overlapping windows. The first of them stays.
type Redundant struct{ o RedundantOptions }

// NewRedundant returns a Redundant; nil options mean the defaults. It fails with
// [ErrOption].
func NewRedundant(o *RedundantOptions) (*Redundant, error) {
	r := &Redundant{}
	if o != nil {
		r.o = *o
	}
	byDefault := 0.7
	if r.o.Embedder != nil {
		byDefault = 0.95
	}
	r.o.MaxSimilarity = cmp.Or(r.o.MaxSimilarity, byDefault)
	if !(r.o.MaxSimilarity > 0 && r.o.MaxSimilarity <= 1) {
		return nil, fmt.Errorf("%w: RedundantOptions.MaxSimilarity is %v: want 0 (the default, %v) to 1", ErrOption, r.o.MaxSimilarity, byDefault)
	}
	return r, nil
}

// Filter returns the passages that repeat no earlier one, in their order. Equal texts always
// count as a repetition. The work grows with the square of the number of passages. It fails
// as the embedder does. It is a stage of a rag.Pipeline.
func (r *Redundant) Filter(ctx context.Context, _ string, passages []schema.Document) ([]schema.Document, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	if len(passages) == 0 {
		return nil, nil
	}
	similar, err := r.comparison(ctx, passages)
	if err != nil {
		return nil, err
	}
	var kept []int
	var out []schema.Document
next:
	for i, p := range passages {
		for _, k := range kept {
			if passages[k].PageContent == p.PageContent || similar(i, k) > r.o.MaxSimilarity {
				continue next
			}
		}
		kept = append(kept, i)
		out = append(out, p)
	}
	return out, nil
}

// comparison returns how similar two of the passages are.
func (r *Redundant) comparison(ctx context.Context, passages []schema.Document) (func(i, k int) float64, error) {
	if r.o.Embedder != nil {
		vectors, err := embedTexts(ctx, r.o.Embedder, contents(passages))
		return func(i, k int) float64 { return cosine(vectors[i], vectors[k]) }, err
	}
	runs := make([]map[string]bool, len(passages))
	for i, p := range passages {
		runs[i] = wordRuns(p.PageContent)
	}
	return func(i, k int) float64 {
		both := 0
		for run := range runs[i] {
			if runs[k][run] {
				both++
			}
		}
		if either := len(runs[i]) + len(runs[k]) - both; either > 0 {
			return float64(both) / float64(either)
		}
		return 0
	}, nil
}

// wordRuns returns the runs of three words of a text, or the text's words if there are
// fewer.
func wordRuns(text string) map[string]bool {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
	out := make(map[string]bool, len(words))
	if len(words) < 3 {
		out[strings.Join(words, " ")] = true
		return out
	}
	for i := range len(words) - 2 {
		out[strings.Join(words[i:i+3], " ")] = true
	}
	return out
}
