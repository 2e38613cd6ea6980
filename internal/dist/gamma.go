package dist

import "math"

// gammaTails returns the regularised incomplete gamma functions P(a, x) and
// Q(a, x) = 1 - P: the power series below the mean, the continued fraction
// (by Lentz's method) above it. Source: NIST DLMF 8.7.1 and 8.9.2.
func gammaTails(a, x float64) (lower, upper float64) {
	switch {
	case math.IsNaN(a) || math.IsNaN(x) || a <= 0:
		return math.NaN(), math.NaN()
	case x <= 0:
		return 0, 1
	case math.IsInf(x, 1):
		return 1, 0
	}
	lg, _ := math.Lgamma(a)
	front := math.Exp(a*math.Log(x) - x - lg)
	if x < a+1 {
		term := 1 / a
		sum := term
		for n := 1.0; term > sum*1e-17 && n < 1e6; n++ {
			term *= x / (a + n)
			sum += term
		}
		lower = front * sum
		return lower, 1 - lower
	}
	b := x + 1 - a
	c := math.Inf(1)
	d := 1 / b
	h := d
	for n := 1.0; n < 1e6; n++ {
		an := -n * (n - a)
		b += 2
		d = 1 / (an*d + b)
		c = b + an/c
		h *= c * d
		if math.Abs(c*d-1) < 1e-16 {
			break
		}
	}
	upper = front * h
	return 1 - upper, upper
}

// ChiSquaredCDF is P(X <= x) of the chi-squared law with df degrees of freedom.
func ChiSquaredCDF(x, df float64) float64 {
	p, _ := gammaTails(df/2, x/2)
	return p
}

// ChiSquaredSF is P(X > x) of the chi-squared law with df degrees of freedom.
func ChiSquaredSF(x, df float64) float64 {
	_, q := gammaTails(df/2, x/2)
	return q
}

// ChiSquaredQuantile is the x with ChiSquaredCDF(x, df) = p.
func ChiSquaredQuantile(p, df float64) float64 {
	if !(df > 0) {
		return math.NaN()
	}
	lg, _ := math.Lgamma(df / 2)
	return quantile(p, 0, math.Inf(1), df,
		func(x float64) (float64, float64) { return gammaTails(df/2, x/2) },
		func(x float64) float64 { return math.Exp((df/2-1)*math.Log(x/2)-x/2-lg) / 2 })
}
