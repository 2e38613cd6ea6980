package size

import (
	"fmt"
	"math"
	"strconv"
)

// Options are the settings of [Plan].
type Options struct {
	// GPUs is how many GPUs share the model by tensor parallelism. Default: 1.
	GPUs int

	// Weights is the format of the weights. Default: FormatBF16.
	Weights Format

	// KV is the format of the KV cache. Default: FormatBF16.
	KV Format

	// Length is how many tokens a sequence may have, prompt and answer. Default: 8192.
	Length int

	// Typical is how many tokens a sequence has on average while it runs. Default:
	// Length.
	Typical int

	// Step is how many prompt tokens are computed in one step, which decides the memory
	// of activations. Default: 8192, the larger default of vLLM's max_num_batched_tokens.
	Step int

	// Utilization is the share of the memory that the engine may use. Default: 0.9, as in
	// vLLM's gpu_memory_utilization.
	Utilization float64

	// Overhead is what the runtime needs on each GPU, in bytes: its context, libraries,
	// and captured graphs. Default: 1.5e9.
	Overhead float64

	// Efficiency is which share of the datasheet's bandwidth and operations a good engine
	// reaches. Default: 0.7, about what gpt-fast reached on an A100: 104.9 tokens a
	// second of Llama-2-7B, of 151 that the bandwidth allows.
	Efficiency float64
}

// A Report says whether a model fits on its GPUs, and how fast it can be. Bytes are for
// each GPU; speeds are for all together, and are bounds of a model of the hardware, not
// measurements.
type Report struct {
	Model Model
	GPU   GPU
	Options

	WeightBytes     float64
	ActivationBytes float64
	OverheadBytes   float64
	KVBytes         float64 // what is left for the KV cache; negative: the model does not fit
	KVPerToken      float64

	Tokens        int // that the KV cache has room for
	AtLength      int // sequences of the full length at once
	AtTypical     int // sequences of the typical length at once
	DecodeOne     float64
	DecodeAll     float64 // with AtTypical sequences
	TimePerToken  float64 // seconds between the tokens of a sequence then
	Prefill       float64 // prompt tokens a second
	BalancedBatch int     // at more sequences than this, decoding is limited by operations

	read, work        float64 // of one step and of one token: bytes of weights, operations
	kvRead, attention float64 // of one token of context: bytes, operations
	bandwidth, flops  float64 // of all GPUs, with Efficiency
}

// A Step is what an engine computes at once.
type Step struct {
	Prefill int // tokens of prompts
	Decode  int // sequences that get one token each
	Context int // tokens whose keys and values are read, of all sequences together

	// Pairs is how many pairs of a token and one that it sees are computed. Default: 0,
	// which means Context, as in decoding.
	Pairs int
}

// StepTime returns how many seconds a step takes at least, by the roofline.
func (r *Report) StepTime(s Step) float64 {
	tokens, pairs := float64(s.Prefill+s.Decode), s.Pairs
	if pairs == 0 {
		pairs = s.Context
	}
	return max((r.read+float64(s.Context)*r.kvRead)/r.bandwidth, (tokens*r.work+float64(pairs)*r.attention)/r.flops)
}

// Plan computes what a model needs on a GPU. Errors wrap [ErrOption].
func Plan(m Model, g GPU, o *Options) (*Report, error) {
	p, err := o.complete()
	if err != nil {
		return nil, err
	}
	if err := m.check(); err != nil {
		return nil, err
	}
	if !(g.MemoryGB > 0 && g.Bandwidth > 0 && g.TFLOPS > 0 && g.FP8TFLOPS >= 0) || math.IsInf(g.MemoryGB+g.Bandwidth+g.TFLOPS+g.FP8TFLOPS, 0) {
		return nil, fmt.Errorf("%w: GPU %q has %v GB, %v GB/s and %v TFLOPS: want more than 0", ErrOption, g.Name, g.MemoryGB, g.Bandwidth, g.TFLOPS)
	}
	if m.Heads%p.GPUs != 0 {
		return nil, fmt.Errorf("%w: Options.GPUs is %d: want a divisor of the model's %d heads", ErrOption, p.GPUs, m.Heads)
	}
	all, active, err := m.weights()
	if err != nil {
		return nil, err
	}
	n := float64(p.GPUs)
	r := &Report{Model: m, GPU: g, Options: p, OverheadBytes: p.Overhead}
	r.WeightBytes = float64(all) * p.Weights.bits() / 8 / n
	r.ActivationBytes = m.activations(p.Step, p.GPUs)
	r.KVPerToken = m.KVBytesPerToken(p.KV) / m.shards(p.GPUs)
	r.KVBytes = g.MemoryGB*1e9*p.Utilization - r.WeightBytes - r.ActivationBytes - r.OverheadBytes
	if r.KVBytes > 0 {
		r.Tokens = int(r.KVBytes / r.KVPerToken)
		r.AtLength = int(r.KVBytes / (m.KVBytes(p.Length, p.KV) / m.shards(p.GPUs)))
		r.AtTypical = int(r.KVBytes / (m.KVBytes(p.Typical, p.KV) / m.shards(p.GPUs)))
	}
	flops := g.TFLOPS
	if b := p.Weights.bits(); b == 8 && g.FP8TFLOPS > 0 && p.Weights == FormatFP8 {
		flops = g.FP8TFLOPS
	}
	r.flops = flops * 1e12 * n * p.Efficiency
	r.bandwidth = g.Bandwidth * 1e9 * n * p.Efficiency
	r.read = float64(active) * p.Weights.bits() / 8
	r.work = 2 * float64(active)
	typical := float64(max(p.Typical, 1))
	r.kvRead = m.KVBytes(p.Typical, p.KV) / typical * n / m.shards(p.GPUs)
	r.attention = 4 * float64(m.Layers) * float64(m.Heads) * float64(m.headDim())
	r.DecodeOne = 1 / r.StepTime(Step{Decode: 1, Context: p.Typical})
	r.BalancedBatch = max(1, int(r.read/r.bandwidth*r.flops/r.work))
	if r.AtTypical > 0 {
		r.TimePerToken = r.StepTime(Step{Decode: r.AtTypical, Context: r.AtTypical * p.Typical})
		r.DecodeAll = float64(r.AtTypical) / r.TimePerToken
	}
	r.Prefill = r.flops / r.work
	return r, nil
}

func (o *Options) complete() (Options, error) {
	p := Options{}
	if o != nil {
		p = *o
	}
	for _, f := range []struct {
		name   string
		value  *int
		preset int
	}{{"GPUs", &p.GPUs, 1}, {"Length", &p.Length, 8192}, {"Typical", &p.Typical, 0}, {"Step", &p.Step, 8192}} {
		if *f.value < 0 || *f.value > most {
			return p, fmt.Errorf("%w: Options.%s is %d: want 0 (the default) to %d", ErrOption, f.name, *f.value, most)
		}
		if *f.value == 0 {
			*f.value = f.preset
		}
	}
	if p.Typical == 0 {
		p.Typical = p.Length
	}
	if p.Utilization == 0 {
		p.Utilization = 0.9
	}
	if p.Overhead == 0 {
		p.Overhead = 1.5e9
	}
	if p.Efficiency == 0 {
		p.Efficiency = 0.7
	}
	if !(p.Utilization > 0 && p.Utilization <= 1 && p.Efficiency > 0 && p.Efficiency <= 1 && p.Overhead > 0 && p.Overhead < 1e15) {
		return p, fmt.Errorf("%w: Options.Utilization is %v, Efficiency %v, Overhead %v: want shares of at most 1, and bytes", ErrOption, p.Utilization, p.Efficiency, p.Overhead)
	}
	if p.Typical > p.Length {
		return p, fmt.Errorf("%w: Options.Typical is %d and Length is %d: want no more than Length", ErrOption, p.Typical, p.Length)
	}
	if p.Weights >= formatEnd || p.KV >= formatEnd {
		return p, fmt.Errorf("%w: Options.Weights is %d and KV is %d: want a format of this package", ErrOption, p.Weights, p.KV)
	}
	return p, nil
}

// shards is by how much tensor parallelism divides the KV cache of a GPU. A latent is the
// same on each GPU, and so is a head when there are more GPUs than heads.
func (m *Model) shards(gpus int) float64 {
	if m.Latent > 0 {
		return 1
	}
	return float64(min(gpus, m.KVHeads))
}

// activations estimates the memory of one step of prefill: a few copies of the residual
// stream, the widest part of a layer, and the logits in 32 bits of up to 256 sequences.
func (m *Model) activations(tokens, gpus int) float64 {
	h, t, n := float64(m.Hidden), float64(tokens), float64(gpus)
	wide := max(2*float64(m.Intermediate), float64(m.Heads+2*m.KVHeads)*float64(m.headDim()))
	return 2*t*(3*h+wide/n) + 4*256*float64(m.Vocab)/n
}

// Flags returns the command line of vLLM's server that the plan follows from, for a model
// name. Quantized weights are a model of their own, so their name is the caller's.
func (r *Report) Flags(model string) []string {
	flags := []string{"vllm", "serve", model, "--max-model-len", strconv.Itoa(r.Length), "--gpu-memory-utilization", strconv.FormatFloat(r.Utilization, 'g', 4, 64)}
	if r.GPUs > 1 {
		flags = append(flags, "--tensor-parallel-size", strconv.Itoa(r.GPUs))
	}
	if r.KV == FormatFP8 {
		flags = append(flags, "--kv-cache-dtype", "fp8")
	}
	if r.Weights == FormatFP8 {
		flags = append(flags, "--quantization", "fp8")
	}
	if r.AtTypical > 0 {
		flags = append(flags, "--max-num-seqs", strconv.Itoa(min(r.AtTypical, 1024)))
	}
	return append(flags, "--max-num-batched-tokens", strconv.Itoa(r.Step))
}
