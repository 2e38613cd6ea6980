// Package flood finds texts that cost more to read than they say: token floods, repetition,
// brackets without end, entities that grow, compressed bombs.
//
// # The problem
//
// A model is paid by the token, so the cheapest attack needs no skill: send the longest text that the
// window takes, again and again. One kilobyte of "poem poem poem …" has made models print their
// training data. A megabyte of "[" makes recursive parsers run out of stack. Two hundred bytes of XML
// grow to three gigabytes. OWASP calls it unbounded consumption.
//
// # The idea
//
// Such texts have one thing in common: their cost is not their size. So measure what is paid for. Tokens
// measure the price, compression measures how much a text says, and nesting and growth measure what
// a parser must do. [NewCheck] has a limit for each.
//
// # Terms
//
//   - Model denial of service (also: unbounded consumption, LLM10): Model denial of service uses up a
//     model's time, tokens or money, so that others get no answer or the owner pays too much.
//   - Token flood (also: context flooding): A token flood is a text with very many tokens, sent to fill the
//     context window and the bill. Options.MaxTokens bounds one text.
//   - Compression ratio: The compression ratio of a text is its size divided by its size after compression.
//     Prose has 2 to 4; one word repeated has several hundred. [CompressionRatio] computes it.
//   - Billion laughs (also: XML bomb, entity expansion): A billion laughs attack is a small XML or YAML text
//     whose entities refer to each other, so that it grows to gigabytes when it is read.
//   - Zip bomb (also: compression bomb, decompression bomb): A zip bomb is a small compressed file that
//     unpacks to a huge one. [NewGunzip] stops it by its ratio and its size.
//   - Sponge example: A sponge example is an input that makes a model compute longer than others of its
//     size.
//
// # A minimal program
//
// The program puts the same check on input and output; on the output it ends a model's loop:
//
//	check, err := flood.NewCheck(&flood.Options{Tokens: encoding.Count, MaxTokens: 8000})
//	model, err := guard.New(client, &guard.Options{Input: []guard.Check{check}, Output: []guard.Check{check}})
//
// What one text may cost is one question; what one tenant may cost in a day is another, for
// retry/limit. Put both around the model, the guard outside, so that what it refuses takes
// nothing from the budget. "go run ./examples/lab08-guardrails" does so at its end.
//
// # Pitfalls
//
//   - Don't count tokens of a text without a bound: because the tokenizer itself then does the attacker's
//     work on a gigabyte. Bound the bytes first, with guard's Options.MaxBytes.
//   - Don't use regular expressions that backtrack on text from outside: because some take exponential
//     time. Go's never do; those of a program that you call may.
//   - Don't trust Content-Length: because it is what the sender states, of the compressed data. Count the
//     bytes as you read, as [NewGunzip] does.
//
// # Questions
//
// How do I stop a user from sending huge prompts? To stop users from sending huge prompts,
// bound the bytes first (guard's Options.MaxBytes, 1 MiB by default). Then bound the tokens
// (Options.MaxTokens here, 32,000 by default). Then bound what a tenant may use in a minute,
// with retry/limit, which answers 429 with a time to wait.
//
// Does repetition always mean an attack? Repetition does not always mean an attack: tables of
// figures and logs repeat as well. Their ratio is at most 12 or so, and the default limit is
// 30. Texts under 2 KiB are not checked for repetition.
//
// What if the model itself repeats one word forever? If the model itself repeats one word
// forever, the check on the output ends the answer while it streams. It looks at windows of 4
// KiB, so you stop paying for the rest.
//
// # Exercises
//
//  1. Find the shortest text of more than 2 KiB that is ordinary and has a
//     [CompressionRatio] above 30. What would your limit do to it?
//  2. Write a text that costs a tokenizer more tokens than bytes/4. In which scripts does this
//     happen to honest users?
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
