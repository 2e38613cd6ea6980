// Package flood finds texts that cost more to read than they say: token floods,
// repetition, brackets without end, entities that grow, compressed bombs.
//
// # The lecture
//
// Lectures 7 and 8. A model is paid by the token, so the cheapest attack needs no
// cleverness: send the longest text the window takes, again and again. One
// kilobyte of "poem poem poem …" has made models print what they were trained
// on. A megabyte of "[" makes parsers that recurse run out of stack. Two hundred
// bytes of XML make three gigabytes. OWASP calls it unbounded consumption.
//
// What such texts have in common is that their cost is not their size. So measure
// what is paid for: tokens, not characters; what a text says, by how far it can
// be compressed; how deep it nests; how large it grows.
//
//	check, err := flood.NewCheck(&flood.Options{Tokens: encoding.Count, MaxTokens: 8000})
//	model, err := guard.New(client, &guard.Options{Input: []guard.Check{check}, Output: []guard.Check{check}})
//
// What one text may cost is one question; what one tenant may cost in a day is
// another: see retry/limit, and put both in the stack, the guard outside, so that
// what it refuses takes nothing from the budget. examples/lab08-guardrails does.
//
// # Pitfalls
//
//   - Counting tokens by running the tokenizer on a gigabyte. Bound the bytes
//     first (guard's Options.MaxBytes); then a count is bounded too.
//   - Regular expressions that backtrack. Go's don't, which is why this library
//     can use them; what you call on another machine may.
//   - Reading Content-Length. It is what the sender says of the compressed data.
//
// # Exercises
//
//  1. Find the shortest text of more than 2 KiB that is ordinary and has a
//     [CompressionRatio] above 30. What would your limit do to it?
//  2. Write a text that costs a tokenizer more tokens than bytes/4 says. Which
//     scripts do that to honest users?
//
// # Further reading
//
//   - OWASP LLM10:2025 Unbounded Consumption; MITRE ATLAS AML.T0029, AML.T0034.
//   - M. Nasr et al.: Scalable extraction of training data from (production)
//     language models. arXiv:2311.17035, 2023. The word that repeats.
//   - I. Shumailov et al.: Sponge examples: energy-latency attacks on neural
//     networks. EuroS&P 2021.
//   - RFC 1951, DEFLATE; D. Fifield: A better zip bomb. WOOT 2019.
package flood
