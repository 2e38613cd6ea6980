// Package defaults assembles the policies of retry and retry/limit into a client
// that survives an overload, with settings that were chosen against the
// simulator of retry/overload:
//
//	account, err := limit.NewAccount(nil)
//	…
//	client, err := openai.New(openai.WithHTTPClient(account.HTTPClient(fault.HTTPClient(nil))))
//	…
//	model, err := defaults.NewModel(client, &defaults.Options{Account: account})
//
// A call goes through them from left to right, an attempt from the gate on:
//
//	shed ─▶ gate: calls in progress, the provider's limits ─▶ breaker ─▶ attempt
//	          ▲                                                             │
//	          └────────────── backoff ◀── budget ◀──────────────────────────┘
//
//	policy             finds out by itself         setting
//	retry.Shedder      how long calls take         drops what would be late
//	retry.Adaptive     how many at once            from 30 on, doubled by first tokens
//	limit.Account      requests and tokens a s     headers, refusals
//	retry.Breaker                                  20 failures in a row: 5 s
//	retry.WindowBudget                             a tenth of the requests, 1 a s
//	retry.Exponential                              3 attempts, 500 ms to 8 s
//
// What finds no room waits in the [Gate], model by model, by priority
// (retry.WithPriority) and then in the order of arrival, instead of failing: a
// spike that is over before the callers' deadlines costs no answer. What has
// waited for half of its time and can't end in the other half is refused, so that
// the calls after it end in time.
//
// A call before which so many wait that it can't end in time is refused at once, and
// those that wait are looked at again and again. Such an error has the time after
// which the queue is short enough (RetryAfter).
//
// Streams begin fast: 200 of 10 s at once have their first token within a second from
// an upstream that gives it after 300 ms, and 1,000 within two:
//
//	go test -run TestStreamsAreNotStarved -v ./retry/defaults
//
// Calls that come whole can't tell so soon that all is well: the limit grows by one a
// second. Where many of them are long, set Options.InProgress.
//
// Give calls a deadline. Without one nothing is ever too late, and while more
// arrives than is answered the gate's queue grows.
//
// [NewModel] wraps a model. [New] returns the policies as options of retry, for
// other calls or to change them.
package defaults
