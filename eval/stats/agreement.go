package stats

import "math"

// Before a judge may replace people, it must agree with them as well as they
// agree with each other. Raw agreement can't show that: two raters who both say
// "good" to 95 % of the items agree on 90 % by chance alone. The coefficients
// here compare with chance,
//
//	(agreement - agreement by chance) / (1 - agreement by chance)
//
// and differ in what they call chance. Categories are 0..k-1.

// A Weighting is how much a near miss counts. Default: [WeightingNone].
type Weighting uint8

// The weightings: the credit for rating one item i and j, of k categories.
const (
	WeightingNone      Weighting = iota // 1 if i = j, else 0
	WeightingLinear                     // 1 - |i-j|/(k-1)
	WeightingQuadratic                  // 1 - (i-j)²/(k-1)²
)

func (w Weighting) credit(i, j, k int) float64 {
	d := math.Abs(float64(i - j))
	switch w {
	case WeightingLinear:
		return 1 - d/float64(k-1)
	case WeightingQuadratic:
		return 1 - d*d/float64((k-1)*(k-1))
	}
	if i == j {
		return 1
	}
	return 0
}

// CohenKappa is the agreement of two raters over k categories; chance keeps
// each rater's own habits (Cohen, 1960; weighted, 1968). The standard error is
// that of Fleiss, Cohen and Everitt (1969). Undefined if both raters always
// gave the same single category.
//
// Its paradox: with very unequal categories it is low however well the raters
// agree, because chance agrees too. [GwetAC] is built against that.
func CohenKappa(a, b []int, k int, w Weighting) (Estimate, error) {
	const fn = "CohenKappa"
	if err := checkRatings(fn, [][]int{a, b}, k, w, false); err != nil {
		return Estimate{}, err
	}
	n := float64(len(a))
	joint := make([]float64, k*k)
	rows, cols := make([]float64, k), make([]float64, k)
	for i := range a {
		joint[a[i]*k+b[i]] += 1 / n
		rows[a[i]] += 1 / n
		cols[b[i]] += 1 / n
	}
	var observed, chance float64
	rowMean, colMean := make([]float64, k), make([]float64, k) // mean credit of a category against the other rater
	for i := range k {
		for j := range k {
			c := w.credit(i, j, k)
			observed += c * joint[i*k+j]
			chance += c * rows[i] * cols[j]
			rowMean[i] += c * cols[j]
			colMean[j] += c * rows[i]
		}
	}
	if 1-chance < 1e-12 {
		return Estimate{}, fail(fn, ErrUndefined, "both raters always gave the same category")
	}
	kappa := (observed - chance) / (1 - chance)
	variance := -math.Pow(kappa-chance*(1-kappa), 2)
	for i := range k {
		for j := range k {
			variance += joint[i*k+j] * math.Pow(w.credit(i, j, k)-(rowMean[i]+colMean[j])*(1-kappa), 2)
		}
	}
	return Estimate{Value: kappa, SE: math.Sqrt(math.Max(0, variance)/n) / (1 - chance)}, nil
}

// MissingRating marks an item that a rater didn't rate, for [GwetAC].
const MissingRating = -1

func checkRatings(fn string, raters [][]int, k int, w Weighting, missing bool) error {
	switch {
	case len(raters) < 2:
		return fail(fn, ErrTooFew, "%d raters; agreement needs two", len(raters))
	case k < 2:
		return fail(fn, ErrOption, "the number of categories is %d: want 2 or more", k)
	case len(raters[0]) == 0:
		return fail(fn, ErrTooFew, "no items")
	}
	if err := checkConstant(fn, "Weighting", w, WeightingQuadratic); err != nil {
		return err
	}
	for r, ratings := range raters {
		if len(ratings) != len(raters[0]) {
			return fail(fn, ErrLength, "rater %d rated %d items, the first %d", r, len(ratings), len(raters[0]))
		}
		for i, c := range ratings {
			if (c < 0 || c >= k) && !(missing && c == MissingRating) {
				return fail(fn, ErrRange, "rater %d, item %d: category %d is not in 0..%d", r, i, c, k-1)
			}
		}
	}
	return nil
}

// PercentAgreement is the share of items on which two raters agree.
func PercentAgreement(a, b []int) (float64, error) {
	const fn = "PercentAgreement"
	if len(a) != len(b) {
		return math.NaN(), fail(fn, ErrLength, "%d and %d ratings", len(a), len(b))
	}
	if len(a) == 0 {
		return math.NaN(), fail(fn, ErrTooFew, "no items")
	}
	same := 0
	for i := range a {
		if a[i] == b[i] {
			same++
		}
	}
	return float64(same) / float64(len(a)), nil
}

// ScottPi is the agreement of two raters whose habits are taken to be the same:
// chance is Σ of the squared pooled shares (Scott, 1955).
func ScottPi(a, b []int, k int) (float64, error) {
	return fleiss("ScottPi", [][]int{a, b}, k, false)
}

// FleissKappa generalizes [ScottPi] to any number of raters who each rated
// every item (Fleiss, 1971); raters[r][i] is rater r's category of item i.
func FleissKappa(raters [][]int, k int) (float64, error) {
	return fleiss("FleissKappa", raters, k, false)
}

// RandolphKappa is [FleissKappa] with chance 1/k: for raters who were free to
// use any category as often as they liked (Randolph, 2005).
func RandolphKappa(raters [][]int, k int) (float64, error) {
	return fleiss("RandolphKappa", raters, k, true)
}

func fleiss(fn string, raters [][]int, k int, free bool) (float64, error) {
	if err := checkRatings(fn, raters, k, WeightingNone, false); err != nil {
		return math.NaN(), err
	}
	observed, shares := pairwiseAgreement(raters, k, WeightingNone)
	chance := 1 / float64(k)
	if !free {
		chance = 0
		for _, p := range shares {
			chance += p * p
		}
	}
	if 1-chance < 1e-12 {
		return math.NaN(), fail(fn, ErrUndefined, "every rating is the same category")
	}
	return (observed - chance) / (1 - chance), nil
}

// pairwiseAgreement is the mean, over the items with at least two ratings, of
// the credit of a random pair of an item's ratings; and the mean over all rated
// items of each category's share.
func pairwiseAgreement(raters [][]int, k int, w Weighting) (agreement float64, shares []float64) {
	shares = make([]float64, k)
	rated, paired := 0, 0
	counts := make([]float64, k)
	for i := range raters[0] {
		clear(counts)
		total := 0.0
		for _, ratings := range raters {
			if c := ratings[i]; c != MissingRating {
				counts[c]++
				total++
			}
		}
		if total == 0 {
			continue
		}
		rated++
		for c := range counts {
			shares[c] += counts[c] / total
		}
		if total < 2 {
			continue
		}
		paired++
		for c := range counts {
			credit := -1.0 // a rating is no pair with itself
			for d := range counts {
				credit += w.credit(c, d, k) * counts[d]
			}
			agreement += counts[c] * credit / (total * (total - 1))
		}
	}
	for c := range shares {
		shares[c] /= float64(rated)
	}
	return agreement / float64(paired), shares
}

// GwetAC is Gwet's agreement coefficient, AC1 unweighted and AC2 with weights
// (Gwet, "Computing Inter-Rater Reliability and Its Variance in the Presence
// of High Agreement", 2008): chance is the agreement on items that are hard
// enough to be rated at random, T/(k(k-1)) Σ π(1-π) with T the sum of all
// credits. It stays defined, and high, where one category is rare. Ratings may
// be [MissingRating].
func GwetAC(raters [][]int, k int, w Weighting) (float64, error) {
	const fn = "GwetAC"
	if err := checkRatings(fn, raters, k, w, true); err != nil {
		return math.NaN(), err
	}
	observed, shares := pairwiseAgreement(raters, k, w)
	if math.IsNaN(observed) {
		return math.NaN(), fail(fn, ErrTooFew, "no item has two ratings")
	}
	var credits, spread float64
	for i := range k {
		spread += shares[i] * (1 - shares[i])
		for j := range k {
			credits += w.credit(i, j, k)
		}
	}
	chance := credits * spread / float64(k*(k-1))
	return (observed - chance) / (1 - chance), nil
}
