// Package dist has the distribution functions of tests and intervals: normal,
// Student's t (central and noncentral), chi-squared, F, beta, binomial,
// hypergeometric and the Kolmogorov-Smirnov laws.
//
// Every family is a set of plain functions. A function whose name ends in SF is the
// survival function P(X > x), computed on its own and not as 1 - CDF, so that a
// p-value of 1e-30 keeps its digits. A quantile function inverts the CDF.
// Parameters outside their domain give NaN, as in package math.
//
// Accuracy is about 1e-13 relative in the bulk and better than 1e-10 in the tails
// that double precision reaches; the golden tests of eval/stats compare the
// functions with SciPy's values.
package dist

import "math"

// root finds the zero of an increasing function between lo and hi by Newton's
// method, kept inside a shrinking bracket: a step that leaves the bracket is
// replaced by a bisection, which makes the search safe on the flat parts of a
// distribution function. g returns the value and the slope.
func root(g func(x float64) (value, slope float64), lo, hi, x float64) float64 {
	for range 400 {
		v, slope := g(x)
		switch {
		case v == 0:
			return x
		case v < 0:
			lo = x
		default:
			hi = x
		}
		next := x - v/slope
		if !(next > lo && next < hi) {
			next = middle(lo, hi)
		}
		if math.Abs(next-x) <= 4e-16*math.Abs(next) || next == lo && next == hi {
			return next
		}
		x = next
	}
	return x
}

// middle halves a bracket, on the logarithmic scale where both ends are
// positive: a quantile of 1e-12 is then found as fast as one of 0.5.
func middle(lo, hi float64) float64 {
	if lo > 0 && hi > 4*lo {
		return math.Sqrt(lo) * math.Sqrt(hi)
	}
	if lo == 0 && hi > 0 {
		return hi / 1024
	}
	return lo + (hi-lo)/2
}

// quantile solves CDF(x) = p on the support [lo, hi]; hi may be +Inf. It works
// with the logarithm of the smaller tail, so both tails are found to full
// relative precision.
func quantile(p, lo, hi, start float64, tails func(x float64) (cdf, sf float64), pdf func(x float64) float64) float64 {
	switch {
	case math.IsNaN(p) || p < 0 || p > 1:
		return math.NaN()
	case p == 0:
		return lo
	case p == 1:
		return hi
	}
	g := func(x float64) (float64, float64) {
		cdf, sf := tails(x)
		if p <= 0.5 {
			return math.Log(cdf / p), pdf(x) / cdf
		}
		return math.Log((1 - p) / sf), pdf(x) / sf
	}
	if math.IsInf(hi, 1) {
		hi = math.Max(2*start, 1)
		for v, _ := g(hi); v < 0; v, _ = g(hi) {
			hi *= 2
		}
	}
	if !(start > lo && start < hi) {
		start = middle(lo, hi)
	}
	return root(g, lo, hi, start)
}

// LogBeta is the logarithm of the beta function B(a, b). For large arguments the
// difference of three logarithms of gamma functions would lose their common
// digits, so it is formed from Stirling's series (DiDonato and Morris, ACM TOMS
// 708).
func LogBeta(a, b float64) float64 {
	const large = 15 // from here on the series is exact to double precision
	a, b = min(a, b), max(a, b)
	la, _ := math.Lgamma(a)
	switch h := a / b; {
	case a >= large:
		return (math.Log(2*math.Pi)-math.Log(b))/2 + stirling(a) + stirling(b) - stirling(a+b) +
			(a-0.5)*math.Log(h/(1+h)) - b*math.Log1p(h)
	case a > 0 && b >= large:
		return la + stirling(b) - stirling(a+b) - (b+a-0.5)*math.Log1p(h) - a*(math.Log(b)-1)
	}
	lb, _ := math.Lgamma(b)
	lab, _ := math.Lgamma(a + b)
	return la + lb - lab
}

// stirling is what Stirling's formula for the logarithm of the gamma function
// lacks at x >= 15 (NIST DLMF 5.11.1).
func stirling(x float64) float64 {
	s := 1 / (x * x)
	return (1.0/12 - s*(1.0/360-s*(1.0/1260-s*(1.0/1680-s*(1.0/1188-s*691/360360))))) / x
}

func logChoose(n, k float64) float64 {
	return -math.Log(n+1) - LogBeta(n-k+1, k+1)
}
