// Package cost turns the token usage of a model call into exact money.
//
// # What you will be able to do
//
//   - Compute what a call costs from its usage and a price table, exactly.
//   - Attribute cost to requests, features and tenants.
//   - Name the places where a cost report goes wrong: which tokens, which price,
//     which arithmetic.
//   - Estimate a monthly bill before a release, and set the budgets that keep a
//     mistake small.
//
// # The problem
//
// On a Friday evening a team starts a batch job that calls a model 26 times a
// second. A bug sends each document again and again. Nothing fails, so no alert
// fires. On Monday at 9:00 the bill is $103,194. This is the $100,000 weekend, and
// it needs no attacker: a loop, a retry without a limit or a missing budget is
// enough.
//
// The team then builds a cost report. It says $6,467 for a month for which the
// provider's bill says $914: cached input tokens had been counted at the full
// price, and once more as cached. A report that is wrong by a factor of seven is as
// useless as no report.
//
// # The idea
//
// The cost of a call is the sum, over the kinds of tokens, of their number times
// their price. It goes wrong in three places, and this package has a rule for each.
//
// Which tokens: providers nest their counts. Cached tokens are inside the input
// tokens on one API and beside them on another; reasoning tokens are inside the
// output. A [Usage] is normalized, totals contain their parts, and every part is
// billed once:
//
//	input  = text + cache read + cache write + audio
//	output = text + reasoning + audio
//
// Which price: a price depends on the model, the service tier, and on the size of
// the whole request. Past a threshold every token of the request costs more, not
// only those beyond. A missing price has a stated fallback, and a model that isn't
// in the table is an error, since unknown isn't free. See [Table.Bill].
//
// Which arithmetic: prices go down to fractions of a millionth of a dollar, and
// sums of floats drift, so two reports disagree. Money here is an int64 of pico-USD
// (1e-12 dollars): a price of one dollar for a million tokens is exactly 1,000,000
// pico-USD a token, and an int64 can count nine million dollars.
//
// # Terms
//
//   - Input tokens (also: prompt tokens): Input tokens are all tokens that are sent
//     to a model: system prompt, history, passages, tools and images. Usage.Input
//     counts them, cached ones included.
//   - Output tokens (also: completion tokens): Output tokens are all tokens that a
//     model writes, including hidden reasoning. They usually cost three to eight
//     times as much as input tokens.
//   - Cached tokens (also: cached input, cache read, cache write): Cached tokens
//     are input tokens that the provider read from its prompt cache, at a lower
//     price. Cache writes are input tokens that it stored there, which some
//     providers bill at a higher price.
//   - Reasoning tokens (also: thinking tokens, hidden tokens): Reasoning tokens are
//     output tokens in which a model works out the answer before it writes it. They
//     aren't shown, or only in part, and are billed as output.
//   - Price table (also: pricing, price list, model prices): A price table lists,
//     for each model, the price of a token of each kind. [Default] has the list
//     prices of widely used models with the day they were taken; [Load] reads your
//     own.
//   - Service tier (also: batch, flex, priority): A service tier is a class of
//     service with its own prices: batch is slower and about half the price,
//     priority is faster and more expensive.
//   - Batch API (also: batch processing): A batch API accepts many requests at once
//     and answers within hours, for example 24, at about half the price.
//   - Pico-USD (also: picoUSD): A pico-USD is a millionth of a millionth of a US
//     dollar. Money in this library is a whole number of them, so sums are exact.
//   - Cost attribution (also: chargeback, showback, cost allocation): Cost
//     attribution assigns each cent to a request, a feature, a tenant or a team, so
//     that you know who causes cost. It needs the tenant and the cost on every
//     attempt.
//   - Unit economics (also: cost per request, cost per user): Unit economics is the
//     cost of one unit of the product, such as a conversation or a solved ticket,
//     compared with what it earns.
//   - Budget (also: spending limit, spend limit, quota): A budget is the largest
//     amount that may be spent in a time by a tenant or a system. A hard budget
//     stops calls when it is used up; a soft one only warns. Package retry/limit
//     enforces budgets.
//   - Kill switch (also: emergency stop): A kill switch stops all calls of a kind
//     at once, by a decision of a human. Package retry/limit has one.
//   - Runaway cost (also: $100,000 weekend, bill shock, denial of wallet): Runaway
//     cost is a bill that grows without a limit while nothing fails: by a loop, by
//     retries, by an attacker. Denial of wallet is an attack that does it on
//     purpose.
//   - Attempt (also: retry, failed attempt): An attempt is one request to a
//     provider. A failed attempt that produced tokens is billed, so costs are added
//     up over attempts, not over answers.
//   - Ledger (also: cost report): A ledger is the list of all bookings and their sums.
//     A wrong booking is corrected by another one, so that both stay visible.
//   - Anomaly (also: cost spike): An anomaly is a day or hour that cost far more than
//     its history explains.
//   - Break-even (also: break-even point): The break-even is the number of tokens a
//     month from which GPUs of one's own cost less than an API.
//   - Utilization (also: GPU utilization): Utilization is the share of time in which a
//     GPU that is paid for is busy.
//   - Total cost of ownership (also: TCO): The total cost of ownership is
//     everything a system costs: tokens or GPUs, but also storage, other services
//     and the hours of people who run it.
//
// # Estimating a bill
//
// A monthly bill is estimated from four numbers. The formula has the calls in a
// month, the mean tokens of a call, and both prices:
//
//	cost = calls × (input tokens × input price + output tokens × output price)
//
// For 100,000 calls a day with 1,200 input and 80 output tokens on gpt-4o-mini
// ($0.15 and $0.60 a million, as of the table), one call costs $0.000228, a day
// $22.80 and a month $684. The same on gpt-4o ($2.50 and $10) costs $11,400 a
// month. Multiply by 1.2 for retries and growth.
//
// # From calls to a report
//
// A [Ledger] adds up calls by tenant, feature, prompt version and model. Each of the
// four tables adds up to the same sum, and a call that cannot be priced is counted as
// unpriced. [WriteTable] and [WriteCSV] print them.
//
// Usage is read from langchaingo's answers by [UsageOf], and from the JSON of a
// provider's response by [UsageFromBody]. The forms differ in what contains what, so
// the API has to be named.
//
// A [Budget] warns at shares of an amount for each day or month by the calendar, and
// reports when the money will be used up. [Anomalies] finds days that cost far more than
// those before, also if weekends always cost more.
//
// The question what a month would have cost on another model is answered by
// [Table.WhatIf], call by call, with a range for the difference of tokenizers.
// [Full] has the prices of thousands of models.
//
// # API or own GPUs
//
// A [SelfHost] compares an API with a model on GPUs of one's own. The formula has n
// replicas with the cost g and the capacity c a month, fixed cost F, and the API's
// price p for a token. Self-hosting pays from V tokens on:
//
//	V = (n·g + F) / p    with the smallest n for which n·(c·p - g) >= F
//
// The uncertainty of a break-even is large, because speed, utilization and prices are
// not known before a year of operation. Each number is a [Range], and
// [SelfHost.BreakEven] returns a range in turn, with the probability that the API is
// always cheaper.
//
// # A minimal program
//
// The program's middle: what one request costs. Of 1,200 input tokens, 1,024 were
// read from the provider's cache.
//
//	prices, err := cost.Default()
//	if err != nil {
//		return err
//	}
//	usage := cost.Usage{Input: 1200, CacheRead: 1024, Output: 80}
//	bill, err := prices.Bill("gpt-4o-mini", "", usage)
//	if err != nil {
//		return err // ErrUnknownModel: the table has no price, which isn't zero
//	}
//	fmt.Println(cost.USD(bill.PicoUSD)) // $0.0001512
//	// The cost of a whole system: (*Table).Of has the form of trace.Options.Cost.
//	attempt, err := trace.New(client, &trace.Options{Model: "gpt-4o-mini", Cost: prices.Of})
//
// # Pitfalls
//
//   - Don't add cached tokens to the input again: on most APIs they are part of it,
//     and the report is several times too high. Do use [UsageOf], which knows each
//     provider's form.
//   - Don't add up answers: failed attempts that produced tokens are missing then.
//     Do add up attempts.
//   - Don't count a hit of your own response cache: it carries the usage of the
//     earlier call but costs nothing. Do ask [FromCache] first; [Table.Of] does.
//   - Don't treat an unknown model as free: the report is then quietly too low. Do
//     handle [ErrUnknownModel], and add the price to your own table.
//   - Don't keep money in float64: ten million small amounts drift, and comparisons
//     fail. Do use whole pico-USD, and [USD] to print.
//   - Don't trust a price table without a date: prices change several times a year.
//     Do compare [Table].Taken and load your own table with [Load].
//   - Don't rely on the provider's monthly limit alone: its usage figures lag by
//     minutes to hours. Do enforce a budget before each call, with package
//     retry/limit.
//
// # Questions
//
// How much does one LLM call cost? One call costs its input tokens times the input
// price plus its output tokens times the output price. 1,200 input and 80 output
// tokens of gpt-4o-mini cost $0.000228; the same on gpt-4o costs $0.0038.
// [Table.Bill] computes it, with cached and reasoning tokens.
//
// Why are output tokens more expensive than input tokens? A model reads all input
// tokens in one pass, but writes output tokens one by one, and each needs a pass
// through the whole model. So an output token uses a GPU far longer. In the table
// gpt-4o's output costs four times its input, gpt-5's eight times.
//
// Do reasoning tokens count as output, and who pays for them? Reasoning tokens
// count as output tokens: you pay for them at the output price, although the answer
// doesn't show them. A question can use thousands of them. [Usage].Reasoning has
// their number. Lower the reasoning effort, or use a model without reasoning for
// easy tasks.
//
// Does a smaller model cost less? A smaller model costs much less by the token: in
// the table gpt-4o-mini costs 6 % of gpt-4o. It may need more retries or longer
// prompts for hard tasks, so compare the cost of a solved task, not of a token.
//
// How does a bill reach $100,000 in a weekend? A bill reaches $100,000 in a weekend
// by arithmetic: 26 calls a second at $0.0175 are $1,638 an hour, and from Friday
// 18:00 to Monday 9:00 are 63 hours: $103,194. Nothing fails, so no error alert
// fires. Only a limit on money, checked before each call, stops it. The lab go run
// ./examples/lab01-runaway-cost shows both weekends.
//
// How do I prevent runaway cost? To prevent runaway cost, set a budget for each
// tenant and for the whole system that is checked before a call, a limit on retries
// and on loops of agents, max_tokens on every call, and an alert on money spent an
// hour. Package retry/limit has hourly limits, total budgets and a kill switch. Set
// the provider's limit too, as the last line.
//
// How do I know which customer or feature causes the cost? To know which customer
// causes the cost, record tenant and cost on every attempt: trace.Options.Tenant
// and trace.Options.Cost set to prices.Of. Then add up the attribute
// prodai.cost.pico_usd by tenant. For features, use one trace.Options.Name for
// each.
//
// Why does my cost report (dashboard) not match the provider's bill (invoice)? A
// cost report and the bill usually differ for one of these reasons: cached tokens
// counted twice or at the full price; failed attempts left out; hidden reasoning
// tokens left out; an old price table; batch or priority prices; another time zone
// of the day. Compare one single request first, then one hour.
//
// Are failed requests and retries billed? A failed request that is refused at once
// (status 400, 401 or 429) isn't billed. A call that broke off after the model had
// started, or a stream that was cut, is usually billed for the tokens produced.
// Each retry that reaches the model is a new call at the full price.
//
// What is the cheapest way to lower my LLM bill? To lower an LLM bill, first see
// where the money goes. Then, in this order: shorten prompts and limit output, use
// a smaller model for easy requests, put the fixed part of the prompt first so that
// prompt caching works, cache answers (package cache), and move what can wait to
// the batch tier at about half the price.
//
// When is self-hosting cheaper than an API? Self-hosting is cheaper when a GPU is
// busy most of the time. A GPU at $2 an hour costs $1,440 a month. At $0.38 a
// million tokens (the mean of input and output of gpt-4o-mini) that buys 3.8
// billion tokens, so below about that number a month the API is cheaper. Add the
// hours of the people who run it.
//
// What would my bill be with another model? What a bill would be with another model is
// answered by [Table.WhatIf]: it prices the calls that were made with the other
// model's prices. The quality of the answers is another question, which an evaluation
// answers.
//
// How do I notice that costs explode? To notice that costs explode, give each day's or
// hour's cost to [Anomalies], and spend into a [Budget] that warns at 50 and 80 %. An
// anomaly is found on its first day; a monthly budget may need weeks.
//
// How do I export costs to a spreadsheet? To export costs to a spreadsheet, write the
// totals of a [Ledger] with [WriteCSV]. Keys that look like formulas are made harmless.
//
// How do I trade latency against cost? Latency is traded against cost by the model
// and the tier: a larger model and a priority tier cost more; the batch tier costs
// half and answers in hours; a hedged request is faster at the tail and pays twice
// sometimes. Decide for each feature: a chat needs seconds, a nightly report
// doesn't.
//
// How do I load my own price table? To load your own price table, write a JSON file
// with "taken" and "models" in the form of prices.json beside the code, with prices
// in pico-USD a token (a dollar for a million tokens is 1,000,000), and read it
// with [Load].
//
// How do I set a budget per tenant? To set a budget for each tenant, wrap the model
// with limit.New of retry/limit: Options.Tenant names the tenant, Options.Tenants
// or Options.Quota has the limits, and Options.Cost set to prices.Of computes the
// money. A call over the budget is refused before it costs anything.
//
// Are the prices in this package up to date? The prices of [Default] are list
// prices as of the day in [Table].Taken. Providers change prices and add models, so
// check before you rely on a figure. [Load] reads a JSON table of your own in the
// same form.
//
// What does "the price table doesn't know the model" mean? The error
// [ErrUnknownModel] means that the model's name isn't in the price table: a new
// model, a name of your own, or a typing error. Add its price to your own table and
// read it with [Load]. [Table.Models] lists the known names.
//
// What happens if the table doesn't know my model? If the table doesn't know a
// model, [Table.Bill] returns an error that wraps [ErrUnknownModel], and [Table.Of]
// returns false, so that the cost is recorded as unknown and not as 0. Dated names
// ("gpt-4o-mini-2024-07-18") and names with a provider in front are found by their
// model's name.
//
// Why not use floating-point numbers for money? Floating-point numbers aren't
// exact: a float64 can't represent most decimal fractions exactly, so sums of many
// small amounts drift and two reports disagree in the last cents. Whole pico-USD
// add up exactly in any order.
//
// # Lab
//
// The lab runs the $100,000 weekend twice, without and with limits:
//
//	go run ./examples/lab01-runaway-cost
//
// Look at the sum on Monday without a limit, and at the lines with HTTP 429 (the
// hourly limit) and HTTP 402 (the budget is spent). Run it with -budget 50 -hourly
// 10 and see when the job stops.
//
// The lab of a month's bill has tables by tenant and prompt, wrong reports, alarms and
// other models:
//
//	go run ./examples/lab15-cost
//
// Look at the prompt version that explains the anomaly.
//
// The lab of hosting has break-evens with their ranges:
//
//	go run ./examples/lab02-api-or-selfhost
//
// Look at the rows that say never.
//
// The lab of tradeoffs compares settings by cost, waiting, failures and quality:
//
//	go run ./examples/lab01-tradeoffs
//
// Look at the settings that another one beats.
//
// # Exercises
//
//  1. Bill a request of 199,999 and one of 200,001 input tokens to a model with a
//     tier above 200,000. What do the two more tokens cost?
//  2. Add up ten million bills of $0.0000003 as float64 and as pico-USD.
//  3. Estimate the monthly bill of your final project, and write down the three
//     numbers you are least sure of.
//
// # Further reading
//
//   - The table's figures are facts from the LiteLLM project's price map (MIT). The
//     fallback rules are those of its cost calculator, in integers.
//   - FinOps Foundation: "FinOps for AI", on attribution and unit economics.
//   - OWASP Top 10 for LLM applications, LLM10 "Unbounded consumption", on denial
//     of wallet.
package cost
