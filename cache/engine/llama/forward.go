package llama

import (
	"context"
	"fmt"
	"math"

	"github.com/prodailabs/prodai/internal/vec"
)

// Rows says for which of a step's tokens logits are wanted.
type Rows uint8

// The choices. The head is the largest matrix of a small model, so what is not needed
// is not computed.
const (
	RowsLast Rows = iota + 1 // the last token's
	RowsAll
	RowsNone
)

// A Step is what one sequence does in a forward pass: the tokens are appended to the
// cache.
type Step struct {
	Cache  *Cache
	Tokens []int32
	// Logits says which rows are returned. Default: RowsLast.
	Logits Rows
	// Attention, if it is not nil, receives the weights that the token at a position
	// gives to itself and to each position before it, for every layer and head. It is
	// called from several goroutines. Default: nil.
	Attention func(layer, head, position int, weights []float32)
}

// passRows is how many tokens are computed at once; a longer prompt takes several
// passes.
const passRows = 256

// A row is one token of a pass.
type row struct {
	step, position int
	token          int32
	wanted         bool
}

// A scratch is the memory of a pass.
type scratch struct {
	rows                 []row
	steps                []Step
	x, part              []float32 // [row][width]
	normed, heads, inner vectors
	q, k, v, gate, up    []float32
	angles               [2]angles // as Network.turns
	attenders            []attender
}

// angles are those of each pair at each row's position, [row][pair].
type angles struct{ cos, sin []float32 }

// Forward appends each step's tokens to its cache and returns the logits of the wanted
// rows, for each step. Tokens of all steps go through each matrix together: that is
// what makes a batch cheap, since reading the weights is what takes the time.
// A step's result does not depend on the others, to the last bit.
//
// On an error the caches are as before: [ErrToken], [ErrContext] if a sequence would
// be longer than the model's context, [ErrPages], [ErrOption], or the context's error.
func (n *Network) Forward(ctx context.Context, steps []Step) ([][][]float32, error) {
	before := make([]int, len(steps))
	seen := map[*Cache]bool{}
	for i, s := range steps {
		if s.Cache == nil || s.Cache.net != n || seen[s.Cache] || s.Logits > RowsNone {
			return nil, fmt.Errorf("%w: step %d: the cache must be one of this network's and appear once", ErrOption, i)
		}
		seen[s.Cache] = true
		before[i] = s.Cache.n
		for _, t := range s.Tokens {
			if t < 0 || int(t) >= n.config.Vocabulary {
				return nil, fmt.Errorf("%w: %d, the vocabulary has %d", ErrToken, t, n.config.Vocabulary)
			}
		}
		if all := s.Cache.n + len(s.Tokens); all > n.config.Context {
			return nil, fmt.Errorf("%w: %d tokens, the model has %d", ErrContext, all, n.config.Context)
		}
	}
	out, err := n.passes(ctx, steps)
	if err != nil {
		for i, s := range steps {
			_ = s.Cache.Truncate(before[i]) // it is not longer than that
		}
		return nil, err
	}
	return out, nil
}

func (n *Network) passes(ctx context.Context, steps []Step) ([][][]float32, error) {
	var s *scratch
	select {
	case s = <-n.free:
		defer func() { n.free <- s }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for _, st := range steps {
		if err := st.Cache.reserve(st.Cache.n + len(st.Tokens)); err != nil {
			return nil, err
		}
	}
	t := startTeam(n.threads)
	defer t.stop()
	if len(s.attenders) < t.parts() {
		s.attenders = make([]attender, t.parts())
	}
	s.steps = steps
	defer func() { s.steps = nil }()
	out := make([][][]float32, len(steps))
	s.rows = s.rows[:0]
	for i, st := range steps {
		for j, token := range st.Tokens {
			wanted := st.Logits == RowsAll || st.Logits <= RowsLast && j == len(st.Tokens)-1
			s.rows = append(s.rows, row{i, st.Cache.n, token, wanted})
			st.Cache.tokens = append(st.Cache.tokens, token)
			st.Cache.n++
			if len(s.rows) == passRows {
				if err := n.pass(ctx, t, s, out); err != nil {
					return nil, err
				}
				s.rows = s.rows[:0]
			}
		}
	}
	return out, n.pass(ctx, t, s, out)
}

func size(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	return s[:n]
}

// pass computes s.rows and appends their logits to out.
func (n *Network) pass(ctx context.Context, t *team, s *scratch, out [][][]float32) error {
	c, rows := n.config, len(s.rows)
	if rows == 0 {
		return ctx.Err()
	}
	s.x, s.part = size(s.x, rows*c.Width), size(s.part, rows*c.Width)
	s.q = size(s.q, rows*c.Heads*c.HeadSize)
	s.k, s.v = size(s.k, rows*c.KVHeads*c.HeadSize), size(s.v, rows*c.KVHeads*c.HeadSize)
	s.gate, s.up = size(s.gate, rows*c.FeedForward), size(s.up, rows*c.FeedForward)
	s.normed.reset(rows, c.Width)
	s.heads.reset(rows, c.Heads*c.HeadSize)
	s.inner.reset(rows, c.FeedForward)
	for i, turns := range n.turns {
		if i == 0 || c.Window > 0 {
			s.angles[i].set(s.rows, turns)
		}
	}
	t.run(func(part, parts int) {
		lo, hi := share(rows, part, parts)
		for r := lo; r < hi; r++ {
			x := s.x[r*c.Width:][:c.Width]
			n.embed.row(int(s.rows[r].token), x)
			if n.scale != 1 {
				for j := range x {
					x[j] *= n.scale
				}
			}
		}
	})
	for i := range n.layers {
		if err := ctx.Err(); err != nil {
			return err
		}
		n.attention(t, s, i)
		n.feed(t, s, &n.layers[i])
	}
	return n.logits(t, s, out)
}

func (a *angles) set(rows []row, turns []float64) {
	half := len(turns)
	a.cos, a.sin = size(a.cos, len(rows)*half), size(a.sin, len(rows)*half)
	for r, row := range rows {
		for j, turn := range turns {
			sin, cos := math.Sincos(float64(row.position) * turn)
			a.cos[r*half+j], a.sin[r*half+j] = float32(cos), float32(sin)
		}
	}
}

// norms sets v to the normalized rows of x.
func (n *Network) norms(t *team, v *vectors, x, w []float32) {
	t.run(func(part, parts int) {
		lo, hi := share(v.n, part, parts)
		for r := lo; r < hi; r++ {
			rmsNorm(v.at(r), x[r*v.cols:][:v.cols], w, n.config.Epsilon)
			v.codes.Set(r, v.at(r))
		}
	})
}

func rmsNorm(dst, x, w []float32, epsilon float64) {
	r := float32(1 / math.Sqrt(float64(vec.Dot(x, x))/float64(len(x))+epsilon))
	x, w = x[:len(dst)], w[:len(dst)]
	for i := range dst {
		dst[i] = x[i] * r * w[i]
	}
}

// products are matrices that are multiplied by the same vectors, in one step.
type product struct {
	m   *matrix
	out []float32
}

func products(t *team, v *vectors, all ...product) {
	t.run(func(part, parts int) {
		for _, p := range all {
			lo, hi := share(p.m.units(), part, parts)
			p.m.mul(v, lo, hi, p.out)
		}
	})
}

func (n *Network) attention(t *team, s *scratch, i int) {
	c, l := n.config, &n.layers[i]
	n.norms(t, &s.normed, s.x, l.attentionNorm)
	products(t, &s.normed, product{l.q, s.q}, product{l.k, s.k}, product{l.v, s.v})
	width := c.KVHeads * c.HeadSize
	t.run(func(part, parts int) {
		lo, hi := share(len(s.rows), part, parts)
		for r := lo; r < hi; r++ {
			q := s.q[r*c.Heads*c.HeadSize:][:c.Heads*c.HeadSize]
			k, v := s.k[r*width:][:width], s.v[r*width:][:width]
			addBias(q, l.qBias)
			addBias(k, l.kBias)
			addBias(v, l.vBias)
			n.turn(q, l.qNorm, &s.angles[l.angles], r)
			n.turn(k, l.kNorm, &s.angles[l.angles], r)
			n.store(s, i, r, k, v)
		}
	})
	group := c.Heads / c.KVHeads
	t.run(func(part, parts int) {
		a := &s.attenders[part]
		lo, hi := share(len(s.rows)*c.KVHeads, part, parts)
		for item := lo; item < hi; item++ {
			r, kv := item/c.KVHeads, item%c.KVHeads
			row := s.rows[r]
			step := &s.steps[row.step]
			first := 0
			if l.window > 0 {
				first = max(0, row.position+1-l.window)
			}
			for h := kv * group; h < (kv+1)*group; h++ {
				q := s.q[(r*c.Heads+h)*c.HeadSize:][:c.HeadSize]
				a.attend(step.Cache, i, kv, first, row.position+1, q, s.heads.at(r)[h*c.HeadSize:][:c.HeadSize])
				if step.Attention != nil {
					step.Attention(i, h, row.position, a.weigh(step.Cache, i, kv, first, row.position+1, q))
				}
			}
		}
	})
	n.back(t, s, l.output, &s.heads, l.oBias, l.afterAttention)
}

// back codes v, multiplies by m, normalizes if there is a norm, and adds the result to x.
func (n *Network) back(t *team, s *scratch, m *matrix, v *vectors, bias, norm []float32) {
	if m.blocks != nil {
		t.run(func(part, parts int) {
			lo, hi := share(v.n, part, parts)
			for r := lo; r < hi; r++ {
				v.codes.Set(r, v.at(r))
			}
		})
	}
	products(t, v, product{m, s.part})
	t.run(func(part, parts int) {
		w := n.config.Width
		lo, hi := share(v.n, part, parts)
		for r := lo; r < hi; r++ {
			x, y := s.x[r*w:][:w], s.part[r*w:][:w]
			addBias(y, bias)
			if norm != nil {
				rmsNorm(y, y, norm, n.config.Epsilon)
			}
			addBias(x, y)
		}
	})
}

func addBias(x, bias []float32) {
	for i, b := range bias {
		x[i] += b
	}
}

// turn normalizes each head, if the model does, and turns it by its position.
func (n *Network) turn(heads, norm []float32, a *angles, r int) {
	d, half := n.config.HeadSize, n.config.HeadSize/2
	cos, sin := a.cos[r*half:][:half], a.sin[r*half:][:half]
	for ; len(heads) > 0; heads = heads[d:] {
		h := heads[:d]
		if norm != nil {
			rmsNorm(h, h, norm, n.config.Epsilon)
		}
		if n.config.RopeOrder == RopeOrderNeighbors {
			for j := range half {
				a, b := h[2*j], h[2*j+1]
				h[2*j], h[2*j+1] = a*cos[j]-b*sin[j], a*sin[j]+b*cos[j]
			}
			continue
		}
		low, high := h[:half], h[half:]
		for j := range low {
			a, b := low[j], high[j]
			low[j], high[j] = a*cos[j]-b*sin[j], a*sin[j]+b*cos[j]
		}
	}
}

// store writes a row's keys and values into its cache.
func (n *Network) store(s *scratch, layer, r int, k, v []float32) {
	row, d := s.rows[r], n.config.HeadSize
	cache := s.steps[row.step].Cache
	for h := range n.config.KVHeads {
		keys, values := cache.page(layer, h, row.position/PageTokens)
		at := row.position % PageTokens * d
		copy(keys[at:at+d], k[h*d:])
		copy(values[at:at+d], v[h*d:])
	}
}

func (n *Network) feed(t *team, s *scratch, l *layer) {
	n.norms(t, &s.normed, s.x, l.feedNorm)
	products(t, &s.normed, product{l.gate, s.gate}, product{l.up, s.up})
	t.run(func(part, parts int) {
		f := n.config.FeedForward
		lo, hi := share(len(s.rows), part, parts)
		for r := lo; r < hi; r++ {
			gate, up := s.gate[r*f:][:f], s.up[r*f:][:f]
			if n.config.isGemma() {
				asSilu(gate, up)
			}
			vec.SwiGLU(s.inner.at(r), gate, up)
		}
	})
	n.back(t, s, l.down, &s.inner, nil, l.afterFeed)
}

// asSilu changes gate and up so that silu(gate)·up is [GatedGELU] of what they were, since
// (1 + tanh z)/2 = 1/(1 + e^-2z).
func asSilu(gate, up []float32) {
	for i, g := range gate {
		f := float32(2*0.7978845608028654) * (1 + 0.044715*g*g)
		gate[i] *= f
		up[i] /= f
	}
}

// logits scores the wanted rows and appends them to out.
func (n *Network) logits(t *team, s *scratch, out [][][]float32) error {
	c := n.config
	count := 0
	for r, row := range s.rows {
		if row.wanted { // gather the wanted rows at the front
			copy(s.x[count*c.Width:][:c.Width], s.x[r*c.Width:][:c.Width])
			count++
		}
	}
	if count == 0 {
		return nil
	}
	s.normed.reset(count, c.Width)
	n.norms(t, &s.normed, s.x, n.norm)
	all := make([]float32, count*c.Vocabulary)
	products(t, &s.normed, product{n.head, all})
	i := 0
	for _, row := range s.rows {
		if row.wanted {
			out[row.step] = append(out[row.step], all[i*c.Vocabulary:(i+1)*c.Vocabulary:(i+1)*c.Vocabulary])
			i++
		}
	}
	return nil
}
