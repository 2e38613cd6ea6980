package retry

import (
	"context"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/retry/fault"
)

// A run is one logical call under a policy. It is on the caller's stack.
type run struct {
	p        *Policy
	ctx      context.Context // the caller's, or total
	total    *deadline       // nil if there is none
	sibling  *fault.Attempt  // an attempt of the call: all share its idempotency key; nil before the first
	start    time.Time
	attempts int  // made
	limit    int  // of the attempts
	sent     bool // a request may have reached the provider
	began    bool // one may have begun an answer
	waits    int  // retries waited for
	prev     time.Duration
	custom   backoff.BackOff
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

// now reads the clock, at half the cost of time.Now.
func (r *run) now() time.Time { return r.start.Add(time.Since(r.start)) }

// number returns the number of the last attempt, made or refused.
func (r *run) number() int { return max(r.attempts, r.waits+1) }

// newAttempt returns the context of the attempt that begins now, in the lane l if
// there is one, and its deadline, which is nil if it has none.
func (r *run) newAttempt(l *lane, now time.Time) (a *fault.Attempt, limit *deadline) {
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
	if l == nil || !l.hedge { // a hedge is counted at the end of its race
		r.attempts++
		if r.sibling == nil {
			r.sibling = a
		}
	}
	l.begin(now)
	return a, limit
}

// retry decides whether another attempt follows one that failed with e, and waits
// for it.
func (r *run) retry(e *fault.Error) bool { return e.Retryable && r.retryAs(e, event.RetryAttempt) }

// retryAs is retry for an error that is known to be worth it; name is the event.
func (r *run) retryAs(e *fault.Error, name string) bool {
	p := r.p
	if r.number() >= r.limit || r.ctx.Err() != nil {
		return false
	}
	wait, ok := r.delay(e)
	if !ok {
		return false
	}
	now := r.now()
	if deadline, has := r.ctx.Deadline(); has && deadline.Sub(now) <= wait {
		return false // to fail now, with the wait in the error, is better than to sleep until the deadline
	}
	if !p.o.Budget.Retry(now) {
		return false
	}
	p.log.LogAttrs(r.ctx, slog.LevelInfo, name, slog.Int(event.Attempt, r.number()), slog.String(event.Class, e.Class.String()),
		slog.Int(event.Status, e.Status), slog.Duration(event.Delay, wait), slog.String(event.Model, p.o.Model), slog.String(event.Target, p.o.Target))
	r.waits++
	return p.o.Sleep(r.ctx, wait) == nil
}

// delay is the backoff or, if the server asked for a wait, that wait and a jitter,
// because all clients got the same number.
func (r *run) delay(e *fault.Error) (time.Duration, bool) {
	p := r.p
	var own time.Duration
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
	own = max(own, 0) // the caller's Backoff may return anything
	r.prev = own
	asked, has := max(e.Delay, 0), e.HasDelay
	if !has && e.Class == fault.ClassRateLimit {
		asked, has = fault.ResetDelay(e.Allowances)
	}
	if !has {
		return own, true
	}
	if asked > p.o.MaxDelay {
		return 0, false
	}
	return asked + min(own, max(asked/4, time.Second), longestWait-asked), true
}

// note records how far an attempt that failed with e came.
func (r *run) note(e *fault.Error) {
	r.sent = r.sent || !e.Unsent
	r.began = r.began || e.Billable()
}

// giveUp completes the error of a call that failed for good. It is a copy, because
// an error from a Model below may be shared.
func (r *run) giveUp(e *fault.Error) *fault.Error {
	final := *e
	if done := r.ctx.Err(); done != nil && final.ContextErr == nil {
		final.ContextErr, final.Retryable, final.Fallback = done, false, false
	}
	final.Unsent, final.Began = !r.sent, r.began
	final.Attempts, final.Elapsed = max(final.Attempts, r.attempts), r.now().Sub(r.start)
	p := r.p
	p.log.LogAttrs(r.ctx, slog.LevelWarn, event.RetryGiveUp, slog.Int(event.Attempt, r.number()), slog.String(event.Class, final.Class.String()),
		slog.Int(event.Status, final.Status), slog.Duration(event.Elapsed, final.Elapsed), slog.String(event.Model, p.o.Model), slog.String(event.Target, p.o.Target))
	return &final
}
