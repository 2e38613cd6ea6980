package guard

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/delta"
)

// wrapCallbacks returns the call's options, in which the guard wraps the callbacks that
// the caller has set.
func (a *answer) wrapCallbacks(options []llms.CallOption) []llms.CallOption {
	acting := slices.ContainsFunc(a.p.checks[StageOutput], func(c Check) bool { return c.Policy.acts() })
	if !acting && !a.checksCalls() {
		return options
	}
	options = slices.Clip(options)
	if text := a.o.StreamingFunc; text != nil {
		options = append(options, llms.WithStreamingFunc(func(ctx context.Context, chunk []byte) error {
			return a.receive(ctx, streamID{via: viaText, d: delta.From(ctx)}, chunk, text)
		}))
	}
	if reasoning := a.o.StreamingReasoningFunc; reasoning != nil {
		first := func(ctx context.Context, b []byte) error { return reasoning(ctx, b, nil) }
		second := func(ctx context.Context, b []byte) error { return reasoning(ctx, nil, b) }
		options = append(options, llms.WithStreamingReasoningFunc(func(ctx context.Context, thought, chunk []byte) error {
			d := delta.From(ctx)
			if len(thought) > 0 {
				if err := a.receive(ctx, streamID{viaThought, delta.Delta{Kind: delta.Reasoning, Choice: d.Choice}}, thought, first); err != nil {
					return err
				}
			}
			if len(chunk) > 0 {
				return a.receive(ctx, streamID{viaBoth, d}, chunk, second)
			}
			return nil
		}))
	}
	return options
}

// A via is the callback that a stream goes to.
type via uint8

const (
	viaText    via = iota // the text callback
	viaThought            // the reasoning callback's first argument
	viaBoth               // its second
)

// A streamID identifies one of the streams of a call.
type streamID struct {
	via via
	d   delta.Delta
}

// A stream is the chunks of one kind and choice on their way to one callback.
//
// A chunk of unknown kind is checked as text, and also as tool-call deltas if it
// looks like these. From the first such chunk on, the stream waits for the decision
// on the calls. A stream that may mix several choices waits too.
type stream struct {
	a       *answer
	id      streamID
	emit    func(context.Context, []byte) error
	ctx     context.Context // of the last chunk, for what is released later
	gate    *gate           // of text; nil for tool deltas
	passed  strings.Builder // the text that passed the gate
	waiting []string        // of that, what waits for the end
	wait    bool
	mixed   bool     // it may contain several choices
	tools   [][]byte // chunks that are tool deltas
	closed  bool
	calls   []toolDelta // the calls in tools that may pass
	changed bool        // they differ from those that came
}

// receive takes a chunk of the wrapped model. An error stops that model's stream.
func (a *answer) receive(ctx context.Context, id streamID, chunk []byte, emit func(context.Context, []byte) error) error {
	if a.stopped != nil {
		return a.stopped
	}
	unknown := id.d.Kind == delta.Unknown
	if unknown {
		id.d.Kind = delta.Text // one stream, if a model marks some of its chunks only
	}
	i := slices.IndexFunc(a.streams, func(s *stream) bool { return s.id == id })
	if i < 0 {
		i = len(a.streams)
		s := &stream{a: a, id: id, emit: emit}
		if id.d.Kind != delta.Tool {
			s.gate = a.output.gate()
		}
		a.streams = append(a.streams, s)
	}
	s := a.streams[i]
	s.ctx = ctx
	if unknown {
		s.mixed = s.mixed || max(a.o.N, a.o.CandidateCount) > 1
		if a.checksCalls() && isTools(chunk) {
			s.tools = append(s.tools, bytes.Clone(chunk))
		}
		s.wait = s.mixed || len(s.tools) > 0
	}
	return s.receive(chunk)
}

func (s *stream) receive(chunk []byte) error {
	if s.gate == nil {
		if !s.a.checksCalls() {
			return s.emit(s.ctx, chunk)
		}
		s.tools = append(s.tools, bytes.Clone(chunk))
		return nil
	}
	text, err := s.gate.write(string(chunk))
	if err != nil {
		return s.halt(err)
	}
	if len(s.gate.lanes) == 0 && text == "" {
		return s.emit(s.ctx, chunk) // an empty chunk, of a text that isn't checked
	}
	return s.pass(text)
}

// pass hands text on, or lets it wait.
func (s *stream) pass(text string) error {
	if text == "" {
		return nil
	}
	s.passed.WriteString(text)
	if s.wait {
		s.waiting = append(s.waiting, text)
		return nil
	}
	return s.emit(s.ctx, []byte(text))
}

// halt ends the call with the verdict that closed the gate.
func (s *stream) halt(err error) error {
	var h *halt
	if !errors.As(err, &h) {
		return err
	}
	where := nowhere(s.id.d.Kind.String())
	where.Choice = s.id.d.Choice
	v := Verdict{Stage: StageOutput, Check: h.lane.check.Name, Location: where, Findings: h.lane.found, Err: h.err}
	if h.err != nil {
		v.Findings = nil
		if ctxErr := s.a.ctx.Err(); ctxErr != nil {
			s.a.stopped = ctxErr
			return ctxErr
		}
	}
	s.a.stopped = s.a.output.block(v)
	return s.a.stopped
}

// close ends the stream's text. What is left of it is decided, and released by
// finish.
func (s *stream) close() error {
	if s.gate == nil || s.closed {
		return nil
	}
	s.closed = true
	text, err := s.gate.close()
	if err != nil {
		return s.halt(err)
	}
	if text != "" {
		s.passed.WriteString(text)
		s.waiting = append(s.waiting, text)
	}
	return nil
}

// settle decides what the stream still holds back.
func (s *stream) settle() (err error) {
	if err := s.close(); err != nil {
		return err
	}
	s.calls, s.changed, err = s.passCalls()
	return err
}

// finish releases what the stream still holds back, now that the whole answer has
// passed.
func (s *stream) finish() error {
	if s.gate != nil && (s.changed || s.mixed && s.a.rewrote) {
		return nil // what is to be removed can't be separated from the rest
	}
	held := s.tools
	switch {
	case s.gate != nil:
		held = nil
		for _, text := range s.waiting {
			held = append(held, []byte(text))
		}
	case s.changed && len(s.calls) == 0:
		held = nil
	case s.changed:
		b, err := json.Marshal(s.calls)
		if err != nil {
			return err
		}
		held = [][]byte{b}
	}
	for _, chunk := range held {
		if err := s.emit(s.ctx, chunk); err != nil {
			return err
		}
	}
	return nil
}

// passCalls puts the tool deltas together and checks the calls, since they may differ
// from those of the answer. It returns the calls that may pass, as deltas, and
// whether they differ from those that came.
func (s *stream) passCalls() (passed []toolDelta, changed bool, err error) {
	calls, err := assemble(s.tools)
	if err != nil {
		v := Verdict{Stage: StageToolCall, Check: "tools", Location: nowhere("arguments"), Findings: []Finding{{
			Kind: KindToolMalformed, Score: 1, Reason: "tool-call deltas that can't be read can't be checked", Threats: threatsOf(KindToolMalformed)}}}
		return nil, false, s.a.calls.block(v)
	}
	seen := tally{}
	for _, d := range calls {
		before := llms.FunctionCall{Name: d.Function.Name, Arguments: d.Function.Arguments}
		after, err := s.a.toolCall(s.id.d.Choice, &before, seen)
		if err != nil {
			return nil, false, err
		}
		if after == nil {
			changed = true
			continue
		}
		changed = changed || *after != before
		d.Function.Arguments = after.Arguments
		d.Index = len(passed)
		passed = append(passed, d)
	}
	return passed, changed, nil
}
