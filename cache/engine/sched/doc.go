// Package sched schedules the requests of a serving engine: it decides in each step which
// prompts and which answers are computed together.
//
// # What you will be able to do
//
//   - Explain why a GPU that serves one request at a time is mostly idle, and what static,
//     dynamic and continuous batching change.
//   - Read the two times that users feel, time to first token and time per output token,
//     and say which setting moves which.
//   - Say what vLLM does, and what TensorRT-LLM, Triton, Ray Serve and BentoML add.
//   - Simulate a serving engine on a recorded trace before you rent a GPU.
//
// # The problem
//
// A team serves a model on one GPU (lecture 12). One request gets 80 tokens a second. With
// twenty users the server answers one after the other, and the last one waits a minute. The
// team collects eight requests into a batch, and each step now makes eight tokens in about
// the same time. But the answers have different lengths: seven users wait until the longest
// answer of their batch ends, and new requests wait outside. Half of the work of the GPU is
// for places in which nothing is generated any more.
//
// # The idea
//
// A step of a model reads all weights, whether it makes one token or fifty. So a serving
// engine computes one token for many requests in the same step, which is batching. The
// engine can change the batch between any two steps: an answer that ended leaves, and a
// waiting request takes its place at once. That is continuous batching.
//
//	static      |A A A A A A A A|   |D D D …       B and C ended early: their
//	            |B B B . . . . .|   |E E E …       places stay empty
//	            |C C . . . . . .|   |F F F …
//
//	continuous  |A A A A A A A A D D D …
//	            |B B B E E E E E E E E …            places are filled at once
//	            |C C F F F F F G G G G …
//
// A new request first has its whole prompt computed, the prefill, which can take longer
// than a hundred steps of decoding. If it ran alone, all answers would pause. So a long
// prompt is cut into chunks, and each step computes a chunk beside the next tokens of all
// running answers. That is chunked prefill.
//
// Each running request needs memory for its keys and values. When it is used up, either no
// more requests start, or one is preempted: it gives up its blocks and is computed again
// later. Package kv manages the blocks.
//
// A [Scheduler] decides, and runs nothing itself. [Simulate] runs it in virtual time, and
// [Run] with a real model, so what the simulation shows is what the engine does.
//
// # Terms
//
//   - Serving engine (also: inference engine, inference server): A serving engine is a
//     program that runs a model for many requests at once. vLLM, SGLang, TensorRT-LLM and
//     llama.cpp's server are serving engines.
//   - Prefill: Prefill computes all tokens of a prompt, many in one step, and ends with the
//     first token of the answer.
//   - Decode (also: decoding): Decode computes one token of an answer in each step.
//   - Batching: Batching computes the tokens of several requests in one step, so that the
//     weights are read once for all.
//   - Static batching: Static batching starts a full batch together and ends it together.
//   - Dynamic batching: Dynamic batching is static batching that starts a batch when it is
//     full or when its first request has waited long enough. Triton batches so by default.
//   - Continuous batching (also: in-flight batching, iteration-level scheduling):
//     Continuous batching lets requests join and leave between any two steps.
//   - Chunked prefill: Chunked prefill cuts a prompt into pieces that are computed beside
//     the answers that grow, so that no answer pauses for a long prompt.
//   - Time to first token (also: TTFT): The time to first token is what passes from the
//     arrival of a request to the first token of its answer, waiting included.
//   - Time per output token (also: TPOT, inter-token latency, ITL): The time per output
//     token is the mean time between two tokens of an answer.
//   - Preemption (also: recomputation): Preemption takes the memory of a running request
//     away. The request waits, and its tokens are computed again.
//   - Goodput: Goodput is how many requests a second are answered within their limits of
//     TTFT and TPOT.
//   - vLLM: vLLM is a serving engine in Python and CUDA with paged attention, continuous
//     batching, prefix caching and an API like OpenAI's.
//   - TensorRT-LLM: TensorRT-LLM is NVIDIA's library of kernels and runtime for language
//     models. It is the fastest on many NVIDIA GPUs, and an engine is built for each.
//   - Triton (also: Triton Inference Server): Triton is NVIDIA's server for models of any
//     framework, with dynamic batching, ensembles of models, and metrics.
//   - Ray Serve: Ray Serve runs Python services on a cluster, and scales each of them.
//   - BentoML: BentoML packs a model and its Python code into a service and an image.
//
// # The steps of a request
//
// The diagram shows the states of a request and what moves it on:
//
//	          Add                 blocks and a place are free
//	arrives ───────► waiting ───────────────────────────────► prefill
//	   │                ▲                                        │ its last chunk
//	   ▼ full queue,    │ preempted: an older request needs      ▼ gives a token
//	refused  too long   └──── its blocks, a more important ── decode ──► ended
//	                          one its place                     one token a step
//
// The next table says what each setting of [Options] trades.
//
//	setting           more of it                            costs
//	Slots             throughput                            time per output token
//	StepTokens        time to first token is shorter        longer pauses in answers
//	ReserveNeeded     more requests at once                 preemptions under load
//	Waiting           fewer refusals                        time to first token under load
//	SkipAhead         small requests start sooner           large ones wait longer
//
// # What the engines add
//
// The table compares what the lecture names. "Engine" means that it runs the model itself.
//
//	             is            adds                                      choose it for
//	vLLM         an engine     paged attention, continuous batching,     the first choice for
//	                           prefix cache, LoRA, OpenAI's API          open models on GPUs
//	TensorRT-LLM an engine     compiled kernels, in-flight batching,     the last third of speed
//	                           FP8, multi-GPU                            on NVIDIA's GPUs
//	Triton       a server      several frameworks, ensembles, dynamic    models of many kinds
//	                           batching, TensorRT-LLM as a backend       beside the LLM
//	Ray Serve    a platform    replicas and scaling for each part,       pipelines of several
//	                           Python code between models                models on a cluster
//	BentoML      a packager    one service and image from Python code    a small team that
//	                                                                     ships Python
//	llama.cpp    an engine     CPU and small GPUs, GGUF formats          laptops and the edge
//
// The rows combine: Triton and Ray Serve often run vLLM or TensorRT-LLM inside. Package
// route (retry/route) sends requests to them.
//
// # A minimal program
//
// The program simulates an hour of requests on one GPU.
//
//	requests, err := sched.ReadAzure(file)
//	…
//	model, _ := size.FindModel("Llama-3.1-8B")
//	gpu, _ := size.FindGPU("L4")
//	plan, err := size.Plan(model, gpu, &size.Options{Weights: size.FormatFP8, Length: 8192})
//	…
//	pool, err := kv.New(&kv.Options{Blocks: plan.Tokens / 16, NoSharing: true})
//	…
//	r, err := sched.Simulate(requests, pool, sched.Roofline(plan, 5*time.Millisecond), nil)
//	…
//	fmt.Println("first token p95", r.TTFT(95), "per token p95", r.TPOT(95))
//
// # Measured
//
// The table shows which share of the places made a token, for the first 4,000
// conversations of Azure's trace, if all wait at once. Print it with
//
//	go run ./examples/lab14-batching
//
//	slots   static   continuous
//	    8   53.3 %      99.7 %
//	   16   48.6 %      99.5 %
//	   32   44.0 %      99.2 %
//
// The lab also simulates what users feel, with 1,000 requests that arrive in 11 minutes at
// one L4 that runs Llama 3.1 8B in FP8. Times are at the 95th percentile.
//
//	                            first token   per token   longest pause
//	dynamic batches of 16           942.8 s       55 ms          0.06 s
//	continuous, whole prompts          .5 s      115 ms          0.63 s
//	continuous, chunks of 512          .7 s       74 ms          0.08 s
//
// The same scheduler drives real models: see Engine of package cache/engine/llama. The
// table shows tokens for each second of processor time, one thread, 24 requests of 24
// tokens. The answers are equal in all rows. Measured with
//
//	PRODAI_GGUF=FILE go test -run '^$' -bench Scheduled ./cache/engine/llama
//
//	at once   tiny model, 1 million weights   SmolLM2, 135 million, Q8_0
//	      1                          13,200                           75
//	      4                          23,700                          237
//	     12                          33,000                          399
//	     24                          32,100                          491
//
// # Pitfalls
//
//   - Don't compare engines by tokens a second alone: because a larger batch always wins,
//     and each user waits longer. Compare at the same limits of TTFT and TPOT.
//   - Don't let prompts run whole beside answers: because one long prompt stops all answers
//     for its time. Chunk it.
//   - Don't let the queue grow without a bound: because under overload each answer comes
//     too late, and none is useful. Refuse early, see [ErrBusy].
//   - Don't accept what can't fit: because it blocks all others. Add refuses it at once.
//   - Don't fill the memory to the last block with prompts: because growing answers then
//     push each other out, and much is computed twice. ReserveAll is the default.
//   - Don't measure the first token anew after a preemption: because the user saw it once.
//
// # Questions
//
// What is continuous batching? Continuous batching changes the batch between any two steps
// of the model: an answer that ended leaves, and a waiting request joins at once. It keeps
// nearly all places busy, where static batching leaves about half of them empty.
//
// Why does the first token take so long under load? The first token takes long because the
// request waits for a place, and then its whole prompt is computed. More places help
// against the first, a prefix cache and shorter prompts against the second.
//
// How many requests should run at once? As many as the time per output token allows. Each
// request that joins makes every step a little longer. Raise the number until the time per
// output token reaches your limit, and let the rest wait or refuse it.
//
// When should I use TensorRT-LLM instead of vLLM? TensorRT-LLM is worth it when one model
// runs on many NVIDIA GPUs for months, so that some per cent of speed pay for building an
// engine for each GPU and version. Start with vLLM, and measure both with your prompts.
//
// Do I need Triton if I have vLLM? Triton is not needed for a language model alone. It is
// useful if other models run beside it, such as encoders or speech recognition, or if
// operations already know it.
//
// Is a simulation of a serving engine true? A simulation here makes the same decisions as
// the scheduler, but the time of a step is a bound of the hardware. Use it to compare
// settings, and measure the winner on the real engine.
//
// # Lab
//
// Run the labs. In the first look at the share of busy places, in the second at the pause
// that a long prompt makes in the answers beside it:
//
//	go run ./examples/lab14-batching
//	go run ./examples/lab12-engine
//
// # Exercises
//
//   - Find the number of slots for which 95 % of answers have a time per output token below
//     50 ms, on Azure's trace and an L4.
//   - Halve the pool and compare ReserveAll with ReserveNeeded: throughput, preemptions,
//     and the longest pause.
//   - Give one request in ten the priority 1. How much sooner do they start, and what does
//     it cost the others?
//
// # Further reading
//
//   - Yu et al., "Orca: A Distributed Serving System for Transformer-Based Generative
//     Models", OSDI '22.
//   - Agrawal et al., "Taming Throughput-Latency Tradeoff in LLM Inference with
//     Sarathi-Serve", 2024: https://arxiv.org/abs/2403.02310
//   - Patel et al., "Splitwise: Efficient Generative LLM Inference Using Phase Splitting",
//     2024 (the Azure trace): https://arxiv.org/abs/2311.18677
//   - The documentation of vLLM, TensorRT-LLM, Triton, Ray Serve and BentoML.
package sched
