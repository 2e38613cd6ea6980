package chunkeval

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"unicode/utf8"

	"github.com/tmc/langchaingo/embeddings"

	"github.com/prodailabs/prodai/chunk"
)

// ErrOption is wrapped by the errors for an option that is out of range and for
// a required argument that is nil. The message names the field, its value and
// what is allowed.
var ErrOption = errors.New("chunkeval: invalid option")

// ErrRank is the error for a ranking with passages that don't exist.
var ErrRank = errors.New("chunkeval: bad ranking")

// Rank returns for each question the indexes of the best passages, best first. They
// must be at least as many as K and the budget use, if there are so many.
type Rank func(ctx context.Context, questions, passages []string) ([][]int, error)

// ByEmbedding returns a Rank by the cosine of an embedder's vectors. It fails with
// [ErrOption].
func ByEmbedding(e embeddings.Embedder) (Rank, error) {
	if e == nil {
		return nil, fmt.Errorf("%w: the embedder of ByEmbedding is nil", ErrOption)
	}
	return func(ctx context.Context, questions, passages []string) ([][]int, error) {
		docs, err := e.EmbedDocuments(ctx, passages)
		if err != nil {
			return nil, fmt.Errorf("chunkeval: embedding the passages: %w", err)
		}
		if len(docs) != len(passages) {
			return nil, fmt.Errorf("%w: %d vectors for %d passages", ErrRank, len(docs), len(passages))
		}
		norms := make([]float64, len(docs))
		for i, d := range docs {
			norms[i] = math.Sqrt(dot(d, d))
		}
		out := make([][]int, len(questions))
		scores := make([]float64, len(docs))
		for i, text := range questions {
			q, err := e.EmbedQuery(ctx, text)
			if err != nil {
				return nil, fmt.Errorf("chunkeval: embedding question %d: %w", i, err)
			}
			order := make([]int, len(docs))
			for j, d := range docs {
				if order[j] = j; norms[j] > 0 {
					scores[j] = dot(q, d) / norms[j]
				}
			}
			slices.SortStableFunc(order, func(a, b int) int {
				switch {
				case scores[a] > scores[b]:
					return -1
				case scores[a] < scores[b]:
					return 1
				}
				return 0
			})
			out[i] = order
		}
		return out, nil
	}, nil
}

func dot(a, b []float32) float64 {
	sum := 0.0
	for i := range min(len(a), len(b)) {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

// Options configure [Run].
type Options struct {
	// K is how many chunks recall, precision and IoU are taken at, 1 or more.
	// Default: 5.
	K int

	// Budget is how much text is retrieved for the metrics at a budget, 1 or more:
	// tokens, or code points if Tokens is nil. Default: 1000 tokens, or 4000 code
	// points, which is about as much English.
	Budget int

	// Tokens counts tokens. Default: nil, code points are counted.
	Tokens func(text string) int
}

// withDefaults returns the options with their defaults; o may be nil.
func (o *Options) withDefaults() (Options, error) {
	var out Options
	if o != nil {
		out = *o
	}
	if out.K == 0 {
		out.K = 5
	}
	if out.Budget == 0 {
		if out.Budget = 1000; out.Tokens == nil {
			out.Budget = 4000
		}
	}
	if out.Tokens == nil {
		out.Tokens = utf8.RuneCountInString
	}
	switch {
	case out.K < 0:
		return out, fmt.Errorf("%w: Options.K is %d: want 1 or more", ErrOption, out.K)
	case out.Budget < 0:
		return out, fmt.Errorf("%w: Options.Budget is %d: want 1 or more", ErrOption, out.Budget)
	}
	return out, nil
}

// Scores are one question's.
type Scores struct {
	Recall, Precision, IoU                   float64 // at K
	BudgetRecall, BudgetPrecision, BudgetIoU float64 // at the budget
	PrecisionOmega                           float64
}

// A Metric picks one of the scores.
type Metric func(Scores) float64

// Recall is the recall at K.
func Recall(s Scores) float64 { return s.Recall }

// Precision is the precision at K.
func Precision(s Scores) float64 { return s.Precision }

// IoU is the intersection over union at K.
func IoU(s Scores) float64 { return s.IoU }

// BudgetRecall is the recall at the budget of tokens.
func BudgetRecall(s Scores) float64 { return s.BudgetRecall }

// BudgetPrecision is the precision at the budget.
func BudgetPrecision(s Scores) float64 { return s.BudgetPrecision }

// BudgetIoU is the intersection over union at the budget.
func BudgetIoU(s Scores) float64 { return s.BudgetIoU }

// PrecisionOmega is the precision of all chunks that touch a reference.
func PrecisionOmega(s Scores) float64 { return s.PrecisionOmega }

// A Result is what Run found.
type Result struct {
	Scores     []Scores // by question
	Chunks     int
	MeanTokens float64 // of a chunk
}

// Run cuts the corpora, ranks all chunks together for each question, and scores
// what was retrieved. A chunk of another corpus than the question's counts as
// retrieved and is never right. A chunk or a reference that isn't at its offsets
// in the corpus is [ErrData]; invalid options and nil arguments are [ErrOption].
func Run(ctx context.Context, d *Data, c chunk.Chunker, rank Rank, o *Options) (*Result, error) {
	if d == nil || c == nil || rank == nil {
		return nil, fmt.Errorf("%w: the data, the chunker or the ranking of Run is nil", ErrOption)
	}
	opts, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	all, err := cutCorpora(ctx, d, c, opts.Tokens)
	if err != nil {
		return nil, err
	}
	passages := all.passages
	texts := make([]string, len(passages))
	r := &Result{Chunks: len(passages)}
	for i, p := range passages {
		texts[i] = p.Context + p.Text
		r.MeanTokens += float64(p.tokens) / float64(len(passages))
	}
	questions := make([]string, len(d.Questions))
	for i, q := range d.Questions {
		questions[i] = q.Text
	}
	ranks, err := rank(ctx, questions, texts)
	if err != nil {
		return nil, err
	}
	if len(ranks) != len(questions) {
		return nil, fmt.Errorf("%w: %d rankings for %d questions", ErrRank, len(ranks), len(questions))
	}
	for i, q := range d.Questions {
		found := make([]passage, len(ranks[i]))
		for j, at := range ranks[i] {
			if at < 0 || at >= len(passages) {
				return nil, fmt.Errorf("%w: passage %d of %d", ErrRank, at, len(passages))
			}
			found[j] = passages[at]
		}
		references := make([]chunk.Span, len(q.References))
		for j, s := range q.References {
			if references[j], err = inPoints(s, all.points[q.Corpus]); err != nil {
				return nil, fmt.Errorf("%w: reference %d of question %d", err, j, i)
			}
		}
		q.References = references
		r.Scores = append(r.Scores, opts.score(q, found, all.byCorpus[q.Corpus], all.points))
	}
	return r, nil
}

type passage struct {
	corpus string
	chunk.Chunk
	tokens int
}

// cuttings are corpora that were cut.
type cuttings struct {
	passages []passage
	byCorpus map[string][]chunk.Span
	points   map[string][]int // code points before each byte of a corpus
}

func cutCorpora(ctx context.Context, d *Data, c chunk.Chunker, count func(string) int) (*cuttings, error) {
	out := &cuttings{byCorpus: map[string][]chunk.Span{}, points: map[string][]int{}}
	for _, name := range slices.Sorted(maps.Keys(d.Corpora)) {
		chunks, err := c.Chunk(ctx, d.Corpora[name])
		if err != nil {
			return nil, fmt.Errorf("chunkeval: corpus %s: %w", name, err)
		}
		points := codePoints(d.Corpora[name])
		out.points[name] = points
		for _, c := range chunks {
			s, err := inPoints(chunk.Span{Start: c.Start, End: c.End}, points)
			if err != nil {
				return nil, fmt.Errorf("%w: a chunk of corpus %s: %.40q", err, name, c.Text)
			}
			out.byCorpus[name] = append(out.byCorpus[name], s)
			out.passages = append(out.passages, passage{name, c, count(c.Context + c.Text)})
		}
	}
	return out, nil
}

func (o *Options) score(q Question, found []passage, chunks []chunk.Span, points map[string][]int) (s Scores) {
	s.Recall, s.Precision, s.IoU = scoreCorpus(found[:min(o.K, len(found))], q, points)
	left := o.Budget
	var within []passage
	for _, p := range found {
		if p.tokens > left {
			if p = o.cut(p, left); p.End > p.Start {
				within = append(within, p)
			}
			break
		}
		left -= p.tokens
		within = append(within, p)
	}
	s.BudgetRecall, s.BudgetPrecision, s.BudgetIoU = scoreCorpus(within, q, points)
	s.PrecisionOmega = omega(chunks, q.References)
	return s
}

// scoreCorpus moves passages of other corpora to places after the question's
// corpus: they count as retrieved, but never as right.
func scoreCorpus(found []passage, q Question, points map[string][]int) (recall, precision, iou float64) {
	spans := make([]chunk.Span, len(found))
	elsewhere := math.MinInt / 2
	for i, p := range found {
		at := points[p.corpus]
		spans[i] = chunk.Span{Start: at[p.Start], End: at[p.End]}
		if s := &spans[i]; p.corpus != q.Corpus {
			s.Start, s.End = elsewhere, elsewhere+s.End-s.Start
		}
	}
	return score(spans, q.References)
}

// cut shortens a passage to what fits into n tokens, to a code point.
func (o *Options) cut(p passage, n int) passage {
	lo, hi := 0, len(p.Text) // lo fits, hi doesn't
	for lo < hi-1 {
		mid := (lo + hi) / 2
		if o.Tokens(p.Context+p.Text[:mid]) <= n {
			lo = mid
		} else {
			hi = mid
		}
	}
	// Where a code point was cut, the text without it has to be counted again.
	for lo > 0 && (!utf8.RuneStart(p.Text[lo]) || o.Tokens(p.Context+p.Text[:lo]) > n) {
		lo--
	}
	p.End = p.Start + lo
	return p
}

// An Estimate is a mean with a 95 % confidence interval.
type Estimate struct{ Mean, Low, High float64 }

// String returns "0.412 [0.350, 0.475]".
func (e Estimate) String() string { return fmt.Sprintf("%.3f [%.3f, %.3f]", e.Mean, e.Low, e.High) }

// Mean returns the mean of a metric over the questions. Its interval is the
// percentile bootstrap's over questions, from 2000 resamples of fixed seeds.
func (r *Result) Mean(m Metric) Estimate {
	values := make([]float64, len(r.Scores))
	for i, s := range r.Scores {
		values[i] = m(s)
	}
	return bootstrap(values)
}

// Difference returns the mean of b - a, question by question. If the interval
// contains 0, these questions show no difference between the two. The results must
// be of the same data; if their lengths differ, the estimate is NaN.
func Difference(a, b *Result, m Metric) Estimate {
	if len(a.Scores) != len(b.Scores) {
		return bootstrap(nil)
	}
	values := make([]float64, len(a.Scores))
	for i := range a.Scores {
		values[i] = m(b.Scores[i]) - m(a.Scores[i])
	}
	return bootstrap(values)
}

const resamples = 2000

func bootstrap(values []float64) Estimate {
	n := len(values)
	if n == 0 {
		return Estimate{math.NaN(), math.NaN(), math.NaN()}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	means := make([]float64, resamples)
	for i := range means {
		for range n {
			means[i] += values[rng.IntN(n)]
		}
		means[i] /= float64(n)
	}
	slices.Sort(means)
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return Estimate{sum / float64(n), means[resamples*25/1000], means[resamples*975/1000-1]}
}
