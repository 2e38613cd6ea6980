package retrieve

import (
	"cmp"
	"math"
	"slices"
)

// A Ranked is a document's place in a ranking: an id and the score it was
// ranked by.
type Ranked[K cmp.Ordered] struct {
	ID    K
	Score float64
}

// RRF fuses rankings by reciprocal rank: a document gets weight/(k + rank) from
// each ranking that contains it, with rank from 1. Only ranks count, so rankings
// whose scores have nothing in common (a cosine and a BM25 score) can be fused
// without tuning. k, 0 or more and usually 60, sets how much more the first places
// count: the smaller k, the more. A weight beyond the length of weights is 1. Where
// an id appears twice in one ranking, its best place counts.
//
// The result is sorted best first, ties by the lower id.
//
// Cormack, Clarke, Büttcher: "Reciprocal rank fusion outperforms Condorcet and
// individual rank learning methods", SIGIR 2009.
func RRF[K cmp.Ordered](k float64, weights []float64, runs ...[]Ranked[K]) []Ranked[K] {
	sum := map[K]float64{}
	for i, run := range runs {
		w := 1.0
		if i < len(weights) {
			w = weights[i]
		}
		counted := make(map[K]bool, len(run))
		for rank, r := range run {
			if !counted[r.ID] {
				counted[r.ID] = true
				sum[r.ID] += w / (max(k, 0) + float64(rank+1))
			}
		}
	}
	return sorted(sum)
}

// WeightedSum fuses rankings by their scores. First normalize brings the scores of
// each ranking to a common scale; nil means that they have one already. A document
// gets nothing from a ranking that doesn't contain it. Where an id appears twice in
// one ranking, its first place counts.
func WeightedSum[K cmp.Ordered](normalize func(scores []float64) []float64, weights []float64, runs ...[]Ranked[K]) []Ranked[K] {
	sum := map[K]float64{}
	for i, run := range runs {
		w := 1.0
		if i < len(weights) {
			w = weights[i]
		}
		ids, scores := make([]K, 0, len(run)), make([]float64, 0, len(run))
		counted := make(map[K]bool, len(run))
		for _, r := range run {
			if !counted[r.ID] {
				counted[r.ID] = true
				ids, scores = append(ids, r.ID), append(scores, r.Score)
			}
		}
		if normalize != nil {
			scores = normalize(scores)
		}
		for j, s := range scores[:min(len(scores), len(ids))] {
			sum[ids[j]] += w * s
		}
	}
	return sorted(sum)
}

// Convex fuses two rankings as alpha times the [MinMax] scores of the first plus (1 - alpha)
// times those of the second: a convex combination. It has one number to choose, on some 50
// judged questions, and with it often ranks better than [RRF], which ignores the scores. alpha
// below 0 counts as 0, above 1 as 1, and NaN as 0.5.
//
// Bruch, Gai, Ingber: "An analysis of fusion functions for hybrid retrieval", TOIS 2023.
func Convex[K cmp.Ordered](alpha float64, first, second []Ranked[K]) []Ranked[K] {
	if math.IsNaN(alpha) {
		alpha = 0.5
	}
	alpha = min(max(alpha, 0), 1)
	return WeightedSum(MinMax, []float64{alpha, 1 - alpha}, first, second)
}

func sorted[K cmp.Ordered](sum map[K]float64) []Ranked[K] {
	out := make([]Ranked[K], 0, len(sum))
	for id, s := range sum {
		out = append(out, Ranked[K]{id, s})
	}
	slices.SortFunc(out, func(a, b Ranked[K]) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// MinMax maps scores to 0…1; equal scores all become 1. One outlier moves all
// others close together.
func MinMax(scores []float64) []float64 {
	if len(scores) == 0 {
		return nil
	}
	lo, hi := slices.Min(scores), slices.Max(scores)
	return mapped(scores, func(s float64) float64 {
		if hi == lo {
			return 1
		}
		return (s - lo) / (hi - lo)
	})
}

// ZScore maps scores to their distance from the mean in (population) standard
// deviations; equal scores all become 0.
func ZScore(scores []float64) []float64 {
	mean, sd := moments(scores, 0)
	return mapped(scores, func(s float64) float64 {
		if sd == 0 {
			return 0
		}
		return (s - mean) / sd
	})
}

// DBSF maps scores so that three (sample) standard deviations around the mean
// become 0…1; scores beyond these are not cut. One score, or equal ones, become
// 0.5. (Distribution-based score fusion, as in Qdrant.)
func DBSF(scores []float64) []float64 {
	mean, sd := moments(scores, 1)
	return mapped(scores, func(s float64) float64 {
		if sd == 0 {
			return 0.5
		}
		return (s - (mean - 3*sd)) / (6 * sd)
	})
}

func mapped(scores []float64, f func(float64) float64) []float64 {
	out := make([]float64, len(scores))
	for i, s := range scores {
		out[i] = f(s)
	}
	return out
}

// moments returns the mean and the standard deviation with n - ddof.
func moments(x []float64, ddof int) (mean, sd float64) {
	if len(x) <= ddof {
		return 0, 0
	}
	for _, v := range x {
		mean += v
	}
	mean /= float64(len(x))
	if slices.Min(x) == slices.Max(x) { // rounding errors must not look like a spread
		return mean, 0
	}
	var sum float64
	for _, v := range x {
		sum += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(sum / float64(len(x)-ddof))
}
