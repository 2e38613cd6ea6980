package llama

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/cache/engine/llama/tiny"
	"github.com/prodailabs/prodai/cache/engine/llama/weights"
)

var checkpointNames = map[string]string{
	"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head",
	"attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
	"attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj",
	"attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm",
	"ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
}

// checkpointName is the name in a checkpoint of a GGUF file's tensor.
func checkpointName(gguf string) string {
	parts := strings.Split(gguf, ".")
	name := checkpointNames[parts[len(parts)-2]] + "." + parts[len(parts)-1]
	if parts[0] == "blk" {
		name = "model.layers." + parts[1] + "." + name
	}
	return name
}

// halves is the order of rows in a checkpoint: those of a head that GGUF has at 2j and 2j+1
// are j and j+d/2.
func halves(x []float32, rows, heads int) []float32 {
	out := make([]float32, len(x))
	size, d := len(x)/rows, rows/heads
	for h := range heads {
		for j := range d / 2 {
			copy(out[(h*d+j)*size:][:size], x[(h*d+2*j)*size:])
			copy(out[(h*d+j+d/2)*size:][:size], x[(h*d+2*j+1)*size:])
		}
	}
	return out
}

func writeJSON(t testing.TB, dir, name string, v any) {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
}

// asCheckpoint writes a model as Hugging Face's libraries do, its tensors in some files.
func asCheckpoint(t testing.TB, f *weights.File, shards int) string {
	t.Helper()
	dir := t.TempDir()
	c, err := ReadConfig(f)
	require.NoError(t, err)
	index := map[string]string{}
	tensors := f.Tensors()
	for s := range shards {
		name := "model.safetensors"
		if shards > 1 {
			name = fmt.Sprintf("model-%05d-of-%05d.safetensors", s+1, shards)
		}
		head, data := map[string]any{}, []byte(nil)
		for i, tensor := range tensors {
			if i%shards != s {
				continue
			}
			x, err := f.Floats(tensor.Name)
			require.NoError(t, err)
			if c.Architecture == "llama" && strings.Contains(tensor.Name, "attn_q.") {
				x = halves(x, tensor.Shape[0], c.Heads)
			}
			if c.Architecture == "llama" && strings.Contains(tensor.Name, "attn_k.") {
				x = halves(x, tensor.Shape[0], c.KVHeads)
			}
			from := len(data)
			for _, v := range x {
				data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
			}
			head[checkpointName(tensor.Name)] = map[string]any{"dtype": "F32", "shape": tensor.Shape, "data_offsets": []int{from, len(data)}}
			index[checkpointName(tensor.Name)] = name
		}
		text, err := json.Marshal(head)
		require.NoError(t, err)
		file := binary.LittleEndian.AppendUint64(nil, uint64(len(text)))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), append(append(file, text...), data...), 0o600))
	}
	if shards > 1 {
		writeJSON(t, dir, "model.safetensors.index.json", map[string]any{"weight_map": index})
	}
	_, untied := f.Tensor("output.weight")
	writeJSON(t, dir, "config.json", map[string]any{
		"architectures":     []string{map[string]string{"llama": "LlamaForCausalLM", "qwen2": "Qwen2ForCausalLM", "qwen3": "Qwen3ForCausalLM"}[c.Architecture]},
		"num_hidden_layers": c.Layers, "hidden_size": c.Width, "intermediate_size": c.FeedForward, "num_attention_heads": c.Heads,
		"num_key_value_heads": c.KVHeads, "head_dim": c.HeadSize, "max_position_embeddings": c.Context, "rms_norm_eps": c.Epsilon,
		"rope_theta": c.RopeBase, "hidden_act": "silu", "tie_word_embeddings": !untied, "rope_scaling": nil,
	})
	writeTokenizer(t, dir, f)
	return dir
}

// writeTokenizer writes a vocabulary as tokenizer.json.
func writeTokenizer(t testing.TB, dir string, f *weights.File) {
	t.Helper()
	vocabulary, added := map[string]int{}, []map[string]any{}
	kinds, _ := f.Value("tokenizer.ggml.token_type").([]int32)
	tokens, _ := f.Value("tokenizer.ggml.tokens").([]string)
	for i, s := range tokens {
		if kinds[i] == int32(kindControl) {
			added = append(added, map[string]any{"id": i, "content": s, "special": true})
		} else {
			vocabulary[s] = i
		}
	}
	steps := []any{map[string]any{"type": "ByteLevel", "add_prefix_space": false, "use_regex": true}}
	if f.Text("tokenizer.ggml.pre") == "smollm" {
		steps = append([]any{map[string]any{"type": "Digits", "individual_digits": true}}, steps...)
	}
	writeJSON(t, dir, "tokenizer.json", map[string]any{
		"added_tokens":  added,
		"pre_tokenizer": map[string]any{"type": "Sequence", "pretokenizers": steps},
		"model":         map[string]any{"type": "BPE", "vocab": vocabulary, "merges": f.Value("tokenizer.ggml.merges")},
	})
	special := func(key string) any {
		if id, ok := f.Int("tokenizer.ggml." + key); ok {
			return map[string]any{"content": tokens[id]}
		}
		return nil
	}
	writeJSON(t, dir, "tokenizer_config.json", map[string]any{
		"bos_token": special("bos_token_id"), "eos_token": special("eos_token_id"), "chat_template": f.Value("tokenizer.chat_template"),
		"add_bos_token": f.Value("tokenizer.ggml.add_bos_token"),
	})
}

// The same weights give the same logits, to the last bit, from either form; and the
// checkpoint rewritten as GGUF is the file that it came from.
func TestCheckpointIsTheGGUF(t *testing.T) {
	for name, row := range map[string]struct {
		f      *weights.File
		shards int
	}{
		"llama": {speaking(t), 1}, "qwen2": {shapes["qwen2"].speaking(t), 2}, "qwen3": {shapes["qwen3"].speaking(t), 3}, "tiny": {tiny.Draft(), 3},
	} {
		f := row.f
		checkpoint, err := weights.Open(asCheckpoint(t, f, row.shards))
		require.NoError(t, err, name)
		var rewritten bytes.Buffer
		require.NoError(t, checkpoint.Requantize(&rewritten, func(weights.Tensor) weights.Type { return weights.TypeF32 }))
		again, err := weights.Read(bytes.NewReader(rewritten.Bytes()), int64(rewritten.Len()))
		require.NoError(t, err)
		tokens := []int32{5, 0, 200, 7, 7, 30}
		var logits [3][][]float32
		for i, w := range []*weights.File{f, checkpoint, again} {
			n, err := Load(w, &LoadOptions{Threads: 1, Precision: PrecisionFloat32})
			require.NoError(t, err)
			logits[i] = forward(t, n, n.NewCache(), tokens)
		}
		for p := range tokens {
			require.True(t, slices.Equal(logits[0][p], logits[1][p]), "%s: the checkpoint, position %d", name, p)
			require.True(t, slices.Equal(logits[0][p], logits[2][p]), "%s: the rewritten file, position %d", name, p)
		}
		for _, tensor := range f.Tensors() {
			x, err := f.Floats(tensor.Name)
			require.NoError(t, err)
			y, err := checkpoint.Floats(tensor.Name)
			require.NoError(t, err)
			require.True(t, slices.Equal(x, y), tensor.Name)
		}
		a, err := ReadTokenizer(f)
		require.NoError(t, err)
		b, err := ReadTokenizer(checkpoint)
		require.NoError(t, err)
		text := "An error that is 12 months old, <|im_end|> isn't retried é."
		require.Equal(t, a.Prompt(text, SpecialTokens), b.Prompt(text, SpecialTokens))
		require.NoError(t, checkpoint.Close())
	}
}

// The rows of a head are put in order as RoPE pairs them: pairs of halves in the checkpoint
// turn as pairs of neighbors in GGUF do.
func TestCheckpointPairs(t *testing.T) {
	f := speaking(t)
	dir := asCheckpoint(t, f, 1)
	config, err := os.ReadFile(filepath.Join(dir, "config.json"))
	require.NoError(t, err)
	// Qwen2 without biases is the same network with pairs of halves.
	halves := bytes.Replace(config, []byte("LlamaForCausalLM"), []byte("Qwen2ForCausalLM"), 1)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "config.json"), halves, 0o600))
	checkpoint, err := weights.Open(dir)
	require.NoError(t, err)
	defer func() { require.NoError(t, checkpoint.Close()) }()
	tokens := []int32{5, 0, 200, 7, 7, 30}
	var logits [2][][]float32
	for i, w := range []*weights.File{f, checkpoint} {
		n, err := Load(w, &LoadOptions{Threads: 1, Precision: PrecisionFloat32})
		require.NoError(t, err)
		logits[i] = forward(t, n, n.NewCache(), tokens)
	}
	for p := range tokens {
		require.InDeltaSlice(t, wide(logits[0][p]), wide(logits[1][p]), 1e-4)
	}
}

func TestModelFromACheckpoint(t *testing.T) {
	f := speaking(t)
	want, err := New(f, &Options{MaxTokens: 12})
	require.NoError(t, err)
	got, err := Open(asCheckpoint(t, f, 1), &Options{MaxTokens: 12})
	require.NoError(t, err)
	a, err := want.GenerateContent(t.Context(), ask("What is a cache?"))
	require.NoError(t, err)
	b, err := got.GenerateContent(t.Context(), ask("What is a cache?"))
	require.NoError(t, err)
	require.Equal(t, a.Choices[0].Content, b.Choices[0].Content)
}
