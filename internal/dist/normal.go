package dist

import "math"

// NormalPDF is the standard normal density at x.
func NormalPDF(x float64) float64 {
	return math.Exp(-x*x/2) / math.Sqrt(2*math.Pi)
}

// NormalCDF is P(Z <= x) of the standard normal.
func NormalCDF(x float64) float64 {
	return math.Erfc(-x/math.Sqrt2) / 2
}

// NormalSF is P(Z > x) of the standard normal.
func NormalSF(x float64) float64 {
	return math.Erfc(x/math.Sqrt2) / 2
}

// NormalQuantile is the x with NormalCDF(x) = p, for p in [0, 1].
//
// It starts from the rational approximation 26.2.23 of Abramowitz and Stegun
// (error below 4.5e-4) and takes three Halley steps on the tail, each of which
// about triples the number of correct digits.
func NormalQuantile(p float64) float64 {
	switch {
	case math.IsNaN(p) || p < 0 || p > 1:
		return math.NaN()
	case p == 0:
		return math.Inf(-1)
	case p == 1:
		return math.Inf(1)
	case p == 0.5:
		return 0
	}
	if p > 0.5 {
		return -NormalQuantile(1 - p) // exact: 1-p doesn't round for p in [0.5, 1]
	}
	t := math.Sqrt(-2 * math.Log(p))
	x := (2.515517+t*(0.802853+t*0.010328))/(1+t*(1.432788+t*(0.189269+t*0.001308))) - t
	for range 3 {
		e := (NormalCDF(x) - p) / NormalPDF(x)
		x -= e / (1 + x*e/2)
	}
	return x
}
