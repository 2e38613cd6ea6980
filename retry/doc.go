// Package retry makes a client of a model that survives failures and overloads.
//
// # What you will be able to do
//
//   - Write retries with exponential backoff and jitter, and say what they can't do.
//   - Bound the retries of a whole service by a budget, a circuit breaker, timeouts
//     and limits on calls in progress.
//   - Decide what is done at once and what goes into a queue, with priorities, dead
//     letters and idempotent work.
//   - Explain async and await, and what Celery and Redis do in a pipeline of AI jobs.
//   - Recognize a metastable failure, and bring a service back from it.
//
// # The problem
//
// A team puts a loop around each call of its model: three attempts, with a pause of
// one second. For months it helps. Then one evening the provider slows down from 2
// seconds to 12, and every call times out after 10. Each call is now made three times,
// so the provider gets 300 calls a second instead of 100, and slows down more.
//
// The cause is gone after five minutes. The outage is not: it lasts until 2:00, when
// an engineer turns the retries off. The load of the retries alone had kept the
// provider down. Retrying is easy to add, and easy to turn into the cause of an
// outage.
//
// # The idea
//
// Good retries answer three questions, in this order: what failed, when to try again,
// and how many retries there are in total. A loop with a pause answers only the
// question of when.
//
// What failed decides whether a retry makes sense. Package
// [github.com/prodailabs/prodai/retry/fault] finds out: every error of a [Model] is a
// [fault.Error], which says whether the same target may be tried again, and whether
// another one may.
//
// When to try again: after a wait that doubles each time and is drawn at random
// ([Exponential] with [JitterFull]). If the server said how long to wait, not before
// that. If that is after the caller's own deadline, not at all: the call fails now,
// with the wait in its error.
//
// How often in total: backoff spreads load in time, but it doesn't remove any. In an
// overload that lasts longer than the longest wait, only sending less helps. [Budget]
// allows retries as a share of the requests. [Breaker] stops calls to a target that
// keeps failing. [Timeouts] end an answer that is dead. [Bulkhead], [Adaptive] and
// [Shedder] limit how many calls are in progress.
//
// # Terms
//
//   - Retry (also: try again, repeat, retrying): A retry is another attempt of a call
//     that failed. It helps if the failure was bad luck, and does harm if the target
//     has no room.
//   - Attempt: An attempt is one request to the target. A call has one attempt, and
//     more if it is retried or hedged.
//   - Exponential backoff (also: backoff, back-off, exponential delay): Exponential
//     backoff is a wait before each retry that grows by a factor, mostly 2: 0.5 s, 1
//     s, 2 s, 4 s, up to a longest wait, the cap.
//   - Jitter (also: random delay, randomization): Jitter is a random part of the wait,
//     so that callers that failed together don't come back together.
//   - Full jitter (also: JitterFull): Full jitter draws the whole wait at random
//     between 0 and the backoff's value. It spreads retries best, and is the default
//     here.
//   - Thundering herd (also: synchronized retries, retry wave): A thundering herd is
//     many callers that come back at the same instant, for example all one second
//     after an outage. Jitter prevents it.
//   - Retry storm (also: retry amplification): A retry storm is an overload that
//     retries make larger: each failed call becomes several, which makes more calls
//     fail.
//   - Retry budget (also: budget, retry throttling): A retry budget allows retries
//     only as a share of the requests, for example 10 %. So retries can never multiply
//     the load. [WindowBudget] and [TokenBudget] are two.
//   - Hedging (also: hedged request, backup request, speculative request): Hedging
//     starts a second attempt when the first is slow, takes the answer that comes
//     first, and cancels the other. It cuts the slowest answers, and both attempts may
//     be paid. See [Hedger].
//   - Timeout: A timeout is the longest time to wait for one thing: for a connection,
//     a first token, an attempt. When it is over, the attempt ends and another may
//     follow.
//   - Deadline (also: context deadline, time limit of the call): A deadline is the
//     instant after which the caller has no use for the answer. It covers the whole
//     call with all its retries, and is passed on to every layer below.
//   - Circuit breaker (also: breaker): A circuit breaker stops calls to a target that
//     keeps failing, and lets a test call through after a pause. Callers then fail at
//     once instead of waiting. See [Breaker].
//   - Half-open (also: probe, half open): Half-open is the state of a circuit breaker
//     in which a few test calls, the probes, may pass. If they succeed it closes, and
//     if one fails it opens again.
//   - Bulkhead (also: concurrency limit, semaphore, max in flight): A bulkhead is a
//     fixed limit on the calls in progress to one target, so that one slow target
//     can't take all memory and connections of a process. See [Bulkhead].
//   - Adaptive concurrency (also: adaptive limit, AIMD, concurrency limit that
//     learns): Adaptive concurrency finds out how many calls at once a target can
//     take. The limit grows by one while all goes well, and is cut to 0.7 of itself
//     when calls fail. See [Adaptive].
//   - Load shedding (also: shedding, load shedder): Load shedding refuses some calls
//     at once so that the others are answered in time. [Shedder] refuses those whose
//     deadline can't be met.
//   - Backpressure: Backpressure is a signal to the senders that the receiver is full,
//     so that they send less. Status 429 and a full queue that refuses are two forms
//     of it.
//   - Goodput: Goodput is the number of answers a second that still have a use.
//     Answers that come after the caller has gone are not part of it.
//   - Metastable failure: A metastable failure is an outage that continues after its
//     cause has ended, because the retries or a long queue keep the load up.
//   - Little's law: Little's law says: calls in progress = calls a second × seconds a
//     call takes. So 20 calls a second of 3 seconds each are 60 calls in progress.
//   - Idempotency (also: idempotent, idempotency key): Idempotency means that doing
//     the same work twice has the same effect as doing it once. Only idempotent work
//     may be retried without a check. An idempotency key lets a server recognize the
//     second time.
//   - Fallback (also: fallback model, failover): A fallback is another model that is
//     asked when the first has failed. See [Options].Fallbacks.
//   - Queue (also: task queue, job queue, message queue): A queue keeps work until a
//     worker is free. The user gets an id at once and the result later. It suits work
//     that takes longer than a person waits for a page.
//   - Job (also: task, message): A job is one piece of work in a queue, with its
//     arguments as data. In Celery it is called a task.
//   - Worker (also: consumer): A worker is a process that takes jobs from a queue,
//     does them, and reports the results. More workers finish more jobs at once.
//   - Broker (also: message broker, Redis, RabbitMQ): A broker is the server that
//     stores the queues between the programs that send jobs and the workers. Redis and
//     RabbitMQ are common ones.
//   - Result backend: A result backend is the store in which workers put results and
//     states, and where the sender looks them up by the job's id. With Celery it is
//     often Redis or a database.
//   - Celery: Celery is Python's best-known task queue. A function with the decorator
//     @app.task becomes a job; delay() sends it to the broker, and a worker runs it.
//   - Redis: Redis is a fast database in memory. It serves as a broker, as a result
//     backend, as a cache and for shared rate limits.
//   - Acknowledgment (also: ack, acks_late, visibility timeout): An acknowledgment is
//     a worker's report that a job is done, and lets the broker delete it. If none
//     comes in the visibility timeout, the broker gives the job to another worker.
//   - At-least-once delivery (also: at least once, exactly once, duplicate jobs):
//     At-least-once delivery means that each job is delivered, and perhaps twice, for
//     example when a worker dies before its acknowledgment. So jobs must be
//     idempotent.
//   - Dead letter queue (also: DLQ, dead letter, poison message): A dead letter queue
//     receives the jobs that failed for good or too often, so that they don't block
//     the others and a person can look at them.
//   - Priority (also: priorities, urgent): A priority orders work when there isn't
//     room for all: a person who waits comes before a nightly batch. See
//     [WithPriority].
//   - Asynchronous pipeline (also: async pipeline, task pipeline): An asynchronous
//     pipeline is a row of steps with a queue before each, such as upload, split,
//     embed, store. Each step has workers of its own and can be scaled and retried
//     alone.
//   - Chain, group and chord (also: Celery chain, Celery group, workflow): Chain,
//     group and chord are Celery's ways to combine tasks: a chain runs them one after
//     another, a group at the same time, and a chord runs a last task when the group
//     is done.
//   - Scheduled job (also: cron, Celery beat, periodic task): A scheduled job runs at
//     fixed times, for example every night. Celery beat puts such jobs into the queue.
//   - Polling and webhook (also: polling, webhook, callback URL): Polling means that
//     the client asks again and again whether a job is done. A webhook is a request by
//     which the server reports the end to an address of the client.
//   - Async and await (also: async, await, asyncio, coroutine): In Python, an async
//     function is a coroutine that gives its thread free at each await. One thread can
//     so wait for hundreds of answers at once.
//   - Event loop: An event loop is the part of an async program that runs the
//     coroutines in turn, whenever what they wait for is ready. One blocking call
//     stops all of them.
//   - Goroutine (also: go statement, thread): A goroutine is a function that Go runs
//     concurrently. It costs some kilobytes, so a program can have many thousands, and
//     plain blocking code is enough.
//   - Concurrency and parallelism: Concurrency means that several tasks are in
//     progress at once, perhaps only waiting. Parallelism means that several are
//     computed at the same instant, on several cores.
//
// # The lecture's packages
//
// Lecture 4 (asynchronous workloads) has five packages. This one has the policies.
// [github.com/prodailabs/prodai/retry/admission] is their common vocabulary.
// [github.com/prodailabs/prodai/retry/defaults] assembles them with good settings.
// [github.com/prodailabs/prodai/retry/overload] simulates outages and compares
// strategies. [github.com/prodailabs/prodai/retry/queue] runs jobs in the background.
//
// Package queue keeps jobs in a folder, in Redis, or in Celery's own queues, and its
// notes explain how. The notes below explain queues with Celery and Redis. For a short
// wait inside one process, a [Bulkhead] with a Queue or the gate of
// package defaults makes calls wait.
//
// # The path of a call
//
// The picture shows what a [Policy] does with one call.
//
//	        ┌─────────────────── Policy ────────────────────┐
//	call ──▶│ gates ─▶ attempt, hedge ─▶ Classify ─▶ retry? │──▶ answer or *fault.Error
//	        │   ▲                                      │    │
//	        │   └─ sleep ◀─ Budget, deadline, Backoff ─┘    │
//	        └───────────────────────────────────────────────┘
//	gates: Shedder ─▶ Limiter ─▶ Gates ─▶ Bulkhead ─▶ Adaptive ─▶ Breaker; an
//	open Breaker refuses before an attempt waits at one of the others
//
// All gates have one vocabulary, that of package admission: Acquire and TryAcquire
// give a permit, Done and Cancel end it. A [Policy] passes the gates in order and
// leaves them in the reverse order.
//
// # The formula of the wait
//
// The formula of the wait before a retry is t = min(Cap, Base × Multiplier^n), where n
// counts the retries from 0, with a jitter. The table shows the wait for three
// jitters:
//
//	JitterFull    random between 0 and t        the default
//	JitterEqual   t/2 + random between 0 and t/2
//	JitterNone    t                             all callers come back together
//
// With the defaults (Base 500 ms, Cap 8 s, Multiplier 2) t is 0.5, 1, 2, 4, 8, 8, …
// seconds. Three attempts have two waits, so full jitter adds at most 1.5 s to a call,
// and 0.75 s in the mean.
//
// A wait that the server asked for comes first: the retry starts after Retry-After and
// a small random time more. The random part is needed there too, because all callers
// got the same number. A wait above [Options].MaxDelay (60 s) ends the call at once.
//
// # The states of a circuit breaker
//
// A [Breaker] is in one of three states. The picture shows the changes with the
// default settings.
//
//	          5 failures in a row               after 30 s
//	closed ───────────────────────▶ open ───────────────────▶ half-open
//	  ▲                              ▲                        │      │
//	  │                              └──── the probe fails ───┘      │
//	  └────────────────────── the probe succeeds ────────────────────┘
//
// Closed means that calls pass and failures are counted. Open means that calls are
// refused at once, with an error that wraps [ErrOpen]. Half-open means that one call,
// the probe, may pass to see how the target is.
//
// Only errors that are Unhealthy count in a [Breaker]: 5xx, timeouts, broken
// connections. A bad request, a full quota or a canceled call shows nothing of the
// target.
//
// # How many at once
//
// A target that can serve forty calls at once serves forty-one a little slower. It
// serves four hundred not at all: they wait, their callers give up, and the target
// works on answers that no caller waits for. Three gates ask a question before each
// attempt:
//
//	Bulkhead   how many may this process have in progress?      a number that you know
//	Adaptive   how many can the target take?                    a number that has to be found
//	Shedder    will this one be answered before its deadline?   if not, why send it
//
// [Adaptive] learns its number as TCP learns the width of a network path: one more
// while all goes well, a cut when it doesn't. Clients with the largest share give up
// the most at a cut. So all clients of a target come to equal shares without
// exchanging a message.
//
// [Shedder] compares the time that is left with how long calls wait and take, and
// refuses those that would come too late. With [WithPriority], a batch job is refused
// while there is still room for a person.
//
// # A slow answer
//
// A slow answer can be treated as a failure that is not reported yet. [Hedger] starts
// a second attempt when the first has taken longer than 95 of 100 do, takes the answer
// that comes first, and cancels the other.
//
//	first   ├──────────────────────┤ canceled
//	                 p95 ▲
//	hedge                ├────┤ answer
//
// By its definition hedging costs five calls in a hundred. But if the whole target
// turns slow, every call is later than the old p95, and hedging would double the load
// at the worst moment. So hedges have a budget, and are off by default, since a model
// is paid for both.
//
// # Streams
//
// A stream may be tried again, or hedged, only until the caller has received
// something. After that a failure is returned with what was received in
// [fault.Error.Partial], because a second attempt would begin another sentence.
//
// A [Resume] asks the model to continue an answer that was cut. The model is asked to
// repeat its last words first. If it does, the place of the cut is proven and the
// repetition is removed; if not, the call fails as without a [Resume].
//
// # Queues, workers and Celery
//
// Work that takes longer than a person waits belongs into a queue. The endpoint stores
// a job and answers with status 202 and the job's id; a worker does the job later. The
// picture shows the parts with Celery's names.
//
//	client ─▶ API ── delay() ──▶ broker (Redis): high │ normal │ low ─▶ worker ─▶ model
//	  ▲        │                                                          │  │
//	  │        ◀── state, by id ── result backend (Redis) ◀── result ─────┘  │
//	  └─ asks again, or gets a webhook       dead letters ◀── failed too often
//
// A worker must expect each job twice. A broker delivers at least once: if a worker
// dies after the work and before the acknowledgment, another worker gets the job. So
// store the result under the job's id, and look there first.
//
// The settings of Celery that matter for AI jobs are few, and the table lists them.
//
//	autoretry_for, max_retries=5      which exceptions are retried, and how often
//	retry_backoff=True                waits of 1, 2, 4, 8 s …
//	retry_jitter=True                 full jitter on them (the default with retry_backoff)
//	acks_late=True                    acknowledge after the work, not before
//	worker_prefetch_multiplier=1      a worker takes one long job at a time
//	task_time_limit                   ends a job that hangs
//	visibility_timeout (Redis, 1 h)   must be longer than the longest job
//
// Priorities with Redis are separate queues: workers are started with -Q
// high,normal,low, and some workers take only the high queue. A dead letter queue is
// built in RabbitMQ; with Redis, the task itself must send a job that failed for good
// to another queue.
//
// # A minimal program
//
// The program makes a client with a circuit breaker and timeouts for streams. The
// error that comes back says whether a person must act.
//
//	client, err := openai.New("gpt-4o-mini", &openai.Options{APIKey: key})
//	…
//	breaker, err := retry.NewBreaker(nil)
//	…
//	model, err := retry.New(client, &retry.Options{
//		MaxAttempts: 3,
//		Breaker:     breaker,
//		Timeouts:    retry.Timeouts{FirstToken: 10 * time.Second, BetweenTokens: 10 * time.Second},
//	})
//	…
//	ctx, cancel := context.WithTimeout(ctx, time.Minute) // for all attempts together
//	defer cancel()
//	answer, err := model.GenerateContent(ctx, messages)
//	var e *fault.Error
//	if errors.As(err, &e) && e.Class.Refusal() == fault.RefusalStop {
//		// the quota is spent: page the owner of the account
//	}
//
// Any other call, an embedding for example, runs under the same rules with [Do].
//
// # Measured
//
// The table shows four strategies in one outage (queue_metastable: a queue without a
// bound, and a spike of ten seconds). Its second row retries up to five times with
// full jitter. The command prints all strategies: go run ./examples/lab04-overload
//
//	                      answered   calls    answers a second long after the spike (28 are asked)
//	no_retry              52.3 %      5,151   29.0
//	full_jitter_x5        20.9 %     24,627    0.0
//	retry.Options{}       27.7 %      5,690   11.8
//	defaults              98.5 %      5,288   29.6
//
// Hedging cuts the 99th percentile from 100.7 s to 2.1 s for 1.05 attempts a call.
// There, one answer in fifty takes a hundred seconds more. The command prints it: go
// test -run TestHedgingCutsTheTail -v ./retry
//
// # Differences from cenkalti/backoff v4
//
// Policies of cenkalti/backoff can be used here ([Options].NewBackOff), and ours there
// ([Exponential.BackOff]). Its Retry differs in four points. It sleeps until the
// deadline if the next wait passes it, where ours returns at once. It then returns the
// context's error and loses the operation's, where ours unwraps to both.
//
// The third difference is that its MaxElapsedTime is looked at only between calls,
// where Timeouts.Total ends a call in progress. The fourth is that it runs the
// operation once even if the context is done, and a [Policy] doesn't.
//
// # Pitfalls
//
//   - Don't retry in more than one layer: because three layers of three attempts are
//     27 requests. A [Model] below a [Model] notices and makes one attempt. An SDK
//     below doesn't, so set its own retries to zero.
//   - Don't retry without a budget: because three attempts each triple the load
//     exactly when the target has no room. Keep the default [Budget], a tenth of the
//     requests.
//   - Don't retry without jitter: because callers that failed together come back
//     together. Keep [JitterFull].
//   - Don't count a caller's bad request in a circuit breaker: because it opens for
//     all callers. Ours counts Unhealthy errors only.
//   - Don't treat an attempt's timeout and the call's deadline alike: because only the
//     first may be retried. Both look like context.DeadlineExceeded; Error.ContextErr
//     is set for the second.
//   - Don't hedge or retry work with an effect on the world: because a flight may be
//     booked twice. Use an idempotency key, or ask first whether it was done.
//   - Don't let short and long answers share one [Hedger]: because the p95 of both is
//     the length of the long ones. Give each kind its own.
//   - Don't let a queue grow without a bound: because its jobs are too old when their
//     turn comes. Bound it, refuse with 503 or 429, and drop what is late.
//   - Don't retry a job that fails for a permanent reason: because it blocks the queue
//     forever. Send it to a dead letter queue after a few attempts.
//   - Don't call without a deadline: because nothing is then ever too late, and dead
//     calls add up. Use context.WithTimeout for each call.
//   - Don't rely on a share alone for a client that asks twice an hour: because a
//     tenth of two requests allows no retry. WindowBudgetOptions.PerSecond is for that
//     client.
//
// # Questions
//
// What is exponential backoff? Exponential backoff means to wait longer before each
// retry: 0.5 s, then 1 s, then 2 s, then 4 s, up to a cap. It gives a target time to
// recover. Combine it with jitter. In this package it is [Exponential], with Base 500
// ms and Cap 8 s.
//
// Why is jitter needed? Jitter is needed because callers that failed at the same
// moment would come back at the same moment. Without it they wait one second together,
// then two, then four, and fail together again. A random wait spreads them over the
// whole time.
//
// Which jitter should I use? Use full jitter, [JitterFull]: it spreads the calls best
// for the same mean wait. Equal jitter never waits less than half and spreads less.
// Use another kind only to match another library, for example [JitterProportional] for
// cenkalti/backoff.
//
// How many times should I retry, or how many retries should I make? You should retry a
// failed call two times, and not more often: two retries make three attempts, the
// default of [Options].MaxAttempts. If two retries fail, the problem is not bad luck,
// and more retries only add load. Background jobs may retry five times, with waits of
// minutes.
//
// Why not retry a 400? A 400 reports that the request itself is wrong, and it will be
// wrong again. Retries of a 400 cost time and hide the bug. A [fault.Error] has
// Retryable set to false for a 400, so a [Model] returns the error at once.
//
// How do I handle "429 Too Many Requests"? For status 429 wait as long as Retry-After
// asks for, plus a random time, and then send the request again. A [Model] does this
// by itself. If the code is insufficient_quota, don't retry: the money is spent. To
// get fewer refusals, use limit.Account of [github.com/prodailabs/prodai/retry/limit].
//
// What is the difference between a timeout and a deadline? A timeout is a length of
// time for one step, such as 10 seconds to the first token, and a deadline is an
// instant for the whole call, such as 12:00:30. After a timeout another attempt may
// follow; after the deadline nothing may.
//
// How long should I wait between retries? The wait between retries should grow: up to
// 0.5 s before the first retry, 1 s before the second and 2 s before the third, each
// drawn at random. If the server sends Retry-After, wait that long at least.
// [Exponential] computes these waits.
//
// What should I do when the provider is down? When the provider is down, answer from a
// cache or from a second provider ([Options].Fallbacks). Put work that can wait into a
// queue, and answer the rest with status 503 and Retry-After. A circuit breaker keeps
// your callers from waiting for the provider. Don't let every caller retry.
//
// Which timeouts should I set? Set a deadline for the whole call with
// context.WithTimeout. For streams also set Timeouts.FirstToken and
// Timeouts.BetweenTokens, for example 10 seconds each. A total alone either ends good
// long answers or lets dead ones hang. The package defaults uses two minutes and one
// minute.
//
// What is a circuit breaker, explained simply, and when do I need one? A circuit
// breaker stops calls to a target that keeps failing, and tests it again after a
// pause. You need one when many callers share a target and waiting for it would block
// them. The default opens after 5 failures in a row, for 30 seconds.
//
// What is the difference between a circuit breaker and a retry budget? A circuit
// breaker stops all calls to a target, first attempts too, and a retry budget limits
// only the retries. Use the budget always, and the breaker when failing at once is
// better for your callers than waiting.
//
// What is the difference between a bulkhead and a rate limit? A bulkhead limits how
// many calls are in progress at once; a rate limit limits how many begin in a time.
// Slow calls fill a bulkhead even at a low rate. A model's provider mostly has rate
// limits, and your own GPU has a concurrency limit.
//
// What is the difference between Adaptive and Bulkhead? A [Bulkhead] has a fixed
// number of calls in progress that you choose, and an [Adaptive] limit finds the
// number by itself and changes it. Use a [Bulkhead] if you know the number, for
// example for your own GPU, and an [Adaptive] limit for a provider.
//
// How many calls or requests can I send at once? The number of requests that you can
// send at once depends on the target. By Little's law, calls in progress = calls a
// second × seconds a call takes: 20 a second of 3 seconds each need 60. If you don't
// know the target's limit, use [Adaptive], which finds it; it starts at 20.
//
// How do I keep the service up when traffic spikes? To keep a service up in a traffic
// spike, limit the calls in progress, let short waits queue, and refuse at once what
// can't be answered in time. The package [github.com/prodailabs/prodai/retry/defaults]
// does this for calls of a model.
//
// Does a retry count against the provider's rate limit? A retry counts against the
// provider's rate limit like any other request, and at some providers a refused
// request counts too. So wait before a retry, and give limit.Account to
// [Options].Gates.
//
// What is the difference between rate limiting and load shedding? Rate limiting
// refuses calls above a fixed number in a time, for each user, and load shedding
// refuses calls when the system is too full to answer them in time.
//
// How do I make retries safe? Retries are safe if they are few, spread and idempotent:
// two at most, with full jitter, within a budget, and in one layer only. Work with
// effects on the world also needs an idempotency key.
//
// What is load shedding, and why refuse a user? Load shedding refuses at once what
// can't be answered in time. Without it all callers wait, and most answers come after
// their callers have gone. To answer 80 of 100 in time is better than to answer 100
// too late.
//
// Why did the outage go on after the provider was well again? An outage that goes on
// after its cause is a metastable failure: retries and long queues keep the load above
// what the target can do. Lower the load: turn retries off, drop old requests, limit
// the calls in progress. The lab shows it.
//
// Should I hedge requests to an LLM? Hedge requests to an LLM only when a few answers
// are much slower than the rest and latency matters more than money. Hedging costs
// about 5 % more calls. Don't hedge when the whole target is slow, or when the work
// has effects on the world. [Options].Hedger turns hedging on.
//
// Should I retry a stream that broke? A stream may be retried if the user has seen
// nothing of it yet. After the first chunk, show the error, or set [Options].Resume to
// have the answer continued. A [Model] follows this rule by itself.
//
// Is it safe to retry a call of an LLM? A call of an LLM is safe to retry, since an
// answer has no effect on the world; the cost is that both may be billed. The tools
// that the answer asks for are another matter: run each tool call once, under an
// idempotency key.
//
// What is idempotency, with an example? Idempotency means that doing something twice
// has the same effect as once. "Set the status to paid" is idempotent; "add 10
// dollars" is not. With a key for each payment, the server can recognize the second
// request and return the first result.
//
// What is async/await and why use it for LLM calls? Async code gives its thread free
// while it waits for an answer. An LLM call waits for seconds and computes nothing, so
// one Python thread can have hundreds in progress with asyncio.gather. It does not
// make a single call faster.
//
// What is the Go side of async/await? Go has no async and await. Each call runs on a
// goroutine and blocks only that; channels and errgroup collect results. Limit the
// number of goroutines that call a model with a [Bulkhead] or a semaphore.
//
// Why not just use async instead of Celery? Async is enough instead of Celery while
// the user waits for the answer and a lost request may be asked again. Use a queue
// such as Celery when work takes minutes, must survive a restart, must be retried for
// hours, or must not overload the model.
//
// What are Celery and Redis, and what are they used for? Celery is good for work that
// takes longer than a person waits: it runs Python functions in the background on
// worker processes. Redis is the broker that stores the waiting jobs, and often the
// result backend that stores the results. The API answers at once with a job's id, and
// the client asks for the state later.
//
// Does this library have a queue? This library has the package
// [github.com/prodailabs/prodai/retry/queue] for durable jobs: with an embedded journal,
// with Redis, or with Celery's workers and producers. For calls that only wait inside
// one process it has [Bulkhead] with a Queue, [Adaptive] and the gate of package
// defaults, which makes calls wait by priority.
//
// How do I build an async pipeline? An async pipeline is built from small steps with a
// queue before each: for documents for example upload, split, embed, store. Each step
// takes a job, does its work once, stores the result under the job's id, and puts a
// job into the next queue. In Celery, chain and chord connect the steps. Limit the
// workers of the step that calls the model to what its rate limit allows.
//
// How does the client get the result of a background job? The client gets the result
// of a background job by polling or by a webhook. The API returns status 202 with the
// job's id. Then the client asks for the state at an address such as /jobs/ID, or the
// server calls the client's webhook. Progress can be streamed with server-sent events.
//
// How many workers do I need? The number of workers follows from Little's law: workers
// = jobs a second × seconds a job takes, if each worker does one job at a time. For
// example, 2 jobs a second of 10 seconds each need 20 workers. Don't start more than
// the model's rate limit can serve.
//
// Redis or RabbitMQ, which one should I use? Use Redis rather than RabbitMQ if it is
// there already: it is simple and enough for most AI jobs. Use RabbitMQ rather than
// Redis if you need real priorities, dead letter exchanges and stronger delivery
// guarantees. Redis and RabbitMQ both deliver at least once, so jobs must be
// idempotent in any case.
//
// What is a dead letter queue for? A dead letter queue keeps the jobs that failed too
// often or for good. They no longer block the others, nothing is lost, and a person
// can see the reason, repair it and send them again. Alert when it is not empty.
//
// How do priorities work in a queue (Celery, Redis)? Priorities mean that urgent jobs
// are taken before others: a person's question before the nightly batch. With Celery
// and Redis use one queue for each priority. Inside a process, [WithPriority] with
// [PriorityHigh] or [PriorityLow] orders calls at the gate and the [Shedder].
//
// Why was my Celery task executed twice? A Celery task runs twice (two times) when its
// worker dies before the acknowledgment, or when it takes longer than Redis'
// visibility timeout, one hour by default. Raise the timeout above your longest task,
// and make the task idempotent: check by its id whether the result exists.
//
// What is the difference between a broker and a result backend? A broker stores jobs
// that wait, and a result backend stores results of jobs that are done. Redis can be
// both broker and result backend. The result backend can be left out if no program
// reads the results.
//
// What does "circuit breaker is open" mean? The error "circuit breaker is open"
// ([ErrOpen]) means that the target failed so often that calls are refused without
// being sent. Its RetryAfter says when to ask again. Look at the errors before it to
// find the cause.
//
// What does "no room for another call" mean? The error "no room for another call"
// ([ErrBusy]) means that a [Bulkhead] or an [Adaptive] limit is full. Wait and try
// again, give the [Bulkhead] a Queue, or raise the number if the target can take more.
//
// What does "the deadline can't be met" mean? The error "the deadline can't be met"
// ([ErrShed]) means that a [Shedder] expects the answer after your deadline, so it
// refused the call at once. Give the call more time, or a higher priority, or send
// fewer calls.
//
// How do I use another model when the first one fails? Put other models into
// [Options].Fallbacks. They are asked in turn, once each, when the error's Fallback is
// true and the caller has received nothing. A bad request is not sent to them, because
// it is wrong everywhere.
//
// Which settings should I start with? Start with defaults.NewModel of
// [github.com/prodailabs/prodai/retry/defaults]: it has retries, a budget, a breaker,
// limits and shedding, with settings that were tested in the simulator. Use [New] with
// your own [Options] to change single parts.
//
// # Lab
//
// The lab simulates overloads: seventeen strategies in four scenarios, and streams in
// a fifth. Look at the column "late goodput": the service came back where it reaches
// the offered load. Look also at the last two rows of each table, the policies of
// package defaults.
//
//	go run ./examples/lab04-overload
//	go run ./examples/lab04-overload -html overload.html
//
// The program compose shows one retry in a log. Look at the event retry.attempt with
// its class, status and delay.
//
//	go run ./examples/compose
//
// # Exercises
//
//  1. Remove the jitter from [Exponential] and let a thousand callers fail at the same
//     instant. When does the load of their retries even out?
//  2. Give [TokenBudget] a ratio of 1. What does it guarantee now?
//  3. Take the overtaken attempts out of the latencies that [Hedger] learns from.
//     Where does its delay go, and why?
//  4. Let two [Adaptive] limits, one at 5 and one at 50, share a target for sixty
//     calls. Plot both.
//  5. Hedge a target whose every answer takes twice as long from one moment on, with
//     and without the budget. What does the target see?
//  6. Cut an answer at a place of your choice and resume it from a model that doesn't
//     know prefill, by each [Continuation].
//  7. Write a Celery task that asks a model, with retries for 429 and 503 only. Kill
//     the worker in the middle of a task. What happens, with and without acks_late?
//
// # Further reading
//
//   - Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
//   - gRPC proposal A6, "gRPC Retry Design": throttling, hedging.
//   - Beyer et al., "Site Reliability Engineering", 2016, chapters 21 and 22.
//   - Bronson et al., "Metastable Failures in Distributed Systems", HotOS 2021.
//   - Chiu and Jain, "Analysis of the Increase and Decrease Algorithms for Congestion
//     Avoidance in Computer Networks", 1989.
//   - Dean and Barroso, "The Tail at Scale", CACM 56(2), 2013.
//   - Nygard, "Release It!", 2nd edition, 2018, circuit breaker and bulkheads.
//   - Celery documentation: "Tasks" (retrying, acks_late), "Using Redis" (visibility
//     timeout).
//   - This package's example "Circuit breaker" (example_reference_test.go): the state
//     machine as it is defined, with its traps.
package retry
