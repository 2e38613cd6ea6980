package retry

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/retry/admission"
	"github.com/prodailabs/prodai/retry/fault"
)

// A Limiter makes each attempt wait until a rate allows it. Nothing has to be given
// back at the attempt's end. *limit.Bucket is one, and so is the *rate.Limiter of
// golang.org/x/time/rate.
type Limiter interface {
	// Wait returns nil when the attempt may begin, or an error that ends the
	// call.
	Wait(ctx context.Context) error
}

// A TryLimiter is a [Limiter] that can be asked without waiting. A [Policy] calls
// AllowN(now, 1) first, with the time that it knows already, and calls Wait only if
// the result is false.
type TryLimiter interface {
	Limiter
	AllowN(now time.Time, n int) bool
}

var (
	_ admission.Gate    = (*Adaptive)(nil)
	_ admission.Gate    = (*Bulkhead)(nil)
	_ admission.TryGate = (*Adaptive)(nil)
	_ admission.TryGate = (*Bulkhead)(nil)
	_ admission.TryGate = (*Breaker)(nil)
)

// A gate is one step that an attempt must pass. The policy has a list of them, in
// order.
type gate struct {
	kind gateKind
	wait admission.Gate // of gateWait
}

type gateKind uint8

const (
	gateShedder gateKind = iota + 1
	gateOpen             // the breaker, asked only whether it is open
	gateLimiter
	gateWait // one of Options.Gates
	gateBulkhead
	gateAdaptive
	gateBreaker
)

// gatesOf lists the gates of o. An open breaker comes first, so that an attempt
// which it refuses waits for nothing and takes no token.
func gatesOf(o *Options) []gate {
	var all []gate
	add := func(kind gateKind, is bool) {
		if is {
			all = append(all, gate{kind: kind})
		}
	}
	add(gateShedder, o.Shedder != nil)
	add(gateOpen, o.Breaker != nil && (o.Limiter != nil || len(o.Gates) > 0 || o.Bulkhead != nil))
	add(gateLimiter, o.Limiter != nil)
	for _, g := range o.Gates {
		all = append(all, gate{gateWait, g})
	}
	add(gateBulkhead, o.Bulkhead != nil)
	add(gateAdaptive, o.Adaptive != nil)
	add(gateBreaker, o.Breaker != nil)
	return all
}

// An admitted attempt holds the permits of the gates that it has passed.
type admitted struct {
	began   time.Time           // when the last gate that was asked let it pass
	permits [4]admission.Permit // in the order of the gates; a larger array would cost every call
	more    []admission.Permit  // those for which the array has no room
	n       int                 // how many there are

	generation uint64 // the breaker's, in place of a permit, because the run logs its changes
	answering  bool   // the breaker has counted the first token
	counted    bool   // the breaker has admitted the attempt
}

func (a *admitted) at(i int) *admission.Permit {
	if i < len(a.permits) {
		return &a.permits[i]
	}
	return &a.more[i-len(a.permits)]
}

func (a *admitted) hold(p admission.Permit) {
	if a.n >= len(a.permits) {
		a.more = append(a.more, p)
	} else {
		a.permits[a.n] = p
	}
	a.n++
}

// end ends the permits, the last first. If a gate's code panics, the permits before
// it are still ended.
func (a *admitted) end(now time.Time, o admission.Outcome, made bool) {
	defer func() {
		if a.n > 0 {
			a.end(now, o, made)
		}
	}()
	for a.n > 0 {
		a.n--
		if p := a.at(a.n); made {
			p.Done(now, o)
		} else {
			p.Cancel(now)
		}
	}
}

// admit passes all gates, or holds no permit. The clock is read once, and again
// after a gate at which the attempt may have waited.
func (r *run) admit(l *lane, a *admitted) *fault.Error {
	a.began = r.start
	if r.waits > 0 || l != nil && l.hedge {
		a.began = r.now()
	}
	ctx := l.context(r)
	for _, g := range r.p.gates {
		if e := r.pass(ctx, g, a); e != nil {
			a.end(a.began, admission.OutcomeIgnored, false)
			return unsent(e)
		}
	}
	for i := range a.n {
		a.at(i).Begin(a.began)
	}
	return nil
}

// unsent returns e, the refusal of a gate, with Unsent set. It is a copy if it has
// to change, because a gate may return one error to many calls.
func unsent(e *fault.Error) *fault.Error {
	if e.Unsent {
		return e
	}
	c := *e
	c.Unsent = true
	return &c
}

// pass passes one gate.
func (r *run) pass(ctx context.Context, g gate, a *admitted) *fault.Error {
	o := &r.p.o
	var p admission.Permit
	var err error
	switch g.kind {
	case gateShedder:
		deadline, _ := ctx.Deadline()
		p, err = o.Shedder.TryAcquire(a.began, ShedRequest{Deadline: deadline, Priority: PriorityOf(ctx)})
	case gateOpen:
		return o.Breaker.refusal(a.began)
	case gateLimiter:
		return r.wait(ctx, a)
	case gateWait:
		if p, err = g.wait.Acquire(ctx); err != nil {
			return gateError(ctx, err)
		}
		a.began = r.now()
	case gateBulkhead:
		var waited bool
		if waited, err = o.Bulkhead.enter(ctx); waited {
			a.began = r.now()
		}
		p = o.Bulkhead.permit()
	case gateAdaptive:
		p, err = o.Adaptive.TryAcquire(a.began)
	case gateBreaker:
		var c change
		a.generation, c, err = o.Breaker.admit(a.began)
		a.counted = err == nil
		if c.from != c.to {
			r.p.changed(r.ctx, c, nil)
		}
		return fault.FromError(ctx, err)
	}
	if err != nil {
		return fault.FromError(ctx, err)
	}
	a.hold(p)
	return nil
}

// wait passes the limiter. It asks without waiting first, which costs less.
func (r *run) wait(ctx context.Context, a *admitted) *fault.Error {
	if t := r.p.tryLimiter; t != nil && ctx.Err() == nil && t.AllowN(a.began, 1) {
		return nil
	}
	if err := r.p.o.Limiter.Wait(ctx); err != nil {
		return final(ctx, err)
	}
	a.began = r.now()
	return nil
}

// gateError is the error of an attempt that one of the Gates refused.
func gateError(ctx context.Context, err error) *fault.Error {
	var own *fault.Error
	if errors.As(err, &own) && own != nil {
		return own
	}
	e := *fault.FromError(ctx, err)
	if e.Class == fault.ClassUnknown || e.Guess { // the words of a gate are not a provider's
		e = *fault.New(fault.ClassOverloaded, err)
		e.Unhealthy = false
	}
	e.Retryable = false
	return &e
}

// final is the error of an attempt that has waited, or would have to wait too long.
// It isn't retryable, because another attempt would do the same. It is a copy,
// since err may be shared.
func final(ctx context.Context, err error) *fault.Error {
	e := *fault.FromError(ctx, err)
	if e.Class == fault.ClassUnknown { // x/time/rate: the wait would pass the deadline
		e = *fault.New(fault.ClassRateLimit, err)
	}
	e.Retryable = false
	return &e
}

// admittedStream is the permits of a stream, with all that is needed to report its
// first token to the gates. The run itself must stay on the stack.
type admittedStream struct {
	admitted
	p     *Policy
	ctx   context.Context
	start time.Time
}

// firstToken reports to the gates that the target has begun its answer.
func (a *admittedStream) firstToken() {
	b := a.p.o.Breaker
	if a.n == 0 && b == nil {
		return
	}
	now := a.start.Add(time.Since(a.start))
	if b != nil {
		a.answering = true
		if c := b.firstToken(now, a.generation); c.from != c.to {
			a.p.changed(a.ctx, c, nil)
		}
	}
	for i := range a.n {
		a.at(i).FirstToken(now)
	}
}

// finish ends an attempt with the error e or nil. It reports to the gates, the last
// first, what the attempt has shown of the target. If a layer below has sent
// nothing, the attempt was not made. The caller's code is called last, because it
// may panic.
func (r *run) finish(a *admitted, e *fault.Error) {
	if a.n == 0 && !a.counted {
		if e == nil {
			r.succeeded()
		}
		return
	}
	outcome := outcomeOf(e)
	now := r.now()
	var c change
	defer func() {
		if c.from != c.to {
			r.p.changed(r.ctx, c, e)
		}
		if e == nil {
			r.succeeded()
		}
	}()
	defer a.end(now, outcome, e == nil || !e.Unsent)
	switch {
	case !a.counted:
	case a.answering:
		c = r.p.o.Breaker.endStream(now, a.generation, outcome)
	default:
		c = r.p.o.Breaker.done(now, a.generation, outcome)
	}
}

// outcomeOf returns what an attempt with the error e has shown of the target.
func outcomeOf(e *fault.Error) admission.Outcome {
	switch {
	case e == nil:
		return admission.OutcomeHealthy
	case e.Unsent:
		return admission.OutcomeIgnored
	case e.Unhealthy:
		return admission.OutcomeUnhealthy
	case e.Class == fault.ClassRateLimit:
		return admission.OutcomeThrottled
	}
	return admission.OutcomeIgnored
}

// succeeded reports an attempt that succeeded to the budgets. No budget of this
// package uses the instant.
func (r *run) succeeded() {
	r.p.o.Budget.Success(r.start)
	if b := r.p.hedgeBudget; b != nil {
		b.Success(r.start)
	}
}

// changed reports what an attempt that ended with e did to the breaker.
func (p *Policy) changed(ctx context.Context, c change, e *fault.Error) {
	reason := "its time was over"
	switch {
	case e != nil:
		reason = e.Class.String()
	case c.to == StateClosed:
		reason = "the probes succeeded"
	}
	p.log.LogAttrs(ctx, slog.LevelWarn, event.RetryBreaker, slog.String(event.State, c.to.String()),
		slog.String(event.Target, p.o.Target), slog.String(event.Reason, reason))
}
