package stats

import (
	"math"
	"slices"
)

// Squares and cubes of values near 1e200 overflow, and those of values near 1e-200
// become 0. But most statistics of such values are ordinary numbers: a t, a
// correlation and an effect size don't change with the unit. So samples of such
// values are first divided by a power of two, which is exact. Samples of ordinary
// size stay as they are.

// safeExponent bounds the ordinary sizes: 2^±200, where the fourth power of a
// value, or of the smallest difference of two, is still a normal number.
const safeExponent = 200

// exponentOf returns the power of two to divide samples by: 0 for values of
// ordinary size, else the exponent of the largest one.
func exponentOf(samples ...[]float64) int {
	top := 0.0
	for _, xs := range samples {
		for _, x := range xs {
			top = max(top, math.Abs(x))
		}
	}
	_, exp := math.Frexp(top)
	if top == 0 || -safeExponent <= exp && exp <= safeExponent {
		return 0
	}
	return exp
}

// inUnit returns samples divided by a common power of two, or the samples
// themselves if they are of ordinary size.
func inUnit(samples ...[]float64) (unit int, scaled [][]float64) {
	unit = exponentOf(samples...)
	if unit == 0 {
		return 0, samples
	}
	for _, xs := range samples {
		xs = slices.Clone(xs)
		rescale(xs, unit)
		scaled = append(scaled, xs)
	}
	return unit, scaled
}

// rescale divides the values by 2^unit in place.
func rescale(xs []float64, unit int) {
	if unit == 0 {
		return
	}
	for i, x := range xs {
		xs[i] = math.Ldexp(x, -unit)
	}
}

// differences returns a[i]-b[i] divided by 2^unit.
func differences(a, b []float64) (d []float64, unit int) {
	d = make([]float64, len(a))
	for i := range a {
		d[i] = a[i] - b[i]
	}
	if slices.ContainsFunc(d, func(x float64) bool { return math.IsInf(x, 0) }) {
		const half = 1
		for i := range a {
			d[i] = math.Ldexp(a[i], -half) - math.Ldexp(b[i], -half)
		}
		unit = half
	}
	more := exponentOf(d)
	rescale(d, more)
	return d, unit + more
}

// times returns the interval in a unit 2^-unit times as large.
func (i Interval) times(fn string, unit int) (Interval, error) {
	i.Low, i.High = math.Ldexp(i.Low, unit), math.Ldexp(i.High, unit)
	if err := checkResult(fn, i.Low, i.High); err != nil {
		return Interval{}, err
	}
	return i, nil
}

// times returns the estimate in a unit 2^-unit times as large.
func (e Estimate) times(fn string, unit int) (Estimate, error) {
	e.Value, e.SE = math.Ldexp(e.Value, unit), math.Ldexp(e.SE, unit)
	if err := checkResult(fn, e.Value, e.SE); err != nil {
		return Estimate{}, err
	}
	return e, nil
}
