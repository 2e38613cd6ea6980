package size

// A Format is how a number is stored.
type Format uint8

// The formats. The zero Format is 16 bits, what models are published in.
const (
	FormatBF16  Format = iota // 16 bits, also for FP16
	FormatFP32                // 32 bits
	FormatFP8                 // 8 bits
	FormatINT8                // 8 bits, with a scale for each row
	FormatINT4                // 4 bits, with a scale and a zero of 16 and 4 bits for 128 weights (GPTQ, AWQ)
	FormatMXFP4               // 4 bits, with a scale of 8 bits for 32 weights
	FormatQ8_0                // GGUF: 8 bits, with a scale of 16 bits for 32 weights
	FormatQ4_0                // GGUF: 4 bits, with a scale of 16 bits for 32 weights
	FormatQ4KM                // GGUF Q4_K_M: 4.85 bits on average, as llama.cpp's table has it
	formatEnd
)

func (f Format) bits() float64 {
	return [...]float64{FormatBF16: 16, FormatFP32: 32, FormatFP8: 8, FormatINT8: 8, FormatINT4: 4 + 20.0/128, FormatMXFP4: 4.25, FormatQ8_0: 8.5, FormatQ4_0: 4.5, FormatQ4KM: 4.85}[min(f, formatEnd-1)]
}

// String returns the format's usual name.
func (f Format) String() string {
	names := [...]string{FormatBF16: "BF16", FormatFP32: "FP32", FormatFP8: "FP8", FormatINT8: "INT8", FormatINT4: "INT4", FormatMXFP4: "MXFP4", FormatQ8_0: "Q8_0", FormatQ4_0: "Q4_0", FormatQ4KM: "Q4_K_M"}
	if f >= formatEnd {
		return "unknown"
	}
	return names[f]
}

// A GPU is an accelerator, by its datasheet.
type GPU struct {
	Name      string
	MemoryGB  float64 // 10^9 bytes
	Bandwidth float64 // of its memory, GB/s
	TFLOPS    float64 // dense, 16 bits, with tensor cores
	FP8TFLOPS float64 // dense, 8 bits; 0: no faster than with 16
	Source    string
}

// GPUs returns what the datasheets of common GPUs say, without sparsity. Prices and
// clocks change; memory and bandwidth of a name don't.
func GPUs() []GPU {
	return []GPU{
		{"T4", 16, 320, 65, 0, "NVIDIA T4 datasheet"},
		{"L4", 24, 300, 121, 242, "NVIDIA L4 datasheet, half of the figures with sparsity"},
		{"A10", 24, 600, 125, 0, "NVIDIA A10 datasheet"},
		{"RTX 4090", 24, 1008, 165, 330, "NVIDIA Ada architecture whitepaper, FP16 with FP32 accumulation"},
		{"L40S", 48, 864, 362, 733, "NVIDIA L40S datasheet"},
		{"A100 40GB", 40, 1555, 312, 0, "NVIDIA A100 datasheet"},
		{"A100 80GB", 80, 2039, 312, 0, "NVIDIA A100 datasheet, SXM"},
		{"H100 80GB", 80, 3350, 989, 1979, "NVIDIA H100 datasheet, SXM, half of the figures with sparsity"},
		{"H200", 141, 4800, 989, 1979, "NVIDIA H200 datasheet, SXM, half of the figures with sparsity"},
		{"B200", 180, 8000, 2250, 4500, "NVIDIA DGX B200 datasheet, an eighth"},
		{"MI300X", 192, 5300, 1307, 2615, "AMD MI300X datasheet"},
	}
}

// FindGPU returns the GPU of a name in [GPUs].
func FindGPU(name string) (GPU, bool) {
	for _, g := range GPUs() {
		if g.Name == name {
			return g, true
		}
	}
	return GPU{}, false
}

// Models returns the shapes of well-known open models, from the config.json of each.
func Models() []Model {
	return []Model{
		{Name: "SmolLM2-135M", Layers: 30, Hidden: 576, Heads: 9, KVHeads: 3, Intermediate: 1536, Vocab: 49152, Tied: true},
		{Name: "Qwen2.5-0.5B", Layers: 24, Hidden: 896, Heads: 14, KVHeads: 2, Intermediate: 4864, Vocab: 151936, Tied: true},
		{Name: "Llama-3.2-1B", Layers: 16, Hidden: 2048, Heads: 32, KVHeads: 8, Intermediate: 8192, Vocab: 128256, Tied: true},
		{Name: "Llama-2-7B", Layers: 32, Hidden: 4096, Heads: 32, KVHeads: 32, Intermediate: 11008, Vocab: 32000},
		{Name: "Llama-3.1-8B", Layers: 32, Hidden: 4096, Heads: 32, KVHeads: 8, Intermediate: 14336, Vocab: 128256},
		{Name: "Qwen2.5-32B", Layers: 64, Hidden: 5120, Heads: 40, KVHeads: 8, Intermediate: 27648, Vocab: 152064},
		{Name: "Llama-3.1-70B", Layers: 80, Hidden: 8192, Heads: 64, KVHeads: 8, Intermediate: 28672, Vocab: 128256},
		{Name: "Qwen2.5-72B", Layers: 80, Hidden: 8192, Heads: 64, KVHeads: 8, Intermediate: 29568, Vocab: 152064},
		{Name: "Mixtral-8x7B", Layers: 32, Hidden: 4096, Heads: 32, KVHeads: 8, Intermediate: 14336, Vocab: 32000, Params: 46_702_792_704, Active: 12_879_921_152},
		{Name: "gpt-oss-120b", Layers: 36, Hidden: 2880, Heads: 64, KVHeads: 8, HeadDim: 64, WindowLayers: 18, Window: 128, Intermediate: 2880, Vocab: 201088, Params: 116_829_156_672, Active: 5_133_000_000},
		{Name: "Llama-3.1-405B", Layers: 126, Hidden: 16384, Heads: 128, KVHeads: 8, Intermediate: 53248, Vocab: 128256},
		{Name: "DeepSeek-V3", Layers: 61, Hidden: 7168, Heads: 128, KVHeads: 128, HeadDim: 128, Latent: 512 + 64, Intermediate: 18432, Vocab: 129280, Params: 671_000_000_000, Active: 37_000_000_000},
	}
}

// FindModel returns the model of a name in [Models].
func FindModel(name string) (Model, bool) {
	for _, m := range Models() {
		if m.Name == name {
			return m, true
		}
	}
	return Model{}, false
}
