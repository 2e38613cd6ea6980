package bm25

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// AddWeights is Add for a document as a learned sparse vector: a weight for each term, of
// a model such as SPLADE that also gives weights to words which are not in the text. The
// index must be of the variant [Dot]. Weights of 0 are left out; a term's weight below 0,
// not finite or above 1e6 is an error that wraps [ErrOption], and then nothing changes.
// Weights are stored as float32.
func (x *Index) AddWeights(id int, weights map[string]float64) error {
	order, err := x.checkWeights(weights)
	if err != nil {
		return err
	}
	counts := make(map[string]float32, len(order))
	for _, t := range order {
		counts[t] = float32(weights[t])
	}
	x.insert(id, &counted{order: order, counts: counts, length: 1})
	return nil
}

// SearchWeights returns the k documents with the highest inner products with the weights
// of a query, best first, ties by the lower id, of those that are allowed; nil allows
// all. It fails as [Index.AddWeights] does.
func (x *Index) SearchWeights(weights map[string]float64, k int, allowed func(id int) bool) ([]Hit, error) {
	order, err := x.checkWeights(weights)
	if err != nil || k <= 0 {
		return nil, err
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	f := x.formula()
	all, _ := x.cursors(order, nil, &f)
	for _, c := range all {
		c.weight = weights[c.list.term]
		c.most *= c.weight
	}
	return x.rank(f, all, slices.Clone(all), k, allowed), nil
}

// least is the smallest weight that isn't left out: a smaller one may be 0 as a float32.
const least = 1e-30

// checkWeights returns the terms that have a weight, in order.
func (x *Index) checkWeights(weights map[string]float64) ([]string, error) {
	if x.variant != Dot || x.phrases {
		return nil, fmt.Errorf("%w: weights need Options.Variant Dot, without Phrases", ErrOption)
	}
	var order []string
	for _, t := range slices.Sorted(maps.Keys(weights)) {
		w := weights[t]
		if !(w >= 0) || math.IsInf(w, 0) || w > maxBoost {
			return nil, fmt.Errorf("%w: the weight of %q is %v: want 0 to %v", ErrOption, t, w, maxBoost)
		}
		if w >= least {
			order = append(order, t)
		}
	}
	return order, nil
}
