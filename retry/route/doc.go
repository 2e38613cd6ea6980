// Package route sends each call of a model to the target that can answer it: a machine of
// your own, a managed API, or a new version on trial. Its notes are lecture 11 (hybrid
// routing) and lecture 12 (serving engines and staged rollouts).
//
// # What you will be able to do
//
//   - Put several machines and providers into one model, and say how a target is chosen.
//   - Use your own GPUs first, and a managed API for what they can't take.
//   - Compare vLLM, TensorRT-LLM, Triton, Ray Serve and BentoML, and choose one for a task.
//   - Roll a new version out in steps, with a test that rolls it back by itself.
//   - Say what several replicas of a gateway must share, and what they need not.
//
// # The problem
//
// A team serves a model on two machines with a GPU each. At noon, 18 requests a second
// come, and the machines can answer 16. The queue grows for two hours, and users wait for
// 18 minutes. For safety the team moves to a managed API, and the bill grows from $120 to
// $1,383 a day, though the machines would be enough for 20 hours of 24.
//
// A month later the team deploys a new version on a Friday. One answer in twelve is broken
// JSON. The dashboard averages over everything, and the share of failures rises from 0.4 %
// to 8 % between two looks at it. It takes 50 minutes until a person sees that, and all
// users have had the new version meanwhile.
//
// # The idea
//
// A router is a model that contains other models. It knows three things of each target:
// whether it can answer at all, how busy it is, and how fast it has been. From these it
// chooses a target for each call, and when that fails, another one.
//
//	            ┌──────────────────────── Model ────────────────────────┐
//	call ──────▶│ canary? ─▶ who may ─▶ lowest tier ─▶ key or balance   │─▶ target
//	            │                 ▲      without queue            │     │
//	            │                 └──────── another target ◀──────┘     │
//	            └──────────── by the class of the failure ──────────────┘
//
// The same place decides which version serves a user, because only it sees the results of
// both versions for the same kind of calls. So the rollout belongs into the router: it
// gives the new version a small share, tests its results, and takes the share away when the
// test says so.
//
// # Terms
//
//   - Target (also: deployment, upstream, backend, endpoint): A target is one place that can
//     answer a call: a replica of an engine, or a model of a provider. See [Target].
//   - Pool (also: router, load balancer, gateway pool): A pool is a set of targets with what
//     is known of each, from which one is chosen for a call. See [Pool].
//   - Load balancing (also: balancing, load balancer policy): Load balancing divides calls
//     among targets that could all answer, so that none is busy while another is idle.
//   - Round robin (also: weighted round robin, smooth weighted round robin): Round robin takes
//     the targets in turn. With weights, a target with weight 5 gets five turns of six.
//   - Least outstanding (also: least busy, least connections, least requests): Least
//     outstanding chooses the target with the fewest calls in progress.
//   - Power of two choices (also: P2C): Power of two choices draws two targets at random and
//     takes the less busy one. It is nearly as even as looking at all, and many routers that
//     see the same old numbers don't all choose the same target.
//   - Peak EWMA (also: EWMA, peak exponentially weighted moving average): Peak EWMA is a
//     moving mean of latencies that rises at once with a slow answer and falls slowly. A
//     target's expected wait is that mean times its calls in progress.
//   - Tier (also: priority group, fallback order): A tier is a group of targets that are
//     preferred alike. Calls go to the lowest tier that has room.
//   - Hybrid routing (also: hybrid deployment, self-hosted and managed): Hybrid routing uses
//     machines of one's own for the usual load, and a managed API for the rest and for
//     failures.
//   - Self-hosted model (also: self-hosting, own GPUs): A self-hosted model runs on machines
//     that you pay by the hour, busy or not. Its data stay with you, and so does the work.
//   - Managed API (also: hosted API, provider API): A managed API is a provider's model that
//     is paid by the token. It takes any load within its rate limits.
//   - Spill-over (also: overflow, bursting, spillover): Spill-over sends calls to the next tier
//     while the first has a queue. See Target.SpillAt.
//   - Queue depth (also: queue length, waiting requests): Queue depth is the number of
//     requests that an engine has accepted and not begun. It grows before latency does.
//   - Prefix affinity (also: cache-aware routing, prefix-aware routing, sticky prefix): Prefix
//     affinity sends prompts with the same beginning to the same replica, which has it in its
//     cache. See [PrefixKey].
//   - Sticky session (also: session affinity, sticky user): A sticky session keeps the calls
//     of one user or conversation on one target or on one version.
//   - Rendezvous hashing (also: highest random weight, HRW): Rendezvous hashing gives each
//     target a random rank for a key and takes the first. When a target fails, only its own
//     keys move.
//   - Bounded load (also: bounded-load hashing): Bounded load is a limit on affinity: a target
//     gets no more than 1.25 times the mean load for the sake of a key.
//   - Jump hash (also: consistent hashing, jump consistent hash): Jump hash divides keys over
//     buckets so that few keys move when a bucket is added. It divides users for a canary.
//   - Fallback (also: failover): A fallback is another target that is asked after one has
//     failed. Only some classes of failures can be healed by one.
//   - Health check (also: readiness probe, readiness): A health check asks a target regularly
//     whether it can answer. After two failures the target is left out.
//   - Cool-down (also: ejection, outlier detection, pause): A cool-down is a time in which a
//     target that has failed or refused gets no calls.
//   - Serving engine (also: inference server, inference engine, model server): A serving
//     engine is the program that loads a model and answers requests on a GPU, such as vLLM.
//   - Static batching: Static batching waits for a fixed number of requests and computes them
//     together. All of them wait for the longest answer.
//   - Dynamic batching (also: Triton dynamic batcher, max queue delay): Dynamic batching
//     collects requests for some milliseconds at most, and then computes them together. It
//     suits models whose answers take equally long.
//   - Continuous batching (also: in-flight batching, iteration-level scheduling): Continuous
//     batching decides after each token anew: ended answers leave the batch, and waiting
//     requests join.
//   - vLLM: vLLM is a serving engine with continuous batching and a paged KV cache. It has
//     OpenAI's routes, and runs most open models without a build.
//   - TensorRT-LLM (also: TRT-LLM): TensorRT-LLM is NVIDIA's engine for language models on its
//     own GPUs, with kernels tuned for each of them. It is mostly served by Triton.
//   - Triton (also: Triton Inference Server, NVIDIA Triton): Triton is a server for models of
//     many kinds, with dynamic batching and the KServe v2 protocol.
//   - KServe v2 protocol (also: Open Inference Protocol, OIP): The KServe v2 protocol sends
//     named tensors with a type and a shape by HTTP or gRPC. Triton and KServe speak it.
//   - Ray Serve: Ray Serve runs models and Python code as deployments on a Ray cluster, each
//     with replicas of its own. An engine such as vLLM runs inside.
//   - BentoML: BentoML packs a model with its Python code into a service and an image, with
//     methods as HTTP routes.
//   - Staged rollout (also: progressive delivery, rollout in steps): A staged rollout gives a
//     new version 1 %, 5 %, 25 % and 50 % of the traffic in turn, each after a check.
//   - Automatic rollback (also: rollback, auto-rollback): Automatic rollback takes the traffic
//     from a new version without a person, when its results are worse than allowed.
//   - Sequential test (also: SPRT, sequential probability ratio test): A sequential test may be
//     looked at after each result without more false alarms, and mostly decides with half the
//     results of a test of fixed size.
//   - SLO gate (also: gate, service level gate): An SLO gate is a limit, for example on the
//     95th percentile of latency, that a version must keep in each step.
//   - Shadow traffic (also: mirroring, dark launch, traffic mirroring): Shadow traffic is copies
//     of requests to a new version whose answers no user sees. It costs as much as real
//     traffic, so it needs a budget. See [Shadow].
//
// # How a target is chosen
//
// A choice has five steps. Each leaves targets out, and the last one takes one of the rest.
//
//	1 version    the canary's or the stable targets; all, if that leaves none
//	2 may        not tried, drained, down, paused, open, at MaxInFlight; a window that fits
//	3 tier       the lowest tier without a queue of SpillAt, else the lowest with one
//	4 key        Options.Key: rendezvous hashing with a bounded load
//	5 balance    without a key: Options.Balance, by default peak EWMA of two at random
//
// The table shows what the balances are for.
//
//	BalanceEWMA      the default: also finds a replica that is slow for a reason of its own
//	BalanceP2C       targets that are equally fast, and many routers
//	BalanceLeast     one router, few targets
//	BalanceCost      the cheapest that meets Options.LatencyGoal
//	BalanceWeighted  machines of different size, with a weight each
//
// Load is not only the number of calls. A prompt of 100,000 tokens keeps an engine busy for
// longer than fifty short ones, so a call weighs as one and its prompt in units of
// Options.CallTokens.
//
// Two memories of a target are apart: its load and its health. A health check that fails
// forgets no call in progress, and a target that comes back is not taken for idle.
//
// # Which failures another target can heal
//
// The class of an error decides what follows. Package
// [github.com/prodailabs/prodai/retry/fault] finds it.
//
//	class                                  another target?  and the target
//	rate limit                             yes              pauses for Retry-After
//	wrong key, no quota, TLS               yes              pauses for AuthPause
//	unknown model                          yes              pauses, if Target.As chose the name
//	prompt longer than the window          a larger one     stays
//	server error, timeout, network, cut    yes              counts: 10 of 20 open its breaker
//	bad request, filter, caller's deadline no               stays
//
// A stream falls back until its first token has reached the caller. After that the error is
// the caller's, with what was received.
//
// A pool whose targets are all paused returns an error at once, with the time until the
// first comes back. Package retry around the pool waits for it, if the deadline allows.
//
// # Hybrid routing
//
// Hybrid routing is two tiers. The machines are tier 0 with a SpillAt; the API is tier 1. An
// engine's own queue is the best signal: [Model.Run] reads it every two seconds, and the
// calls sent since are added. CPU is the wrong signal, and latency comes too late.
//
//	{Name: "gpu-1", Model: own, Check: own.Check, Load: own.Load, SpillAt: 8},
//	{Name: "api", Model: managed, Tier: 1},
//
// The price of a machine is fixed, so it should be busy. Own machines are cheaper than an
// API from the hour on in which they answer more calls than their price buys there: at $2.50
// an hour and $0.002 a call, 1,250 calls.
//
// # The serving engines
//
// Serving engines differ in what they are made for. The table is the selection of lecture
// 12, by the engines' own documentation.
//
//	engine        made for                                batching               package
//	vLLM          open models on GPUs, OpenAI's routes    continuous             route/vllm
//	TensorRT-LLM  lowest latency on NVIDIA GPUs           in-flight              route/triton
//	Triton        models of many kinds on one server      dynamic                route/triton
//	Ray Serve     pipelines and many models on a cluster  the inner engine's     route/rayserve
//	BentoML       model and code as one image             adaptive, or inner's   route/bentoml
//	llama.cpp     CPUs and laptops, quantized files       continuous, few slots  route/llamacpp
//	Ollama        development, a catalog of models        few slots              route/ollama
//
// Amazon Bedrock is a managed API with models of several families, and has package
// route/bedrock.
//
// Each adapter gives a target its model, its check and, where the engine reports one, its
// queue. The package comments list what differs from OpenAI: an error with status 200, a bad
// request with status 500, a stream without an end mark.
//
// # The canary's test
//
// A canary is judged by Wald's sequential test of two rates of failures: p0, which is
// allowed, and p1, which is alarming. Each result moves the log-likelihood ratio:
//
//	failure  + ln(p1/p0)              LLR ≥ ln((1-β)/α)  roll back
//	success  + ln((1-p1)/(1-p0))      LLR ≤ ln(β/(1-α))  good
//
// A rollout uses the test in three ways. It rolls back at the upper limit, in the same call.
// It lets step i of k end only when i/k of the way to the lower limit is gone. And after the
// lower limit it goes on as a CUSUM, so that a version which breaks at 50 % of the traffic is
// found as well.
//
// The picture shows the phases of a rollout.
//
//	         step good              last step good, test passed
//	1 % ─▶ 5 % ─▶ 25 % ─▶ 50 % ─────────────────────────────────▶ promoting, 100 %
//	 └──────┴───────┴──────┴─── test or third missed gate ──▶ failed, 0 %
//
// Results count for the version that has served them, and are written at the attempt. No
// results are neither good nor bad: the step waits, and CanaryOptions.OnTimeout may end it,
// but never promote it. When the stable version fails as well, the cause may be elsewhere:
// the step waits, and the canary is compared with the stable version until that one is
// well again.
//
// # What replicas share
//
// Several replicas of a gateway have each a pool. Most of what a pool knows should not be
// shared: latencies, calls in progress and breakers differ by replica, and are good after
// some calls. What must be shared is what is a promise to a user or to a bill.
//
//	shared       the limits of tenants        github.com/prodailabs/prodai/retry/limit/redis
//	shared       the state of a rollout       github.com/prodailabs/prodai/retry/route/redis
//	by itself    a user's version             Bucket: the same hash in each replica
//	by itself    a key's target               the names of the targets, if all are available
//	read         an engine's queue            each replica reads it: it has the calls of all
//	not shared   latencies, loads, breakers
//	not shared   drained targets              drain in each replica, or change the targets
//	not shared   the budget of shadow traffic give each replica its part
//
// A rollout in the store is a number of results with a revision. A replica adds its own and
// writes if no other was faster. So a rollback by one replica reaches the others within one
// Interval. If the store is down, each replica goes on with what it knows.
//
// # A minimal program
//
// The program puts two machines and an API into one model.
//
//	own1, err := vllm.New("http://gpu-1:8000", "llama-3", nil)
//	…
//	m, err := route.New([]route.Target{
//		{Name: "gpu-1", Model: own1, Check: own1.Check, Load: own1.Load, SpillAt: 8, WindowTokens: 8192},
//		{Name: "gpu-2", Model: own2, Check: own2.Check, Load: own2.Load, SpillAt: 8, WindowTokens: 8192},
//		{Name: "api", Model: managed, Tier: 1, As: "gpt-4o-mini", WindowTokens: 128_000},
//	}, &route.Options{Key: route.ConversationKey, Logger: slog.Default()})
//	…
//	go m.Run(ctx) // checks and loads, until ctx is done
//	answers, err := retry.New(m, nil)
//
// # Measured
//
// The table shows a simulation of eight replicas with four slots each, of which one answers
// five times as slowly, at 70 % of their capacity. 60,000 calls each.
//
//	         p50      p99
//	ewma     0.83 s   6.0 s
//	p2c      0.78 s   7.8 s
//	least    0.73 s   6.8 s
//	random   1.09 s   34 min: the slow replica's queue only grows
//
// The commands for this table and for the share of prompts whose prefix is in the cache of
// their replica (93.0 % with affinity, 44.0 % without) are
//
//	go test ./retry/route -run SlowReplica -v
//	go test ./retry/route -run PrefixAffinity -v
//
// Of 2,000 simulated rollouts each at p0 = 1 % and p1 = 3 %, 3.8 % of the good ones were
// rolled back, and 4.5 % of the bad ones promoted. They needed 304 and 226 results on
// average, where a test of fixed size needs 521. The command is
//
//	go test ./retry/route -run Rollouts -v
//
// A choice among 16 targets took 72 ns of processor time, 125 ns with a key and 162 ns with
// its permit, and allocated nothing. The command is
//
//	go test ./retry/route -run xxx -bench Choose
//
// # Pitfalls
//
//   - Don't let each client of a target repeat its requests: because three attempts at three
//     targets are nine. Put package retry around the pool, and give both one Budget.
//   - Don't judge a canary by the average of all traffic: because 1 % of bad answers is
//     invisible there. Count results by the version that has served them.
//   - Don't look at the rate of failures every minute and stop when it is high: because half of
//     the good rollouts end that way. Use a sequential test.
//   - Don't read silence as success: because a canary without traffic has no failures. It must
//     never be promoted.
//   - Don't use affinity without a bound: because a popular prompt then overloads one replica
//     while others idle.
//   - Don't choose by the number of calls alone: because one long context fills an engine. Give
//     the pool a counter of tokens.
//   - Don't trust a green health check: because an engine with a hung GPU still answers it. Set
//     timeouts, so that the breaker sees it.
//   - Don't send shadow traffic without a budget: because copies cost as much as calls.
//   - Don't serve the [Admin] page to the internet: because it has no login of its own.
//
// # Questions
//
// When is a machine of my own cheaper than an API? A machine of your own is cheaper when it is
// busy enough: its price an hour divided by the price of a call is the number of calls an
// hour from which on it is. A machine that is idle at night needs more of them by day. Count
// the work of people too.
//
// Why two at random and not the best of all? The best of all targets is the best for every
// router that has the same numbers, so all send their calls there until the numbers change.
// Of two at random the better one is nearly as good, and the calls spread.
//
// Why is a fast target not always right? A target may be fast because it fails fast. Here a
// failure counts as twice the target's mean latency, and many failures open its breaker.
//
// Why does a call go to the API although a machine is free? A call goes to the API although a
// machine is free if the machine's window is too small for the prompt, or if it is paused or
// was tried. The event route.pick has the reason.
//
// What happens to a conversation whose replica fails? A conversation whose replica fails moves
// to the next one in its own order, and stays there when the first comes back. Going back
// would lose the cache a second time.
//
// Which serving engine should I take? Take vLLM first, if your model is a language model and
// you have a GPU: it has OpenAI's routes and needs no build. Take TensorRT-LLM when one model
// stays for months and latency is worth a build. Take Triton for models of several kinds, Ray
// Serve for pipelines on a cluster, and BentoML to ship code and model as one image.
//
// Why does continuous batching matter more for language models? Continuous batching matters
// more for language models, because their answers differ in length from one token to
// thousands. A static batch computes nothing useful for the short ones while the longest one
// runs.
//
// How large should the first step of a canary be? The first step of a canary should be so small
// that its failures don't hurt, and so large that it gets results soon: 1 % of 20 calls a second
// gives 20 results in 100 seconds. With few calls a day, begin with a larger share.
//
// Should quality be part of the test? Quality should be part of the test if it can be judged at
// the call: an answer that isn't valid JSON, or that a guard stops. Set CanaryOptions.Judge. Slow
// judgments, such as those of a model as judge, belong to a monitor, which may call
// [Canary.Rollback].
//
// # Lab
//
// The first lab sends a day of requests to machines, to an API and to both. Look at the columns
// p99 and "a day".
//
//	go run ./examples/lab11-hybrid-routing
//
// The second lab rolls out five versions, and compares three rules. Look at the largest share of
// each version, and at "good, rolled back".
//
//	go run ./examples/lab12-canary
//
// The third lab puts one load on a simulated engine in several configurations. Look at the
// time to the first token in the last four rows.
//
//	go run ./examples/lab12-serving
//
// # Exercises
//
//  1. Give lab11 a second API that is cheaper and slower. Which tiers and which SpillAt are best?
//  2. A canary has 200 calls a day in all. How long does a rollout take? What would you change?
//  3. Write a Judge that counts an answer that isn't JSON as a failure.
//  4. Take the bound of affinity from 1.25 to 10, and look at the busiest replica in the lab.
//  5. Draw on paper what two replicas of a gateway know of one target after a minute each.
//
// # Further reading
//
//   - Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001.
//   - Mirrokni, Thorup and Zadimoghaddam, "Consistent Hashing with Bounded Loads", 2018.
//   - Wald, "Sequential Tests of Statistical Hypotheses", 1945; Page, "Continuous Inspection
//     Schemes", 1954, for the CUSUM.
//   - Yu et al., "Orca: A Distributed Serving System for Transformer-Based Generative Models",
//     OSDI 2022: continuous batching.
//   - Kwon et al., "Efficient Memory Management for Large Language Model Serving with
//     PagedAttention", SOSP 2023: vLLM.
//   - Beyer et al. (editors), "The Site Reliability Workbook", 2018, chapter 16: canarying.
package route
