// Package size computes whether a model fits on a GPU, how many requests run at once, and
// how fast it can be at best.
//
// # What you will be able to do
//
//   - Compute how much memory a model needs on a GPU, for how many requests at once.
//   - Say whether prefill or decoding is limited by memory or by operations, and what
//     helps against each.
//   - Choose a GPU and the flags of vLLM for a model, a length and a load.
//
// # The problem
//
// A team rents a GPU with 24 GB for a model whose weights take 16 GB (lecture 11). The
// server starts, and fails with "out of memory" at the third request. With a context of
// 128,000 tokens it does not start at all. The plan had left out the KV cache: 131 kB for
// each token of each request.
//
// # The idea
//
// Three things need memory: the weights, the KV cache, and the activations of one step.
// The first and the last are fixed, so what is left decides how many requests run at once:
//
//	weights      = number of weights × bytes
//	KV cache     = 2 × layers × KV heads × head size × bytes, for each token
//	requests     = (memory × utilization − weights − activations − runtime) ÷ KV cache of one
//
// Speed has two bounds, the roofline. A step reads all weights once and the KV cache of
// every request, and computes two operations for each weight and token:
//
//	time of a step = max(bytes read ÷ bandwidth, operations ÷ operations a second)
//
// Decoding one request reads all weights for one token, so the bandwidth limits it. Many
// requests share that read, so together they are faster, until the operations are the
// limit. Prefill computes all tokens of a prompt in one step, so operations limit it.
//
// # Terms
//
//   - GPU sizing (also: capacity planning, VRAM estimate): GPU sizing computes which GPU a
//     model needs for a number of requests at once. See [Plan].
//   - Roofline (also: roofline model): The roofline is the bound of a program's speed by
//     the two limits of a machine, its memory's bandwidth and its operations a second.
//   - Memory-bound (also: bandwidth-bound): A step is memory-bound if reading takes longer
//     than computing, as in decoding.
//   - Compute-bound: A step is compute-bound if computing takes longer than reading, as in
//     prefill.
//   - Grouped-query attention (also: GQA): Grouped-query attention lets several heads of
//     queries share one head of keys and values, which makes the KV cache smaller.
//   - Multi-head latent attention (also: MLA): Multi-head latent attention keeps one
//     compressed vector for a token instead of keys and values.
//   - Tensor parallelism (also: TP): Tensor parallelism splits each layer among several
//     GPUs, which then act as one with the sum of their memory and bandwidth.
//
// # A minimal program
//
// The program plans Llama 3.1 8B with weights of 8 bits on an L4.
//
//	model, _ := size.FindModel("Llama-3.1-8B")
//	gpu, _ := size.FindGPU("L4")
//	plan, err := size.Plan(model, gpu, &size.Options{Weights: size.FormatFP8, Length: 8192, Typical: 1500})
//	…
//	fmt.Println(plan.AtTypical, "requests at once,", int(plan.DecodeAll), "tokens a second")
//	fmt.Println(strings.Join(plan.Flags("NAME"), " "))
//
// # Measured
//
// The table compares the formulas with published figures. The tests check them.
//
//	what                                        published     computed
//	KV cache of a token, OPT-13B                  800 KB      819,200 B   PagedAttention paper
//	KV cache of a token, Llama 3.1 405B       516.096 KB      516,096 B   Insights into DeepSeek-V3
//	KV cache of a token, DeepSeek-V3           70.272 KB       70,272 B   the same
//	16,000 tokens of Llama 3.1 8B               1.95 GiB      1.95 GiB    Hugging Face, Llama 3.1
//	weights of Llama 3.1 8B                8,030,261,248  8,030,261,248   its model card
//	tokens a second, Llama 2 7B, A100, BF16        104.9      151 at most  PyTorch, gpt-fast
//	the same with INT8                               155      302 at most
//	the same with INT4                             196.8      582 at most
//
// # Pitfalls
//
//   - Don't count the weights only: because the KV cache of long prompts is often larger.
//     Compute it for the longest prompt you allow.
//   - Don't multiply by the attention heads: because most models keep fewer heads of keys
//     and values. Use num_key_value_heads; the other estimate is up to 16 times too large.
//   - Don't read the bound as a promise: because a real engine reaches half to three
//     quarters of it. Measure, and set Options.Efficiency to what you measured.
//   - Don't expect four times the speed of INT4: because the smaller the weights, the more
//     the rest of a step counts. The table above shows it.
//
// # Questions
//
// How much GPU memory does a model need? A model needs its number of weights times their
// bytes, so 16 GB for 8 billion weights of 16 bits, and the KV cache of all requests that
// run at once, and about 2 GB for activations and the runtime.
//
// Why is decoding so slow? Decoding is slow because each step reads all weights and makes
// one token for each request. The bandwidth of the memory is the limit, so a smaller
// format of the weights or more requests at once help, and more operations don't.
//
// When do more GPUs help? More GPUs help when the model or its KV cache does not fit on
// one. They also add bandwidth, so a request is answered faster, but they talk to each
// other in every layer, which this package leaves out.
//
// # Lab
//
// Run the lab, and look for rows in which a model fits but serves no request:
//
//	go run ./examples/lab11-gpu-sizing -length 131072
//
// # Exercises
//
//   - Find the cheapest way to serve Llama 3.1 70B with 32,000 tokens: GPUs, format of the
//     weights, format of the KV cache.
//   - Measure a model on a GPU that you have, and set Options.Efficiency so that the
//     computed speed of one request agrees. Does the speed of all agree too?
//   - Draw the tokens a second against the number of requests. Where does the line bend,
//     and how does the bend move with the format of the weights?
//
// # Further reading
//
//   - Williams, Waterman and Patterson, "Roofline: An Insightful Visual Performance Model
//     for Multicore Architectures", 2009.
//   - Pope et al., "Efficiently Scaling Transformer Inference", 2022:
//     https://arxiv.org/abs/2211.05102
//   - vLLM documentation, "Engine Arguments" and "Conserving Memory".
package size
