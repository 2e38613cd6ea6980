// Package prefix computes what prompt caching of a provider saves, and finds the part of
// a prompt that spoils it.
//
// # The problem
//
// A team sends a prompt of 12,000 tokens with each question, and reads that the provider
// reuses the beginning of prompts (lecture 14). The bill doesn't change: the first line
// of the prompt has the time in it. One moving line at the beginning makes all 12,000
// tokens new.
//
// # The idea
//
// A prompt is a list of segments: tools, system prompt, documents, turns. [Rule.Bill]
// plays the requests of a conversation against the rule of a provider, and counts the
// tokens that were read from the cache, written to it, and paid in full. [Moving] names
// the segments that change between requests while others after them stay the same.
//
// [Segments] makes the list from the messages and tools of a call. [Rule.Lint] then looks
// inside the segments, and names what spoils the cache and what that costs: a time, an
// id, tools in another order, turns that were dropped. [Rule.PlanOf] learns from requests
// what changes how often, and puts it in a better order, with breakpoints. [Rules] are
// those of OpenAI, Anthropic, Gemini, Bedrock and Mistral, each with its date and source.
// [Rule.Observed] has what the provider reports in the same form, so that a simulated
// bill can be compared with the real one.
//
// The client of langchaingo drops the mark of a system prompt for Anthropic, and sends no
// time to live. A [Transport] in its http.Client adds both.
//
// # Terms
//
//   - Segment: A segment is a part of a prompt that changes as a whole, such as the
//     system prompt or one turn of the user.
//   - Breakpoint (also: cache_control): A breakpoint is a mark at the end of a segment.
//     With explicit prompt caching the provider stores the prompt up to there.
//   - Cost unit: A cost unit is the price of one input token that is not cached. Reads
//     cost less than one, and writes may cost more.
//
// # Pitfalls
//
//   - Don't put the time or an id before what stays the same. Do put it last.
//   - Don't mark a prompt that is asked once: the write costs more than plain input. It
//     pays from the second request within the time to live.
//   - Don't count on automatic caching after a pause: the simulation has no time to live
//     for such a rule, because its provider states none, and drops prompts when it likes.
//   - Don't take a rule from here without a look at its date: providers change prices
//     and limits. Do compare with the usage that the provider reports.
//
// # Questions
//
// Why are no tokens of my prompt cached? No tokens of a prompt are cached if it is
// shorter than the minimum of the provider, if its beginning changes, or if the requests
// are farther apart than the time to live. [Moving] names the segment that changes, and
// [Rule.Bill] shows the rest.
//
// What does a timestamp in the system prompt cost? A timestamp in the system prompt costs
// the cached price of everything after it: [Rule.Lint] prints the tokens. Move it to the
// end of the last message.
//
// How do I cache the system prompt with Anthropic in Go? To cache the system prompt with
// Anthropic and langchaingo, pass anthropic.WithHTTPClient an http.Client whose Transport
// is a [Transport]. It marks the end of the system prompt, and asks for an hour to live
// if TransportOptions.TTL is an hour.
//
// Does prompt caching always save money? Prompt caching doesn't always save money. Where
// writes cost 1.25 or 2 times the input price, a prefix that is not read again within
// its time to live costs more than without a cache.
//
// # Lab
//
// The lab prints a day's bill of a support desk under the rules of the providers, for the
// prompt as it was written and as the plan orders it:
//
//	go run ./examples/lab14-prompt-bill
package prefix
