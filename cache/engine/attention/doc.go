// Package attention computes attention in two ways, whole and in tiles, and counts the
// bytes that each moves.
//
// # What you will be able to do
//
//   - Write the formula of attention, and say what grows with the square of the length.
//   - Explain how FlashAttention gives the same result without storing the scores.
//   - Say why moving bytes, not computing, decides the speed of attention.
//
// # The problem
//
// A team raises the context from 2,000 to 32,000 tokens (lecture 14). Attention computes a
// score for each pair of tokens: a billion for each of 32 heads, 4 GB for each head and
// layer. The program that worked before runs out of memory, and where it fits, it spends
// its time with writing the scores and reading them again.
//
// # The idea
//
// Attention weights the values by how well their keys agree with a query:
//
//	out = softmax(q·kᵀ ÷ √dim) · v
//
// A GPU has a large, slow memory and small, fast ones. Three separate programs, for scores,
// softmax and sum, write the matrix of scores to the slow memory and read it back, twice.
// FlashAttention loads a tile of queries and a tile of keys and values into the fast memory
// and never writes a score. That needs a softmax that can go on when more keys come, the
// online softmax: keep the largest score m, the sum of exponentials l, and the weighted sum
// o; a new largest score m' makes both smaller by exp(m - m').
//
//	for each tile of keys:
//	    m' = max(m, scores)
//	    l  = l·exp(m - m') + Σ exp(scores - m')
//	    o  = o·exp(m - m') + Σ exp(scores - m')·v
//	out = o ÷ l
//
// # Terms
//
//   - Attention (also: scaled dot-product attention): Attention computes for each token a
//     mean of the values of the tokens that it sees, weighted by the agreement of its query
//     with their keys.
//   - Flash attention (also: FlashAttention, tiled attention): Flash attention computes
//     attention tile by tile in the fast memory, so that the scores are never stored. Its
//     result is exact. See [Tiled].
//   - Online softmax: Online softmax computes a softmax over numbers that come one part
//     after the other, by keeping the largest and the sum so far.
//   - Memory traffic (also: bytes moved, IO complexity): Memory traffic is how many bytes a
//     program moves between the slow and the fast memory. See [Traffic].
//   - Log-sum-exp (also: LSE): The log-sum-exp of scores is the logarithm of the sum of
//     their exponentials. With it, results over parts of the keys are joined.
//   - Sliding window (also: local attention): A sliding window lets each token see only the
//     last tokens, so that cost and cache stop growing with the length.
//
// # A minimal program
//
// The program computes both ways and compares what they move.
//
//	shape := attention.Shape{Heads: 8, KVHeads: 2, Queries: 1024, Keys: 1024, Dim: 64}
//	whole, slow, err := attention.Naive(q, k, v, shape)
//	…
//	tiled, _, fast, err := attention.Tiled(q, k, v, shape, nil)
//	…
//	fmt.Println(slow.Total()/fast.Total(), "times fewer bytes")
//
// # Measured
//
// The table shows the bytes moved for one head of 64 elements, causal, with tiles of 64
// queries and 64 keys. Print it with
//
//	go run ./examples/lab14-attention
//
//	tokens   whole matrix      tiles   ratio
//	   256          1.3 MB     0.5 MB     2.9
//	 1,024         17.8 MB     5.0 MB     3.6
//	 4,096        272.6 MB    70.3 MB     3.9
//
// # Pitfalls
//
//   - Don't start the largest score at 0: because scores can all be far below it, and the
//     sums become 0 ÷ 0. Start at minus infinity.
//   - Don't align the queries with the first keys while decoding: because a new token comes
//     after all keys in the cache. Query i is token i + Keys - Queries.
//   - Don't expect fewer operations: because flash attention computes the same scores, and
//     some again in training. It saves traffic and memory.
//   - Don't compare results bit by bit: because sums in another order round differently.
//     A difference of 1e-5 is normal in 32 bits.
//
// # Questions
//
// Is flash attention an approximation? Flash attention is exact: it computes the same
// numbers in another order, and differs by rounding only. Sparse and linear attention are
// approximations.
//
// Why is attention quadratic? Attention computes a score for every pair of a query and a
// key, so twice as many tokens mean four times as many scores. With a KV cache each new
// token computes only its own row, so an answer of a fixed length grows linearly.
//
// How do tiles help while decoding? Decoding has one query, so its keys and values are read
// once either way. There the keys are split among processors, and the parts are joined by
// their log-sum-exp; that is flash decoding.
//
// # Lab
//
// Run the lab, and look at how the ratio grows with the length and with the tile:
//
//	go run ./examples/lab14-attention
//
// # Exercises
//
//   - Split the keys into two halves, compute each with Tiled as Bidirectional, and join
//     the outputs by their log-sum-exp.
//   - Find the tile that fits into 100 kB of fast memory with the least traffic, for a head
//     of 128 elements.
//
// # Further reading
//
//   - Dao et al., "FlashAttention", 2022: https://arxiv.org/abs/2205.14135
//   - Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018:
//     https://arxiv.org/abs/1805.02867
package attention
