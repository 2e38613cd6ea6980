package cache

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/delta"
	"github.com/prodailabs/prodai/internal/usage"
)

type modelOf func(context.Context, ...llms.CallOption) (*llms.ContentResponse, error)

func (f modelOf) GenerateContent(ctx context.Context, _ []llms.MessageContent, o ...llms.CallOption) (*llms.ContentResponse, error) {
	return f(ctx, o...)
}
func (f modelOf) Call(context.Context, string, ...llms.CallOption) (string, error) {
	return "", nil
}

func answerOf(text string) *llms.ContentResponse {
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: text, StopReason: "stop", GenerationInfo: map[string]any{"PromptTokens": 3, "CompletionTokens": 4, "TotalTokens": 7}}}}
}

// jsonStore is a store in another process, as in the Example.
type jsonStore struct {
	mu   sync.Mutex
	data map[Key][]byte
}

func (s *jsonStore) Get(_ context.Context, k Key) (*Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.data[k]
	if !ok {
		return nil, nil
	}
	var e Entry
	if err := json.Unmarshal(b, &e); err != nil {
		return nil, err
	}
	return &e, nil
}
func (s *jsonStore) Put(_ context.Context, k Key, e *Entry) error {
	b, err := json.Marshal(e)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.data == nil {
		s.data = map[Key][]byte{}
	}
	s.data[k] = b
	return nil
}

var hello = []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "hello")}

// An answer comes back through JSON as it went in: text, tools, usage, chunks.
func TestEntryThroughJSON(t *testing.T) {
	full := &llms.ContentResponse{Choices: []*llms.ContentChoice{
		{Content: "a\u2028<b>\x00 \xff", ReasoningContent: "why", StopReason: "tool_calls", GenerationInfo: map[string]any{"PromptTokens": 3, "CompletionTokens": 1 << 20, "ID": "x", "nested": map[string]any{"n": 1}, "list": []string{"a"}},
			ToolCalls: []llms.ToolCall{{ID: "1", Type: "function", FunctionCall: &llms.FunctionCall{Name: "f", Arguments: `{"a":1}`}}}, FuncCall: &llms.FunctionCall{Name: "f", Arguments: "{}"}},
		{Content: "second", StopReason: "stop"},
	}}
	e := &Entry{Response: full, Stream: &Recording{Text: true, Reasoning: true, Chunks: []Chunk{{Data: []byte("a"), Delta: delta.Delta{Kind: delta.Text, Choice: 1}}, {Both: true, Thought: []byte("w")}, {}}}, Model: "m", Stored: time.Now(), Expires: time.Now().Add(time.Hour)}
	b, err := json.Marshal(e)
	require.NoError(t, err)
	var back Entry
	require.NoError(t, json.Unmarshal(b, &back))
	c, d := full.Choices[0], back.Response.Choices[0]
	require.Equal(t, c.ToolCalls, d.ToolCalls)
	require.Equal(t, c.FuncCall, d.FuncCall)
	require.Equal(t, c.ReasoningContent, d.ReasoningContent)
	require.Equal(t, c.StopReason, d.StopReason)
	require.Equal(t, e.Stream.Chunks[0], back.Stream.Chunks[0])
	require.Equal(t, e.Stream.Chunks[1], back.Stream.Chunks[1])
	want, err := usage.Of(full)
	require.NoError(t, err)
	got, err := usage.Of(back.Response)
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Equal(t, c.Content, d.Content, "the text is another one")
}

func TestEntryOfOneChoiceWithoutContent(t *testing.T) {
	for _, c := range []*llms.ContentChoice{nil, {}, {StopReason: "stop"}} {
		s := &jsonStore{}
		m, err := New(modelOf(func(context.Context, ...llms.CallOption) (*llms.ContentResponse, error) {
			return &llms.ContentResponse{Choices: []*llms.ContentChoice{c, c}}, nil
		}), &Options{Store: s, Model: "m", Policy: Policy{StoreLength: true, StoreUnreported: true, SideEffects: func(string) bool { return false }}})
		require.NoError(t, err)
		for range 2 {
			require.NotPanics(t, func() { _, _ = m.GenerateContent(t.Context(), hello) })
		}
		require.Zero(t, m.Stats().Hits)
	}
}

// Damaged entries of a store in another process cause no panic.
func TestDamagedEntries(t *testing.T) {
	for _, damaged := range []string{`null`, `{}`, `{"choices":[]}`, `{"choices":null}`, `{"choices":[null]}`, `{"choices":[{}],"stream":{"Text":true,"Chunks":[{"Both":true,"Data":"YQ=="}]}}`,
		`{"choices":[{}],"stream":{"Text":true,"Chunks":[{"Delta":{"Kind":200,"Choice":-1},"Data":"YQ=="}]}}`, `{"choices":[{}],"stream":{"Text":true,"Chunks":null}}`} {
		t.Run(damaged, func(t *testing.T) {
			s := &jsonStore{data: map[Key][]byte{}}
			m, err := New(modelOf(func(context.Context, ...llms.CallOption) (*llms.ContentResponse, error) {
				return answerOf("x"), nil
			}), &Options{Store: s, Model: "m"})
			require.NoError(t, err)
			for _, o := range [][]llms.CallOption{nil, {llms.WithStreamingFunc(func(context.Context, []byte) error { return nil })}} {
				k, err := KeyOf(Scope{Model: "m"}, hello, o...)
				require.NoError(t, err)
				s.data[k] = []byte(damaged)
				var r *llms.ContentResponse
				require.NotPanics(t, func() { r, err = m.GenerateContent(t.Context(), hello, o...) })
				if err == nil && (r == nil || len(r.Choices) == 0 || r.Choices[0] == nil) {
					t.Errorf("a hit without an answer: %+v", r)
				}
			}
		})
	}
}

func TestMemoryOddEntries(t *testing.T) {
	m, _ := NewMemory(1 << 20)
	for name, e := range map[string]*Entry{"nil": nil, "no response": {}, "nil choice": {Response: &llms.ContentResponse{Choices: []*llms.ContentChoice{nil}}}} {
		t.Run(name, func(t *testing.T) {
			require.NotPanics(t, func() {
				_ = m.Put(t.Context(), Key{1}, e)
				_, _ = m.Get(t.Context(), Key{1})
				m.Expire(t.Context(), Key{1}, time.Now())
			})
		})
	}
	require.NotPanics(t, func() { m.Delete(nil) })
}

// When a newer answer is too large, the older one must not stay.
func TestMemoryTooLargeReplaces(t *testing.T) {
	m, _ := NewMemory(2000)
	require.NoError(t, m.Put(t.Context(), Key{1}, &Entry{Response: answerOf("old")}))
	require.NoError(t, m.Put(t.Context(), Key{1}, &Entry{Response: answerOf(strings.Repeat("new", 1000))}))
	e, _ := m.Get(t.Context(), Key{1})
	require.Nil(t, e, "the older answer")
}

func TestMemoryZero(t *testing.T) {
	require.NotPanics(t, func() {
		var m Memory
		m.Len()
		_, _ = m.Get(t.Context(), Key{})
		m.Delete(func(Key, *Entry) bool { return true })
	})
	require.NotPanics(t, func() { var m Memory; m.room = 0; _ = m.Put(t.Context(), Key{}, &Entry{Response: answerOf("x")}) })
}

// What Memory counts as the size of an entry: chunks, tool calls, generation info.
func TestMemoryBound(t *testing.T) {
	m, _ := NewMemory(1 << 20)
	e := &Entry{Response: &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "x", StopReason: "stop", GenerationInfo: map[string]any{"raw": strings.Repeat("x", 1<<20)}}}}}
	for i := range 50 {
		require.NoError(t, m.Put(t.Context(), Key{byte(i)}, e))
	}
	require.Less(t, m.Len(), 3, "fifty entries of a megabyte in a store of one")
}

// Goexit in the model (a test's FailNow) must not look like success.
func TestGoexit(t *testing.T) {
	m, err := New(modelOf(func(context.Context, ...llms.CallOption) (*llms.ContentResponse, error) {
		runtime.Goexit()
		return nil, nil
	}), nil)
	require.NoError(t, err)
	r, err := m.GenerateContent(t.Context(), hello)
	require.False(t, r == nil && err == nil, "neither an answer nor an error")
}

// A follower whose own deadline is later must not get the first caller's.
func TestFollowersDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		m, err := New(modelOf(func(ctx context.Context, _ ...llms.CallOption) (*llms.ContentResponse, error) {
			calls.Add(1)
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(100 * time.Millisecond):
				return answerOf("x"), nil
			}
		}), nil)
		require.NoError(t, err)
		short, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		defer cancel()
		var wait sync.WaitGroup
		wait.Go(func() {
			_, err := m.GenerateContent(short, hello)
			require.ErrorIs(t, err, context.DeadlineExceeded)
		})
		time.Sleep(10 * time.Millisecond)
		for range 5 {
			wait.Go(func() { _, err := m.GenerateContent(t.Context(), hello); require.NoError(t, err) })
		}
		wait.Wait()
		require.EqualValues(t, 2, calls.Load())
	})
}

type failing struct {
	*Memory
	get, put func() error
}

func (f failing) Get(ctx context.Context, k Key) (*Entry, error) {
	if err := f.get(); err != nil {
		return nil, err
	}
	return f.Memory.Get(ctx, k)
}
func (f failing) Put(ctx context.Context, k Key, e *Entry) error {
	if err := f.put(); err != nil {
		return err
	}
	return f.Memory.Put(ctx, k, e)
}

func TestFlightStorm(t *testing.T) {
	mem, _ := NewMemory(4096)
	maybe := func() error {
		if rand.IntN(5) == 0 {
			return errors.New("store")
		}
		return nil
	}
	m, err := New(modelOf(func(ctx context.Context, o ...llms.CallOption) (*llms.ContentResponse, error) {
		var c llms.CallOptions
		for _, f := range o {
			f(&c)
		}
		for i := range 3 {
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(time.Duration(rand.IntN(500)) * time.Microsecond):
			}
			if c.StreamingFunc != nil {
				if err := c.StreamingFunc(ctx, []byte(fmt.Sprint(i))); err != nil {
					return nil, err
				}
			}
		}
		switch rand.IntN(10) {
		case 0:
			panic("boom")
		case 1:
			return nil, errors.New("down")
		case 2:
			return nil, nil
		}
		return answerOf("012"), nil
	}), &Options{Store: failing{mem, maybe, maybe}, Model: "m", TTL: time.Millisecond, Normalize: func(ctx context.Context, s string) string { return strings.ToLower(s) }})
	require.NoError(t, err)
	var wait sync.WaitGroup
	for range 16 {
		wait.Go(func() {
			for range 100 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.IntN(3000))*time.Microsecond)
				func() {
					defer func() { _ = recover() }()
					var got strings.Builder
					o := []llms.CallOption{}
					if rand.IntN(2) == 0 {
						o = append(o, llms.WithStreamingFunc(func(_ context.Context, b []byte) error { got.Write(b); return nil }))
					}
					q := llms.TextParts(llms.ChatMessageTypeHuman, []string{"a", "A", "b"}[rand.IntN(3)])
					r, err := m.GenerateContent(ctx, []llms.MessageContent{q}, o...)
					if err == nil && r != nil && len(o) > 0 && got.String() != "012" {
						t.Errorf("streamed %q", got.String())
					}
				}()
				cancel()
			}
		})
	}
	wait.Wait()
	require.Eventually(t, func() bool { m.mu.Lock(); defer m.mu.Unlock(); return len(m.flights) == 0 }, time.Minute, time.Millisecond)
}

func TestNormalizePanics(t *testing.T) {
	m, err := New(modelOf(func(context.Context, ...llms.CallOption) (*llms.ContentResponse, error) {
		return answerOf("x"), nil
	}),
		&Options{Normalize: func(context.Context, string) string { panic("normalize") }})
	require.NoError(t, err)
	require.Panics(t, func() { _, _ = m.GenerateContent(t.Context(), hello) })
}

// Normalized texts must still keep the borders of the parts.
func TestNormalizeBorders(t *testing.T) {
	empty := func(string) string { return "" }
	a, err := KeyOf(Scope{Normalize: empty}, []llms.MessageContent{llms.TextParts("human", "a", "b")})
	require.NoError(t, err)
	b, err := KeyOf(Scope{Normalize: empty}, []llms.MessageContent{llms.TextParts("human", "a")})
	require.NoError(t, err)
	require.NotEqual(t, a, b)
	x, err := KeyOf(Scope{}, []llms.MessageContent{{Role: "human", Parts: []llms.ContentPart{llms.TextContent{Text: "a"}}}, {Role: "role", Parts: nil}})
	require.NoError(t, err)
	y, err := KeyOf(Scope{}, []llms.MessageContent{{Role: "human", Parts: []llms.ContentPart{llms.TextContent{Text: "a"}, llms.TextContent{Text: "role"}}}})
	require.NoError(t, err)
	require.NotEqual(t, x, y)
	require.NotPanics(t, func() {
		_, _ = KeyOf(Scope{}, []llms.MessageContent{{Parts: []llms.ContentPart{nil, llms.CachedContent{}}}})
	})
}

// A stored tool call, from a store that encodes entries with encoding/json as the
// package says, has the name and the arguments that it had.
func TestToolCallFromAJSONStore(t *testing.T) {
	m, err := New(modelOf(func(context.Context, ...llms.CallOption) (*llms.ContentResponse, error) {
		return &llms.ContentResponse{Choices: []*llms.ContentChoice{{StopReason: "tool_calls", ToolCalls: []llms.ToolCall{{ID: "1", Type: "function", FunctionCall: &llms.FunctionCall{Name: "lookup", Arguments: `{"a":1}`}}}}}}, nil
	}), &Options{Store: &jsonStore{}, Model: "m", Policy: Policy{SideEffects: func(string) bool { return false }}})
	require.NoError(t, err)
	for i := range 2 {
		r, err := m.GenerateContent(t.Context(), hello)
		require.NoError(t, err)
		require.Equal(t, "lookup", r.Choices[0].ToolCalls[0].FunctionCall.Name, "call %d of %+v", i, m.Stats())
	}
}
