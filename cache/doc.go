// Package cache answers a call of a model with the stored answer of an equal
// earlier call.
//
// # What you will be able to do
//
//   - Say which calls a response cache may answer, and which answers it may store.
//   - Tell a response cache, a semantic cache, prompt caching and a KV cache apart,
//     and say what each saves.
//   - Explain how a serving engine makes inference fast: prefill and decode,
//     batching, paged attention, speculative decoding.
//   - Put a cache around a model in Go, and keep tenants and prompt versions apart.
//
// # The problem
//
// A support desk gets the same two hundred questions every day, and pays a model to
// answer them every day. The team puts a cache in front of the model, with the text
// of the question as the key. The bill falls by half in the first week. In the
// second week a customer reads the order history of another customer, because both
// had asked "Where is my order?". In the third week the shop changes its return
// policy, and the assistant quotes the old one for days.
//
// A wrong hit looks exactly like a right one. No error appears in a log, and no
// metric of speed or cost changes. So a response cache is first a question of
// identity (are these two calls really equal?), and only then a question of speed.
//
// # The idea
//
// A response cache makes a key of everything in a call that can change its answer.
// It looks the key up before the call, and stores the answer after the call if it
// is safe to repeat. A hit takes microseconds and costs no tokens. The diagram
// shows the way of a call through [Model]:
//
//	call ──► key ──► store ──► hit: copy the answer, replay the stream
//	          │        │
//	          │        └─ miss ──► join an equal call in progress, or ask the model
//	          │                               │
//	          └─ may not be cached ──► ask    └─► may it be stored? ──► store
//
// A response cache belongs inside the guards and limits, and outside the retries.
// The guards then check stored answers too, and a hit uses nothing of the retry
// budget.
//
// A response cache avoids a call. The other techniques of the lecture make a call
// that does take place cheaper or faster. Prompt caching reuses the work on the
// beginning of a prompt. Batching shares the work among requests. Speculative
// decoding produces several tokens for the time of one. They happen inside the
// provider or the serving engine, so this package doesn't contain them; the notes
// below explain them.
//
// # Terms
//
//   - Response cache (also: answer cache, exact cache, LLM cache, caching): A
//     response cache stores whole answers of a model, and returns a stored answer
//     when an equal call comes. It saves the whole cost and time of the call.
//     [Model] of this package is one.
//   - Cache key (also: key): A cache key is a short name computed from everything
//     in a call that can change the answer: the model, the tenant, the prompt
//     version, all messages and all options. Two calls may share an answer only if
//     their keys are equal. Here it is a SHA-256 hash, see [KeyOf].
//   - Cache hit (also: hit): A cache hit is a call for which the cache has a stored
//     answer, so the model isn't asked.
//   - Cache miss (also: miss): A cache miss is a call for which the cache has no
//     usable answer, so the model is asked and its answer may be stored.
//   - Hit rate (also: hit ratio): The hit rate is the share of calls that the cache
//     answers: hits divided by all calls. A cache with a hit rate of 30 % saves
//     about 30 % of the calls of the model.
//   - Time to live (also: TTL, expiry, max-age): The time to live is how long a
//     stored answer may be used. After that the answer is expired and the model is
//     asked again. Options.TTL sets it; the default is one hour.
//   - Invalidation (also: cache invalidation, purge): Invalidation makes stored
//     answers unusable because what they depend on has changed, a prompt or a
//     document for example. Here a new Options.Namespace does it, or
//     [Memory.Delete].
//   - Eviction (also: cache eviction, LRU, S3-FIFO): Eviction removes entries from
//     a full cache to make room. LRU (least recently used) removes the entry that
//     was not used for the longest time. [Memory] uses S3-FIFO, which first keeps a
//     new entry in a small queue until it is asked for again.
//   - Single flight (also: request coalescing, deduplication, thundering herd,
//     cache stampede): Single flight lets equal calls that are in progress at the
//     same time share one call of the model. Without it, a hundred callers that
//     miss at the same moment cause a hundred calls, which is called a cache
//     stampede or thundering herd.
//   - Semantic cache (also: similarity cache): A semantic cache returns the stored
//     answer of a similar question, not only of an equal one. It compares the
//     embedding vectors of questions and takes an answer whose similarity is above
//     a threshold. It has more hits than an exact cache, and some of the hits are
//     wrong.
//   - Prompt caching (also: prefix caching, prompt cache, context caching, cached
//     input): Prompt caching keeps what the model computed for the beginning of a
//     prompt, and reuses it for a later prompt that begins with exactly the same
//     tokens. The answer is still generated anew. It makes input tokens cheaper and
//     the first token faster.
//   - KV cache (also: key-value cache, key/value cache): A KV cache stores the
//     attention keys and values of all earlier tokens of a sequence in GPU memory,
//     so that the model doesn't compute them again for each new token. Every
//     serving engine uses one. It is inside the model and has nothing to do with a
//     response cache.
//   - Prefill (also: prompt processing): Prefill is the first phase of generation:
//     the model reads all prompt tokens at once, in parallel, and fills the KV
//     cache. Its time grows with the length of the prompt, and it determines the
//     time to first token.
//   - Decode (also: decoding, generation phase): Decode is the second phase of
//     generation: the model produces one token at a time, and each step reads all
//     weights and the whole KV cache. Memory bandwidth limits it, so a GPU computes
//     little while it decodes a single request.
//   - Time to first token (also: TTFT): The time to first token is how long a user
//     waits from the request to the first token of the answer. It contains the
//     queue, the network and the prefill.
//   - Time per output token (also: TPOT, inter-token latency, ITL): The time per
//     output token is the mean time between two tokens of an answer after the
//     first. Total time is about TTFT + TPOT × (number of output tokens - 1).
//   - Latency (also: response time): Latency is how long one request takes. For a
//     streamed answer it has two parts: the time to first token and the time per
//     output token.
//   - Memory bandwidth (also: memory-bound, compute-bound): Memory bandwidth is how
//     many bytes a GPU reads from its memory in a second, about 3.35 TB/s for an
//     H100. Decoding a small batch is memory-bound: it is limited by this number
//     and not by computing power.
//   - Throughput (also: tokens per second, requests per second): Throughput is how
//     much work a server completes in a second, for all users together. Larger
//     batches raise throughput, and often make a single request slower.
//   - Attention (also: self-attention): Attention is the step of a transformer in
//     which each token takes information from the tokens before it, weighted by how
//     well its query fits their keys. Its work grows with the square of the length
//     in prefill.
//   - Grouped-query attention (also: GQA, MQA, multi-query attention):
//     Grouped-query attention lets several query heads share one pair of key and
//     value heads. The KV cache gets smaller by that factor: 4 times for Llama 3
//     8B, which has 32 query heads and 8 KV heads. Multi-query attention has a
//     single KV head.
//   - Flash attention (also: FlashAttention): Flash attention computes exact
//     attention in small tiles that fit into the fast on-chip memory of a GPU, and
//     never writes the whole matrix of scores to the slow main memory. The result
//     is the same as that of plain attention. It is faster and needs memory linear
//     in the length.
//   - Paged attention (also: PagedAttention, paged KV cache): Paged attention
//     stores the KV cache in small blocks of fixed size (16 tokens by default in
//     vLLM) that may lie anywhere in memory, as an operating system stores pages. A
//     request takes blocks only as it grows, so little memory is wasted and more
//     requests fit into a batch.
//   - Static batching (also: batch inference): Static batching collects a fixed
//     number of requests, runs them together, and returns when the longest of them
//     has finished. Short answers wait for long ones, and the GPU works on finished
//     rows for nothing.
//   - Dynamic batching (also: server-side batching): Dynamic batching starts a
//     batch when it is full or when a short time has passed, whichever is first. It
//     suits models whose requests all take the same time, such as embedders and
//     classifiers.
//   - Continuous batching (also: in-flight batching, iteration-level scheduling):
//     Continuous batching changes the batch after every decode step: a finished
//     request leaves at once and a waiting one takes its place. It is what vLLM,
//     TensorRT-LLM and TGI use for language models.
//   - Chunked prefill: Chunked prefill splits the reading of a long prompt into
//     pieces and mixes them with the decode steps of other requests, so that one
//     long prompt doesn't stop the streams of all others.
//   - Speculative decoding (also: speculation): Speculative decoding lets a small,
//     fast draft model propose several tokens, and the large model checks all of
//     them in one step. Accepted tokens cost one step together. With the right
//     acceptance rule the answers have exactly the distribution of the large model.
//   - Draft model (also: assistant model): A draft model is the small, fast model
//     that proposes tokens in speculative decoding. It must use the same vocabulary
//     as the large model, and should often predict the same tokens.
//   - Serving engine (also: inference engine, inference server): A serving engine
//     is a server that runs a model for many users at once and does the batching
//     and the memory management. vLLM, TensorRT-LLM, TGI, SGLang and llama.cpp's
//     server are examples.
//   - Prefix (also: shared prefix, common prefix): A prefix is the beginning of a
//     prompt. Prompts with an equal prefix (system prompt, tools, documents) can
//     share its KV cache. One changed token makes everything after it different.
//   - Tenant: A tenant is a customer whose data must stay apart from that of other
//     customers. Options.Tenant returns the tenant of a call, and an answer is
//     never given to another tenant.
//   - Namespace (also: cache version): A namespace is the version of everything
//     outside the call that the answers depend on, such as a prompt template or an
//     index. A changed namespace makes all earlier answers unreachable.
//
// # What makes two calls equal
//
// Two calls are equal for the cache if everything that can change the answer is
// equal. [KeyOf] states the rules. Three points are where caches go wrong:
//
//   - The model's own name is part of the key even when the caller didn't pass it.
//     Two models that share one store without names would answer for each other, so
//     a call without any model name is not cached in a store that was passed as
//     Options.Store.
//   - Each field of the key is preceded by its length. Tenant "a" with namespace
//     "bc" is not tenant "ab" with namespace "c", although the letters are the
//     same.
//   - An option that wasn't set differs from an option that was set to zero.
//     Temperature 0 and no temperature are two different requests.
//
// The key leaves out what can't change the answer: whether it is streamed,
// cache-control marks (they change the bill), and metadata that only travels along,
// such as a trace id. Options.Metadata names metadata that does change the answer.
//
// # What may be stored
//
// An answer may be stored only if it is safe to repeat: it must be known to be
// complete. The zero [Policy] stores an answer whose stop reason means that the
// model finished. It does not store any of these:
//
//   - An error of the provider: errors are never stored, so the next equal call
//     asks again.
//   - A filtered, refused or empty answer: it often depends on a moment's policy of
//     the provider, and repeating it helps no caller.
//   - An answer that the token limit cut short: it is stored only with
//     Policy.StoreLength.
//   - Half a stream, or an answer without a known stop reason: a missing stop
//     reason is often the sign of a broken connection. Policy.StoreUnreported
//     allows it for models that never report one.
//   - A call of a tool that may change something, such as sending an email:
//     repeating it would send the email again. By default every tool counts as one
//     that changes something; Policy.SideEffects can say otherwise.
//
// # Many equal misses at once
//
// When a popular entry expires, a hundred callers miss at the same moment. Equal
// calls in progress then share one call of the model (single flight). The shared
// call belongs to all of them. The first caller may hang up, and the others still
// get their answer. Each caller returns when its own context is done, and the
// model's call is canceled only when the last caller has left.
//
// # What to keep when the store is full
//
// Most questions are asked once. A cache that keeps the most recent entries lets
// every one-off question push out one that would have come back. [Memory] keeps a
// new entry in a small queue (a tenth of the room) first, and moves it to the main
// queue only if it is asked for again. This is S3-FIFO. It fits questions of users;
// for the prefix blocks of a serving engine, where the next turn of the same chat
// comes soon, recency is the better rule.
//
// # Inside a serving engine
//
// The KV cache of one token has 2 × layers × KV heads × head size × bytes per
// number. For Llama 3 8B in 16 bits that is 2 × 32 × 8 × 128 × 2 bytes = 128 KiB a
// token, so a context of 8,192 tokens takes 1 GiB. This memory, not the computing
// power, usually limits how many requests a GPU serves at once.
//
// Prefill and decode need different hardware resources. Prefill handles thousands
// of tokens in one pass and is limited by computing power. Decode reads all weights
// for a single token of each request and is limited by memory bandwidth. That is
// why batching helps decode so much: one read of the weights serves all requests of
// the batch.
//
// Speculative decoding uses the idle computing power of decode. A draft proposes,
// for example, 4 tokens. The large model checks the 4 in one pass, which takes
// about as long as producing one token. If 3 are accepted, the pass has produced 4
// tokens: the 3 and one of its own. It pays when the draft is right often and the
// batch is small.
//
// # A minimal program
//
// The program's middle: a cache around a model. The second of two equal calls is
// answered from memory, and Stats counts it as a hit.
//
//	cached, err := cache.New(model, &cache.Options{
//		Model:     "gpt-4o-mini",
//		Namespace: "faq-prompt-v3", // a new prompt forgets the old answers
//		Tenant:    tenantOf,        // func(context.Context) string
//		TTL:       10 * time.Minute,
//	})
//	if err != nil {
//		return err
//	}
//	for range 2 {
//		answer, err := cached.GenerateContent(ctx, messages)
//		if err != nil {
//			return err
//		}
//		fmt.Println(answer.Choices[0].Content)
//	}
//	fmt.Println(cached.Stats().Hits) // 1
//
// # Pitfalls
//
//   - Don't use only the question's text as the key: another model, tenant, prompt
//     version or temperature then gets the wrong answer. Do build the key from the
//     whole call, as [KeyOf] does.
//   - Don't put a cache in front of a model that reads a changing index without a
//     version: it answers from yesterday's index. Do put the version of the index
//     in Options.Namespace.
//   - Don't cache calls that ask for variety: a caller that sets temperature 0.8
//     would get the same text every time. Such calls aren't cached unless
//     Policy.Sampled is set or the call has a seed.
//   - Don't share entries between tenants: the time of an answer shows whether
//     another user has asked the same before (a timing attack), and a wrong hit
//     shows private data. Do set Options.Tenant.
//   - Don't give callers pointers into the store: a caller that edits its answer
//     edits the cache. Here answers are copied on the way in and on the way out.
//   - Don't put the time, a request id or a random number at the beginning of a
//     prompt: each prompt then has another prefix, and the provider's prompt cache
//     never hits. Do put what changes at the end.
//   - Don't judge a semantic cache by its hit rate: a low threshold makes many
//     hits, and many wrong ones. Do measure the share of hits whose answer is
//     right, on pairs of questions with opposite meaning too.
//
// # Questions
//
// What is the difference between a response cache, a semantic cache and prompt
// caching? A response cache returns a stored answer to an equal call. A semantic
// cache returns a stored answer to a similar question, and may be wrong. Prompt
// caching returns no stored answer at all: the provider reuses its work on the
// beginning of the prompt, and the model writes a new answer.
//
// What is the difference between prompt caching and a KV cache? Prompt caching is
// built on the KV cache. The KV cache has the keys and values of a request while it
// runs, and every engine needs one. Prompt caching keeps the part that belongs to
// the beginning of the prompt when the request has ended, for later requests that
// begin with the same tokens.
//
// How do I cache the answers of an LLM in Go? To cache the answers of an LLM, wrap
// the model with cache.New(model, &cache.Options{Model: "gpt-4o-mini"}) and use the
// result in place of the model. Equal calls within Options.TTL (one hour by
// default) are then answered from a [Memory] of 64 MiB in the process.
// [Model.Stats] counts hits and misses.
//
// How much money does a response cache save? A response cache saves the whole cost
// of each hit, so the saving is about the hit rate. With 100,000 calls a day at
// $0.000228 (1,200 input and 80 output tokens of gpt-4o-mini) and a hit rate of 40
// %, it saves about $9 of $23 a day. [Stats].TokensSaved counts the tokens.
//
// Why is my cache hit rate 0, or why is my cache never hit? A cache is never hit
// (its hit rate is 0) if something in the calls differs each time: a timestamp or a
// request id in the prompt, another order of messages, or an option that one call
// sets and the other doesn't. Calls with a temperature above 0 and no seed are not
// cached at all. The event cache.miss has the reason, and Options.Normalize can
// remove what differs.
//
// Should I cache answers when the temperature is above zero? A caller that sets a
// temperature above 0 usually expects different answers, so such calls are not
// cached by default. A call with a seed, or one that sets no temperature, is
// cached. Set Policy.Sampled if one answer for all is good enough.
//
// How do I stop one customer from seeing another customer's cached answer? To keep
// cached answers apart by customer, set Options.Tenant to a function that returns
// the customer (tenant) of the current request. The tenant is part of the cache
// key, so an answer is never given to another tenant. A call whose tenant is
// unknown is not cached.
//
// Are errors cached? Errors are never cached, so the next equal call asks the model
// again. Callers that were waiting for the same call get the error too. An error of
// the store isn't an error of the call: the model is asked instead.
//
// What should not be cached? Errors, refusals, empty answers, answers cut by a
// token limit, half streams and calls of tools with side effects must not be
// cached, since repeating them is wrong. Personal answers must not be shared: set
// Options.Tenant. Answers about fast-changing facts (stock, prices, time) need a
// short TTL or no cache.
//
// How long should the TTL be, and should cached answers expire at all? The time to
// live should be as long as an answer may be out of date without harm: a day for a
// FAQ, minutes for stock or prices. The default is one hour. When the prompt or the
// documents change, don't wait for the TTL: change Options.Namespace.
//
// How do I clear (invalidate) the cache when my prompt or my documents change? To
// clear the cache after a change of the prompt or the documents, change
// Options.Namespace, for example to the version of the index: entries of the old
// namespace are never found again. [Memory.Delete] removes chosen entries at once,
// for example all answers of one model or all that were stored before a time.
//
// What happens if a hundred users ask the same question at once? If a hundred users
// ask the same question at once, their calls share one call of the model, which is
// called single flight. All of them get a copy of the answer, also as a stream.
// This prevents a cache stampede (thundering herd) when a popular entry expires.
//
// Is a streamed answer cached too, and can I stream from the cache? A streamed
// answer is cached if it came to its end. A stored stream is replayed chunk for
// chunk to a caller that sets the same streaming functions. If the answer was not
// streamed when it was stored, the caller gets it as one chunk. So the program
// needs no second code path for hits.
//
// How do I share a cache between several servers, with Redis for example? To share
// a cache between servers, write a [Store] with Get and Put over Redis; its comment
// shows the code, since an [Entry] has a JSON form. An error of the store never
// fails a call: the model is asked instead. A ready Redis store for answers is in
// [github.com/prodailabs/prodai/cache/redis].
//
// When should I use a semantic cache, and when is it a bad idea? A semantic cache
// is worth trying when many users ask the same thing in different words and a
// slightly wrong answer does little harm, as in a public FAQ. A semantic cache is a
// bad idea where a small word changes the answer ("with" and "without" insurance).
// The semantic cache of this library, [github.com/prodailabs/prodai/cache/semantic],
// measures the wrong hits first, since embedders put opposite sentences near each
// other.
//
// Where in the stack do I put the cache, before or after guard and retry? Put the
// cache inside guards and limits and outside retries: trace, guard, limit, cache,
// retry, client, from outside to inside. Guards then check stored answers too, a
// hit needs no retry, and only whole answers reach the cache.
//
// How do I delete all cached answers of one user? To delete all cached answers of one
// user, set Options.Attributes to a function that returns the user of the call, and call
// [Model.Erase] with a [Selection] of that user. Answers of calls in progress are not
// stored either. Memory, cache/disk, cache/redis, cache/search and cache/semantic can all
// erase.
//
// How do I keep cached answers after a restart? To keep cached answers after a restart, set
// Options.Store to a store in files, which [github.com/prodailabs/prodai/cache/disk] has.
// A process that is killed leaves each answer whole or absent, and a full disk never
// fails a call.
//
// How do I keep many answers from expiring at the same moment? To keep answers from
// expiring at the same moment, set Options.Jitter, which shortens each time to live at
// random. Options.EarlyRefresh asks for popular answers anew before they expire, so that
// no caller waits.
//
// How do I cache embeddings? To cache embeddings, wrap the embedder with
// [github.com/prodailabs/prodai/cache/search]: of each batch only the texts that are not
// stored are sent. The same package keeps the documents that a retriever found.
//
// How can I see why a call was not cached? Set Options.Logger: the event cache.miss
// has the reason if the call may not be cached ("sampled", "no tenant", "no model
// name"), and cache.store has the reason if the answer was not stored ("cut short",
// "refused", "empty"). [Model.Stats] counts both.
//
// How should I order my prompt for prompt caching? Put first what is the same in
// every call: the system prompt, the tools, the examples, the documents. Put last
// what changes: the user's question, the time, ids. One changed token makes
// everything after it a miss.
//
// How does prompt caching work, and how do I get it? With prompt caching the
// provider stores the KV cache of a prompt's beginning and reuses it when a later
// prompt begins with the same tokens. OpenAI does it automatically from 1,024
// tokens; Anthropic asks for a cache_control mark. Put the fixed parts (system
// prompt, tools, documents) first and the user's question last.
//
// How much does prompt caching save? Prompt caching makes the reused input tokens
// cheaper, never the output tokens. In the price table of trace/cost, cached input
// of gpt-4o-mini costs half of normal input, and of claude-sonnet-4-5 a tenth;
// writing the cache costs 1.25 times the input price there. It also shortens the
// time to first token, since the prefill is skipped.
//
// Is a cache hit of my own cache the same as cached tokens on the bill? A hit of
// your own response cache isn't the same as cached tokens. It makes no request, so
// it costs nothing and appears on no bill. "Cached tokens" on a bill are input
// tokens that the provider read from its prompt cache: they are paid for, at a
// lower price.
//
// Why is the KV cache needed? Without a KV cache a model would compute the keys and
// values of all earlier tokens again for every new token, so a text of n tokens
// would need work that grows with n squared for the projections alone. The KV cache
// stores them once. The price is memory: about 128 KiB a token for Llama 3 8B in 16
// bits.
//
// How fast can a GPU generate tokens for one user? At batch size 1 each token reads
// all weights once, so the upper limit is memory bandwidth divided by the size of
// the weights. An H100 with 3.35 TB/s and a model of 16 GB can reach about 200
// tokens a second; in 4 bits, with 5 GB, about three times that. Real numbers are
// lower.
//
// Why does the first token take longer than the others? The first token has to wait
// for the queue and the prefill, in which the model reads the whole prompt. Each
// later token needs one decode step. A shorter prompt, prompt caching or chunked
// prefill lowers the time to first token; a smaller or quantized model and
// speculative decoding lower the time per output token.
//
// What is the difference between static, dynamic and continuous batching? Static
// batching runs a fixed group of requests until the longest is done. Dynamic
// batching starts a group when it is full or a timer ends. Continuous batching adds
// and removes requests after every decode step. For language models, whose answers
// differ in length, continuous batching usually has the best throughput.
//
// What is the difference between flash attention and paged attention? Flash
// attention makes the computation of attention faster, by working in tiles in fast
// GPU memory. Paged attention organizes the memory of the KV cache in blocks, so
// that more requests fit. They solve different problems, and vLLM uses both.
// Neither changes the result.
//
// Does speculative decoding change the answers? Speculative decoding with the usual
// rejection rule doesn't change the distribution of the answers: the large model
// checks every proposed token and replaces wrong ones. It only changes the speed.
// It can be slower than plain decoding when few proposals are accepted or the GPU
// is already full with large batches.
//
// How can I make LLM inference faster? To make inference faster, first avoid calls
// (response cache) and shorten prompts and answers. Then use prompt caching,
// streaming (the user sees the first token early), a smaller or quantized model,
// and an engine with continuous batching and paged attention such as vLLM. Measure
// TTFT, TPOT and throughput separately, since each step improves another one.
//
// Does this library contain vLLM or another serving engine? This library contains
// no serving engine; this package is a response cache in front of any model. For a
// serving engine, run vLLM or another one and use its OpenAI-compatible address as
// BaseURL of [github.com/prodailabs/prodai/retry/openai]. The notes explain what
// happens inside so that you can choose its settings.
//
// # Lab
//
// The lab is a program that asks one question twice through all layers, offline:
//
//	go run ./examples/compose
//
// Look at the log lines: the first call shows cache.miss, an attempt that is
// retried, and cache.store with an empty reason. The second shows cache.hit with
// kind=exact and an elapsed time of microseconds. The capstone has the same cache,
// with a web page:
//
//	go run ./examples/capstone
//
// The second lab shows a hundred equal calls at once, when nothing is stored and when an
// answer has just expired. Two others show wrong hits of a semantic cache, and what a full
// cache drops:
//
//	go run ./examples/lab14-stampede
//	go run ./examples/lab14-semantic-false-hits
//	go run ./examples/lab14-cache
//
// The third lab computes what prompt caching costs and saves under the rules of five
// providers, for a prompt with the time in its first line and for a better order:
//
//	go run ./examples/lab14-prompt-bill
//
// # Exercises
//
//  1. Wrap a model that sleeps a second, send a hundred equal calls at once, and
//     count how many reach it. Then cancel the first caller's context.
//  2. Ask a question, change one option at a time, and predict from [KeyOf] whether
//     it hits.
//  3. Write a [Store] over a folder of files. What must it do about an entry whose
//     write was cut short?
//  4. Compute the KV cache of a model of your choice for 32,000 tokens. How many
//     such requests fit into 80 GB beside the weights?
//
// # Further reading
//
//   - Yang, Zhang, Qiu, Yue, Rashmi: "FIFO queues are all you need for cache
//     eviction", SOSP 2023.
//   - Kwon et al.: "Efficient memory management for large language model serving
//     with PagedAttention", SOSP 2023.
//   - Dao, Fu, Ermon, Rudra, Ré: "FlashAttention: fast and memory-efficient exact
//     attention with IO-awareness", NeurIPS 2022.
//   - Yu et al.: "Orca: a distributed serving system for transformer-based
//     generative models", OSDI 2022, on continuous batching.
//   - Leviathan, Kalman, Matias: "Fast inference from transformers via speculative
//     decoding", ICML 2023.
//   - RFC 9111, "HTTP Caching", whose keys (Vary) and freshness (max-age) are the
//     same questions for web pages.
package cache
