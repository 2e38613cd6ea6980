package dist

import "math"

// KolmogorovSF is the limit law of the Kolmogorov-Smirnov statistic,
// P(√n D > z) for n to infinity: 2 Σ (-1)^(k-1) exp(-2k²z²). Below z = 1 the
// theta-function form converges faster.
func KolmogorovSF(z float64) float64 {
	switch {
	case math.IsNaN(z):
		return math.NaN()
	case z <= 0:
		return 1
	case z < 1:
		sum := 0.0
		for k := 1.0; k <= 19; k += 2 {
			sum += math.Exp(-k * k * math.Pi * math.Pi / (8 * z * z))
		}
		return 1 - math.Sqrt(2*math.Pi)/z*sum
	}
	sum, sign := 0.0, 1.0
	for k := 1.0; k <= 20; k++ {
		sum += sign * math.Exp(-2*k*k*z*z)
		sign = -sign
	}
	return 2 * sum
}

// KSTwoSampleSF is the exact P(D >= d) of the two-sample statistic for samples
// of m and n without ties: the share of lattice paths from (0, 0) to (m, n)
// that touch |i/m - j/n| >= d. Time O(mn), no subtraction.
func KSTwoSampleSF(m, n int, d float64) float64 {
	if m < 1 || n < 1 || math.IsNaN(d) {
		return math.NaN()
	}
	// d is a multiple of 1/lcm(m, n): half a step of slack makes the comparison
	// safe against the rounding of the statistic.
	edge := d - 0.25/(float64(m)*float64(n))
	outside := func(i, j int) bool {
		return math.Abs(float64(i)/float64(m)-float64(j)/float64(n)) >= edge
	}
	row := make([]float64, n+1) // row[j]: P(a random path to (i, j) has been outside)
	for i := 0; i <= m; i++ {
		for j := 0; j <= n; j++ {
			switch {
			case outside(i, j):
				row[j] = 1
			case i+j == 0:
				row[j] = 0
			case j == 0:
				// the only way here is along the edge: row[0] of the line before stays
			case i == 0:
				row[j] = row[j-1]
			default:
				row[j] = (float64(i)*row[j] + float64(j)*row[j-1]) / float64(i+j)
			}
		}
	}
	return row[n]
}

// KSOneSampleSF is P(D_n > d) of the two-sided one-sample statistic, chosen by
// region as in Simard and L'Ecuyer, "Computing the Two-Sided
// Kolmogorov-Smirnov Distribution" (J. Stat. Softw. 39(11), 2011): exact where
// that is affordable, within about 1e-7 of it elsewhere.
func KSOneSampleSF(n int, d float64) float64 {
	nd := float64(n) * d
	nd2 := nd * d
	switch {
	case n < 1 || math.IsNaN(d):
		return math.NaN()
	case d >= 1:
		return 0
	case nd <= 0.5:
		return 1
	case nd <= 1:
		lg, _ := math.Lgamma(float64(n) + 1)
		return 1 - math.Exp(lg+float64(n)*math.Log((2*nd-1)/float64(n)))
	case d >= 0.5, n <= 140 && nd2 > 4, n > 140 && nd2 >= 2.2:
		// Both one-sided events at once are impossible (d >= 1/2) or negligible.
		return math.Min(1, 2*smirnovSF(n, d))
	case n <= 140, n <= 100_000 && nd*math.Sqrt(d) <= 1.4:
		return 1 - durbinCDF(n, d)
	}
	return 1 - pelzGoodCDF(n, d)
}

// smirnovSF is P(D_n+ > d) of the one-sided statistic (Birnbaum and Tingey,
// 1951), a sum of positive terms.
func smirnovSF(n int, d float64) float64 {
	nf := float64(n)
	sum := math.Exp(nf * math.Log1p(-d)) // j = 0
	for j := 1; j <= int(math.Floor(nf*(1-d))); j++ {
		jf := float64(j)
		rest := 1 - d - jf/nf
		if rest <= 0 {
			if j == n {
				rest = 0
			} else {
				continue
			}
		}
		l := logChoose(nf, jf) + math.Log(d) + (jf-1)*math.Log(d+jf/nf)
		if j < n {
			l += (nf - jf) * math.Log(rest)
		}
		sum += math.Exp(l)
	}
	return sum
}

// durbinCDF is P(D_n < d) by Durbin's matrix formula as arranged by Marsaglia,
// Tsang and Wang, "Evaluating Kolmogorov's Distribution" (J. Stat. Softw.
// 8(18), 2003): the middle entry of n!/n^n Hⁿ.
func durbinCDF(n int, d float64) float64 {
	nd := float64(n) * d
	k := int(math.Ceil(nd))
	h := float64(k) - nd
	m := 2*k - 1
	H := make([][]float64, m)
	for i := range H {
		H[i] = make([]float64, m)
		for j := range H[i] {
			if i-j+1 >= 0 {
				H[i][j] = 1
			}
		}
	}
	for i := range m {
		H[i][0] -= math.Pow(h, float64(i+1))
		H[m-1][i] -= math.Pow(h, float64(m-i))
	}
	if 2*h > 1 {
		H[m-1][0] += math.Pow(2*h-1, float64(m))
	}
	for i := range H {
		for j := range H[i] {
			for g := 2; g <= i-j+1; g++ {
				H[i][j] /= float64(g)
			}
		}
	}
	power, exp := matrixPower(H, n)
	p := power[k-1][k-1]
	for i := 1; i <= n; i++ {
		p *= float64(i) / float64(n)
		if p < 0x1p-500 {
			p *= 0x1p500
			exp -= 500
		}
	}
	return math.Ldexp(p, exp)
}

// matrixPower returns Aⁿ as a matrix and a power of two that scales it.
func matrixPower(a [][]float64, n int) ([][]float64, int) {
	if n == 1 {
		return a, 0
	}
	half, exp := matrixPower(a, n/2)
	out := multiply(half, half)
	exp *= 2
	if n%2 == 1 {
		out = multiply(out, a)
	}
	if c := len(out) / 2; out[c][c] > 0x1p400 {
		for i := range out {
			for j := range out[i] {
				out[i][j] *= 0x1p-400
			}
		}
		exp += 400
	}
	return out, exp
}

func multiply(a, b [][]float64) [][]float64 {
	out := make([][]float64, len(a))
	for i := range a {
		out[i] = make([]float64, len(b))
		for k, v := range a[i] {
			for j, w := range b[k] {
				out[i][j] += v * w
			}
		}
	}
	return out
}

// pelzGoodCDF is the expansion of P(D_n < d) in powers of 1/√n by Pelz and
// Good, "Approximating the Lower Tail-areas of the Kolmogorov-Smirnov
// One-sample Statistic" (J. R. Stat. Soc. B 38, 1976).
func pelzGoodCDF(n int, d float64) float64 {
	z := math.Sqrt(float64(n)) * d
	z2, z4, z6, z8 := z*z, z*z*z*z, math.Pow(z, 6), math.Pow(z, 8)
	pi2 := math.Pi * math.Pi
	pi4, pi6 := pi2*pi2, pi2*pi2*pi2
	var k0, k1, k2, k3 float64
	for k := 1.0; k <= 2*math.Ceil(16*z/math.Pi)+1; k += 2 { // odd k
		q := math.Exp(-k * k * pi2 / (8 * z2))
		m2, m4, m6 := k*k, math.Pow(k, 4), math.Pow(k, 6)
		k0 += q
		k1 += q * (pi2/4*m2 - z2)
		k2 += q * (6*z6 + 2*z4 + (2*z4-5*z2)*pi2/4*m2 + pi4*(1-2*z2)/16*m4)
		k3 += q * (-30*z6 - 90*z8 + pi2*(135*z4-96*z6)/4*m2 + pi4*(212*z4-60*z2)/16*m4 + pi6*(5-30*z2)/64*m6)
	}
	k0 /= z
	k1 /= 6 * z4
	k2 /= 72 * math.Pow(z, 7)
	k3 /= 6480 * math.Pow(z, 10)
	for k := 1.0; k <= math.Ceil(16*z/math.Pi); k++ {
		q := k * k * math.Exp(-k*k*pi2/(2*z2))
		k2 -= q * pi2 / (36 * z * z2)
		k3 += q * pi2 * (3*z2 - pi2*k*k) / (216 * z6)
	}
	s := 1 / math.Sqrt(float64(n))
	return math.Sqrt(2*math.Pi) * (k0 + s*(k1+s*(k2+s*k3)))
}
