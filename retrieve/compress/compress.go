package compress

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"

	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/internal/docmeta"
	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/internal/sentence"
	"github.com/prodailabs/prodai/retrieve/bm25"
)

var (
	// ErrOption is wrapped by the errors for an option that is out of range and for a
	// required argument that is nil.
	ErrOption = errors.New("compress: invalid option")
	// ErrEmbedder is wrapped by errors about vectors that don't fit the texts.
	ErrEmbedder = errors.New("compress: bad vectors")
)

// SentencesOptions configure a [Sentences].
type SentencesOptions struct {
	// Embedder measures how near a sentence is to the question in meaning. Default: only
	// shared words count.
	Embedder embeddings.Embedder

	// Keep is the share of the best sentence's score, above 0 to 1, that a sentence needs.
	// A higher share keeps less. Default: 0.5.
	Keep float64

	// Around is how many sentences before and after a kept one are kept too, since a
	// sentence such as "It takes two days." means nothing alone. Default: 0.
	Around int

	// Budget is how many tokens are kept of all passages together, at most: the best
	// sentences first. The best sentence is kept even if it is larger. Default: no limit.
	Budget int

	// Tokens counts the tokens of a text. Default: one token for four bytes.
	Tokens func(text string) int
}

// Sentences is a compressor without a model: it keeps the sentences that share rare words
// with the question, or are near to it in meaning, and drops the others. What it keeps is
// the document's own text. It is safe for concurrent use if its embedder is.
type Sentences struct{ o SentencesOptions }

// NewSentences returns a Sentences; nil options mean the defaults. It fails with
// [ErrOption].
func NewSentences(o *SentencesOptions) (*Sentences, error) {
	c := &Sentences{}
	if o != nil {
		c.o = *o
	}
	c.o.Keep = cmp.Or(c.o.Keep, 0.5)
	switch {
	case !(c.o.Keep > 0 && c.o.Keep <= 1):
		return nil, fmt.Errorf("%w: SentencesOptions.Keep is %v: want 0 (the default, 0.5) to 1", ErrOption, c.o.Keep)
	case c.o.Around < 0:
		return nil, fmt.Errorf("%w: SentencesOptions.Around is %d: want 0 or more", ErrOption, c.o.Around)
	case c.o.Budget < 0:
		return nil, fmt.Errorf("%w: SentencesOptions.Budget is %d: want 0 (no limit) or more", ErrOption, c.o.Budget)
	}
	if c.o.Tokens == nil {
		c.o.Tokens = func(text string) int { return (len(text) + 3) / 4 }
	}
	return c, nil
}

// A part is a sentence of a passage.
type part struct {
	passage, number int // its place
	text            string
	score           float64
}

// Compress returns the passages cut down to the sentences that matter, in their order. A
// run of kept sentences is a passage of its own, with its exact place in the source in
// "start" and "end", so a citation still points at the right bytes. If no sentence has
// anything to do with the question, the passages are returned whole. It fails as the
// embedder does. It is a stage of a rag.Pipeline.
func (c *Sentences) Compress(ctx context.Context, question string, passages []schema.Document) ([]schema.Document, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	spans := make([][]sentence.Span, len(passages))
	var parts []part
	for i, p := range passages {
		spans[i] = sentence.Split(p.PageContent)
		for n, s := range spans[i] {
			parts = append(parts, part{i, n, p.PageContent[s.Start:s.End], 0})
		}
	}
	if err := c.score(ctx, question, parts); err != nil {
		return nil, err
	}
	kept := c.choose(parts, spans)
	if kept == nil {
		return slices.Clone(passages), nil
	}
	var out []schema.Document
	for i, p := range passages {
		out = append(out, runs(p, spans[i], kept[i])...)
	}
	return out, nil
}

// score sets the parts' scores: the share of the question's words, rare ones counting more,
// and the cosine.
func (c *Sentences) score(ctx context.Context, question string, parts []part) error {
	if len(parts) == 0 {
		return nil
	}
	words := make([]map[string]bool, len(parts))
	in := map[string]int{}
	for i, p := range parts {
		words[i] = map[string]bool{}
		for _, w := range bm25.English(p.text) {
			if !words[i][w] {
				words[i][w] = true
				in[w]++
			}
		}
	}
	weight, total := map[string]float64{}, 0.0
	for _, w := range bm25.English(question) {
		if weight[w] == 0 {
			n := float64(in[w])
			weight[w] = math.Log(1 + (float64(len(parts))-n+0.5)/(n+0.5))
			total += weight[w]
		}
	}
	asked := slices.Sorted(maps.Keys(weight)) // one order of summation
	for i := range parts {
		for _, w := range asked {
			if words[i][w] {
				parts[i].score += weight[w] / total
			}
		}
	}
	if c.o.Embedder == nil {
		return nil
	}
	texts := make([]string, len(parts))
	for i, p := range parts {
		texts[i] = p.text
	}
	query, vectors, err := embed(ctx, c.o.Embedder, question, texts)
	if err != nil {
		return err
	}
	for i := range parts {
		parts[i].score += max(0, cosine(query, vectors[i]))
	}
	return nil
}

// choose returns which sentences of each passage are kept; nil if none has a score.
func (c *Sentences) choose(parts []part, spans [][]sentence.Span) [][]bool {
	order := make([]int, len(parts))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(parts[b].score, parts[a].score) })
	if len(order) == 0 || parts[order[0]].score <= 0 {
		return nil
	}
	kept := make([][]bool, len(spans))
	for i := range spans {
		kept[i] = make([]bool, len(spans[i]))
	}
	spent := 0
	first := make([]int, len(spans)) // the number of each passage's first part
	for i := 1; i < len(spans); i++ {
		first[i] = first[i-1] + len(spans[i-1])
	}
	for rank, at := range order {
		p := parts[at]
		if p.score < c.o.Keep*parts[order[0]].score {
			break
		}
		var add []int
		cost := 0
		for n := max(0, p.number-min(c.o.Around, p.number)); n <= p.number+min(c.o.Around, len(spans[p.passage])-1-p.number); n++ {
			if !kept[p.passage][n] {
				add = append(add, n)
				cost += c.o.Tokens(parts[first[p.passage]+n].text)
			}
		}
		if c.o.Budget > 0 && spent+cost > c.o.Budget {
			if rank > 0 {
				continue
			}
			add = []int{p.number} // the best alone
		}
		spent += cost
		for _, n := range add {
			kept[p.passage][n] = true
		}
	}
	return kept
}

// runs returns each run of kept sentences of a passage as a passage.
func runs(p schema.Document, spans []sentence.Span, kept []bool) []schema.Document {
	var out []schema.Document
	for i := 0; i < len(spans); i++ {
		if !kept[i] {
			continue
		}
		from := i
		for i+1 < len(spans) && kept[i+1] {
			i++
		}
		if from == 0 && i == len(spans)-1 {
			return []schema.Document{p} // nothing is cut
		}
		out = append(out, piece(p, spans[from].Start, spans[i].End))
	}
	return out
}

// piece returns the bytes [from, to) of a passage's text as a passage.
func piece(p schema.Document, from, to int) schema.Document {
	meta := maps.Clone(p.Metadata)
	if meta == nil {
		meta = map[string]any{}
	}
	if start, end, ok := docmeta.Span(meta); ok {
		// What is before the passage's own text is context, from elsewhere in the source.
		if context := len(p.PageContent) - (end - start); context >= 0 && from >= context {
			meta[docmeta.Start], meta[docmeta.End] = start+from-context, start+to-context
		} else {
			delete(meta, docmeta.Start)
			delete(meta, docmeta.End)
		}
	}
	if id, ok := docmeta.String(meta, docmeta.ID); ok {
		meta[docmeta.ID] = fmt.Sprintf("%s#%d-%d", id, from, to)
	}
	return schema.Document{PageContent: p.PageContent[from:to], Metadata: meta, Score: p.Score}
}

// embed returns the vectors of a question and of texts.
func embed(ctx context.Context, e embeddings.Embedder, question string, texts []string) ([]float32, [][]float32, error) {
	query, err := e.EmbedQuery(ctx, question)
	if err != nil {
		return nil, nil, fmt.Errorf("compress: embed the question: %w", err)
	}
	vectors, err := embedTexts(ctx, e, texts)
	if err == nil && len(vectors) > 0 && len(vectors[0]) != len(query) {
		err = fmt.Errorf("%w: they have %d and %d elements", ErrEmbedder, len(query), len(vectors[0]))
	}
	return query, vectors, err
}

func embedTexts(ctx context.Context, e embeddings.Embedder, texts []string) ([][]float32, error) {
	vectors, err := e.EmbedDocuments(ctx, texts)
	if err != nil {
		return nil, fmt.Errorf("compress: embed %d texts: %w", len(texts), err)
	}
	if len(vectors) != len(texts) {
		return nil, fmt.Errorf("%w: %d vectors for %d texts", ErrEmbedder, len(vectors), len(texts))
	}
	for _, v := range vectors {
		if len(v) != len(vectors[0]) {
			return nil, fmt.Errorf("%w: they have %d and %d elements", ErrEmbedder, len(vectors[0]), len(v))
		}
	}
	return vectors, nil
}

// cosine returns 0 for a vector without a direction, or with elements that are not numbers.
func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		ab += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	if c := ab / math.Sqrt(aa*bb); !math.IsNaN(c) && !math.IsInf(c, 0) {
		return c
	}
	return 0
}

// fellBack logs that a stage keeps what it got.
func fellBack(ctx context.Context, l *slog.Logger, stage, reason string, count int) {
	l.WarnContext(ctx, event.RetrieveFallback, event.Stage, stage, event.Count, count, event.Reason, reason)
}
