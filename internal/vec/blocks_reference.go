package vec

import "math"

func quantizeBlocksGo(x []float32, q []int8, scale []float32, bias []int32, total []float32) {
	for b := range scale {
		part, codes := x[b*BlockSize:][:BlockSize], q[b*BlockSize:][:BlockSize]
		var top float32
		for _, v := range part {
			top = max(top, math.Float32frombits(math.Float32bits(v)&^(1<<31)))
		}
		r := float32(0)
		if top > 0x1p-120 { // the inverse of less would overflow
			r = 127 / top
		}
		sum := int32(0)
		for i, v := range part {
			c := int32(math.RoundToEven(float64(v * r)))
			codes[i] = int8(c)
			sum += c
		}
		scale[b] = top * (1.0 / 127)
		bias[b] = -128 * sum
		total[b] = scale[b] * float32(sum)
	}
}

// mulBlocksGo computes n vectors, from t on, times one group of rows.
func mulBlocksGo(bits int, codes []byte, scales []uint16, x *Codes, t, n int, out []float32, stride int) {
	per := x.cols / BlockSize
	for i := range n {
		q := x.q[(t+i)*x.cols:][:x.cols]
		scale, total := x.scale[(t+i)*per:][:per], x.total[(t+i)*per:][:per]
		for lane := range groupRows {
			var sum float32
			for b := range per {
				if bits == 8 {
					dot := dotLane8(codes[b*512+lane*4:], q[b*BlockSize:][:BlockSize])
					sum += float32(dot) * float32(halfFloat(scales[b*groupRows+lane])*scale[b])
					continue
				}
				dot := dotLane4(codes[b*256+lane*4:], q[b*BlockSize:][:BlockSize])
				s := scales[b*2*groupRows:]
				sum += float32(dot) * float32(halfFloat(s[lane])*scale[b])
				sum += halfFloat(s[groupRows+lane]) * total[b]
			}
			out[i*stride+lane] = sum
		}
	}
}

func dotLane8(codes []byte, q []int8) int32 {
	var sum int32
	for j := range BlockSize / 4 {
		w, a := codes[j*64:][:4], q[j*4:][:4]
		sum += int32(int8(w[0]))*int32(a[0]) + int32(int8(w[1]))*int32(a[1]) + int32(int8(w[2]))*int32(a[2]) + int32(int8(w[3]))*int32(a[3])
	}
	return sum
}

func dotLane4(codes []byte, q []int8) int32 {
	var sum int32
	for j := range BlockSize / 8 {
		w, a, b := codes[j*64:][:4], q[j*4:][:4], q[16+j*4:][:4]
		for i := range 4 {
			sum += int32(w[i]&15)*int32(a[i]) + int32(w[i]>>4)*int32(b[i])
		}
	}
	return sum
}
