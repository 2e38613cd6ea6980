package retry

import (
	"context"
	"errors"

	"github.com/prodailabs/prodai/retry/fault"
)

// Do calls f until it succeeds, fails for good, or the policy has had enough,
// and returns its result or a *fault.Error. The context that f gets is the one to
// make requests with: a [fault.Transport] on f's HTTP client sees them through it. It
// may end when f returns, so f reads a response's body itself.
//
// With a [Hedger], f may run twice at once.
func Do[T any](ctx context.Context, p *Policy, f func(context.Context) (T, error)) (T, error) {
	r := p.begin(ctx)
	defer r.total.stop()
	for {
		v, e := round(&r, f)
		if e == nil {
			return v, nil
		}
		if !r.again(e) {
			return v, r.giveUp(e)
		}
	}
}

// round makes an attempt and, if a hedge is due, a second one beside it.
func round[T any](r *run, f func(context.Context) (T, error)) (T, *fault.Error) {
	if !r.hedges() {
		return once(r, nil, f)
	}
	return inRace(r, f)
}

// inRace lets the run escape to the heap, here alone.
func inRace[T any](r *run, f func(context.Context) (T, error)) (T, *fault.Error) {
	shared := *r
	defer func() { *r = shared }()
	return hedged(&shared, false, func(l *lane) (T, *fault.Error) { return once(&shared, l, f) })
}

// once makes an attempt, in the lane l of a race, or alone if that is nil.
func once[T any](r *run, l *lane, f func(context.Context) (T, error)) (v T, e *fault.Error) {
	t, e := r.admit(l)
	if e != nil {
		return v, e
	}
	e = errPanicked
	defer func() { r.finish(t, e) }() // a panic must not keep a breaker's probe
	a, limit := r.attempt(l, t.began)
	defer limit.stop()
	v, err := f(a)
	if e = r.judge(a, a, err); e == nil {
		l.claim()
	}
	e = l.verdict(e)
	return v, e
}

// errPanicked stands for the outcome of an attempt that never returned one.
var errPanicked = fault.New(fault.ClassUnknown, errors.New("retry: the attempt panicked"))
