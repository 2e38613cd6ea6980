// Package kv manages the memory of a KV cache in blocks, as vLLM does, and shares equal
// beginnings of texts.
//
// # What you will be able to do
//
//   - Explain why a KV cache in one piece wastes most of its memory, and blocks don't.
//   - Share equal beginnings of prompts, and keep tenants apart while doing so.
//   - Choose the size of a block and a rule of eviction, with figures of a real trace.
//
// # The problem
//
// A team serves a model on a GPU with 80 GB (lecture 14). The weights take 16 GB. Each
// request reserves room for the longest answer allowed, 8,192 tokens of 128 kB, which is
// 1 GB. So 60 requests run at once, and nine tenths of the memory is never written: most
// answers have 200 tokens. And all requests begin with the same system prompt, which is
// computed and stored 60 times.
//
// # The idea
//
// Paging solves both. The memory is cut into blocks of 16 tokens. A sequence has a table
// of blocks, which may lie anywhere, and gets one more when the last is full. Two
// sequences that begin alike have the same blocks in their tables:
//
//	request A: "You are a … bot." "Where is my"     table  4 7 2
//	request B: "You are a … bot." "Can I return"    table  4 7 5
//
// A block is found by its [Key], a hash of its tokens and of the key of the block before
// it. So a key names a whole beginning, and a block in the middle of another text is never
// taken for it.
//
// # Terms
//
//   - Paged attention (also: PagedAttention, paging): Paged attention reads keys and
//     values through a table of blocks, so the cache of a sequence need not lie in one
//     piece of memory.
//   - Block (also: page): A block is the memory for the keys and values of a fixed number
//     of tokens, 16 by default.
//   - Block table (also: page table): A block table is the list of the blocks that a
//     sequence uses, in the order of its tokens.
//   - Block pool: A block pool is all blocks of a cache, with the count of the sequences
//     that use each. See [Pool].
//   - Prefix cache (also: prefix caching, automatic prefix caching, prefix sharing): A
//     prefix cache keeps the computed blocks of texts that ended, and gives them to texts
//     that begin alike.
//   - Copy-on-write: Copy-on-write lets two sequences share a block until one of them
//     writes to it; then that one gets a copy of its own.
//   - Radix tree (also: RadixAttention): A radix tree keeps texts by their beginnings and
//     shares prefixes of any length, where blocks share multiples of their size. SGLang
//     uses one. See [Tree].
//   - Cache salt: A cache salt is a secret text that goes into the keys of one tenant, so
//     that no other tenant finds the tenant's blocks.
//
// # A minimal program
//
// The program allocates two prompts that begin alike.
//
//	pool, err := kv.New(&kv.Options{Blocks: 1024, BlockSize: 16})
//	…
//	first, err := pool.Allocate(kv.Request{Tokens: prompt})
//	…
//	first.Computed(first.Len()) // the model has run: its full blocks can be shared
//	second, err := pool.Allocate(kv.Request{Tokens: other})
//	…
//	fmt.Println(second.Cached(), "of", second.Len(), "tokens need not be computed")
//	_, _, err = second.Append(token) // while it generates
//	…
//	second.Free()
//
// # Measured
//
// The table shows which share of the blocks of Mooncake's traces of real conversations was
// in the cache, with LRU and a number of blocks. "Conversation" has 12,031 prompts of
// 12,035 tokens on average, and blocks of 512 tokens. Replay them with
//
//	PRODAI_TRACES=DIR go test ./cache/engine/kv -run Whole -v
//
//	blocks     conversation   synthetic
//	  1,000         4.4 %        8.2 %
//	 10,000        21.1 %       42.3 %
//	 30,000        32.6 %       62.4 %
//	unlimited      36.6 %
//
// The next table shows how much reserved memory stays empty for the 19,366 requests of
// Azure's trace of conversations.
//
//	blocks of 16 tokens            .5 %
//	blocks of 256 tokens          8.0 %
//	powers of two                34.6 %
//	room for the longest         90.3 %
//
// # Pitfalls
//
//   - Don't share blocks by the tokens alone: because the same tokens with another
//     adapter, another image or another tenant have another content. Put what changes it
//     into Request.Extra.
//   - Don't let a caller choose its salt: because the time of the first token shows whether
//     a prefix was cached, and so what others have asked. The gateway sets it.
//   - Don't admit what can never fit: because it waits forever and blocks the others. Ask
//     [Pool.Fits]; Allocate returns a [TooLongError] by the same rule.
//   - Don't treat a full pool as a failure: because it is a normal state under load. On
//     [ErrFull] let the request wait, or end another one and resume it later.
//   - Don't count the tokens of a resumed request as hits: because they were computed by
//     the request itself. Set Request.Resumed.
//
// # Questions
//
// Why must the last token of a prompt be computed again? The last token of a prompt is
// computed even if all of it is cached, because the model's output at that token is what
// the next token is chosen from. So Allocate never shares the block of the last token.
//
// How large should a block of a KV cache be? A block of 16 tokens is a good start: less
// than one per cent of the memory stays empty. Larger blocks need shorter tables, but
// they share less, because only full blocks are shared.
//
// Should a prefix cache use LRU? A prefix cache should use LRU, or ARC: the next turn of a
// chat comes soon, so the most recent blocks are the most useful ones. W-TinyLFU, which is
// better for stored answers, finds a third less on the trace of conversations (package
// evict has the table).
//
// # Lab
//
// Run the lab, and look at the memory that stays empty and at the hit rates:
//
//	go run ./examples/lab14-kv-cache
//
// # Exercises
//
//   - Replay the lab's trace with blocks of half the size: join each number with 0 and 1.
//     What happens to the hit rate?
//   - Put the time of day at the beginning of the system prompt of the lab's second part.
//     How many tokens are shared then? Where should the time go?
//   - Write a test that forks a sequence, appends to both and frees both, and show that
//     no block is lost.
//
// # Further reading
//
//   - Kwon et al., "Efficient Memory Management for Large Language Model Serving with
//     PagedAttention", 2023: https://arxiv.org/abs/2309.06180
//   - vLLM documentation, "Automatic Prefix Caching".
//   - Zheng et al., "SGLang: Efficient Execution of Structured Language Model Programs",
//     2024: https://arxiv.org/abs/2312.07104
//   - Qin et al., "Mooncake: Trading More Storage for Less Computation", FAST '25.
package kv
