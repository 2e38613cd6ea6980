package retry

import (
	"context"
	"errors"

	"github.com/prodailabs/prodai/retry/fault"
)

// Do calls f until it succeeds, fails for good, or the policy allows no more
// attempts. It returns f's result or a *fault.Error. It doesn't call f if ctx is
// done. f must make its requests with the context that it gets, so that a
// [fault.Transport] on its HTTP client sees them. This context may end when f
// returns, so f must read a response's body itself.
//
// With a [Hedger], f may run twice at once. A nil policy or function is an
// [ErrOption].
func Do[T any](ctx context.Context, p *Policy, f func(context.Context) (T, error)) (T, error) {
	if p == nil || f == nil {
		var none T
		return none, optionError("the policy or the function of Do is nil")
	}
	if p.log == nil {
		var none T
		return none, optionError("the zero Policy is not usable: make one with NewPolicy")
	}
	r := p.begin(ctx)
	defer r.total.stop()
	if done := ctx.Err(); done != nil {
		var none T
		return none, r.giveUp(fault.FromContext(done, nil))
	}
	for {
		v, e := makeAttempt(&r, f)
		if e == nil {
			return v, nil
		}
		r.note(e)
		if !r.retry(e) {
			return v, r.giveUp(e)
		}
	}
}

// makeAttempt makes an attempt and, if a hedge is due, a second one beside it.
func makeAttempt[T any](r *run, f func(context.Context) (T, error)) (T, *fault.Error) {
	if !r.hedges() {
		return attemptOnce(r, nil, f)
	}
	return inRace(r, f)
}

// inRace lets the run escape to the heap. No other place does.
func inRace[T any](r *run, f func(context.Context) (T, error)) (T, *fault.Error) {
	shared := *r
	defer func() { *r = shared }()
	return hedged(&shared, false, func(l *lane) (T, *fault.Error) { return attemptOnce(&shared, l, f) })
}

// attemptOnce makes an attempt, in the lane l of a race, or alone if that is nil.
func attemptOnce[T any](r *run, l *lane, f func(context.Context) (T, error)) (v T, e *fault.Error) {
	var in admitted
	e = errPanicked
	defer func() { r.finish(&in, e) }() // whatever panics, no permit is kept
	if e = r.admit(l, &in); e != nil {
		return v, e
	}
	e = errPanicked
	a, limit := r.newAttempt(l, in.began)
	defer limit.stop()
	v, err := f(a)
	if e = r.classify(a, a, err); e == nil {
		l.claim()
	}
	e = l.result(e)
	return v, e
}

// errPanicked is the outcome of an attempt that panicked and so returned none.
var errPanicked = fault.New(fault.ClassUnknown, errors.New("retry: the attempt panicked"))
