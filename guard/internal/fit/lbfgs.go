// Package fit fits linear classifiers to rows and measures them. The programs that train
// the classifiers of guard share it.
package fit

import "math"

// A Problem is weighted logistic regression with an L2 penalty.
type Problem struct {
	Rows   []Row
	Lambda float64
	Bias   int // index of the intercept, which has no penalty
	N      int
	Bounds [4]uint32 // where the groups of features end
}

// group returns the group of a feature.
func (p *Problem) group(i uint32) int {
	g := 0
	for g < 3 && i >= p.Bounds[g] {
		g++
	}
	return g
}

// A Row is an example: its features, its label and its weight.
type Row struct {
	Index  []uint32
	Value  [4]float32 // by group
	Label  float64    // 0 or 1
	Weight float64
}

func (p *Problem) margin(w []float64, r *Row) float64 {
	z := w[p.Bias]
	for _, i := range r.Index {
		z += w[i] * float64(r.Value[p.group(i)])
	}
	return z
}

// loss returns the objective at w and puts its gradient into g.
func (p *Problem) loss(w, g []float64) float64 {
	f := 0.0
	for i, v := range w {
		l := p.Lambda
		if i == p.Bias {
			l = 0
		}
		f += l * v * v / 2
		g[i] = l * v
	}
	for k := range p.Rows {
		r := &p.Rows[k]
		z := p.margin(w, r)
		prob := 1 / (1 + math.Exp(-z))
		f += r.Weight * (math.Log1p(math.Exp(-math.Abs(z))) + math.Max(z, 0) - r.Label*z)
		d := r.Weight * (prob - r.Label)
		g[p.Bias] += d
		for _, i := range r.Index {
			g[i] += d * float64(r.Value[p.group(i)])
		}
	}
	return f
}

// Minimize runs L-BFGS (Nocedal and Wright, algorithm 7.5) with a backtracking
// line search from zero. It is deterministic.
func (p *Problem) Minimize(iterations int) []float64 {
	const memory = 8
	w, g := make([]float64, p.N), make([]float64, p.N)
	f := p.loss(w, g)
	var s, y [][]float64
	var rho []float64
	next, ng := make([]float64, p.N), make([]float64, p.N)
	for it := 0; it < iterations; it++ {
		d := append([]float64(nil), g...)
		alpha := make([]float64, len(s))
		for i := len(s) - 1; i >= 0; i-- {
			alpha[i] = rho[i] * dot(s[i], d)
			axpy(-alpha[i], y[i], d)
		}
		scale := 1 / math.Max(1, math.Sqrt(dot(g, g)))
		if k := len(s); k > 0 {
			scale = 1 / (rho[k-1] * dot(y[k-1], y[k-1]))
		}
		for i := range d {
			d[i] *= scale
		}
		for i := range s {
			axpy(alpha[i]-rho[i]*dot(y[i], d), s[i], d)
		}
		slope := -dot(g, d)
		step, nf := 1.0, 0.0
		for try := 0; try < 20; try++ {
			for i := range w {
				next[i] = w[i] - step*d[i]
			}
			if nf = p.loss(next, ng); nf <= f+1e-4*step*slope {
				break
			}
			step /= 2
		}
		if !(nf < f) {
			break
		}
		ds, dy := make([]float64, p.N), make([]float64, p.N)
		for i := range w {
			ds[i], dy[i] = next[i]-w[i], ng[i]-g[i]
		}
		if c := dot(ds, dy); c > 1e-12 {
			if len(s) == memory {
				s, y, rho = s[1:], y[1:], rho[1:]
			}
			s, y, rho = append(s, ds), append(y, dy), append(rho, 1/c)
		}
		done := (f-nf)/math.Max(1, math.Abs(f)) < 1e-6
		f = nf
		copy(w, next)
		copy(g, ng)
		if done {
			break
		}
	}
	return w
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}

func axpy(a float64, x, y []float64) {
	for i, v := range x {
		y[i] += a * v
	}
}
