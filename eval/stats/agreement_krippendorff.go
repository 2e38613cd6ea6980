package stats

import (
	"math"
	"slices"
)

// A Scale says what the numbers of ratings mean, and so how far apart two of them
// are. Default: [ScaleNominal].
type Scale uint8

// The scales of measurement and their squared distances.
const (
	ScaleNominal  Scale = iota // names: 0 or 1
	ScaleOrdinal               // order only: how many ratings are between
	ScaleInterval              // differences count: (a-b)²
	ScaleRatio                 // zero is real: ((a-b)/(a+b))²
)

// KrippendorffAlpha is the agreement of any number of raters on any scale,
// with missing ratings given as NaN: 1 - observed/expected disagreement, both
// over pairs of ratings of which one item has at least two (Krippendorff,
// "Content Analysis", chapter 11). raters[r][i] is rater r's value of item i.
//
// Krippendorff's own advice: rely on alpha >= 0.8, draw tentative conclusions from
// 0.667 on, discard the rest. Undefined when all ratings are equal: without
// variation there is no evidence that the raters can distinguish items.
//
// For n ratings it takes O(n log n) time and O(n) memory. [ScaleRatio] takes
// time quadratic in the number of distinct values.
func KrippendorffAlpha(raters [][]float64, scale Scale) (float64, error) {
	const fn = "KrippendorffAlpha"
	if len(raters) < 2 {
		return math.NaN(), fail(fn, ErrTooFew, "%d raters; agreement needs two", len(raters))
	}
	if err := checkConstant(fn, "Scale", scale, ScaleRatio); err != nil {
		return math.NaN(), err
	}
	items, err := ratedItems(fn, raters)
	if err != nil {
		return math.NaN(), err
	}
	all := slices.Concat(items...)
	if len(all) == 0 {
		return math.NaN(), fail(fn, ErrTooFew, "no item has two ratings")
	}
	// Alpha doesn't change with the unit of the values. In a unit near their size
	// no square overflows.
	unit := exponentOf(all)
	rescale(all, unit)
	for _, item := range items {
		rescale(item, unit)
	}
	if scale == ScaleOrdinal {
		toMidRanks(all, items)
	}
	disagreement := scale.disagreement()
	observed := make([]float64, len(items))
	for i, item := range items {
		observed[i] = disagreement(item) / float64(len(item)-1)
	}
	expected := disagreement(all) / float64(len(all)-1)
	if expected == 0 {
		return math.NaN(), fail(fn, ErrUndefined, "all ratings are equal")
	}
	return 1 - sum(observed)/expected, nil
}

// ratedItems returns the ratings of every item that has at least two of them.
func ratedItems(fn string, raters [][]float64) ([][]float64, error) {
	for r, ratings := range raters {
		if len(ratings) != len(raters[0]) {
			return nil, fail(fn, ErrLength, "rater %d rated %d items, the first %d", r, len(ratings), len(raters[0]))
		}
		for i, v := range ratings {
			if math.IsInf(v, 0) {
				return nil, fail(fn, ErrNotFinite, "rater %d, item %d is %v", r, i, v)
			}
		}
	}
	var items [][]float64
	for i := range raters[0] {
		var item []float64
		for _, ratings := range raters {
			if !math.IsNaN(ratings[i]) {
				item = append(item, ratings[i])
			}
		}
		if len(item) >= 2 {
			items = append(items, item)
		}
	}
	return items, nil
}

// toMidRanks replaces every rating by its mid-rank among all of them. The number of
// ratings between two values, with half of each value's own, is the difference of
// their mid-ranks. So on ranks the ordinal distance is the interval distance.
func toMidRanks(all []float64, items [][]float64) {
	ranks, _ := ranksAndTies(all)
	at := 0
	for _, item := range items {
		at += copy(item, ranks[at:])
	}
	copy(all, ranks)
}

// disagreement returns the function that adds the scale's squared distances over
// all ordered pairs of some ratings.
func (s Scale) disagreement() func([]float64) float64 {
	switch s {
	case ScaleOrdinal, ScaleInterval:
		return intervalDisagreement
	case ScaleRatio:
		return ratioDisagreement
	}
	return nominalDisagreement
}

// A valueCount is a distinct value and how often it occurs.
type valueCount struct{ value, count float64 }

func countValues(xs []float64) []valueCount {
	var out []valueCount
	for _, x := range slices.Sorted(slices.Values(xs)) {
		if last := len(out) - 1; last >= 0 && out[last].value == x {
			out[last].count++
		} else {
			out = append(out, valueCount{x, 1})
		}
	}
	return out
}

// nominalDisagreement is the number of pairs that differ, Σ n(N - n).
func nominalDisagreement(xs []float64) float64 {
	n, total := float64(len(xs)), 0.0
	for _, v := range countValues(xs) {
		total += v.count * (n - v.count)
	}
	return total
}

// intervalDisagreement is Σ (x-y)², which is 2N Σ (x-mean)². The values are first
// taken relative to one of them, so that equal values give exactly 0.
func intervalDisagreement(xs []float64) float64 {
	d := make([]float64, len(xs))
	for i, x := range xs {
		d[i] = x - xs[0]
	}
	m := Mean(d)
	for i, x := range d {
		d[i] = (x - m) * (x - m)
	}
	return 2 * float64(len(xs)) * sum(d)
}

// ratioDisagreement has no shorter form: it takes every pair of distinct values.
func ratioDisagreement(xs []float64) float64 {
	values := countValues(xs)
	rows := make([]float64, len(values))
	for i, a := range values {
		row := 0.0
		for _, b := range values[:i] {
			if total := a.value + b.value; total != 0 {
				q := (a.value - b.value) / total
				row += b.count * (q * q)
			}
		}
		rows[i] = 2 * a.count * row
	}
	return sum(rows)
}
