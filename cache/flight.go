package cache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/delta"
	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/internal/llmcopy"
	"github.com/prodailabs/prodai/internal/wrap"
)

// errLookAgain ends a flight for a reason that is not the follower's: an equal
// flight has just stored its answer, or the deadline was another caller's.
var errLookAgain = errors.New("look again")

// A flightKey names calls that can share one call of the model: equal ones
// that want to be streamed to in the same way.
type flightKey struct {
	key             Key
	text, reasoning bool
}

// A flight is one call of the model that several callers may follow. It runs on a
// context of its own, so that it goes on after its first caller has left, while
// others wait.
type flight struct {
	ctx    context.Context
	cancel context.CancelFunc

	mu       sync.Mutex
	chunks   []Chunk
	changed  chan struct{} // closed at the next change
	done     bool
	response *llms.ContentResponse
	err      error
	panicked any

	waiters int         // under Model.mu
	erase   []Selection // under Model.mu: what was erased since it began
	began   time.Time
}

// join returns the flight of an equal call in progress, or begins one.
func (m *Model) join(c *call) (f *flight, first bool) {
	key := flightKey{c.key, c.o.StreamingFunc != nil, c.o.StreamingReasoningFunc != nil}
	m.mu.Lock()
	defer m.mu.Unlock()
	if f, ok := m.flights[key]; ok {
		f.waiters++
		return f, false
	}
	f = &flight{changed: make(chan struct{}), waiters: 1, began: m.o.Now()}
	detached := context.WithoutCancel(c.ctx)
	if d, ok := c.ctx.Deadline(); ok { // the wrapped model may plan by it
		f.ctx, f.cancel = context.WithDeadline(detached, d)
	} else {
		f.ctx, f.cancel = context.WithCancel(detached)
	}
	m.flights[key], m.running[f] = f, true
	// The caller may leave early and reuse its slices.
	began := *c
	began.messages = llmcopy.Messages(c.messages)
	began.options = slices.Clip(slices.Clone(c.options))
	go m.fly(&began, f, key)
	return f, true
}

// leave ends one caller's following; the last caller ends the flight.
func (m *Model) leave(f *flight) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f.waiters--
	if f.waiters == 0 {
		f.cancel()
		for key, other := range m.flights {
			if other == f {
				delete(m.flights, key)
			}
		}
	}
}

// fly asks the model and passes its chunks to the callers that follow the flight.
func (m *Model) fly(c *call, f *flight, key flightKey) {
	var r *llms.ContentResponse
	var err error
	ended := false
	defer func() {
		p := recover()
		if !ended && p == nil && err == nil { // runtime.Goexit, as a test's FailNow calls it
			err = errors.New("cache: the model's goroutine ended without an answer")
		}
		m.mu.Lock()
		delete(m.running, f)
		if m.flights[key] == f {
			delete(m.flights, key)
		}
		m.mu.Unlock()
		f.change(func() { f.done, f.response, f.err, f.panicked = true, r, err, p })
		f.cancel()
	}()
	if m.justStored(c) {
		err, ended = errLookAgain, true
		return
	}
	unlock, elsewhere := m.lock(f.ctx, c)
	defer unlock()
	if elsewhere {
		err, ended = errLookAgain, true
		return
	}
	m.count(misses)
	level, attrs := slog.LevelInfo, []any{event.Key, c.key.short(), event.Model, c.model}
	if c.storeFailed {
		level, attrs = slog.LevelWarn, append(attrs, event.Reason, "store failed")
	}
	m.o.Logger.Log(f.ctx, level, event.CacheMiss, attrs...)
	options := c.options
	if key.text {
		options = append(options, llms.WithStreamingFunc(func(ctx context.Context, chunk []byte) error {
			return f.record(Chunk{After: m.o.Now().Sub(f.began), Data: bytes.Clone(chunk), Delta: delta.From(ctx)})
		}))
	}
	if key.reasoning {
		options = append(options, llms.WithStreamingReasoningFunc(func(ctx context.Context, thought, chunk []byte) error {
			return f.record(Chunk{After: m.o.Now().Sub(f.began), Both: true, Thought: bytes.Clone(thought), Data: bytes.Clone(chunk), Delta: delta.From(ctx)})
		}))
	}
	r, err = m.next.GenerateContent(f.ctx, c.messages, options...)
	ended = true
	if err != nil && f.ctx.Err() == nil {
		m.remember(c.key, f, err)
	}
	if err != nil || r == nil || f.ctx.Err() != nil {
		return
	}
	var rec *Recording
	if key.text || key.reasoning {
		rec = &Recording{Text: key.text, Reasoning: key.reasoning, Chunks: f.chunks}
	}
	m.store(c, f, llmcopy.Response(r), rec)
}

// justStored reports whether an equal flight ended between the caller's look into
// the store and its joining: flights store first and leave the table after. A store
// in another process isn't asked twice for that rare case.
func (m *Model) justStored(c *call) bool {
	s, ok := m.o.Store.(LocalStore)
	return ok && s.Local() && m.lookup(c) != nil
}

func (f *flight) change(set func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	set()
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *flight) record(c Chunk) error {
	if err := f.ctx.Err(); err != nil { // no caller is left
		return err
	}
	f.change(func() { f.chunks = append(f.chunks, c) })
	return nil
}

// follow passes a flight's chunks to the caller and returns a copy of its
// response.
func (m *Model) follow(c *call, f *flight) (*llms.ContentResponse, error) {
	defer m.leave(f)
	out := newOutlet(c)
	for next := 0; ; {
		f.mu.Lock()
		chunks, done, changed := f.chunks[next:], f.done, f.changed
		f.mu.Unlock()
		for _, chunk := range chunks {
			if err := out.send(chunk); err != nil {
				return nil, err
			}
		}
		next += len(chunks)
		c.spoke = c.spoke || next > 0
		if done {
			return f.end(c, next > 0)
		}
		select {
		case <-changed:
		case <-c.ctx.Done():
			return nil, wrap.ContextError(c.ctx, context.Cause(c.ctx))
		}
	}
}

// end returns the outcome of a flight that is done.
func (f *flight) end(c *call, spoke bool) (*llms.ContentResponse, error) {
	switch {
	case f.panicked != nil:
		panic(f.panicked) // as it would have without a cache
	case errors.Is(f.err, errLookAgain):
		return nil, errLookAgain
	case f.err != nil && errors.Is(f.ctx.Err(), context.DeadlineExceeded):
		if hasMoreTime(c.ctx, f.ctx) && !spoke {
			return nil, errLookAgain // the deadline was another caller's
		}
		return nil, fmt.Errorf("cache: %w: %w", context.DeadlineExceeded, f.err)
	case f.err != nil:
		return nil, wrap.ContextError(c.ctx, f.err)
	case f.response == nil:
		return nil, nil
	}
	return llmcopy.Response(f.response), nil
}

// hasMoreTime reports whether ctx goes on after the deadline of other.
func hasMoreTime(ctx, other context.Context) bool {
	mine, limited := ctx.Deadline()
	theirs, _ := other.Deadline()
	return !limited || mine.After(theirs)
}

// An outlet passes chunks to a caller's streaming functions.
type outlet struct {
	call     *call
	contexts *delta.Contexts
}

func newOutlet(c *call) *outlet {
	return &outlet{c, delta.NewContexts(c.ctx)}
}

// send gives the caller its own copy of a chunk.
func (o *outlet) send(c Chunk) error {
	if err := o.call.ctx.Err(); err != nil {
		return wrap.ContextError(o.call.ctx, err)
	}
	ctx := o.call.ctx
	if c.Delta != (delta.Delta{}) {
		ctx = o.contexts.Of(c.Delta)
	}
	if c.Both != (o.call.o.StreamingReasoningFunc != nil) && (c.Both || o.call.o.StreamingFunc == nil) {
		return nil // a damaged recording: the caller has no function for this chunk
	}
	if c.Both {
		return o.call.o.StreamingReasoningFunc(ctx, bytes.Clone(c.Thought), bytes.Clone(c.Data))
	}
	return o.call.o.StreamingFunc(ctx, bytes.Clone(c.Data))
}

// replay streams a stored answer to a caller that asks for a stream: as it was
// recorded, or from the text if it wasn't recorded in the caller's way.
func (m *Model) replay(c *call, e *Entry, r *llms.ContentResponse) error {
	text, reasoning := c.o.StreamingFunc != nil, c.o.StreamingReasoningFunc != nil
	if !text && !reasoning {
		return nil
	}
	chunks := whole(r, text, reasoning)
	if s := e.Stream; s != nil && s.Text == text && s.Reasoning == reasoning {
		chunks = s.Chunks
	}
	out := newOutlet(c)
	var before time.Duration
	for i, chunk := range chunks {
		if i > 0 && m.o.Pace > 0 {
			if err := pause(c.ctx, time.Duration(float64(chunk.After-before)/m.o.Pace)); err != nil {
				return err
			}
		}
		before = chunk.After
		if err := out.send(chunk); err != nil {
			return err
		}
	}
	return nil
}

// maxPause bounds a pause: a recording may be damaged.
const maxPause = 5 * time.Second

// pause waits, or returns the error of the context if that ends earlier.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(min(d, maxPause))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return wrap.ContextError(ctx, context.Cause(ctx))
	}
}

// whole makes the chunks of an answer that was not streamed.
func whole(r *llms.ContentResponse, text, reasoning bool) []Chunk {
	var out []Chunk
	for i, c := range r.Choices {
		if c == nil {
			continue
		}
		if c.ReasoningContent != "" && reasoning {
			out = append(out, Chunk{Both: true, Thought: []byte(c.ReasoningContent), Delta: delta.Delta{Kind: delta.Reasoning, Choice: i}})
		}
		if c.Content == "" {
			continue
		}
		d := delta.Delta{Kind: delta.Text, Choice: i}
		if text { // each function that is set gets the whole answer
			out = append(out, Chunk{Data: []byte(c.Content), Delta: d})
		}
		if reasoning {
			out = append(out, Chunk{Both: true, Data: []byte(c.Content), Delta: d})
		}
	}
	return out
}
