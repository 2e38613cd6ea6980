package retry

import (
	"context"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/retry/fault"
)

// A run is one logical call under a policy. It lives on the caller's stack.
type run struct {
	p       *Policy
	ctx     context.Context // the caller's, or total
	total   *deadline       // nil if there is none
	sibling *fault.Attempt  // one of the call, whose idempotency key all share; nil before the first
	start   time.Time
	tries   int // attempts made
	limit   int // attempts allowed
	waits   int // retries waited for
	prev    time.Duration
	custom  backoff.BackOff
}

func (p *Policy) begin(ctx context.Context) run {
	r := run{p: p, ctx: ctx, start: time.Now(), limit: p.o.MaxAttempts}
	if r.sibling = fault.AttemptOf(ctx); r.sibling != nil {
		r.limit = 1 // a layer above retries already
	}
	if d := p.o.Timeouts.Total; d > 0 {
		r.total = &deadline{Context: ctx, at: r.start.Add(d), cause: p.lateAll}
		r.ctx = r.total
	}
	p.o.Budget.Request(r.start)
	return r
}

// now is the clock, read at half the price of time.Now.
func (r *run) now() time.Time { return r.start.Add(time.Since(r.start)) }

// round returns the number of the attempt that was made last, or refused.
func (r *run) round() int { return max(r.tries, r.waits+1) }

// attempt returns the context of the attempt that begins now, in the lane l if
// there is one, and its deadline, which is nil if it has none.
func (r *run) attempt(l *lane, now time.Time) (a *fault.Attempt, limit *deadline) {
	ctx := l.context(r)
	if d := r.p.o.Timeouts.Attempt; d > 0 {
		timed := &struct {
			fault.Attempt
			limit deadline
		}{limit: deadline{Context: ctx, at: now.Add(d), cause: r.p.late}}
		a, limit = &timed.Attempt, &timed.limit
		ctx = limit
	} else {
		a = &fault.Attempt{}
	}
	a.Start(ctx, r.sibling)
	if l == nil || !l.hedge { // a race counts its hedge at the end
		r.tries++
		if r.sibling == nil {
			r.sibling = a
		}
	}
	l.begin(now)
	return a, limit
}

// An admission is what an attempt holds while it lasts; it goes back with
// finish.
type admission struct {
	ticket Ticket        // the breaker's
	began  time.Time     // when the attempt was admitted
	waited time.Duration // before that
}

// admit asks what must agree before an attempt. The clock is read once, and
// again where something may have waited.
func (r *run) admit(l *lane) (t admission, refused *fault.Error) {
	o := &r.p.o
	ctx := l.context(r)
	arrived := r.start
	if r.waits > 0 || l != nil && l.hedge {
		arrived = r.now()
	}
	t.began = arrived
	if o.Shedder != nil {
		deadline, _ := ctx.Deadline()
		if err := o.Shedder.Admit(arrived, deadline, -1, PriorityOf(ctx)); err != nil {
			return t, fault.FromError(ctx, err)
		}
	}
	if o.Breaker != nil && (o.Limiter != nil || o.Bulkhead != nil) {
		if e := o.Breaker.closedTo(arrived); e != nil { // no one waits, or takes a token, in order to be refused
			return t, e
		}
	}
	if o.Limiter != nil && !r.passes(ctx, arrived) {
		if err := o.Limiter.Wait(ctx); err != nil {
			e := *fault.FromError(ctx, err)    // which may be the limiter's own
			if e.Class == fault.ClassUnknown { // x/time/rate: the wait would pass the deadline
				e = *fault.New(fault.ClassRateLimit, err)
			}
			e.Retryable = false
			return t, &e
		}
		t.began = r.now()
	}
	if o.Bulkhead != nil {
		waited, err := o.Bulkhead.enter(ctx)
		if err != nil {
			if l, ok := o.Limiter.(interface{ Forgo(time.Time) }); ok { // it has kept a place
				l.Forgo(t.began)
			}
			return t, fault.FromError(ctx, err)
		}
		if waited {
			t.began = r.now()
		}
	}
	if o.Adaptive != nil {
		if err := o.Adaptive.Acquire(t.began); err != nil {
			r.leave()
			return t, fault.FromError(ctx, err)
		}
	}
	if o.Breaker != nil {
		var c change
		var err error
		if t.ticket, c, err = o.Breaker.allow(t.began); c.from != c.to {
			r.changed(c, nil)
		}
		if err != nil {
			if o.Adaptive != nil {
				o.Adaptive.Release(t.began, Neither)
			}
			r.leave()
			return t, fault.FromError(ctx, err)
		}
	}
	t.waited = t.began.Sub(arrived)
	return t, nil
}

// passes asks a limiter that takes the caller's clock for a token that is
// there; if there is none, Wait waits for it.
func (r *run) passes(ctx context.Context, now time.Time) bool {
	return r.p.allower != nil && ctx.Err() == nil && r.p.allower.AllowAt(now, 1)
}

func (r *run) leave() {
	if b := r.p.o.Bulkhead; b != nil {
		b.Leave()
	}
}

// finish tells the policies how an admitted attempt ended.
func (r *run) finish(t admission, e *fault.Error) {
	o := &r.p.o
	outcome := Healthy
	switch {
	case e == nil:
		o.Budget.Success(r.start) // no budget of ours looks at the instant of a success
		if b := r.p.hedgeBudget; b != nil {
			b.Success(r.start)
		}
	case e.Unhealthy:
		outcome = Sick
	default:
		outcome = Neither
	}
	defer r.leave()
	if o.Breaker == nil && o.Adaptive == nil && o.Shedder == nil {
		return
	}
	now := r.now()
	if o.Breaker != nil {
		if c := o.Breaker.done(now, t.ticket, outcome); c.from != c.to {
			r.changed(c, e)
		}
	}
	if o.Shedder != nil && e == nil {
		o.Shedder.Observe(t.waited, now.Sub(t.began))
	}
	if o.Adaptive != nil {
		if e != nil && e.Class == fault.ClassRateLimit {
			outcome = Sick
		}
		o.Adaptive.Release(now, outcome)
	}
}

// changed reports what an attempt that ended with e did to the breaker.
func (r *run) changed(c change, e *fault.Error) {
	reason := "its time was over"
	switch {
	case e != nil:
		reason = e.Class.String()
	case c.to == StateClosed:
		reason = "the probes succeeded"
	}
	r.p.log.LogAttrs(r.ctx, slog.LevelWarn, event.BreakerState, slog.String(event.State, c.to.String()),
		slog.String(event.Target, r.p.o.Target), slog.String(event.Reason, reason))
}

// again decides whether another attempt follows, and waits for it.
func (r *run) again(e *fault.Error) bool { return e.Retryable && r.retry(e, event.RetryAttempt) }

// retry is again for an error that is known to be worth it.
func (r *run) retry(e *fault.Error, name string) bool {
	p := r.p
	if r.round() >= r.limit || r.ctx.Err() != nil {
		return false
	}
	wait, ok := r.delay(e)
	if !ok {
		return false
	}
	now := r.now()
	if deadline, has := r.ctx.Deadline(); has && deadline.Sub(now) <= wait {
		return false // better now, with the wait in the error, than after sleeping in vain
	}
	if !p.o.Budget.Retry(now) {
		return false
	}
	p.log.LogAttrs(r.ctx, slog.LevelInfo, name, slog.Int(event.Attempt, r.round()), slog.String(event.Class, e.Class.String()),
		slog.Int(event.Status, e.Status), slog.Duration(event.Delay, wait), slog.String(event.Model, p.o.Model), slog.String(event.Target, p.o.Target))
	r.waits++
	return p.o.Sleep(r.ctx, wait) == nil
}

// delay is the backoff or, if the server asked for a wait, that and a jitter
// above it: all its clients were told the same number.
func (r *run) delay(e *fault.Error) (time.Duration, bool) {
	p := r.p
	own := time.Duration(0)
	if p.o.NewBackOff != nil {
		if r.custom == nil {
			r.custom = p.o.NewBackOff()
			r.custom.Reset()
		}
		if own = r.custom.NextBackOff(); own == backoff.Stop {
			return 0, false
		}
	} else {
		own = p.o.Backoff.Delay(r.waits, r.prev, p.uniform())
	}
	r.prev = own
	asked, has := e.Delay, e.HasDelay
	if !has && e.Class == fault.ClassRateLimit {
		asked, has = fault.Reset(e.Limits)
	}
	if !has {
		return own, true
	}
	if asked > p.o.MaxDelay {
		return 0, false
	}
	return asked + min(own, max(asked/4, time.Second), longestWait-asked), true
}

// giveUp completes the error of a call that failed for good. It is a copy: an
// error from a Model below is also that one's caller's.
func (r *run) giveUp(e *fault.Error) *fault.Error {
	final := *e
	if done := r.ctx.Err(); done != nil && final.ContextErr == nil {
		final.ContextErr, final.Retryable, final.Fallback = done, false, false
	}
	final.Attempts, final.Elapsed = max(final.Attempts, r.tries), r.now().Sub(r.start)
	p := r.p
	p.log.LogAttrs(r.ctx, slog.LevelWarn, event.RetryGiveUp, slog.Int(event.Attempt, r.round()), slog.String(event.Class, final.Class.String()),
		slog.Int(event.Status, final.Status), slog.Duration(event.Elapsed, final.Elapsed), slog.String(event.Model, p.o.Model), slog.String(event.Target, p.o.Target))
	return &final
}
