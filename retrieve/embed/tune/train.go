package tune

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
)

// A side is one text of each pair of a batch.
type side struct {
	starts  []int // the entries of text i are starts[i] to starts[i+1]
	tokens  []int32
	factors []float32 // share x exp(weight), 0 for a token that is dropped
	vectors []float32 // of length 1
	lengths []float32 // before
	grads   []float32 // of the loss by vectors, then by the sums before
}

func (s *side) reset() {
	s.starts, s.tokens, s.factors = append(s.starts[:0], 0), s.tokens[:0], s.factors[:0]
}

func (s *side) len() int { return len(s.starts) - 1 }

// add adds a text without the tokens that drop names.
func (s *side) add(t *table, b bag, drop func() bool) {
	for i, token := range b.tokens {
		if drop() {
			continue
		}
		s.tokens = append(s.tokens, token)
		s.factors = append(s.factors, b.shares[i]*exp(t.weights[token]))
	}
	s.starts = append(s.starts, len(s.tokens))
}

// forward computes the vectors.
func (s *side) forward(t *table) {
	n := s.len()
	s.vectors, s.grads, s.lengths = sized(s.vectors, n*t.dim), sized(s.grads, n*t.dim), sized(s.lengths, n)
	parallel(n, func(from, to int) {
		for i := from; i < to; i++ {
			v := s.vectors[i*t.dim : (i+1)*t.dim]
			clear(v)
			for at := s.starts[i]; at < s.starts[i+1]; at++ {
				axpy(v, s.factors[at], t.row(s.tokens[at]))
			}
			s.lengths[i] = normalize(v)
		}
	})
}

// throughLength turns the gradient by text i's vector into the one by the sum that was
// scaled to length 1: what points along the vector has no effect.
func (s *side) throughLength(i, dim int) {
	v, g := s.vectors[i*dim:(i+1)*dim], s.grads[i*dim:(i+1)*dim]
	if s.lengths[i] == 0 {
		clear(g)
		return
	}
	along := dot(v, g)
	for k := range g {
		g[k] = (g[k] - v[k]*along) / s.lengths[i]
	}
}

func sized(v []float32, n int) []float32 {
	if cap(v) < n {
		return make([]float32, n)
	}
	return v[:n]
}

// A trainer holds the state of the optimizer and the memory of a step.
type trainer struct {
	*table
	opts Options
	rng  *rand.Rand

	left, right side
	groups      []int // of each pair of the batch
	sims        []float32
	rowSums     []float64
	columnSums  []float64
	losses      []float64
	grads       []float32 // by rows
	weightGrads []float32 // by log weights

	steps                    int
	mean, square             []float32 // Adam's moments of rows
	weightMean, weightSquare []float32
}

func newTrainer(t *table, o Options, rng *rand.Rand) *trainer {
	return &trainer{table: t, opts: o, rng: rng,
		grads: make([]float32, len(t.rows)), weightGrads: make([]float32, len(t.ids)),
		mean: make([]float32, len(t.rows)), square: make([]float32, len(t.rows)),
		weightMean: make([]float32, len(t.ids)), weightSquare: make([]float32, len(t.ids))}
}

// epoch trains on each pair once and returns the mean loss of its batches.
func (s *trainer) epoch(ctx context.Context, texts []group, pairs []pair) (float64, error) {
	order := s.rng.Perm(len(pairs))
	batches := (len(pairs) + s.opts.BatchSize - 1) / s.opts.BatchSize // of nearly equal size
	total := 0.0
	for b := range batches {
		if err := ctx.Err(); err != nil {
			return 0, fmt.Errorf("tune: %w", err)
		}
		s.batch(texts, pairs, order[b*len(pairs)/batches:(b+1)*len(pairs)/batches])
		loss := s.gradient()
		if math.IsNaN(loss) || math.IsInf(loss, 0) {
			return 0, fmt.Errorf("%w: the loss is %v after %d steps", ErrDiverged, loss, s.steps)
		}
		total += loss
		s.step()
	}
	return total / float64(batches), nil
}

// batch reads the pairs of a step: a question, and in turn its passage or another
// question of its group.
func (s *trainer) batch(texts []group, pairs []pair, order []int) {
	drop := func() bool { return s.opts.Dropout > 0 && s.rng.Float64() < s.opts.Dropout }
	s.left.reset()
	s.right.reset()
	s.groups = s.groups[:0]
	for j, at := range order {
		p := pairs[at]
		g := texts[p.group]
		partner := g.passage
		if n := len(g.questions); j%2 == 0 && n > 1 {
			partner = g.questions[(p.question+1+s.rng.IntN(n-1))%n]
		}
		s.left.add(s.table, g.questions[p.question], drop)
		s.right.add(s.table, partner, drop)
		s.groups = append(s.groups, p.group)
	}
}

// gradient computes the loss of the batch and its gradient by rows and log weights.
//
// The loss is InfoNCE in both directions: the mean of -log softmax of the pair's own
// similarity among those of its row, and among those of its column. Other members of
// the same group are not counted as negatives.
func (s *trainer) gradient() float64 {
	s.left.forward(s.table)
	s.right.forward(s.table)
	loss := s.contrast()
	n, d := s.left.len(), s.dim
	parallel(n, func(from, to int) {
		column := make([]float32, n)
		for i := from; i < to; i++ {
			sumRows(s.left.grads[i*d:(i+1)*d], s.sims[i*n:(i+1)*n], s.right.vectors)
			s.left.throughLength(i, d)
			for j := range column {
				column[j] = s.sims[j*n+i]
			}
			sumRows(s.right.grads[i*d:(i+1)*d], column, s.left.vectors)
			s.right.throughLength(i, d)
		}
	})
	clear(s.grads)
	parallel(d, func(from, to int) { // by dimension: a row is shared by many texts
		for _, side := range []*side{&s.left, &s.right} {
			for i := range n {
				g := side.grads[i*d+from : i*d+to]
				for at := side.starts[i]; at < side.starts[i+1]; at++ {
					token := int(side.tokens[at])
					axpy(s.grads[token*d+from:token*d+to], side.factors[at], g)
				}
			}
		}
	})
	parallel(len(s.ids), func(from, to int) {
		for token := from; token < to; token++ {
			s.weightGrads[token] = dot(s.row(int32(token)), s.grads[token*d:(token+1)*d])
		}
	})
	return loss
}

// contrast returns the batch's loss and leaves in sims its derivative by each cosine.
func (s *trainer) contrast() float64 {
	n, d := s.left.len(), s.dim
	s.sims = sized(s.sims, n*n)
	s.rowSums, s.columnSums, s.losses = make([]float64, n), make([]float64, n), make([]float64, n)
	parallel(n, func(from, to int) {
		for i := from; i < to; i++ {
			row := s.sims[i*n : (i+1)*n]
			dotRows(row, s.left.vectors[i*d:(i+1)*d], s.right.vectors)
			for j, c := range row {
				if j != i && s.groups[i] == s.groups[j] {
					row[j] = 0
					continue
				}
				row[j] = exp(scale * (c - 1)) // at least exp(-40): no row's sum is zero
				s.rowSums[i] += float64(row[j])
			}
		}
	})
	parallel(n, func(from, to int) {
		for i := range n {
			for j := from; j < to; j++ {
				s.columnSums[j] += float64(s.sims[i*n+j])
			}
		}
	})
	parallel(n, func(from, to int) {
		for i := from; i < to; i++ {
			row := s.sims[i*n : (i+1)*n]
			own := float64(row[i])
			s.losses[i] = (math.Log(s.rowSums[i]/own) + math.Log(s.columnSums[i]/own)) / 2
			by := float32(scale / (2 * float64(n)))
			inRow := 1 / float32(s.rowSums[i])
			for j, e := range row {
				row[j] = by * (e*inRow + e/float32(s.columnSums[j]))
			}
			row[i] -= 2 * by
		}
	})
	loss := 0.0
	for _, l := range s.losses {
		loss += l
	}
	return loss / float64(n)
}

// step moves rows and weights against the gradient, as Adam does.
func (s *trainer) step() {
	s.steps++
	rate := s.opts.LearningRate
	rows, weights := newAdam(rate, s.steps), newAdam(weightRate*rate, s.steps)
	parallel(len(s.ids), func(from, to int) {
		for token := from; token < to; token++ {
			s.weights[token] -= weights.change(&s.weightMean[token], &s.weightSquare[token], s.weightGrads[token]+weightDecay*s.weights[token])
		}
		for k := from * s.dim; k < to*s.dim; k++ {
			s.delta[k] -= rows.change(&s.mean[k], &s.square[k], s.grads[k]+rowDecay*s.delta[k])
			s.rows[k] = s.base[k] + s.delta[k]
		}
	})
}

// An adam is one step of the optimizer of Kingma and Ba, algorithm 1.
type adam struct{ rate, fixMean, fixSquare float32 }

func newAdam(rate float64, step int) adam {
	return adam{float32(rate), float32(1 / (1 - math.Pow(0.9, float64(step)))), float32(1 / (1 - math.Pow(0.999, float64(step))))}
}

func (a adam) change(mean, square *float32, g float32) float32 {
	*mean = 0.9**mean + 0.1*g
	*square = 0.999**square + 0.001*g*g
	return a.rate * *mean * a.fixMean / (float32(math.Sqrt(float64(*square*a.fixSquare))) + 1e-8)
}
