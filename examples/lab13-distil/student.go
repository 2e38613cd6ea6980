package main

import (
	"math"
	"math/rand/v2"

	"github.com/prodailabs/prodai/cache/engine/quant"
)

// scale turns a cosine into a logit.
const scale = 20

// A student is a table with a row for each word. A text's vector is the mean of its words'
// rows, of length 1.
type student struct {
	dim   int
	table []float32
	sum   []float32 // of the squares of each number's gradients, for Adagrad
}

// newStudent passes each word through the teacher and projects the vector on random
// directions, which keeps distances roughly (Johnson and Lindenstrauss, 1984).
func newStudent(teacher [][]float32, dim int) *student {
	s := &student{dim: dim, table: make([]float32, len(teacher)*dim), sum: make([]float32, len(teacher)*dim)}
	rng := rand.New(rand.NewPCG(13, 2))
	directions := make([][]float32, dim)
	for k := range directions {
		directions[k] = make([]float32, len(teacher[0]))
		for i := range directions[k] {
			directions[k][i] = float32(rng.NormFloat64() / math.Sqrt(float64(dim)))
		}
	}
	for r, v := range teacher {
		for k, d := range directions {
			s.row(r)[k] = dot(v, d)
		}
	}
	return s
}

func (s *student) row(r int) []float32 { return s.table[r*s.dim:][:s.dim] }

// vector returns a text's vector and the length of the mean before it was scaled.
func (s *student) vector(bag []int) (v []float32, length float32) {
	v = make([]float32, s.dim)
	for _, r := range bag {
		for i, x := range s.row(r) {
			v[i] += x / float32(len(bag))
		}
	}
	if length = float32(math.Sqrt(float64(dot(v, v)))); length > 0 {
		for i := range v {
			v[i] /= length
		}
	}
	return v, length
}

func dot(a, b []float32) (sum float32) {
	for i, x := range a {
		sum += x * b[i]
	}
	return sum
}

// logits returns scale × the cosine of each a and each b.
func logits(a, b [][]float32) []float64 {
	out := make([]float64, 0, len(a)*len(b))
	for _, x := range a {
		for _, y := range b {
			out = append(out, scale*float64(dot(x, y)))
		}
	}
	return out
}

// step trains on one batch: which b is the right one for each a? The teacher's logits say
// how right each b is; the labels say that b[i] is right for a[i], and no other.
func (s *student) step(a, b [][]int, teacher []float64, rate float32, o *quant.DistillOptions) (loss float64, err error) {
	n := len(a)
	va, la := make([][]float32, n), make([]float32, n)
	vb, lb := make([][]float32, n), make([]float32, n)
	labels := make([]int, n)
	for i := range n {
		va[i], la[i] = s.vector(a[i])
		vb[i], lb[i] = s.vector(b[i])
		labels[i] = i
	}
	d, err := quant.Distill(teacher, logits(va, vb), n, labels, o)
	if err != nil {
		return 0, err
	}
	// Through the cosines to both vectors, then to the rows.
	ga, gb := make([][]float32, n), make([][]float32, n)
	for i := range n {
		ga[i], gb[i] = make([]float32, s.dim), make([]float32, s.dim)
	}
	for i := range n {
		for j := range n {
			g := float32(scale * d.Gradient[i*n+j])
			for k := range s.dim {
				ga[i][k] += g * vb[j][k]
				gb[j][k] += g * va[i][k]
			}
		}
	}
	for i := range n {
		s.update(a[i], va[i], ga[i], la[i], rate)
		s.update(b[i], vb[i], gb[i], lb[i], rate)
	}
	return d.Loss, nil
}

// update moves the rows of a text against the gradient g of its vector v. Scaling to
// length 1 lets only the part of g pass that is at a right angle to v.
func (s *student) update(bag []int, v, g []float32, length, rate float32) {
	if length == 0 {
		return
	}
	along := dot(g, v)
	for _, r := range bag {
		row, sum := s.row(r), s.sum[r*s.dim:][:s.dim]
		for k := range row {
			x := (g[k] - along*v[k]) / length / float32(len(bag))
			sum[k] += x * x
			row[k] -= rate * x / (float32(math.Sqrt(float64(sum[k]))) + 1e-8)
		}
	}
}
