package stats

import (
	"math"
	"slices"
)

// Before a judge may replace people, it must agree with them as well as they agree
// with each other. The share of equal ratings can't show that: two raters who both
// rate 95 % of the items "good" agree on 90 % by chance alone. The coefficients
// here compare with chance,
//
//	(agreement - agreement by chance) / (1 - agreement by chance)
//
// and differ in what they call chance. Categories are 0..k-1.

// A Weighting says how much agreement two different categories count as. Default:
// [WeightingNone].
type Weighting uint8

// The weightings: the credit for rating one item i and j, of k categories.
const (
	WeightingNone      Weighting = iota // 1 if i = j, else 0
	WeightingLinear                     // 1 - |i-j|/(k-1)
	WeightingQuadratic                  // 1 - (i-j)²/(k-1)²
)

// far is the distance of the first and the last of k categories. A disagreement of
// this distance has a credit of 0.
func (w Weighting) far(k int) float64 {
	switch w {
	case WeightingLinear:
		return float64(k - 1)
	case WeightingQuadratic:
		return float64(k-1) * float64(k-1)
	}
	return 1
}

// distance is the credit that two categories miss, in units of 1/far.
func (w Weighting) distance(i, j float64) float64 {
	switch {
	case w == WeightingLinear:
		return math.Abs(i - j)
	case w == WeightingQuadratic:
		return (i - j) * (i - j)
	case i == j:
		return 0
	}
	return 1
}

// CohenKappa is the agreement of two raters over k categories; chance is computed
// from the shares of each rater's own categories (Cohen, 1960; weighted, 1968). The
// standard error is that of Fleiss, Cohen and Everitt (1969). Undefined if both
// raters always gave the same single category.
//
// Its paradox: with very unequal categories it is low even if the raters agree on
// almost all items, because chance agrees too. [GwetAC] avoids that.
func CohenKappa(a, b []int, k int, w Weighting) (Estimate, error) {
	const fn = "CohenKappa"
	if err := checkRatings(fn, [][]int{a, b}, k, w, false); err != nil {
		return Estimate{}, err
	}
	// With D the mean distance, kappa is 1 - D observed / D by chance: the number
	// of categories cancels out, and only the categories that occur are needed.
	n := float64(len(a))
	present := slices.Compact(slices.Sorted(slices.Values(slices.Concat(a, b))))
	pairs := make([]int, len(a)) // by item: the row and column of its cell
	rows, cols := make([]float64, len(present)), make([]float64, len(present))
	for i := range a {
		row, _ := slices.BinarySearch(present, a[i])
		col, _ := slices.BinarySearch(present, b[i])
		rows[row]++
		cols[col]++
		pairs[i] = row*len(present) + col
	}
	fromRows, fromCols := w.meanDistances(present, rows, n), w.meanDistances(present, cols, n)
	var observed, chance float64
	for i := range present {
		chance += rows[i] / n * fromCols[i]
	}
	if chance == 0 {
		return Estimate{}, fail(fn, ErrUndefined, "both raters always gave the same category")
	}
	slices.Sort(pairs)
	distance := func(row, col int) float64 { return w.distance(float64(present[row]), float64(present[col])) }
	eachCell(pairs, len(present), func(row, col int, count float64) { observed += count / n * distance(row, col) })
	share := observed / chance
	// The variance is that of this number over the items; its mean is observed.
	variance := 0.0
	eachCell(pairs, len(present), func(row, col int, count float64) {
		x := share*(fromCols[row]+fromRows[col]) - distance(row, col)
		variance += count / n * (x - observed) * (x - observed)
	})
	return Estimate{Value: 1 - share, SE: math.Sqrt(variance/n) / chance}, nil
}

// meanDistances returns the mean distance of each category to n ratings, whose
// numbers by category are in counts.
func (w Weighting) meanDistances(categories []int, counts []float64, n float64) []float64 {
	out := make([]float64, len(categories))
	origin := categories[0]
	at := func(i int) float64 { return float64(categories[i] - origin) }
	switch w {
	case WeightingLinear:
		total := 0.0
		for i, c := range counts {
			total += c * at(i)
		}
		below, sumBelow := 0.0, 0.0 // the ratings of lower categories, and their sum
		for i, c := range counts {
			above, sumAbove := n-below-c, total-sumBelow-c*at(i)
			out[i] = (below*at(i) - sumBelow + sumAbove - above*at(i)) / n
			below, sumBelow = below+c, sumBelow+c*at(i)
		}
	case WeightingQuadratic:
		mean, variance := 0.0, 0.0
		for i, c := range counts {
			mean += c * at(i)
		}
		mean /= n
		for i, c := range counts {
			variance += c * (at(i) - mean) * (at(i) - mean)
		}
		for i := range out {
			out[i] = (at(i)-mean)*(at(i)-mean) + variance/n
		}
	default:
		for i, c := range counts {
			out[i] = (n - c) / n
		}
	}
	return out
}

// eachCell calls f with every cell in the sorted list of cell numbers, and how
// often the list contains it.
func eachCell(sorted []int, width int, f func(row, col int, count float64)) {
	for lo := 0; lo < len(sorted); {
		hi := lo + 1
		for hi < len(sorted) && sorted[hi] == sorted[lo] {
			hi++
		}
		f(sorted[lo]/width, sorted[lo]%width, float64(hi-lo))
		lo = hi
	}
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

// ScottPi is the agreement of two raters who are assumed to use the categories
// equally often: chance is Σ of the squared pooled shares (Scott, 1955).
func ScottPi(a, b []int, k int) (float64, error) {
	return fleiss("ScottPi", [][]int{a, b}, k, false)
}

// FleissKappa generalizes [ScottPi] to any number of raters who each rated
// every item (Fleiss, 1971); raters[r][i] is rater r's category of item i.
func FleissKappa(raters [][]int, k int) (float64, error) {
	return fleiss("FleissKappa", raters, k, false)
}

// RandolphKappa is [FleissKappa] with chance 1/k: for raters who could use any
// category as often as they chose (Randolph, 2005).
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
// items of each category's share, for the categories that occur.
func pairwiseAgreement(raters [][]int, k int, w Weighting) (agreement float64, shares []float64) {
	present := slices.Compact(slices.Sorted(slices.Values(slices.Concat(raters...))))
	shares = make([]float64, len(present))
	rated, paired := 0, 0
	far := w.far(k)
	var item []int
	for i := range raters[0] {
		item = item[:0]
		for _, ratings := range raters {
			if c := ratings[i]; c != MissingRating {
				item = append(item, c)
			}
		}
		total := float64(len(item))
		if total == 0 {
			continue
		}
		rated++
		slices.Sort(item)
		for lo := 0; lo < len(item); {
			hi := lo + 1
			for hi < len(item) && item[hi] == item[lo] {
				hi++
			}
			c, _ := slices.BinarySearch(present, item[lo])
			shares[c] += float64(hi-lo) / total
			lo = hi
		}
		if total < 2 {
			continue
		}
		paired++
		agreement += 1 - w.pairDistances(item)/far/(total*(total-1))
	}
	for c := range shares {
		shares[c] /= float64(rated)
	}
	return agreement / float64(paired), shares
}

// pairDistances is the sum of the distances of all ordered pairs of sorted
// ratings.
func (w Weighting) pairDistances(sorted []int) float64 {
	n, total := float64(len(sorted)), 0.0
	switch w {
	case WeightingLinear:
		for i, c := range sorted {
			total += (2*float64(i) - n + 1) * float64(c-sorted[0])
		}
		return 2 * total
	case WeightingQuadratic:
		mean := 0.0
		for _, c := range sorted {
			mean += float64(c - sorted[0])
		}
		mean /= n
		for _, c := range sorted {
			d := float64(c-sorted[0]) - mean
			total += d * d
		}
		return 2 * n * total
	}
	for lo := 0; lo < len(sorted); {
		hi := lo + 1
		for hi < len(sorted) && sorted[hi] == sorted[lo] {
			hi++
		}
		same := float64(hi - lo)
		total += same * (n - same)
		lo = hi
	}
	return total
}

// GwetAC is Gwet's agreement coefficient, AC1 unweighted and AC2 with weights
// (Gwet, "Computing Inter-Rater Reliability and Its Variance in the Presence of
// High Agreement", 2008): chance is the agreement on items that are hard enough to
// be rated at random, T/(k(k-1)) Σ π(1-π) with T the sum of all credits. It is
// defined, and high, also where one category is rare. Ratings may be
// [MissingRating].
func GwetAC(raters [][]int, k int, w Weighting) (float64, error) {
	const fn = "GwetAC"
	if err := checkRatings(fn, raters, k, w, true); err != nil {
		return math.NaN(), err
	}
	observed, shares := pairwiseAgreement(raters, k, w)
	if math.IsNaN(observed) {
		return math.NaN(), fail(fn, ErrTooFew, "no item has two ratings")
	}
	spread := 0.0
	for _, p := range shares {
		spread += p * (1 - p)
	}
	credits := w.credits(float64(k))
	chance := credits * spread / (float64(k) * float64(k-1))
	return (observed - chance) / (1 - chance), nil
}

// credits is the sum of the credit of all ordered pairs of k categories.
func (w Weighting) credits(k float64) float64 {
	switch w {
	case WeightingLinear:
		return k*k - k*(k+1)/3
	case WeightingQuadratic:
		return k*k - k*k*(k+1)/(6*(k-1))
	}
	return k
}
