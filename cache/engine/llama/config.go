package llama

import (
	"fmt"
	"math"

	"github.com/prodailabs/prodai/cache/engine/llama/weights"
)

// Config is the shape of a model, as its file states it.
type Config struct {
	Architecture string // "llama", "qwen2", "qwen3" or "gemma3"
	Name         string
	Layers       int
	Width        int // elements of the vector that a token is
	FeedForward  int // elements in the middle of a feed-forward layer
	Heads        int
	KVHeads      int // heads of keys and values, each shared by Heads/KVHeads query heads
	HeadSize     int
	Vocabulary   int
	Context      int // positions that the model was trained for
	Epsilon      float64
	RopeBase     float64
	RopeOrder    RopeOrder
	// Window is how many positions the local layers of Gemma 3 see, their own included; 0:
	// no layer is local. Local layers turn by LocalRopeBase.
	Window        int
	LocalRopeBase float64
}

// IsLocal reports whether a layer sees the last Window positions alone. In Gemma 3 five
// of six do, and the sixth sees all.
func (c Config) IsLocal(layer int) bool { return c.Window > 0 && layer%6 != 5 }

func (c Config) isGemma() bool { return c.Architecture == "gemma3" }

// KVBytes returns what one token occupies in a cache of keys and values.
func (c Config) KVBytes() int { return 2 * 4 * c.Layers * c.KVHeads * c.HeadSize }

// limit bounds each dimension, so that no product of two overflows.
const limit = 1 << 24

// ReadConfig reads the shape from a GGUF file's metadata and checks it. It returns an
// error that wraps [ErrModel] if the architecture is unknown, or a number is missing or
// can't be.
func ReadConfig(f *weights.File) (Config, error) {
	if f == nil {
		return Config{}, fmt.Errorf("%w: no file", ErrOption)
	}
	arch := f.Text("general.architecture")
	c := Config{Architecture: arch, Name: f.Text("general.name"), RopeBase: 10000, RopeOrder: RopeOrderHalves}
	switch arch {
	case "llama":
		c.RopeOrder = RopeOrderNeighbors
	case "qwen2", "qwen3":
	case "gemma3":
		c.RopeBase, c.LocalRopeBase = 1e6, 10000
		n, ok := f.Int("gemma3.attention.sliding_window")
		if !ok || n < 1 || n > limit {
			return Config{}, fmt.Errorf("%w: gemma3.attention.sliding_window is %v", ErrModel, f.Value("gemma3.attention.sliding_window"))
		}
		c.Window = int(n)
	case "":
		return Config{}, fmt.Errorf("%w: the file states no architecture: give a GGUF file, or the folder of a safetensors file with its config.json", ErrModel)
	default:
		return Config{}, fmt.Errorf("%w: the architecture %q: this package runs llama, qwen2, qwen3 and gemma3", ErrModel, arch)
	}
	for key, to := range map[string]*int{
		"block_count": &c.Layers, "embedding_length": &c.Width, "feed_forward_length": &c.FeedForward,
		"attention.head_count": &c.Heads, "context_length": &c.Context,
	} {
		n, ok := f.Int(arch + "." + key)
		if !ok || n < 1 || n > limit {
			return Config{}, fmt.Errorf("%w: %s.%s is %v", ErrModel, arch, key, f.Value(arch+"."+key))
		}
		*to = int(n)
	}
	c.KVHeads = c.Heads
	if n, ok := f.Int(arch + ".attention.head_count_kv"); ok {
		c.KVHeads = int(min(max(n, 0), limit))
	}
	c.HeadSize = c.Width / c.Heads
	if n, ok := f.Int(arch + ".attention.key_length"); ok {
		c.HeadSize = int(min(max(n, 0), limit))
	}
	if v, ok := f.Float(arch + ".rope.freq_base"); ok {
		c.RopeBase = v
	}
	var ok bool
	if c.Epsilon, ok = f.Float(arch + ".attention.layer_norm_rms_epsilon"); !ok {
		return Config{}, fmt.Errorf("%w: %s.attention.layer_norm_rms_epsilon is missing", ErrModel, arch)
	}
	embed, ok := f.Tensor("token_embd.weight")
	if !ok || len(embed.Shape) != 2 {
		return Config{}, fmt.Errorf("%w: token_embd.weight is not a matrix", ErrModel)
	}
	c.Vocabulary = embed.Shape[0]
	return c, c.check(f)
}

func (c Config) check(f *weights.File) error {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("%w: "+format, append([]any{ErrModel}, args...)...)
	}
	switch {
	case c.KVHeads < 1 || c.Heads%c.KVHeads != 0:
		return fail("%d heads can't share %d heads of keys", c.Heads, c.KVHeads)
	case c.HeadSize < 2 || c.HeadSize%2 != 0 || c.HeadSize > 1024 || c.Heads*c.HeadSize > limit:
		return fail("a head of %d elements", c.HeadSize)
	case c.Width%32 != 0 || c.FeedForward%32 != 0 || c.Heads*c.HeadSize%32 != 0:
		return fail("width %d, heads of %d elements and feed-forward %d must be multiples of 32", c.Width, c.Heads*c.HeadSize, c.FeedForward)
	case c.Layers > 1024 || c.Vocabulary < 1:
		return fail("%d layers, %d tokens", c.Layers, c.Vocabulary)
	case !(c.Epsilon >= 0 && c.Epsilon < 1) || !(c.RopeBase > 1) || math.IsInf(c.RopeBase, 0):
		return fail("epsilon %v, rope base %v", c.Epsilon, c.RopeBase)
	}
	a := c.Architecture
	if n, ok := f.Int(a + ".rope.dimension_count"); ok && int(n) != c.HeadSize {
		return fail("%s.rope.dimension_count is %d, a head has %d elements: partial rotation is not supported", a, n, c.HeadSize)
	}
	if n, ok := f.Int(a + ".attention.value_length"); ok && int(n) != c.HeadSize {
		return fail("%s.attention.value_length is %d, want %d", a, n, c.HeadSize)
	}
	if s := f.Text(a + ".rope.scaling.type"); s != "" && s != "none" {
		return fail("%s.rope.scaling.type %q is not supported", a, s)
	}
	if n, ok := f.Int(a + ".expert_count"); ok && n > 0 {
		return fail("%d experts are not supported", n)
	}
	if n, ok := f.Int(a + ".attention.sliding_window"); ok && n > 0 && int(n) < c.Context && !c.isGemma() {
		return fail("a sliding window of %d is not supported", n)
	}
	if c.isGemma() && c.Layers == 62 {
		return fail("Gemma 3 27B, which scales its attention in another way, is not supported")
	}
	return nil
}

// ropeTurns returns for each pair of a head the angle that one position turns it by.
// rope_freqs.weight, which Llama 3.1 files have, divides them.
func ropeTurns(f *weights.File, c Config) ([]float64, error) {
	out := turnsOfBase(c.RopeBase, c.HeadSize)
	if _, ok := f.Tensor("rope_freqs.weight"); !ok {
		return out, nil
	}
	div, err := f.Floats("rope_freqs.weight")
	if err != nil {
		return nil, err
	}
	if len(div) != len(out) {
		return nil, fmt.Errorf("%w: rope_freqs.weight has %d elements, want %d", ErrModel, len(div), len(out))
	}
	for j, d := range div {
		if d <= 0 {
			return nil, fmt.Errorf("%w: rope_freqs.weight has an element %v", ErrModel, d)
		}
		out[j] /= float64(d)
	}
	return out, nil
}

// turnsOfBase returns base^(-2j/size) for each pair j.
func turnsOfBase(base float64, size int) []float64 {
	out := make([]float64, size/2)
	for j := range out {
		out[j] = math.Pow(base, -2*float64(j)/float64(size))
	}
	return out
}
