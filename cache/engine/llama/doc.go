// Package llama runs language models of the Llama, Qwen and Gemma families in pure Go: a
// transformer that a student can read, and a user can run.
//
// # What you will be able to do
//
//   - Explain what a transformer computes for one token: embedding, attention,
//     feed-forward, logits.
//   - Say what attention sees, what a context window is, and what a KV cache saves.
//   - Compute why decoding is bound by memory, and what quantization and batching
//     change about it.
//   - Run a model from a GGUF file in your own process, stream its answers, and make it
//     write nothing but JSON of a schema.
//   - Speed decoding up with a draft model, and show that the answers stay the same.
//
// # The problem
//
// A team buys a server with a fast processor for its chat model. The model has 8 billion
// weights of 2 bytes. The data sheet promises 2 trillion multiplications a second, and a
// token takes 8 billion of them, so the team expects 250 tokens a second. It gets 5.
// Nothing is broken. A token needs every weight once, so 16 GB pass from memory to the
// processor for each token, and the memory delivers 80 GB a second. The processor waits.
// With weights of 4 bits the same server writes 18 tokens a second, on half of its cores.
//
// # The idea
//
// A language model is a function from tokens to a probability for each token that may
// come next. Generation calls it again and again: take a token, append it, ask again.
//
// The transformer is that function. Each token becomes a vector. Layer after layer adds
// to the vector, first what attention brings from earlier tokens, then what the
// feed-forward part makes of it. The last vector is compared with the vector of each
// token of the vocabulary: the dot products are the logits. The diagram shows one layer:
//
//	x ──► RMSNorm ──► q, k, v ──► RoPE ──► attention over the cache ──► project ──► + x
//	x ──► RMSNorm ──► gate, up ──► silu(gate)·up ──────────────────────► down ─────► + x
//
// The type [Reference] is the whole of it in a hundred lines of float64, without any
// speed. [Network] computes the same with kernels, threads, batches and a cache, and a
// test holds the two together.
//
// # Terms
//
//   - Transformer (also: decoder-only transformer, LLM architecture): A transformer is a
//     neural network that turns a row of tokens into a row of vectors, by layers of
//     attention and feed-forward parts that each add to the vectors.
//   - Embedding row (also: token embedding): An embedding row is the vector that a token
//     begins with: the token's row of a matrix. Many small models use the same matrix to
//     score the next token, which is called tied embeddings.
//   - Attention head (also: head): An attention head lets each token look at the tokens
//     before it. It makes a query of the token, compares it with the keys of the others,
//     and takes the mean of their values, weighted by the softmax of the comparisons.
//   - Logit (also: score, raw score): A logit is the score that the model gives to one
//     token of the vocabulary as the next one. The softmax turns logits into
//     probabilities.
//   - Context window (also: context length): The context window is the largest number of
//     tokens that the model takes, prompt and answer together. Positions beyond what the
//     model was trained for have angles it has never met.
//   - Rotary position embedding (also: RoPE): A rotary position embedding turns pairs of
//     elements of queries and keys by an angle that grows with the position. The dot
//     product of two turned vectors depends on their distance alone.
//   - KV cache (also: key-value cache): The KV cache keeps the keys and values of all
//     earlier tokens, so that a new token computes its own only. It takes 2 × layers × KV
//     heads × head size numbers for each token: see [Config.KVBytes].
//   - Memory-bound (also: bandwidth-bound): A computation is memory-bound if reading its
//     data takes longer than computing with it. Decoding one sequence is: it does one
//     multiplication for each weight that it reads.
//   - Quantized weight (also: Q8_0, Q4_1, block quantization): A quantized weight is a
//     small integer code with a scale that a block of neighbors shares. Codes of 8 bits
//     cost almost nothing in quality, and a quarter of the bytes of float32.
//   - Sampler (also: sampling, temperature, top-k, top-p, min-p): A sampler chooses the
//     next token from the logits. Temperature 0 takes the most likely one; a higher
//     temperature makes the choice more random; top-k, top-p and min-p leave out the
//     unlikely tokens first.
//   - Speculative decoding (also: draft model, prompt lookup, assisted generation):
//     Speculative decoding lets something cheap guess several tokens, and checks all of
//     them in one pass of the model. A guess is kept by a rule that leaves the
//     distribution of the answers as it was.
//   - Constrained decoding (also: grammar, structured output, JSON mode): Constrained
//     decoding forbids, before each choice, the tokens that a grammar does not allow. The
//     model can't write anything else.
//   - Perplexity (also: PPL): The perplexity of a text is e to the mean surprise of its
//     tokens: how many equally likely tokens the model hesitates among, on average.
//   - Chat template (also: prompt template): A chat template is the program in a model's
//     file that puts the marks of roles and turns around messages, as in training.
//
// # What one token costs
//
// A token's cost follows from the shape of the model. SmolLM2-135M has 30 layers, vectors
// of 576, feed-forward parts of 1536, 9 heads of 64 that share 3 of keys and values, and
// 49,152 tokens. A layer has 576·(576+192+192+576) + 3·576·1536 = 3.5 million weights; all
// layers have 106 million and the head 28 million. So a token takes 134 million
// multiplications, and as many weights are read: 536 MB in float32, 143 MB in Q8_0, 84 MB
// in Q4_1. A memory that delivers 22 GB a second allows 41, 154 or 262 tokens a second,
// however fast the processor is.
//
// A second thread makes decoding faster by as much as a second core adds to the bandwidth
// of the memory. On a virtual machine whose plain reads a second processor made 1.3 to 1.8
// times as fast, 92 tokens a second became 147, and a prompt was read 1.8 times as fast.
//
// A prompt of 100 tokens reads the same weights once and uses each for 100 tokens. It is
// bound by arithmetic, and so ten times faster for each token. A batch of sequences that
// decode together gains in the same way: see [Network.Forward].
//
// # Attention in pages
//
// Attention over a cache goes page by page here, 32 tokens each. It keeps the largest
// score so far, and scales down what it has added when a page has a larger one. So the
// scores of a whole text never exist at once, which is the idea of flash attention; and
// the pages may be anywhere, which is paged attention. A [Cache] in one piece of memory and
// one in pages of a [Pool] give the same result to the last bit. [Cache.Fork] shares the
// pages of a common beginning: the system prompt of every question is computed once.
//
// # What runs
//
// The package reads GGUF files of the architectures llama, qwen2, qwen3 and gemma3 (text),
// without experts, without scaled or partial rotation. Files with anything else are refused
// with the reason. Weights may be F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q4_K and the other types of
// package weights, which become 8-bit codes. Kernels for codes exist for amd64 with AVX2
// or AVX-512 VNNI; elsewhere weights are float32 by default, with NEON on arm64. Tokenizers
// are the byte-level BPE of GPT-2, SmolLM, Llama 3 and Qwen, and SentencePiece's. [Model]
// is an llms.Model; tools are not supported.
//
// A Hugging Face checkpoint of Llama, Qwen2 or Qwen3 runs too: [Open] takes its folder, with
// config.json, model.safetensors or its index, and tokenizer.json. The folder is read as the
// GGUF file that it converts to, so its logits are those of that file to the last bit, and
// weights.File.Requantize writes that file. A vocabulary that isn't byte-level BPE, packed
// codes of another tool or a scaled rotation other than Llama 3's is refused with its name.
//
// # A minimal program
//
// A program loads the tiny model that this module carries, or a file of your own with
// [Open], and asks:
//
//	m, err := llama.New(tiny.Target(), nil)
//	if err != nil {
//		return err
//	}
//	text, err := m.Call(ctx, "A retry is", llms.WithMaxTokens(30))
//	if err != nil {
//		return err
//	}
//	fmt.Println(text)
//
// # Measured
//
// The table compares this package with llama.cpp on SmolLM2-135M as Q8_0, with one thread
// on a shared processor with AVX-512 VNNI: tokens per second of processor time, for a
// prompt of 128 tokens and 48 decoded, and the perplexity of the same 512 tokens. The
// command .ci/full llama prints it:
//
//	                prompt   decode   perplexity
//	this package       895       75        35.51
//	llama.cpp          351       89        35.59
//
// Sequences that decode together share the reading of the weights: 1, 4 and 16 of them
// reach 80, 257 and 502 tokens per second of processor time in the same run.
//
// A grammar adds less than 3 % to the processor time of a token of that model. In float32
// the largest difference of a logit from [Reference] is 0.00002.
//
// # Pitfalls
//
//   - Wrong order of rotation: the rows of queries and keys of a llama GGUF are permuted
//     for pairs of neighbors, those of Hugging Face for halves. A model that is run with
//     the wrong order writes fluent nonsense. [RopeOrder] names them.
//   - Wrong template: a chat model without its marks answers as if it continued a text.
//     Here a template that can't be rendered is an error when the model is loaded.
//   - Marks in user text: a message that contains <|im_end|> could end its own turn. Here
//     the names of special tokens in messages are plain text.
//   - Codes without kernels: plain Go multiplies 8-bit codes at half the speed of float32.
//     Quantization makes a model smaller everywhere and faster only where the processor
//     has the instructions.
//   - Silent cutting: an engine that drops the beginning of a long prompt drops the system
//     prompt. Here a prompt that is too long is an error that states both lengths.
//   - Draft and rule that disagree: the q of the rule of acceptance must be the
//     distribution that the guess was drawn from, after temperature and top-k. Otherwise
//     the answers follow another distribution than the model's.
//
// # Questions
//
// Why is the first token slow and the rest even? The first token waits for the whole
// prompt, which is arithmetic; each later one reads all weights once, which takes the same
// time each time. Only attention grows with the length.
//
// Why does a cached prefix have to be exactly the same? A key depends on its token and on
// every token before it, through the layers below. One changed token changes all keys
// after it, so only an equal beginning can be reused.
//
// Does quantization change the answers? Quantization changes logits a little, so a choice
// that was nearly even may fall the other way. Compare perplexities, not texts: 8-bit codes
// cost far less than 1 %.
//
// Is JSON from constrained decoding true? Constrained decoding makes the form right, and
// says nothing about the content. A small model fills a valid form with wrong values.
//
// Should I serve users with this package? For one process, a few users and small models it
// works without any other program. For many users take a GPU and a serving engine such as
// vLLM, with the same interface.
//
// # Lab
//
// The lab of attention draws what the heads of a small model look at, and measures the
// cache and the two phases. The lab of speculation compares guesses:
//
//	go run ./examples/lab02-attention
//	go run ./examples/lab14-speculative
//
// # Exercises
//
//   - Remove RoPE from [Reference] and look at the perplexity. Then swap its order.
//   - Compute the bytes of the KV cache of a model of your choice at its full context, and
//     compare them with its weights.
//   - Decode 1, 4 and 16 sequences in one [Network.Forward], and plot tokens per second.
//   - Write a [Drafter] that guesses the last token again, and find a text for which it
//     pays.
//
// # Further reading
//
//   - Vaswani et al., "Attention Is All You Need", 2017.
//   - Touvron et al., "LLaMA: Open and Efficient Foundation Language Models", 2023.
//   - Dao et al., "FlashAttention", 2022; Kwon et al., "Efficient Memory Management for
//     Large Language Model Serving with PagedAttention", 2023.
//   - Leviathan, Kalman, Matias, "Fast Inference from Transformers via Speculative
//     Decoding", 2023.
//   - The GGUF specification, in the repository of ggml.
package llama
