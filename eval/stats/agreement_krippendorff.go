package stats

import (
	"math"
	"slices"
)

// A Scale is what the numbers of ratings mean, and so how far apart two of them
// are. Default: [ScaleNominal].
type Scale uint8

// The scales of measurement and their squared distances.
const (
	ScaleNominal  Scale = iota // names: 0 or 1
	ScaleOrdinal               // order only: how many ratings lie between
	ScaleInterval              // differences count: (a-b)²
	ScaleRatio                 // zero is real: ((a-b)/(a+b))²
)

// KrippendorffAlpha is the agreement of any number of raters on any scale,
// with missing ratings given as NaN: 1 - observed/expected disagreement, both
// over pairs of ratings of which one item has at least two (Krippendorff,
// "Content Analysis", chapter 11). raters[r][i] is rater r's value of item i.
//
// Krippendorff's own advice: rely on alpha >= 0.8, draw tentative conclusions
// from 0.667 on, discard the rest. Undefined when all ratings are equal: no
// variation, no evidence that the raters can tell items apart.
func KrippendorffAlpha(raters [][]float64, scale Scale) (float64, error) {
	const fn = "KrippendorffAlpha"
	if len(raters) < 2 {
		return math.NaN(), fail(fn, ErrTooFew, "%d raters; agreement needs two", len(raters))
	}
	if err := checkConstant(fn, "Scale", scale, ScaleRatio); err != nil {
		return math.NaN(), err
	}
	values, err := ratedValues(fn, raters)
	if err != nil {
		return math.NaN(), err
	}
	together := pairedRatings(raters, values)
	each, total := make([]float64, len(values)), 0.0
	for a := range together {
		each[a] = sum(together[a])
		total += each[a]
	}
	if total == 0 {
		return math.NaN(), fail(fn, ErrTooFew, "no item has two ratings")
	}
	var observed, expected float64
	for a := range values {
		for b := range values {
			d := scale.distance(values, each, a, b)
			observed += together[a][b] * d
			expected += each[a] * each[b] * d
		}
	}
	expected /= total - 1
	if expected == 0 {
		return math.NaN(), fail(fn, ErrUndefined, "all ratings are equal")
	}
	return 1 - observed/expected, nil
}

// ratedValues returns the distinct values of the ratings, in order.
func ratedValues(fn string, raters [][]float64) ([]float64, error) {
	var values []float64
	for r, ratings := range raters {
		if len(ratings) != len(raters[0]) {
			return nil, fail(fn, ErrLength, "rater %d rated %d items, the first %d", r, len(ratings), len(raters[0]))
		}
		for i, v := range ratings {
			switch {
			case math.IsInf(v, 0):
				return nil, fail(fn, ErrNotFinite, "rater %d, item %d is %v", r, i, v)
			case !math.IsNaN(v):
				values = append(values, v)
			}
		}
	}
	slices.Sort(values)
	return slices.Compact(values), nil
}

// pairedRatings counts at [a][b] how often the a-th and b-th value were given to
// the same item, each item's pairs weighted so that its ratings count once.
func pairedRatings(raters [][]float64, values []float64) [][]float64 {
	k := len(values)
	together := make([][]float64, k)
	for a := range together {
		together[a] = make([]float64, k)
	}
	for i := range raters[0] {
		counts := make([]float64, k)
		total := 0.0
		for _, ratings := range raters {
			if v := ratings[i]; !math.IsNaN(v) {
				a, _ := slices.BinarySearch(values, v)
				counts[a]++
				total++
			}
		}
		if total < 2 {
			continue
		}
		for a := range counts {
			for b := range counts {
				pairs := counts[a] * counts[b]
				if a == b {
					pairs -= counts[a]
				}
				together[a][b] += pairs / (total - 1)
			}
		}
	}
	return together
}

// distance is the squared distance of the a-th and b-th value.
func (s Scale) distance(values, each []float64, a, b int) float64 {
	if a == b {
		return 0
	}
	x, y := values[a], values[b]
	switch s {
	case ScaleOrdinal:
		if a > b {
			a, b = b, a
		}
		between := sum(each[a:b+1]) - (each[a]+each[b])/2
		return between * between
	case ScaleInterval:
		return (x - y) * (x - y)
	case ScaleRatio:
		if x+y == 0 {
			return 0
		}
		return math.Pow((x-y)/(x+y), 2)
	}
	return 1
}
