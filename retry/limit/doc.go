// Package limit keeps each tenant within its requests, tokens and money.
//
// # The lecture
//
// Lectures 1 and 8. On Friday evening someone starts a batch job with a loop
// that never ends. Nothing fails: the model answers every call, in parallel,
// for two days, and on Monday the bill is $100,000. No error was raised because
// nothing was asked to raise one. A limit is that something. It also is what
// keeps one customer's spike from being everyone's outage, and an attacker with
// one stolen key from spending your money.
//
// A web service counts requests. A model's calls differ in size by a factor of
// ten thousand, so there are four things to count, and one switch:
//
//	requests     a Rate                 how often
//	tokens       a Rate                 how much
//	money        a Rate, in pico-USD    how fast it is spent
//	spend        a sum                  how much is spent, ever
//	concurrency  a number               how many at once
//	Switch       off                    all of it, now
//
// # Reserve, then reconcile
//
// What a call will use is known only afterwards. If the limit were charged
// afterwards, a thousand calls could start before the first is counted. So:
//
//	estimate ──▶ reserve ──▶ call ──▶ what it really used ──▶ reconcile
//	 prompt +     or wait,                                    more: debt
//	 max_tokens   or refuse                                   less: refund
//
// A debt is waited out by the calls that follow, so an estimate that is always
// half of the truth still keeps the rate. A call that was never sent, or that
// the provider refused before it began, costs nothing; one that broke in the middle keeps its
// reservation, because it isn't known what was generated.
//
// # The algorithm
//
// [Rate] is enforced by GCRA: instead of a number of tokens and the time they
// were counted, it keeps one instant, at which the bucket will be full. Debts
// and reservations are instants further ahead, a refund moves it back, and in
// Redis it is one number that one script compares and sets.
//
// [Bucket] is golang.org/x/time/rate, whose token bucket is the one most Go
// programs have, with its clock mended: read the comment of the type before you
// trust a limiter to sixteen goroutines.
//
// # The provider's limits
//
// The limits above are yours. The provider has its own, on your key, for each
// model, and every response says where you stand:
//
//	x-ratelimit-limit-requests: 60         what there is at once,
//	x-ratelimit-remaining-requests: 12     what is left of it,
//	x-ratelimit-reset-requests: 48s        when all of it is back
//
// An [Account] reads them: it holds calls back before they are refused. It needs
// no table of plans, notices a new plan at the first response, and counts what
// other processes take of the same key. From the three numbers follows the rate:
// here 48 come back in 48 s. Without headers it finds the rate by the refusals,
// a few for each time that it has to search. Give it to [Options].Account and to
// the HTTP client ([Account.HTTPClient]) and, where that Model is above a
// retry.Model, to retry.Options as one of its Gates, so that retries wait too. Or
// let retry/defaults do so.
//
// # Sharing
//
// [Options].Shared bounds all tenants together. Which is next when they all wait
// is decided by weighted fair queueing: weights of 3 and 1 give three quarters
// and one quarter of the room, a tenant that sends ten times as many calls
// waits longer instead of getting more, and no tenant starves.
//
// # A program
//
//	model, err := limit.New(next, &limit.Options{
//		Tenant: func(ctx context.Context) string { return customerOf(ctx) },
//		Quota: limit.Quota{
//			Requests:     limit.Rate{N: 60, Per: time.Minute},
//			Tokens:       limit.Rate{N: 30_000, Per: time.Minute},
//			SpendPicoUSD: 100 * limit.USD,
//		},
//		Cost: cost, // trace/cost has one
//	})
//
// # Pitfalls
//
//   - An alert on the bill isn't a limit: bills arrive a day late.
//   - A limit on requests alone is not a limit on money: one call of a million
//     tokens costs what ten thousand small ones do.
//   - Count the reservations of the calls in progress. A budget that is checked
//     against what is already billed is passed by everything in flight.
//   - A limit that an outage of Redis switches off is a limit on good days
//     only; one that refuses every call then is an outage of your own. Choose:
//     [Options].RefuseOnStoreFailure. What a failing store refuses gets status 503 and is
//     not counted.
//   - Burst is part of the limit: 60 a minute at once and 1 a second are both
//     "60 a minute".
//   - A refused call must be cheaper than an admitted one.
//   - The remaining requests of a response are those of the moment when its
//     request arrived. A client that sets a counter to it, and forgets the calls
//     sent since, sends them twice.
//
// # Exercises
//
//  1. Start the runaway job of examples/lab01-runaway-cost without its limit,
//     and say at which minute someone would have noticed.
//  2. Estimate tokens as 1 for every call. What still holds, and what doesn't?
//  3. Give two tenants weights 3 and 1 and let the first one be idle for an
//     hour. What may it do when it comes back, and why not more?
//  4. Let sixteen [Account] values share a key, as sixteen processes would. Who gets
//     how much, and why does none starve?
//
// # Further reading
//
//   - ATM Forum, Traffic Management Specification 4.0, 1996, §4.4.2 (GCRA).
//   - Golestani, "A Self-Clocked Fair Queueing Scheme", INFOCOM 1994.
//   - Chiu and Jain, "Analysis of the Increase and Decrease Algorithms for
//     Congestion Avoidance in Computer Networks", 1989.
//   - IETF draft-ietf-httpapi-ratelimit-headers, "RateLimit header fields for HTTP".
//   - Ghodsi et al., "Dominant Resource Fairness", NSDI 2011.
//   - OWASP Top 10 for LLM Applications 2025, LLM10: Unbounded Consumption.
package limit
