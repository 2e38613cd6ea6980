// Package nearest has the code that the exact and the approximate index share.
package nearest

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/prodailabs/prodai/internal/vec"
)

// A Hit is an id and its score. It is an alias of a plain struct, so that an index
// fits interfaces of packages that don't import it.
type Hit = struct {
	ID    int
	Score float64
}

// A Best collects the K best of the hits that are offered to it: those with the
// larger scores, ties by the lower id.
type Best struct {
	K    int
	hits []hit // a heap with the worst on top
}

type hit struct {
	id    int
	score float32
}

// worse reports whether a comes after b.
func worse(a, b hit) bool { return a.score < b.score || a.score == b.score && a.id > b.id }

// Len returns the number of hits collected.
func (b *Best) Len() int { return len(b.hits) }

// Bar returns the score below which a hit is not taken, and whether there is such a
// score: there is one when K hits are collected.
func (b *Best) Bar() (float32, bool) {
	if len(b.hits) < b.K {
		return 0, false
	}
	return b.hits[0].score, true
}

// Offer takes a hit if it is among the best so far. K must be 1 or more.
func (b *Best) Offer(id int, score float32) {
	h := hit{id, score}
	if len(b.hits) < b.K {
		if b.hits == nil {
			b.hits = make([]hit, 0, min(b.K, 256))
		}
		b.hits = append(b.hits, h)
		i := len(b.hits) - 1
		for i > 0 && worse(h, b.hits[(i-1)/2]) {
			b.hits[i] = b.hits[(i-1)/2]
			i = (i - 1) / 2
		}
		b.hits[i] = h
		return
	}
	if !worse(b.hits[0], h) {
		return
	}
	i := 0
	for {
		child := 2*i + 1
		if child >= len(b.hits) {
			break
		}
		if child+1 < len(b.hits) && worse(b.hits[child+1], b.hits[child]) {
			child++
		}
		if !worse(b.hits[child], h) {
			break
		}
		b.hits[i] = b.hits[child]
		i = child
	}
	b.hits[i] = h
}

// Hits returns the hits, best first, and empties b.
func (b *Best) Hits() []Hit {
	slices.SortFunc(b.hits, func(x, y hit) int { return cmp.Or(cmp.Compare(y.score, x.score), cmp.Compare(x.id, y.id)) })
	out := make([]Hit, len(b.hits))
	for i, h := range b.hits {
		out[i] = Hit{ID: h.id, Score: float64(h.score)}
	}
	b.hits = b.hits[:0]
	return out
}

// Prepare checks a vector and copies it, into dst if that is long enough, in the form
// that is compared: for the cosine, scaled to length 1. A zero vector fails with [vec.ErrZero] there, unless
// zero is allowed. Under the other metrics, a vector so long that a score could
// overflow fails with [vec.ErrNotFinite].
func Prepare(dst, v []float32, dim int, m vec.Metric, zero bool) ([]float32, error) {
	check := m
	if zero {
		check = vec.MetricDot
	}
	if err := vec.Check(v, dim, check); err != nil {
		return nil, err
	}
	out := slices.Grow(dst[:0], dim)[:dim]
	if m == vec.MetricCosine {
		vec.Unit(out, v)
		return out, nil
	}
	// If the squares of lengths are below a quarter of the largest float32, no sum
	// of a kernel overflows.
	if norm := vec.Norm(v); norm*norm > math.MaxFloat32/4 {
		return nil, fmt.Errorf("%w: the square of its length, %g, overflows", vec.ErrNotFinite, norm)
	}
	copy(out, v)
	return out, nil
}

// Scores sets out[i] to the score of row ids[i], or of row i if ids is nil.
func Scores(m vec.Metric, q, rows []float32, ids []uint32, out []float32) {
	switch {
	case m == vec.MetricL2 && ids != nil:
		vec.L2At(q, rows, ids, out)
	case m == vec.MetricL2:
		vec.L2Rows(q, rows, out)
	case ids != nil:
		vec.DotAt(q, rows, ids, out)
	default:
		vec.DotRows(q, rows, out)
	}
	if m == vec.MetricL2 {
		for i := range out {
			out[i] = -out[i]
		}
	}
}
