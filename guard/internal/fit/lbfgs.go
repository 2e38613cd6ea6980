package main

import "math"

// A problem is weighted logistic regression with an L2 penalty.
type problem struct {
	rows   []row
	lambda float64
	bias   int // index of the intercept, which has no penalty
	n      int
	bounds [4]uint32 // where the groups of features end
}

// group returns the group of a feature.
func (p *problem) group(i uint32) int {
	g := 0
	for g < 3 && i >= p.bounds[g] {
		g++
	}
	return g
}

// A row is an example: its features, its label and its weight.
type row struct {
	index  []uint32
	value  [4]float32 // by group
	label  float64    // 0 or 1
	weight float64
}

func (p *problem) margin(w []float64, r *row) float64 {
	z := w[p.bias]
	for _, i := range r.index {
		z += w[i] * float64(r.value[p.group(i)])
	}
	return z
}

// loss returns the objective at w and puts its gradient into g.
func (p *problem) loss(w, g []float64) float64 {
	f := 0.0
	for i, v := range w {
		l := p.lambda
		if i == p.bias {
			l = 0
		}
		f += l * v * v / 2
		g[i] = l * v
	}
	for k := range p.rows {
		r := &p.rows[k]
		z := p.margin(w, r)
		prob := 1 / (1 + math.Exp(-z))
		f += r.weight * (math.Log1p(math.Exp(-math.Abs(z))) + math.Max(z, 0) - r.label*z)
		d := r.weight * (prob - r.label)
		g[p.bias] += d
		for _, i := range r.index {
			g[i] += d * float64(r.value[p.group(i)])
		}
	}
	return f
}

// minimise runs L-BFGS (Nocedal and Wright, algorithm 7.5) with a backtracking
// line search from zero. It is deterministic.
func (p *problem) minimise(iterations int) []float64 {
	const memory = 8
	w, g := make([]float64, p.n), make([]float64, p.n)
	f := p.loss(w, g)
	var s, y [][]float64
	var rho []float64
	next, ng := make([]float64, p.n), make([]float64, p.n)
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
		ds, dy := make([]float64, p.n), make([]float64, p.n)
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
