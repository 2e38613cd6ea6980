package tune

import (
	"math"
	"runtime"
	"sync"
)

// parallel calls f for the two halves of 0 to n. Each call must write only what
// belongs to its half, so that the result doesn't depend on the number of processors.
func parallel(n int, f func(from, to int)) {
	if n < 2 || runtime.GOMAXPROCS(0) < 2 {
		f(0, n)
		return
	}
	var wg sync.WaitGroup
	wg.Go(func() { f(0, n/2) })
	f(n/2, n)
	wg.Wait()
}

// dotRows sets out[i] to the dot product of q and row i. Four rows at a time: the
// processor adds them side by side.
func dotRows(out, q, rows []float32) {
	d := len(q)
	i := 0
	for ; i+4 <= len(out); i += 4 {
		a, b := rows[i*d:][:len(q)], rows[(i+1)*d:][:len(q)]
		c, e := rows[(i+2)*d:][:len(q)], rows[(i+3)*d:][:len(q)]
		var s0, s1, s2, s3 float32
		for k, x := range q {
			s0 += x * a[k]
			s1 += x * b[k]
			s2 += x * c[k]
			s3 += x * e[k]
		}
		out[i], out[i+1], out[i+2], out[i+3] = s0, s1, s2, s3
	}
	for ; i < len(out); i++ {
		out[i] = dot(q, rows[i*d:])
	}
}

// sumRows sets out to the sum of the rows, each times its weight.
func sumRows(out, weights, rows []float32) {
	clear(out)
	d := len(out)
	i := 0
	for ; i+4 <= len(weights); i += 4 {
		w := weights[i:][:4]
		a, b := rows[i*d:][:len(out)], rows[(i+1)*d:][:len(out)]
		c, e := rows[(i+2)*d:][:len(out)], rows[(i+3)*d:][:len(out)]
		for k := range out {
			out[k] += w[0]*a[k] + w[1]*b[k] + w[2]*c[k] + w[3]*e[k]
		}
	}
	for ; i < len(weights); i++ {
		axpy(out, weights[i], rows[i*d:])
	}
}

// axpy adds w x row to v.
func axpy(v []float32, w float32, row []float32) {
	row = row[:len(v)]
	for k := range v {
		v[k] += w * row[k]
	}
}

func dot(a, b []float32) float32 {
	b = b[:len(a)]
	var sum float32
	for k := range a {
		sum += a[k] * b[k]
	}
	return sum
}

// normalize scales v to length 1, unless it is zero, and returns its length.
func normalize(v []float32) float32 {
	length := float32(math.Sqrt(float64(dot(v, v))))
	if length == 0 {
		return 0
	}
	for k := range v {
		v[k] /= length
	}
	return length
}
