package semantic

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/tmc/langchaingo/embeddings"

	"github.com/prodailabs/prodai/cache"
	"github.com/prodailabs/prodai/internal/dist"
)

// ErrNoThreshold is wrapped by the error of [Evaluation.Calibrate] when no threshold
// keeps wrong hits below the given share, or when there are too few pairs to show it.
var ErrNoThreshold = errors.New("semantic: no threshold is good enough")

// A Pair is two questions, and whether one stored answer serves both. A label is a
// person's judgment. Pairs that look alike and mean different things belong among
// them.
type Pair struct {
	A    string `json:"a"`
	B    string `json:"b"`
	Same bool   `json:"same_answer"`
}

// An Evaluation is what a semantic cache would have answered to labeled questions, at
// every threshold. Make one with [Evaluate].
type Evaluation struct {
	answerable int
	asked      []outcome
}

// An outcome is the candidate that one question would have got.
type outcome struct {
	score  float64 // below every threshold if the guard left no candidate
	right  bool
	stored uint64 // the candidate
}

// Evaluate stores A of every pair and asks B of every pair. A hit is right only if it
// returns the A of a pair that is labeled as having the same answer; any other hit is
// wrong. So a duplicate without a label counts as wrong, and the precision is a lower
// bound.
//
// A nil guard means none; give [Agree] to measure what a [Model] does by default.
func Evaluate(ctx context.Context, embedder embeddings.Embedder, pairs []Pair, guard func(asked, stored string) string) (*Evaluation, error) {
	if embedder == nil {
		return nil, fmt.Errorf("%w: the embedder is nil", ErrOption)
	}
	if len(pairs) == 0 {
		return nil, fmt.Errorf("%w: no pairs to evaluate on", ErrOption)
	}
	texts := make([]string, 0, 2*len(pairs))
	same := map[Pair]bool{}
	for _, p := range pairs {
		texts = append(texts, p.A, p.B)
		if p.Same {
			same[Pair{A: p.A, B: p.B}] = true
		}
	}
	vectors, err := embedder.EmbedDocuments(ctx, texts)
	if err != nil {
		return nil, fmt.Errorf("semantic: embed the pairs: %w", err)
	}
	if len(vectors) != len(texts) {
		return nil, fmt.Errorf("semantic: %d vectors for %d texts", len(vectors), len(texts))
	}
	index := NewScan()
	stored := map[string]bool{}
	for i, p := range pairs {
		if stored[p.A] {
			continue
		}
		stored[p.A] = true
		v, ok := unit(vectors[2*i])
		if !ok {
			return nil, fmt.Errorf("semantic: no usable vector of pair %d", i)
		}
		index.Add(cache.Key{}, uint64(i), v)
	}
	out := &Evaluation{}
	for i, p := range pairs {
		if p.Same {
			out.answerable++
		}
		v, ok := unit(vectors[2*i+1])
		if !ok {
			return nil, fmt.Errorf("semantic: no usable vector of pair %d", i)
		}
		o := outcome{score: math.Inf(-1)}
		for _, m := range index.Nearest(cache.Key{}, v, candidates) {
			a := pairs[m.ID].A
			if guard == nil || a == p.B || guard(p.B, a) == "" {
				o = outcome{m.Score, a == p.B || same[Pair{A: a, B: p.B}], m.ID}
				break
			}
		}
		out.asked = append(out.asked, o)
	}
	return out, nil
}

// A Report is an [Evaluation] at one threshold.
type Report struct {
	Threshold  float64
	Questions  int
	Answerable int // questions for which a right answer was stored
	Hits       int
	Right      int

	// Low and High bound the precision: the Clopper-Pearson interval of 95 %.
	Low, High float64
}

// False is the number of wrong hits.
func (r Report) False() int { return r.Hits - r.Right }

// HitRate is the share of questions that got a stored answer.
func (r Report) HitRate() float64 { return share(r.Hits, r.Questions) }

// Precision is the share of hits that are right; NaN without hits.
func (r Report) Precision() float64 { return share(r.Right, r.Hits) }

// Recall is the share of answerable questions that got a right answer; NaN if there
// are none.
func (r Report) Recall() float64 { return share(r.Right, r.Answerable) }

func share(part, whole int) float64 {
	if whole == 0 {
		return math.NaN()
	}
	return float64(part) / float64(whole)
}

// At returns the report at a threshold.
func (e *Evaluation) At(threshold float64) Report {
	r := Report{Threshold: threshold, Questions: len(e.asked), Answerable: e.answerable}
	for _, o := range e.asked {
		if o.score >= threshold {
			r.count(o)
		}
	}
	r.bound()
	return r
}

// Learned returns the report of a cache whose entries learn their thresholds meanwhile:
// it asks the questions in their order, and learns from the label of each that asks the
// model, and of no hit but those that Learn.CheckEvery picks. Learn.Same isn't used; nil
// means the defaults. The threshold is the least of any entry, as that of [New].
func (e *Evaluation) Learned(threshold float64, o *Learn) (Report, error) {
	if o == nil {
		o = &Learn{}
	}
	l, err := newLearner(*o)
	if err != nil {
		return Report{}, err
	}
	r := Report{Threshold: threshold, Questions: len(e.asked), Answerable: e.answerable}
	entries := map[uint64]*learned{}
	for _, o := range e.asked {
		if !(o.score >= threshold) {
			continue
		}
		of := entries[o.stored]
		if of == nil {
			of = &learned{}
			entries[o.stored] = of
		}
		if o.score >= l.threshold(of) && !l.check() {
			r.count(o)
			continue
		}
		l.observe(of, observation{o.score, o.right})
	}
	r.bound()
	return r, nil
}

func (r *Report) count(o outcome) {
	r.Hits++
	if o.right {
		r.Right++
	}
}

func (r *Report) bound() {
	r.Low, r.High = 0, 1
	if r.Right > 0 {
		r.Low = dist.BetaQuantile(.025, float64(r.Right), float64(r.False()+1))
	}
	if r.Hits > r.Right {
		r.High = dist.BetaQuantile(.975, float64(r.Right+1), float64(r.False()))
	}
}

// grid is the thresholds that Calibrate tries. They are fixed, because a threshold
// chosen at the data would need a stricter bound.
var grid = []float64{.70, .725, .75, .775, .80, .825, .85, .875, .90, .92, .94, .95, .96, .97, .98, .99}

// Calibrate returns the lowest threshold at which at most the given share of hits is
// wrong, with the given confidence (0.95 for example). It tries 16 thresholds from 0.70
// to 0.99 and divides the doubt among them (Bonferroni), so that the confidence holds
// for the one that is chosen. The bound on wrong hits is the one of Clopper and
// Pearson.
//
// Its error wraps [ErrNoThreshold] if none qualifies, and then a semantic cache should
// not be used: 0 wrong hits among 20 don't show that fewer than a tenth are wrong.
func (e *Evaluation) Calibrate(maxWrong, confidence float64) (Report, error) {
	if !(maxWrong > 0 && maxWrong < 1) || !(confidence > 0 && confidence < 1) {
		return Report{}, fmt.Errorf("%w: a wrong share of %v with confidence %v: want both between 0 and 1", ErrOption, maxWrong, confidence)
	}
	doubt := (1 - confidence) / float64(len(grid))
	best := math.Inf(1)
	for _, threshold := range grid {
		r := e.At(threshold)
		bound := 1.0
		if r.Right > 0 {
			bound = dist.BetaQuantile(1-doubt, float64(r.False()+1), float64(r.Right))
		}
		if bound <= maxWrong {
			return r, nil
		}
		best = min(best, bound)
	}
	return Report{}, fmt.Errorf("%w: at most %.1f %% of the hits may be wrong, and the lowest bound over all thresholds is %.1f %% (%d questions)",
		ErrNoThreshold, 100*maxWrong, 100*best, len(e.asked))
}
