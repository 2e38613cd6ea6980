// Package prodai is the index of the course "Building Production AI Systems", and the
// notes of its first lecture, the production landscape.
//
// The course takes an AI system from a demo to production in sixteen lectures. This
// module has its reusable parts: independent packages that meet at langchaingo's
// interfaces. Each can be used alone, and all of them compose.
//
// # What you will be able to do
//
//   - Name the parts of a production AI system, and say what each part is for.
//   - Follow one request through all layers, from the user to the model and back.
//   - Choose between a single LLM call, RAG, an agent and a multi-modal system, by
//     their cost, latency and reliability.
//   - Estimate what a feature costs a day and how long its answers take, before you
//     build it.
//   - Prevent the $100,000 weekend: a loop that spends money while no alarm rings.
//
// # The problem
//
// The $100,000 weekend is the story of this lecture. A team starts a batch job on
// Friday at 18:00 and goes home. A bug makes the job ask the model again and again, 26
// times a second, at $0.0175 a call. The provider answers every call. On Monday at
// 9:00 the bill is $103,194.
//
// Nothing failed during that weekend, so nothing raised an alarm. Every call had
// status 200. The dashboard was green, because it measured errors and latency. It did
// not measure money. The first sign was the invoice.
//
// The demo of the same system had worked well: one user, ten questions, a person
// watching. Production differs in every point. Many users come at once, providers fail
// and slow down, attackers send texts, prices multiply, and no person reads each
// answer. This difference is the demo-to-production gap, and the sixteen lectures
// close it part by part.
//
// # The idea
//
// A production AI system is mostly ordinary software around one unreliable, slow and
// expensive part: the model. The model's answer is not certain, takes seconds, and
// costs money each time. So each layer around the model takes care of one risk: cost,
// failure, overload, attack, wrong answers, or not knowing what happened.
//
// Each layer in this module is a wrapper: an [llms.Model] around an [llms.Model]. A
// wrapper receives the call, does its own job, and passes the call to the model that
// it wraps. So you can add retries, a cache or a guard without changing the program,
// and leave out any layer that you don't need.
//
// Trade-offs decide the rest. A larger model answers better, and is slower and more
// expensive. A retry makes a call more reliable, and costs time and money. A guard
// prevents harm, and sometimes blocks a good answer. Production work means to measure
// both sides, and to choose on purpose.
//
// # Terms
//
//   - Production AI system (also: AI system in production, production system): A
//     production AI system is software that real users depend on and that uses a model
//     for part of its work. It has limits, retries, guards, evaluation, tracing and
//     monitoring around the model.
//   - LLM call (also: model call, single call, completion): An LLM call is one request
//     to a large language model with one answer, without search and without tools. It
//     is the simplest of the four architectures, and the cheapest and fastest.
//   - LLM (also: large language model, model): A large language model is a neural
//     network that predicts the next token of a text. A program sends it messages and
//     receives text, or calls of tools.
//   - Prompt (also: input, messages): A prompt is the whole text that a model
//     receives: the instructions of the application, the conversation, retrieved
//     passages and results of tools. Its length in tokens is billed as input.
//   - Retrieval-augmented generation (also: RAG): Retrieval-augmented generation
//     searches passages that fit the question, puts them into the prompt, and asks the
//     model to answer from them with citations. It lets a model answer from documents
//     that it was not trained on.
//   - Agent (also: AI agent, tool use, agentic system): An agent is a program in which
//     the model decides the next step: it calls a tool, reads the result, and repeats
//     until it is done. The number of steps, and so the cost, is not known before.
//   - Multi-modal system (also: multimodal, vision model, image input): A multi-modal
//     system takes or makes more than text: images, audio, video or PDF files. Each
//     image is billed as some hundreds of tokens.
//   - Demo-to-production gap (also: demo to production, prototype gap): The
//     demo-to-production gap is all that a demo does not need and production does.
//     Examples are limits, retries, guards, evaluation, tracing, and a way to roll
//     back.
//   - Latency (also: response time): Latency is the time from a request to its answer.
//     For a stream it has two parts: the time to the first token, and the time for
//     each token after it.
//   - Time to first token (also: TTFT, first token): Time to first token (TTFT) is how
//     long the user waits until the first part of a streamed answer comes. It grows
//     with the length of the prompt and with the load of the provider.
//   - Percentile (also: p50, p95, p99, tail latency): A percentile is the value that a
//     given share of the measurements does not exceed. A p95 of 4 seconds means that
//     95 of 100 answers came within 4 seconds.
//   - Throughput (also: requests per second, RPS, tokens per second): Throughput is
//     how much a system finishes in a second, in requests or in tokens. A system can
//     have high throughput and high latency at once, for example with large batches.
//   - Reliability (also: availability, uptime): Reliability is the share of requests
//     that get a correct answer in time. 99.9 % of a month of 30 days leaves 43
//     minutes of failure.
//   - Velocity (also: speed of development, speed of delivery): Velocity is how fast a
//     team can change the system and release the change. Tests, evaluation gates and
//     easy rollback make a team both fast and safe.
//   - Trade-off: A trade-off is a choice in which one good thing costs another one,
//     such as lower latency for a higher price.
//   - Cost per request (also: unit cost, cost per call): The cost per request is what
//     one user's question costs in tokens, retries and infrastructure. Tokens in times
//     their price plus tokens out times their price is its largest part.
//   - Runaway cost (also: 100000 dollar weekend, surprise bill, cost explosion): A
//     runaway cost is spending that grows without a person noticing, by a loop, a
//     leaked key or a traffic peak. A budget that refuses calls stops it; an alert
//     alone does not.
//   - Gateway (also: AI gateway, LLM gateway, API gateway, proxy): A gateway is a
//     server between the applications and the model providers. It has the keys, checks
//     limits, retries, caches, guards and records every call in one place.
//   - Provider (also: model provider, vendor): A provider is a company that runs a
//     model and sells access to it through an HTTP API, such as OpenAI, Anthropic or
//     Google.
//   - Wrapper (also: middleware, decorator, layer): A wrapper is a model that contains
//     another model and adds one behavior to its calls, such as retries or a cache.
//   - Fallback (also: fallback model, failover): A fallback is another model or
//     provider that is asked when the first one fails. retry.Options.Fallbacks lists
//     them.
//   - Docker image (also: image, container image): A Docker image is a file with a
//     program and all that it needs to run: libraries, settings, a part of an
//     operating system. It is built once from a Dockerfile and runs the same
//     everywhere.
//   - Dockerfile: A Dockerfile is the text file with the steps that build a Docker
//     image: a base image, files to copy, commands to run, and the program to start.
//   - Multi-stage build: A multi-stage build compiles in one image and copies only the
//     result into a second, small one. A Go program then needs an image of some
//     megabytes, because its binary contains all of its libraries.
//   - Container (also: Docker container): A container is a running instance of an
//     image. It is isolated from other containers, shares the kernel of the machine,
//     and starts in less than a second if the program does.
//   - Docker: Docker is the tool that builds images and runs containers on one
//     machine.
//   - Registry (also: container registry): A registry is a server that stores images
//     by name and version, and from which each machine fetches them.
//   - Kubernetes (also: K8s, orchestration, orchestrator): Kubernetes runs containers
//     on many machines. You describe the wanted state, such as "three copies of this
//     image", and Kubernetes starts, restarts and moves containers until it is
//     reached.
//   - Pod: A pod is the smallest unit that Kubernetes starts: one container, or a few
//     that share a network address.
//   - Deployment: A deployment is the Kubernetes object that keeps a number of equal
//     pods running and replaces them step by step when the image changes.
//   - Service and ingress (also: load balancer): A service gives a group of pods one
//     address and divides the requests among them. An ingress lets requests from
//     outside reach a service.
//   - Resource request (also: requests and limits, CPU request, memory request): A
//     resource request is the CPU and memory that Kubernetes reserves for a container
//     when it chooses a machine. A limit is the most that the container may use: more
//     CPU is slowed down, more memory is killed (OOMKilled).
//   - GPU request (also: nvidia.com/gpu, GPU scheduling): A GPU request asks
//     Kubernetes for whole GPUs, as the resource nvidia.com/gpu. Unlike CPU it can't
//     be a fraction, unless the GPU is divided by MIG or time-slicing.
//   - GPU memory (also: VRAM): GPU memory holds the model's weights and the KV cache
//     of the requests in progress. The weights need parameters times bytes per
//     parameter: 7 billion parameters in FP16 (2 bytes) need 14 GB.
//   - Health check (also: liveness probe, readiness probe, startup probe): A health
//     check is a request by which Kubernetes asks a container whether it is alive and
//     ready. A server that still loads its weights is alive but not ready, and must
//     not get requests yet.
//   - Autoscaling (also: HPA, horizontal pod autoscaler, scaling): Autoscaling scales
//     a service automatically: it changes the number of copies with the load.
//     Kubernetes' horizontal pod autoscaler (HPA) computes copies = ceil(copies now ×
//     measured value / target value).
//   - Cold start: A cold start is the time from the start of a new copy to its first
//     answer. For a model server it takes minutes, because gigabytes of weights must
//     be fetched and loaded.
//   - Hybrid routing (also: hybrid deployment, model routing, router): Hybrid routing
//     sends each request to one of several places: an own model or a provider's API, a
//     small model or a large one. It decides by cost, load, difficulty, or where the
//     data may go.
//   - Serving engine (also: inference engine, inference server, model server): A
//     serving engine is a program that loads a model's weights onto a GPU and answers
//     many requests at once. It batches the requests and manages the KV cache.
//   - vLLM (also: vllm serve): The engine vLLM is an open-source serving engine for
//     LLMs with paged attention and continuous batching. It has an HTTP server of the
//     OpenAI protocol.
//   - TensorRT-LLM: TensorRT-LLM is NVIDIA's library that compiles and optimizes an
//     LLM for NVIDIA GPUs. It is among the fastest there, and less flexible: it runs
//     only on NVIDIA hardware, and a build fits a GPU type.
//   - Triton (also: Triton Inference Server, NVIDIA Triton): Triton is NVIDIA's
//     general model server. It runs models of several frameworks side by side, with
//     dynamic batching and metrics. TensorRT-LLM and vLLM can be its backends.
//   - Ray Serve: Ray Serve is a Python library that serves models on a Ray cluster. It
//     suits pipelines of several models in Python that each scale by themselves.
//   - BentoML: BentoML is a Python framework that packages a model with its code and
//     dependencies as a service, and builds a container image of it.
//   - Rollout (also: deployment of a version, release): A rollout is the replacement
//     of one version of a system by the next. For an AI system a version is code,
//     prompt, model and settings together.
//   - Staged rollout (also: gradual rollout, progressive delivery, phased rollout): A
//     staged rollout gives a new version to a growing share of the users: 1 %, 10 %,
//     50 %, 100 %. At each stage the measurements decide whether to go on.
//   - Canary release (also: canary, canary deployment): A canary release sends a small
//     share of real traffic to a new version and compares it with the old one. If
//     errors, latency, cost or quality get worse, the traffic goes back.
//   - Shadow traffic (also: traffic mirroring, dark launch): Shadow traffic is a copy
//     of real requests that a new version answers, while users see only the old
//     version's answers. It shows quality and cost without risk for users, and costs
//     twice the tokens.
//   - Blue/green deployment (also: blue-green): A blue/green deployment runs the old
//     and the new version side by side in full size and switches all traffic at once.
//     Switching back takes seconds.
//   - Rolling update: A rolling update replaces the copies of a service a few at a
//     time. It is the default of a Kubernetes deployment.
//   - Rollback: A rollback returns to the version before. It is fast only if the old
//     image, prompt and model name are still there.
//
// # Lectures
//
// The list below is the index of the module: the packages of each lecture. Each
// lecture's notes are the comments of its packages. The lectures without a line here
// (the midterm, deployment) have no package yet.
//
//   - L1 Runaway cost: [github.com/prodailabs/prodai/trace/cost], [github.com/prodailabs/prodai/retry/limit].
//   - L2 Tokens: [github.com/prodailabs/prodai/chunk/token], [github.com/prodailabs/prodai/chunk/token/o200k], [github.com/prodailabs/prodai/chunk/token/cl100k], [github.com/prodailabs/prodai/chunk/token/p50k], [github.com/prodailabs/prodai/chunk/token/r50k], [github.com/prodailabs/prodai/chunk/token/openai], [github.com/prodailabs/prodai/chunk/token/hf], [github.com/prodailabs/prodai/chunk/token/tiktoken], [github.com/prodailabs/prodai/chunk/token/fit], [github.com/prodailabs/prodai/cache/engine/llama], [github.com/prodailabs/prodai/cache/engine/llama/weights], [github.com/prodailabs/prodai/cache/engine/llama/tiny].
//   - L3 Clients, errors, types: [github.com/prodailabs/prodai/retry/openai], [github.com/prodailabs/prodai/retry/fault], [github.com/prodailabs/prodai/guard/structured], [github.com/prodailabs/prodai/eval/modeltest].
//   - L4 Retries, overload and queues: [github.com/prodailabs/prodai/retry], [github.com/prodailabs/prodai/retry/admission], [github.com/prodailabs/prodai/retry/defaults], [github.com/prodailabs/prodai/retry/overload], [github.com/prodailabs/prodai/retry/queue], [github.com/prodailabs/prodai/retry/queue/redis], [github.com/prodailabs/prodai/retry/queue/celery], [github.com/prodailabs/prodai/retry/queue/storetest].
//   - L5 Metrics and datasets: [github.com/prodailabs/prodai/eval], [github.com/prodailabs/prodai/eval/suite], [github.com/prodailabs/prodai/eval/dataset], [github.com/prodailabs/prodai/eval/dataset/synth], [github.com/prodailabs/prodai/eval/report], [github.com/prodailabs/prodai/eval/evaltest].
//   - L6 Experiments: [github.com/prodailabs/prodai/eval/stats], [github.com/prodailabs/prodai/eval/judge], [github.com/prodailabs/prodai/eval/judge/rag], [github.com/prodailabs/prodai/eval/judge/label], [github.com/prodailabs/prodai/eval/agent], [github.com/prodailabs/prodai/eval/openaievals], [github.com/prodailabs/prodai/eval/inspectai], [github.com/prodailabs/prodai/eval/dataset/interop].
//   - L7 Threats: [github.com/prodailabs/prodai/guard/injection], [github.com/prodailabs/prodai/guard/threat], [github.com/prodailabs/prodai/guard/redteam], [github.com/prodailabs/prodai/guard/supply], [github.com/prodailabs/prodai/guard/content].
//   - L8 Guardrails: [github.com/prodailabs/prodai/guard], [github.com/prodailabs/prodai/guard/defaults], [github.com/prodailabs/prodai/guard/pii], [github.com/prodailabs/prodai/guard/secret], [github.com/prodailabs/prodai/guard/detect], [github.com/prodailabs/prodai/guard/sink], [github.com/prodailabs/prodai/guard/flood], [github.com/prodailabs/prodai/guard/quarantine], [github.com/prodailabs/prodai/retry/limit], [github.com/prodailabs/prodai/retry/limit/redis].
//   - L10 Retrieval: [github.com/prodailabs/prodai/chunk], [github.com/prodailabs/prodai/chunk/langchain], [github.com/prodailabs/prodai/chunk/chunkeval], [github.com/prodailabs/prodai/chunk/chunkeval/sample], [github.com/prodailabs/prodai/retrieve], [github.com/prodailabs/prodai/retrieve/bm25], [github.com/prodailabs/prodai/retrieve/bm25/snowball], [github.com/prodailabs/prodai/retrieve/flat], [github.com/prodailabs/prodai/retrieve/hnsw], [github.com/prodailabs/prodai/retrieve/ivf], [github.com/prodailabs/prodai/retrieve/rag], [github.com/prodailabs/prodai/retrieve/store], [github.com/prodailabs/prodai/retrieve/store/pgvector], [github.com/prodailabs/prodai/retrieve/store/qdrant], [github.com/prodailabs/prodai/retrieve/store/weaviate], [github.com/prodailabs/prodai/retrieve/store/pinecone], [github.com/prodailabs/prodai/retrieve/store/chroma], [github.com/prodailabs/prodai/retrieve/store/storetest], [github.com/prodailabs/prodai/retrieve/query], [github.com/prodailabs/prodai/retrieve/rerank], [github.com/prodailabs/prodai/retrieve/compress], [github.com/prodailabs/prodai/retrieve/expand], [github.com/prodailabs/prodai/retrieve/load], [github.com/prodailabs/prodai/retrieve/load/markdown], [github.com/prodailabs/prodai/retrieve/load/html], [github.com/prodailabs/prodai/retrieve/load/docx], [github.com/prodailabs/prodai/retrieve/load/pdf].
//   - L11 Sizing and hybrid routing: [github.com/prodailabs/prodai/cache/engine/size], [github.com/prodailabs/prodai/retry/route], [github.com/prodailabs/prodai/retry/route/redis].
//   - L12 Serving engines and rollouts: [github.com/prodailabs/prodai/cache/engine/sched], [github.com/prodailabs/prodai/retry/route], [github.com/prodailabs/prodai/retry/route/vllm], [github.com/prodailabs/prodai/retry/route/triton], [github.com/prodailabs/prodai/retry/route/rayserve], [github.com/prodailabs/prodai/retry/route/bentoml], [github.com/prodailabs/prodai/retry/route/llamacpp], [github.com/prodailabs/prodai/retry/route/ollama], [github.com/prodailabs/prodai/retry/route/bedrock].
//   - L13 Optimization and embeddings: [github.com/prodailabs/prodai/retrieve/embed], [github.com/prodailabs/prodai/retrieve/embed/tune], [github.com/prodailabs/prodai/retrieve/embed/bert], [github.com/prodailabs/prodai/retrieve/vecquant], [github.com/prodailabs/prodai/cache/engine/quant].
//   - L14 Caching: [github.com/prodailabs/prodai/cache], [github.com/prodailabs/prodai/cache/disk], [github.com/prodailabs/prodai/cache/redis], [github.com/prodailabs/prodai/cache/langchain], [github.com/prodailabs/prodai/cache/search], [github.com/prodailabs/prodai/cache/semantic], [github.com/prodailabs/prodai/cache/evict], [github.com/prodailabs/prodai/cache/prefix], [github.com/prodailabs/prodai/cache/engine/kv], [github.com/prodailabs/prodai/cache/engine/attention], [github.com/prodailabs/prodai/cache/engine/llama].
//   - L15 Tracing: [github.com/prodailabs/prodai/trace], [github.com/prodailabs/prodai/trace/jsonl], [github.com/prodailabs/prodai/trace/cost], [github.com/prodailabs/prodai/trace/otlp], [github.com/prodailabs/prodai/trace/redact], [github.com/prodailabs/prodai/trace/tail].
//   - L16 Monitoring and incidents: [github.com/prodailabs/prodai/trace/monitor].
//
// # How the packages compose
//
// Every layer is an [llms.Model] around an [llms.Model], outermost first:
//
//	trace   the logical call: one span, no usage
//	guard   policy looks at every answer, a cached one too
//	limit   the tenant's requests, tokens, money
//	cache
//	retry   attempts, hedges, timeouts, breaker
//	route   (planned) the pool; per target: limit, trace (the attempt), client
//
// A wrapper keeps the contract that eval/modeltest checks. It passes on every option,
// choice, tool call and chunk, and changes nothing of the caller's. It returns
// promptly when the context is done.
//
// The packages don't import one another. They meet at langchaingo's types, at a few
// function-valued options, and at the log events of one table. So one package can be
// used without the others.
//
// # One request through all layers
//
// Step by step, a request passes trace, guard, limit, cache, retry, trace again and
// the client, and its answer comes back through the same layers. The list below
// follows the question "When can I return it?" of examples/compose, which has all of
// these layers but the limit.
//
//   - Trace, first: the outer trace layer starts a span, which will show how long the
//     user waited for the answer in all.
//   - Guard: the guard checks the user's words and the documents, and later checks the
//     answer before the user sees it. It also checks answers from the cache, because a
//     rule may be newer than a stored answer.
//   - Limit: the limit layer asks whether this tenant has requests, tokens and money
//     left. If not, the call ends here with status 429 or 402 and costs nothing.
//   - Cache: the cache returns the stored answer if the same question was asked
//     before. A hit ends the way down: no provider is called and nothing is paid.
//   - Retry: the retry layer makes the attempts. It ends those that hang, repeats
//     those that failed for a passing reason, and stops when a target is down.
//   - Trace, again: the inner trace layer records each attempt with its tokens and its
//     cost. Failed attempts are recorded too, because they may be billed.
//   - Client: the client ([github.com/prodailabs/prodai/retry/openai]) sends the HTTP
//     request and decides whether what came back is an answer.
//
// The order of the layers matters. The cache is above retry, so that a stored answer
// needs no attempt. The guard is above the cache, so that stored answers are checked.
// The limit is above the cache too: a hit counts as a request, and its tokens are
// given back.
//
// # The four architectures
//
// The table compares the four architectures of AI systems; each row adds something to
// the row above.
//
//	architecture  model calls   latency         main risk                 use it for
//	LLM call      1             1 to 10 s       invented facts            rewrite, classify, extract
//	RAG           1 + search    plus 0.1-1 s    wrong or missing passage  answers from documents
//	agent         2 to 50       10 s - minutes  loops, wrong actions      tasks of unknown steps
//	multi-modal   1 or more     plus seconds    misread image             forms, photos, voice
//
// An LLM call is the right start. If the model already knows enough, or if all facts
// fit into the prompt, one call is the cheapest, fastest and most predictable
// solution. Its weakness is knowledge: it doesn't know your documents or today's data,
// and invents what it doesn't know.
//
// RAG adds knowledge without training. It costs a search of some tens of milliseconds
// and a longer prompt, often 1,000 to 4,000 tokens of passages. Its quality depends on
// retrieval: if the right passage isn't found, the model can't answer well. RAG is the
// usual choice for questions about documents. See
// [github.com/prodailabs/prodai/retrieve].
//
// An agent adds actions. The whole history is sent again at each step, so the input
// tokens grow with the square of the steps. Ten steps of 1,000 new tokens send 55,000
// tokens, and not 10,000. Errors add up too: if each step is right 95 % of the time,
// ten steps in a row are right 60 % of the time. Use an agent only where the steps
// can't be fixed in code.
//
// A multi-modal system adds images, audio or files. An image of 1,024 by 1,024 pixels
// at high detail counts as 765 tokens at OpenAI, which is also what
// [github.com/prodailabs/prodai/retry/limit] reserves for one. Uploads are large,
// answers take longer, and attacks can be written inside an image.
//
// # From demo to production
//
// The demo-to-production gap can be written as a list of questions. A demo needs an
// answer to none of these questions, and a production system needs an answer to each.
//
//   - Cost: what does a request cost, who pays for it, and what stops the spending?
//     Lectures 1 and 15: [github.com/prodailabs/prodai/trace/cost],
//     [github.com/prodailabs/prodai/retry/limit].
//   - Failure: what happens when the provider answers with 429 or 503, or not at all?
//     Lectures 3 and 4: [github.com/prodailabs/prodai/retry/fault],
//     [github.com/prodailabs/prodai/retry].
//   - Form: what happens when the model returns broken JSON? Lecture 3:
//     [github.com/prodailabs/prodai/guard/structured].
//   - Quality: how do you know that an answer is right, and that a change made the
//     system better? Lectures 5 and 6: [github.com/prodailabs/prodai/eval].
//   - Attack: what can a hostile text make the system do? Lectures 7 and 8:
//     [github.com/prodailabs/prodai/guard].
//   - Speed: how fast is the slowest answer in a hundred? Lectures 13 and 14:
//     [github.com/prodailabs/prodai/cache].
//   - Visibility: can you explain one bad answer of last Tuesday? Lectures 15 and 16:
//     [github.com/prodailabs/prodai/trace].
//   - Change: how do you ship a new prompt or model, and how do you go back? Lectures
//     11 and 12, which have no package yet.
//
// # Anatomy of a production AI system
//
// The anatomy of a production AI system has these parts: an API, a gateway with
// guards, limits, a cache and retries, retrieval, a model, a queue with workers,
// evaluation, and monitoring. The picture shows them from the user on the left to the
// model on the right.
//
//	user ─▶ API ─▶ gateway ─▶ (trace, guard, limit, cache, retry) ─▶ model
//	         │        │                                              provider's API,
//	         │        └─▶ retrieval: chunks, index, embedder         or own serving engine
//	         └─▶ queue ─▶ workers, for work that takes minutes
//	beside: evaluation (before a release), monitoring and alerts (after it),
//	        secrets, prompts and model names under version control
//
// The API receives requests over HTTP and checks their form. In Python that is often
// FastAPI with Pydantic; in Go it is net/http. Short work is answered at once, usually
// as a stream. Long work goes into a queue, and workers do it in the background
// (lecture 4).
//
// Evaluation and monitoring are parts of the system too. Evaluation measures a version
// on a golden set before users see it. Monitoring measures real traffic after the
// release: errors, latency, cost and quality. Without them each change is a guess.
//
// # Trade-offs
//
// Latency against cost is the first trade-off. Faster answers come from more or better
// hardware, from smaller batches, from hedged calls (two attempts, both paid), or from
// a smaller model that answers worse. Caching and shorter prompts are the two measures
// that lower latency and cost together.
//
// Reliability against velocity is the second trade-off. Each check before a release
// takes time, and each release without checks risks an outage. An error budget settles
// the argument with a number. With a goal of 99.9 %, a team may fail 43 minutes a
// month, and releases freely while minutes are left.
//
// Quality against cost is the third trade-off. A large model can cost ten times as
// much as a small one. Measure on your own golden set whether the small model is good
// enough, and send only the hard questions to the large one.
//
// Availability multiplies along a chain. Take a request that needs five parts one
// after another, each of which works 99.9 % of the time. The request works 99.5 % of
// the time (0.999 to the power of five). Retries and fallbacks bring it up again.
//
// The cost of a feature is a multiplication: requests a day × (input tokens × input
// price + output tokens × output price). At $5 a million input tokens and $15 a
// million output tokens, 10,000 requests of 2,000 tokens in and 500 out cost $175 a
// day. Do this sum before you build.
//
// The latency of an answer is a sum: network, search, time to first token, and output
// tokens × time per token. For example, 500 tokens at 50 tokens a second take 10
// seconds. Streaming does not make that shorter, but the user reads from the first
// token on.
//
// # Containers, Kubernetes and serving engines
//
// Lectures 11 and 12 (deployment and serving engines) have no package in this module
// yet. Their terms are defined above, under "Terms", and the paragraphs here and under
// "Questions on deployment" answer the first questions about them.
//
// What the module has today is the client's side. The client
// [github.com/prodailabs/prodai/retry/openai] talks to a vLLM server by its BaseURL.
// The option retry.Options.Fallbacks asks a second model when the first fails. The
// package [github.com/prodailabs/prodai/eval/stats] has the tests that compare a
// canary with the old version.
//
// An AI system usually has two kinds of containers. The gateway and the API need
// little CPU and memory and no GPU; they scale in seconds. The serving engine needs a
// GPU, tens of gigabytes of memory and minutes to start. Keep them in separate
// deployments, so that each scales by its own measure.
//
// The table compares five tools that serve models.
//
//	tool          what it is                        strong at                     weak at
//	vLLM          LLM engine, Python, open source   throughput, new models, easy  other kinds of models
//	TensorRT-LLM  NVIDIA's optimized LLM library    speed on NVIDIA GPUs          build step, NVIDIA only
//	Triton        general model server              many model types, batching    much configuration
//	Ray Serve     Python serving on a cluster       pipelines of models           needs a Ray cluster
//	BentoML       packaging and serving in Python   from model to image quickly   not an engine itself
//
// # A minimal program
//
// The program asks the model that three environment variables name, and tries again
// when the error can pass. Its client and its retries are two layers; each further
// layer is made the same way.
//
//	package main
//
//	import (
//		"context"
//		"fmt"
//		"log"
//		"os"
//
//		"github.com/prodailabs/prodai/retry"
//		"github.com/prodailabs/prodai/retry/openai"
//	)
//
//	func main() {
//		client, err := openai.New(os.Getenv("OPENAI_MODEL"), &openai.Options{
//			APIKey: os.Getenv("OPENAI_API_KEY"), BaseURL: os.Getenv("OPENAI_BASE_URL")})
//		if err != nil {
//			log.Fatal(err)
//		}
//		model, err := retry.New(client, &retry.Options{MaxAttempts: 3})
//		if err != nil {
//			log.Fatal(err)
//		}
//		answer, err := model.Call(context.Background(), "Why is jitter needed? One sentence.")
//		fmt.Println(answer, err)
//	}
//
// # Measured
//
// The table shows the $100,000 weekend without and with limits (a rate of $100 an
// hour, a budget of $500). Without limits the job makes 26 calls a second for 63
// hours. The lab prints the money and the first refusal: go run
// ./examples/lab01-runaway-cost
//
//	                  calls       spent      first sign
//	without limits    5,896,800   $103,194   the bill on Monday
//	with limits       28,571      $499.99    a refusal on Friday at 18:03
//
// # Pitfalls
//
//   - Don't start with an agent: because each step adds cost, latency and errors.
//     Start with one LLM call, add retrieval if knowledge is missing, and add tools
//     last.
//   - Don't use an alert on the bill as a limit: because bills arrive hours or days
//     late. Set a budget that refuses calls, such as Quota.SpendPicoUSD of
//     [github.com/prodailabs/prodai/retry/limit].
//   - Don't judge a system by its mean latency: because one user in a hundred waits
//     for the p99. Look at the p50, p95 and p99 together.
//   - Don't ship a prompt change without an evaluation: because a better answer to one
//     question is often a worse answer to another. Run the golden set before and
//     after.
//   - Don't retry in several layers: because three layers of three attempts are 27
//     requests. Retry in one layer, and set the retries of SDKs to zero.
//   - Don't put model weights or API keys into a Docker image: because weights make
//     images of many gigabytes, and keys in an image are readable by all that can
//     fetch it. Mount the weights as a volume and pass the keys as secrets.
//   - Don't scale GPU servers by CPU use: because the CPU is idle while the GPU is
//     full. Scale by requests that wait, or by the use of the KV cache.
//   - Don't call a model a new version without its name's date: because "latest"
//     changes without you. Pin the exact model name, and roll out a change of it like
//     a change of code.
//
// # Questions
//
// What is the $100,000 weekend? The $100,000 weekend (100000 dollar weekend) is a
// batch job with an endless loop that calls a paid model from Friday evening to Monday
// morning. In the lab it makes 26 calls a second at $0.0175 and spends $103,194. It is
// the example of runaway cost, and of why a budget must refuse calls.
//
// How do I stop my program from spending too much money? To stop a program from
// spending too much money, set three limits on your side: a rate of money, a budget in
// total, and a switch that stops all calls. The package
// [github.com/prodailabs/prodai/retry/limit] has them as Quota.Money,
// Quota.SpendPicoUSD and Switch. Set the provider's own spending limit too, as a
// second line.
//
// What is the difference between a demo and a production system? A demo answers one
// person who watches it, and a production system answers many users without
// supervision. So a production system must survive failures, overload, attacks, wrong
// answers and high bills. Most of its code is around the model, not in the prompt.
//
// Which architecture should I choose: LLM call, RAG, agent or multi-modal? Choose the
// simplest architecture that can do the task. Choose one LLM call if the prompt can
// contain all that is needed, and RAG if the answer is in documents. Choose an agent
// if the steps are unknown before, and a multi-modal system if the input is not text.
//
// Should I use RAG or an agent? Use RAG, and not an agent, when one search finds what
// the answer needs: RAG makes one model call, and its cost and latency are known. Use
// an agent instead of RAG when the task needs several actions that depend on each
// other's results. An agent can use RAG as one of its tools.
//
// Is RAG or fine-tuning better? RAG is better for facts that change or must be cited,
// because you update the index and not the model. Fine-tuning is better for form, such
// as tone or a fixed output format. Most teams start with RAG.
//
// What are the trade-offs of a multi-modal system? The trade-offs of a multi-modal
// system are cost, latency and safety: images and audio count as hundreds of tokens,
// uploads and answers take longer, and attacks can be inside an image. Use it only if
// the input is not text, and reduce the size of images before you send them.
//
// Why are agents expensive? Agents are expensive because each step sends the whole
// history again. Ten steps of 1,000 new tokens send 55,000 input tokens in all. Limit
// the number of steps, shorten the history, and use prompt caching.
//
// How do I stop an endless loop of an agent? Stop an endless loop of an agent by
// limits in code: a maximum number of steps, a deadline for the whole task, and a
// budget of money for each task. Also stop when the agent calls the same tool with the
// same arguments twice. A sentence in the prompt is not a limit.
//
// Which architecture fits a support bot? For a support bot that answers questions, use
// RAG over the help pages. Add tools, and so an agent, only for actions such as
// looking up an order, and ask the user before each action that changes anything.
//
// How much does an LLM feature cost? An LLM feature costs requests × (input tokens ×
// input price + output tokens × output price). For example, 10,000 requests a day with
// 2,000 tokens in and 500 out, at $5 and $15 a million tokens, cost $175 a day. The
// package [github.com/prodailabs/prodai/trace/cost] computes it exactly for real
// models.
//
// Why is output more expensive than input? Output tokens are made one after another,
// and each needs a pass through the whole model. Input tokens are read together in one
// pass. So providers charge several times more for output, and long answers are also
// slow.
//
// Why is my chatbot so slow? A chatbot or model is slow mostly because its answer is
// long: at 50 tokens a second, an answer of 500 tokens takes 10 seconds. To make a
// slow chatbot faster, ask for shorter answers, stream them, use a smaller model, or
// cache repeated questions. If the first token comes late, the prompt is long or the
// provider is busy.
//
// What is a good latency for a chat application? A chat feels quick when the first
// token comes within about one second and the rest comes faster than a person reads,
// about 10 tokens a second. Measure the p95 of the time to first token, not only the
// mean.
//
// Can I have low latency, low cost and high quality together? Low latency, low cost
// and high quality rarely come together, because better models are larger. Caching and
// shorter prompts improve latency and cost at once. For the rest, decide which of the
// three matters most for each feature.
//
// What does 99.9 % availability mean? An availability of 99.9 %, also called three
// nines, allows 43 minutes of failure in a month of 30 days. An availability of 99 %
// allows 7.2 hours, and 99.99 % allows 4.3 minutes. One provider alone seldom gives
// more than three nines, so higher goals need a fallback.
//
// Do I need all layers of the library? No layer of the library is required. Start with
// a client, retries and a limit on money. Add tracing when you have users, guards when
// untrusted text reaches the model, and a cache when questions repeat.
//
// Why Go and not Python? This library is written in Go and not in Python because Go
// has one binary, static types and cheap concurrency, which suit a gateway with
// thousands of open streams. The ideas of the course are the same in Python: the notes
// name the Python tool beside each Go package.
//
// What do I need to know about Go to read this code? Go functions return an error as
// their last value, and the caller checks it with if err != nil. A context.Context
// carries the deadline of a call. A struct with methods is like a Python class, and an
// interface such as llms.Model is like a protocol (duck typing).
//
// How do I run the labs? A lab runs with go run ./examples/NAME from the root of the
// module, without a key and without a network. The programs compose, lab02-tokens,
// lab03-typed-output and capstone can ask a real model: set OPENAI_API_KEY,
// OPENAI_BASE_URL and OPENAI_MODEL. The file examples/README.md says of each lab what
// to look at.
//
// How do I read a lecture's notes? A lecture's notes are the comment of its package:
// go doc ./retry prints those of lecture 4. The command go run ./internal/docpage
// serves all of them as pages on your machine. The variable [Notes] has the same text
// as data.
//
// What is langchaingo, and is it LangChain? The library langchaingo
// (github.com/tmc/langchaingo) is a Go library with the ideas of Python's LangChain:
// common interfaces for models, embedders and vector stores. This module uses its
// interface llms.Model, so that each provider and each layer fits together.
//
// # Questions on deployment
//
// What is the difference between an image and a container? A Docker image is the
// packed program on disk, and a container is that program running. One image can run
// as many containers at once, as one class can have many objects.
//
// What is the difference between Docker and Kubernetes? Docker builds images and runs
// containers on one machine, and Kubernetes runs containers on many machines.
// Kubernetes places the containers, restarts them, gives them addresses and scales
// them. For one machine, Docker (or Docker Compose) is enough.
//
// Why use Docker for AI? Docker fixes the versions of Python, CUDA, libraries and code
// in one image, so that the program runs on every machine as it did on yours. AI
// programs have unusually many such dependencies. The driver of the GPU stays outside,
// on the machine.
//
// How do I make a Docker image small? A Docker image gets small by a multi-stage
// build, a slim base image, few layers, and by leaving out weights and test data. A Go
// service fits into some tens of megabytes. An image with PyTorch and CUDA has several
// gigabytes.
//
// How many GPUs does a 7B model need? A 7B model (7 billion parameters) needs one GPU:
// its weights take 14 GB of GPU memory in FP16, 7 GB in INT8 and 3.5 GB in INT4. In
// general the weights need parameters × bytes per parameter. A 70B model takes 140 GB
// in FP16, so it needs two GPUs of 80 GB or a smaller format. The KV cache of the
// requests in progress comes on top, often some gigabytes more.
//
// How much CPU and memory should I request for a container? Request as much CPU and
// memory as the container uses under normal load, measured with kubectl top or a
// dashboard, and set the memory limit somewhat above its highest use. A model server
// needs at least as much memory as its weights while they load. Begin generous,
// measure for a week, and then lower the request.
//
// What happens if a container uses too much memory? A container above its memory limit
// is killed by the kernel; Kubernetes shows OOMKilled and restarts it. Raise the
// limit, or lower the use. CPU is different: a container above its CPU limit is only
// slowed down.
//
// Why does my pod not start? A pod that does not start is mostly Pending because no
// machine has the requested CPU, memory or GPU free, or it can't fetch its image, or
// its program ends at once. The command kubectl describe pod shows the reason.
//
// How do I pass an API key to a container? Pass an API key to a container as a secret:
// an environment variable or a file that Docker or Kubernetes provides at the start
// (docker run --env-file, a Kubernetes Secret). Never write the key into the image or
// the Dockerfile.
//
// What does ImagePullBackOff mean? ImagePullBackOff means that Kubernetes can't fetch
// the image: its name or version is wrong, the registry needs a password, or the
// registry is not reachable. Read the reason with kubectl describe pod.
//
// What does CrashLoopBackOff mean? CrashLoopBackOff means that a container ends again
// and again soon after its start, and Kubernetes waits longer before each restart.
// Read the logs of the last run (kubectl logs --previous). A missing key, a wrong path
// of the weights or too little memory are usual causes.
//
// How do I run a pod on a GPU in Kubernetes? To run a pod on a GPU, install NVIDIA's
// device plugin on the cluster and set the limit nvidia.com/gpu to 1 in the pod's
// description. Kubernetes then starts the pod on a machine that has a free GPU.
//
// Can two pods share one GPU? Two pods can share one GPU only if it is divided: by MIG
// into fixed parts, or by time-slicing without protection of memory. By default a GPU
// request is for whole GPUs. Two models are often better served by one engine.
//
// How do I scale a model server automatically? To scale a server automatically,
// Kubernetes has the HPA. The HPA (horizontal pod autoscaler) measures a value for
// each copy, such as CPU use or waiting requests, and computes copies = ceil(copies
// now × value / target). With 4 copies, 20 waiting requests each and a target of 10,
// it asks for 8 copies. KEDA does the same with queue lengths and can scale to zero.
//
// Why is autoscaling slow for LLMs? Autoscaling a model server is slow because a new
// copy needs a GPU machine, an image of gigabytes and the weights in memory: minutes
// in all. Keep a spare copy, keep weights on local disks, and let a limit or a queue
// absorb the peak meanwhile.
//
// When should I self-host a model instead of using an API? Self-hosting pays when the
// GPUs are busy most of the time, when data may not leave your machines, or when you
// need your own weights. A GPU at $2 an hour costs $48 a day, busy or not. At low
// traffic an API is cheaper, because you pay only for tokens.
//
// What is hybrid routing good for, and when do I use it? Hybrid routing uses your own
// GPUs for the steady load and a provider's API for peaks, failures and hard
// questions. Private data stays on your machines. The module has no router yet;
// retry.Options.Fallbacks covers the case of a failed first model.
//
// Which serving engine should I use: vLLM, TensorRT-LLM, Triton, Ray Serve or BentoML?
// Use vLLM first, and TensorRT-LLM only if you need the last speed on NVIDIA GPUs. The
// engine vLLM is open source and fast, supports most models and has an
// OpenAI-compatible server. Choose Triton for many model types in one server, Ray
// Serve for pipelines in Python, and BentoML for quick packaging.
//
// Why is vLLM faster than a loop around model.generate? The engine vLLM is faster
// because it batches continuously: a new request joins the running batch at the next
// token, and a finished one leaves it. Paged attention stores the KV cache in small
// blocks, so that more requests fit into the GPU's memory.
//
// Is vLLM the same as Triton? Triton and vLLM are different kinds of tools: vLLM is an
// engine for LLMs, and Triton is a general server for all kinds of models. Triton is a
// server that runs models of many frameworks, and it can use vLLM or TensorRT-LLM as
// the engine for an LLM.
//
// How do I connect this library to vLLM? A vLLM server is used through openai.New with
// Options.BaseURL, for example http://localhost:8000/v1. The model's name is the one
// with which vLLM was started. The same works for llama.cpp, Ollama and other servers
// of the OpenAI protocol.
//
// What is the difference between canary and blue/green? A canary gives the new version
// a small share of the traffic and watches it, while blue/green switches all traffic
// at once between two full copies. A canary finds problems with few users affected;
// blue/green is simpler and switches back faster.
//
// What is the difference between a staged rollout and a canary? A canary is one small
// step that is watched, and a staged rollout is a series of steps (1 %, 10 %, 50 %,
// 100 %) that often begins with a canary.
//
// What is the difference between a canary and shadow traffic? A canary's answers are
// seen by some users, and the answers to shadow traffic are seen by no user. Shadow
// traffic is safer, but it can't show how users react, and each request is paid twice.
//
// How long should a canary run? A canary should run until there is enough data to see
// the difference that matters, often some hours or days. To see an error rate rise
// from 1 % to 2 % you need some thousands of requests on each side. The package
// [github.com/prodailabs/prodai/eval/stats] computes sample sizes and has tests that
// may be looked at while data arrives.
//
// When should I roll back a release? Roll back a release when error rate, latency,
// cost or quality of the new version is worse than a limit that was set before the
// rollout. Roll back first and look for the cause afterwards. The old image, prompt
// and model name must be kept for that.
//
// # Lab
//
// The first lab shows the $100,000 weekend, without and with limits. Look at the time
// of the first refusal, at its status (429 for the rate, 402 for the budget) and at
// the last line, the switch.
//
//	go run ./examples/lab01-runaway-cost
//	go run ./examples/lab01-runaway-cost -budget 50 -hourly 10
//
// The second program shows the layers working together. Look at the events in its log:
// a cache miss, a retry after status 429, a stored answer, and a cache hit for the
// repeated question.
//
//	go run ./examples/compose
//
// The capstone is the whole system of the last assignment, with a page at
// http://localhost:8080/. Look at its panel of what happened in each layer.
//
//	go run ./examples/capstone
//
// # Exercises
//
//  1. Change the lab's hourly limit to $10. When does the first refusal come, and how
//     much is spent by Monday?
//  2. Take a feature that you know. Compute its cost a day and its latency by the two
//     formulas of "Trade-offs". Which of the two can you halve?
//  3. An agent makes at most 20 steps with 800 new tokens each. How many input tokens
//     does it send, and what does that cost at $5 a million?
//  4. Remove one layer from examples/compose. Which line of the log disappears, and
//     which risk is open now?
//  5. Write the list of "From demo to production" for a system that you use every day.
//     Which answer is missing?
//
// # Further reading
//
//   - Sculley et al., "Hidden Technical Debt in Machine Learning Systems", NeurIPS 2015.
//   - Beyer et al., "Site Reliability Engineering", O'Reilly 2016, chapters 3 (risk)
//     and 4 (service level objectives).
//   - Huyen, "AI Engineering", O'Reilly 2025.
//   - Anthropic, "Building effective agents", 2024: when a workflow is enough.
//   - Kwon et al., "Efficient Memory Management for Large Language Model Serving with
//     PagedAttention", SOSP 2023 (vLLM).
//   - Kubernetes documentation: "Horizontal Pod Autoscaling", "Schedule GPUs",
//     "Resource Management for Pods and Containers".
//
// [llms.Model]: https://pkg.go.dev/github.com/tmc/langchaingo/llms#Model
package prodai
