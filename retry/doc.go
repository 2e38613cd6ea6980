// Package retry makes a client of a model that tells the truth about what
// failed and survives an overload.
//
// # The lecture
//
// Lectures 3 and 4. A model is a service on someone else's machines. It is
// slow, it costs money per request, it has limits that change with the plan,
// and it fails in two dozen ways. The first thing a team does is to put a loop
// around the call: three attempts, a pause between them. Then one evening the
// provider slows down. Every client times out and tries again, three times as
// many requests arrive, the provider slows down more, and when the cause is
// long gone the load that the retries make keeps it down. Retrying is easy to
// add and easy to turn into the cause of the outage: what matters is what is
// retried, when, and how often in total.
//
// So there are three questions, in this order.
//
// # What failed
//
// Two calls that both came back with status 429 can need opposite things:
//
//	wait   rate_limit         the limit refills; the same request passes later
//	cap    request_too_large  the request is larger than the limit: it never passes
//	stop   quota              the money is spent; someone must act
//
// A loop that treats them alike waits for ever on the second and hammers a dead
// account on the third. [Classify] reads the status, the headers and the body
// of every provider in use and returns an [Error] with a [Class]; three of its
// fields are the answers that a program needs:
//
//	Retryable   the same target may be tried again
//	Fallback    another target may be tried
//	Unhealthy   it counts against the target's health
//
// Clients hide the evidence. langchaingo's drop the headers and the provider's
// code, replace context.DeadlineExceeded by a sentence, and report a stream
// that was cut in the middle as a success with half an answer. [Transport] goes
// below such a client and writes down what came over the wire.
//
// # When to try again
//
//	        ┌───────────── Policy ────────────────────────────────┐
//	call ──▶│ Limiter ─▶ Breaker ─▶ attempt ─▶ Classify ─▶ again? │──▶ answer or *Error
//	        │    ▲                     │                    │     │
//	        │    └──── sleep ◀── Budget, deadline, Backoff ─┘     │
//	        └─────────────────────────────────────────────────────┘
//
// After a wait that doubles and is drawn at random ([Exponential], [Full]).
// Full jitter is better than plain exponential backoff because it spreads the
// retries: without it, those who failed together wait one second together, then
// two, then four, and come back in waves that fail as the first one did. If the
// server said when ([RetryAfter], [BodyDelay]), not before that, and not all at
// that very moment either: the jitter goes above it. If that is after the
// caller's own deadline, not at all: the call fails now, with the wait in its
// error, and the caller can still do something else.
//
// # How often in total
//
// Backoff spreads load, it doesn't remove any: in an overload that lasts longer
// than the cap all jitters are equally useless. What helps is to send less.
// [Budget] allows retries as a share of the requests, whatever each caller
// wishes; [Breaker] stops asking a target that fails; [Timeouts] end an answer
// that is dead, so that it holds nothing.
//
// # A program
//
//	next, err := anthropic.New(anthropic.WithHTTPClient(retry.HTTPClient(nil)))
//	…
//	breaker, err := retry.NewBreaker(nil)
//	…
//	model, err := retry.New(next, &retry.Options{
//		Breaker:  breaker,
//		Timeouts: retry.Timeouts{FirstToken: 10 * time.Second, BetweenTokens: 10 * time.Second},
//	})
//	…
//	answer, err := model.GenerateContent(ctx, messages)
//	var e *retry.Error
//	if errors.As(err, &e) && e.Class.Refusal() == retry.Stop {
//		// page someone
//	}
//
// Any other call, an embedding say, runs under the same rules with [Do].
//
// # Streams
//
// A stream may be tried again only until the caller has heard something. After
// that a failure is returned with what was heard in [Error.Partial]; the reader
// has seen half a sentence, and a second attempt would begin another one.
//
// # Differences from cenkalti/backoff v4
//
// Its policies can be used here ([Options].NewBackOff) and ours there
// ([Exponential.BackOff]). Its Retry differs: it sleeps until the deadline if
// the next wait passes it, where ours returns at once; then it returns the
// context's error and loses the operation's, where ours unwraps to both; its
// MaxElapsedTime is looked at only between calls, where Timeouts.Total ends a
// call under way; it runs the operation once even if the context is done.
//
// # Pitfalls
//
//   - Retry at one layer. Three layers of three attempts are 27 requests. A
//     Model below a Model notices and makes one attempt; an SDK below doesn't,
//     so set its own retries to zero.
//   - A breaker that counts every error opens on a caller's bad request. Ours
//     counts Unhealthy errors only.
//   - An attempt's timeout may be retried, the call's own deadline may not, and
//     both look like context.DeadlineExceeded.
//   - x-ratelimit-reset is when the bucket is full, Retry-After is when to come
//     back. They are rarely equal.
//   - "Rate limit" in a message proves nothing: it may be the user's text,
//     repeated.
//   - A share of a budget needs requests to be a share of. [NewWindowBudget]'s
//     constant part is for the client that asks twice an hour.
//
// # Exercises
//
//  1. Write down what your favourite SDK does with a 429 whose code is
//     insufficient_quota. Then try it.
//  2. Remove the jitter from [Exponential] and let a thousand callers fail at
//     the same instant. When does the load of their retries even out?
//  3. Give [TokenBudget] a ratio of 1. What does it guarantee now?
//  4. Find a provider's error that [Classify] gets wrong, and add it to the
//     golden file first.
//
// # Further reading
//
//   - Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
//   - gRPC proposal A6, "Client Retries", retry throttling.
//   - Beyer et al., "Site Reliability Engineering", 2016, chapters 21 and 22.
//   - Bronson et al., "Metastable Failures in Distributed Systems", HotOS 2021.
//   - Nygard, "Release It!", 2nd edition, 2018, circuit breaker and bulkheads.
//   - RFC 9110 §10.2.3, Retry-After.
package retry
