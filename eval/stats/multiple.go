package stats

import (
	"cmp"
	"math"
	"slices"
)

// An Adjustment corrects p-values for the number of tests. Twenty metrics at 5 %
// make one false discovery on average; the adjustments keep either the chance of
// any (the family-wise error rate) or the share of false ones among those reported
// (the false discovery rate) at alpha. Default: [AdjustmentHolm].
type Adjustment uint8

// The adjustments, with statsmodels' names.
const (
	AdjustmentHolm               Adjustment = iota // family-wise, step-down; Bonferroni's guarantee and never weaker
	AdjustmentBonferroni                           // family-wise: p·m
	AdjustmentSidak                                // family-wise, independent tests: 1-(1-p)^m
	AdjustmentHolmSidak                            // family-wise, step-down with Sidak's levels
	AdjustmentHochberg                             // family-wise, step-up ("simes-hochberg"); independent or positively dependent tests
	AdjustmentHommel                               // family-wise, the closure of Simes' test; a little stronger than Hochberg's
	AdjustmentBenjaminiHochberg                    // false discovery rate ("fdr_bh"); independent or positively dependent tests
	AdjustmentBenjaminiYekutieli                   // false discovery rate under any dependence ("fdr_by")
	AdjustmentTwoStageBH                           // AdjustmentBenjaminiHochberg with the number of true nulls estimated first ("fdr_tsbh")
)

// Adjust returns, for each p-value, the adjusted one and whether its hypothesis
// is rejected at alpha, in the order given. A p-value is rejected when its
// adjusted value is at most alpha.
func Adjust(ps []float64, alpha float64, method Adjustment) (adjusted []float64, reject []bool, err error) {
	const fn = "Adjust"
	if len(ps) == 0 {
		return nil, nil, fail(fn, ErrTooFew, "no p-values")
	}
	for i, p := range ps {
		if !(p >= 0 && p <= 1) {
			return nil, nil, fail(fn, ErrRange, "p-value %d is %v", i, p)
		}
	}
	if err := checkOpen(fn, "alpha", alpha); err != nil {
		return nil, nil, err
	}
	if err := checkConstant(fn, "Adjustment", method, AdjustmentTwoStageBH); err != nil {
		return nil, nil, err
	}
	order := make([]int, len(ps))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(ps[i], ps[j]) })
	p := make([]float64, len(ps))
	for k, i := range order {
		p[k] = ps[i]
	}
	adj := capAtOne(adjustSorted(p, alpha, method))
	adjusted, reject = make([]float64, len(p)), make([]bool, len(p))
	for k, i := range order {
		adjusted[i], reject[i] = adj[k], adj[k] <= alpha
	}
	return adjusted, reject, nil
}

// adjustSorted adjusts rising p-values; the results may still exceed 1.
func adjustSorted(p []float64, alpha float64, method Adjustment) []float64 {
	m := float64(len(p))
	var adj []float64
	switch method {
	case AdjustmentBonferroni:
		adj = scaled(p, func(int) float64 { return m })
	case AdjustmentSidak:
		for _, v := range p {
			adj = append(adj, sidak(v, m))
		}
	case AdjustmentHolm:
		adj = rising(scaled(p, func(k int) float64 { return m - float64(k) }))
	case AdjustmentHolmSidak:
		for k, v := range p {
			adj = append(adj, sidak(v, m-float64(k)))
		}
		adj = rising(adj)
	case AdjustmentHochberg:
		adj = falling(scaled(p, func(k int) float64 { return m - float64(k) }))
	case AdjustmentHommel:
		adj = hommel(p)
	case AdjustmentBenjaminiHochberg:
		adj = benjaminiHochberg(p)
	case AdjustmentBenjaminiYekutieli:
		harmonic := 0.0
		for i := 1.0; i <= m; i++ {
			harmonic += 1 / i
		}
		adj = scaled(benjaminiHochberg(p), func(int) float64 { return harmonic })
	case AdjustmentTwoStageBH:
		adj = capAtOne(benjaminiHochberg(p))
		rejected := 0
		for _, v := range adj {
			if v <= alpha {
				rejected++
			}
		}
		if rejected > 0 && rejected < len(p) {
			adj = scaled(adj, func(int) float64 { return (m - float64(rejected)) / m })
		}
	}
	return adj
}

// sidak is 1-(1-p)^m without the cancellation for small p.
func sidak(p, m float64) float64 { return -math.Expm1(m * math.Log1p(-p)) }

func scaled(p []float64, factor func(k int) float64) []float64 {
	out := make([]float64, len(p))
	for k, v := range p {
		out[k] = v * factor(k)
	}
	return out
}

// rising makes each value at least its predecessor: a step-down procedure
// stops at the first hypothesis that it keeps.
func rising(p []float64) []float64 {
	for k := 1; k < len(p); k++ {
		p[k] = max(p[k], p[k-1])
	}
	return p
}

// falling makes each value at most its successor: a step-up procedure rejects all
// hypotheses below the last one that it rejects.
func falling(p []float64) []float64 {
	for k := len(p) - 2; k >= 0; k-- {
		p[k] = min(p[k], p[k+1])
	}
	return p
}

func capAtOne(p []float64) []float64 {
	for k := range p {
		p[k] = min(p[k], 1)
	}
	return p
}

func benjaminiHochberg(p []float64) []float64 {
	m := float64(len(p))
	return falling(scaled(p, func(k int) float64 { return m / float64(k+1) }))
}

// hommel follows Wright, "Adjusted P-values for Simultaneous Inference" (1992),
// O(m²).
func hommel(p []float64) []float64 {
	n := len(p)
	a := slices.Clone(p)
	for m := n; m > 1; m-- {
		tail := p[n-m:]
		c := math.Inf(1)
		for k, v := range tail {
			c = min(c, float64(m)*v/float64(k+1))
		}
		for k := range a {
			if k >= n-m {
				a[k] = max(a[k], c)
			} else {
				a[k] = max(a[k], min(float64(m)*p[k], c))
			}
		}
	}
	return a
}
