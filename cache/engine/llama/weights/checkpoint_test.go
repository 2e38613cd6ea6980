package weights_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/cache/engine/llama/weights"
)

// A checkpoint that can be opened: two tensors of its model are enough to read them, and
// too few to run.
var checkpoint = map[string]string{
	"config.json": `{"architectures":["LlamaForCausalLM"],"num_hidden_layers":1,"hidden_size":4,"intermediate_size":4,"num_attention_heads":1,
		"max_position_embeddings":64,"rms_norm_eps":1e-5,"bos_token_id":1,"eos_token_id":[2,1]}`,
	"model.safetensors": string(safetensors(`{"model.embed_tokens.weight":{"dtype":"F32","shape":[6,4],"data_offsets":[0,96]},`+
		`"model.layers.0.self_attn.q_proj.weight":{"dtype":"F32","shape":[4,1],"data_offsets":[96,112]}}`, 112)),
	"tokenizer.json": `{"added_tokens":[{"id":0,"content":"<s>","special":true},{"id":5,"content":"<x>"}],"normalizer":{"type":"NFC"},
		"pre_tokenizer":{"type":"ByteLevel"},
		"post_processor":{"type":"Sequence","processors":[{"type":"ByteLevel"},{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>"}},{"Sequence":{"id":"A"}}]}]},
		"model":{"type":"BPE","vocab":{"a":1,"b":2,"ab":3},"merges":[["a","b"]]}}`,
	"tokenizer_config.json": `{"bos_token":{"content":"<s>"},"chat_template":[{"name":"tool","template":"t"},{"name":"default","template":"d"}]}`,
}

const twoSteps = `"pre_tokenizer":{"type":"Sequence","pretokenizers":[%s,{"type":"ByteLevel","use_regex":%v}]}`

// with returns the checkpoint's folder, in which old, a part of a file, is replaced.
func with(t testing.TB, file, old, replacement string) fstest.MapFS {
	t.Helper()
	dir := fstest.MapFS{}
	for name, text := range checkpoint {
		if name == file {
			require.Contains(t, text, old)
			text = strings.Replace(text, old, replacement, 1)
			if old == "" {
				text = replacement
			}
		}
		dir[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return dir
}

func open(t testing.TB, dir fs.FS) *weights.File {
	t.Helper()
	f, err := weights.ReadCheckpoint(dir, "a model")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	return f
}

func TestCheckpointMetadata(t *testing.T) {
	dir := with(t, "tokenizer.json", "", checkpoint["tokenizer.json"])
	values := binary.LittleEndian.AppendUint32(nil, 0)
	for _, bits := range []uint32{0x3f800000, 0x40000000, 0x40400000} { // 0, 1, 2, 3
		values = binary.LittleEndian.AppendUint32(values, bits)
	}
	file := dir["model.safetensors"].Data
	copy(file[len(file)-16:], values)
	f := open(t, dir)
	q, err := f.Floats("blk.0.attn_q.weight")
	require.NoError(t, err)
	require.Equal(t, []float32{0, 2, 1, 3}, q, "the halves of a head become neighbors")
	for key, want := range map[string]any{
		"general.architecture": "llama", "general.name": "a model", "llama.block_count": uint32(1), "llama.attention.head_count_kv": uint32(1),
		"llama.attention.key_length": uint32(4), "llama.rope.freq_base": float32(10000), "tokenizer.ggml.pre": "gpt-2",
		"tokenizer.ggml.tokens": []string{"<s>", "a", "b", "ab", "[PAD4]", "<x>"}, "tokenizer.ggml.token_type": []int32{3, 1, 1, 1, 5, 4},
		"tokenizer.ggml.merges": []string{"a b"}, "tokenizer.ggml.bos_token_id": uint32(0), "tokenizer.ggml.eos_token_id": uint32(2),
		"tokenizer.ggml.add_bos_token": true, "tokenizer.chat_template": "d",
	} {
		require.Equal(t, want, f.Value(key), key)
	}
	require.Equal(t, float32(1e-6), open(t, with(t, "config.json", `"rms_norm_eps":1e-5,`, "")).Value("llama.attention.layer_norm_rms_epsilon"), "the default of all three architectures")
	dir["chat_template.jinja"] = &fstest.MapFile{Data: []byte("newer")}
	require.Equal(t, "newer", open(t, dir).Value("tokenizer.chat_template"))
	words := `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|%s| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`
	for want, step := range map[string]string{
		"smollm":    fmt.Sprintf(twoSteps, `{"type":"Digits","individual_digits":true}`, true),
		"llama-bpe": fmt.Sprintf(twoSteps, `{"type":"Split","behavior":"Isolated","pattern":{"Regex":"`+fmt.Sprintf(words, `\\p{N}{1,3}`)+`"}}`, false),
		"qwen2":     fmt.Sprintf(twoSteps, `{"type":"Split","behavior":"Isolated","pattern":{"Regex":"`+fmt.Sprintf(words, `\\p{N}`)+`"}}`, false),
	} {
		f := open(t, with(t, "tokenizer.json", `"pre_tokenizer":{"type":"ByteLevel"}`, step))
		require.Equal(t, want, f.Value("tokenizer.ggml.pre"))
	}
}

// The divisors of Llama 3.2's rotation: none for the fast pairs, the factor for the slow
// ones, a mixture for those between.
func TestCheckpointScaledRotation(t *testing.T) {
	dir := with(t, "config.json", `"num_attention_heads":1`, `"num_attention_heads":1,"head_dim":64,"rope_theta":500000,
		"rope_scaling":{"rope_type":"llama3","factor":32,"low_freq_factor":1,"high_freq_factor":4,"original_max_position_embeddings":8192}`)
	x, err := open(t, dir).Floats("rope_freqs.weight")
	require.NoError(t, err)
	require.Len(t, x, 32)
	for j, v := range x {
		switch {
		case j <= 14:
			require.EqualValues(t, 1, v, j)
		case j >= 18:
			require.EqualValues(t, 32, v, j)
		default:
			require.True(t, v > 1 && v < 32 && v > x[j-1], "%d: %v", j, v)
		}
	}
}

func TestHostileCheckpoints(t *testing.T) {
	for name, row := range map[string]struct {
		file, old, replacement string
		want                   error
	}{
		"architecture":        {"config.json", "LlamaForCausalLM", "MambaForCausalLM", weights.ErrUnsupported},
		"no architecture":     {"config.json", `"LlamaForCausalLM"`, "", weights.ErrUnsupported},
		"layers":              {"config.json", `"num_hidden_layers":1`, `"num_hidden_layers":1000000000000`, weights.ErrFormat},
		"negative":            {"config.json", `"num_hidden_layers":1`, `"num_hidden_layers":-1`, weights.ErrFormat},
		"beyond an integer":   {"config.json", `"num_hidden_layers":1`, `"num_hidden_layers":1e99`, weights.ErrFormat},
		"odd head":            {"config.json", `"num_attention_heads":1`, `"num_attention_heads":4`, weights.ErrFormat},
		"quantized":           {"config.json", `"bos_token_id"`, `"quantization_config":{"bits":4},"bos_token_id"`, weights.ErrUnsupported},
		"activation":          {"config.json", `"bos_token_id"`, `"hidden_act":"gelu","bos_token_id"`, weights.ErrUnsupported},
		"window":              {"config.json", `"bos_token_id"`, `"use_sliding_window":true,"bos_token_id"`, weights.ErrUnsupported},
		"partial rotation":    {"config.json", `"bos_token_id"`, `"partial_rotary_factor":0.5,"bos_token_id"`, weights.ErrUnsupported},
		"scaling":             {"config.json", `"bos_token_id"`, `"rope_scaling":{"type":"yarn"},"bos_token_id"`, weights.ErrUnsupported},
		"scaling by nothing":  {"config.json", `"bos_token_id"`, `"rope_parameters":{"rope_type":"llama3"},"bos_token_id"`, weights.ErrFormat},
		"untied, no head":     {"config.json", `"bos_token_id"`, `"tie_word_embeddings":false,"bos_token_id"`, weights.ErrMissing},
		"not JSON":            {"config.json", `{`, `[[`, weights.ErrFormat},
		"nested":              {"config.json", "", strings.Repeat("[", 1_000_000), weights.ErrFormat},
		"a long header":       {"model.safetensors", "", "\xff\xff\xff\xff\xff\xff\xff\xff{}", weights.ErrFormat},
		"a tensor beyond":     {"model.safetensors", "[0,96]", "[0,99]", weights.ErrFormat},
		"a tensor of its own": {"model.safetensors", "layers.0", "layers.1", weights.ErrUnsupported},
		"layer +0":            {"model.safetensors", "layers.0.", "layers+0.", weights.ErrUnsupported},
		"an adapter":          {"model.safetensors", "q_proj.weight", "q_proj.lora_A", weights.ErrUnsupported},
		"odd rows":            {"model.safetensors", "[4,1]", "[1,4]", weights.ErrFormat},
		"no rows":             {"model.safetensors", `[4,1],"data_offsets":[96,112]`, `[0,1],"data_offsets":[96, 96]`, weights.ErrFormat},
		"a flat embedding":    {"model.safetensors", "[6,4]", "[24 ]", weights.ErrMissing},
		"SentencePiece":       {"tokenizer.json", `"type":"BPE"`, `"type":"BPE","byte_fallback":true`, weights.ErrUnsupported},
		"Unigram":             {"tokenizer.json", `"type":"BPE"`, `"type":"Unigram"`, weights.ErrUnsupported},
		"normalizer":          {"tokenizer.json", `"NFC"`, `"Lowercase"`, weights.ErrUnsupported},
		"no words":            {"tokenizer.json", `{"type":"ByteLevel"}`, `null`, weights.ErrUnsupported},
		"other words":         {"tokenizer.json", `"pre_tokenizer":{"type":"ByteLevel"}`, fmt.Sprintf(twoSteps, `{"type":"Split","behavior":"Isolated","pattern":{"Regex":"."}}`, false), weights.ErrUnsupported},
		"a space first":       {"tokenizer.json", `{"type":"ByteLevel"}`, `{"type":"ByteLevel","add_prefix_space":true}`, weights.ErrUnsupported},
		"a large number":      {"tokenizer.json", `"ab":3`, `"ab":6`, weights.ErrFormat},
		"a huge number":       {"tokenizer.json", `"ab":3`, `"ab":9000000000000000000`, weights.ErrFormat},
		"a negative number":   {"tokenizer.json", `"id":5`, `"id":-5`, weights.ErrFormat},
		"a number twice":      {"tokenizer.json", `"ab":3`, `"ab":2`, weights.ErrFormat},
		"a merge of one":      {"tokenizer.json", `["a","b"]`, `["a"]`, weights.ErrFormat},
		"a merge of three":    {"tokenizer.json", `["a","b"]`, `"a b c"`, weights.ErrFormat},
		"a merge of nothing":  {"tokenizer.json", `["a","b"]`, `["","b"]`, weights.ErrFormat},
		"a number as merge":   {"tokenizer.json", `["a","b"]`, `7`, weights.ErrFormat},
		"template":            {"tokenizer_config.json", `{"bos`, `"bos`, weights.ErrFormat},
	} {
		_, err := weights.ReadCheckpoint(with(t, row.file, row.old, row.replacement), name)
		require.ErrorIs(t, err, row.want, name)
	}
	for name := range checkpoint {
		dir := with(t, name, "", "")
		delete(dir, name)
		f, err := weights.ReadCheckpoint(dir, name)
		if name == "tokenizer_config.json" { // all that it has is in other files, or not needed
			require.NoError(t, err)
			require.NoError(t, f.Close())
			continue
		}
		require.ErrorIs(t, err, weights.ErrMissing, name)
	}
}

// An index opens files of its own folder alone, and each tensor has one of them.
func TestHostileIndex(t *testing.T) {
	for index, want := range map[string]error{
		`{"weight_map":{"model.embed_tokens.weight":"/a.safetensors"}}`:                                    weights.ErrFormat,
		`{"weight_map":{"model.embed_tokens.weight":"../a.safetensors"}}`:                                  weights.ErrFormat,
		`{"weight_map":{"model.embed_tokens.weight":"..\\a.safetensors"}}`:                                 weights.ErrFormat,
		`{"weight_map":{"model.embed_tokens.weight":"config.json"}}`:                                       weights.ErrFormat,
		`{"weight_map":{"model.embed_tokens.weight":"none.safetensors"}}`:                                  weights.ErrMissing,
		`{"weight_map":{"model.embed_tokens.weight":"a.safetensors","model.norm.weight":"a.safetensors"}}`: weights.ErrMissing,
		`{"weight_map":{"model.embed_tokens.weight":"a.safetensors","lm_head.weight":"b.safetensors"}}`:    weights.ErrFormat,
		`{"weight_map":{}}`: weights.ErrMissing,
		`{"weight_map":[]}`: weights.ErrFormat,
	} {
		dir := with(t, "config.json", "", checkpoint["config.json"])
		dir["a.safetensors"], dir["b.safetensors"] = dir["model.safetensors"], dir["model.safetensors"]
		delete(dir, "model.safetensors")
		dir["model.safetensors.index.json"] = &fstest.MapFile{Data: []byte(index)}
		_, err := weights.ReadCheckpoint(dir, "a model")
		require.ErrorIs(t, err, want, index)
	}
	_, err := weights.ReadCheckpoint(nil, "")
	require.ErrorIs(t, err, weights.ErrFormat)
}

// A named pipe is refused before it is opened: opening one waits for a writer.
func TestCheckpointOfPipes(t *testing.T) {
	for name := range checkpoint {
		dir := unopened{with(t, name, "", checkpoint[name]), name}
		dir.MapFS[name].Mode = fs.ModeNamedPipe
		_, err := weights.ReadCheckpoint(dir, "a model")
		require.ErrorIs(t, err, weights.ErrFormat, name)
	}
}

// unopened is a folder with a file that can't be opened.
type unopened struct {
	fstest.MapFS
	name string
}

func (u unopened) Open(name string) (fs.File, error) {
	if name == u.name {
		return nil, errors.New("opened")
	}
	return u.MapFS.Open(name)
}

func (u unopened) ReadFile(name string) ([]byte, error) {
	if name == u.name {
		return nil, errors.New("opened")
	}
	return u.MapFS.ReadFile(name)
}

func FuzzCheckpoint(f *testing.F) {
	f.Add(checkpoint["config.json"], checkpoint["model.safetensors"], checkpoint["tokenizer.json"], checkpoint["tokenizer_config.json"])
	f.Fuzz(func(t *testing.T, config, tensors, tokenizer, more string) {
		w, err := weights.ReadCheckpoint(fstest.MapFS{
			"config.json": {Data: []byte(config)}, "model.safetensors": {Data: []byte(tensors)},
			"tokenizer.json": {Data: []byte(tokenizer)}, "tokenizer_config.json": {Data: []byte(more)},
		}, "a model")
		if err != nil {
			if !errors.Is(err, weights.ErrFormat) && !errors.Is(err, weights.ErrType) && !errors.Is(err, weights.ErrMissing) && !errors.Is(err, weights.ErrUnsupported) {
				t.Fatalf("%v wraps no error of the package", err)
			}
			return
		}
		for _, tensor := range w.Tensors() {
			x, err := w.Floats(tensor.Name)
			if err == nil && len(x) != tensor.Elements() {
				t.Fatalf("%d elements of %v", len(x), tensor)
			}
		}
		require.NoError(t, w.Close())
	})
}
