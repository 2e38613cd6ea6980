package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/retry/fault"
)

// A Run is one run of a job, as its handler sees it. See [RunOf].
type Run struct {
	Job   *Job // a copy
	store Store
	lease Lease
	most  int
	now   func() time.Time
}

type runKey struct{}

// RunOf returns the run whose handler has the context.
func RunOf(ctx context.Context) (*Run, bool) {
	r, ok := ctx.Value(runKey{}).(*Run)
	return r, ok
}

// Progress stores v as JSON, for a person who waits or for the next attempt: a share
// that is done, or a partial result. [Job].Progress has what the last run stored. It
// fails with [ErrLeaseLost] if the job isn't this run's any more.
func (r *Run) Progress(ctx context.Context, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("queue: the progress of %s: %w", r.Job.Kind, err)
	}
	if len(data) > r.most {
		return &SizeError{What: "progress", Size: len(data), Most: r.most}
	}
	return r.store.Report(ctx, r.now(), r.lease, data)
}

// A timeoutError is a run that took longer than Job.Timeout.
type timeoutError struct{ d time.Duration }

func (e *timeoutError) Error() string {
	return fmt.Sprintf("queue: the run took longer than its timeout of %v", e.d)
}

type outcome struct {
	result json.RawMessage
	err    error
}

// do runs a job's handler and stores how it ended.
func (w *Worker) do(ctx context.Context, lease Lease, j *Job) {
	h, ok := w.handlers[j.Kind]
	if !ok {
		h = Handler{kind: j.Kind, backoff: KindOptions{}.withDefaults().Backoff, run: func(context.Context, json.RawMessage) (json.RawMessage, error) {
			return nil, fmt.Errorf("queue: this worker has no handler for the kind %q", j.Kind)
		}}
	}
	if j.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, j.Timeout, &timeoutError{j.Timeout})
		defer cancel()
	}
	out := w.guarded(ctx, h, lease, j)
	cause := context.Cause(ctx)
	if errors.Is(cause, ErrLeaseLost) {
		w.log(slog.LevelWarn, event.QueueLost, slog.String(event.ID, j.ID), slog.String(event.Target, j.Kind), slog.String(event.Reason, "the lease is lost"))
		return
	}
	f := w.decide(h, j, out, cause)
	w.end(lease, j, f)
}

// guarded calls the handler. It returns at the latest Grace after the context ended.
func (w *Worker) guarded(ctx context.Context, h Handler, lease Lease, j *Job) outcome {
	run := &Run{Job: j, store: w.q.store, lease: lease, most: w.q.o.MaxPayload, now: w.q.o.Now}
	hctx := context.WithValue(ctx, runKey{}, run)
	done := make(chan outcome, 1)
	go func() {
		ended := false
		defer func() {
			if p := recover(); p != nil {
				done <- outcome{err: fmt.Errorf("queue: the handler panicked: %v", p)}
			} else if !ended { // runtime.Goexit, as t.FailNow does
				done <- outcome{err: errors.New("queue: the handler ended its goroutine")}
			}
		}()
		result, err := h.run(hctx, j.Payload)
		ended = true
		done <- outcome{result, err}
	}()
	select {
	case out := <-done:
		return out
	case <-ctx.Done():
	}
	timer := time.NewTimer(w.o.Grace)
	defer timer.Stop()
	select {
	case out := <-done:
		return out
	case <-timer.C:
	}
	w.hanging.Add(1)
	w.log(slog.LevelError, event.QueueHang, slog.String(event.ID, j.ID), slog.String(event.Target, j.Kind))
	go func() {
		<-done
		w.hanging.Add(-1)
	}()
	return outcome{err: fmt.Errorf("%w; the handler ignores its context", context.Cause(ctx))}
}

// decide turns how a handler ended into what becomes of the job. A success counts
// even if the context ended meanwhile.
func (w *Worker) decide(h Handler, j *Job, out outcome, cause error) Finish {
	now := w.q.o.Now()
	if out.err == nil {
		if n := len(out.result); n > w.q.o.MaxPayload {
			err := &SizeError{What: "result", Size: n, Most: w.q.o.MaxPayload}
			return Finish{State: StateDead, Failed: true, Reason: ReasonTooLarge, Error: err.Error(), Class: fault.ClassInvalidRequest.String()}
		}
		return Finish{State: StateDone, Result: out.result, Then: j.next(out.result)}
	}
	if errors.Is(cause, ErrDraining) && (errors.Is(out.err, context.Canceled) || errors.Is(out.err, ErrDraining)) {
		return Finish{State: StatePending, RunAt: now, Error: out.err.Error()} // not the job's fault
	}
	var timeout *timeoutError
	if errors.As(cause, &timeout) {
		out.err = fmt.Errorf("%w: %w", timeout, out.err)
	}
	// The classes are those of the error itself: the run's own context may be done.
	e := fault.FromError(context.Background(), out.err)
	f := Finish{Failed: true, Error: shorten(out.err.Error()), Class: e.Class.String()}
	if timeout != nil {
		e = fault.New(fault.ClassTimeout, out.err)
		f.Class = e.Class.String()
	}
	var malformed *malformedError
	switch {
	case errors.As(out.err, &malformed):
		f.State, f.Reason = StateDead, ReasonMalformed
	case errors.Is(out.err, ErrPermanent), !hopeful(e):
		f.State, f.Reason = StateDead, ReasonPermanent
	case j.Failures+1 >= j.MaxAttempts:
		f.State, f.Reason = StateDead, ReasonAttempts
	default:
		f.State = StatePending
		wait := h.backoff.Delay(j.Failures, 0, w.o.Uniform())
		if e.HasDelay { // not before that, and not all at once
			wait = e.Delay + time.Duration(w.o.Uniform()*0.2*float64(e.Delay))
			if wait < e.Delay {
				wait = e.Delay
			}
		}
		f.RunAt = now.Add(min(wait, 365*24*time.Hour))
	}
	return f
}

// hopeful reports whether a later run may succeed. In a job, no person has seen the
// beginning of a stream, so one that was cut may be tried again. An error of the
// program's own code has no class, and is tried again too.
func hopeful(e *fault.Error) bool {
	switch e.Class {
	case fault.ClassUnknown, fault.ClassCanceled, fault.ClassStreamInterrupted, fault.ClassTimeout:
		return true
	}
	return e.Retryable || e.Guess
}

// shorten keeps an error's words small: they are stored at each failure.
func shorten(s string) string {
	const most = 4 << 10
	if len(s) > most {
		s = s[:most] + "…"
	}
	return s
}

// end stores the end of a run. While the store fails it tries again, since the work
// is done; the heartbeat goes on meanwhile.
func (w *Worker) end(lease Lease, j *Job, f Finish) {
	ctx := context.Background()
	pause := 20 * time.Millisecond
	began := w.q.o.Now()
	for {
		now := w.q.o.Now()
		err := w.q.store.Finish(ctx, now, lease, f)
		switch {
		case err == nil:
			if f.State == StateDead {
				w.log(slog.LevelError, event.QueueDead, slog.String(event.ID, j.ID), slog.String(event.Target, j.Kind), slog.String(event.Class, f.Class), slog.Int(event.Attempt, j.Attempt()),
					slog.String(event.Reason, f.Reason.String()))
			}
			return
		case errors.Is(err, ErrLeaseLost):
			w.log(slog.LevelWarn, event.QueueLost, slog.String(event.ID, j.ID), slog.String(event.Target, j.Kind), slog.String(event.Reason, "the lease is lost"))
			return
		case errors.Is(err, ErrClosed), now.Sub(began) > w.o.GiveUp:
			w.log(slog.LevelError, event.QueueLost, slog.String(event.ID, j.ID), slog.String(event.Target, j.Kind), slog.String(event.Reason, err.Error()))
			return
		}
		var duplicate *DuplicateError
		if f.Then != nil && errors.As(err, &duplicate) { // the chain went on in an earlier life of the job
			f.Then = nil
			continue
		}
		sleep(ctx, pause)
		pause = min(2*pause, time.Second)
	}
}
