package stats

import (
	"math"
)

// Components are the parts of the variance of repeated scores, from
// [VarianceComponents].
type Components struct {
	// Mean is the mean of the items' means, with the standard error for a new sample
	// of items: both parts of the variance are in it.
	Mean Estimate
	// ItemVariance is how much the items differ, RunVariance how much the runs of
	// one item do. An estimate of ItemVariance below 0 is returned as 0.
	ItemVariance, RunVariance float64
	// RunSE is the standard error of the mean if the same items are scored again:
	// the part that more runs remove.
	RunSE float64
}

// Reliability is the share of the items' variance in that of a single score, the
// intraclass correlation ICC(1). Undefined if all scores are equal.
func (c Components) Reliability() (float64, error) {
	share := c.ItemVariance / (c.ItemVariance + c.RunVariance)
	if math.IsNaN(share) {
		return 0, fail("Components.Reliability", ErrUndefined, "all scores are equal")
	}
	return share, nil
}

// VarianceComponents separates how much of the variance of scores[item][run] comes
// from the items and how much from repeated runs, by the one-way analysis of variance
// with random effects. It needs two items, and an item with two runs. The number of
// runs may differ; each item counts once in the mean.
//
//	RunVariance  = Σ over items Σ over runs (score - item's mean)² / (scores - items)
//	ItemVariance = (MS between items - RunVariance) / n₀
//	RunSE        = √(RunVariance · Σ 1/runs) / items
//
// More items make the standard error of the mean small, more runs only its part
// RunSE. If RunSE is small beside Mean.SE, spend the money on items.
//
// Source: Searle, Casella and McCulloch, "Variance Components", 1992, chapter 3.
func VarianceComponents(scores [][]float64) (Components, error) {
	const fn = "VarianceComponents"
	if len(scores) < 2 {
		return Components{}, fail(fn, ErrTooFew, "%d items, needs at least 2", len(scores))
	}
	total, squares, inverse := 0.0, 0.0, 0.0
	for _, runs := range scores {
		if err := checkSample(fn, "an item's runs", runs, 1); err != nil {
			return Components{}, err
		}
		r := float64(len(runs))
		total, squares, inverse = total+r, squares+r*r, inverse+1/r
	}
	items := float64(len(scores))
	if total == items {
		return Components{}, fail(fn, ErrTooFew, "each item has 1 run, needs an item with 2")
	}
	unit, scaled := inUnit(scores...)
	means := make([]float64, len(scaled))
	grand := 0.0
	for i, runs := range scaled {
		means[i] = Mean(runs)
		grand += means[i] * (float64(len(runs)) / total)
	}
	within, between := 0.0, 0.0
	for i, runs := range scaled {
		for _, x := range runs {
			within += (x - means[i]) * (x - means[i])
		}
		between += float64(len(runs)) * (means[i] - grand) * (means[i] - grand)
	}
	c := Components{RunVariance: within / (total - items)}
	n0 := (total - squares/total) / (items - 1)
	c.ItemVariance = max(0, (between/(items-1)-c.RunVariance)/n0)
	c.RunSE = math.Sqrt(c.RunVariance*inverse) / items
	c.RunVariance, c.ItemVariance = math.Ldexp(c.RunVariance, 2*unit), math.Ldexp(c.ItemVariance, 2*unit)
	c.RunSE = math.Ldexp(c.RunSE, unit)
	if err := checkResult(fn, c.RunVariance, c.ItemVariance, c.RunSE); err != nil {
		return Components{}, err
	}
	var err error
	c.Mean, err = meanEstimate(means).times(fn, unit)
	return c, err
}
