// Package fault finds out what failed when a call of a model failed, and what
// its caller can do about it.
//
// # The lecture
//
// Lecture 3. Two calls that both came back with status 429 can need opposite
// things:
//
//	wait   rate_limit         the limit refills; the same request passes later
//	cap    request_too_large  the request is larger than the limit: it never passes
//	stop   quota              the money is spent; a person must act
//
// A loop that treats them alike waits forever on the second and hammers a dead
// account on the third. [Classify] reads the status, the headers and the body
// of every provider in use and returns an [Error] with a [Class]. Three of its
// fields are the answers that a program needs:
//
//	Retryable   the same target may be tried again
//	Fallback    another target may be tried
//	Unhealthy   it counts against the target's health
//
// and [Class.Refusal] is which of the three a 429 is.
//
// # Where the evidence is
//
//	status, headers, body   ─▶ Classify   ─┐
//	an error of a client    ─▶ FromError  ─┼─▶ *Error: Class, Delay, Allowances, …
//	the HTTP exchange       ─▶ Transport  ─┘
//
// Clients hide the evidence. langchaingo's drop the headers and the provider's
// code, replace context.DeadlineExceeded by a sentence, and report a stream
// that was cut in the middle as a success with half an answer. [Transport] goes
// below such a client and writes down what came over the wire. It writes it
// into an [Attempt], which package retry puts on the context of each request.
//
// How long to wait is in up to three places: a header ([RetryAfter]), the body
// ([BodyDelay]), and the headers of the rate limits ([ParseAllowances],
// [ResetDelay]).
//
// # A program
//
//	e := fault.FromError(ctx, err)
//	switch e.Class.Refusal() {
//	case fault.RefusalWait:
//		wait, asked := e.RetryAfter()
//		if !asked {
//			wait = time.Second // without it the loop would be a busy one
//		}
//		time.Sleep(wait)
//	case fault.RefusalCap:
//		// send less
//	case fault.RefusalStop:
//		// page someone
//	}
//
// Package retry does all of this around a model.
//
// # Why an answer ended
//
// A success can be a failure too: the answer was cut at its maximum length, or
// a filter removed it. Providers have some thirty words for it. [StopReasonOf]
// sorts them into five: [StopReason].
//
// # Pitfalls
//
//   - "Rate limit" in a message proves nothing: it may be the user's text,
//     repeated. A word that the provider defines decides over the status, and
//     free text only where there is no such word.
//   - x-ratelimit-reset is when the bucket is full, Retry-After is when to come
//     back. They are rarely equal.
//   - A timeout of one attempt may be retried, the call's own deadline may not,
//     and both look like context.DeadlineExceeded.
//   - An error's Message may repeat the prompt. Log the Class and the
//     ProviderCode.
//
// # Exercises
//
//  1. Write down what your favorite SDK does with a 429 whose code is
//     insufficient_quota. Then try it.
//  2. Find a provider's error that [Classify] gets wrong, and add it to the
//     golden file first.
//
// The lab is examples/lab03-errors.
//
// # Further reading
//
//   - RFC 9110 §10.2.3, Retry-After.
//   - IETF draft-ietf-httpapi-ratelimit-headers, "RateLimit header fields for
//     HTTP".
//   - OpenAI, "Error codes"; Anthropic, "Errors"; Google, "API errors".
package fault
