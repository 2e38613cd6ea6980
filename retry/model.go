package retry

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/delta"
	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/internal/wrap"
)

// A Model is an llms.Model whose failures are *[Error]s, and are retried under
// a [Policy]. It is safe for concurrent use.
//
// A stream is retried only until its first non-empty chunk has reached the
// caller; the empty ones that providers begin with are held until then, so
// that the caller sees one sequence of chunks, unchanged, and never the
// beginning of an attempt that came to nothing. A stream that ends without the
// provider's last word is an error with what was seen in [Error.Partial].
type Model struct {
	next llms.Model
	p    *Policy
}

// New wraps next; nil options mean the defaults.
func New(next llms.Model, o *Options) (*Model, error) {
	if next == nil {
		return nil, configError("the model to wrap is nil")
	}
	p, err := NewPolicy(o)
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
	ctx, cancel := m.p.total(ctx)
	defer cancel()
	r := m.p.begin(ctx)
	var s *stream
	if len(options) > 0 {
		s = newStream(options)
	}
	for {
		resp, e := m.admitted(r, s, messages, options)
		if e == nil {
			return resp, nil
		}
		if !s.silent() {
			e = e.afterSpeech()
		}
		if r.again(e) {
			continue
		}
		for _, next := range m.p.o.Fallbacks {
			if !e.Fallback || ctx.Err() != nil {
				break
			}
			m.p.log.LogAttrs(ctx, slog.LevelInfo, event.RetryAttempt, slog.Int(event.Attempt, r.tries), slog.String(event.Class, e.Class.String()),
				slog.Int(event.Status, e.Status), slog.String(event.Reason, "fallback"))
			if resp, e = m.attempt(r, next, s, messages, options); e == nil {
				return resp, nil
			}
			if !s.silent() {
				e = e.afterSpeech()
			}
		}
		return nil, r.giveUp(e)
	}
}

// admitted makes an attempt at the model itself, under its breaker and limiter.
func (m *Model) admitted(r *run, s *stream, messages []llms.MessageContent, options []llms.CallOption) (resp *llms.ContentResponse, e *Error) {
	t, e := r.admit()
	if e != nil {
		return nil, e
	}
	e = errPanicked
	defer func() { r.finish(t, e) }() // a panic must not keep a breaker's probe
	resp, e = m.attempt(r, m.next, s, messages, options)
	return resp, e
}

func (m *Model) attempt(r *run, next llms.Model, s *stream, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, *Error) {
	a := r.attempt()
	ctx, cancel := m.p.attemptTimeout(a)
	defer cancel()
	if s == nil || !s.streams() {
		resp, err := next.GenerateContent(ctx, messages, options...)
		if e := r.judge(ctx, a, err); e != nil {
			return nil, e
		}
		return resp, nil
	}
	w := s.watch(ctx, m.p.o.Timeouts)
	defer w.stop()
	resp, err := next.GenerateContent(w.ctx, messages, w.wrap(options)...)
	w.stop()
	if w.refused != nil { // the caller's own callback ended the stream
		e := newError(Canceled, joined(err, w.refused))
		e.Partial = w.partial(resp)
		return nil, e
	}
	e := r.judge(w.ctx, a, err)
	if e == nil && err == nil && r.ctx.Err() != nil && a.exchange.Load() == nil && unfinished(resp) {
		e = doneError(r.ctx.Err(), nil) // a client that takes the deadline for the end of the answer
	}
	if e == nil {
		if err := w.release(); err != nil {
			return nil, newError(Canceled, err)
		}
		return resp, nil
	}
	if e.Partial == nil {
		e.Partial = w.partial(resp)
	}
	return nil, e
}

// unfinished reports whether no choice says why it stopped.
func unfinished(resp *llms.ContentResponse) bool {
	return resp == nil || !slices.ContainsFunc(resp.Choices, func(c *llms.ContentChoice) bool { return c != nil && c.StopReason != "" })
}

// afterSpeech returns the error of a stream that had spoken: nothing may be
// tried again, here or elsewhere, and a failure of the transport is a stream
// interrupted.
func (e *Error) afterSpeech() *Error {
	c := *e
	switch c.Class {
	case Network, Malformed, Unknown:
		c.Class, c.Unhealthy = StreamInterrupted, true
	case Timeout:
		if c.done == nil {
			c.Class = StreamInterrupted
		}
	}
	c.Retryable, c.Fallback = false, false
	return &c
}

// A stream is what a call's options say of streaming, and whether the caller
// has heard anything yet.
type stream struct {
	o     llms.CallOptions
	spoke bool
}

func newStream(options []llms.CallOption) *stream {
	s := &stream{}
	for _, o := range options {
		o(&s.o)
	}
	return s
}

func (s *stream) streams() bool { return s.o.StreamingFunc != nil || s.o.StreamingReasoningFunc != nil }

// silent reports whether the caller has heard nothing.
func (s *stream) silent() bool { return s == nil || !s.spoke }

// A watch is one attempt at a stream: it passes the chunks on, keeps what was
// seen, and ends the attempt when a chunk is late.
type watch struct {
	s       *stream
	t       Timeouts
	ctx     context.Context
	cancel  context.CancelCauseFunc
	first   *time.Timer
	gap     *time.Timer
	held    []func() error // empty chunks, until one that isn't
	text    strings.Builder
	reason  strings.Builder
	refused error // what the caller's callback returned
}

var errAttemptOver = errors.New("retry: the attempt is over")

func (s *stream) watch(ctx context.Context, t Timeouts) *watch {
	w := &watch{s: s, t: t}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	if t.FirstToken > 0 {
		w.first = time.AfterFunc(t.FirstToken, func() { w.cancel(&timeoutError{"first token", t.FirstToken}) })
	}
	return w
}

// stop ends the attempt's timers and context.
func (w *watch) stop() {
	for _, t := range []*time.Timer{w.first, w.gap} {
		if t != nil {
			t.Stop()
		}
	}
	w.cancel(errAttemptOver)
}

// wrap appends the callbacks that the caller set, wrapped; no other.
func (w *watch) wrap(options []llms.CallOption) []llms.CallOption {
	options = slices.Clip(options)
	if f := w.s.o.StreamingFunc; f != nil {
		options = append(options, llms.WithStreamingFunc(func(ctx context.Context, chunk []byte) error {
			w.note(ctx, nil, chunk)
			return w.pass(len(chunk) == 0, func() error { return f(ctx, chunk) })
		}))
	}
	if f := w.s.o.StreamingReasoningFunc; f != nil {
		both := w.s.o.StreamingFunc != nil
		options = append(options, llms.WithStreamingReasoningFunc(func(ctx context.Context, reasoning, chunk []byte) error {
			if both {
				w.note(ctx, reasoning, nil) // the text has been noted above
			} else {
				w.note(ctx, reasoning, chunk)
			}
			return w.pass(len(reasoning) == 0 && len(chunk) == 0, func() error { return f(ctx, reasoning, chunk) })
		}))
	}
	return options
}

func (w *watch) note(ctx context.Context, reasoning, chunk []byte) {
	w.reason.Write(reasoning)
	if d := delta.From(ctx); d.Choice == 0 && (d.Kind == delta.Text || d.Kind == delta.Unknown) {
		w.text.Write(chunk)
	}
}

// pass hands a chunk on, after those held before it.
func (w *watch) pass(empty bool, deliver func() error) error {
	w.alive(empty && !w.s.spoke)
	if empty && !w.s.spoke {
		w.held = append(w.held, deliver)
		return nil
	}
	w.s.spoke = true
	if err := w.release(); err != nil {
		return err
	}
	if err := deliver(); err != nil {
		w.refused = err
		return err
	}
	return nil
}

func (w *watch) release() error {
	held := w.held
	w.held = nil
	for _, deliver := range held {
		if err := deliver(); err != nil {
			w.refused = err
			return err
		}
	}
	return nil
}

// alive restarts the clock; a chunk that says nothing is no first token.
func (w *watch) alive(quiet bool) {
	if quiet {
		return
	}
	if w.first != nil {
		w.first.Stop()
	}
	switch d := w.t.BetweenTokens; {
	case d <= 0:
	case w.gap != nil:
		w.gap.Reset(d)
	default:
		w.gap = time.AfterFunc(d, func() { w.cancel(&timeoutError{"token after the last", d}) })
	}
}

// partial is what the attempt had delivered: the client's own response, or the
// chunks.
func (w *watch) partial(resp *llms.ContentResponse) *llms.ContentResponse {
	if resp != nil && len(resp.Choices) > 0 {
		return resp
	}
	if w.text.Len() == 0 && w.reason.Len() == 0 {
		return nil
	}
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: w.text.String(), ReasoningContent: w.reason.String()}}}
}
