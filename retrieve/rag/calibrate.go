package rag

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/tmc/langchaingo/schema"
)

// ErrCalibration is wrapped by the errors for scores from which nothing can be learned:
// too few, of one kind only, or without any relation to what they are to predict.
var ErrCalibration = errors.New("rag: the scores can't be calibrated")

// A Judged is the score of the best passage for a question, and whether the passage
// answers the question.
type Judged struct {
	Score    float64
	Answered bool
}

// A Calibration turns the score of a search or a reranker into a probability. A score means
// nothing by itself: 0.6 is a good cosine for one embedder, and a bad one for another. The
// probability is that the best passage answers the question:
//
//	p = 1 / (1 + exp(-(Slope·score + Intercept)))
type Calibration struct{ Slope, Intercept float64 }

// Fit fits a Calibration to judged scores by logistic regression with the targets of Platt,
// which are a little away from 0 and 1, so that separable scores have a solution too. Give it
// 50 questions or more, with some that the documents don't answer. It fails with
// [ErrCalibration] if there are not at least 5 of both kinds, a score is not finite, or
// larger scores don't mean better answers.
//
// Platt: "Probabilistic outputs for support vector machines", 1999. Lin, Lin, Weng: "A note on
// Platt's probabilistic outputs for support vector machines", 2007.
func Fit(judged []Judged) (*Calibration, error) {
	const least = 5
	yes, mean := 0.0, 0.0
	for i, j := range judged {
		if math.IsNaN(j.Score) || math.IsInf(j.Score, 0) {
			return nil, fmt.Errorf("%w: score %d is %v", ErrCalibration, i, j.Score)
		}
		if j.Answered {
			yes++
		}
		mean += j.Score / float64(len(judged))
	}
	no := float64(len(judged)) - yes
	if yes < least || no < least {
		return nil, fmt.Errorf("%w: %v answered and %v unanswered questions: want at least %d of both", ErrCalibration, yes, no, least)
	}
	spread := 0.0
	for _, j := range judged {
		spread = max(spread, math.Abs(j.Score-mean))
	}
	if spread == 0 || math.IsInf(spread, 0) || math.IsInf(mean, 0) {
		return nil, fmt.Errorf("%w: the scores are all equal, or too far apart", ErrCalibration)
	}
	x, target := make([]float64, len(judged)), make([]float64, len(judged))
	for i, j := range judged { // standardized, so that any scale converges
		x[i] = (j.Score - mean) / spread
		if target[i] = 1 / (no + 2); j.Answered {
			target[i] = (yes + 1) / (yes + 2)
		}
	}
	a, b := logistic(x, target)
	c := &Calibration{Slope: a / spread, Intercept: b - a*mean/spread}
	if !(a > 0) || math.IsInf(c.Slope, 0) || math.IsNaN(c.Intercept) || math.IsInf(c.Intercept, 0) {
		return nil, fmt.Errorf("%w: larger scores don't mean better answers", ErrCalibration)
	}
	return c, nil
}

// logistic returns slope and intercept of the logistic regression of targets on x, by
// Newton's method with halved steps.
func logistic(x, target []float64) (a, b float64) {
	loss := func(a, b float64) float64 {
		sum := 0.0
		for i := range x {
			z := a*x[i] + b
			sum += math.Max(z, 0) - z*target[i] + math.Log1p(math.Exp(-math.Abs(z)))
		}
		return sum
	}
	now := loss(a, b)
	for range 100 {
		const ridge = 1e-12 // keeps the matrix invertible
		haa, hbb, hab, ga, gb := ridge, ridge, 0.0, 0.0, 0.0
		for i := range x {
			p := sigmoid(a*x[i] + b)
			w, d := p*(1-p), p-target[i]
			haa, hbb, hab = haa+x[i]*x[i]*w, hbb+w, hab+x[i]*w
			ga, gb = ga+x[i]*d, gb+d
		}
		if math.Abs(ga) < 1e-9 && math.Abs(gb) < 1e-9 {
			break
		}
		det := haa*hbb - hab*hab
		da, db := -(hbb*ga-hab*gb)/det, -(haa*gb-hab*ga)/det
		step := 1.0
		for ; step > 1e-10; step /= 2 {
			if next := loss(a+step*da, b+step*db); next < now+1e-4*step*(ga*da+gb*db) {
				a, b, now = a+step*da, b+step*db, next
				break
			}
		}
		if step <= 1e-10 {
			break
		}
	}
	return a, b
}

func sigmoid(z float64) float64 { return 1 / (1 + math.Exp(-z)) }

// Probability returns the probability that a passage with the score answers.
func (c *Calibration) Probability(score float64) float64 {
	return sigmoid(c.Slope*score + c.Intercept)
}

// Confidence is Options.Confidence of a [Pipeline]: the probability of the largest Score
// among the passages.
func (c *Calibration) Confidence(_ string, passages []schema.Document) (p float64, ok bool) {
	best := math.Inf(-1)
	for _, d := range passages {
		best = max(best, float64(d.Score))
	}
	if math.IsInf(best, 0) || math.IsNaN(best) {
		return 0, false
	}
	return c.Probability(best), true
}

// Threshold returns the score that a best passage must exceed so that, of new questions that
// the documents don't answer, at most a share gets an answer, above 0 and below 1. The scores
// are those of such questions. The share holds on average, whatever the distribution of the
// scores, if the new questions are like these (split conformal prediction). It needs 1/share
// - 1 scores, 19 for a share of 0.05, and fails with [ErrCalibration] if there are fewer
// or one is not a number; a share out of range is [ErrOption].
//
// Angelopoulos, Bates: "Conformal prediction: a gentle introduction", 2023.
func Threshold(unanswerable []float64, share float64) (float64, error) {
	if !(share > 0 && share < 1) {
		return 0, fmt.Errorf("%w: the share of Threshold is %v: want above 0 and below 1", ErrOption, share)
	}
	n := len(unanswerable)
	place := int(math.Ceil(float64(n+1)*(1-share) - 1e-9))
	if place > n || n == 0 {
		return 0, fmt.Errorf("%w: %d scores are too few for a share of %v", ErrCalibration, n, share)
	}
	sorted := slices.Clone(unanswerable)
	for _, s := range sorted {
		if math.IsNaN(s) {
			return 0, fmt.Errorf("%w: a score is not a number", ErrCalibration)
		}
	}
	slices.Sort(sorted)
	return sorted[max(place, 1)-1], nil
}
