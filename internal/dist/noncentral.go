package dist

import "math"

// NoncentralStudentSF is P(T > t) of the noncentral t law with df degrees of
// freedom and noncentrality nc: the law of a t statistic when the null
// hypothesis is wrong, and so the heart of every power calculation.
//
// With x = t²/(df+t²) and Poisson-like weights of mean nc²/2 (Lenth, AS 243),
// for t >= 0:
//
//	P(T > t) = 1/2 Σ_j [ p_j (1 - I_x(j+1/2, df/2)) + q_j (1 - I_x(j+1, df/2)) ]
//	p_j = e^(-nc²/2) (nc²/2)^j / j!,  q_j = nc e^(-nc²/2) (nc²/2)^j / (√2 Γ(j+3/2))
//
// For nc >= 0 no term is negative, so small tails keep their digits; for
// nc < 0 the result is good to about 1e-15 absolute.
func NoncentralStudentSF(t, df, nc float64) float64 {
	switch {
	case math.IsNaN(t+nc) || !(df > 0):
		return math.NaN()
	case math.IsInf(df, 1):
		return NormalSF(t - nc)
	case nc == 0:
		return StudentSF(t, df)
	case t < 0:
		return 1 - NoncentralStudentSF(-t, df, -nc)
	}
	x, y := t*t/(df+t*t), df/(df+t*t)
	half := nc * nc / 2
	logHalf := math.Log(half)
	term := func(j float64) float64 {
		lp, _ := math.Lgamma(j + 1)
		lq, _ := math.Lgamma(j + 1.5)
		_, up := betaTails(j+0.5, df/2, x, y)
		_, uq := betaTails(j+1, df/2, x, y)
		p := math.Exp(j*logHalf - half - lp)
		q := math.Copysign(math.Exp(j*logHalf-half-lq+logHalf/2), nc) // nc/√2 = ±√(nc²/2)
		return p*up + q*uq
	}
	// The weights peak at nc²/2: sum outwards from there until the terms, which
	// fall off on both sides, no longer count.
	mode := math.Floor(half)
	sum := 0.0
	for j := mode; j >= 0; j-- {
		v := term(j)
		sum += v
		if math.Abs(v) < 1e-18*math.Abs(sum) {
			break
		}
	}
	for j := mode + 1; j < mode+1e6; j++ {
		v := term(j)
		sum += v
		if math.Abs(v) < 1e-18*math.Abs(sum) || v == 0 {
			break
		}
	}
	return math.Min(math.Max(sum/2, 0), 1)
}
