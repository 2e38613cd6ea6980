package openai

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/prodailabs/prodai/internal/callopt"
	"github.com/prodailabs/prodai/internal/delta"
)

// streams reports whether the caller asks for a stream.
func streams(o *callopt.Options) bool {
	return o.StreamingFunc != nil || o.StreamingReasoningFunc != nil
}

// answer reads an answer in any form.
func (c *client) answer(ctx context.Context, resp *http.Response, o *callopt.Options, hangUp context.CancelFunc) (*answer, error) {
	if streams(o) {
		return c.stream(ctx, resp, resp.Body, o, hangUp)
	}
	data, err := c.read(ctx, resp, resp.Body)
	if err != nil {
		return nil, err
	}
	if isEvents(data) { // some servers only stream
		return c.stream(ctx, resp, bytes.NewReader(data), o, hangUp)
	}
	a, _, err := c.parse(ctx, resp, data)
	return a, err
}

// isEvents reports whether a body begins as an event stream does.
func isEvents(body []byte) bool {
	body = bytes.TrimLeft(body, " \t\r\n")
	return bytes.HasPrefix(body, []byte("data:")) || bytes.HasPrefix(body, []byte("event:")) || bytes.HasPrefix(body, []byte(":"))
}

// isLines reports whether a body is chunks as bare JSON, one a line.
func isLines(body []byte) bool {
	first, rest, _ := bytes.Cut(bytes.TrimLeft(body, " \t\r\n"), []byte("\n"))
	if len(bytes.TrimSpace(rest)) == 0 {
		return false
	}
	_, data := bareEvent(bytes.TrimRight(first, "\r"), nil, nil)
	return data != nil
}

// stream reads an answer as server-sent events, passing each delta to the
// caller as it comes. body is that of resp, or what was read of it.
func (c *client) stream(ctx context.Context, resp *http.Response, body io.Reader, o *callopt.Options, hangUp context.CancelFunc) (*answer, error) {
	out := &speaker{o: o, contexts: delta.NewContexts(ctx)}
	a := &answer{}
	fail := func(err error, data []byte) error {
		e := new(Error)
		if !errors.As(err, &e) {
			e = c.brokenError(ctx, resp, err, data)
		}
		if a.spoken() {
			e.partial = a.response(resp.Header)
		}
		return e
	}
	lines := newEvents(body, c.o.MaxLineBytes)
	switch lines.opening() { // the content type may be wrong, so the first byte decides
	case '{', '[', '<', '"':
		data, err := c.read(ctx, resp, lines)
		if err != nil {
			return nil, err
		}
		if !isLines(data) {
			return c.whole(ctx, resp, data, out)
		}
		lines = newEvents(bytes.NewReader(data), c.o.MaxLineBytes)
	}
	for {
		name, data, closed, err := lines.next()
		switch {
		case errors.Is(err, io.EOF):
			return c.end(a, resp, lines, fail, false)
		case errors.Is(err, ErrTooLarge):
			return nil, fail(err, nil)
		case err != nil:
			return nil, fail(fmt.Errorf("%w: %w", ErrIncompleteStream, err), nil)
		}
		switch string(bytes.TrimSpace(data)) {
		case "[DONE]":
			_, err := c.end(a, resp, lines, fail, true)
			if err == nil {
				settle(body, hangUp)
			}
			return a, err
		case "":
			continue // some proxies keep the connection open in this way
		}
		var chunk completion
		if err := c.chunk(resp, name, data, closed, &chunk); err != nil {
			return nil, fail(err, data)
		}
		a.add(&chunk)
		if err = out.deltas(&chunk); err == nil {
			err = ctx.Err() // the callback may have canceled it
		}
		if err != nil {
			return nil, fail(err, nil)
		}
	}
}

// chunk reads the data of an event.
func (c *client) chunk(resp *http.Response, name string, data []byte, closed bool, into *completion) error {
	err := decode(data, into)
	switch {
	case err != nil && !closed:
		return fmt.Errorf("%w: %w", ErrIncompleteStream, io.ErrUnexpectedEOF)
	case name == "error", err == nil && into.failed():
		return c.inBandError(resp, data)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return nil
}

// end decides whether a stream that ended is an answer: each choice has the
// reason why it ended. The mark [DONE] alone isn't enough: a proxy sends it after a
// cut as well.
func (c *client) end(a *answer, resp *http.Response, lines *events, fail func(error, []byte) error, done bool) (*answer, error) {
	odd := lines.odd
	switch {
	case len(a.choices) == 0 && len(odd) > 0:
		return nil, fail(fmt.Errorf("%w: it is not an event stream: %s", ErrMalformed, beginning(string(odd))), odd)
	case len(a.choices) == 0 && done:
		return nil, fail(ErrEmpty, nil)
	case len(a.choices) == 0:
		return nil, fail(fmt.Errorf("%w: %w", ErrIncompleteStream, ErrEmpty), nil)
	case a.broken() != nil:
		return nil, c.stopError(resp, a, a.broken(), nil)
	case a.unfinished():
		return nil, fail(fmt.Errorf("%w: no finish_reason came", ErrIncompleteStream), odd)
	}
	return a, nil
}

// whole passes on an answer that came in one piece though a stream was asked
// for; some servers do so.
func (c *client) whole(ctx context.Context, resp *http.Response, data []byte, out *speaker) (*answer, error) {
	a, body, err := c.parse(ctx, resp, data)
	if err != nil {
		return nil, err
	}
	if err := out.deltas(body); err != nil {
		e := c.brokenError(ctx, resp, err, nil)
		e.partial = a.response(resp.Header)
		return nil, e
	}
	return a, nil
}

// A speaker passes deltas to the caller's streaming functions. Text and tool deltas
// go to each function that is set, and reasoning only to the reasoning function.
// The context has the kind of each delta.
type speaker struct {
	o        *callopt.Options
	contexts *delta.Contexts
}

func (s *speaker) deltas(c *completion) error {
	for i := range c.Choices {
		w := &c.Choices[i]
		if w.Delta == nil {
			continue
		}
		if thought := w.Delta.thought(); thought != "" && s.o.StreamingReasoningFunc != nil {
			ctx := s.contexts.Of(delta.Delta{Kind: delta.Reasoning, Choice: w.Index})
			if err := s.o.StreamingReasoningFunc(ctx, []byte(thought), nil); err != nil {
				return stopped(err)
			}
		}
		if w.Delta.Content != nil && *w.Delta.Content != "" {
			if err := s.say(delta.Delta{Kind: delta.Text, Choice: w.Index}, *w.Delta.Content); err != nil {
				return err
			}
		}
		calls := w.Delta.ToolCalls
		if f := w.Delta.FunctionCall; f != nil && *f != (functionDelta{}) {
			calls = append(slices.Clip(calls), toolDelta{Index: new(int), Type: "function", Function: *f})
		}
		if len(calls) > 0 {
			raw, err := json.Marshal(calls)
			if err != nil { // what was just read can be written
				return fmt.Errorf("%w: %w", ErrMalformed, err)
			}
			if err := s.say(delta.Delta{Kind: delta.Tool, Choice: w.Index}, string(raw)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *speaker) say(d delta.Delta, chunk string) error {
	ctx := s.contexts.Of(d)
	if s.o.StreamingFunc != nil {
		if err := s.o.StreamingFunc(ctx, []byte(chunk)); err != nil {
			return stopped(err)
		}
	}
	if s.o.StreamingReasoningFunc != nil {
		if err := s.o.StreamingReasoningFunc(ctx, nil, []byte(chunk)); err != nil {
			return stopped(err)
		}
	}
	return nil
}

func stopped(err error) error { return fmt.Errorf("%w: %w", ErrCallback, err) }
