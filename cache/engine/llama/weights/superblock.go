package weights

// The K-types: 256 elements in parts of 16 or 32, each part with a small scale.

func decodeQ2K(dst []float32, src []byte) {
	scales, q := src[:16], src[16:80]
	d, dmin := scaleAt(src, 80), scaleAt(src, 82)
	for i := range dst {
		half, bit, lane := i>>7, i>>5&3, i&31 // 32 bytes hold 4 runs of 32 elements
		s := scales[i>>4]
		low := d * float32(s&15)
		off := dmin * float32(s>>4)
		dst[i] = float32(low*float32(q[half<<5|lane]>>(2*bit)&3)) - off
	}
}

func decodeQ3K(dst []float32, src []byte) {
	high, q, packed := src[:32], src[32:96], src[96:108]
	d := scaleAt(src, 108)
	for i := range dst {
		part := i >> 4
		s := packed[part&7] >> (4 * (part >> 3)) & 15
		s |= packed[8+part&3] >> (2 * (part >> 2)) & 3 << 4
		half, bit, lane := i>>7, i>>5&3, i&31
		v := int(q[half<<5|lane] >> (2 * bit) & 3)
		if high[lane]>>(i>>5)&1 == 0 {
			v -= 4
		}
		dst[i] = float32(d*float32(int(s)-32)) * float32(v)
	}
}

// scaleMin returns the 6-bit scale and offset of part j of Q4_K and Q5_K.
func scaleMin(packed []byte, j int) (s, m byte) {
	if j < 4 {
		return packed[j] & 63, packed[j+4] & 63
	}
	return packed[j+4]&15 | packed[j-4]>>6<<4, packed[j+4]>>4 | packed[j]>>6<<4
}

func decodeQ4K(dst []float32, src []byte) {
	d, dmin := scaleAt(src, 0), scaleAt(src, 2)
	for j := range 8 {
		s, m := scaleMin(src[4:16], j)
		scale, off := d*float32(s), dmin*float32(m)
		q := src[16+j/2*32:][:32]
		for i, b := range q {
			dst[32*j+i] = float32(scale*float32(b>>(4*(j&1))&15)) - off
		}
	}
}

func decodeQ5K(dst []float32, src []byte) {
	d, dmin := scaleAt(src, 0), scaleAt(src, 2)
	high := src[16:48]
	for j := range 8 {
		s, m := scaleMin(src[4:16], j)
		scale, off := d*float32(s), dmin*float32(m)
		q := src[48+j/2*32:][:32]
		for i, b := range q {
			v := b>>(4*(j&1))&15 | high[i]>>j&1<<4
			dst[32*j+i] = float32(scale*float32(v)) - off
		}
	}
}

func decodeQ6K(dst []float32, src []byte) {
	low, high, scales := src[:128], src[128:192], src[192:208]
	d := scaleAt(src, 208)
	for i := range dst {
		half, run, lane := i>>7, i>>5&3, i&31
		v := low[half<<6|(run&1)<<5|lane] >> (4 * (run >> 1)) & 15
		v |= high[half<<5|lane] >> (2 * run) & 3 << 4
		dst[i] = float32(d*float32(int8(scales[i>>4]))) * float32(int(v)-32)
	}
}
