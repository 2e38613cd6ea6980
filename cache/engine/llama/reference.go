package llama

import (
	"fmt"
	"math"

	"github.com/prodailabs/prodai/cache/engine/llama/weights"
)

// Reference is the whole transformer, written to be read: float64, one token after the
// other, no cache beside the plain lists of keys and values, no kernel. The fast
// [Network] is tested against it. It takes 8 bytes for each weight.
type Reference struct {
	Config Config
	turns  [2][]float64 // by 1 if a layer is local, else 0
	tensor map[string][]float64
}

// NewReference reads all weights of a file.
func NewReference(f *weights.File) (*Reference, error) {
	c, err := ReadConfig(f)
	if err != nil {
		return nil, err
	}
	r := &Reference{Config: c, tensor: map[string][]float64{}}
	if r.turns[0], err = ropeTurns(f, c); err != nil {
		return nil, err
	}
	r.turns[1] = turnsOfBase(c.LocalRopeBase, c.HeadSize)
	for _, t := range f.Tensors() {
		x, err := f.Floats(t.Name)
		if err != nil {
			return nil, err
		}
		wide := make([]float64, len(x))
		for i, v := range x {
			wide[i] = float64(v)
		}
		r.tensor[t.Name] = wide
	}
	for _, want := range tensorShapes(c, f) {
		if len(r.tensor[want.name]) != max(1, want.rows)*want.cols {
			return nil, fmt.Errorf("%w: tensor %s is missing or has another shape", ErrModel, want.name)
		}
	}
	return r, nil
}

// Logits returns, for each position, the logits of the token that follows.
func (r *Reference) Logits(tokens []int32) ([][]float64, error) {
	c := r.Config
	keys := make([][]float64, c.Layers)   // of each layer: the keys so far, [position][kv head][element]
	values := make([][]float64, c.Layers) // and the values
	out := make([][]float64, 0, len(tokens))
	for position, token := range tokens {
		if token < 0 || int(token) >= c.Vocabulary {
			return nil, fmt.Errorf("%w: %d", ErrToken, token)
		}
		// x is what the token means so far. Each layer adds to it, twice.
		x := append([]float64(nil), r.tensor["token_embd.weight"][int(token)*c.Width:][:c.Width]...)
		if c.isGemma() {
			for i := range x {
				x[i] *= math.Sqrt(float64(c.Width))
			}
		}
		for l := range c.Layers {
			h := RMSNorm(x, r.of(l, "attn_norm.weight"), c.Epsilon)
			q, k, v := r.project(l, "attn_q", h), r.project(l, "attn_k", h), r.project(l, "attn_v", h)
			r.turn(l, q, r.of(l, "attn_q_norm.weight"), position)
			r.turn(l, k, r.of(l, "attn_k_norm.weight"), position)
			keys[l], values[l] = append(keys[l], k...), append(values[l], v...)
			h = r.project(l, "attn_output", r.attend(l, q, keys[l], values[l], position))
			x = add(x, r.after(l, "post_attention_norm.weight", h))

			h = RMSNorm(x, r.of(l, "ffn_norm.weight"), c.Epsilon)
			unit := GatedUnit
			if c.isGemma() {
				unit = GatedGELU
			}
			h = unit(r.project(l, "ffn_gate", h), r.project(l, "ffn_up", h))
			x = add(x, r.after(l, "post_ffw_norm.weight", r.project(l, "ffn_down", h)))
		}
		h := RMSNorm(x, r.tensor["output_norm.weight"], c.Epsilon)
		head := r.tensor["output.weight"]
		if head == nil { // tied: the rows that embed the tokens also score them
			head = r.tensor["token_embd.weight"]
		}
		out = append(out, multiply(head, h))
	}
	return out, nil
}

func (r *Reference) of(layer int, name string) []float64 {
	return r.tensor[fmt.Sprintf("blk.%d.%s", layer, name)]
}

// project multiplies by a layer's matrix and adds its bias, if it has one.
func (r *Reference) project(layer int, name string, x []float64) []float64 {
	out := multiply(r.of(layer, name+".weight"), x)
	for i, b := range r.of(layer, name+".bias") {
		out[i] += b
	}
	return out
}

// after normalizes what is added to x, if the model does.
func (r *Reference) after(layer int, name string, h []float64) []float64 {
	if norm := r.of(layer, name); norm != nil {
		return RMSNorm(h, norm, r.Config.Epsilon)
	}
	return h
}

// turn normalizes each head, if the model does, and turns it by its position.
func (r *Reference) turn(layer int, heads, norm []float64, position int) {
	turns := r.turns[0]
	if r.Config.IsLocal(layer) {
		turns = r.turns[1]
	}
	for d := r.Config.HeadSize; len(heads) > 0; heads = heads[d:] {
		h := heads[:d]
		if norm != nil {
			copy(h, RMSNorm(h, norm, r.Config.Epsilon))
		}
		copy(h, turnBy(h, position, turns, r.Config.RopeOrder))
	}
}

// attend is [Attention] of one query: the keys of all positions, head by head.
func (r *Reference) attend(layer int, q, keys, values []float64, position int) []float64 {
	c := r.Config
	window := 0
	if c.IsLocal(layer) {
		window = c.Window
	}
	k, v := make([]float64, len(keys)), make([]float64, len(values))
	for p := range position + 1 {
		for h := range c.KVHeads {
			from, to := (p*c.KVHeads+h)*c.HeadSize, (h*(position+1)+p)*c.HeadSize
			copy(k[to:to+c.HeadSize], keys[from:])
			copy(v[to:to+c.HeadSize], values[from:])
		}
	}
	out, _ := Attention(q, k, v, AttentionShape{Heads: c.Heads, KVHeads: c.KVHeads, Queries: 1, Keys: position + 1, Size: c.HeadSize, Causal: true, Window: window})
	return out
}

func multiply(m, x []float64) []float64 {
	out := make([]float64, len(m)/len(x))
	for i := range out {
		out[i] = dot(x, m[i*len(x):])
	}
	return out
}

func add(x, y []float64) []float64 {
	for i, v := range y {
		x[i] += v
	}
	return x
}
