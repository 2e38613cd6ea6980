package weights

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"strings"
)

// ReadCheckpoint reads a folder as Hugging Face's libraries write it: config.json,
// model.safetensors or its index, tokenizer.json, and if they are there
// tokenizer_config.json and chat_template.jinja. It gets the names, the metadata and the
// order of rows that the model's GGUF file has, so everything else knows one form, and
// [File.Requantize] writes that file. name becomes general.name. Close what is returned.
//
// LlamaForCausalLM, Qwen2ForCausalLM and Qwen3ForCausalLM with a byte-level BPE are known;
// what else a model needs is an error that wraps [ErrUnsupported] and names it.
func ReadCheckpoint(dir fs.FS, name string) (*File, error) {
	if dir == nil {
		return nil, fmt.Errorf("%w: no folder", ErrFormat)
	}
	var c checkpointConfig
	if err := readJSON(dir, "config.json", &c); errors.Is(err, ErrMissing) {
		return nil, fmt.Errorf("%w: a folder must be a checkpoint, with config.json, model.safetensors and tokenizer.json", err)
	} else if err != nil {
		return nil, err
	}
	f := &File{byName: map[string]int{}, metaName: map[string]int{}}
	err := c.check()
	if err == nil {
		err = f.readShards(dir, &c)
	}
	if err == nil {
		err = f.tie(&c)
	}
	if err == nil {
		f.describe(name, &c)
		err = f.readTokenizer(dir, &c)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// checkpointConfig is what a model's shape needs of config.json.
type checkpointConfig struct {
	Architectures []string        `json:"architectures"`
	Layers        int             `json:"num_hidden_layers"`
	Width         int             `json:"hidden_size"`
	FeedForward   int             `json:"intermediate_size"`
	Heads         int             `json:"num_attention_heads"`
	KVHeads       int             `json:"num_key_value_heads"`
	HeadSize      int             `json:"head_dim"`
	Context       int             `json:"max_position_embeddings"`
	Epsilon       *float64        `json:"rms_norm_eps"`
	RopeBase      float64         `json:"rope_theta"`
	Scaling       *ropeScaling    `json:"rope_scaling"`
	Parameters    *ropeScaling    `json:"rope_parameters"` // the newer place of both
	Partial       *float64        `json:"partial_rotary_factor"`
	Activation    string          `json:"hidden_act"`
	Tied          *bool           `json:"tie_word_embeddings"`
	Window        bool            `json:"use_sliding_window"`
	Quantized     json.RawMessage `json:"quantization_config"`
	Begin         json.RawMessage `json:"bos_token_id"`
	End           json.RawMessage `json:"eos_token_id"`

	arch string // GGUF's name
}

type ropeScaling struct {
	Type     string  `json:"rope_type"`
	OldType  string  `json:"type"`
	Base     float64 `json:"rope_theta"`
	Factor   float64 `json:"factor"`
	Low      float64 `json:"low_freq_factor"`
	High     float64 `json:"high_freq_factor"`
	Original int     `json:"original_max_position_embeddings"`
}

// architectures are those of a checkpoint that can be read, with GGUF's names.
var architectures = map[string]string{"LlamaForCausalLM": "llama", "Qwen2ForCausalLM": "qwen2", "Qwen3ForCausalLM": "qwen3"}

// maxDimension bounds the numbers of a configuration, so that no product overflows.
const maxDimension = 1 << 24

func (c *checkpointConfig) check() error {
	unsupported := func(format string, args ...any) error {
		return fmt.Errorf("%w: config.json: "+format, append([]any{ErrUnsupported}, args...)...)
	}
	var ok bool
	if len(c.Architectures) == 1 {
		c.arch, ok = architectures[c.Architectures[0]]
	}
	if c.KVHeads == 0 {
		c.KVHeads = c.Heads
	}
	if c.Parameters != nil {
		c.Scaling = c.Parameters
		if c.Parameters.Base != 0 {
			c.RopeBase = c.Parameters.Base
		}
	}
	if c.RopeBase == 0 {
		c.RopeBase = 10000
	}
	switch {
	case !ok:
		return unsupported("the architectures %q: want one of LlamaForCausalLM, Qwen2ForCausalLM and Qwen3ForCausalLM", c.Architectures)
	case len(c.Quantized) > 0 && string(c.Quantized) != "null":
		return unsupported("a quantization_config: its tensors are packed in a form of their own")
	case c.Activation != "" && c.Activation != "silu":
		return unsupported("hidden_act is %q, want silu", c.Activation)
	case c.Window:
		return unsupported("use_sliding_window is set")
	case c.Partial != nil && *c.Partial != 1:
		return unsupported("partial_rotary_factor is %v, want 1", *c.Partial)
	case c.Scaling != nil && !slices.Contains([]string{"", "default", "llama3"}, c.Scaling.kind()):
		return unsupported("the rotation is scaled by %q, want llama3", c.Scaling.kind())
	}
	for name, n := range map[string]int{"num_hidden_layers": c.Layers, "hidden_size": c.Width, "intermediate_size": c.FeedForward,
		"num_attention_heads": c.Heads, "num_key_value_heads": c.KVHeads, "max_position_embeddings": c.Context} {
		if n < 1 || n > maxDimension {
			return fmt.Errorf("%w: config.json: %s is %d", ErrFormat, name, n)
		}
	}
	if c.HeadSize == 0 {
		c.HeadSize = c.Width / c.Heads
	}
	if c.HeadSize < 2 || c.HeadSize%2 != 0 || c.HeadSize > maxDimension {
		return fmt.Errorf("%w: config.json: a head of %d elements", ErrFormat, c.HeadSize)
	}
	return nil
}

func (r *ropeScaling) kind() string {
	if r.Type != "" {
		return r.Type
	}
	return r.OldType
}

// layerTensors are the names of a layer's tensors, and GGUF's.
var layerTensors = map[string]string{
	"input_layernorm.weight": "attn_norm.weight", "post_attention_layernorm.weight": "ffn_norm.weight",
	"self_attn.q_proj.weight": "attn_q.weight", "self_attn.q_proj.bias": "attn_q.bias", "self_attn.q_norm.weight": "attn_q_norm.weight",
	"self_attn.k_proj.weight": "attn_k.weight", "self_attn.k_proj.bias": "attn_k.bias", "self_attn.k_norm.weight": "attn_k_norm.weight",
	"self_attn.v_proj.weight": "attn_v.weight", "self_attn.v_proj.bias": "attn_v.bias",
	"self_attn.o_proj.weight": "attn_output.weight", "self_attn.o_proj.bias": "attn_output.bias",
	"mlp.gate_proj.weight": "ffn_gate.weight", "mlp.up_proj.weight": "ffn_up.weight", "mlp.down_proj.weight": "ffn_down.weight",
}

// ggufName returns GGUF's name of a checkpoint's tensor, and the heads whose rows GGUF
// has in another order, 0: none.
func (c *checkpointConfig) ggufName(name string) (out string, heads int, ok bool) {
	switch name {
	case "model.embed_tokens.weight":
		return "token_embd.weight", 0, true
	case "model.norm.weight":
		return "output_norm.weight", 0, true
	case "lm_head.weight":
		return "output.weight", 0, true
	}
	var layer int
	rest, found := strings.CutPrefix(name, "model.layers.")
	number, rest, dot := strings.Cut(rest, ".")
	if _, err := fmt.Sscanf(number, "%d", &layer); err != nil || !found || !dot || fmt.Sprint(layer) != number || layer < 0 || layer >= c.Layers {
		return "", 0, false
	}
	if out, ok = layerTensors[rest]; !ok {
		return "", 0, false
	}
	if c.arch == "llama" { // its converter makes neighbors of the pairs that are turned
		switch strings.TrimSuffix(strings.TrimSuffix(rest, ".bias"), ".weight") {
		case "self_attn.q_proj":
			heads = c.Heads
		case "self_attn.k_proj":
			heads = c.KVHeads
		}
	}
	return fmt.Sprintf("blk.%d.%s", layer, out), heads, true
}

// readShards opens the files of tensors: one, or those of an index.
func (f *File) readShards(dir fs.FS, c *checkpointConfig) error {
	var index struct {
		Map map[string]string `json:"weight_map"`
	}
	names := []string{"model.safetensors"}
	if _, err := fs.Stat(dir, names[0]); errors.Is(err, fs.ErrNotExist) {
		if err := readJSON(dir, "model.safetensors.index.json", &index); err != nil {
			return err
		}
		seen := map[string]bool{}
		for _, name := range index.Map {
			seen[name] = true
		}
		names = names[:0]
		for name := range seen {
			// A name is a file of the folder: an index from the internet opens no other one.
			if !fs.ValidPath(name) || strings.ContainsAny(name, `/\\`) || !strings.HasSuffix(name, ".safetensors") {
				return fmt.Errorf("%w: the index names the file %q", ErrFormat, name)
			}
			names = append(names, name)
		}
		slices.Sort(names)
	}
	for _, name := range names {
		shard, err := openShard(dir, name)
		if err != nil {
			return missing(err)
		}
		f.shards = append(f.shards, shard)
		for _, t := range shard.tensors {
			if err := f.take(shard, t, c); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	for name := range index.Map {
		if to, _, ok := c.ggufName(name); ok {
			if _, found := f.byName[to]; !found {
				return fmt.Errorf("%w: tensor %q, which the index names", ErrMissing, name)
			}
		}
	}
	return nil
}

func openShard(dir fs.FS, name string) (*File, error) {
	info, err := fs.Stat(dir, name) // before it is opened, which for a pipe waits for a writer
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s is not a regular file", ErrFormat, name)
	}
	file, err := dir.Open(name)
	if err != nil {
		return nil, err
	}
	r, ok := file.(io.ReaderAt)
	info, err = file.Stat()
	switch {
	case err != nil:
	case !ok:
		err = fmt.Errorf("%w: %s can't be read at places", ErrFormat, name)
	default:
		var out *File
		if out, err = Read(r, info.Size()); err == nil {
			out.closer = file
			return out, nil
		}
		err = fmt.Errorf("%s: %w", name, err)
	}
	return nil, errors.Join(err, file.Close())
}

// take adds a shard's tensor under its new name.
func (f *File) take(shard *File, t Tensor, c *checkpointConfig) error {
	if strings.HasSuffix(t.Name, ".rotary_emb.inv_freq") { // computed from the configuration
		return nil
	}
	name, heads, ok := c.ggufName(t.Name)
	if !ok {
		return fmt.Errorf("%w: the tensor %q has no place in this architecture", ErrUnsupported, t.Name)
	}
	if _, twice := f.byName[name]; twice {
		return fmt.Errorf("%w: tensor %q appears twice", ErrFormat, t.Name)
	}
	if heads > 0 && (len(t.Shape) == 0 || t.Shape[0] == 0 || t.Shape[0]%(2*heads) != 0) {
		return fmt.Errorf("%w: tensor %q of shape %v has not an even number of rows for each of %d heads", ErrFormat, t.Name, t.Shape, heads)
	}
	t.Name = name
	f.byName[name] = len(f.tensors)
	f.tensors = append(f.tensors, t)
	f.origins = append(f.origins, origin{r: shard.r, heads: heads})
	return nil
}

// tie leaves out a head that the configuration replaces by the embedding, and adds the
// divisors of a rotation that is scaled as Llama 3.1's.
func (f *File) tie(c *checkpointConfig) error {
	_, head := f.byName["output.weight"]
	switch {
	case c.Tied != nil && *c.Tied && head:
		i := f.byName["output.weight"]
		f.tensors, f.origins = slices.Delete(f.tensors, i, i+1), slices.Delete(f.origins, i, i+1)
		delete(f.byName, "output.weight")
		for name, at := range f.byName {
			if at > i {
				f.byName[name] = at - 1
			}
		}
	case c.Tied != nil && !*c.Tied && !head:
		return fmt.Errorf("%w: lm_head.weight, which config.json doesn't tie to the embedding", ErrMissing)
	}
	if c.Scaling == nil || c.Scaling.kind() != "llama3" {
		return nil
	}
	divisors, err := c.divisors()
	if err != nil {
		return err
	}
	data := make([]byte, 4*len(divisors))
	if err := TypeF32.Encode(data, divisors); err != nil {
		return err
	}
	f.byName["rope_freqs.weight"] = len(f.tensors)
	f.tensors = append(f.tensors, Tensor{Name: "rope_freqs.weight", Type: TypeF32, Shape: []int{len(divisors)}, Size: int64(len(data))})
	f.origins = append(f.origins, origin{r: bytes.NewReader(data)})
	return nil
}

// divisors are what Llama 3.1 divides each pair's angle by: 1 where a turn takes few
// positions, Factor where it takes more than training had, and between the two a
// mixture.
//
// Source: _compute_llama3_parameters of the library transformers.
func (c *checkpointConfig) divisors() ([]float32, error) {
	s := c.Scaling
	if !(s.Factor >= 1) || !(s.Low > 0) || !(s.High > s.Low) || s.Original < 1 || c.HeadSize > 1<<16 || !(c.RopeBase > 1) {
		return nil, fmt.Errorf("%w: config.json: rope_scaling of llama3 with the factors %v, %v and %v, for %d positions", ErrFormat, s.Factor, s.Low, s.High, s.Original)
	}
	out := make([]float32, c.HeadSize/2)
	for j := range out {
		turns := float64(s.Original) * math.Pow(c.RopeBase, -2*float64(j)/float64(c.HeadSize)) / (2 * math.Pi)
		switch {
		case turns > s.High:
			out[j] = 1
		case turns < s.Low:
			out[j] = float32(s.Factor)
		default:
			mix := (turns - s.Low) / (s.High - s.Low)
			out[j] = float32(1 / ((1-mix)/s.Factor + mix))
		}
	}
	return out, nil
}

// describe writes the configuration as GGUF's metadata.
func (f *File) describe(name string, c *checkpointConfig) {
	a := c.arch + "."
	f.set("general.architecture", c.arch)
	f.set("general.name", name)
	for _, p := range []struct {
		key string
		n   int
	}{
		{"block_count", c.Layers}, {"context_length", c.Context}, {"embedding_length", c.Width}, {"feed_forward_length", c.FeedForward},
		{"attention.head_count", c.Heads}, {"attention.head_count_kv", c.KVHeads}, {"attention.key_length", c.HeadSize}, {"attention.value_length", c.HeadSize},
	} {
		f.set(a+p.key, uint32(p.n))
	}
	epsilon := 1e-6 // the default of all three architectures
	if c.Epsilon != nil {
		epsilon = *c.Epsilon
	}
	f.set(a+"attention.layer_norm_rms_epsilon", float32(epsilon))
	f.set(a+"rope.freq_base", float32(c.RopeBase))
}

func (f *File) set(key string, value any) {
	f.metaName[key] = len(f.meta)
	f.meta = append(f.meta, Pair{key, value})
}

// An origin says where a checkpoint's tensor is read from. The rows of heads become
// pairs of neighbors: row 2j of a head is its row j, and row 2j+1 its row j+d/2.
type origin struct {
	r     io.ReaderAt
	heads int // 0: the rows stay
}

func (o origin) order(data []byte, shape []int) []byte {
	if o.heads == 0 {
		return data
	}
	out := make([]byte, 0, len(data))
	size, d := len(data)/shape[0], shape[0]/o.heads
	for h := range o.heads {
		for j := range d / 2 {
			for _, r := range []int{h*d + j, h*d + j + d/2} {
				out = append(out, data[r*size:][:size]...)
			}
		}
	}
	return out
}

// maxJSON bounds the JSON files of a checkpoint. The largest vocabularies take 35 MB.
const maxJSON = 1 << 28

// readJSON reads a file of a checkpoint's folder.
func readJSON(dir fs.FS, name string, to any) error {
	data, err := readSmall(dir, name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, to); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrFormat, name, err)
	}
	return nil
}

func readSmall(dir fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(dir, name)
	if err != nil {
		return nil, missing(err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxJSON {
		return nil, fmt.Errorf("%w: %s is not a regular file of at most %d bytes", ErrFormat, name, maxJSON)
	}
	return fs.ReadFile(dir, name)
}

// missing makes an error of a file that is not there one of this package's.
func missing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", ErrMissing, err)
	}
	return err
}
