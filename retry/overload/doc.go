// Package overload simulates what retries do to a service that has less room
// than its clients want: a fleet of clients, one server, four scenarios, in
// virtual time. A run of three minutes takes some milliseconds, and a seed
// always gives the same result.
//
// # The lecture
//
// A retry answers the question "was it bad luck?". In an overload it wasn't:
// the server has no room, and the retry takes some of what is left.
//
//	            spike
//	arrivals  ___/‾‾\______________________    the load is back to normal,
//	calls     ___/‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾    the calls are not: every one times
//	goodput   ‾‾‾‾\________________________    out, and is made six times over
//
// That is a metastable failure: a state that outlives its cause, because the
// failure itself makes the load that keeps it alive. Two things feed it here.
// In [QueueMetastable] the server works through a queue whose callers have
// gone: all its work is for nobody. In [QuotaCostly] each refused call counts
// against the quota, as those of some providers do: whoever asks too often is
// never let in again.
//
// Look at four things in the results.
//
//   - The shape of the backoff hardly matters. Jitter spreads callers who failed
//     together; a lasting overload isn't a matter of being together.
//   - A retry budget bounds the calls, and so ends the costly quota's failure. A
//     queue that is already too long it doesn't always empty.
//   - A limit on calls in progress does: what waits, waits at the client, where
//     it can still be dropped. [retry.Adaptive] finds the limit by itself.
//   - Best is to know the limit, stay below it, and refuse at once what can't
//     be answered in time ([retry.Shedder]). Set it to 90 % of a queueing
//     server's capacity: at 100 % a queue once grown never shrinks.
//
// # Use
//
//	for _, s := range overload.Strategies() {
//		r, err := overload.Run(overload.QueueMetastable, s, 1)
//		if err != nil {
//			return err
//		}
//		fmt.Println(s.Name, r.OK, r.Wasted, r.LateGoodput)
//	}
//
// The policies are the library's own objects, asked with the simulation's
// clock; the order in which a client asks them is written again here, and
// requests queue for room under an adaptive limit, where a retry.Policy refuses
// the attempt and tries it again after the backoff.
//
// # Pitfalls
//
// One client fleet shares one budget and one limiter: ten processes with a
// limit each of the whole capacity have ten times the capacity. A service time
// here is exponential and independent of the load; real servers get slower. A
// policy chosen by its best seed is a policy chosen by luck: the tests use
// seeds that nothing was tuned on.
//
// # Exercises
//
//  1. Give [QueueMetastable] a LIFO queue. Which strategies recover now?
//  2. Find the smallest retry budget that still fails in [QueueMetastable].
//  3. Run the known limit at 100 % of the capacity on 100 seeds. How many tip over?
//
// # Further reading
//
//   - Bronson, Aghayev, Charapko and Zhu, "Metastable Failures in Distributed
//     Systems", HotOS 2021.
//   - "Handling Overload" and "Addressing Cascading Failures", chapters 21 and 22
//     of "Site Reliability Engineering", O'Reilly 2016.
//   - Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
package overload
