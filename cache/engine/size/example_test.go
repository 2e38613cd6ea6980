package size_test

import (
	"fmt"
	"log"
	"strings"

	"github.com/prodailabs/prodai/cache/engine/size"
)

func Example() {
	model, _ := size.FindModel("Llama-3.1-8B")
	gpu, _ := size.FindGPU("L4")
	plan, err := size.Plan(model, gpu, &size.Options{Weights: size.FormatFP8, Length: 8192, Typical: 1500})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("weights %.1f GB, KV cache %.1f GB, %.0f bytes a token\n", plan.WeightBytes/1e9, plan.KVBytes/1e9, plan.KVPerToken)
	fmt.Printf("%d requests of %d tokens at once, or %d of %d\n", plan.AtLength, plan.Length, plan.AtTypical, plan.Typical)
	fmt.Printf("one request: %.0f tokens a second; all: %.0f; prompts: %.0f\n", plan.DecodeOne, plan.DecodeAll, plan.Prefill)
	fmt.Println(strings.Join(plan.Flags("NAME"), " "))
	// Output:
	// weights 8.0 GB, KV cache 11.3 GB, 131072 bytes a token
	// 10 requests of 8192 tokens at once, or 57 of 1500
	// one request: 26 tokens a second; all: 622; prompts: 10548
	// vllm serve NAME --max-model-len 8192 --gpu-memory-utilization 0.9 --quantization fp8 --max-num-seqs 57 --max-num-batched-tokens 8192
}
