// Package overload simulates what retries do to a service that has less room than its
// clients need: a fleet of clients, one server, five scenarios, in virtual time. A run
// of three minutes takes some milliseconds, and a seed always gives the same result.
//
// # The problem
//
// A retry answers the question "was it bad luck?". In an overload it was not: the
// server has no room, and the retry takes some of what is left. The picture shows a
// spike of load that ends, and an outage that doesn't (lecture 4).
//
//	            spike
//	arrivals  ___/‾‾\______________________    the load is back to normal,
//	calls     ___/‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾    the calls are not: every one times
//	goodput   ‾‾‾‾\________________________    out, and is made six times over
//
// # The idea
//
// A metastable failure is a state that continues after its cause has ended, because
// the failure itself makes the load that keeps it alive. Two things cause it here. In
// [ScenarioQueueMetastable] the server works through a queue whose callers have gone,
// so all its work is for no caller. In [ScenarioQuotaCostly] each refused call counts
// against the quota, as at some providers, so a client that asks too often is never
// admitted again.
//
// The simulator compares strategies in such scenarios. Five results matter:
//
//   - The shape of the backoff hardly matters in an overload. Jitter spreads callers
//     that failed together; a lasting overload has another cause, and only less load
//     ends it.
//   - A retry budget bounds the calls, and so ends the failure of the costly quota.
//     But a budget doesn't always empty a queue that is already too long.
//   - A limit on calls in progress does empty such a queue, and [retry.Adaptive] finds
//     the limit by itself. What waits then waits at the client, where it can still be
//     dropped. For a quota the limit is less good: it notices only the refusals, and
//     on some seeds too late.
//   - A limit on the rate is good for a quota and blind to a queue. [limit.Account]
//     finds it, by the server's headers or by its refusals.
//   - To know the limit, and to refuse at once what can't be answered in time
//     ([retry.Shedder]), is best. For a server with a queue set it to 90 % of the
//     capacity: at 100 % a queue that has grown never shrinks.
//
// # Terms
//
//   - Goodput: Goodput is the answers a second that come in time. Calls that are
//     answered too late are wasted.
//   - Metastable failure: A metastable failure is an outage that goes on after its
//     cause has ended, kept alive by retries or by a long queue.
//   - Poisson process: A Poisson process is arrivals at random and independent of each
//     other, with a mean rate. It is the usual model of many independent users.
//   - Seed: A seed is the number that starts the random generator. The same seed gives
//     the same run.
//   - Virtual time: Virtual time is a clock that jumps from event to event, so that
//     minutes are simulated in milliseconds.
//
// # A minimal program
//
// The program runs each strategy in one scenario and prints how many requests were
// answered, how many calls were wasted, and the goodput long after the spike.
//
//	for _, s := range overload.Strategies() {
//		r, err := overload.Run(overload.ScenarioQueueMetastable, s, 1)
//		if err != nil {
//			return err
//		}
//		fmt.Println(s.Name, r.OK, r.Wasted, r.LateGoodput)
//	}
//
// The policies are the library's own objects, those of defaults.New among them, asked
// with the simulation's clock. Only the order in which a client asks them is written
// again here. A test of package defaults runs its model on goroutines against the same
// servers and gets the same answers.
//
// # Measured
//
// The client of package [defaults] has all of these policies. It comes within 3 % of a
// client that knows the limit, without knowing it. The command prints the table: go
// test -run DefaultsSurvive -v ./retry/overload
//
//	                        answers, of the known limit's    wasted calls, of the
//	                        mean and worst of 20 seeds       requests, at most
//	quota_free_rejections         98.7 %   97.5 %                  0.3 %
//	  without headers             98.5 %   97.3 %                  0.5 %
//	quota_costly_rejections       98.7 %   97.5 %                  0.3 %
//	  without headers             98.3 %   97.1 %                  0.5 %
//	queue_metastable              98.8 %   97.6 %                  6.5 %
//	queue_bounded                 98.8 %   98.0 %                  5.4 %
//
// The row named [ZeroOptions] is what retry.Options does without settings. It bounds
// the retries, and so does no harm, but it doesn't bring a queue back.
//
// A limit that learns by the ends of calls, one more a second, was made for short
// calls. In [ScenarioStreams] calls last 35 s in the mean. Then hardly more than
// thirty begin in the first half minute, at a server with room for 400. The command
// prints the table: go test -run TestStreams -v ./retry/overload (this is seed 1)
//
//	                              answered    first token, p50    p99
//	limit learns by ends          45 %        60 s                61 s
//	limit learns by first tokens  100 %       0.5 s               12 s
//	no limit                      100 %       0.5 s               12 s
//
// The first token is the sign of health: it comes early, and it comes late as soon as
// calls wait inside the server. So what finds no place waits at the client, where the
// most urgent goes first and what is too late is dropped.
//
// # Pitfalls
//
//   - Don't expect processes that know nothing of one another to find a queue's limit
//     at once: because each starts with a limit of its own ([Strategy].Processes). A
//     quota they divide well. At an unbounded queue, sixteen processes with thirty
//     calls each lose a quarter of all answers in the minute after the spike, and then
//     recover.
//   - Don't take the service times here for those of a real server: because they are
//     exponential and independent of the load, and real servers get slower.
//   - Don't choose a policy by its best seed: because that is luck. The settings here
//     were chosen on seeds 1 to 20 and looked at on others up to 420 (one was changed
//     for it: Initial, from 20 to 30); the table has seeds 1001 to 1020.
//
// # Questions
//
// Why do retries make an overload worse? Retries make an overload worse because each
// failed call becomes several calls, at a moment when the server has no room for one.
// In the scenario queue_metastable five retries answer 20.9 % of the requests, and no
// retries 52.3 %: go run ./examples/lab04-overload
//
// How do I end a metastable failure? A metastable failure ends when the load falls
// below what the server can do: turn retries off, drop requests whose callers have
// gone, and limit the calls in progress. The policies of package [defaults] do this by
// themselves.
//
// Is jitter enough against an overload? Jitter is not enough against an overload that
// lasts. It spreads callers that failed at the same moment, but each call is still
// made. Use a retry budget and a limit on calls in progress as well.
//
// # Lab
//
// The lab runs all strategies in the scenarios and prints a table for each. Look at
// the column "late goodput", compared with the offered load.
//
//	go run ./examples/lab04-overload
//
// # Exercises
//
//  1. Give [ScenarioQueueMetastable] a LIFO queue. Which strategies recover now?
//  2. Find the smallest retry budget that still fails in [ScenarioQueueMetastable].
//  3. Run the known limit at 100 % of the capacity on 100 seeds. How many tip over?
//
// # Further reading
//
//   - Bronson, Aghayev, Charapko and Zhu, "Metastable Failures in Distributed
//     Systems", HotOS 2021.
//   - "Handling Overload" and "Addressing Cascading Failures", chapters 21 and 22 of
//     "Site Reliability Engineering", O'Reilly 2016.
//   - Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
package overload
