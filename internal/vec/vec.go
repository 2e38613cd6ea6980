package vec

import "math"

// Dot returns Σ a[i]·b[i] over the elements of a. It panics if b is shorter.
func Dot(a, b []float32) float32 {
	var out [1]float32
	dotMany(a, b[:len(a)], nil, out[:])
	return out[0]
}

// L2 returns the squared Euclidean distance Σ (a[i]-b[i])² over the elements of
// a. It panics if b is shorter.
func L2(a, b []float32) float32 {
	var out [1]float32
	l2Many(a, b[:len(a)], nil, out[:])
	return out[0]
}

// DotInt8 returns Σ a[i]·b[i] over the elements of a, exactly, for up to 131,071
// elements: more may overflow. It panics if b is shorter.
func DotInt8(a, b []int8) int32 {
	var out [1]int32
	dotInt8Many(a, b[:len(a)], nil, out[:])
	return out[0]
}

// Hamming returns the number of bits that differ between a and the bytes of b at
// the same places. It panics if b is shorter.
func Hamming(a, b []byte) int32 {
	var out [1]int32
	hammingMany(a, b[:len(a)], nil, out[:])
	return out[0]
}

// block is how much of a row-after-row scan one call of a kernel does, in
// elements: the runtime can't interrupt assembly, so a call must be short.
const block = 1 << 16

// rowsAtOnce returns how many rows of dim elements one kernel call does.
func rowsAtOnce(dim int) int { return max(1, block/max(1, dim)) }

// DotRows sets out[i] to the dot product of q and row i of rows, each of which
// has len(q) elements. It panics if rows is shorter than len(out) rows.
func DotRows(q, rows, out []float32) { inBlocks(q, rows, out, dotMany) }

// L2Rows is DotRows for the squared Euclidean distance.
func L2Rows(q, rows, out []float32) { inBlocks(q, rows, out, l2Many) }

// DotInt8Rows is DotRows for int8 elements.
func DotInt8Rows(q, rows []int8, out []int32) { inBlocks(q, rows, out, dotInt8Many) }

// HammingRows is DotRows for the number of different bits.
func HammingRows(q, rows []byte, out []int32) { inBlocks(q, rows, out, hammingMany) }

func inBlocks[T, S any](q, rows []T, out []S, many func(q, rows []T, ids []uint32, out []S)) {
	rows = rows[:len(q)*len(out)]
	step := rowsAtOnce(len(q))
	for len(out) > 0 {
		n := min(step, len(out))
		many(q, rows[:n*len(q)], nil, out[:n])
		rows, out = rows[n*len(q):], out[n:]
	}
}

// DotAt sets out[i] to the dot product of q and row ids[i] of rows, each of which
// has len(q) elements. It panics if out is shorter than ids, or a row is beyond
// the end of rows.
func DotAt(q, rows []float32, ids []uint32, out []float32) {
	if len(ids) > 0 {
		checkIDs(len(q), len(rows), ids)
		dotMany(q, rows, ids, out[:len(ids)])
	}
}

// L2At is DotAt for the squared Euclidean distance.
func L2At(q, rows []float32, ids []uint32, out []float32) {
	if len(ids) > 0 {
		checkIDs(len(q), len(rows), ids)
		l2Many(q, rows, ids, out[:len(ids)])
	}
}

// DotInt8At is DotAt for int8 elements.
func DotInt8At(q, rows []int8, ids []uint32, out []int32) {
	if len(ids) > 0 {
		checkIDs(len(q), len(rows), ids)
		dotInt8Many(q, rows, ids, out[:len(ids)])
	}
}

// HammingAt is DotAt for the number of different bits.
func HammingAt(q, rows []byte, ids []uint32, out []int32) {
	if len(ids) > 0 {
		checkIDs(len(q), len(rows), ids)
		hammingMany(q, rows, ids, out[:len(ids)])
	}
}

// checkIDs panics if a row is not in rows: assembly would read beyond the slice.
func checkIDs(dim, elements int, ids []uint32) {
	last := uint32(0)
	for _, id := range ids {
		last = max(last, id)
	}
	if (int(last)+1)*dim > elements {
		panic("vec: a row number is beyond the last row")
	}
}

// DotFloatInt8Rows sets out[i] to Σ q[j]·rows[i·len(q)+j], with the bound of [Dot].
// It panics if rows is shorter than len(out) rows.
func DotFloatInt8Rows(q []float32, rows []int8, out []float32) {
	rows = rows[:len(q)*len(out)]
	step := rowsAtOnce(len(q))
	for len(out) > 0 {
		n := min(step, len(out))
		dotFloatInt8Many(q, rows[:n*len(q)], out[:n])
		rows, out = rows[n*len(q):], out[n:]
	}
}

// Norm returns the Euclidean length of v, computed in float64, so that it neither
// overflows nor vanishes for a finite v.
func Norm(v []float32) float64 {
	var s0, s1, s2, s3 float64
	i := 0
	for ; i+4 <= len(v); i += 4 {
		a, b, c, d := float64(v[i]), float64(v[i+1]), float64(v[i+2]), float64(v[i+3])
		s0 += a * a
		s1 += b * b
		s2 += c * c
		s3 += d * d
	}
	for _, x := range v[i:] {
		s0 += float64(x) * float64(x)
	}
	return math.Sqrt((s0 + s1) + (s2 + s3))
}

// Unit sets dst to v scaled to length 1 and reports whether it could: a zero
// vector has no direction, and stays zero. dst may be v.
func Unit(dst, v []float32) bool {
	norm := Norm(v)
	if norm == 0 {
		clear(dst[:len(v)])
		return false
	}
	for i, x := range v {
		dst[i] = float32(float64(x) / norm)
	}
	return true
}

// Cosine returns the cosine of the angle between a and b, 0 if one of them is
// zero. It panics if b is shorter than a.
func Cosine(a, b []float32) float32 {
	b = b[:len(a)]
	var ab, aa, bb float64
	for i, x := range a {
		ab += float64(x) * float64(b[i])
		aa += float64(x) * float64(x)
		bb += float64(b[i]) * float64(b[i])
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return float32(ab / math.Sqrt(aa) / math.Sqrt(bb))
}

// QuantizeInt8 sets dst to the 8-bit code of a finite v and returns its scale, so that
// v[i] is about scale·dst[i]: scale = max|v[i]|/127, dst[i] = v[i]/scale, rounded to
// the nearest, ties to even.
func QuantizeInt8(dst []int8, v []float32) (scale float32) {
	var top float32
	for _, e := range v {
		top = max(top, float32(math.Abs(float64(e))))
	}
	if scale = top / 127; scale == 0 { // zero, or so small that its 127th part is
		clear(dst[:len(v)])
		return 0
	}
	for i, e := range v {
		// A subnormal scale may be a little too small.
		dst[i] = int8(max(-127, min(127, math.RoundToEven(float64(e/scale)))))
	}
	return scale
}
