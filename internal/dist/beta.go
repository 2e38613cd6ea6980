package dist

import "math"

// betaTails returns the regularised incomplete beta function I_x(a, b) and its
// complement. y is 1 - x, taken as a parameter because the caller often knows
// it without the rounding of a subtraction. Source: NIST DLMF 8.17.22, the
// continued fraction, evaluated by Lentz's method on the side of the mean
// where it converges fast.
func betaTails(a, b, x, y float64) (lower, upper float64) {
	switch {
	case math.IsNaN(a+b+x+y) || a <= 0 || b <= 0:
		return math.NaN(), math.NaN()
	case x <= 0:
		return 0, 1
	case y <= 0:
		return 1, 0
	}
	if x > (a+1)/(a+b+2) {
		upper = betaFraction(b, a, y, x)
		return 1 - upper, upper
	}
	lower = betaFraction(a, b, x, y)
	return lower, 1 - lower
}

// betaFraction is the continued fraction of I_x(a, b), for x that is not much above
// (a+1)/(a+b+2).
func betaFraction(a, b, x, y float64) float64 {
	const tiny = 1e-300
	front := math.Exp(a*math.Log(x)+b*math.Log(y)-LogBeta(a, b)) / a
	c := 1.0
	d := 1 - (a+b)*x/(a+1)
	if math.Abs(d) < tiny {
		d = tiny
	}
	d = 1 / d
	h := d
	for m := 1.0; m < 1e6; m++ {
		even := m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		odd := -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		var delta float64
		for _, coef := range [2]float64{even, odd} {
			d = 1 + coef*d
			if math.Abs(d) < tiny {
				d = tiny
			}
			c = 1 + coef/c
			if math.Abs(c) < tiny {
				c = tiny
			}
			d = 1 / d
			delta = c * d
			h *= delta
		}
		if math.Abs(delta-1) < 2e-16 {
			break
		}
	}
	return front * h
}

// BetaCDF is P(X <= x) of the beta law with parameters a and b.
func BetaCDF(x, a, b float64) float64 {
	p, _ := betaTails(a, b, x, 1-x)
	return p
}

// BetaQuantile is the x with BetaCDF(x, a, b) = p.
func BetaQuantile(p, a, b float64) float64 {
	if !(a > 0 && b > 0) {
		return math.NaN()
	}
	lb := LogBeta(a, b)
	return quantile(p, 0, 1, a/(a+b),
		func(x float64) (float64, float64) { return betaTails(a, b, x, 1-x) },
		func(x float64) float64 { return math.Exp((a-1)*math.Log(x) + (b-1)*math.Log1p(-x) - lb) })
}

// FSF is P(X > x) of the F law with d1 and d2 degrees of freedom.
func FSF(x, d1, d2 float64) float64 {
	if x <= 0 {
		return 1
	}
	p, _ := betaTails(d2/2, d1/2, d2/(d2+d1*x), d1*x/(d2+d1*x))
	return p
}

// nearlyNormal is from how many degrees of freedom on Student's law is the normal
// law to double precision.
const nearlyNormal = 1e15

// StudentSF is P(T > t) of Student's t law with df degrees of freedom, which
// need not be whole; df = +Inf is the normal law, and so, to double precision, is
// df > 1e15.
func StudentSF(t, df float64) float64 {
	switch {
	case df > nearlyNormal:
		return NormalSF(t)
	case math.IsInf(t, 0):
		return (1 - math.Copysign(1, t)) / 2
	}
	tail, _ := betaTails(df/2, 0.5, df/(df+t*t), t*t/(df+t*t))
	if math.Abs(t) > 1e100 { // t² overflows or is about to: the leading term is exact here
		tail = 2 * math.Exp(df*(math.Log(df)/2-math.Log(math.Abs(t)))-LogBeta(df/2, 0.5)) / df
	}
	if t < 0 {
		return 1 - tail/2
	}
	return tail / 2
}

// StudentCDF is P(T <= t) of Student's t law.
func StudentCDF(t, df float64) float64 { return StudentSF(-t, df) }

// StudentQuantile is the t with StudentCDF(t, df) = p.
func StudentQuantile(p, df float64) float64 {
	switch {
	case df > nearlyNormal:
		return NormalQuantile(p)
	case !(df > 0) || math.IsNaN(p) || p < 0 || p > 1:
		return math.NaN()
	case p == 0.5:
		return 0
	case p < 0.5:
		return -studentUpper(p, df)
	}
	return studentUpper(1-p, df)
}

// studentUpper is the t > 0 that leaves q < 1/2 above it.
func studentUpper(q, df float64) float64 {
	if q == 0 {
		return math.Inf(1)
	}
	lb := LogBeta(df/2, 0.5)
	g := func(t float64) (float64, float64) {
		sf := StudentSF(t, df)
		return math.Log(q / sf), math.Exp(-(df+1)/2*math.Log1p(t*t/df)-lb) / math.Sqrt(df) / sf
	}
	hi := 1.0
	for v, _ := g(hi); v < 0; v, _ = g(hi) {
		hi *= 4
	}
	return root(g, 0, hi, math.Min(-NormalQuantile(q), hi/2))
}

// BinomialPMF is P(X = k) for n trials of probability p.
func BinomialPMF(k, n int, p float64) float64 {
	switch {
	case k < 0 || k > n:
		return 0
	case p == 0 || p == 1:
		if (p == 0) == (k == 0) && (p == 1) == (k == n) {
			return 1
		}
		return 0
	}
	return math.Exp(logChoose(float64(n), float64(k)) + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
}

// BinomialCDF is P(X <= k) for n trials of probability p.
func BinomialCDF(k, n int, p float64) float64 {
	cdf, _ := binomialTails(k, n, p)
	return cdf
}

// BinomialSF is P(X > k) for n trials of probability p.
func BinomialSF(k, n int, p float64) float64 {
	_, sf := binomialTails(k, n, p)
	return sf
}

func binomialTails(k, n int, p float64) (cdf, sf float64) {
	switch {
	case n < 0 || math.IsNaN(p) || p < 0 || p > 1:
		return math.NaN(), math.NaN()
	case k < 0:
		return 0, 1
	case k >= n:
		return 1, 0
	}
	sf, cdf = betaTails(float64(k+1), float64(n-k), p, 1-p)
	return cdf, sf
}

// HypergeometricPMF is the probability of k marked items among n drawn without
// replacement from total items of which marked are marked.
func HypergeometricPMF(k, total, marked, n int) float64 {
	if k < 0 || k > marked || k > n || n-k > total-marked {
		return 0
	}
	return math.Exp(logChoose(float64(marked), float64(k)) +
		logChoose(float64(total-marked), float64(n-k)) - logChoose(float64(total), float64(n)))
}
