package size_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/cache/engine/size"
)

func model(t *testing.T, name string) size.Model {
	t.Helper()
	m, ok := size.FindModel(name)
	require.True(t, ok, name)
	return m
}

func gpu(t *testing.T, name string) size.GPU {
	t.Helper()
	g, ok := size.FindGPU(name)
	require.True(t, ok, name)
	return g
}

// The KV cache of a token, as published.
func TestPublishedKVCaches(t *testing.T) {
	for _, c := range []struct {
		model  size.Model
		want   float64
		source string
	}{
		{size.Model{Layers: 40, Hidden: 5120, Heads: 40, KVHeads: 40}, 819_200, "OPT-13B: 800 KB, the PagedAttention paper, section 3"},
		{model(t, "Llama-3.1-8B"), 131_072, "vllm-fit#2"},
		{model(t, "Llama-3.1-405B"), 516_096, "Insights into DeepSeek-V3 (2025), table 1: 516.096 KB"},
		{model(t, "Qwen2.5-72B"), 327_680, "the same: 327.680 KB"},
		{model(t, "DeepSeek-V3"), 70_272, "the same: 70.272 KB"},
		{model(t, "gpt-oss-120b"), 73_728, "hf-mem#60"},
	} {
		require.Equal(t, c.want, c.model.KVBytesPerToken(size.FormatBF16), c.source)
		require.Equal(t, c.want, c.model.KVBytes(1, size.FormatBF16), c.source)
		require.Equal(t, c.want/2, c.model.KVBytesPerToken(size.FormatFP8), c.source)
	}
	// "Llama 3.1 - 405B, 70B & 8B", huggingface.co/blog/llama31: the KV cache in GiB. (Its row
	// of the 405B model has twice the published heads, as the first upload had.)
	for name, want := range map[string]map[int]float64{
		"Llama-3.1-8B":  {1000: 0.125, 16_000: 1.95, 128_000: 15.62},
		"Llama-3.1-70B": {1000: 0.313, 16_000: 4.88, 128_000: 39.06},
	} {
		m := model(t, name)
		for length, gib := range want {
			require.InEpsilon(t, gib, m.KVBytes(length, size.FormatBF16)/(1<<30), 0.05, "%s at %d", name, length)
		}
	}
	// The PagedAttention paper, table 1: how many tokens the memory for the KV cache has.
	for _, c := range []struct {
		layers, hidden int
		gib, slots     float64
	}{{40, 5120, 12, 15.7e3}, {64, 9216, 21, 9.7e3}, {96, 12288, 264, 60.1e3}} {
		m := size.Model{Layers: c.layers, Hidden: c.hidden, Heads: c.hidden / 128, KVHeads: c.hidden / 128}
		require.InEpsilon(t, c.slots, c.gib*(1<<30)/m.KVBytesPerToken(size.FormatBF16), 0.02)
	}
}

// The number of weights of dense models follows from their shape.
func TestPublishedWeights(t *testing.T) {
	for name, want := range map[string]int64{
		"SmolLM2-135M": 134_515_008, "Llama-3.2-1B": 1_235_814_400, "Llama-2-7B": 6_738_415_616, "Llama-3.1-8B": 8_030_261_248,
		"Llama-3.1-70B": 70_553_706_496, "Llama-3.1-405B": 405_853_388_800, "Mixtral-8x7B": 46_702_792_704,
	} {
		m := model(t, name)
		got, err := m.Weights()
		require.NoError(t, err)
		require.Equal(t, want, got, name)
	}
	for name, want := range map[string]float64{"Qwen2.5-0.5B": 494.0e6, "Qwen2.5-32B": 32.76e9, "Qwen2.5-72B": 72.7e9} { // they have biases too
		m := model(t, name)
		got, err := m.Weights()
		require.NoError(t, err)
		require.InEpsilon(t, want, float64(got), 0.002, name)
	}
}

// "Accelerating Generative AI with PyTorch II" (2023) measured Llama-2-7B on an A100 with
// 80 GB, one sequence: no measurement is above the bound, and a good one is near it.
func TestPublishedSpeeds(t *testing.T) {
	for _, c := range []struct {
		format   size.Format
		measured float64
		least    float64 // of the bound
	}{{size.FormatBF16, 104.9, 0.65}, {size.FormatINT8, 155, 0.5}, {size.FormatINT4, 196.8, 0.33}} {
		r, err := size.Plan(model(t, "Llama-2-7B"), gpu(t, "A100 80GB"), &size.Options{Weights: c.format, Length: 512, Efficiency: 1})
		require.NoError(t, err)
		require.Less(t, c.measured, r.DecodeOne, c.format)
		require.Greater(t, c.measured, c.least*r.DecodeOne, c.format)
	}
	r, err := size.Plan(model(t, "Llama-2-7B"), gpu(t, "A100 80GB"), &size.Options{Length: 512})
	require.NoError(t, err)
	require.InEpsilon(t, 104.9, r.DecodeOne, 0.05, "the default Efficiency is from it")
}

func TestPlan(t *testing.T) {
	r, err := size.Plan(model(t, "Llama-3.1-8B"), gpu(t, "A10"), nil)
	require.NoError(t, err)
	require.InDelta(t, 16.06e9, r.WeightBytes, 0.01e9)
	require.Greater(t, r.KVBytes, 1e9)
	require.Less(t, r.KVBytes, 4e9)
	require.Equal(t, int(r.KVBytes/131072), r.Tokens)
	require.Equal(t, r.Tokens/8192, r.AtLength)
	require.Equal(t, "vllm serve NAME --max-model-len 8192 --gpu-memory-utilization 0.9 --max-num-seqs 3 --max-num-batched-tokens 8192", strings.Join(r.Flags("NAME"), " "))

	no, err := size.Plan(model(t, "Llama-3.1-70B"), gpu(t, "H100 80GB"), nil)
	require.NoError(t, err)
	require.Negative(t, no.KVBytes)
	require.Zero(t, no.AtLength)
	require.Zero(t, no.DecodeAll)
	two, err := size.Plan(model(t, "Llama-3.1-70B"), gpu(t, "H100 80GB"), &size.Options{GPUs: 2, Weights: size.FormatFP8, KV: size.FormatFP8, Typical: 1000})
	require.NoError(t, err)
	require.Positive(t, two.AtLength)
	require.Greater(t, two.AtTypical, two.AtLength)
	flags := strings.Join(two.Flags("NAME"), " ")
	for _, want := range []string{"--tensor-parallel-size 2", "--kv-cache-dtype fp8", "--quantization fp8"} {
		require.Contains(t, flags, want)
	}
	require.Greater(t, two.DecodeAll, 10*two.DecodeOne, "batching pays while the weights are what is read")

	// A latent is copied to every GPU (kaito#2139), and so is a head that can't be divided.
	m := model(t, "DeepSeek-V3")
	one, err := size.Plan(m, gpu(t, "H200"), &size.Options{Weights: size.FormatFP8, GPUs: 1})
	require.NoError(t, err)
	eight, err := size.Plan(m, gpu(t, "H200"), &size.Options{Weights: size.FormatFP8, GPUs: 8})
	require.NoError(t, err)
	require.Equal(t, one.KVPerToken, eight.KVPerToken)
	require.Negative(t, one.KVBytes)
	require.Positive(t, eight.KVBytes)
	small := model(t, "SmolLM2-135M")
	three, err := size.Plan(small, gpu(t, "T4"), &size.Options{GPUs: 3})
	require.NoError(t, err)
	nine, err := size.Plan(small, gpu(t, "T4"), &size.Options{GPUs: 9})
	require.NoError(t, err)
	require.Equal(t, three.KVPerToken, nine.KVPerToken)

	// Windows bound the cache of their layers (hf-mem#60).
	oss := model(t, "gpt-oss-120b")
	require.Equal(t, 18*2048*(1000+128), int(oss.KVBytes(1000, size.FormatBF16)))
}

func TestMoreMemoryIsNeverWorse(t *testing.T) {
	for _, m := range size.Models() {
		last := -1
		for _, gb := range []float64{10, 40, 80, 141, 200, 1000, 10_000} {
			r, err := size.Plan(m, size.GPU{Name: "test", MemoryGB: gb, Bandwidth: 1000, TFLOPS: 100}, nil)
			require.NoError(t, err, m.Name)
			require.GreaterOrEqual(t, r.Tokens, max(last, 0))
			last = r.Tokens
			for _, v := range []float64{r.DecodeOne, r.DecodeAll, r.Prefill, r.TimePerToken} {
				require.False(t, math.IsNaN(v) || math.IsInf(v, 0) || v < 0)
			}
		}
	}
}

func TestBadPlans(t *testing.T) {
	m, g := model(t, "Llama-3.1-8B"), gpu(t, "L4")
	for _, o := range []size.Options{
		{GPUs: -1}, {GPUs: 3}, {Length: -1}, {Step: 1 << 40}, {Utilization: 1.1}, {Utilization: math.NaN()}, {Efficiency: -1}, {Overhead: -1},
		{Overhead: math.Inf(1)}, {Typical: 9000}, {Weights: 99}, {KV: 99},
	} {
		_, err := size.Plan(m, g, &o)
		require.ErrorIs(t, err, size.ErrOption, "%+v", o)
	}
	for _, bad := range []size.Model{{}, {Layers: 1, Hidden: 8, Heads: 2, KVHeads: 3}, {Layers: 1, Hidden: 8, Heads: 2, KVHeads: 2}, {Layers: 1, Hidden: 8, Heads: 2, KVHeads: 2, WindowLayers: 2, Intermediate: 3}} {
		_, err := size.Plan(bad, g, nil)
		require.ErrorIs(t, err, size.ErrOption, "%+v", bad)
	}
	for _, bad := range []size.GPU{{}, {MemoryGB: 1, Bandwidth: math.Inf(1), TFLOPS: 1}, {MemoryGB: math.NaN(), Bandwidth: 1, TFLOPS: 1}, {MemoryGB: 1, Bandwidth: 1, TFLOPS: 1, FP8TFLOPS: -1}} {
		_, err := size.Plan(m, bad, nil)
		require.ErrorIs(t, err, size.ErrOption, "%+v", bad)
	}
}

func TestReadConfig(t *testing.T) {
	for _, c := range []struct {
		text string
		kv   float64
	}{
		{`{"model_type": "llama", "num_hidden_layers": 32, "hidden_size": 4096, "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 14336, "vocab_size": 128256}`, 131_072},
		{`{"model_type": "gpt2", "n_layer": 12, "n_embd": 768, "n_head": 12, "vocab_size": 50257}`, 36_864},
		{`{"model_type": "gpt_oss", "num_hidden_layers": 36, "hidden_size": 2880, "num_attention_heads": 64, "num_key_value_heads": 8, "head_dim": 64, "sliding_window": 128,
			"layer_types": ["sliding_attention", "full_attention"], "num_local_experts": 128}`, 73_728},
		{`{"model_type": "deepseek_v3", "num_hidden_layers": 61, "hidden_size": 7168, "num_attention_heads": 128, "num_key_value_heads": 128, "kv_lora_rank": 512, "qk_rope_head_dim": 64, "n_routed_experts": 256}`, 70_272},
		{`{"model_type": "gemma3", "text_config": {"num_hidden_layers": 26, "hidden_size": 1152, "num_attention_heads": 4, "num_key_value_heads": 1, "head_dim": 256, "sliding_window": 512}}`, 26_624},
		{`{"model_type": "qwen2", "num_hidden_layers": 2, "hidden_size": 64, "num_attention_heads": 4, "sliding_window": 8, "use_sliding_window": false}`, 512},
	} {
		m, err := size.ReadConfig(strings.NewReader(c.text))
		require.NoError(t, err)
		require.Equal(t, c.kv, m.KVBytesPerToken(size.FormatBF16), c.text)
	}
	m, err := size.ReadConfig(strings.NewReader(`{"num_hidden_layers": 2, "hidden_size": 64, "num_attention_heads": 4, "num_experts": 8, "intermediate_size": 3}`))
	require.NoError(t, err)
	_, err = m.Weights()
	require.ErrorContains(t, err, "Params")
	for _, bad := range []string{"", "[]", "{}", `{"num_hidden_layers": -1}`, `{"num_hidden_layers": 1e99}`, `{"text_config": 3}`, `{"num_hidden_layers": 2, "hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 0}`, "{" + strings.Repeat(" ", 2<<20) + "}"} {
		_, err := size.ReadConfig(strings.NewReader(bad))
		require.ErrorIs(t, err, size.ErrOption)
	}
}

func FuzzReadConfig(f *testing.F) {
	f.Add(`{"num_hidden_layers": 32, "hidden_size": 4096, "num_attention_heads": 32, "num_key_value_heads": 8, "sliding_window": 128, "layer_types": ["sliding_attention"]}`)
	f.Add(`{"text_config": {"n_layer": 1, "n_embd": 4, "n_head": 2, "vocab_size": 9, "intermediate_size": 3}}`)
	f.Fuzz(func(t *testing.T, text string) {
		m, err := size.ReadConfig(strings.NewReader(text))
		if err != nil {
			require.ErrorIs(t, err, size.ErrOption)
			return
		}
		r, err := size.Plan(*m, size.GPU{MemoryGB: 80, Bandwidth: 2000, TFLOPS: 300}, nil)
		if err == nil {
			require.False(t, math.IsNaN(r.DecodeOne+r.Prefill+r.KVBytes))
		}
	})
}
