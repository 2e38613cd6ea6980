// Package fault finds out what failed when a call of a model failed, and what its
// caller can do about it.
//
// # What you will be able to do
//
//   - Tell the three meanings of status 429 apart: wait, send less, or stop.
//   - Say for each HTTP status and each error class whether a retry can help.
//   - Find how long to wait, in a header, in the body, or in the rate-limit headers.
//   - Branch on a typed error in Go, with errors.As, instead of searching words in a
//     message.
//   - Recognize an answer that was cut although its status is 200.
//
// # The problem
//
// A team's batch job gets status 429 on Saturday at 2:00. Its loop waits a second and
// asks again, as the tutorial showed. The provider's code inside that 429 is
// insufficient_quota: the account has no money left. The loop asks 180,000 times until
// Monday and gets 180,000 refusals.
//
// The same team has a second job with the same loop. One of its prompts has 35,000
// tokens, and the account's limit is 30,000 tokens a minute. The provider answers 429
// to that one too. No wait can help, because the request is larger than the whole
// limit.
//
// So two calls with status 429 can need opposite actions. The status alone doesn't
// decide: the answer is in the provider's code, in headers, or only in words. And many
// clients throw these away before the program can look.
//
// # The idea
//
// The evidence of a failed call is collected, and sorted into one of twenty classes. A
// class is defined by what the caller can do, not by the provider's words. [Classify]
// reads the status, the headers and the body of a response, and returns an [Error]
// with a [Class].
//
//	status, headers, body   ─▶ Classify   ─┐
//	an error of a client    ─▶ FromError  ─┼─▶ *Error: Class, Delay, Allowances, …
//	the HTTP exchange       ─▶ Transport  ─┘
//
// Three fields of an [Error] are the answers that a program needs. Retryable means
// that the same target may be tried again. Fallback means that another target may be
// tried. Unhealthy means that the failure counts against the target's health, for
// example in a circuit breaker.
//
// [Transport] is for clients that hide the evidence. Some clients drop the headers and
// the provider's code, and report a stream that was cut in the middle as a success. A
// Transport is below such a client, in its HTTP client, and records what came over the
// wire.
//
// # Terms
//
//   - Error class (also: class of an error, error category, error type): An error
//     class is the kind of a failure, defined by what the caller can do about it.
//     [Class] has twenty, such as rate_limit, quota, timeout and context_length.
//   - Transient error (also: temporary error, passing error, retryable error): A
//     transient error is one that can pass by itself, so that the same request may
//     succeed later. Examples are status 503, a timeout and a broken connection.
//   - Permanent error (also: non-retryable error, fatal error): A permanent error
//     stays until the request or the account changes. Examples are a wrong key (401),
//     a bad request (400) and a prompt that is too long.
//   - Rate limit error (also: rate limit exceeded, too many requests): A rate limit
//     error refuses a call because too many requests or tokens came in a time. The
//     limit refills, so the same request passes later.
//   - Status code 429 (also: 429, HTTP 429, 429 Too Many Requests): Status code 429
//     means that a limit refused the request. It can mean three things: wait (the
//     limit refills), send less (the request is larger than the limit), or stop (the
//     money is spent). See [Class.Refusal].
//   - Retry-After (also: retry-after-ms, Retry-After header): Retry-After is a
//     response header in which the server says how long to wait before the next
//     request, in seconds or as a date. The function [RetryAfter] reads this header,
//     and before it retry-after-ms, which is in milliseconds.
//   - Rate-limit headers (also: x-ratelimit headers, x-ratelimit-remaining,
//     x-ratelimit-reset): Rate-limit headers tell how large a limit is, how much of it
//     is left, and when it is full again. [ParseAllowances] reads those of several
//     providers into an [Allowance] each.
//   - Quota (also: insufficient_quota, spend limit, credit): A quota is an amount that
//     is used up and does not refill by waiting, such as prepaid money or a monthly
//     plan. A person must act.
//   - HTTP status code (also: status, response code): An HTTP status code is the
//     number by which a server reports the result of a request: 2xx means success, 4xx
//     blames the request or its sender, and 5xx blames the server.
//   - Status code 400 (also: 400 Bad Request, invalid_request_error): Status code 400
//     means that the request itself is wrong, for example an unknown parameter. The
//     same request fails again.
//   - Status code 401 (also: 401 Unauthorized, invalid_api_key, wrong key): Status
//     code 401 means that the API key is missing or wrong.
//   - Status code 402 (also: 402 Payment Required): Status code 402 means that the
//     account has no money or budget left. Waiting doesn't help.
//   - Status code 413 (also: 413 Payload Too Large, request too large): Status code
//     413 means that the request is larger than the server or the limit allows. Send
//     less.
//   - Status code 403 (also: 403 Forbidden, permission denied): Status code 403 means
//     that the key is right and may not do this, for example use this model.
//   - Status code 404 (also: 404 Not Found, model_not_found): Status code 404 means
//     that there is no such address, or no such model for this account.
//   - Status code 422 (also: 422 Unprocessable Entity, validation error): Status code
//     422 means that the body is readable and its content is not valid. FastAPI sends
//     it when a request doesn't fit its Pydantic model.
//   - Status code 500 (also: 500 Internal Server Error, server error): Status code 500
//     means that the server failed by its own fault. A retry may help.
//   - Status code 502 and 504 (also: 502, 504, Bad Gateway, Gateway Timeout): Status
//     codes 502 and 504 come from a proxy before the server: it got a bad answer, or
//     none in time.
//   - Status code 503 (also: 503, 503 Service Unavailable, overloaded, 529): Status
//     code 503 means that the server has no room now or is down for a while. Anthropic
//     sends 529 for the same. A retry after a wait may help.
//   - Timeout (also: timed out, DeadlineExceeded, 408): A timeout is the end of the
//     waiting: no answer came in the given time. It doesn't show whether the server
//     has done the work.
//   - Context window error (also: context_length_exceeded, prompt too long, maximum
//     context length): A context window error means that prompt and answer together
//     are longer than the model can read. Shorten the prompt, or ask a model with a
//     larger window.
//   - Content filter (also: content_filter, safety refusal, blocked): A content filter
//     error means that the provider refused the text of the prompt or of the answer.
//     The same request is refused again.
//   - Stop reason (also: finish_reason, stop_reason, finish reason): A stop reason is
//     the provider's word for why an answer ended. [StopReasonOf] sorts the providers'
//     words into complete, cut, filtered, failed and unknown.
//   - Provider code (also: error code, code): A provider code is the provider's own
//     word for an error, such as rate_limit_exceeded. It is more exact than the
//     status, and it is in the body of the response.
//   - Request ID (also: x-request-id): A request ID is the provider's name for one
//     request. Its support asks for it.
//   - Idempotency key (also: Idempotency-Key): An idempotency key is a random name
//     that all attempts of one call carry, so that a server can recognize a repeated
//     request and do the work once.
//   - Wrapped error (also: errors.As, errors.Is, error chain): A wrapped error
//     contains the error that caused it. In Go, errors.As finds an error of a type in
//     the chain, and errors.Is finds a known value.
//   - Partial answer (also: Partial, truncated stream): A partial answer is the text
//     that a stream had delivered before it broke. It is in Error.Partial.
//
// # Status codes and what to do
//
// The table shows what each status means by itself, if the body contains no word of
// the provider that says more.
//
//	status              class              retry?  another model?  who must act
//	400, 422            invalid_request    no      no              the programmer
//	401, 407            auth               no      yes             the owner of the key
//	402                 quota              no      yes             the owner of the account
//	403, 451            permission         no      yes             the owner of the account
//	404                 not_found          no      yes             the programmer
//	408, 504, 524       timeout            yes     yes             the program: wait
//	409, 425            conflict           yes     no              the program: wait
//	413                 request_too_large  no      no              the program: send less
//	429                 rate_limit         yes     yes             the program: wait
//	500, 502, other 5xx server_error       yes     yes             the program: wait
//	503, 529            overloaded         yes     yes             the program: wait
//
// A word of the provider decides over the status. A 429 with insufficient_quota is a
// quota, a 400 with ThrottlingException is a rate limit, and a 400 with
// context_length_exceeded is a prompt that is too long. [Classify] knows the words of
// OpenAI, Azure, Anthropic, Gemini, Bedrock, Mistral, Groq, Cohere, OpenRouter, vLLM
// and Ollama.
//
// # The three meanings of 429
//
// The table shows the three meanings of status 429, which [Class.Refusal]
// distinguishes.
//
//	RefusalWait   rate_limit           the limit refills; the same request passes later
//	RefusalCap    request_too_large    the request is larger than the limit: it never passes
//	RefusalStop   quota, quota_daily   the money or the day's amount is used up: stop
//
// Code that treats the three alike waits forever on the second and asks a dead account
// on the third.
//
// # How long to wait
//
// The wait after a refusal is in up to three places: a header ([RetryAfter]), the body
// ([BodyDelay]), and the rate-limit headers ([ParseAllowances], [ResetDelay]).
// [Error.RetryAfter] returns the wait if the server asked for one.
//
// Two headers look alike and differ. Retry-After is when to come back, and
// x-ratelimit-reset is when the whole limit is full again, which is later. Waiting for
// the reset wastes time, and is right only if nothing else is known.
//
// # Why an answer ended
//
// A success can be a failure too: the answer was cut at its maximum length, or a
// filter removed it. Providers have some thirty words for why an answer ended.
// [StopReasonOf] sorts them into five values of [StopReason]. What is not known to be
// complete should not be stored or parsed without a look.
//
// # A minimal program
//
// The program asks what failed and does the right thing for each meaning of a refusal.
// Package retry does all of this around a model, so that you seldom write it yourself.
//
//	answer, err := model.GenerateContent(ctx, messages)
//	if err != nil {
//		e := fault.FromError(ctx, err)
//		switch e.Class.Refusal() {
//		case fault.RefusalWait:
//			wait, asked := e.RetryAfter()
//			if !asked {
//				wait = time.Second // without it the loop would be a busy one
//			}
//			time.Sleep(wait)
//		case fault.RefusalCap:
//			// shorten the prompt, or split the work
//		case fault.RefusalStop:
//			// stop the job, and page the owner of the account
//		default:
//			log.Printf("%s, status %d, retry %t", e.Class, e.Status, e.Retryable)
//		}
//	}
//
// # Pitfalls
//
//   - Don't decide by the status 429 alone: because it means wait, send less or stop.
//     Use [Class.Refusal].
//   - Don't search for "rate limit" in a message: because the message may repeat the
//     user's text. Use [Classify], which looks at the provider's code first and at
//     free text only where there is no code.
//   - Don't wait until x-ratelimit-reset when there is a Retry-After: because the
//     reset is when the limit is full again, often much later. Use [Error.RetryAfter].
//   - Don't treat every context.DeadlineExceeded alike: because the timeout of one
//     attempt may be retried, and the deadline of the whole call may not.
//     Error.ContextErr is set only for the second.
//   - Don't log an error's Message: because it may repeat the prompt, and so personal
//     data. Log the Class and the ProviderCode.
//   - Don't take status 200 for a good answer: because a stream can be cut, contain an
//     error, or end by a filter. Check the stop reason, or use a client that does
//     ([github.com/prodailabs/prodai/retry/openai]).
//   - Don't trust a class with Guess set as much as another: because it was read from
//     a sentence, as no status was left. Put a [Transport] below the client.
//
// # Questions
//
// What does the error "429 Too Many Requests" mean? The error 429 Too Many Requests
// means that a limit of the provider refused the call. Mostly you sent too many
// requests or tokens in a minute, and waiting helps. If the code is
// insufficient_quota, the account has no money and waiting doesn't help.
//
// What does "insufficient_quota" mean, and how do I fix it? The code
// insufficient_quota means that the account's credit or monthly limit is used up. A
// retry can't fix insufficient_quota. Add credit or raise the limit on the provider's
// billing page. In this package it is [ClassQuota] with [RefusalStop].
//
// Why not retry a 400? A 400 reports that the request itself is wrong, and the same
// request is wrong again. A retry only costs time. Read the message, correct the
// parameter or the message list, and send the new request once.
//
// Which errors are retryable, and which errors should I retry? Retryable errors are
// the transient ones: 408, 409, 425, 429 with a limit that refills, 5xx, timeouts,
// broken connections, and empty or malformed answers. Don't retry 400, 401, 403, 404,
// 422, a content filter, or a spent quota. The field [Error.Retryable] has the answer
// for each error.
//
// What is the difference between 429 and 503? The difference between 429 and 503 is
// the reason: 429 means that your key sent more than its limit, and 503 means that the
// server has no room for any request now. After a 429 and after a 503, wait as long as
// Retry-After asks for, and retry. Only a 503 counts against the server's health.
//
// What is the difference between 500 and 503? Status 500 means that the server failed
// by its own fault, perhaps for this request only, and status 503 means that the
// server has no room or is being restarted. Both may be retried; after a 503 wait as
// long as Retry-After asks for.
//
// What is the difference between 400 and 422? Status 400 means that the server can't
// read or accept the request, and 422 means that it could read the request, but the
// values are not valid. FastAPI sends 422 with a list of the fields that Pydantic
// refused. Don't retry a 400 or a 422 without a change.
//
// What is the difference between 401 and 403? Status 401 means that the key is
// missing, wrong or expired, and status 403 means that the key is good and may not do
// this. Check the key for 401, and the rights of the account or project for 403.
//
// What should my own API return when the model fails? Your API should answer 429 if
// your limit refused the caller, and 503 with Retry-After if the provider is
// overloaded. It should answer 504 if the provider didn't answer in time, and 502 if
// the provider's answer was broken. Don't pass the provider's 401 on: it is your key
// that is wrong, so answer 502.
//
// How long should I wait after a 429, and why do I get it again? After a 429 wait as
// long as Retry-After says, and a little random time more, because all callers got the
// same number. Without the header use exponential backoff, for example 0.5, 1, 2
// seconds with jitter. If 429 comes again although you wait, several programs share
// the key, the tokens a minute are used up, or the quota is spent.
//
// What is the difference between rate_limit and overloaded? A rate_limit error is
// about your account, which sent more than its limit, and an overloaded error is about
// the server, which has no room. Both are retried after a wait, but only overloaded
// counts against the target's health.
//
// Should a circuit breaker count 429? A circuit breaker should not count a 429 as a
// failure: the target is well and asked for fewer calls. [Class.Unhealthy] is false
// for rate_limit, so the breaker of package retry ignores it.
//
// What does "context_length_exceeded" mean? The code context_length_exceeded means
// that the prompt, with the answer's maximum, has more tokens than the model can read.
// To fix context_length_exceeded, shorten the history, send fewer passages, or use a
// model with a larger window. It is [ClassContextLength]: not retried, but another
// model may answer.
//
// What does "connection reset by peer" or "EOF" mean? The errors "connection reset by
// peer" and "EOF" mean that the connection ended before the answer did, by the server
// or a proxy. No status came. The class is network, and a retry may help.
//
// What does "context deadline exceeded" mean in Go? The error "context deadline
// exceeded" means that the time which the context allowed is over. If it was the
// timeout of one attempt, another attempt may follow. If it was the deadline of the
// whole call, no time is left, and the caller must decide.
//
// What does the error x509 (certificate signed by unknown authority) mean? The error
// x509, certificate signed by unknown authority, means that the server's certificate
// isn't trusted by your machine, often because of a company proxy. The class is tls.
// It is a matter of configuration, so a retry doesn't help.
//
// How do I find out the error type in Go? In Go, declare var e *fault.Error and call
// errors.As(err, &e). If it returns true, e.Class, e.Status and e.ProviderCode are
// there. This works through any number of wrapped errors, unlike a comparison of
// texts.
//
// How do I handle errors of an LLM API? Handle errors of an LLM API by group: wait and
// retry after 429, 5xx and timeouts, and stop when the quota is spent. Shorten a
// prompt that is too long, and report every other 4xx as a bug. In Go, [FromError]
// gives the class, and package retry does the waiting.
//
// Can I retry a POST request? You can retry a POST request to a model, because an
// answer changes nothing at the provider; at worst you pay twice. Don't retry a POST
// that books, pays or sends without an idempotency key.
//
// How do I react to a timeout? React to a timeout by its kind: after the timeout of
// one attempt, try again; after the deadline of the whole call, give up and report it.
// If timeouts come often, the target is overloaded or your time limit is too short for
// long answers.
//
// Is a timeout always safe to retry? A timeout is safe to retry if doing the work
// twice is harmless, as for an answer of a model, which then may be billed twice. It
// isn't safe for a tool that books or pays. Send an idempotency key, or check first
// whether the work was done.
//
// Do I pay for failed requests? You don't pay for a failed request that was refused
// with a 4xx status. You may pay for a failed request that timed out, or whose stream
// broke, since the provider may have generated tokens. The method [Error.Billable]
// reports which of the two it is.
//
// Why does my client report success for half an answer? Some clients take the end of
// the connection for the end of the answer. A whole answer has a finish_reason. Put
// fault.HTTPClient into such a client, and package retry reports stream_interrupted
// with the text so far in Error.Partial.
//
// How do I use this package with langchaingo's clients? Give the client an HTTP client
// with a [Transport]: anthropic.New(anthropic.WithHTTPClient(fault.HTTPClient(nil))).
// Then wrap the client with retry.New. The [Transport] records status, headers and
// body, which langchaingo's clients drop.
//
// How does Python's openai library show the same errors? Python's openai library has
// exception classes: RateLimitError for 429, AuthenticationError for 401,
// BadRequestError for 400, APITimeoutError and APIConnectionError. It raises
// RateLimitError for a spent quota too, so look at its code.
//
// # Lab
//
// The lab serves a dozen failures from this machine and shows what a client alone says
// of each, and what this package makes of the same bytes. Look at the three rows of
// 429, and at the two rows in which the client alone reports SUCCESS.
//
//	go run ./examples/lab03-errors
//
// # Exercises
//
//  1. Write down what your favorite SDK does with a 429 whose code is
//     insufficient_quota. Then try it.
//  2. Find a provider's error that [Classify] gets wrong, and add it to the golden
//     file first.
//  3. Print Class, Retryable, Fallback and Unhealthy for each status from 400 to 599.
//     For which do you disagree?
//
// # Further reading
//
//   - RFC 9110, sections 15.5 and 15.6 (status codes) and 10.2.3 (Retry-After).
//   - IETF draft-ietf-httpapi-ratelimit-headers, "RateLimit header fields for HTTP".
//   - OpenAI, "Error codes"; Anthropic, "Errors"; Google, "API errors".
package fault
