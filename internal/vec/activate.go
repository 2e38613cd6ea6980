package vec

import "math"

// AddRows adds Σ w[i]·row i of rows to dst, whose length is a row's: the weighted sum
// of attention. It panics if rows is shorter than len(w) rows.
func AddRows(dst, w, rows []float32) {
	rows = rows[:len(w)*len(dst)]
	wide := len(dst) &^ 7
	if !addRowsFast(dst, w, rows, wide) {
		wide = 0
	}
	if wide == len(dst) {
		return
	}
	for i, s := range w {
		row := rows[i*len(dst):][:len(dst)]
		for j := wide; j < len(dst); j++ {
			dst[j] += s * row[j]
		}
	}
}

// ExpSum sets dst[i] to e^(x[i]-shift) and returns the sum. An element is within
// 3·10^-7 of its value, relatively, for x[i]-shift from -87 to 88; below, it is about
// 10^-38, above, 10^38. dst may be x.
func ExpSum(dst, x []float32, shift float32) float32 {
	dst = dst[:len(x)]
	sum, done := expSumFast(dst, x, shift)
	for i := done; i < len(x); i++ {
		dst[i] = expGo(x[i] - shift)
		sum += dst[i]
	}
	return sum
}

// SwiGLU sets dst[i] to gate[i]/(1+e^-gate[i])·up[i]. dst may be gate or up.
func SwiGLU(dst, gate, up []float32) {
	dst, up = dst[:len(gate)], up[:len(gate)]
	for i := swigluFast(dst, gate, up); i < len(gate); i++ {
		dst[i] = gate[i] / (1 + expGo(-gate[i])) * up[i]
	}
}

// GELU sets dst[i] to x[i]·Φ(x[i]), where Φ is the normal distribution: the form with erf,
// within 3·10^-7·(1+|x[i]|). dst may be x.
//
// Source: Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016.
func GELU(dst, x []float32) {
	dst = dst[:len(x)]
	for i := geluFast(dst, x); i < len(x); i++ {
		dst[i] = geluGo(x[i])
	}
}

// geluGo takes Φ(-|x|) from the rational approximation 7.1.26 of Abramowitz and Stegun,
// whose coefficients are halved here.
func geluGo(x float32) float32 {
	a := max(x, -x)
	t := 1 / (1 + .3275911/math.Sqrt2*a)
	p := float32(.5307027145)
	for _, c := range [...]float32{-.7265760135, .7107068705, -.142248368, .127414796} {
		p = float32(p*t) + c
	}
	return max(x, 0) - float32(p*t)*float32(a*expGo(-.5*x*x))
}

// expGo is e^x: x = n·ln 2 + r, e^r by a polynomial of Cephes' expf, times 2^n.
func expGo(x float32) float32 {
	x = min(88, max(-87, x))
	n := float32(math.RoundToEven(float64(x * math.Log2E)))
	r := x - float32(n*0.693359375)
	r -= float32(n * -2.12194440e-4)
	p := float32(1.9875691500e-4)
	for _, c := range [...]float32{1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1} {
		p = float32(p*r) + c
	}
	y := float32(float32(p*r)*r) + r + 1
	return math.Float32frombits(uint32(int32(math.Float32bits(y)) + int32(n)<<23))
}
