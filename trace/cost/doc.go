// Package cost turns token usage into exact money.
//
// # The lecture
//
// Lectures 1 and 15. A team's bill said $6,467 where the provider's said $914:
// cached input tokens had been counted at the full price, and once more as
// cached. Money goes wrong in three places, and each has a rule here.
//
// Which tokens. Providers nest their counts: cached tokens are inside the input
// on one API and beside it on another; reasoning tokens are inside the output.
// A [Usage] is normalised, totals contain their parts, and every part is billed
// once:
//
//	input  = text + cache read + cache write + audio
//	output = text + reasoning + audio
//
// Which price. A price depends on the model, the service tier, and on the size
// of the whole request: past a threshold every token of it costs more, not just
// those beyond. A missing price has a stated fallback, and a model that isn't
// in the table is unknown, which is not the same as free. See [Table.Bill].
//
// Which arithmetic. Prices run to a ten-millionth of a dollar for a thousand
// tokens; summed as floats over a month they drift, and two reports disagree.
// Here money is an int64 of pico-USD (1e-12 USD): a price of one micro-USD for
// a million tokens is exactly 1, and an int64 holds nine million dollars.
//
//	prices, err := cost.Default()
//	bill, err := prices.Bill("gpt-4o-mini", "", cost.Usage{Input: 1200, CacheRead: 1024, Output: 80})
//	fmt.Println(cost.USD(bill.PicoUSD)) // $0.0001512
//
// # Pitfalls
//
//   - Prices change. [Default] carries the day it was taken on; load your own
//     table with [Load] and date it.
//   - A failed attempt that produced tokens was paid for: add up attempts, not
//     logical calls.
//   - A cache hit of your own costs nothing. A provider's cache hit costs less.
//
// # Exercises
//
//  1. Bill a request of 199,999 and one of 200,001 input tokens to a model with
//     a tier above 200,000. What does the second token cost?
//  2. Add up ten million bills of $0.0000003 as float64 and as pico-USD.
//
// # Further reading
//
// The table's figures are facts from the LiteLLM project's price map (MIT).
// The fallback rules are those of its cost calculator, in integers.
package cost
