package weights

import (
	"encoding/binary"
	"math"
)

// A product is rounded to float32 before it is added, by a conversion: the compiler
// may otherwise fuse the two on some processors, and the bits would differ.

func scaleAt(src []byte, at int) float32 { return half(binary.LittleEndian.Uint16(src[at:])) }

func putScale(dst []byte, at int, x float32) {
	binary.LittleEndian.PutUint16(dst[at:], FloatF16.Encode(x))
}

// inverse returns 1/d, or 0 where the reciprocal is not a finite number.
func inverse(d float32) float32 {
	if r := 1 / d; d != 0 && !math.IsInf(float64(r), 0) {
		return r
	}
	return 0
}

func decodeQ80(dst []float32, src []byte) {
	d := scaleAt(src, 0)
	for i, q := range src[2:34] {
		dst[i] = float32(int8(q)) * d
	}
}

func encodeQ80(dst []byte, src []float32) {
	top := float32(0)
	for _, x := range src {
		top = max(top, abs(x))
	}
	d := top / 127
	r := inverse(d)
	putScale(dst, 0, d)
	for i, x := range src {
		dst[2+i] = byte(int8(math.Round(float64(x * r)))) // half away from zero
	}
}

func abs(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }

func decodeQ40(dst []float32, src []byte) {
	d := scaleAt(src, 0)
	for i, q := range src[2:18] {
		dst[i] = d * float32(int(q&15)-8)
		dst[i+16] = d * float32(int(q>>4)-8)
	}
}

func encodeQ40(dst []byte, src []float32) {
	d, r := signedScale(src, 8)
	putScale(dst, 0, d)
	for i := range 16 {
		dst[2+i] = code(float32(src[i]*r), 8.5, 15) | code(float32(src[i+16]*r), 8.5, 15)<<4
	}
}

// signedScale returns the scale whose lowest code means the element of the
// largest magnitude, with its sign, and its inverse.
func signedScale(src []float32, levels float32) (d, r float32) {
	top := src[0]
	for _, x := range src {
		if abs(x) > abs(top) {
			top = x
		}
	}
	d = top / -levels
	return d, inverse(d)
}

func code(x, shift float32, top int) byte { return byte(min(top, max(0, int(x+shift)))) }

func decodeQ41(dst []float32, src []byte) {
	d, m := scaleAt(src, 0), scaleAt(src, 2)
	for i, q := range src[4:20] {
		dst[i] = float32(d*float32(q&15)) + m
		dst[i+16] = float32(d*float32(q>>4)) + m
	}
}

func encodeQ41(dst []byte, src []float32) {
	low, d, r := spanScale(src, 15)
	putScale(dst, 0, d)
	putScale(dst, 2, low)
	for i := range 16 {
		dst[4+i] = code(float32((src[i]-low)*r), .5, 15) | code(float32((src[i+16]-low)*r), .5, 15)<<4
	}
}

// spanScale returns the lowest element, the scale that spreads the codes from there
// to the highest, and its inverse.
func spanScale(src []float32, levels float32) (low, d, r float32) {
	low, high := src[0], src[0]
	for _, x := range src {
		low, high = min(low, x), max(high, x)
	}
	d = (high - low) / levels
	return low, d, inverse(d)
}

func decodeQ50(dst []float32, src []byte) {
	d, high := scaleAt(src, 0), binary.LittleEndian.Uint32(src[2:])
	for i, q := range src[6:22] {
		dst[i] = d * float32(int(q&15|byte(high>>i&1)<<4)-16)
		dst[i+16] = d * float32(int(q>>4|byte(high>>(i+16)&1)<<4)-16)
	}
}

func encodeQ50(dst []byte, src []float32) {
	d, r := signedScale(src, 16)
	putScale(dst, 0, d)
	put5(dst[2:], func(i int) byte { return code(float32(src[i]*r), 16.5, 31) })
}

// put5 stores 32 codes of 5 bits: the fifth bits first, then the rest in pairs.
func put5(dst []byte, at func(i int) byte) {
	high := uint32(0)
	for i := range 16 {
		a, b := at(i), at(i+16)
		high |= uint32(a>>4)<<i | uint32(b>>4)<<(i+16)
		dst[4+i] = a&15 | b<<4
	}
	binary.LittleEndian.PutUint32(dst, high)
}

func decodeQ51(dst []float32, src []byte) {
	d, m, high := scaleAt(src, 0), scaleAt(src, 2), binary.LittleEndian.Uint32(src[4:])
	for i, q := range src[8:24] {
		dst[i] = float32(d*float32(q&15|byte(high>>i&1)<<4)) + m
		dst[i+16] = float32(d*float32(q>>4|byte(high>>(i+16)&1)<<4)) + m
	}
}

func encodeQ51(dst []byte, src []float32) {
	low, d, r := spanScale(src, 31)
	putScale(dst, 0, d)
	putScale(dst, 2, low)
	put5(dst[4:], func(i int) byte { return code(float32((src[i]-low)*r), .5, 31) })
}

// iq4 are the levels of IQ4_NL: closer together near zero, where most weights are.
var iq4 = [16]float32{-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113}

func decodeIQ4NL(dst []float32, src []byte) {
	d := scaleAt(src, 0)
	for i, q := range src[2:18] {
		dst[i] = d * iq4[q&15]
		dst[i+16] = d * iq4[q>>4]
	}
}
