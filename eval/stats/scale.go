package stats

import "math"

// Squares and cubes of values near 1e200 overflow, and those of values near
// 1e-200 vanish, though most statistics of them are ordinary numbers: a t, a
// correlation and an effect size don't change with the unit. So samples of such
// values are first divided by a power of two, which is exact. Samples of ordinary
// size are left as they are.

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

// rescale divides the values by 2^unit in place.
func rescale(xs []float64, unit int) {
	if unit == 0 {
		return
	}
	for i, x := range xs {
		xs[i] = math.Ldexp(x, -unit)
	}
}
