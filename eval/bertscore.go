package eval

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/tmc/langchaingo/embeddings"
)

// TokenVectors is the input of BERTScore: the tokens of a text and a vector for
// each.
type TokenVectors struct {
	Tokens  []string
	Vectors [][]float64
}

// BERTScoreOptions sets which BERTScore; nil means the defaults.
type BERTScoreOptions struct {
	// IDF weighs tokens by how rare they are. Default: all weigh the same.
	IDF *IDF
	// Baseline is the P, R and F that unrelated texts score with this embedder.
	// Scores are rescaled to (x - b) / (1 - b), so that 0 is the level of chance;
	// without it almost all scores are between 0.8 and 1. Default: scores aren't
	// rescaled.
	Baseline PRF
	// Model names the embedder in the signature. Default: no name.
	Model string
}

// BERTScore compares texts by the vectors of their tokens, so that a synonym counts
// almost as much as the same word. Every token of one text is matched with the most
// similar token of the other:
//
//	P = Σ_h idf(h) max_r cos(h, r) / Σ_h idf(h)
//	R = Σ_r idf(r) max_h cos(h, r) / Σ_r idf(r)     F = 2PR/(P+R)
//
// Of several references each of P, R and F takes its best. It misleads where
// embeddings do: opposite words and different numbers have similar vectors. With
// vectors that don't depend on the context it is only a soft word overlap.
//
// Source: Zhang et al. 2020. The published code also lets padding and special
// tokens take part in the maximum, so that a text's score depends on the batch
// it was in; here it doesn't.
type BERTScore struct {
	o       BERTScoreOptions
	vectors func(ctx context.Context, text string) (TokenVectors, error)
}

// NewBERTScore returns the metric over a function that gives a text's token
// vectors; [EmbedTokens] makes one from an embedder.
func NewBERTScore(vectors func(ctx context.Context, text string) (TokenVectors, error), o *BERTScoreOptions) (*BERTScore, error) {
	if vectors == nil {
		return nil, fmt.Errorf("%w: BERTScore's function for token vectors is nil", ErrOption)
	}
	m := &BERTScore{vectors: vectors}
	if o != nil {
		m.o = *o
	}
	if b := m.o.Baseline; !below1(b.Precision) || !below1(b.Recall) || !below1(b.F) {
		return nil, fmt.Errorf("%w: BERTScoreOptions.Baseline is %v: want finite numbers below 1", ErrOption, b)
	}
	if err := checkName("BERTScoreOptions.Model", m.o.Model); err != nil {
		return nil, err
	}
	return m, nil
}

func below1(x float64) bool { return x < 1 && finite(x) }

// EmbedTokens returns the token vectors of a text by asking the embedder for
// each token's vector. A nil tokenizer means [UnicodeTokenizer].
func EmbedTokens(e embeddings.Embedder, tok *Tokenizer) (func(context.Context, string) (TokenVectors, error), error) {
	if e == nil {
		return nil, fmt.Errorf("%w: the embedder is nil", ErrOption)
	}
	if tok == nil {
		tok = UnicodeTokenizer()
	}
	return func(ctx context.Context, text string) (TokenVectors, error) {
		tv := TokenVectors{Tokens: tok.Tokens(text)}
		if len(tv.Tokens) == 0 {
			return tv, nil
		}
		vectors, err := e.EmbedDocuments(ctx, tv.Tokens)
		if err != nil {
			return TokenVectors{}, fmt.Errorf("eval: embedding tokens: %w", err)
		}
		for _, v := range vectors {
			wide := make([]float64, len(v))
			for i, x := range v {
				wide[i] = float64(x)
			}
			tv.Vectors = append(tv.Vectors, wide)
		}
		return tv, nil
	}, nil
}

// An IDF has the inverse document frequencies of tokens:
//
//	idf(t) = ln((N+1) / (df(t)+1))
//
// over N reference texts, df(t) of which have the token t.
type IDF struct {
	n  int
	df map[string]int
}

// NewIDF counts the tokens of all references of a corpus.
func NewIDF(references [][]string) *IDF {
	idf := &IDF{n: len(references), df: map[string]int{}}
	for _, tokens := range references {
		seen := map[string]bool{}
		for _, t := range tokens {
			if !seen[t] {
				seen[t] = true
				idf.df[t]++
			}
		}
	}
	return idf
}

// Weight is the token's idf; without an IDF it is 1.
func (f *IDF) Weight(token string) float64 {
	if f == nil {
		return 1
	}
	return math.Log(float64(f.n+1) / float64(f.df[token]+1))
}

// Score compares two texts given by their token vectors. Where a text has no
// tokens, or none with any weight, the score is 0.
func (m *BERTScore) Score(hyp, ref TokenVectors) (PRF, error) {
	h, err := unitVectors(hyp)
	if err != nil {
		return PRF{}, err
	}
	r, err := unitVectors(ref)
	if err != nil {
		return PRF{}, err
	}
	if len(h) > 0 && len(r) > 0 && len(h[0]) != len(r[0]) {
		return PRF{}, fmt.Errorf("%w: vectors of %d and %d dimensions", ErrLength, len(h[0]), len(r[0]))
	}
	if len(h) == 0 || len(r) == 0 {
		return m.rescale(PRF{}), nil
	}
	bestOfHyp, bestOfRef := lowest(len(h)), lowest(len(r))
	for i, x := range h {
		for j, y := range r {
			cos := dot(x, y)
			bestOfHyp[i] = max(bestOfHyp[i], cos)
			bestOfRef[j] = max(bestOfRef[j], cos)
		}
	}
	p := weightedMean(bestOfHyp, hyp.Tokens, m.o.IDF)
	rec := weightedMean(bestOfRef, ref.Tokens, m.o.IDF)
	return m.rescale(PRF{p, rec, ratio(2*p*rec, p+rec)}), nil
}

func (m *BERTScore) rescale(s PRF) PRF {
	b := m.o.Baseline // of zeros, it leaves the score as it is
	s.Precision = (s.Precision - b.Precision) / (1 - b.Precision)
	s.Recall = (s.Recall - b.Recall) / (1 - b.Recall)
	s.F = (s.F - b.F) / (1 - b.F)
	return s
}

// Best is the score against several references: the best P, the best R and
// the best F, which may come from different ones.
func (m *BERTScore) Best(hyp TokenVectors, refs []TokenVectors) (PRF, error) {
	if len(refs) == 0 {
		return PRF{}, errNoReferences
	}
	var best PRF
	for i, ref := range refs {
		s, err := m.Score(hyp, ref)
		if err != nil {
			return PRF{}, err
		}
		if i == 0 {
			best = s
		}
		best = PRF{max(best.Precision, s.Precision), max(best.Recall, s.Recall), max(best.F, s.F)}
	}
	return best, nil
}

func unitVectors(tv TokenVectors) ([][]float64, error) {
	if len(tv.Tokens) != len(tv.Vectors) {
		return nil, fmt.Errorf("%w: %d tokens, %d vectors", ErrLength, len(tv.Tokens), len(tv.Vectors))
	}
	out := make([][]float64, len(tv.Vectors))
	for i, v := range tv.Vectors {
		if len(v) != len(tv.Vectors[0]) {
			return nil, fmt.Errorf("%w: token vectors of %d and %d dimensions", ErrLength, len(tv.Vectors[0]), len(v))
		}
		if slices.ContainsFunc(v, func(x float64) bool { return !finite(x) }) {
			return nil, fmt.Errorf("%w: the vector of token %q", ErrNotFinite, tv.Tokens[i])
		}
		norm := math.Sqrt(dot(v, v))
		if !finite(norm) || norm < 1e-150 { // squares overflow or underflow: use another unit
			v = inUnits(v)
			norm = math.Sqrt(dot(v, v))
		}
		out[i] = make([]float64, len(v))
		for j, x := range v {
			out[i][j] = ratio(x, norm)
		}
	}
	return out, nil
}

// inUnits divides a vector by the power of two next to its largest component.
func inUnits(v []float64) []float64 {
	top := 0.0
	for _, x := range v {
		top = max(top, math.Abs(x))
	}
	_, unit := math.Frexp(top)
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = math.Ldexp(x, -unit)
	}
	return out
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i, x := range a {
		sum += x * b[i]
	}
	return sum
}

func lowest(n int) []float64 {
	xs := make([]float64, n)
	for i := range xs {
		xs[i] = math.Inf(-1)
	}
	return xs
}

func weightedMean(xs []float64, tokens []string, idf *IDF) float64 {
	sum, weights := 0.0, 0.0
	for i, x := range xs {
		w := idf.Weight(tokens[i])
		sum += w * x
		weights += w
	}
	return ratio(sum, weights)
}

// Signature names the metric, the model and the weighting.
func (m *BERTScore) Signature() Signature {
	return Signature{Metric: "BERTScore", Params: fmt.Sprintf("model:%s|idf:%s|rescaled:%s", m.o.Model, yesNo(m.o.IDF != nil), yesNo(m.o.Baseline != PRF{}))}
}

// CountsReferences returns true; see [ReferenceCounter].
func (m *BERTScore) CountsReferences() bool { return true }

// Width is 4: the sums of P, R and F, and the segments.
func (m *BERTScore) Width() int { return 4 }

// Stats writes the best P, R and F of the segment.
func (m *BERTScore) Stats(ctx context.Context, c *Case, o *Output, dst []float64) error {
	if err := checkSegment(c, o); err != nil {
		return err
	}
	hyp, err := m.vectors(ctx, o.Text)
	if err != nil {
		return err
	}
	refs := make([]TokenVectors, len(c.References))
	for i, text := range c.References {
		if refs[i], err = m.vectors(ctx, text); err != nil {
			return err
		}
	}
	s, err := m.Best(hyp, refs)
	if err != nil {
		return err
	}
	dst[0], dst[1], dst[2], dst[3] = s.Precision, s.Recall, s.F, 1
	return nil
}

// Value returns the mean F.
func (m *BERTScore) Value(sum []float64) float64 { return ratio(sum[2], sum[3]) }
