package retry

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/delta"
	"github.com/prodailabs/prodai/retry/fault"
)

// A stream is what a call's options ask for, and what the caller has received.
type stream struct {
	o     llms.CallOptions
	spoke bool // the caller has received something
	heard bool // of the last attempt

	said, reason string // all of it, text and reasoning
	kinds               // of the chunks

	resumed int                     // times it was resumed
	cut     *fault.Error            // of the last attempt of which something was received
	before  []*llms.ContentResponse // what is known of the attempts that were cut
}

// kinds reports of some chunks whether there were tool calls among them, choices
// other than the first, or text that wasn't marked as text.
type kinds struct{ tools, several, unmarked bool }

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

// silent reports whether the caller has received nothing.
func (s *stream) silent() bool { return s == nil || !s.spoke }

// A watch is one attempt at a stream: it passes the chunks on, keeps what was
// seen, and ends the attempt when a chunk is late.
type watch struct {
	mu      sync.Mutex // a client may deliver from a goroutine of its own
	over    bool       // the attempt has ended, and late chunks are dropped
	s       *stream
	lane    *lane
	t       Timeouts
	ctx     context.Context
	cancel  context.CancelCauseFunc
	first   *time.Timer
	gap     *time.Timer
	spoke   bool
	in      *admittedStream // nil: no gates
	held    []func() error  // empty chunks, until one that isn't
	text    strings.Builder
	reason  strings.Builder
	refused error // what the caller's callback returned

	resume    *Resume
	listeners []*listener
	noSeam    bool // the model should continue, and didn't
	kinds
}

var errAttemptOver = errors.New("retry: the attempt is over")

func (s *stream) watch(ctx context.Context, l *lane, o *Options) *watch {
	t := o.Timeouts
	w := &watch{s: s, lane: l, t: t, resume: o.Resume}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	if t.FirstToken > 0 {
		w.first = time.AfterFunc(t.FirstToken, func() { w.cancel(&timeoutError{"first token", t.FirstToken}) })
	}
	return w
}

// stop ends the attempt's timers and context. No chunk is delivered after it.
func (w *watch) stop() {
	w.cancel(errAttemptOver)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	for _, t := range []*time.Timer{w.first, w.gap} {
		if t != nil {
			t.Stop()
		}
	}
}

// wrap appends the callbacks that the caller set, wrapped; no other.
func (w *watch) wrap(options []llms.CallOption) []llms.CallOption {
	options = slices.Clip(options)
	text := w.s.o.StreamingFunc
	if text != nil {
		l := w.listener(true, func(ctx context.Context, _, chunk []byte) error { return text(ctx, chunk) })
		options = append(options, llms.WithStreamingFunc(func(ctx context.Context, chunk []byte) error { return l.hear(ctx, nil, chunk) }))
	}
	if f := w.s.o.StreamingReasoningFunc; f != nil {
		l := w.listener(text == nil, f)
		options = append(options, llms.WithStreamingReasoningFunc(l.hear))
	}
	return options
}

// A listener is one of the caller's callbacks, as an attempt sees it.
type listener struct {
	w       *watch
	texts   bool // the text is noted here: with two callbacks it comes twice
	seam    *seam
	ctx     context.Context // of the last chunk
	deliver func(ctx context.Context, reasoning, chunk []byte) error
}

func (w *watch) listener(texts bool, deliver func(ctx context.Context, reasoning, chunk []byte) error) *listener {
	l := &listener{w: w, texts: texts, ctx: w.ctx, deliver: deliver}
	if w.s.resumed > 0 {
		l.seam = newSeam(w.s.said, w.resume.Continuation == ContinuationInstruct)
	}
	w.listeners = append(w.listeners, l)
	return l
}

func (l *listener) hear(ctx context.Context, reasoning, chunk []byte) error {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	if l.w.over {
		return errAttemptOver
	}
	if l.seam == nil {
		return l.pass(ctx, reasoning, chunk)
	}
	d := delta.From(ctx)
	if d.Kind == delta.Reasoning || len(reasoning) > 0 && len(chunk) == 0 {
		l.w.alive(false)
		return nil // the reader is in the middle of the answer
	}
	if l.seam.open {
		return l.pass(ctx, nil, chunk)
	}
	if d.Kind == delta.Tool || d.Choice != 0 { // what was held comes before it
		if err := l.end(); err != nil {
			return err
		}
		return l.pass(ctx, nil, chunk)
	}
	l.ctx = ctx
	rest, ok := l.seam.take(chunk)
	if !ok {
		l.w.noSeam = true
		return errNoSeam
	}
	if len(rest) == 0 {
		l.w.alive(false)
		return nil
	}
	return l.pass(ctx, nil, rest)
}

// end passes on what the seam still held when the stream ended.
func (l *listener) end() error {
	if l.seam == nil {
		return nil
	}
	rest, ok := l.seam.end()
	if !ok {
		l.w.noSeam = true
		return errNoSeam
	}
	if len(rest) == 0 {
		return nil
	}
	return l.pass(l.ctx, nil, rest)
}

func (l *listener) pass(ctx context.Context, reasoning, chunk []byte) error {
	l.w.note(ctx, l.texts, reasoning, chunk)
	return l.w.pass(len(reasoning) == 0 && len(chunk) == 0, func() error { return l.deliver(ctx, reasoning, chunk) })
}

func (w *watch) note(ctx context.Context, texts bool, reasoning, chunk []byte) {
	w.reason.Write(reasoning)
	if !texts || len(chunk) == 0 {
		return
	}
	switch d := delta.From(ctx); {
	case d.Choice != 0:
		w.several = true
	case d.Kind == delta.Tool:
		w.tools = true
	case d.Kind == delta.Text, d.Kind == delta.Unknown:
		w.unmarked = w.unmarked || d.Kind == delta.Unknown
		w.text.Write(chunk)
	}
}

// keep adds what the attempt said to what the caller has received.
func (w *watch) keep() {
	if !w.spoke {
		return
	}
	s := w.s
	s.said += w.text.String()
	s.reason += w.reason.String()
	s.kinds = kinds{s.tools || w.tools, s.several || w.several, s.unmarked || w.unmarked}
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
		w.spoke, w.s.spoke, w.s.heard = true, true, true
		if w.in != nil {
			w.in.firstToken()
		}
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

// end passes on what was still held when the stream had ended well.
func (w *watch) end() error {
	for _, l := range w.listeners {
		if err := l.end(); err != nil {
			return err
		}
	}
	return w.release()
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

// alive restarts the clock; an empty chunk is not a first token.
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

// stopped is the error of a stream that one of the callbacks ended, the
// caller's or the seam's, or nil; err is what the model made of it.
func (w *watch) stopped(resp *llms.ContentResponse, err error) *fault.Error {
	switch {
	case w.refused != nil:
		e := fault.New(fault.ClassCanceled, joined(err, w.refused))
		e.Partial = w.partial(resp)
		return e
	case w.noSeam:
		return fault.New(fault.ClassUnknown, joined(err, errNoSeam))
	}
	return nil
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
