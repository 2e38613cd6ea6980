package rerank

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"unicode"

	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/schema"
)

// A TokenEmbedder embeds each token of a text for itself, as ColBERT does: one list of
// token vectors for each text, all of one length.
type TokenEmbedder interface {
	EmbedTokens(ctx context.Context, texts []string) ([][][]float32, error)
}

// LateOptions configure a [Late].
type LateOptions struct {
	// Similarity compares two token vectors. Default: SimilarityCosine.
	Similarity Similarity
}

// Late is a [Ranker] by late interaction: question and text are embedded token by token,
// and compared by [MaxSim]. The vectors of texts can be computed before any question, so it
// is faster than a cross-encoder, and finds single words that one vector a text blurs.
type Late struct {
	e TokenEmbedder
	o LateOptions
}

// NewLate returns a Late; nil options mean the defaults. It fails with [ErrOption].
func NewLate(e TokenEmbedder, o *LateOptions) (*Late, error) {
	if e == nil {
		return nil, fmt.Errorf("%w: the embedder of NewLate is nil", ErrOption)
	}
	l := &Late{e: e}
	if o != nil {
		l.o = *o
	}
	if l.o.Similarity > SimilarityDot {
		return nil, fmt.Errorf("%w: LateOptions.Similarity is %d: want SimilarityCosine or SimilarityDot", ErrOption, l.o.Similarity)
	}
	return l, nil
}

// Rank sorts the texts by [MaxSim] with the question. It fails as the embedder does, and
// with [ErrVector].
func (l *Late) Rank(ctx context.Context, question string, texts []string) ([]Ranked, error) {
	vectors, err := l.e.EmbedTokens(ctx, append([]string{question}, texts...))
	if err != nil {
		return nil, fmt.Errorf("rerank: embed the tokens: %w", err)
	}
	if len(vectors) != len(texts)+1 {
		return nil, fmt.Errorf("%w: vectors of %d texts, want %d", ErrVector, len(vectors), len(texts)+1)
	}
	scores := make([]float64, len(texts))
	for i := range texts {
		if scores[i], err = MaxSim(vectors[0], vectors[i+1], l.o.Similarity); err != nil {
			return nil, err
		}
	}
	return byScore(scores)
}

// Words is a [TokenEmbedder] made of an embedder of texts: each word is embedded as a text
// of its own. With a static embedder, such as that of retrieve/embed, these are its rows;
// with a contextual one the context is lost, so use that model's own token vectors.
func Words(e embeddings.Embedder) (TokenEmbedder, error) {
	if e == nil {
		return nil, fmt.Errorf("%w: the embedder of Words is nil", ErrOption)
	}
	return words{e}, nil
}

type words struct{ e embeddings.Embedder }

// EmbedTokens embeds each different word once. Words without a vector are left out.
func (w words) EmbedTokens(ctx context.Context, texts []string) ([][][]float32, error) {
	number := map[string]int{}
	var distinct []string
	tokens := make([][]int, len(texts))
	for i, t := range texts {
		for _, word := range strings.FieldsFunc(strings.ToLower(t), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) }) {
			n, ok := number[word]
			if !ok {
				n = len(distinct)
				number[word] = n
				distinct = append(distinct, word)
			}
			tokens[i] = append(tokens[i], n)
		}
	}
	out := make([][][]float32, len(texts))
	if len(distinct) == 0 {
		return out, nil
	}
	vectors, err := w.e.EmbedDocuments(ctx, distinct)
	if err != nil {
		return nil, err
	}
	if len(vectors) != len(distinct) {
		return nil, fmt.Errorf("%w: %d vectors for %d words", ErrVector, len(vectors), len(distinct))
	}
	for i := range tokens {
		for _, n := range tokens[i] {
			if len(vectors[n]) > 0 {
				out[i] = append(out[i], vectors[n])
			}
		}
	}
	return out, nil
}

// DiverseOptions configure a [Diverse].
type DiverseOptions struct {
	// K is how many passages are returned at most. Default: 5.
	K int

	// Relevance is the lambda of [MMR], above 0 to 1: the weight of the question against
	// that of diversity. Default: 0.5.
	Relevance float64
}

// Diverse picks passages by [MMR], so that five copies of one sentence don't fill a
// prompt.
type Diverse struct {
	e embeddings.Embedder
	o DiverseOptions
}

// NewDiverse returns a Diverse; nil options mean the defaults. It fails with [ErrOption].
func NewDiverse(e embeddings.Embedder, o *DiverseOptions) (*Diverse, error) {
	if e == nil {
		return nil, fmt.Errorf("%w: the embedder of NewDiverse is nil", ErrOption)
	}
	d := &Diverse{e: e}
	if o != nil {
		d.o = *o
	}
	d.o.K, d.o.Relevance = cmp.Or(d.o.K, 5), cmp.Or(d.o.Relevance, 0.5)
	if d.o.K < 1 {
		return nil, fmt.Errorf("%w: DiverseOptions.K is %d: want 0 (the default, 5) or more", ErrOption, d.o.K)
	}
	if !(d.o.Relevance > 0 && d.o.Relevance <= 1) {
		return nil, fmt.Errorf("%w: DiverseOptions.Relevance is %v: want 0 (the default, 0.5) to 1", ErrOption, d.o.Relevance)
	}
	return d, nil
}

// Rerank returns the passages picked, in the order of choice, each with the Score that it
// came with. If the question has no direction, the first passages are returned. It fails
// as the embedder does, and with [ErrVector]. It is a stage of a rag.Pipeline.
func (d *Diverse) Rerank(ctx context.Context, question string, passages []schema.Document) ([]schema.Document, error) {
	if len(passages) == 0 {
		return nil, nil
	}
	texts := make([]string, len(passages))
	for i, p := range passages {
		texts[i] = p.PageContent
	}
	query, err := d.e.EmbedQuery(ctx, question)
	if err != nil {
		return nil, fmt.Errorf("rerank: embed the question: %w", err)
	}
	vectors, err := d.e.EmbedDocuments(ctx, texts)
	if err != nil {
		return nil, fmt.Errorf("rerank: embed the passages: %w", err)
	}
	if len(vectors) != len(texts) {
		return nil, fmt.Errorf("%w: %d vectors for %d passages", ErrVector, len(vectors), len(texts))
	}
	picked := identity(min(d.o.K, len(passages)))
	if u, err := unit(query, len(query)); err != nil {
		return nil, err
	} else if u != nil {
		if picked, err = MMR(query, vectors, d.o.K, d.o.Relevance); err != nil {
			return nil, err
		}
	}
	out := make([]schema.Document, len(picked))
	for i, p := range picked {
		out[i] = passages[p]
	}
	return out, nil
}
