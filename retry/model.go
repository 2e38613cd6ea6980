package retry

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/internal/wrap"
	"github.com/prodailabs/prodai/retry/fault"
)

// A Model is an llms.Model that retries failed calls under a [Policy]. Each error
// that it returns is a *[fault.Error]. It is safe for concurrent use.
//
// A stream is retried only until its first non-empty chunk has reached the caller.
// The empty chunks that providers begin with are held until then. So the caller
// sees one sequence of chunks, unchanged, and never the beginning of an attempt
// that failed.
//
// A stream that ends without the provider's end mark is an error, with what was
// seen in [fault.Error.Partial], or is continued by a [Resume], which may cut the
// first chunks of the continuation. The same is true for an answer whose stop
// reason means that its generation broke ([fault.StoppedBy]).
type Model struct {
	next llms.Model
	p    *Policy
}

// New wraps next; nil options mean the defaults. It fails with [ErrOption].
func New(next llms.Model, o *Options) (*Model, error) {
	if next == nil {
		return nil, optionError("the model of New is nil")
	}
	p, err := newPolicy(o)
	if err != nil {
		return nil, err
	}
	return &Model{next: next, p: p}, nil
}

// Unwrap returns the wrapped model.
func (m *Model) Unwrap() llms.Model { return m.next }

// SupportsReasoning reports whether the wrapped model does.
func (m *Model) SupportsReasoning() bool {
	return wrap.SupportsReasoning(m.next)
}

// Call asks for one text answer to one prompt.
func (m *Model) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return wrap.Call(ctx, m, prompt, options...)
}

// GenerateContent implements llms.Model.
func (m *Model) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	if m.p == nil {
		return nil, optionError("the zero Model is not usable: make one with New")
	}
	run := m.p.begin(ctx)
	r := &run
	defer r.total.stop()
	if done := ctx.Err(); done != nil {
		return nil, r.giveUp(fault.FromContext(done, nil))
	}
	var s *stream
	if len(options) > 0 {
		s = newStream(options)
	}
	for {
		resp, e := m.makeAttempt(r, s, messages, options)
		if e == nil {
			return s.whole(resp), nil
		}
		r.note(e)
		if !s.silent() {
			if m.resume(r, s, e) {
				continue
			}
			e = s.interrupted(e)
		}
		if r.retry(e) {
			continue
		}
		for _, next := range m.p.o.Fallbacks {
			if !e.Fallback || r.ctx.Err() != nil {
				break
			}
			m.p.log.LogAttrs(ctx, slog.LevelInfo, event.RetryAttempt, slog.Int(event.Attempt, r.number()), slog.String(event.Class, e.Class.String()),
				slog.Int(event.Status, e.Status), slog.String(event.Reason, "fallback"))
			if resp, e = m.ask(r, nil, next, s, nil, r.now(), messages, options); e == nil {
				return resp, nil
			}
			r.note(e)
			if !s.silent() {
				e = s.interrupted(e)
			}
		}
		return nil, r.giveUp(e)
	}
}

// makeAttempt makes an attempt at the model itself and, if a hedge is due, a
// second one beside it.
func (m *Model) makeAttempt(r *run, s *stream, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, *fault.Error) {
	if !r.hedges() {
		return m.attemptOnce(r, nil, s, messages, options)
	}
	shared := *r // a race has to have it on the heap
	defer func() { *r = shared }()
	return hedged(&shared, s.streams(), func(l *lane) (*llms.ContentResponse, *fault.Error) {
		return m.attemptOnce(&shared, l, s, messages, options)
	})
}

// attemptOnce makes an attempt, in the lane l of a race, or alone if that is nil.
func (m *Model) attemptOnce(r *run, l *lane, s *stream, messages []llms.MessageContent, options []llms.CallOption) (resp *llms.ContentResponse, e *fault.Error) {
	if s.streams() {
		return m.attemptStream(r, l, s, messages, options)
	}
	var in admitted
	e = errPanicked
	defer func() { r.finish(&in, e) }() // whatever panics, no permit is kept
	if e = r.admit(l, &in); e != nil {
		return nil, e
	}
	e = errPanicked
	resp, e = m.ask(r, l, m.next, s, nil, in.began, messages, options)
	e = l.result(e)
	return resp, e
}

// attemptStream is attemptOnce for a stream, whose first token is reported to the
// gates. For that its permits are on the heap, an allocation that a plain call
// doesn't need.
func (m *Model) attemptStream(r *run, l *lane, s *stream, messages []llms.MessageContent, options []llms.CallOption) (resp *llms.ContentResponse, e *fault.Error) {
	in := &admittedStream{p: r.p, ctx: r.ctx, start: r.start}
	e = errPanicked
	defer func() { r.finish(&in.admitted, e) }() // whatever panics, no permit is kept
	if e = r.admit(l, &in.admitted); e != nil {
		return nil, e
	}
	e = errPanicked
	resp, e = m.ask(r, l, m.next, s, in, in.began, messages, options)
	e = l.result(e)
	return resp, e
}

// ask makes an attempt at next that has been admitted. in has the permits of a
// stream; it is nil for other calls.
func (m *Model) ask(r *run, l *lane, next llms.Model, s *stream, in *admittedStream, now time.Time, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, *fault.Error) {
	a, limit := r.newAttempt(l, now)
	defer limit.stop()
	if !s.streams() {
		resp, err := next.GenerateContent(a, messages, options...)
		if e := r.classify(a, a, err); e != nil {
			return nil, e
		}
		if e := fault.StoppedBy(resp); e != nil {
			return nil, e
		}
		l.claim()
		return resp, nil
	}
	w := s.watch(a, l, &m.p.o)
	w.in = in
	defer w.stop()
	if s.resumed > 0 {
		messages, options = m.p.o.Resume.continuation(s, messages, options)
	}
	resp, err := next.GenerateContent(w.ctx, messages, w.wrap(options)...)
	w.stop()
	defer w.keep()
	if e := w.stopped(resp, err); e != nil {
		return nil, e
	}
	e := r.classify(w.ctx, a, err)
	if e == nil && err == nil && r.ctx.Err() != nil && !a.Recorded() && unfinished(resp) {
		e = fault.FromContext(r.ctx.Err(), nil) // the client took the deadline for the end of the answer
	}
	if e == nil {
		e = fault.StoppedBy(resp)
	}
	if e == nil && !l.claim() {
		return nil, errOutrun
	}
	if e == nil {
		return resp, w.stopped(resp, w.end())
	}
	if seen := w.partial(resp); e.Partial == nil && seen != nil {
		c := *e // e may be shared
		c.Partial, e = seen, &c
	}
	return nil, e
}

// unfinished reports whether no choice has a stop reason.
func unfinished(resp *llms.ContentResponse) bool {
	return resp == nil || !slices.ContainsFunc(resp.Choices, func(c *llms.ContentChoice) bool { return c != nil && c.StopReason != "" })
}

// afterSpeech returns the error of a stream of which the caller has received a
// part: nothing may be tried again, here or elsewhere, and a failure of the
// transport is a stream interrupted.
func afterSpeech(e *fault.Error) *fault.Error {
	c := *e
	switch c.Class {
	case fault.ClassNetwork, fault.ClassMalformed, fault.ClassUnknown:
		c.Class, c.Unhealthy = fault.ClassStreamInterrupted, true
	case fault.ClassTimeout:
		if c.ContextErr == nil {
			c.Class = fault.ClassStreamInterrupted
		}
	}
	c.Retryable, c.Fallback = false, false
	return &c
}
