// Package defaults assembles the policies of retry and retry/limit into a client that
// survives an overload. Its settings were chosen with the simulator of retry/overload.
//
// # The idea
//
// The policies of package retry have many settings, and the right ones depend on each
// other. This package (lecture 4) puts them together once. The picture shows the way
// of a call from left to right, and of an attempt from the gate on.
//
//	shed ─▶ gate: calls in progress, the provider's limits ─▶ breaker ─▶ attempt
//	          ▲                                                             │
//	          └────────────── backoff ◀── budget ◀──────────────────────────┘
//
// The table shows what each policy finds out by itself, and what was set.
//
//	policy             finds out by itself         setting
//	retry.Shedder      how long calls take         drops what would be late
//	retry.Adaptive     how many at once            from 30 on, doubled by first tokens
//	limit.Account      requests and tokens a s     headers, refusals
//	retry.Breaker                                  20 failures in a row: 5 s
//	retry.WindowBudget                             a tenth of the requests, 1 a s
//	retry.Exponential                              3 attempts, 500 ms to 8 s
//
// A call that finds no room waits in the [Gate] instead of failing. The order is by
// model, by priority (retry.WithPriority), and then by arrival. So a short peak costs
// no answer if it is over before the callers' deadlines.
//
// A call is refused when it can't end in time any more. One that has waited for half
// of its time and can't end in the other half is refused, so that the calls after it
// end in time. One that arrives at a queue which is too long for it is refused at
// once. The error's RetryAfter is the time after which the queue is short enough.
//
// # A minimal program
//
// The program wraps a client of langchaingo. The account is in the HTTP client too, so
// that it learns from the response headers.
//
//	account, err := limit.NewAccount(nil)
//	…
//	client, err := openai.New(openai.WithHTTPClient(account.HTTPClient(fault.HTTPClient(nil))))
//	…
//	model, err := defaults.NewModel(client, &defaults.Options{Account: account})
//
// [NewModel] wraps a model. [New] returns the policies as options of retry, for other
// calls or to change them.
//
// # Measured
//
// Streams begin fast. When 200 streams of 10 s begin at once, they have their first
// token within a second, from a provider that gives it after 300 ms. When 1,000 begin
// at once, they have it within two seconds:
//
//	go test -run TestStreamsAreNotStarved -v ./retry/defaults
//
// # Pitfalls
//
//   - Don't call without a deadline: because nothing is then ever too late, and the
//     gate's queue grows while more arrives than is answered. Use context.WithTimeout.
//   - Don't leave Options.InProgress at its default when answers come whole and are
//     long: because such calls show late that all is well, and the limit grows by only
//     one a second. Set Options.InProgress.
//   - Don't put another layer of retries around the [Model]: because attempts
//     multiply. Set the retries of SDKs to zero.
//
// # Questions
//
// What are good retry settings for an LLM? Good settings to start with are those of
// this package: three attempts, full jitter from 500 ms to 8 s, and a budget of a
// tenth of the requests. The breaker opens for 5 s after 20 failures in a row. Use
// [NewModel] to have all of them.
//
// What is the difference between retry.New and defaults.NewModel? The function
// retry.New bounds the retries and has no other limits. The function defaults.NewModel
// also limits the calls in progress, learns the provider's limits, sheds late calls
// and has a breaker, so it brings an overloaded service back.
//
// How long does a call wait in the gate? A call waits in the gate until there is room,
// or until it can't end in time any more: that is half of its time at most. Its
// deadline decides, so give each call one.
package defaults
