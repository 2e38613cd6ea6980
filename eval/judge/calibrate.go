package judge

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// A Calibrator maps a judge's score to what people would give on average.
type Calibrator interface {
	// Calibrate returns the calibrated score, NaN for NaN.
	Calibrate(score float64) float64
}

func checkLabels(fn string, scores, labels []float64) error {
	if len(scores) != len(labels) || len(scores) < 2 {
		return fmt.Errorf("%w: %s: %d scores and %d labels: want as many of both, at least 2", ErrOption, fn, len(scores), len(labels))
	}
	for i, s := range scores {
		if math.IsNaN(s) || math.IsInf(s, 0) || !(labels[i] >= 0 && labels[i] <= 1) {
			return fmt.Errorf("%w: %s: score %d is %v with the label %v: want a finite score and a label from 0 to 1", ErrOption, fn, i, s, labels[i])
		}
	}
	return nil
}

// An Isotonic is the rising function with the smallest squared error to the labels.
// Between the judge's scores it is linear, outside it is constant. It has no form of
// its own, so it needs about 100 labels or more; with fewer, [Platt] is safer.
type Isotonic struct{ x, y []float64 }

// FitIsotonic fits by pool-adjacent-violators, as scikit-learn's IsotonicRegression
// does with out_of_bounds="clip". Labels are from 0 to 1: a person's pass or fail, or
// a mean over people.
//
// Source: Zadrozny and Elkan 2002, "Transforming classifier scores into accurate
// multiclass probability estimates".
func FitIsotonic(scores, labels []float64) (*Isotonic, error) {
	if err := checkLabels("FitIsotonic", scores, labels); err != nil {
		return nil, err
	}
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(scores[a], scores[b]) })
	type block struct{ low, high, sum, n float64 }
	var blocks []block
	for _, i := range order {
		if k := len(blocks) - 1; k >= 0 && blocks[k].high == scores[i] && blocks[k].low == scores[i] {
			blocks[k].sum += labels[i] // equal scores are one point
			blocks[k].n++
			continue
		}
		blocks = append(blocks, block{scores[i], scores[i], labels[i], 1})
	}
	var pooled []block
	for _, b := range blocks {
		for k := len(pooled) - 1; k >= 0 && pooled[k].sum*b.n >= b.sum*pooled[k].n; k-- {
			b = block{pooled[k].low, b.high, pooled[k].sum + b.sum, pooled[k].n + b.n}
			pooled = pooled[:k]
		}
		pooled = append(pooled, b)
	}
	f := &Isotonic{}
	for _, b := range pooled {
		f.x, f.y = append(f.x, b.low), append(f.y, b.sum/b.n)
		if b.high > b.low {
			f.x, f.y = append(f.x, b.high), append(f.y, b.sum/b.n)
		}
	}
	return f, nil
}

// Calibrate implements [Calibrator].
func (f *Isotonic) Calibrate(score float64) float64 {
	i, found := slices.BinarySearch(f.x, score)
	switch {
	case math.IsNaN(score):
		return score
	case found:
		return f.y[i]
	case i == 0:
		return f.y[0]
	case i == len(f.x):
		return f.y[i-1]
	}
	t := (score - f.x[i-1]) / (f.x[i] - f.x[i-1])
	return f.y[i-1] + t*(f.y[i]-f.y[i-1])
}

// A Platt is a logistic curve, 1 / (1 + exp(A·score + B)). It has two numbers to
// fit, so it needs few labels, and is wrong where the relation has another form.
type Platt struct{ A, B float64 }

// FitPlatt fits by maximum likelihood with Platt's smoothed targets, (n₊+1)/(n₊+2)
// for a label of 1 and 1/(n₋+2) for one of 0, so the curve stays finite if the scores
// separate the labels. Labels between 0 and 1 count as that part of both.
//
// Source: Platt 1999, "Probabilistic outputs for support vector machines"; Lin, Lin
// and Weng 2007 for Newton's method.
func FitPlatt(scores, labels []float64) (*Platt, error) {
	if err := checkLabels("FitPlatt", scores, labels); err != nil {
		return nil, err
	}
	positive := 0.0
	for _, y := range labels {
		positive += y
	}
	negative := float64(len(labels)) - positive
	high, low := (positive+1)/(positive+2), 1/(negative+2)
	// Scores are moved to a range of 1, so that one step size fits all of them.
	least, most := slices.Min(scores), slices.Max(scores)
	width := most - least
	if width == 0 || math.IsInf(width, 0) {
		return nil, fmt.Errorf("%w: FitPlatt: the scores are all equal or too far apart", ErrUndefined)
	}
	x, target := make([]float64, len(scores)), make([]float64, len(scores))
	for i, s := range scores {
		x[i] = (s - least) / width
		target[i] = labels[i]*high + (1-labels[i])*low
	}
	a, b, err := logistic(x, target, math.Log((negative+1)/(positive+1)))
	if err != nil {
		return nil, err
	}
	p := &Platt{A: a / width, B: b - a*least/width}
	if math.IsInf(p.A, 0) || math.IsNaN(p.B) || math.IsInf(p.B, 0) {
		return nil, fmt.Errorf("%w: FitPlatt: the scores lie in too small a range", ErrUndefined)
	}
	return p, nil
}

// logistic minimizes the cross entropy of 1/(1+exp(a·x+b)) by Newton's method with
// halved steps.
func logistic(x, target []float64, b float64) (float64, float64, error) {
	a := 0.0
	loss := func(a, b float64) float64 {
		sum := 0.0
		for i := range x {
			z := a*x[i] + b
			sum += target[i]*z + math.Max(-z, 0) + math.Log1p(math.Exp(-math.Abs(z)))
		}
		return sum
	}
	best := loss(a, b)
	for range 200 {
		const ridge = 1e-12
		h11, h22, h21, g1, g2 := ridge, ridge, 0.0, 0.0, 0.0
		for i := range x {
			p := expected(-(a*x[i] + b))
			w, d := p*(1-p), target[i]-p
			h11, h22, h21 = h11+x[i]*x[i]*w, h22+w, h21+x[i]*w
			g1, g2 = g1+x[i]*d, g2+d
		}
		if math.Abs(g1) < 1e-9 && math.Abs(g2) < 1e-9 {
			return a, b, nil
		}
		det := h11*h22 - h21*h21
		da, db := -(h22*g1-h21*g2)/det, -(h11*g2-h21*g1)/det
		step := 1.0
		for ; step > 1e-10; step /= 2 {
			if l := loss(a+step*da, b+step*db); l < best {
				a, b, best = a+step*da, b+step*db, l
				break
			}
		}
		if step <= 1e-10 {
			return a, b, nil // no better point at the precision of float64
		}
	}
	return 0, 0, fmt.Errorf("%w: FitPlatt did not converge", ErrUndefined)
}

// Calibrate implements [Calibrator].
func (p *Platt) Calibrate(score float64) float64 { return expected(-(p.A*score + p.B)) }
