package retry

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/delta"
)

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

func (s *stream) streams() bool {
	return s != nil && (s.o.StreamingFunc != nil || s.o.StreamingReasoningFunc != nil)
}

// silent reports whether the caller has heard nothing.
func (s *stream) silent() bool { return s == nil || !s.spoke }

// A watch is one attempt at a stream: it passes the chunks on, keeps what was
// seen, and ends the attempt when a chunk is late.
type watch struct {
	s       *stream
	lane    *lane
	t       Timeouts
	ctx     context.Context
	cancel  context.CancelCauseFunc
	first   *time.Timer
	gap     *time.Timer
	spoke   bool
	held    []func() error // empty chunks, until one that isn't
	text    strings.Builder
	reason  strings.Builder
	refused error // what the caller's callback returned
}

var errAttemptOver = errors.New("retry: the attempt is over")

func (s *stream) watch(ctx context.Context, l *lane, t Timeouts) *watch {
	w := &watch{s: s, lane: l, t: t}
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
	w.alive(empty && !w.spoke)
	if empty && !w.spoke {
		w.held = append(w.held, deliver)
		return nil
	}
	if !w.spoke {
		if !w.lane.claim() {
			return errOutrun
		}
		w.spoke, w.s.spoke = true, true
	}
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
