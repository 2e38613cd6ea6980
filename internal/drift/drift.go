// Package drift has the cores of drift statistics and sequential detectors, which
// package eval/stats and package trace/monitor share: they check the input and name
// the faults in their own words, and the arithmetic is here once.
//
// Every function is pure and expects checked input: finite values, samples that are
// not empty, shares of equal length.
package drift

import (
	"math"
	"slices"

	"github.com/prodailabs/prodai/internal/dist"
)

// KS is the largest distance of the empirical distribution functions of two
// samples, the statistic D of Kolmogorov and Smirnov.
func KS(a, b []float64) float64 {
	sa, sb := slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	m, n := float64(len(a)), float64(len(b))
	d := 0.0
	for i, j := 0, 0; i < len(sa) && j < len(sb); {
		x := min(sa[i], sb[j])
		for i < len(sa) && sa[i] == x {
			i++
		}
		for j < len(sb) && sb[j] == x {
			j++
		}
		d = max(d, math.Abs(float64(i)/m-float64(j)/n))
	}
	return d
}

// KSLikeSciPy is the p-value of scipy.stats.ks_2samp's method "asymp" for D = d and
// samples of m and n values: the exact one-sample law for the size
// round(mn/(m+n)).
func KSLikeSciPy(m, n int, d float64) float64 {
	effective := float64(m) * float64(n) / float64(m+n)
	if effective < 0.5 {
		return 1
	}
	return dist.KSOneSampleSF(int(math.RoundToEven(effective)), d)
}

// BinShares returns the share of the values in each of the len(edges)+1 bins. A
// value equal to an edge belongs to the bin above it.
func BinShares(xs, edges []float64) []float64 {
	shares := make([]float64, len(edges)+1)
	for _, x := range xs {
		bin, _ := slices.BinarySearchFunc(edges, x, func(edge, x float64) int {
			if edge <= x {
				return -1
			}
			return 1
		})
		shares[bin] += 1 / float64(len(xs))
	}
	return shares
}

// PSI is Σ (b-a) ln(b/a), the population stability index of shares b against a.
func PSI(a, b []float64) float64 {
	total := 0.0
	for i := range a {
		if a[i] != b[i] {
			total += (b[i] - a[i]) * LogRatio(b[i], a[i])
		}
	}
	return total
}

// JensenShannon is the divergence of two distributions from their mean, in nats.
func JensenShannon(a, b []float64) float64 {
	total := 0.0
	for i := range a {
		for _, share := range []float64{a[i], b[i]} {
			if share > 0 {
				total += share * math.Log(2*share/(a[i]+b[i]))
			}
		}
	}
	return math.Max(0, total/2)
}

// LogRatio is ln(p/q), also where the ratio overflows or underflows.
func LogRatio(p, q float64) float64 {
	if r := p / q; r > 0 && !math.IsInf(r, 1) {
		return math.Log(r)
	}
	return math.Log(p) - math.Log(q)
}

// Sums are the two sums of a CUSUM (Page, 1954), each at least 0.
type Sums struct{ High, Low float64 }

// Next returns the sums after a standardized value.
func (s Sums) Next(z, slack float64) Sums {
	return Sums{math.Max(0, s.High+z-slack), math.Max(0, s.Low-z-slack)}
}

// EWMA returns the exponentially weighted moving average after x.
func EWMA(before, x, lambda float64) float64 { return lambda*x + (1-lambda)*before }

// Ratio is what Wald's sequential test of two success probabilities adds to its
// log-likelihood ratio, and the limits of that.
type Ratio struct{ Success, Failure, Upper, Lower float64 }

// NewRatio returns the test of p0 (H0) against p1 (H1), with the error rates alpha
// and beta.
func NewRatio(p0, p1, alpha, beta float64) Ratio {
	return Ratio{
		Success: LogRatio(p1, p0), Failure: math.Log1p(-p1) - math.Log1p(-p0),
		Upper: LogRatio(1-beta, alpha), Lower: LogRatio(beta, 1-alpha),
	}
}

// Next returns the log-likelihood ratio after an outcome.
func (r Ratio) Next(llr float64, success bool) float64 {
	if success {
		return llr + r.Success
	}
	return llr + r.Failure
}
