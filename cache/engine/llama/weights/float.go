package weights

import (
	"math"
)

// A Float is a narrow floating-point format: 1 bit of sign, some bits of
// exponent, some of mantissa.
type Float uint32

// The formats. E4M3FN, E5M2 and E4M3FNUZ have 8 bits, E2M1 has 4.
const (
	FloatF16      Float = iota + 1 // IEEE 754 half: 5 bits of exponent, 10 of mantissa
	FloatBF16                      // the upper half of a float32: 8 and 7
	FloatE4M3FN                    // 4 and 3, no infinity: what overflows becomes NaN
	FloatE4M3Sat                   // the same codes: what overflows becomes ±448, infinities too
	FloatE5M2                      // 5 and 2, with infinities
	FloatE4M3FNUZ                  // 4 and 3, bias 8, no infinity and no -0: 0x80 is NaN
	FloatE2M1                      // 2 and 1: ±0, .5, 1, 1.5, 2, 3, 4, 6; what overflows becomes ±6
)

// layout is what sets the formats apart.
type layout struct {
	exponent, mantissa, bias int
	top                      float64 // the largest finite number
	infinity, nan            uint16  // codes without the sign; infinity 0: none
	saturate                 bool
}

var layouts = [...]layout{
	FloatF16:      {5, 10, 15, 65504, 0x7c00, 0x7e00, false},
	FloatBF16:     {8, 7, 127, 0x1.fep127, 0x7f80, 0x7fc0, false},
	FloatE4M3FN:   {4, 3, 7, 448, 0, 0x7f, false},
	FloatE4M3Sat:  {4, 3, 7, 448, 0, 0x7f, true},
	FloatE5M2:     {5, 2, 15, 57344, 0x7c, 0x7e, false},
	FloatE4M3FNUZ: {4, 3, 8, 240, 0, 0x80, false},
	FloatE2M1:     {2, 1, 1, 6, 0, 0, true},
}

// Encode returns the code of the format's number that is nearest to x, the one
// with an even mantissa if two are. NaN in E2M1, which has no NaN, becomes 0. An
// unknown format gives 0.
func (f Float) Encode(x float32) uint16 {
	if f == 0 || int(f) >= len(layouts) {
		return 0
	}
	l := layouts[f]
	sign := uint16(0)
	if math.Signbit(float64(x)) {
		sign = 1 << (l.exponent + l.mantissa)
	}
	a := math.Abs(float64(x))
	if a != a {
		if f == FloatE4M3FNUZ {
			return l.nan
		}
		return sign | l.nan
	}
	lowest := 1 - l.bias // the exponent of the smallest normal number
	if !math.IsInf(a, 0) {
		_, e := math.Frexp(a)
		step := math.Ldexp(1, max(e-1, lowest)-l.mantissa)
		a = math.RoundToEven(a/step) * step
	}
	switch {
	case a > l.top && l.saturate:
		a = l.top
	case a > l.top && l.infinity != 0:
		return sign | l.infinity
	case a > l.top && f == FloatE4M3FNUZ:
		return l.nan
	case a > l.top:
		return sign | l.nan
	case a == 0 && f == FloatE4M3FNUZ:
		return 0
	}
	if a < math.Ldexp(1, lowest) { // subnormal, and 0
		return sign | uint16(math.Ldexp(a, l.mantissa-lowest))
	}
	m, e := math.Frexp(a) // a = m·2^e, m in [.5, 1)
	return sign | uint16(e-1+l.bias)<<l.mantissa | uint16(math.Ldexp(2*m-1, l.mantissa))
}

// Decode returns the number of a code; bits beyond the format's are ignored. An
// unknown format gives NaN.
func (f Float) Decode(code uint16) float32 {
	if f == 0 || int(f) >= len(layouts) {
		return float32(math.NaN())
	}
	l := layouts[f]
	e := int(code>>l.mantissa) & (1<<l.exponent - 1)
	m := int(code) & (1<<l.mantissa - 1)
	bits := code & (1<<(l.exponent+l.mantissa) - 1)
	negative := code>>(l.exponent+l.mantissa)&1 == 1
	var v float64
	switch {
	case f == FloatE4M3FNUZ && negative && bits == 0:
		return float32(math.NaN())
	case l.infinity != 0 && bits == l.infinity:
		v = math.Inf(1)
	case l.infinity != 0 && bits > l.infinity, l.infinity == 0 && l.nan != 0 && bits == l.nan:
		v = math.NaN()
	case e == 0:
		v = math.Ldexp(float64(m), 1-l.bias-l.mantissa)
	default:
		v = math.Ldexp(float64(m|1<<l.mantissa), e-l.bias-l.mantissa)
	}
	if negative {
		v = -v
	}
	return float32(v)
}

// half is FloatF16.Decode, fast: every block of weights begins with one.
func half(h uint16) float32 {
	sign, e, m := uint32(h&0x8000)<<16, uint32(h>>10&31), uint32(h&0x3ff)
	switch e {
	case 0:
		v := float32(m) * 0x1p-24
		return math.Float32frombits(math.Float32bits(v) | sign)
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | m<<13)
	}
	return math.Float32frombits(sign | (e+112)<<23 | m<<13)
}
