package llama

import (
	"math"

	"github.com/prodailabs/prodai/internal/vec"
)

// An attender computes attention for one query head at a time, page by page. It keeps
// the largest score so far; when a page has a larger one, what was added up so far is
// scaled down. So the scores of all keys never exist at once: the trick that flash
// attention is built on.
//
// Source: Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018;
// Dao et al., "FlashAttention", 2022, section 3.1.
type attender struct {
	scores [PageTokens]float32
}

// attend sets out to the weighted sum of the values that q sees: those of the cache's
// tokens from first up to visible.
func (a *attender) attend(c *Cache, layer, head, first, visible int, q, out []float32) {
	scale := float32(1 / math.Sqrt(float64(len(q))))
	top, sum := float32(math.Inf(-1)), float32(0)
	clear(out)
	for i := first / PageTokens; i*PageTokens < visible; i++ {
		skip := max(0, first-i*PageTokens)
		n := min(PageTokens, visible-i*PageTokens) - skip
		keys, values := c.page(layer, head, i)
		keys, values = keys[skip*len(q):], values[skip*len(q):]
		s := a.scores[:n]
		vec.DotRows(q, keys, s)
		highest := top
		for j := range s {
			s[j] *= scale
			highest = max(highest, s[j])
		}
		if highest > top {
			shrink := float32(math.Exp(float64(top - highest))) // 0 at first
			for e := range out {
				out[e] *= shrink
			}
			sum *= shrink
			top = highest
		}
		sum += vec.ExpSum(s, s, top)
		vec.AddRows(out, s, values[:n*len(q)])
	}
	for e := range out {
		out[e] /= sum
	}
}

// weigh returns the attention weights that attend computes with, all at once; those of
// tokens before first are 0.
func (a *attender) weigh(c *Cache, layer, head, first, visible int, q []float32) []float32 {
	out := make([]float32, visible)
	scale := float32(1 / math.Sqrt(float64(len(q))))
	top := float32(math.Inf(-1))
	for i := 0; i*PageTokens < visible; i++ {
		keys, _ := c.page(layer, head, i)
		vec.DotRows(q, keys, out[i*PageTokens:min(visible, (i+1)*PageTokens)])
	}
	seen := out[first:]
	for j := range seen {
		seen[j] *= scale
		top = max(top, seen[j])
	}
	sum := vec.ExpSum(seen, seen, top)
	for j := range seen {
		seen[j] /= sum
	}
	clear(out[:first])
	return out
}
