package bert

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"
)

// A Precision is the form in which matrices are kept.
type Precision uint8

// The precisions.
const (
	PrecisionFloat32 Precision = iota + 1 // the reference's results, within rounding
	PrecisionInt8                         // 8-bit codes: a quarter of the memory and faster, a little less exact
)

// Options configure an [Embedder] or a [CrossEncoder].
type Options struct {
	// Precision is the form of the matrices. Default: PrecisionFloat32.
	Precision Precision

	// Tokens is the most that is read of an input, [CLS] and [SEP] included; the rest is
	// cut. Default: what the model's files say, else its number of positions.
	Tokens int

	// Workers is how many goroutines a call uses at most. Default: GOMAXPROCS.
	Workers int
}

// batchTokens is how many tokens pass the network at once, if one text has no more: enough
// that a matrix is used often once it is in the cache.
const batchTokens = 256

// runner passes inputs through a network.
type runner struct {
	*network
	tokens  *tokens
	workers int
	free    sync.Pool // *scratch
}

// newRunner checks the options; limit is what the model's files say about the tokens.
func newRunner(n *network, t *tokens, limit int, o *Options) (*runner, error) {
	r := &runner{network: n, tokens: t, workers: cmp.Or(o.Workers, runtime.GOMAXPROCS(0))}
	if limit <= 0 {
		limit = n.Positions
	}
	limit = min(limit, t.positions, n.Positions)
	t.positions = cmp.Or(o.Tokens, limit)
	switch {
	case o.Workers < 0:
		return nil, fmt.Errorf("%w: Options.Workers is %d: want 0 (the default, GOMAXPROCS) or more", ErrOption, o.Workers)
	case t.positions < 4 || t.positions > n.Positions:
		return nil, fmt.Errorf("%w: Options.Tokens is %d: want 0 (the default, %d) or 4 to %d", ErrOption, o.Tokens, limit, n.Positions)
	}
	r.free.New = func() any { return new(scratch) }
	return r, nil
}

// checked returns the options with the precision's default.
func (o *Options) checked() (Options, error) {
	var p Options
	if o != nil {
		p = *o
	}
	p.Precision = cmp.Or(p.Precision, PrecisionFloat32)
	if p.Precision > PrecisionInt8 {
		return p, fmt.Errorf("%w: Options.Precision is %d", ErrOption, p.Precision)
	}
	return p, nil
}

// each reads the input of each of n texts, passes them through the network, and calls
// done with the vectors of its tokens, which it must not keep. Several goroutines call
// at once, each for other texts.
func (r *runner) each(ctx context.Context, n int, read func(i int) input, done func(i int, tokens []float32) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		mu   sync.Mutex
		next int
	)
	take := func(inputs []input) (from int, _ []input) {
		mu.Lock()
		from = next
		// A short call is shared among the workers too.
		most := max(1, min(batchTokens/8, (n+r.workers-1)/r.workers))
		to := min(n, from+most)
		next = to
		mu.Unlock()
		for i := from; i < to; i++ {
			inputs = append(inputs, read(i))
		}
		return from, inputs
	}
	var wait sync.WaitGroup
	for range min(r.workers, n) {
		wait.Go(func() {
			s := r.free.Get().(*scratch)
			defer r.free.Put(s)
			for ctx.Err() == nil {
				from, inputs := take(nil)
				if len(inputs) == 0 {
					return
				}
				if err := r.batches(ctx, s, from, inputs, done); err != nil {
					cancel(err)
				}
			}
		})
	}
	wait.Wait()
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("bert: %w", err)
	}
	return nil
}

// batches passes inputs through the network, some at a time.
func (r *runner) batches(ctx context.Context, s *scratch, from int, inputs []input, done func(int, []float32) error) error {
	for len(inputs) > 0 {
		k, size := 1, len(inputs[0].ids)
		for k < len(inputs) && size+len(inputs[k].ids) <= batchTokens {
			size += len(inputs[k].ids)
			k++
		}
		if err := r.forward(ctx, s, inputs[:k]); err != nil {
			return err
		}
		for i := range k {
			if err := done(from+i, s.x[s.starts[i]*r.Hidden:s.starts[i+1]*r.Hidden]); err != nil {
				return err
			}
		}
		from, inputs = from+k, inputs[k:]
	}
	return nil
}

func finite(v []float32) bool {
	for _, x := range v {
		if x-x != 0 {
			return false
		}
	}
	return true
}

// dense sets out to the products of a small matrix and one vector, plus the bias.
func dense(weight, bias, x, out []float32) {
	for r, b := range bias {
		sum := float64(b)
		for i, w := range weight[r*len(x):][:len(x)] {
			sum += float64(w) * float64(x[i])
		}
		out[r] = float32(sum)
	}
}

func tanh(v []float32) {
	for i, x := range v {
		v[i] = float32(math.Tanh(float64(x)))
	}
}
