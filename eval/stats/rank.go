package stats

import (
	"cmp"
	"math"
	"slices"
)

// Ranks gives each value its rank from 1; equal values share the mean of their
// ranks (mid-ranks).
func Ranks(xs []float64) []float64 {
	ranks, _ := ranksAndTies(xs)
	return ranks
}

// ranksAndTies also returns the sizes of the groups of equal values.
func ranksAndTies(xs []float64) (ranks []float64, groups []int) {
	order := make([]int, len(xs))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(xs[i], xs[j]) })
	ranks = make([]float64, len(xs))
	for lo := 0; lo < len(order); {
		hi := lo + 1
		for hi < len(order) && xs[order[hi]] == xs[order[lo]] {
			hi++
		}
		for _, i := range order[lo:hi] {
			ranks[i] = float64(lo+hi+1) / 2
		}
		groups = append(groups, hi-lo)
		lo = hi
	}
	return ranks, groups
}

// tieTerm is Σ t³-t over the groups of ties, which normal approximations
// subtract from the variance of a rank sum.
func tieTerm(groups []int) float64 {
	total := 0.0
	for _, t := range groups {
		f := float64(t)
		total += f*f*f - f
	}
	return total
}

// A RankMethod says how a rank test computes its p-value. Default:
// [RankMethodAuto].
type RankMethod uint8

// The methods.
const (
	RankMethodAuto        RankMethod = iota // SciPy's choice by the size of the samples, see the options
	RankMethodExact                         // the distribution of the tables, for ranks without ties; conservative with ties
	RankMethodNormal                        // the normal approximation, corrected for ties
	RankMethodPermutation                   // exact for the ranks as they are, ties included
)

func untied(n int) []float64 {
	ranks := make([]float64, n)
	for i := range ranks {
		ranks[i] = float64(i + 1)
	}
	return ranks
}

// discreteP is the p-value of an observation from the probabilities of 0, 1, 2...;
// two-sided it is twice the smaller tail. Only multiples of unit are possible: an
// observation between two of them is moved outwards for the tail, so that the
// p-value is not too small.
func discreteP(p []float64, observed float64, unit int, alt Alternative) float64 {
	u := float64(unit)
	low, high := int(u*math.Floor(observed/u)), int(u*math.Ceil(observed/u))
	var less, greater float64
	for s, v := range p {
		if s <= high {
			less += v
		}
		if s >= low {
			greater += v
		}
	}
	switch alt {
	case AlternativeGreater:
		return math.Min(1, greater)
	case AlternativeLess:
		return math.Min(1, less)
	}
	return math.Min(1, 2*math.Min(less, greater))
}
