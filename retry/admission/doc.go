// Package admission is the vocabulary of admission control: it decides whether a call
// may start.
//
// # The idea
//
// Admission control (lecture 4) asks before each call whether it may start: is there
// room, is the target well, will the answer come in time? A target that can serve
// forty calls at once serves forty-one a little slower, and four hundred not at all.
// So it is better to refuse or delay a call than to send it.
//
// Each question has its own algorithm, and all of them have the same life, which the
// picture shows.
//
//	Acquire(ctx)    ─┐                        ┌─▶ Done(now, outcome)   the call was made
//	                 ├─▶ Permit ─▶ (the call) ┤
//	TryAcquire(now) ─┘                        └─▶ Cancel(now)          it was not
//
// Acquire waits until the call may start, and TryAcquire doesn't wait. Either returns
// a [Permit], or an error that gives the reason. Every permit must be ended once: by
// Done, with what the call showed of its target, or by Cancel, if the call wasn't
// made. A gate whose permits aren't ended admits fewer and fewer calls.
//
// # Terms
//
//   - Admission control: Admission control decides for each call whether it may start
//     now, must wait, or is refused.
//   - Gate: A gate is an object that admits or refuses calls by one rule, such as a
//     circuit breaker or a limit on calls in progress. See [Gate] and [TryGate].
//   - Permit: A permit is a gate's leave to make one call. It is ended by Done or by
//     Cancel.
//   - Outcome: An outcome is what a call has shown of its target: healthy, unhealthy,
//     throttled, or nothing. See [Outcome].
//   - Throttled: Throttled means that the target is well and asked for fewer calls, as
//     it does by status 429.
//
// # The gates
//
// The table lists the gates of this module, and which of the two methods each has.
//
//	gate             asks                                       Acquire   TryAcquire  learns from
//	retry.Bulkhead   are there fewer calls than I allow?        queues    yes         nothing
//	retry.Adaptive   are there fewer than the target can take?  queues    yes         Outcome
//	retry.Breaker    has the target been failing?                         yes         Outcome
//	retry.Shedder    will the answer come before the deadline?            (request)   how long calls take
//	limit.Account    has the provider room for these tokens?    queues    (use)       headers, refusals, usage
//
// Where a column has a word in brackets, the gate has to know more of the call.
// Shedder.TryAcquire takes its deadline and priority, and Account.TryAcquire its model
// and tokens. A gate of your own implements [Gate], to go into retry.Options.Gates.
//
// A token bucket (limit.Bucket, golang.org/x/time/rate) is not a gate. Nothing is
// given back at the end of a call, so there is no permit.
//
// Several gates are acquired in order, the one that costs least first. If one refuses,
// the permits of those before it are canceled, the last first. If all agree, all are
// done with the same outcome. retry.Policy does so.
//
// # A minimal program
//
// The program asks a circuit breaker before a call, and reports the outcome after it.
//
//	permit, err := breaker.TryAcquire(time.Now())
//	if err != nil {
//		return err // the circuit breaker is open
//	}
//	defer permit.Cancel(time.Now()) // does nothing after Done
//	err = call()
//	outcome := admission.OutcomeHealthy
//	if err != nil {
//		outcome = admission.OutcomeUnhealthy
//	}
//	permit.Done(time.Now(), outcome)
//
// # Pitfalls
//
//   - Don't report a bad request, a canceled call or a full quota as unhealthy:
//     because it shows nothing of the target's health, and a breaker would open on a
//     caller's mistake. Report [OutcomeIgnored].
//   - Don't report status 429 as a failure: because the target is well and asked for
//     fewer calls. Report [OutcomeThrottled].
//   - Don't end a permit with Done if a layer below refused the call before it was
//     sent (fault.Error.Unsent): because the call was not made. Use Cancel.
//   - Don't end two copies of a permit: because a copied permit is still one permit.
//     End one of the copies.
//   - Don't wait between the permit and the call without a word: because the wait is
//     then taken for a slow answer. Call [Permit.Begin] at the end of the wait.
//
// # Questions
//
// What happens if I forget to end a permit? A permit that is never ended keeps its
// place. A bulkhead of ten with ten forgotten permits admits no call any more. Write
// defer permit.Cancel(…) right after the permit: it does nothing after Done.
//
// When do I use Acquire and when TryAcquire? Use Acquire when the call may wait for
// room, as a batch job may. Use TryAcquire when the caller has to know at once, for
// example to ask another target.
//
// How do I write a gate of my own? A gate of your own has a method Acquire that
// returns [NewPermit] with an [Owner]. The owner's Done and Cancel are called when the
// permit ends. Put the gate into retry.Options.Gates.
//
// # Further reading
//
//   - "Handling Overload", chapter 21 of "Site Reliability Engineering", O'Reilly 2016.
//   - Welsh and Culler, "Adaptive Overload Control for Busy Internet Servers", USITS 2003.
package admission
