package vec

import (
	"encoding/binary"
	"math/bits"
)

// The reference kernels. Four sums run side by side, since each addition waits
// for the one before it.

func dotGo(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	b = b[:len(a)]
	for ; len(a) >= 4 && len(b) >= 4; a, b = a[4:], b[4:] {
		s0 += a[0] * b[0]
		s1 += a[1] * b[1]
		s2 += a[2] * b[2]
		s3 += a[3] * b[3]
	}
	for i := range a {
		s0 += a[i] * b[i]
	}
	return (s0 + s1) + (s2 + s3)
}

func l2Go(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	b = b[:len(a)]
	for ; len(a) >= 4 && len(b) >= 4; a, b = a[4:], b[4:] {
		d0, d1, d2, d3 := a[0]-b[0], a[1]-b[1], a[2]-b[2], a[3]-b[3]
		s0 += d0 * d0
		s1 += d1 * d1
		s2 += d2 * d2
		s3 += d3 * d3
	}
	for i := range a {
		d := a[i] - b[i]
		s0 += d * d
	}
	return (s0 + s1) + (s2 + s3)
}

func dotInt8Go(a, b []int8) int32 {
	var s0, s1, s2, s3 int32
	b = b[:len(a)]
	for ; len(a) >= 4 && len(b) >= 4; a, b = a[4:], b[4:] {
		s0 += int32(a[0]) * int32(b[0])
		s1 += int32(a[1]) * int32(b[1])
		s2 += int32(a[2]) * int32(b[2])
		s3 += int32(a[3]) * int32(b[3])
	}
	for i := range a {
		s0 += int32(a[i]) * int32(b[i])
	}
	return s0 + s1 + s2 + s3
}

func hammingGo(a, b []byte) int32 {
	n := 0
	b = b[:len(a)]
	for ; len(a) >= 8 && len(b) >= 8; a, b = a[8:], b[8:] {
		n += bits.OnesCount64(binary.LittleEndian.Uint64(a) ^ binary.LittleEndian.Uint64(b))
	}
	for i := range a {
		n += bits.OnesCount8(a[i] ^ b[i])
	}
	return int32(n)
}

func dotFloatInt8Go(q []float32, row []int8) float32 {
	var s0, s1, s2, s3 float32
	row = row[:len(q)]
	for ; len(q) >= 4 && len(row) >= 4; q, row = q[4:], row[4:] {
		s0 += q[0] * float32(row[0])
		s1 += q[1] * float32(row[1])
		s2 += q[2] * float32(row[2])
		s3 += q[3] * float32(row[3])
	}
	for i := range q {
		s0 += q[i] * float32(row[i])
	}
	return (s0 + s1) + (s2 + s3)
}

func dotFloatInt8ManyGo(q []float32, rows []int8, out []float32) {
	for i := range out {
		out[i] = dotFloatInt8Go(q, rows[i*len(q):][:len(q)])
	}
}

// manyGo applies a kernel to row after row, or to the rows that ids names.
func manyGo[T, S any](q, rows []T, ids []uint32, out []S, one func(a, b []T) S) {
	dim := len(q)
	for i := range out {
		row := i
		if ids != nil {
			row = int(ids[i])
		}
		out[i] = one(q, rows[row*dim:][:dim])
	}
}
