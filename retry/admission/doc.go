// Package admission is the vocabulary of admission control: it decides whether a
// call may start.
//
// # The lecture
//
// Lecture 4. A target that can serve forty calls at once serves forty-one a
// little slower, and four hundred not at all. So a client asks before it calls:
// is there room, is the target well, will the answer come in time? Each question
// has its own algorithm, and all of them have the same life:
//
//	Acquire(ctx)    ─┐                        ┌─▶ Done(now, outcome)   the call was made
//	                 ├─▶ Permit ─▶ (the call) ┤
//	TryAcquire(now) ─┘                        └─▶ Cancel(now)          it was not
//
// Acquire waits until the call may start, TryAcquire doesn't wait. Either
// returns a [Permit] or an error that says why not. Every permit must be ended,
// once: by Done, with what the call showed of its target, or by Cancel, if the
// call wasn't made after all. A gate whose permits aren't ended admits fewer and
// fewer calls.
//
// # The gates
//
//	gate             asks                                       Acquire   TryAcquire  learns from
//	retry.Bulkhead   are there fewer calls than I allow?        queues    yes         nothing
//	retry.Adaptive   are there fewer than the target can take?  queues    yes         Outcome
//	retry.Breaker    has the target been failing?                         yes         Outcome
//	retry.Shedder    will the answer come before the deadline?            (request)   how long calls take
//	limit.Account    has the provider room for these tokens?    queues    (use)       headers, refusals, usage
//
// Where a column has a word in brackets the gate has to know more of the call:
// Shedder.TryAcquire takes its deadline and priority, Account.TryAcquire its
// model and tokens. A gate of your own implements [Gate], to go into
// retry.Options.Gates.
//
// A token bucket (limit.Bucket, golang.org/x/time/rate) isn't a gate: nothing is
// given back at the end of a call, so there is no permit.
//
// # A program
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
// # Several gates
//
// They are acquired in order, the one that costs least first. If one refuses,
// the permits of those before it are canceled, the last first; if all agree, all
// are done with the same outcome. retry.Policy does so.
//
// # Pitfalls
//
//   - A bad request, a canceled call and a full quota show nothing of the
//     target's health: [OutcomeIgnored]. A breaker that counts them opens on a
//     caller's mistake.
//   - Status 429 is not a failure either, but it asks for fewer calls:
//     [OutcomeThrottled].
//   - A layer below may refuse a call before it is sent (fault.Error.Unsent). Then
//     the call was not made: Cancel, not Done.
//   - A permit that is copied is still one permit. End one of the copies.
//   - Between the permit and the call there may be another wait, at another gate.
//     [Permit.Begin] marks its end, or the wait is taken for a slow answer.
//
// # Further reading
//
//   - "Handling Overload", chapter 21 of "Site Reliability Engineering",
//     O'Reilly 2016.
//   - Welsh and Culler, "Adaptive Overload Control for Busy Internet Servers",
//     USITS 2003.
package admission
