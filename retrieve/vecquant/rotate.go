package vecquant

import (
	"math"
	"math/rand/v2"

	"github.com/prodailabs/prodai/internal/vec"
	"github.com/prodailabs/prodai/retrieve/internal/kmeans"
)

// rotate learns x.rotation and codebooks for it, and returns the rows of data in
// the rotated space. It alternates: codebooks for the rotation, then the rotation
// that brings the data nearest to the vectors that the codes represent.
func (x *Product) rotate(data []float32, rng *rand.Rand) []float32 {
	d := x.dim
	x.rotation = make([]float32, d*d)
	for i := range d {
		x.rotation[i*d+i] = 1
	}
	rotated := append([]float32(nil), data...)
	x.train(rotated, roundsPerRotate, rng)
	correlation := make([]float64, d*d)
	for range rotationRounds {
		clear(correlation)
		for i := 0; i < len(data); i += d {
			v, target := data[i:][:d], x.reconstruct(rotated[i:][:d])
			for a, t := range target {
				row := correlation[a*d:][:d]
				for b, e := range v {
					row[b] += float64(t) * float64(e)
				}
			}
		}
		x.rotation = orthogonal(correlation, d)
		for i := 0; i < len(data); i += d {
			copy(rotated[i:], x.rotated(data[i:][:d]))
		}
		x.train(rotated, roundsPerRotate, nil)
	}
	return rotated
}

// reconstruct returns the vector that the code of a vector of the rotated space
// represents.
func (x *Product) reconstruct(v []float32) []float32 {
	distances := make([]float32, x.entries)
	out := make([]float32, 0, x.dim)
	for p := range x.parts {
		book := x.codebook(p)
		vec.L2Rows(v[p*x.sub:][:x.sub], book, distances)
		out = append(out, book[kmeans.Least(distances)*x.sub:][:x.sub]...)
	}
	return out
}

// orthogonal returns the orthogonal matrix R with the largest Σ R[i][j]·a[i][j]:
// U·Vᵀ of the singular value decomposition U·S·Vᵀ of a (the Procrustes problem). It
// rotates pairs of columns until all are at right angles (one-sided Jacobi).
func orthogonal(a []float64, d int) []float32 {
	// Columns are rows here: u[j] is column j of a·V, v[j] column j of V.
	u, v := make([][]float64, d), make([][]float64, d)
	for j := range d {
		u[j], v[j] = make([]float64, d), make([]float64, d)
		v[j][j] = 1
		for i := range d {
			u[j][i] = a[i*d+j]
		}
	}
	for sweep, turned := 0, true; turned && sweep < 30; sweep++ {
		turned = false
		for p := range d {
			for q := p + 1; q < d; q++ {
				turned = turn(u[p], u[q], v[p], v[q]) || turned
			}
		}
	}
	normalizeColumns(u)
	out := make([]float32, d*d)
	for i := range d {
		for k := range d {
			s := 0.0
			for j := range d {
				s += u[j][i] * v[j][k]
			}
			out[i*d+k] = float32(s)
		}
	}
	return out
}

// turn rotates two columns so that they are at right angles, and reports whether
// they were not.
func turn(up, uq, vp, vq []float64) bool {
	var pp, qq, pq float64
	for i := range up {
		pp += up[i] * up[i]
		qq += uq[i] * uq[i]
		pq += up[i] * uq[i]
	}
	if math.Abs(pq) <= 1e-10*math.Sqrt(pp*qq) {
		return false
	}
	zeta := (qq - pp) / (2 * pq)
	t := math.Copysign(1/(math.Abs(zeta)+math.Sqrt(1+zeta*zeta)), zeta)
	c := 1 / math.Sqrt(1+t*t)
	s := c * t
	for i := range up {
		up[i], uq[i] = c*up[i]-s*uq[i], s*up[i]+c*uq[i]
		vp[i], vq[i] = c*vp[i]-s*vq[i], s*vp[i]+c*vq[i]
	}
	return true
}

// normalizeColumns scales columns at right angles to length 1. A column that is
// zero, compared with the longest, becomes any direction at right angles to the
// others.
func normalizeColumns(u [][]float64) {
	longest := 0.0
	norms := make([]float64, len(u))
	for j, col := range u {
		for _, e := range col {
			norms[j] += e * e
		}
		norms[j] = math.Sqrt(norms[j])
		longest = max(longest, norms[j])
	}
	var done [][]float64
	var zero []int
	for j, col := range u {
		if norms[j] <= 1e-9*longest || norms[j] == 0 {
			zero = append(zero, j)
			continue
		}
		for i := range col {
			col[i] /= norms[j]
		}
		done = append(done, col)
	}
	axis := 0
	for _, j := range zero {
		for ; ; axis++ {
			free := make([]float64, len(u))
			free[axis] = 1
			if rest := removeFrom(free, done); rest > 0.5/math.Sqrt(float64(len(u))) {
				copy(u[j], free)
				done = append(done, u[j])
				axis++
				break
			}
		}
	}
}

// removeFrom removes the directions of done from v, scales v to length 1, and
// returns its length before the scaling.
func removeFrom(v []float64, done [][]float64) float64 {
	for range 2 { // the second time because of rounding errors
		for _, d := range done {
			s := 0.0
			for i := range v {
				s += v[i] * d[i]
			}
			for i := range v {
				v[i] -= s * d[i]
			}
		}
	}
	norm := 0.0
	for _, e := range v {
		norm += e * e
	}
	norm = math.Sqrt(norm)
	for i := range v {
		v[i] /= norm
	}
	return norm
}
