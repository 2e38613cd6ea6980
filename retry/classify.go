package retry

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/retry/fault"
)

// classify returns what failed in an attempt, or nil if it was a success. err is
// what the attempt returned.
func (r *run) classify(ctx context.Context, a *fault.Attempt, err error) *fault.Error {
	if err == nil && !a.Recorded() {
		return nil
	}
	if n := a.Repeats(); n > 0 {
		r.p.log.LogAttrs(r.ctx, slog.LevelWarn, event.RetryNested, slog.Int(event.Attempt, r.number()), slog.Int(event.Count, n),
			slog.String(event.Model, r.p.o.Model), slog.String(event.Target, r.p.o.Target))
	}
	e := r.classifyFailure(ctx, a, err)
	if e != nil && e.Guess && !a.Recorded() && !r.p.guessed.Swap(true) {
		r.p.log.LogAttrs(r.ctx, slog.LevelWarn, event.RetryGuess, slog.Int(event.Attempt, r.number()), slog.String(event.Class, e.Class.String()),
			slog.String(event.Model, r.p.o.Model), slog.String(event.Target, r.p.o.Target))
	}
	return e
}

func (r *run) classifyFailure(ctx context.Context, a *fault.Attempt, err error) *fault.Error {
	if err != nil {
		var nested *fault.Error
		var t *timeoutError
		done := r.ctx.Err()
		late := done == nil && errors.As(context.Cause(ctx), &t)
		switch {
		case errors.As(err, &nested) && nested != nil && (nested.ContextErr == nil || !late): // else the Model below ran into our own timeout
			return nested
		case done != nil:
			return fault.FromContext(done, err)
		case late:
			return fault.New(fault.ClassTimeout, errors.Join(t, err))
		}
	}
	if e := a.Failure(err, time.Now()); e != nil {
		if done := r.ctx.Err(); done != nil {
			return fault.FromContext(done, joined(err, e.Cause)) // the client took a stall until the deadline for the end
		}
		var t *timeoutError
		if errors.As(context.Cause(ctx), &t) {
			return fault.New(fault.ClassTimeout, errors.Join(t, e))
		}
		e.Cause = joined(err, e.Cause)
		return e
	}
	return fault.FromError(r.ctx, err)
}

// joined keeps the client's error and the one below it.
func joined(err, below error) error {
	switch {
	case err == nil:
		return below
	case below == nil || errors.Is(err, below):
		return err
	}
	return errors.Join(err, below)
}
