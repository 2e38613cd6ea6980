package llama

import "math"

// The operators of the transformer, plainly and in float64. [Reference] is made of
// them, and the fast forward pass is tested against it.

// Softmax returns e^x[i] / Σ e^x[j], and the logarithm of the sum. The maximum is
// taken off first, since e^710 overflows.
func Softmax(x []float64) (p []float64, logSumExp float64) {
	top := math.Inf(-1)
	for _, v := range x {
		top = max(top, v)
	}
	p = make([]float64, len(x))
	sum := 0.0
	for i, v := range x {
		p[i] = math.Exp(v - top)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p, top + math.Log(sum)
}

// RMSNorm returns x divided by its root mean square, times the weights w:
// x[i] · w[i] / sqrt(mean(x²) + epsilon).
//
// Source: Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019, equation 4.
func RMSNorm(x, w []float64, epsilon float64) []float64 {
	sum := 0.0
	for _, v := range x {
		sum += v * v
	}
	r := 1 / math.Sqrt(sum/float64(len(x))+epsilon)
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = v * r * w[i]
	}
	return out
}

// GatedUnit returns silu(gate) · up, element by element, where silu(x) = x / (1 + e^-x):
// the middle of the feed-forward layer, called SwiGLU.
//
// Source: Shazeer, "GLU Variants Improve Transformer", 2020.
func GatedUnit(gate, up []float64) []float64 {
	out := make([]float64, len(gate))
	for i, g := range gate {
		out[i] = g / (1 + math.Exp(-g)) * up[i]
	}
	return out
}

// GatedGELU is [GatedUnit] with gelu in place of silu, as Gemma has it:
// gelu(x) = x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))/2.
//
// Source: Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016, section 2.
func GatedGELU(gate, up []float64) []float64 {
	out := make([]float64, len(gate))
	for i, g := range gate {
		out[i] = g * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(g+0.044715*g*g*g))) / 2 * up[i]
	}
	return out
}

// A RopeOrder says which elements of a head form the pairs that RoPE turns.
type RopeOrder uint8

// The orders. A model that is run with the wrong one writes fluent nonsense.
const (
	RopeOrderNeighbors RopeOrder = iota + 1 // elements 2j and 2j+1: GGUF's order for llama
	RopeOrderHalves                         // elements j and j+d/2: Hugging Face's, and GGUF's for qwen
)

// Rope turns pair j of a head of d elements by the angle position · base^(-2j/d): a
// rotary position embedding. The dot product of two heads that were turned so depends
// on the distance of their positions alone.
//
// Source: Su et al., "RoFormer: Enhanced Transformer with Rotary Position Embedding",
// 2021, section 3.2.
func Rope(x []float64, position int, base float64, order RopeOrder) []float64 {
	return turnBy(x, position, turnsOfBase(base, len(x)), order)
}

// turnBy turns pair j by position · turns[j].
func turnBy(x []float64, position int, turns []float64, order RopeOrder) []float64 {
	out := make([]float64, len(x))
	copy(out, x)
	for j, turn := range turns {
		sin, cos := math.Sincos(float64(position) * turn)
		a, b := 2*j, 2*j+1
		if order == RopeOrderHalves {
			a, b = j, j+len(x)/2
		}
		out[a], out[b] = x[a]*cos-x[b]*sin, x[a]*sin+x[b]*cos
	}
	return out
}

// AttentionShape describes the inputs of [Attention].
type AttentionShape struct {
	Heads, KVHeads int // query heads, and heads of keys and values: a divisor of Heads
	Queries, Keys  int // positions; the last query is at the last key
	Size           int // elements of a head
	Causal         bool
	Window         int // a query sees the last Window positions, its own included; 0: all
}

// Attention lets each query look at the keys: its scores are the dot products, divided
// by sqrt(Size); their softmax weighs the values. q and out are [head][query][element],
// k and v are [kv head][key][element]; lse has each softmax's log-sum, [head][query].
//
// Source: Vaswani et al., "Attention Is All You Need", 2017, section 3.2; Ainslie et al.,
// "GQA", 2023, for heads that share keys and values.
func Attention(q, k, v []float64, s AttentionShape) (out, lse []float64) {
	out = make([]float64, s.Heads*s.Queries*s.Size)
	lse = make([]float64, s.Heads*s.Queries)
	for h := range s.Heads {
		kv := h / (s.Heads / s.KVHeads) * s.Keys * s.Size
		for i := range s.Queries {
			at := (h*s.Queries + i) * s.Size
			first, last := s.visible(i)
			scores := make([]float64, 0, last-first)
			for j := first; j < last; j++ {
				scores = append(scores, dot(q[at:at+s.Size], k[kv+j*s.Size:])/math.Sqrt(float64(s.Size)))
			}
			p, sum := Softmax(scores)
			lse[h*s.Queries+i] = sum
			for j, w := range p {
				for e := range s.Size {
					out[at+e] += w * v[kv+(first+j)*s.Size+e]
				}
			}
		}
	}
	return out, lse
}

// visible returns the keys that query i may look at, from first up to last.
func (s AttentionShape) visible(i int) (first, last int) {
	at := i + s.Keys - s.Queries
	last = s.Keys
	if s.Causal {
		last = at + 1
	}
	if s.Window > 0 {
		first = max(0, at+1-s.Window)
	}
	return first, last
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i, x := range a {
		sum += x * b[i]
	}
	return sum
}
