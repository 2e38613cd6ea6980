package llama

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/cache/engine/llama/weights"
)

// A shape is a random model for tests.
type shape struct {
	arch                             string
	layers, width, ff, heads, kv, hd int
	vocabulary                       int
	bias, headNorm, tied             bool
	matrices                         weights.Type
}

var shapes = map[string]shape{
	"llama":        {"llama", 2, 64, 96, 4, 2, 16, 50, false, false, true, weights.TypeF32},
	"llama f16":    {"llama", 1, 32, 64, 1, 1, 32, 33, false, false, false, weights.TypeF16},
	"qwen2":        {"qwen2", 2, 64, 96, 2, 1, 32, 40, true, false, true, weights.TypeF32},
	"qwen3":        {"qwen3", 3, 64, 64, 4, 4, 32, 70, false, true, false, weights.TypeBF16},
	"llama Q8_0":   {"llama", 2, 64, 96, 4, 2, 16, 50, false, false, true, weights.TypeQ8_0},
	"llama Q4_1":   {"llama", 2, 64, 96, 4, 2, 16, 50, false, false, true, weights.TypeQ4_1},
	"llama Q4_0":   {"llama", 2, 64, 96, 4, 2, 16, 50, false, false, true, weights.TypeQ4_0},
	"qwen2 Q5_1":   {"qwen2", 2, 64, 96, 2, 1, 32, 40, true, false, true, weights.TypeQ5_1},
	"one layer":    {"llama", 1, 32, 32, 2, 2, 16, 8, false, false, true, weights.TypeF32},
	"gemma3":       {"gemma3", 7, 64, 96, 2, 1, 32, 50, false, true, true, weights.TypeF32},
	"odd sixteens": {"llama", 2, 96, 160, 3, 1, 32, 17, false, false, true, weights.TypeQ8_0},
}

func (s shape) write(t testing.TB, extra ...weights.Pair) *weights.File {
	t.Helper()
	rng := rand.New(rand.NewPCG(7, uint64(s.width)))
	var out []weights.Source
	add := func(name string, typ weights.Type, scale float64, dims ...int) {
		n := 1
		for _, d := range dims {
			n *= d
		}
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(rng.NormFloat64() * scale)
			if len(dims) == 1 {
				x[i] += 1
			}
		}
		out = append(out, weights.Source{Name: name, Type: typ, Shape: dims, Floats: func() ([]float32, error) { return x, nil }})
	}
	add("token_embd.weight", s.matrices, 1, s.vocabulary, s.width)
	add("output_norm.weight", weights.TypeF32, .1, s.width)
	if !s.tied {
		add("output.weight", s.matrices, .2, s.vocabulary, s.width)
	}
	for i := range s.layers {
		blk := func(n string) string { return fmt.Sprintf("blk.%d.%s", i, n) }
		for _, m := range []struct {
			name       string
			rows, cols int
		}{
			{"attn_q", s.heads * s.hd, s.width}, {"attn_k", s.kv * s.hd, s.width}, {"attn_v", s.kv * s.hd, s.width},
			{"attn_output", s.width, s.heads * s.hd}, {"ffn_gate", s.ff, s.width}, {"ffn_up", s.ff, s.width}, {"ffn_down", s.width, s.ff},
		} {
			name := m.name
			add(blk(name+".weight"), s.matrices, .15, m.rows, m.cols)
			if s.bias && (name == "attn_q" || name == "attn_k" || name == "attn_v") {
				add(blk(name+".bias"), weights.TypeF32, .1, m.rows)
			}
		}
		add(blk("attn_norm.weight"), weights.TypeF32, .1, s.width)
		add(blk("ffn_norm.weight"), weights.TypeF32, .1, s.width)
		if s.arch == "gemma3" {
			add(blk("post_attention_norm.weight"), weights.TypeF32, .1, s.width)
			add(blk("post_ffw_norm.weight"), weights.TypeF32, .1, s.width)
		}
		if s.headNorm {
			add(blk("attn_q_norm.weight"), weights.TypeF32, .1, s.hd)
			add(blk("attn_k_norm.weight"), weights.TypeF32, .1, s.hd)
		}
	}
	u32 := func(n int) any { return uint32(n) }
	a := s.arch + "."
	meta := []weights.Pair{
		{Key: "general.architecture", Value: s.arch}, {Key: a + "block_count", Value: u32(s.layers)}, {Key: a + "context_length", Value: u32(512)},
		{Key: a + "embedding_length", Value: u32(s.width)}, {Key: a + "feed_forward_length", Value: u32(s.ff)},
		{Key: a + "attention.head_count", Value: u32(s.heads)}, {Key: a + "attention.head_count_kv", Value: u32(s.kv)},
		{Key: a + "attention.key_length", Value: u32(s.hd)}, {Key: a + "attention.layer_norm_rms_epsilon", Value: float32(1e-5)},
		{Key: a + "rope.freq_base", Value: float32(10000)},
	}
	if s.arch == "gemma3" {
		meta = append(meta, weights.Pair{Key: a + "attention.sliding_window", Value: u32(5)})
	}
	meta = append(meta, extra...)
	var file bytes.Buffer
	require.NoError(t, weights.WriteGGUF(&file, meta, out))
	f, err := weights.Read(bytes.NewReader(file.Bytes()), int64(file.Len()))
	require.NoError(t, err)
	return f
}

// speaking is a random model with a vocabulary: 256 bytes, an end token and some merges.
func speaking(t testing.TB) *weights.File {
	t.Helper()
	s := shapes["llama"]
	s.tied = false
	return s.speaking(t)
}

func (s shape) speaking(t testing.TB) *weights.File {
	t.Helper()
	tokens := []string{"<|endoftext|>", "<|im_start|>", "<|im_end|>"}
	kinds := []int32{3, 3, 3}
	tokens = append(tokens, byteLetters[:]...)
	merges := []string{"t h", "th e", "a n", "Ġ a", `" :`, `{ "`, `" }`, `" ,`, "t r", "u e", "tr ue", "1 2", ": Ġ", "é x", "Ã ©", "[ [", "] ]"}
	for _, m := range merges {
		tokens = append(tokens, strings.ReplaceAll(m, " ", ""))
	}
	for len(kinds) < len(tokens) {
		kinds = append(kinds, 1)
	}
	s.vocabulary = len(tokens)
	return s.write(t, weights.Pair{Key: "tokenizer.ggml.model", Value: "gpt2"}, weights.Pair{Key: "tokenizer.ggml.pre", Value: "smollm"},
		weights.Pair{Key: "tokenizer.ggml.tokens", Value: tokens}, weights.Pair{Key: "tokenizer.ggml.token_type", Value: kinds},
		weights.Pair{Key: "tokenizer.ggml.merges", Value: merges}, weights.Pair{Key: "tokenizer.ggml.eos_token_id", Value: uint32(2)},
		weights.Pair{Key: "tokenizer.ggml.bos_token_id", Value: uint32(1)},
		weights.Pair{Key: "tokenizer.chat_template", Value: "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"})
}

func tokensOf(rng *rand.Rand, n, vocabulary int) []int32 {
	out := make([]int32, n)
	for i := range out {
		out[i] = int32(rng.IntN(vocabulary))
	}
	return out
}

func forward(t testing.TB, n *Network, c *Cache, tokens []int32) [][]float32 {
	t.Helper()
	out, err := n.Forward(t.Context(), []Step{{Cache: c, Tokens: tokens, Logits: RowsAll}})
	require.NoError(t, err)
	return out[0]
}

func TestForwardIsTheReference(t *testing.T) {
	for name, s := range shapes {
		t.Run(name, func(t *testing.T) {
			f := s.write(t)
			ref, err := NewReference(f)
			require.NoError(t, err)
			tokens := tokensOf(rand.New(rand.NewPCG(1, 1)), 75, s.vocabulary)
			want, err := ref.Logits(tokens)
			require.NoError(t, err)
			exact, err := Load(f, &LoadOptions{Precision: PrecisionFloat32, Threads: 2})
			require.NoError(t, err)
			for p, row := range forward(t, exact, exact.NewCache(), tokens) {
				require.InDeltaSlice(t, want[p], wide(row), 1e-4, "position %d", p)
			}
			coded, err := Load(f, &LoadOptions{Precision: PrecisionStored, Threads: 1})
			require.NoError(t, err)
			for p, row := range forward(t, coded, coded.NewCache(), tokens) {
				require.Less(t, distance(want[p], row), .06, "position %d", p)
			}
		})
	}
}

// distance is |a-b| / |a|, lengths of vectors.
func distance(a []float64, b []float32) float64 {
	var d, n float64
	for i, x := range a {
		d += (x - float64(b[i])) * (x - float64(b[i]))
		n += x * x
	}
	return d / n
}

// However a text is cut into passes, batched with others, paged or forked, its logits
// are the same to the last bit.
func TestForwardIsBitEqual(t *testing.T) {
	for _, name := range []string{"llama", "llama Q8_0", "llama Q4_1", "qwen3", "odd sixteens"} {
		t.Run(name, func(t *testing.T) {
			s := shapes[name]
			f := s.write(t)
			rng := rand.New(rand.NewPCG(2, 2))
			n, err := Load(f, &LoadOptions{Precision: PrecisionStored, Threads: 1})
			require.NoError(t, err)
			two, err := Load(f, &LoadOptions{Precision: PrecisionStored, Threads: 3})
			require.NoError(t, err)
			tokens := tokensOf(rng, 300, s.vocabulary)
			want := forward(t, n, n.NewCache(), tokens)
			require.Equal(t, want, forward(t, two, two.NewCache(), tokens), "threads")

			pool, err := n.NewPool(1000)
			require.NoError(t, err)
			paged := pool.NewCache()
			var got [][]float32
			for rest := tokens; len(rest) > 0; {
				k := min(len(rest), 1+rng.IntN(70))
				got = append(got, forward(t, n, paged, rest[:k])...)
				rest = rest[k:]
			}
			require.Equal(t, want, got, "pages, in pieces")

			fork, err := paged.Fork()
			require.NoError(t, err)
			require.NoError(t, fork.Truncate(150))
			other := tokensOf(rng, 20, s.vocabulary)
			forward(t, n, fork, other)
			require.NoError(t, paged.Truncate(140))
			contiguous := n.NewCache()
			forward(t, n, contiguous, tokens[:140])
			batch, err := n.Forward(t.Context(), []Step{
				{Cache: paged, Tokens: tokens[140:], Logits: RowsAll},
				{Cache: fork, Tokens: other},
				{Cache: contiguous, Tokens: tokens[140:141]},
			})
			require.NoError(t, err)
			require.Equal(t, want[140:], batch[0], "the fork wrote into its own page")
			require.Equal(t, want[140:141], batch[2])
			paged.Close()
			fork.Close()
			require.Equal(t, pool.Total(), pool.Free())
		})
	}
}
