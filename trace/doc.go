// Package trace shows what a request did: a span for the logical call, one for
// every attempt, the decisions of every layer between them, tokens and exact
// cost.
//
// # The lecture
//
// Lectures 15 and 16. A customer writes: on Tuesday the assistant told me I had
// sixty days to return it. Nobody can ask the model why. What it was shown,
// which provider answered, whether the answer came from a cache, what the guard
// said about it, how long each step took and what it cost: all of that existed
// for a second and is gone, unless something wrote it down while it happened.
// And what was written down must not become the next leak.
//
// # One call, many attempts
//
// A caller asks once. Behind that, a retry asks twice, a hedge asks two
// providers, a cache asks nobody. So there are two kinds of span, and the
// distinction carries the whole accounting:
//
//	invoke_workflow answer          what the caller asked for   (Kind Logical)
//	├─ event cache.miss
//	├─ retrieval course
//	├─ chat gpt-4o-mini   ERROR 429       an attempt            (Kind Attempt)
//	├─ event retry.attempt delay=0.8
//	└─ chat gpt-4o-mini   1200→80 tokens, 151200000 pico-USD ──link──► the failed one
//
// Usage and cost stand on attempts only. Add them up over all spans and you
// have the bill: failed tries that produced tokens are in it, cache hits are
// not, and nothing is counted twice because a parent repeated its child.
//
// # Using it
//
//	attempt, err := trace.New(client, &trace.Options{
//		Provider: "openai", Model: "gpt-4o-mini", Cost: prices.Of,
//	})
//	… retry, cache, guard around attempt …
//	answer, err := trace.New(guarded, &trace.Options{Kind: trace.KindLogical, Name: "support"})
//
// The innermost wrapper makes attempt spans, the outermost the logical one;
// attempts find their logical call through the context and link to the failed
// one before them. [NewRetriever] and [NewEmbedder] do the same for searches
// and embeddings.
//
// The layers between don't know about spans. They log their decisions with
// log/slog under fixed names, and a [LogHandler] turns each record into an event
// of the span it happened in:
//
//	log := slog.New(trace.NewLogHandler(nil))
//	cached, err := cache.New(model, &cache.Options{Logger: log})
//
// Spans go wherever OpenTelemetry's SDK sends them. trace/jsonl writes them to
// a file without any service.
//
// # What is recorded, and what is not
//
// Names follow OpenTelemetry's semantic conventions for generative AI, v1.41.1.
// Prompts, answers, queries and the words of errors (which quote prompts) are
// recorded only with Options.Content. Input tokens include cached ones,
// output tokens include reasoning, whatever the provider's own habit; unknown
// usage is left out, since zero would be a claim.
//
// # Pitfalls
//
//   - langchaingo's callbacks can't carry a trace: they return no context, and
//     half of the providers never report an error or an end. Wrap instead.
//   - An error's message as a metric label makes a label for every error.
//     error.type here is a status or one of a few words.
//   - A parent that repeats its child's tokens doubles the bill of whoever adds
//     up spans.
//   - The time to the first token belongs to the attempt; the user waited for
//     the logical call.
//
// # Exercises
//
//  1. Make the first attempt fail and follow the link from the second span to
//     it. What did the user wait for in between?
//  2. Write a query over a file of trace/jsonl that gives the cost per tenant.
//  3. Turn Content on and find everything in the file that must not leave the
//     company.
//
// # Further reading
//
//   - OpenTelemetry, "Semantic conventions for generative AI systems", v1.41.1.
//   - Sigelman et al.: "Dapper, a large-scale distributed systems tracing
//     infrastructure", Google, 2010.
package trace
