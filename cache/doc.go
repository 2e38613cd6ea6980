// Package cache answers a call from an earlier one.
//
// # The lecture
//
// Lecture 14. A support desk gets the same two hundred questions every day, and
// pays a model to answer them every day. The cheapest and fastest call is the
// one that isn't made: a stored answer costs microseconds where a generated one
// costs seconds and money. The price of the saving is that a wrong hit looks
// exactly like a right one. Nobody notices that a customer was given another
// customer's answer, or yesterday's, or the first half of one. So a response
// cache is a question of identity before it is a question of speed:
//
//	call ──► key ──► store ──► hit: replay the stream, copy the answer
//	          │        │
//	          │        └─ miss ──► join an equal call under way, or ask the model
//	          │                               │
//	          └─ may not be cached ──► ask    └─► may it be stored? ──► store
//
// # What makes two calls equal
//
// Everything that can change the answer, and nothing else. [KeyOf] states the
// rules. Three of them are where caches go wrong:
//
//   - The model's own name is part of the key even when the caller didn't pass
//     it. Two models on one store with an empty name answer for each other.
//   - Fields are framed by their length. Tenant "a" with namespace "bc" is not
//     tenant "ab" with namespace "c", though the letters are the same.
//   - An option that wasn't set isn't one that was set to zero. Temperature 0
//     and no temperature are two different wishes.
//
// What stays out is how the answer is delivered (streamed or not), what it is
// billed as (cache-control marks), and what is only carried along (a trace id
// in the metadata).
//
// # What may be stored
//
// An answer that is wrong to repeat: an error, a filtered or refused or empty
// answer, one cut by the token limit, half a stream, a call of a tool that
// changes the world. [Policy] says so, with careful defaults.
//
// # A crowd at the door
//
// When a popular entry expires, a hundred callers miss at once. Equal calls
// under way share one call of the model (single flight). It belongs to all of
// them: the first may hang up and the others still get their answer, each
// leaves when its own context is done, and only when the last has left is the
// model's call cancelled.
//
// # Using it
//
//	cached, err := cache.New(model, &cache.Options{
//		Model:     "gpt-4o-mini",
//		Namespace: "faq-prompt-v3", // a new prompt forgets the old answers
//		Tenant:    tenantOf,        // answers never cross tenants
//		TTL:       10 * time.Minute,
//	})
//	answer, err := cached.GenerateContent(ctx, messages)
//
// Put it inside guards and limits and outside retries: policy looks at every
// answer, a stored one too; a hit spends none of the retry budget.
//
// # What to keep when it is full
//
// Most questions are asked once. A cache that keeps the most recent lets every
// one-off question push out one that would have come back. [Memory] lets a new
// entry prove itself in a small queue first (S3-FIFO). On traces of real
// questions (a few asked often, most once) such a policy keeps about half as
// many again as plain LRU does with the same room. On the prefix blocks of a
// serving engine it is the other way round: there the next turn of the same
// chat is what comes, and recency wins. Choose by the trace, not by the paper.
//
// # Pitfalls
//
//   - A cache in front of a model that reads a changing index serves yesterday's
//     index: put the index version in Namespace.
//   - A caller who sets temperature 0.8 wants variety. Such calls pass by the
//     cache unless Policy.Sampled says otherwise.
//   - A hit is as fast as an attacker's stopwatch: who may share entries may
//     learn what others asked. Tenants keep apart for that reason too.
//   - Answers are copied on the way in and out. A cache that hands out pointers
//     is edited by its callers.
//
// # Exercises
//
//  1. Wrap a model that sleeps a second, send a hundred equal calls at once, and
//     count how many reach it. Then cancel the first caller's context.
//  2. Ask a question, change one option at a time, and predict from [KeyOf]
//     whether it hits.
//  3. Write a [Store] over a map of files. What must it do about an entry whose
//     write was cut short?
//
// # Further reading
//
//   - Yang, Zhang, Qiu, Yue, Rashmi: "FIFO queues are all you need for cache
//     eviction", SOSP 2023.
//   - Karlin, Manasse, Rudolph, Sleator: "Competitive snoopy caching", 1988, on
//     what an eviction policy can promise at all.
//   - RFC 9111, "HTTP Caching", whose keys (Vary) and freshness (max-age) are
//     the same questions for web pages.
package cache
