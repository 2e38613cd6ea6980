package bert

import (
	"context"
	"fmt"
	"math"

	"github.com/prodailabs/prodai/internal/vec"
)

// scratch is the numbers of one pass, kept for the next one.
type scratch struct {
	x, qkv, mixed, wide       []float32
	query, score, share, head []float32
	keys, values              vec.Panels
	codes                     vec.Codes
	starts                    []int // of each input's tokens; then the end
}

func grow(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	return s[:n]
}

// forward passes inputs through the network at once and returns the vectors of their
// tokens, one after the other, in s.x; s.starts says whose they are. The tokens of all
// inputs stand in one matrix without padding: only attention knows where one ends. So an
// input's result doesn't depend on the others.
func (n *network) forward(ctx context.Context, s *scratch, inputs []input) error {
	s.starts = append(s.starts[:0], 0)
	total := 0
	for _, in := range inputs {
		total += len(in.ids)
		s.starts = append(s.starts, total)
	}
	h := n.Hidden
	s.x, s.qkv, s.mixed = grow(s.x, total*h), grow(s.qkv, total*3*h), grow(s.mixed, total*h)
	s.wide = grow(s.wide, total*n.Intermediate)
	n.embed(s, inputs)
	for i := range n.layers {
		if err := ctx.Err(); err != nil {
			return err
		}
		l := &n.layers[i]
		l.qkv.apply(s, s.x, total, s.qkv)
		for j := range inputs {
			n.attend(s, s.starts[j], s.starts[j+1])
		}
		// The queries, keys and values are no longer needed: their place takes the sums.
		sum := s.qkv[:total*h]
		l.attended.apply(s, s.mixed, total, sum)
		ok := n.addNorm(l.attendedNorm, s.x, sum)
		l.up.apply(s, s.x, total, s.wide)
		if n.Activation == "relu" {
			for k, v := range s.wide {
				s.wide[k] = max(v, 0)
			}
		} else {
			vec.GELU(s.wide, s.wide)
		}
		l.down.apply(s, s.wide, total, sum)
		if !n.addNorm(l.downNorm, s.x, sum) || !ok {
			return fmt.Errorf("%w: numbers overflow in layer %d", ErrModel, i)
		}
	}
	return nil
}

// embed sets s.x to the sum of three vectors for each token: of the word, of the
// position, and of the first or second text.
func (n *network) embed(s *scratch, inputs []input) {
	h := n.Hidden
	x := s.x
	for _, in := range inputs {
		for p, id := range in.ids {
			kind := 0
			if p >= in.second && n.Types > 1 {
				kind = 1
			}
			word, position, text := n.words[int(id)*h:][:h], n.positions[p*h:][:h], n.types[kind*h:][:h]
			row := x[:h]
			for i := range row {
				row[i] = word[i] + position[i] + text[i]
			}
			x = x[h:]
		}
	}
	n.addNorm(n.norm, s.x, nil) // an overflow stays one until the first layer's end
}

// apply sets out to the products of the matrix and n vectors, plus the bias.
func (l *linear) apply(s *scratch, x []float32, n int, out []float32) {
	rows := len(l.bias)
	if l.blocks != nil {
		cols := l.blocks.Cols()
		s.codes.Reset(n, cols)
		for t := range n {
			s.codes.Set(t, x[t*cols:])
		}
		l.blocks.Mul(&s.codes, 0, l.blocks.Groups(), out, rows)
	} else {
		l.panels.Mul(x, n, 0, l.panels.Groups(), out, rows)
	}
	for ; n > 0; n-- {
		row := out[:rows]
		for i, b := range l.bias {
			row[i] += b
		}
		out = out[rows:]
	}
}

// attend sets s.mixed, for the tokens from lo up to hi, which are one input, to the
// weighted means of their values: each token looks at all, in both directions.
func (n *network) attend(s *scratch, lo, hi int) {
	h, size, tokens := n.Hidden, n.Hidden/n.Heads, hi-lo
	s.query, s.head = grow(s.query, tokens*size), grow(s.head, tokens*size)
	s.score, s.share = grow(s.score, tokens*tokens), grow(s.share, tokens)
	scale := float32(1 / math.Sqrt(float64(size)))
	for head := range n.Heads {
		qkv := s.qkv[lo*3*h+head*size:]
		for t := range tokens {
			q := s.query[t*size:][:size]
			for i, v := range qkv[t*3*h:][:size] {
				q[i] = v * scale
			}
		}
		s.keys.Reset(tokens, size, qkv[h:], 3*h)
		s.values.ResetColumns(size, tokens, qkv[2*h:], 3*h)
		s.keys.Mul(s.query, tokens, 0, s.keys.Groups(), s.score, tokens)
		for t := range tokens {
			s.share[t] = softmax(s.score[t*tokens:][:tokens])
		}
		s.values.Mul(s.score, tokens, 0, s.values.Groups(), s.head, size)
		for t := range tokens {
			out := s.mixed[(lo+t)*h+head*size:][:size]
			for i, v := range s.head[t*size:][:size] {
				out[i] = v * s.share[t]
			}
		}
	}
}

// softmax turns scores into weights and returns what makes their sum 1: it is cheaper to
// multiply the result. Without a finite largest score it returns NaN.
func softmax(s []float32) float32 {
	var tops [4]float32
	for i := range tops {
		tops[i] = s[0]
	}
	i := 0
	for ; i+4 <= len(s); i += 4 {
		for j, v := range s[i : i+4 : i+4] {
			if v > tops[j] {
				tops[j] = v
			}
		}
	}
	for _, v := range s[i:] {
		tops[0] = max(tops[0], v)
	}
	top := max(tops[0], tops[1], tops[2], tops[3])
	return 1/vec.ExpSum(s, s, top) + (top - top)
}

// addNorm adds y, if there is one, to x and normalizes each row: mean 0 and variance 1,
// then weight and bias. It reports whether all numbers were finite.
//
// Source: Ba, Kiros, Hinton, "Layer Normalization", 2016.
func (n *network) addNorm(m norm, x, y []float32) (ok bool) {
	h := n.Hidden
	ok = true
	for ; len(x) > 0; x = x[h:] {
		row := x[:h]
		if y != nil {
			for i, v := range y[:h] {
				row[i] += v
			}
			y = y[h:]
		}
		var sum float32
		for _, v := range row {
			sum += v
		}
		mean := sum / float32(h)
		for i := range row {
			row[i] -= mean
		}
		variance := float64(vec.Dot(row, row)) / float64(h)
		ok = ok && variance-variance == 0
		r := float32(1 / math.Sqrt(variance+n.Epsilon))
		for i, w := range m.weight {
			row[i] = row[i]*r*w + m.bias[i]
		}
	}
	return ok
}
