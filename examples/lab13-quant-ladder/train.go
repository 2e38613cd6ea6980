package main

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/prodailabs/prodai/cache/engine/quant"
)

// A net has one hidden layer: two numbers in, three classes out.
type net struct {
	first, second []float32 // hidden × 3 (the last column is a constant), classes × (hidden + 1)
}

const (
	hidden  = 24
	classes = 3
)

// spirals are points on three arms that turn around each other.
func spirals(r *rand.Rand, n int) (points [][2]float32, labels []int) {
	for i := range n {
		c := i % classes
		d := r.Float64()
		angle := 4*d + 2*math.Pi*float64(c)/classes + .1*r.NormFloat64()
		points = append(points, [2]float32{float32(d * math.Cos(angle)), float32(d * math.Sin(angle))})
		labels = append(labels, c)
	}
	return points, labels
}

// forward returns the hidden numbers and the logits.
func forward(first, second []float32, p [2]float32) (h [hidden + 1]float64, logits [classes]float64) {
	for i := range hidden {
		h[i] = math.Tanh(float64(first[3*i])*float64(p[0]) + float64(first[3*i+1])*float64(p[1]) + float64(first[3*i+2]))
	}
	h[hidden] = 1
	for c := range classes {
		for i, v := range h {
			logits[c] += v * float64(second[c*(hidden+1)+i])
		}
	}
	return h, logits
}

// quantized returns the weights as codes would have them, or as they are without o.
func (n *net) quantized(o *quant.Options) (first, second []float32, err error) {
	if o == nil {
		return n.first, n.second, nil
	}
	if first, _, err = quant.FakeQuantize(n.first, hidden, 3, o); err != nil {
		return nil, nil, err
	}
	second, _, err = quant.FakeQuantize(n.second, classes, hidden+1, o)
	return first, second, err
}

// learn trains with Adam. With o, each pass uses the quantized weights, and the gradient
// goes to the full ones, as if rounding were not there.
func (n *net) learn(r *rand.Rand, points [][2]float32, labels []int, steps int, rate float64, o *quant.Options) error {
	all := [][]float32{n.first, n.second}
	gradient := [][]float64{make([]float64, len(n.first)), make([]float64, len(n.second))}
	mean := [][]float64{make([]float64, len(n.first)), make([]float64, len(n.second))}
	square := [][]float64{make([]float64, len(n.first)), make([]float64, len(n.second))}
	for step := 1; step <= steps; step++ {
		first, second, err := n.quantized(o)
		if err != nil {
			return err
		}
		for _, g := range gradient {
			clear(g)
		}
		const batch = 48
		for range batch {
			i := r.IntN(len(points))
			if err := backward(first, second, points[i], labels[i], gradient); err != nil {
				return err
			}
		}
		for k, w := range all {
			for i := range w {
				g := gradient[k][i] / batch
				mean[k][i] = .9*mean[k][i] + .1*g
				square[k][i] = .999*square[k][i] + .001*g*g
				m, v := mean[k][i]/(1-math.Pow(.9, float64(step))), square[k][i]/(1-math.Pow(.999, float64(step)))
				w[i] -= float32(rate * (1 - float64(step-1)/float64(steps)) * m / (math.Sqrt(v) + 1e-8))
			}
		}
	}
	return nil
}

// backward adds the gradients of one point.
func backward(first, second []float32, p [2]float32, label int, gradient [][]float64) error {
	h, logits := forward(first, second, p)
	d, err := quant.Distill(logits[:], logits[:], classes, []int{label}, &quant.DistillOptions{NoTeacher: true})
	if err != nil {
		return err
	}
	for i, v := range h {
		back := 0.0
		for c, g := range d.Gradient {
			gradient[1][c*(hidden+1)+i] += g * v
			back += g * float64(second[c*(hidden+1)+i])
		}
		if i < hidden {
			back *= 1 - v*v
			for k, x := range [3]float64{float64(p[0]), float64(p[1]), 1} {
				gradient[0][3*i+k] += back * x
			}
		}
	}
	return nil
}

// accuracy is the share of points whose class is right.
func (n *net) accuracy(points [][2]float32, labels []int, o *quant.Options) (float64, error) {
	first, second, err := n.quantized(o)
	if err != nil {
		return 0, err
	}
	right := 0
	for i, p := range points {
		_, logits := forward(first, second, p)
		best := 0
		for c, v := range logits {
			if v > logits[best] {
				best = c
			}
		}
		if best == labels[i] {
			right++
		}
	}
	return float64(right) / float64(len(points)), nil
}

// train compares rounding after training with training that knows of the rounding.
func (l *lab) train() error {
	r := rand.New(rand.NewPCG(13, 13))
	points, labels := spirals(r, 1500)
	test, testLabels := spirals(r, 3000)
	n := &net{first: make([]float32, hidden*3), second: make([]float32, classes*(hidden+1))}
	for i := range n.first {
		n.first[i] = float32(2 * r.NormFloat64())
	}
	for i := range n.second {
		n.second[i] = float32(.3 * r.NormFloat64())
	}
	if err := n.learn(r, points, labels, 2500, .02, nil); err != nil {
		return err
	}
	full, err := n.accuracy(test, testLabels, nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(l.out, "3. A small classifier of three spirals: right %.1f %% of 3,000 points with 32 bits\n", 100*full)
	fmt.Fprintln(l.out, "   bits   rounded after training   with the best Clip   trained with rounding")
	for _, bits := range []int{8, 4, 3, 2} {
		o := &quant.Options{Bits: bits}
		after, err := n.accuracy(test, testLabels, o)
		if err != nil {
			return err
		}
		clipped := *o
		if clipped.Clip, err = quant.Calibrate(n.second, classes, hidden+1, o); err != nil {
			return err
		}
		best, err := n.accuracy(test, testLabels, &clipped)
		if err != nil {
			return err
		}
		aware := &net{first: append([]float32(nil), n.first...), second: append([]float32(nil), n.second...)}
		if err := aware.learn(r, points, labels, 1500, .01, &clipped); err != nil {
			return err
		}
		loop, err := aware.accuracy(test, testLabels, &clipped)
		if err != nil {
			return err
		}
		fmt.Fprintf(l.out, "   %4d %22.1f %% %18.1f %% %21.1f %%\n", bits, 100*after, 100*best, 100*loop)
	}
	fmt.Fprintln(l.out)
	return nil
}
