// Package limit keeps each tenant within its requests, tokens and money.
//
// # What you will be able to do
//
//   - Set limits on requests, tokens, money and calls in progress, for each user and
//     for all together.
//   - Explain a token bucket and GCRA, and compute when the next call may pass.
//   - Answer a refused caller so that every SDK waits and comes back at the right
//     time.
//   - Stay below the provider's limits by reading its headers, instead of collecting
//     429s.
//   - Defend a service against abuse: denial of wallet, stolen keys, noisy neighbors,
//     loops.
//
// # The problem
//
// On Friday evening a batch job starts with a loop that never ends. Nothing fails: the
// model answers every call, in parallel, for two days, and on Monday the bill is
// $100,000. No error was raised, because nothing was asked to raise one.
//
// A second team has the opposite problem. One customer sends 10,000 documents in an
// hour and uses up the provider's limit, which all customers share. For the other 200
// customers every question fails with status 429 until midnight. They did nothing
// wrong, and one neighbor made an outage for all.
//
// A third team put its demo on the internet without a login. A script found it and
// asked long questions all night. The attacker gained nothing but free answers, and
// the team paid $4,000. This attack is called denial of wallet.
//
// # The idea
//
// A limit is what raises an error before the money is gone. A web service counts only
// requests. A model's calls differ in size by a factor of ten thousand, so a limit for
// a model counts four things and has one switch:
//
//	requests     a Rate                 how often
//	tokens       a Rate                 how much
//	money        a Rate, in pico-USD    how fast it is spent
//	spend        a sum                  how much is spent, ever
//	concurrency  a number               how many at once
//	Switch       off                    all of it, now
//
// Each limit is kept for each tenant: a customer, a user, a team or an API key. So one
// tenant's peak can't use up another's room. [Options].Shared bounds all tenants
// together.
//
// What a call will use is known only afterwards. If the limit were charged afterwards,
// a thousand calls could start before the first is counted. So a [Model] reserves by
// an estimate before the call, and corrects it after the call.
//
// # Terms
//
//   - Rate limit (also: rate limiting, throttling, requests per minute, RPM): A rate
//     limit is the most that may pass in a time, for example 60 requests a minute.
//     What is above waits or is refused with status 429. See [Rate].
//   - Tokens per minute (also: TPM, token limit): Tokens per minute is a rate limit
//     that counts tokens instead of requests, because a long call costs more than a
//     short one.
//   - Token bucket (also: leaky bucket, bucket): A token bucket has room for a number
//     of tokens and refills at a fixed rate. Each call takes tokens, and waits or is
//     refused if there are too few. These tokens are permissions, not the tokens of a
//     text.
//   - GCRA (also: generic cell rate algorithm): GCRA is the token bucket stored as one
//     number: the instant at which the bucket will be full again. It needs no counter
//     and no timer, and fits into one key of Redis.
//   - Fixed window (also: sliding window, window counter): A fixed window counts calls
//     from minute to minute. It lets twice the limit pass around the end of a window;
//     a sliding window and GCRA don't.
//   - Burst (also: capacity, peak): A burst is how much may pass at once after a quiet
//     time. "60 a minute" with a burst of 60 lets all of them pass in the first
//     second; with a burst of 1 it is one a second.
//   - Quota (also: budget, allowance): A quota is what one tenant may use: rates of
//     requests, tokens and money, calls in progress, and a sum of money in total. See
//     [Quota].
//   - Tenant (also: customer, user, account, API key): A tenant is whose call it is,
//     for the limits. [Options].Tenant finds it, mostly from a verified API key.
//   - Noisy neighbor: A noisy neighbor is a tenant whose load makes the service worse
//     for the others. Limits for each tenant and fair queueing prevent it.
//   - Denial of wallet (also: DoW, cost attack, unbounded consumption): Denial of
//     wallet is an attack that makes you pay: many or long requests, until the budget
//     is gone. OWASP lists it as LLM10, Unbounded Consumption.
//   - Model denial of service (also: DoS, denial of service, resource exhaustion):
//     Model denial of service is an attack that makes a model so busy with long or
//     many requests that other users get no answer.
//   - Abuse (also: misuse, scraping, stolen key): Abuse is use against the rules:
//     stolen keys, free accounts made by a script, reselling of your model, or
//     attempts to break the guards.
//   - Reservation (also: reserve, estimate, hold): A reservation takes a call's
//     estimated use from the limit before the call starts, so that many calls can't
//     start on the same room.
//   - Reconciliation (also: reconcile, settle, refund, debt): Reconciliation corrects
//     the reservation when the real use is known: what is too much comes back, and
//     what is too little is a debt that later calls wait out.
//   - Spend limit (also: spending cap, budget, hard limit): A spend limit is a sum of
//     money that refuses every call once it is used up, with status 402. It doesn't
//     refill. See Quota.SpendPicoUSD.
//   - Pico-USD (also: PicoUSD, USD): A pico-USD is a millionth of a millionth of a
//     dollar, in an int64, so that sums of tiny prices are exact. [USD] is a dollar.
//   - Kill switch (also: switch, emergency stop): A kill switch stops all calls, or
//     one tenant's, at once and without a deployment. See [Switch].
//   - Concurrency limit (also: calls in progress, in flight): A concurrency limit is
//     how many calls of a tenant may be in progress at once.
//   - Fair queueing (also: weighted fair queueing, WFQ, weight): Fair queueing decides
//     which tenant is next when all wait, by weights. A tenant that sends ten times as
//     many calls waits longer instead of getting more.
//   - Provider limit (also: rate limit of the provider, tier, plan): A provider limit
//     is what OpenAI or another provider allows your key, for each model. Response
//     headers report it. See [Account].
//   - Retry-After: Retry-After is the header of a refusal that says when to come back.
//     A [Handler] sends it in seconds, and retry-after-ms in milliseconds.
//   - Rate-limit headers (also: x-ratelimit-limit-requests,
//     x-ratelimit-remaining-requests, x-ratelimit-reset-requests): Rate-limit headers
//     report the size of a limit, what is left, and when it is full again.
//   - Store (also: shared state, Redis): A store keeps the state of limits. [Memory]
//     keeps it in one process, and package limit/redis keeps it for many.
//   - Fail open and fail closed (also: fail-open, fail-closed): Fail open means that
//     calls pass while the store of the limits is down; fail closed means that they
//     are refused. See [Options].RefuseOnStoreFailure.
//   - AIMD (also: additive increase and multiplicative decrease): AIMD raises a rate
//     in small steps while all goes well and cuts it by a factor at a refusal. TCP
//     does so, and an [Account] without headers does a related search.
//
// # Reserve, then reconcile
//
// The picture shows the life of a call's reservation.
//
//	estimate ──▶ reserve ──▶ call ──▶ what it really used ──▶ reconcile
//	 prompt +     or wait,                                    more: debt
//	 max_tokens   or refuse                                   less: refund
//
// A debt is waited out by the calls that follow, so even an estimate that is always
// half of the truth keeps the rate. When a call fails, its reservation comes back if
// the call was never sent or was refused before it began. If the call broke in the
// middle, its reservation stays, because it isn't known what was generated.
//
// # The algorithm
//
// A [Rate] is enforced by GCRA. With N units in a time Per, one unit takes Per/N to
// refill. The limit keeps one instant, tat, at which the bucket will be full again:
//
//	next = max(tat, now) + n × Per/N
//	the call passes if next - now ≤ Burst × Per/N; then tat = next
//	else it may come back after next - now - Burst × Per/N
//
// An example: 60 a minute with a burst of 3 means a unit each second. Three calls at
// 12:00:00 pass, and the fourth may come back in one second. A debt is a later
// instant, a refund moves it back, and in Redis it is one number that one script
// compares and sets.
//
// [Bucket] is golang.org/x/time/rate, the token bucket of most Go programs, made safe
// for many goroutines: its clock never runs backwards. Read the comment of the type
// before you use x/time/rate from sixteen goroutines.
//
// # The provider's limits
//
// The limits above are yours. The provider has its own, on your key, for each model,
// and every response reports them:
//
//	x-ratelimit-limit-requests: 60         what there is at once,
//	x-ratelimit-remaining-requests: 12     what is left of it,
//	x-ratelimit-reset-requests: 48s        when all of it is back
//
// An [Account] reads these headers and holds calls back before they are refused. It
// needs no table of plans, notices a new plan at the first response, and counts what
// other processes take of the same key. From the three numbers follows the rate: here
// 48 come back in 48 s. Without headers it finds the rate by the refusals.
//
// Give an [Account] to [Options].Account and to the HTTP client
// ([Account.HTTPClient]). Where that [Model] is above a retry.Model, also give it to
// retry.Options as one of its Gates, so that retries wait too. Or let package
// retry/defaults do all of this.
//
// # Sharing a limit
//
// [Options].Shared bounds all tenants together. Which is next when they all wait is
// decided by weighted fair queueing: weights of 3 and 1 give three quarters and one
// quarter of the room. A tenant that sends ten times as many calls waits longer
// instead of getting more, and no tenant starves.
//
// # A limit on your own HTTP server
//
// A [Handler] limits the requests of an http.Handler for each tenant. The table shows
// how it refuses; the body has OpenAI's form, so that every SDK does the right thing
// with it.
//
//	status  code                  meaning                          retry?
//	429     rate_limit_exceeded   the limit refills                yes, after Retry-After
//	413     request_too_large     more than the whole limit        no
//	503     service_unavailable   the switch is off                no
//	503     service_unavailable   the store is down                yes
//
// A [Model] refuses with the same statuses, and with 402 (insufficient_quota) when the
// budget is spent.
//
// # A minimal program
//
// The program gives each customer 60 requests and 30,000 tokens a minute, and $100 in
// all.
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
//	…
//	answer, err := model.GenerateContent(ctx, messages)
//	var refused *limit.Error
//	if errors.As(err, &refused) {
//		wait, known := refused.RetryAfter()
//		log.Printf("%s: %s, come back in %v %v", refused.Tenant, refused.Reason, wait, known)
//	}
//
// # Measured
//
// The table shows a client that asks a server 20 times a second for a minute, where
// the server allows 30 in 6 s: go run ./examples/lab08-ratelimit
//
//	                    passed   refused
//	knows nothing       329      871
//	learns by refusals  329      17
//	reads the headers   329      0
//
// # Pitfalls
//
//   - Don't take an alert on the bill for a limit: because bills arrive a day late.
//     Set SpendPicoUSD and a [Rate] of money, which refuse calls.
//   - Don't limit requests alone: because one call of a million tokens costs what ten
//     thousand small ones do. Limit tokens or money too.
//   - Don't check a budget against what is already billed: because all calls in
//     progress pass it. Count their reservations, as a [Model] does.
//   - Don't forget the burst: because 60 a minute at once and 1 a second are both "60
//     a minute". Set [Rate].Burst.
//   - Don't let a refused call cost more than an admitted one: because then refusals
//     are the overload. Refuse before any work, in the first layer.
//   - Don't use an IP address as the tenant: because through a proxy it is the
//     proxy's, and attackers have many. Use a verified API key or user.
//   - Don't keep limits in each process when there are ten processes: because ten
//     limits of 60 are a limit of 600. Share them in a [Store], such as package
//     limit/redis.
//   - Don't leave the case of a failing store open: because a limit that an outage of
//     Redis switches off works on good days only. Choose with
//     [Options].RefuseOnStoreFailure.
//   - Don't set a counter to the remaining requests of a response: because it is the
//     number of when that request arrived. Subtract the calls sent since, as an
//     [Account] does.
//   - Don't retry a refusal at once: because it fails again and adds load. Wait for
//     the Delay of the [Error].
//
// # Questions
//
// What is a rate limit? A rate limit is the most that may pass in a time, for example
// 60 requests or 30,000 tokens a minute. It protects money, the provider's limits and
// other users. What is above it waits, or is refused with status 429 and a time to
// come back.
//
// Why do I need rate limits for an LLM application? An LLM application needs rate
// limits because each call costs money and time. Without them a loop, a stolen key or
// one heavy user spends the budget or uses up the provider's limit for all. OWASP
// lists the risk as LLM10, Unbounded Consumption.
//
// How do I fix "429 Too Many Requests" from OpenAI? Status 429 from OpenAI means that
// your key is above its requests or tokens a minute. Send slower: an [Account] reads
// the x-ratelimit headers and holds calls back. Use fewer tokens, set max_tokens
// lower, and retry after Retry-After. If the code is insufficient_quota, add credit.
//
// What is the difference between a rate limit and a quota? A rate limit refills, so
// after a minute there is room again, and a quota in the sense of a budget is used up
// until a person or a new month renews it. A call above a rate limit is refused with 429.
// A call above a quota is refused with 402 here, and by OpenAI with 429 and
// insufficient_quota.
//
// What is a token bucket, and how does it work? A token bucket works like this: a
// bucket of a fixed size refills at a fixed rate, and each call takes tokens from it.
// When the token bucket is full, it allows a burst. When it is empty, a call waits or
// is refused. These tokens are not the tokens of a text.
//
// What is the difference between a token bucket and GCRA? A token bucket and GCRA
// admit the same calls: a token bucket stores a level and a time, and GCRA stores one
// instant, when the bucket will be full again. One number is easier to share in Redis
// without races.
//
// Why not count requests in each minute? A counter that starts anew each minute lets
// twice the limit pass around the change: 60 at 11:59:59 and 60 at 12:00:00. A token
// bucket, GCRA or a sliding window keeps the rate in every minute.
//
// Should I limit requests, tokens or money? Limit all three, because each catches
// another case. Requests catch loops, tokens catch long prompts and answers, and money
// compares models of different prices. If you can have only one, limit money.
//
// How do I limit each user? To limit each user, give [Options].Tenant a function that
// returns the user of a context, and [Options].Quota the limit of each. Named users
// can have other quotas in [Options].Tenants. The user must come from a verified login
// or key, not from a field that the caller can choose.
//
// What should a limit be? Set a limit from measurements: look at what the heaviest
// honest users need, and allow two or three times as much. Set the sum of all limits,
// [Options].Shared, below what you can pay and what the provider allows. Begin low;
// raising a limit is easy.
//
// How does the library know the cost before the call? The cost before a call is an
// estimate: the tokens of the prompt, and max_tokens (or 512, [Options].AnswerTokens)
// for the answer. It is reserved, and corrected when the real usage is known. Set
// max_tokens to make it exact enough.
//
// What happens when a tenant is over its limit? A call above the limit fails with an
// *[Error] before it reaches the model and costs nothing. With [Options].Wait it first
// waits that long for room. The [Error] has the dimension (requests, tokens, money,
// spend), and the Delay until there is room.
//
// How do I detect abuse of my API? To detect abuse of an API, count requests, tokens,
// refusals and blocked prompts a day for each tenant, and compare them with the
// tenant's usual use and with other tenants. Look at the largest ten each day, and set
// limits so low that abuse is cheap for you until you notice it.
//
// Should a call wait or be refused? A call of a batch job should wait, because no
// person looks at it. A call of a person should wait a second or two at most, and then
// be refused with the time to come back. [Options].Wait sets it; the default is to
// refuse at once.
//
// How do I stop everything in an emergency? Use a [Switch]: StopAll refuses every call
// with status 503 at once, and Stop refuses one tenant's. It needs no deployment and
// no store. Prepare an address or a command for it before the emergency.
//
// How does a money limit work? A money limit works in two forms: Quota.Money is a
// rate, such as $10 an hour, that refills, and Quota.SpendPicoUSD is a sum, such as
// $100, that doesn't. Both reserve the estimated cost before a call and correct it
// after the call, by the function [Options].Cost.
//
// What is denial of wallet? Denial of wallet is an attack that aims at your bill: the
// attacker sends many or very long requests, and you pay for the tokens. Defenses are
// a login, limits of tokens and money for each tenant, a maximum length of prompts,
// and a budget in total.
//
// How do I protect a public demo from abuse? Protect a public demo with a login or a
// key, a small quota for each user, a budget for all ([Options].Shared), short
// max_tokens, and a [Switch]. Add a CAPTCHA for new accounts, and look at who uses
// most each day.
//
// How do I know that my API key was stolen? A stolen API key shows as use that doesn't
// fit: many times the usual tokens, at night, from new addresses, with other models. A
// limit for each key bounds the damage, and the event limit.deny in the log raises the
// alarm. Replace the key at once.
//
// How do I share a limit between several servers? Several servers share a limit
// through one store: package [github.com/prodailabs/prodai/retry/limit/redis] keeps
// the limits in Redis, and one script decides each call. Set it as [Options].Store.
// Concurrency and spend are counted in each process only.
//
// What happens if Redis goes down? If Redis goes down, each process keeps the same
// limits by itself meanwhile (the default), so n processes admit up to n times as
// much. With [Options].RefuseOnStoreFailure, calls are refused with status 503 while
// Redis is down. Choose by what is worse: too many calls or none.
//
// Which HTTP status should a rate limiter return? A rate limiter returns 429 with
// Retry-After when waiting helps, and 413 when the request is larger than the whole
// limit. It returns 402 when the budget is spent, and 503 when the service is switched
// off. A [Handler] does so, in OpenAI's form of error.
//
// How is this different from slowapi or an API gateway's limit? The library slowapi
// (for FastAPI) and most gateways count requests. A limit for models must also count
// tokens and money, which are known only after the call. A [Model] here reserves and
// reconciles them. Both can be used together: the gateway's limit first.
//
// Should I limit on the client's or the server's side? Limit on both sides. Your
// server's limits protect you from your callers; the limits on your client ([Account])
// keep you below the provider's. The first is about who may use what, and the second
// about not collecting 429s.
//
// Does a cached answer count against the limit? A cached answer counts as one request,
// and its tokens and money come back, if the limit is above the cache. Put the limit
// below the cache if hits should not count at all.
//
// Do streams count? A stream counts like any call: it is reserved at its start and
// reconciled at its end by its usage. If the provider reports no usage for it, the
// reservation stays.
//
// # Lab
//
// The first lab shows a limit from both sides. Look at the headers of the first five
// requests, and then at the number of refused calls: a client that reads the headers
// has none.
//
//	go run ./examples/lab08-ratelimit
//	go run ./examples/lab08-ratelimit -weight 1
//
// The second lab is the $100,000 weekend of lecture 1. Look at when the first refusal
// comes, and which limit made it.
//
//	go run ./examples/lab01-runaway-cost
//
// # Exercises
//
//  1. Start the runaway job of examples/lab01-runaway-cost without its limit, and say
//     at which minute a person would have noticed.
//  2. Estimate tokens as 1 for every call. What still holds, and what doesn't?
//  3. Give two tenants weights 3 and 1 and let the first one be idle for an hour. What
//     may it do when it comes back, and why not more?
//  4. Let sixteen [Account] values share a key, as sixteen processes would. Which gets
//     how much, and why does none starve?
//  5. You are the attacker of a service with 60 requests a minute for each account.
//     How do you spend the most of its money? Which limit stops you?
//
// # Further reading
//
//   - ATM Forum, Traffic Management Specification 4.0, 1996, section 4.4.2 (GCRA).
//   - Golestani, "A Self-Clocked Fair Queueing Scheme", INFOCOM 1994.
//   - Chiu and Jain, "Analysis of the Increase and Decrease Algorithms for Congestion
//     Avoidance in Computer Networks", 1989.
//   - IETF draft-ietf-httpapi-ratelimit-headers, "RateLimit header fields for HTTP".
//   - Ghodsi et al., "Dominant Resource Fairness", NSDI 2011.
//   - OWASP Top 10 for LLM Applications 2025, LLM10: Unbounded Consumption.
package limit
