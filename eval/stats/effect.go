package stats

import "math"

// An effect size measures how large a difference is, in units that don't depend on
// the number of observations. A p-value depends on both.

// CohenDz is the mean difference of pairs in units of the differences' standard
// deviation, mean(d)/sd(d). Undefined when the differences are all equal.
func CohenDz(a, b []float64) (float64, error) {
	const fn = "CohenDz"
	if err := checkPairs(fn, a, b, 2); err != nil {
		return math.NaN(), err
	}
	d, _ := differences(a, b)
	sd := math.Sqrt(Variance(d))
	if sd == 0 {
		return math.NaN(), fail(fn, ErrUndefined, "the differences are all equal")
	}
	return Mean(d) / sd, nil
}

// CohenD is the difference of two independent samples' means in units of their
// pooled standard deviation (Cohen, "Statistical Power Analysis", 1988):
// 0.2 is called small, 0.5 medium, 0.8 large.
func CohenD(a, b []float64) (float64, error) {
	const fn = "CohenD"
	if err := checkTwo(fn, a, b, 2); err != nil {
		return math.NaN(), err
	}
	_, scaled := inUnit(a, b)
	a, b = scaled[0], scaled[1]
	sd := math.Sqrt(pooledVariance(a, b))
	if sd == 0 {
		return math.NaN(), fail(fn, ErrUndefined, "neither sample varies")
	}
	return (Mean(a) - Mean(b)) / sd, nil
}

// HedgesG is [CohenD] with the correction of its bias in small samples,
// 1 - 3/(4(n+m)-9) (Hedges, 1981).
func HedgesG(a, b []float64) (float64, error) {
	d, err := CohenD(a, b)
	return d * (1 - 3/(4*float64(len(a)+len(b))-9)), err
}

// CliffsDelta is P(a > b) - P(a < b) for a random value of each sample (Cliff,
// 1993): an effect size for scores that are only ordered, as a judge's 1 to 5
// are. O((n+m) log(n+m)).
func CliffsDelta(a, b []float64) (float64, error) {
	if err := checkTwo("CliffsDelta", a, b, 1); err != nil {
		return math.NaN(), err
	}
	n, m := float64(len(a)), float64(len(b))
	return 2*mannWhitneyU(a, b)/(n*m) - 1, nil
}

// CohenH is the distance of two proportions on the scale on which their
// variance doesn't depend on them: |2 asin √p1 - 2 asin √p2|.
func CohenH(p1, p2 float64) (float64, error) {
	for _, p := range []float64{p1, p2} {
		if !(p >= 0 && p <= 1) {
			return math.NaN(), fail("CohenH", ErrRange, "a proportion is %v: want a number from 0 to 1", p)
		}
	}
	return math.Abs(2*math.Asin(math.Sqrt(p1)) - 2*math.Asin(math.Sqrt(p2))), nil
}
