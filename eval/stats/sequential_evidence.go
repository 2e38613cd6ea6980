package stats

import (
	"cmp"
	"math"
	"slices"
)

// An e-value is evidence against a null hypothesis: a number that is at least 0
// and, if the hypothesis is true, at most 1 on average. By Markov's inequality 1/e
// is then a p-value. The E of a sequential test is an e-value at any moment at
// which the test is stopped. E-values of one hypothesis may be averaged. They may
// be multiplied if each experiment was planned after the results of those before it
// were known.

// EvidenceP is the p-value of an e-value, min(1, 1/e).
func EvidenceP(e float64) (float64, error) {
	if !(e >= 0) {
		return math.NaN(), fail("EvidenceP", ErrRange, "e-value %v, must not be negative", e)
	}
	return math.Min(1, 1/e), nil
}

// RejectByEvidence keeps the false discovery rate of several e-values at alpha for
// any dependence between them, even if each was stopped by looking at all of them
// (Wang and Ramdas, "False Discovery Rate Control with E-values", 2022): the k
// largest are rejected for the largest k with e_(k) >= m/(k alpha). It is the rule
// for a dashboard of running experiments. Infinite e-values are allowed.
func RejectByEvidence(es []float64, alpha float64) ([]bool, error) {
	const fn = "RejectByEvidence"
	if len(es) == 0 {
		return nil, fail(fn, ErrTooFew, "no e-values")
	}
	for i, e := range es {
		if !(e >= 0) {
			return nil, fail(fn, ErrRange, "e-value %d is %v, must not be negative", i, e)
		}
	}
	if err := checkOpen(fn, "alpha", alpha); err != nil {
		return nil, err
	}
	order := make([]int, len(es))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(es[j], es[i]) })
	m, last := float64(len(es)), 0
	for k, i := range order {
		if es[i] >= m/(float64(k+1)*alpha) {
			last = k + 1
		}
	}
	reject := make([]bool, len(es))
	for _, i := range order[:last] {
		reject[i] = true
	}
	return reject, nil
}
