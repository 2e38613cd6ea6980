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
// nc < 0 the result is good to about 1e-15 absolute. The number of terms grows with
// nc; beyond 200 the integral over the normal numerator takes their place.
func NoncentralStudentSF(t, df, nc float64) float64 {
	switch {
	case math.IsNaN(t+nc) || !(df > 0):
		return math.NaN()
	case math.IsInf(nc, 0):
		return (1 + math.Copysign(1, nc)) / 2
	case math.IsInf(t, 0):
		return (1 - math.Copysign(1, t)) / 2
	case df > nearlyNormal:
		return NormalSF(t - nc)
	case math.Abs(nc) < 1e-150: // its square vanishes
		return StudentSF(t, df)
	case t < 0:
		return 1 - NoncentralStudentSF(-t, df, -nc)
	case nc < -40: // a normal never reaches 40
		return 0
	case nc > 200:
		return farStudentSF(t, df, nc)
	}
	x, y := t*t/(df+t*t), df/(df+t*t)
	if math.IsInf(t*t, 1) {
		x, y = 1, df/t/t
	}
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

// farStudentSF is P(T > t) for a large noncentrality and t >= 0. T is (Z+nc)/S, so
// the probability is the mean over Z of P(S < (Z+nc)/t), with df S² chi-squared:
// a smooth function of Z for few degrees of freedom. For many S is nearly normal
// with the mean 1-1/(4df) and the variance 1/(2df).
func farStudentSF(t, df, nc float64) float64 {
	if df > 1e6 {
		if t > 1e150 { // t² overflows; only the ratio counts
			return NormalSF(math.Sqrt(2*df) * (1 - nc/t))
		}
		return NormalSF((t*(1-1/(4*df)) - nc) / math.Sqrt(1+t*t/(2*df)))
	}
	const step = 1.0 / 16
	sum := 0.0
	for z := -38.0; z <= 38; z += step {
		s := (nc + z) / t
		below := 1.0
		if s*s*df <= df+20*math.Sqrt(2*df)+400 { // else S is never that large
			below = ChiSquaredCDF(df*s*s, df)
		}
		sum += step * NormalPDF(z) * below
	}
	return math.Min(sum, 1)
}
