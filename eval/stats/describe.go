package stats

import (
	"math"
	"slices"
)

// Mean is the arithmetic mean, NaN for no values.
func Mean(xs []float64) float64 {
	n := float64(len(xs))
	if total := plainSum(xs); finite(total) || !allFinite(xs) {
		return total / n
	}
	return math.Ldexp(plainSum(reduced(xs))/n, reduction)
}

// reduction is the power of two by which values are divided whose sum overflows.
const reduction = 64

func reduced(xs []float64) []float64 {
	out := slices.Clone(xs)
	rescale(out, reduction)
	return out
}

func allFinite(xs []float64) bool {
	return !slices.ContainsFunc(xs, func(x float64) bool { return !finite(x) })
}

// sum adds without overflow in between: it is infinite only if the true sum is too
// large.
func sum(xs []float64) float64 {
	total := plainSum(xs)
	if finite(total) || !allFinite(xs) {
		return total
	}
	return math.Ldexp(plainSum(reduced(xs)), reduction)
}

// plainSum adds with Neumaier's correction ("Rundungsfehleranalyse einiger
// Verfahren zur Summation endlicher Summen", 1974): an evaluation adds many equal
// small numbers, for which plain addition is least exact.
func plainSum(xs []float64) float64 {
	s, lost := 0.0, 0.0
	for _, x := range xs {
		t := s + x
		if math.Abs(s) >= math.Abs(x) {
			lost += (s - t) + x
		} else {
			lost += (x - t) + s
		}
		s = t
	}
	return s + lost
}

// Variance is the unbiased sample variance (divisor n-1), NaN for fewer than
// two values, and +Inf where it is too large for a float64.
func Variance(xs []float64) float64 {
	if len(xs) < 2 {
		return math.NaN()
	}
	return Covariance(xs, xs)
}

// Covariance is the unbiased sample covariance (divisor n-1) of pairs, NaN for
// fewer than two pairs or different lengths, and infinite where it is too large
// for a float64.
func Covariance(xs, ys []float64) float64 {
	if len(xs) != len(ys) || len(xs) < 2 {
		return math.NaN()
	}
	if c := covariance(xs, ys); finite(c) || !allFinite(xs) || !allFinite(ys) {
		return c
	}
	xUnit, x := inUnit(xs)
	yUnit, y := inUnit(ys)
	return math.Ldexp(covariance(x[0], y[0]), xUnit+yUnit)
}

func covariance(xs, ys []float64) float64 {
	mx, my := Mean(xs), Mean(ys)
	products := make([]float64, len(xs))
	for i := range xs {
		products[i] = (xs[i] - mx) * (ys[i] - my)
	}
	return plainSum(products) / float64(len(xs)-1)
}

// deviation is the standard deviation. Unlike the variance it doesn't overflow.
func deviation(xs []float64) float64 {
	unit, scaled := inUnit(xs)
	return math.Ldexp(math.Sqrt(Variance(scaled[0])), unit)
}

// Median is the middle value, or the mean of the two middle ones; NaN for none.
func Median(xs []float64) float64 {
	n := len(xs)
	if n == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(xs))
	if s[(n-1)/2] == s[n/2] {
		return s[n/2]
	}
	return s[(n-1)/2]/2 + s[n/2]/2
}

// MedianAbsoluteDeviation is the median absolute deviation from the median, without
// the factor 1.4826 that would make it an estimate of the standard deviation of a
// normal distribution. It is +Inf where a deviation is too large for a float64.
func MedianAbsoluteDeviation(xs []float64) float64 {
	m := Median(xs)
	dev := make([]float64, len(xs))
	for i, x := range xs {
		dev[i] = math.Abs(x - m)
	}
	return Median(dev)
}

// Skewness is the third standardized moment m3/m2^(3/2) with divisor n
// (biased, as scipy.stats.skew); NaN when all values are equal, or for fewer
// than three, which are always symmetric.
func Skewness(xs []float64) float64 {
	if len(xs) < 3 {
		return math.NaN()
	}
	_, scaled := inUnit(xs)
	xs = scaled[0]
	m := Mean(xs)
	d2, d3 := make([]float64, len(xs)), make([]float64, len(xs))
	for i, x := range xs {
		d2[i] = (x - m) * (x - m)
		d3[i] = d2[i] * (x - m)
	}
	m2 := Mean(d2)
	if m2 <= math.Pow(2.220446049250313e-16*m, 2) { // equal up to rounding: 0/0
		return math.NaN()
	}
	return Mean(d3) / math.Pow(m2, 1.5)
}

// TrimmedMean is the mean without the lowest and highest share of the values,
// share in [0, 0.5); floor(share n) values are cut at each end.
func TrimmedMean(xs []float64, share float64) float64 {
	cut := int(share * float64(len(xs)))
	if !(share >= 0) || 2*cut >= len(xs) {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(xs))
	return Mean(s[cut : len(s)-cut])
}

// A QuantileMethod says how a quantile between two observations is computed. The
// names and definitions are NumPy's, after Hyndman and Fan, "Sample Quantiles in
// Statistical Packages" (1996). Default: [QuantileLinear].
type QuantileMethod uint8

// The methods of [Quantile].
const (
	QuantileLinear         QuantileMethod = iota // type 7, between (n-1)q; the default almost everywhere
	QuantileHazen                                // type 5
	QuantileWeibull                              // type 6
	QuantileMedianUnbiased                       // type 8, recommended by Hyndman and Fan
	QuantileInvertedCDF                          // type 1: the smallest x with a share of at least q at or below it
	QuantileLower                                // the observation below QuantileLinear's position
	QuantileHigher                               // the one above
	QuantileNearest                              // the nearer one, ties to the even index
	QuantileMidpoint                             // the mean of QuantileLower and QuantileHigher
)

// Quantile is the q-quantile of the values, q in [0, 1].
func Quantile(xs []float64, q float64, method QuantileMethod) (float64, error) {
	if err := checkSample("Quantile", "sample", xs, 1); err != nil {
		return math.NaN(), err
	}
	if !(q >= 0 && q <= 1) {
		return math.NaN(), fail("Quantile", ErrOption, "q is %v: want a number from 0 to 1", q)
	}
	if err := checkConstant("Quantile", "QuantileMethod", method, QuantileMidpoint); err != nil {
		return math.NaN(), err
	}
	return sortedQuantile(slices.Sorted(slices.Values(xs)), q, method), nil
}

// sortedQuantile is Quantile of values that are sorted already.
func sortedQuantile(s []float64, q float64, method QuantileMethod) float64 {
	n := float64(len(s))
	// The position of Hyndman and Fan's formula (2): n q + a + q (1 - a - b) - 1.
	position := func(a, b float64) float64 { return n*q + a + q*(1-a-b) - 1 }
	pos := (n - 1) * q
	switch method {
	case QuantileHazen:
		pos = position(0.5, 0.5)
	case QuantileWeibull:
		pos = position(0, 0)
	case QuantileMedianUnbiased:
		pos = position(1.0/3, 1.0/3)
	case QuantileInvertedCDF:
		pos = math.Ceil(n*q) - 1
	case QuantileLower:
		pos = math.Floor(pos)
	case QuantileHigher:
		pos = math.Ceil(pos)
	case QuantileNearest:
		pos = math.RoundToEven(pos)
	case QuantileMidpoint:
		pos = math.Floor(pos) + 0.5*math.Ceil(pos-math.Floor(pos))
	}
	pos = math.Min(math.Max(pos, 0), n-1)
	i := int(pos)
	t := pos - float64(i)
	if t == 0 {
		return s[i]
	}
	lo, hi := s[i], s[i+1]
	if math.IsInf(hi-lo, 0) {
		return lo*(1-t) + hi*t
	}
	if t < 0.5 {
		return lo + (hi-lo)*t
	}
	return hi - (hi-lo)*(1-t) // from the nearer end, so that the result never leaves [lo, hi]
}
