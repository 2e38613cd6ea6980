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
//	        ┌─────────────────── Policy ────────────────────┐
//	call ──▶│ gates ─▶ attempt, hedge ─▶ Classify ─▶ again? │──▶ answer or *Error
//	        │   ▲                                      │    │
//	        │   └─ sleep ◀─ Budget, deadline, Backoff ─┘    │
//	        └───────────────────────────────────────────────┘
//	gates: Shedder ─▶ Limiter ─▶ Bulkhead ─▶ Adaptive ─▶ Breaker, which, when
//	open, refuses before anyone waits
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
// # How many at once
//
// A target that can serve forty calls at once serves forty-one a little slower
// and four hundred not at all: they wait, their callers give up, and it works
// on answers that nobody is waiting for. Three gates, each a question asked
// before an attempt:
//
//	Bulkhead   how many may this process have in progress?      a number that you know
//	Adaptive   how many can the target take?                    a number that nobody knows
//	Shedder    will this one be answered before its deadline?   if not, why send it
//
// [Bulkhead] keeps one slow target from holding all of a process's memory and
// connections. [Adaptive] learns the number as TCP learns the width of a path:
// one more while all goes well, a cut when it doesn't. Those with the largest
// share give up the most at a cut, which is why all the clients of a target
// come to equal shares without ever talking to one another. [Shedder] compares
// the time that is left with how long calls wait and take, and refuses those
// that would come too late. When there isn't room for all, someone decides who
// waits, and without priorities it is chance: with [WithPriority] a batch job
// is refused while there still is room for a person.
//
// # A slow answer is a failure that hasn't been reported yet
//
// Most answers come in a second, one in fifty takes a minute: that replica was
// busy, that packet lost. Waiting for it is a choice. [Hedger] starts a second
// attempt when the first has taken longer than 95 of 100 do, takes the answer
// that comes first, and cancels the other:
//
//	first   ├──────────────────────┤ cancelled
//	                 p95 ▲
//	hedge                ├────┤ answer
//
// By its definition that costs five calls in a hundred, and the slowest answers
// become the p95 plus an ordinary answer. But if the target as a whole turns
// slow, every call is later than the p95 used to be, and hedging would double
// the load at the worst moment: so hedges have a budget, and are off by
// default, for a model is paid for both.
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
// A stream may be tried again, or hedged, only until the caller has heard
// something. After that a failure is returned with what was heard in
// [Error.Partial]; the reader has seen half a sentence, and a second attempt
// would begin another one.
//
// Unless the model can be asked to finish that sentence. A [Resume] shows it
// what it had said and asks for the rest. The difficulty is the seam: engines
// that continue a message to the token (prefill) are few, and become fewer;
// all others write a new message, which may begin in the middle, at the last
// paragraph, or with an apology. So they are asked to repeat their last words
// first. If they do, the seam is proven and what they repeated is cut off; if
// not, the call fails as it would have.
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
//     Model below a Model notices and makes one attempt, without a hedge. An
//     SDK below doesn't: [Transport] tells those that listen, but set its own
//     retries to zero.
//   - A breaker that counts every error opens on a caller's bad request. Ours
//     counts Unhealthy errors only.
//   - An attempt's timeout may be retried, the call's own deadline may not, and
//     both look like context.DeadlineExceeded.
//   - x-ratelimit-reset is when the bucket is full, Retry-After is when to come
//     back. They are rarely equal.
//   - "Rate limit" in a message proves nothing: it may be the user's text,
//     repeated.
//   - A refusal of our own (no room, too late, an open breaker) says nothing
//     about the target: it is no failure in a breaker, and the load of callers
//     who ask again at once is still there.
//   - A hedge needs an idempotent call. An answer has no effect on the world; a
//     tool that books a flight has.
//   - The p95 of short and long answers together is the long ones' length. Give
//     calls of different kinds hedgers of their own.
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
//  4. Take the overtaken attempts out of the latencies that [Hedger] learns
//     from. Where does its delay go, and why?
//  5. Let two [Adaptive] limits, one at 5 and one at 50, share a target for
//     sixty calls. Plot both.
//  6. Hedge a target whose every answer takes twice as long from one moment on,
//     with and without the budget. What does the target see?
//  7. Cut an answer at a place of your choice and resume it from a model that
//     doesn't know prefill, by Prefill and by Instruct.
//  8. Find a provider's error that [Classify] gets wrong, and add it to the
//     golden file first.
//
// # Further reading
//
//   - Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
//   - gRPC proposal A6, "gRPC Retry Design": throttling, hedging.
//   - Beyer et al., "Site Reliability Engineering", 2016, chapters 21 and 22.
//   - Bronson et al., "Metastable Failures in Distributed Systems", HotOS 2021.
//   - Chiu and Jain, "Analysis of the Increase and Decrease Algorithms for
//     Congestion Avoidance in Computer Networks", 1989.
//   - Dean and Barroso, "The Tail at Scale", CACM 56(2), 2013.
//   - Nygard, "Release It!", 2nd edition, 2018, circuit breaker and bulkheads.
//   - RFC 9110 §10.2.3, Retry-After.
package retry
