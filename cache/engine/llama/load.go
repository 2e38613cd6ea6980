package llama

import (
	"fmt"
	"math"
	"runtime"
	"slices"

	"github.com/prodailabs/prodai/cache/engine/llama/weights"
	"github.com/prodailabs/prodai/internal/vec"
)

// Precision says in which form a [Network] keeps its matrices.
type Precision uint8

// The forms.
const (
	// PrecisionStored keeps the file's codes of 4 and 8 bits and multiplies them by
	// vectors in 8-bit codes. Types without a kernel of their own (Q2_K, Q3_K, Q5_0,
	// Q5_1, Q5_K, Q6_K, IQ4_NL) become 8-bit codes. Floats stay float32.
	PrecisionStored Precision = iota + 1
	// PrecisionFloat32 widens every weight to float32: exact, 4 bytes a weight, and
	// slower where there are kernels for codes.
	PrecisionFloat32
)

// LoadOptions configures [Load].
type LoadOptions struct {
	// Precision is the form of the matrices. Default: PrecisionStored where this
	// processor has kernels for codes (amd64 with AVX2), PrecisionFloat32 elsewhere,
	// since plain Go multiplies codes slower than floats.
	Precision Precision
	// Threads is how many processor cores a forward pass uses. Default: what the Go
	// runtime uses, at most 8.
	Threads int
}

// A Network is a model's weights, ready to run. Its methods may be called from several
// goroutines; passes run one after the other, so batch sequences that are to run
// together: see [Network.Forward].
type Network struct {
	config  Config
	turns   [2][]float64 // by 1 if a layer is local, else 0
	scale   float32      // of embedding rows
	embed   *matrix
	head    *matrix // embed, if the model ties them
	norm    []float32
	layers  []layer
	threads int
	free    chan *scratch // of length 1: the pass that has it runs
}

type layer struct {
	attentionNorm, feedNorm    []float32
	q, k, v, output            *matrix
	qBias, kBias, vBias, oBias []float32
	qNorm, kNorm               []float32
	gate, up, down             *matrix
	afterAttention, afterFeed  []float32 // norms of what is added; nil: none
	angles, window             int       // which turns; 0: it sees all positions
}

// Load reads a model's weights from a GGUF file. It returns an error that wraps
// [ErrOption], [ErrModel] or one of package weights' errors; the file may be closed
// afterwards.
func Load(f *weights.File, o *LoadOptions) (*Network, error) {
	opt := LoadOptions{}
	if o != nil {
		opt = *o
	}
	if opt.Threads == 0 {
		opt.Threads = min(8, runtime.GOMAXPROCS(0))
	}
	if opt.Precision == 0 {
		opt.Precision = PrecisionStored
		if vec.BlockKernel() == "go" {
			opt.Precision = PrecisionFloat32
		}
	}
	switch {
	case f == nil:
		return nil, fmt.Errorf("%w: no file", ErrOption)
	case opt.Threads < 1 || opt.Threads > 1024:
		return nil, fmt.Errorf("%w: Threads is %d, want 1 to 1024", ErrOption, opt.Threads)
	case opt.Precision > PrecisionFloat32:
		return nil, fmt.Errorf("%w: Precision is %d", ErrOption, opt.Precision)
	}
	c, err := ReadConfig(f)
	if err != nil {
		return nil, err
	}
	for _, want := range tensorShapes(c, f) {
		t, ok := f.Tensor(want.name)
		if !ok || !want.is(t.Shape) {
			return nil, fmt.Errorf("%w: tensor %s has the shape %v, want [%d %d]", ErrModel, want.name, t.Shape, want.rows, want.cols)
		}
	}
	n := &Network{config: c, threads: opt.Threads, free: make(chan *scratch, 1), layers: make([]layer, c.Layers)}
	n.free <- &scratch{}
	if n.turns[0], err = ropeTurns(f, c); err != nil {
		return nil, err
	}
	n.turns[1], n.scale = turnsOfBase(c.LocalRopeBase, c.HeadSize), 1
	if c.isGemma() {
		n.scale = float32(math.Sqrt(float64(c.Width)))
	}
	return n, n.read(&loader{f: f, precision: opt.Precision})
}

// A loader keeps the first error, so that reading is one statement a tensor.
type loader struct {
	f         *weights.File
	precision Precision
	err       error
}

func (l *loader) matrix(name string) *matrix {
	if l.err != nil {
		return nil
	}
	m, err := loadMatrix(l.f, name, l.precision)
	l.err = err
	return m
}

// vector returns nil if the file has no tensor of that name.
func (l *loader) vector(name string) []float32 {
	if _, ok := l.f.Tensor(name); !ok || l.err != nil {
		return nil
	}
	x, err := l.f.Floats(name)
	l.err = err
	return x
}

func (n *Network) read(l *loader) error {
	n.embed = l.matrix("token_embd.weight")
	n.head = n.embed
	if _, ok := l.f.Tensor("output.weight"); ok {
		n.head = l.matrix("output.weight")
	}
	n.norm = l.vector("output_norm.weight")
	for i := range n.layers {
		name := func(s string) string { return fmt.Sprintf("blk.%d.%s", i, s) }
		n.layers[i] = layer{
			attentionNorm: l.vector(name("attn_norm.weight")), feedNorm: l.vector(name("ffn_norm.weight")),
			q: l.matrix(name("attn_q.weight")), k: l.matrix(name("attn_k.weight")), v: l.matrix(name("attn_v.weight")),
			output: l.matrix(name("attn_output.weight")),
			qBias:  l.vector(name("attn_q.bias")), kBias: l.vector(name("attn_k.bias")), vBias: l.vector(name("attn_v.bias")),
			oBias: l.vector(name("attn_output.bias")),
			qNorm: l.vector(name("attn_q_norm.weight")), kNorm: l.vector(name("attn_k_norm.weight")),
			gate: l.matrix(name("ffn_gate.weight")), up: l.matrix(name("ffn_up.weight")), down: l.matrix(name("ffn_down.weight")),
			afterAttention: l.vector(name("post_attention_norm.weight")), afterFeed: l.vector(name("post_ffw_norm.weight")),
		}
		if n.config.IsLocal(i) {
			n.layers[i].angles, n.layers[i].window = 1, n.config.Window
		}
	}
	return l.err
}

// Config returns the model's shape.
func (n *Network) Config() Config { return n.config }

// Bytes returns how many bytes of weights one decoded token reads: with the memory's
// bandwidth, the bound of the speed of decoding.
func (n *Network) Bytes() int {
	sum := n.head.bytes()
	for _, l := range n.layers {
		for _, m := range []*matrix{l.q, l.k, l.v, l.output, l.gate, l.up, l.down} {
			sum += m.bytes()
		}
	}
	return sum
}

type wanted struct {
	name       string
	rows, cols int // rows 0: a vector
}

// is reports whether a tensor has that shape.
func (w wanted) is(shape []int) bool {
	if w.rows == 0 {
		return len(shape) > 0 && shape[len(shape)-1] == w.cols && (weights.Tensor{Shape: shape}).Elements() == w.cols
	}
	return slices.Equal(shape, []int{w.rows, w.cols})
}

// tensorShapes lists what a model's file must contain, and what it contains of what it
// may.
func tensorShapes(c Config, f *weights.File) []wanted {
	q, kv := c.Heads*c.HeadSize, c.KVHeads*c.HeadSize
	out := []wanted{{"token_embd.weight", c.Vocabulary, c.Width}, {"output_norm.weight", 0, c.Width}}
	optional := func(name string, rows, cols int) {
		if _, ok := f.Tensor(name); ok {
			out = append(out, wanted{name, rows, cols})
		}
	}
	optional("output.weight", c.Vocabulary, c.Width)
	for i := range c.Layers {
		name := func(s string) string { return fmt.Sprintf("blk.%d.%s", i, s) }
		out = append(out,
			wanted{name("attn_norm.weight"), 0, c.Width}, wanted{name("ffn_norm.weight"), 0, c.Width},
			wanted{name("attn_q.weight"), q, c.Width}, wanted{name("attn_k.weight"), kv, c.Width}, wanted{name("attn_v.weight"), kv, c.Width},
			wanted{name("attn_output.weight"), c.Width, q},
			wanted{name("ffn_gate.weight"), c.FeedForward, c.Width}, wanted{name("ffn_up.weight"), c.FeedForward, c.Width},
			wanted{name("ffn_down.weight"), c.Width, c.FeedForward})
		optional(name("attn_q.bias"), 0, q)
		optional(name("attn_k.bias"), 0, kv)
		optional(name("attn_v.bias"), 0, kv)
		optional(name("attn_output.bias"), 0, c.Width)
		if c.isGemma() {
			out = append(out, wanted{name("post_attention_norm.weight"), 0, c.Width}, wanted{name("post_ffw_norm.weight"), 0, c.Width})
		}
		optional(name("attn_q_norm.weight"), 0, c.HeadSize)
		optional(name("attn_k_norm.weight"), 0, c.HeadSize)
	}
	return out
}
