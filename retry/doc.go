// Package retry makes a client of a model that tells the truth about what
// failed and survives an overload.
//
// # The lecture
//
// Lectures 3 and 4. A provider slows down for ten seconds. Every client gets
// errors, and every client does the sensible thing: it tries again. Now the
// provider has its usual load and all the retries on top, and slows down more.
// After a minute the cause is gone, and the outage goes on, because the retries
// alone are more than the provider can serve. Each client was careful. Together
// they were the attack.
//
// Retrying is easy to add and easy to turn into the cause of an outage. What
// matters is what is retried, when, and how often in total.
//
// # What is retried: error truth
//
// A status isn't a reason. A 429 means wait (a rate limit), never (the request is
// larger than the limit) or stop (the quota is used up), and only the body says
// which:
//
//	429 ─┬─ wait: a rate limit; the same request passes in a moment
//	     ├─ cap:  the request is larger than the limit; it can never pass
//	     └─ stop: the quota or the spend limit is used up; waiting doesn't help
//
// [Classify] reads the provider's own code and type, in the words of OpenAI,
// Azure, Anthropic, Gemini, Bedrock and others, and [Error] says what follows:
// may the same target be tried again, may another one, does it count against
// the target's health. A stream that broke off is an error with what was seen
// (Error.Partial), never a short answer.
//
// # When: backoff with jitter
//
// Plain exponential backoff makes every client wait one second, then two, then
// four. Clients that failed together come back together: the load arrives in
// waves, and each wave fails as the first one did. Full jitter is better than
// plain exponential backoff because it spreads the retries: each client waits a
// random time between zero and the exponential bound, so the waves dissolve.
//
//	no jitter    │││││      │││││                │││││
//	full jitter  │ ││ │ │ │  │ │ │   │ │  │   │ │   │  │
//
// [Exponential] does full jitter by default; equal and decorrelated jitter are
// there to compare. When a server says how long to wait (Retry-After, in any of
// its forms), it knows better: the wait is that, with jitter above it and never
// below, since all clients were told the same number. If the wait goes beyond
// the caller's deadline, the call fails at once and the error says how long it
// would have been.
//
// # How often in total: a budget
//
// Jitter cures retries that arrive together. It doesn't cure too many of them:
// in an overload that lasts, every shape of backoff wastes the same number of
// calls. A retry budget bounds the sum: retries may be a tenth of the requests
// of the last ten seconds ([WindowBudget]), shared by all calls of a client.
// A circuit breaker ([Breaker]) goes one step further: after some failures in a
// row it refuses calls for a while, then lets a single probe through.
//
// # Using it
//
//	model, err := retry.New(client, &retry.Options{
//		MaxAttempts: 3,
//		Breaker:     breaker,
//		Timeouts:    retry.Timeouts{FirstToken: 10 * time.Second, BetweenTokens: 10 * time.Second, Total: time.Minute},
//	})
//	r, err := model.GenerateContent(ctx, messages)
//	var e *retry.Error
//	if errors.As(err, &e) && e.Class == retry.Quota { … }
//
// [Do] retries any function, and each policy can be used alone. langchaingo's
// own clients lose the status and the headers; [HTTPClient] gives them one that
// remembers.
//
// # Pitfalls
//
//   - Retry at one layer. Three layers with three attempts each make twenty-seven
//     calls of one. A Model below another Model notices and makes one attempt.
//   - Never retry a stream that has spoken: the user would read the beginning
//     twice.
//   - An attempt's timeout may be retried, the call's deadline may not.
//   - A client's cancelled call is no failure of the server's, nor is a 400: a
//     breaker that counts them opens for nothing.
//   - One timeout is not enough for a stream; see [Timeouts].
//
// # Exercises
//
//  1. Start a hundred goroutines whose calls fail at the same moment. Draw when
//     their retries arrive, without jitter and with full jitter.
//  2. Find the request that your provider answers with 429 and that no wait will
//     let through.
//  3. Put a Model around a Model and count the attempts.
//
// # Further reading
//
//   - Brooker: "Exponential backoff and jitter", AWS Architecture Blog, 2015.
//   - Beyer et al.: "Site Reliability Engineering", chapters 21 and 22, 2016.
//   - Bronson et al.: "Metastable failures in distributed systems", HotOS 2021.
//   - gRPC proposal A6, "Client retries", on retry throttling.
//   - RFC 9110, 10.2.3 "Retry-After".
package retry
