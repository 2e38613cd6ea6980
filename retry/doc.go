// Package retry makes a client of a model that survives failures and overloads.
//
// # The lecture
//
// Lecture 4. A model is a service on someone else's machines. It is
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
// Whether a retry makes sense, and when, depends on what failed. Package
// [github.com/prodailabs/prodai/retry/fault] finds out. Every error of a [Model]
// is a [fault.Error]: it says whether the same target may be tried again, and
// whether another one may.
//
// # When to try again
//
//	        ┌─────────────────── Policy ────────────────────┐
//	call ──▶│ gates ─▶ attempt, hedge ─▶ Classify ─▶ retry? │──▶ answer or *fault.Error
//	        │   ▲                                      │    │
//	        │   └─ sleep ◀─ Budget, deadline, Backoff ─┘    │
//	        └───────────────────────────────────────────────┘
//	gates: Shedder ─▶ Limiter ─▶ Gates ─▶ Bulkhead ─▶ Adaptive ─▶ Breaker; an
//	open Breaker refuses before an attempt waits at one of the others
//
// After a wait that doubles and is drawn at random ([Exponential], [JitterFull]).
// Full jitter is better than plain exponential backoff because it spreads the
// retries: without it, callers that failed together wait one second together, then
// two, then four, and come back in waves that fail as the first one did. If the
// server said when ([fault.RetryAfter], [fault.BodyDelay]), not before that, and
// not all at that very moment either: the jitter goes above it. If that is after
// the caller's own deadline, not at all: the call fails now, with the wait in its
// error, and the caller can still do something else.
//
// # How often in total
//
// Backoff spreads load, it doesn't remove any: in an overload that lasts longer
// than the cap all jitters are equally useless. What helps is to send less.
// [Budget] allows retries as a share of the requests, whatever each caller
// wishes. [Breaker] is a circuit breaker: it stops calls to a target that keeps
// failing, and lets a test call through after a pause. [Timeouts] end an answer
// that is dead, so that it occupies nothing.
//
// # How many at once
//
// A target that can serve forty calls at once serves forty-one a little slower
// and four hundred not at all: they wait, their callers give up, and it works
// on answers that no caller is waiting for. Three gates, each a question asked
// before an attempt:
//
//	Bulkhead   how many may this process have in progress?      a number that you know
//	Adaptive   how many can the target take?                    a number that has to be found
//	Shedder    will this one be answered before its deadline?   if not, why send it
//
// [Bulkhead] keeps one slow target from taking all of a process's memory and
// connections. [Adaptive] learns the number as TCP learns the width of a path:
// one more while all goes well, a cut when it doesn't. Clients with the largest
// share give up the most at a cut, which is why all the clients of a target
// come to equal shares without ever talking to one another. [Shedder] compares
// the time that is left with how long calls wait and take, and refuses those
// that would come too late. When there isn't room for all, the priority decides
// which calls wait, and without priorities it is chance: with [WithPriority] a
// batch job is refused while there still is room for a person.
//
// All gates have one vocabulary, that of package
// [github.com/prodailabs/prodai/retry/admission]: Acquire and TryAcquire give a
// permit, Done and Cancel end it. A [Policy] passes them in order, and leaves them
// in the reverse order.
//
// # A slow answer is a failure that hasn't been reported yet
//
// Most answers come in a second, one in fifty takes a minute: that replica was
// busy, that packet lost. Waiting for it is a choice. [Hedger] starts a second
// attempt when the first has taken longer than 95 of 100 do, takes the answer
// that comes first, and cancels the other:
//
//	first   ├──────────────────────┤ canceled
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
//	next, err := anthropic.New(anthropic.WithHTTPClient(fault.HTTPClient(nil)))
//	…
//	breaker, err := retry.NewBreaker(nil)
//	…
//	model, err := retry.New(next, &retry.Options{
//		Breaker:  breaker,
//		Timeouts: retry.Timeouts{FirstToken: 10 * time.Second, BetweenTokens: 10 * time.Second},
//	})
//	…
//	answer, err := model.GenerateContent(ctx, messages)
//	var e *fault.Error
//	if errors.As(err, &e) && e.Class.Refusal() == fault.RefusalStop {
//		// page someone
//	}
//
// Any other call, an embedding say, runs under the same rules with [Do].
//
// # Streams
//
// A stream may be tried again, or hedged, only until the caller has received
// something. After that a failure is returned with what was received in
// [fault.Error.Partial]; the reader has seen half a sentence, and a second attempt
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
// call in progress; it runs the operation once even if the context is done, a
// Policy doesn't.
//
// # Pitfalls
//
//   - Retry at one layer. Three layers of three attempts are 27 requests. A
//     Model below a Model notices and makes one attempt, without a hedge. An
//     SDK below doesn't: [fault.Transport] stops those that obey a header, but set
//     its own retries to zero.
//   - A breaker that counts every error opens on a caller's bad request. Ours
//     counts Unhealthy errors only.
//   - An attempt's timeout may be retried, the call's own deadline may not, and
//     both look like context.DeadlineExceeded.
//   - A gate's refusal (no room, too late, an open breaker) shows nothing of the
//     target: it is not a failure in a breaker, and the load of callers that ask
//     again at once is still there.
//   - A hedge needs an idempotent call. An answer has no effect on the world; a
//     tool that books a flight has.
//   - The p95 of short and long answers together is the long ones' length. Give
//     calls of different kinds hedgers of their own.
//   - A share of a budget needs requests to be a share of. The PerSecond of
//     [WindowBudgetOptions] is for the client that asks twice an hour.
//
// # Exercises
//
//  1. Remove the jitter from [Exponential] and let a thousand callers fail at
//     the same instant. When does the load of their retries even out?
//  2. Give [TokenBudget] a ratio of 1. What does it guarantee now?
//  3. Take the overtaken attempts out of the latencies that [Hedger] learns
//     from. Where does its delay go, and why?
//  4. Let two [Adaptive] limits, one at 5 and one at 50, share a target for
//     sixty calls. Plot both.
//  5. Hedge a target whose every answer takes twice as long from one moment on,
//     with and without the budget. What does the target see?
//  6. Cut an answer at a place of your choice and resume it from a model that
//     doesn't know prefill, by each [Continuation].
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
package retry
