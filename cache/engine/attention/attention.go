package attention

import (
	"errors"
	"fmt"
	"math"
)

// ErrOption is wrapped by every error about a shape, an option or a number.
var ErrOption = errors.New("attention: invalid option")

// A Shape is the size of attention's inputs. They are flat: q is [Heads][Queries][Dim], k
// and v are [KVHeads][Keys][Dim], and the output has the shape of q.
type Shape struct {
	// Heads is the number of query heads. KVHeads is the number of heads of keys and
	// values, a divisor of it: query head h reads head h / (Heads/KVHeads).
	Heads, KVHeads int

	// Queries is the number of new tokens, Keys of all. Query i is token
	// i + Keys - Queries, and sees that token and those before it.
	Queries, Keys int

	// Dim is the number of elements of a head.
	Dim int

	// Window lets a query see the last Window tokens only, itself included. Default: 0,
	// all of them.
	Window int

	// Bidirectional lets each query see all keys, as in an encoder; Window is not used
	// then. Default: false, queries see what is before them.
	Bidirectional bool
}

// A Traffic counts the bytes between the large, slow memory and the small, fast one, with
// 4 bytes a number, and what the fast one must hold.
type Traffic struct {
	Read, Written int64
	Fast          int64 // the most bytes in the fast memory at a time
}

// Total is what was read and written.
func (t Traffic) Total() int64 { return t.Read + t.Written }

const most = 1 << 28

func (s Shape) check(q, k, v []float32) error {
	for _, n := range []int{s.Heads, s.KVHeads, s.Queries, s.Keys, s.Dim} {
		if n < 1 || n > most {
			return fmt.Errorf("%w: Shape is %+v: want sizes from 1 to %d", ErrOption, s, most)
		}
	}
	if s.Heads%s.KVHeads != 0 || s.Queries > s.Keys || s.Window < 0 {
		return fmt.Errorf("%w: Shape is %+v: want Heads that KVHeads divides, no more Queries than Keys, and a Window of 0 or more", ErrOption, s)
	}
	if !product(len(q), s.Heads, s.Queries, s.Dim) || !product(len(k), s.KVHeads, s.Keys, s.Dim) || len(v) != len(k) {
		return fmt.Errorf("%w: %d, %d and %d numbers for %+v", ErrOption, len(q), len(k), len(v), s)
	}
	return nil
}

// product reports whether n is the product of the factors, without overflow.
func product(n int, factors ...int) bool {
	p := 1
	for _, f := range factors {
		if p > math.MaxInt/f {
			return false
		}
		p *= f
	}
	return p == n
}

// sees returns the keys that query i sees: from first up to end, end not included.
func (s Shape) sees(i int) (first, end int) {
	if s.Bidirectional {
		return 0, s.Keys
	}
	end = i + s.Keys - s.Queries + 1
	if s.Window > 0 {
		first = max(0, end-s.Window)
	}
	return first, end
}

// Naive computes attention in three passes over whole matrices, as a program of three
// separate kernels does: the scores, their softmax, the sum of values. It is the reference
// for [Tiled].
func Naive(q, k, v []float32, s Shape) (out []float32, t Traffic, err error) {
	if err := s.check(q, k, v); err != nil {
		return nil, t, err
	}
	out = make([]float32, len(q))
	scale := 1 / math.Sqrt(float64(s.Dim))
	matrix := int64(s.Queries) * int64(s.Keys)
	for h := range s.Heads {
		keys, values := s.head(k, h), s.head(v, h)
		queries, sums := q[h*s.Queries*s.Dim:(h+1)*s.Queries*s.Dim], out[h*s.Queries*s.Dim:(h+1)*s.Queries*s.Dim]
		for i := range s.Queries {
			first, end := s.sees(i)
			weights := make([]float64, end-first)
			top, total := math.Inf(-1), 0.0
			for j := range weights {
				weights[j] = scale * dot(queries[i*s.Dim:(i+1)*s.Dim], keys[(first+j)*s.Dim:(first+j+1)*s.Dim])
				top = max(top, weights[j])
			}
			for j, w := range weights {
				weights[j] = math.Exp(w - top)
				total += weights[j]
			}
			for d := range s.Dim {
				sum := 0.0
				for j, w := range weights {
					sum += w * float64(values[(first+j)*s.Dim+d])
				}
				sums[i*s.Dim+d] = float32(sum / total)
			}
		}
		// The scores are written whole and read again, and so are the weights.
		t.Read += 4 * (int64(len(queries)+2*len(keys)) + 2*matrix)
		t.Written += 4 * (2*matrix + int64(len(sums)))
	}
	t.Fast = 4 * int64(s.Keys+s.Dim)
	return out, t, nil
}

// head returns the keys or values that query head h reads.
func (s Shape) head(x []float32, h int) []float32 {
	n := s.Keys * s.Dim
	g := h / (s.Heads / s.KVHeads)
	return x[g*n : (g+1)*n]
}

func dot(a, b []float32) float64 {
	sum := 0.0
	for i, x := range a {
		sum += float64(x) * float64(b[i])
	}
	return sum
}

// TileOptions are the settings of [Tiled].
type TileOptions struct {
	// Queries is how many queries of a head are in the fast memory at a time. Default: 64.
	Queries int

	// Keys is how many keys and values are there with them. Default: 64.
	Keys int
}

// Tiled computes attention tile by tile, as FlashAttention does. Each query keeps the
// largest score so far, the sum of exponentials and the sum of values relative to it. When
// a tile brings a larger score, the sums shrink by exp(old - new). So the scores are never
// written, and the result is the same but for rounding. lse is the logarithm of each
// query's sum of exponentials, [Heads][Queries], with which results over parts of the keys
// can be joined.
func Tiled(q, k, v []float32, s Shape, o *TileOptions) (out, lse []float32, t Traffic, err error) {
	p := TileOptions{}
	if o != nil {
		p = *o
	}
	if p.Queries == 0 {
		p.Queries = 64
	}
	if p.Keys == 0 {
		p.Keys = 64
	}
	if p.Queries < 0 || p.Keys < 0 {
		return nil, nil, t, fmt.Errorf("%w: TileOptions are %+v: want 0 (the default, 64) or more", ErrOption, p)
	}
	if err := s.check(q, k, v); err != nil {
		return nil, nil, t, err
	}
	p.Queries, p.Keys = min(p.Queries, s.Queries), min(p.Keys, s.Keys)
	out, lse = make([]float32, len(q)), make([]float32, s.Heads*s.Queries)
	for h := range s.Heads {
		keys, values := s.head(k, h), s.head(v, h)
		for from := 0; from < s.Queries; from += p.Queries {
			to := min(from+p.Queries, s.Queries)
			rows := newRows(s, h, from, to)
			t.Read += 4 * int64(to-from) * int64(s.Dim)
			first, _ := s.sees(from)
			_, end := s.sees(to - 1)
			for at := first - first%p.Keys; at < end; at += p.Keys {
				upTo := min(at+p.Keys, end)
				t.Read += 8 * int64(upTo-at) * int64(s.Dim)
				rows.tile(q, keys, values, at, upTo)
			}
			rows.write(out, lse)
			t.Written += 4 * int64(to-from) * int64(s.Dim+1)
		}
	}
	// The tile of queries with its sums, the tile of keys and values, and their scores.
	t.Fast = 4 * int64(2*p.Queries*s.Dim+2*p.Queries+2*p.Keys*s.Dim+p.Queries*p.Keys)
	return out, lse, t, nil
}

// rows are the running sums of some queries.
type rows struct {
	s        Shape
	h, from  int
	top, sum []float64
	values   []float64
}

func newRows(s Shape, h, from, to int) *rows {
	r := &rows{s: s, h: h, from: from, top: make([]float64, to-from), sum: make([]float64, to-from), values: make([]float64, (to-from)*s.Dim)}
	for i := range r.top {
		r.top[i] = math.Inf(-1)
	}
	return r
}

// tile adds the keys and values from at up to end to each row.
func (r *rows) tile(q, keys, values []float32, at, end int) {
	d, scale := r.s.Dim, 1/math.Sqrt(float64(r.s.Dim))
	scores := make([]float64, end-at)
	for i := range r.top {
		first, last := r.s.sees(r.from + i)
		lo, hi := max(first, at), min(last, end)
		if lo >= hi {
			continue // this row sees nothing of the tile
		}
		row := (r.h*r.s.Queries + r.from + i) * d
		top := r.top[i]
		for j := lo; j < hi; j++ {
			scores[j-at] = scale * dot(q[row:row+d], keys[j*d:(j+1)*d])
			top = max(top, scores[j-at])
		}
		sums := r.values[i*d : (i+1)*d]
		shrink := math.Exp(r.top[i] - top) // 0 at first, when the old top is -Inf
		r.sum[i] *= shrink
		for x := range sums {
			sums[x] *= shrink
		}
		for j := lo; j < hi; j++ {
			w := math.Exp(scores[j-at] - top)
			r.sum[i] += w
			for x := range sums {
				sums[x] += w * float64(values[j*d+x])
			}
		}
		r.top[i] = top
	}
}

func (r *rows) write(out, lse []float32) {
	d := r.s.Dim
	for i, sum := range r.sum {
		row := r.h*r.s.Queries + r.from + i
		for x := range d {
			out[row*d+x] = float32(r.values[i*d+x] / sum)
		}
		lse[row] = float32(r.top[i] + math.Log(sum))
	}
}
