package modeltest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/delta"
	"github.com/prodailabs/prodai/internal/llmcopy"
)

// A Script is an [llms.Model] that plays its turns, and records every call. The
// zero Script has no turns: each call returns an [*ExhaustedError].
//
//	s := &modeltest.Script{Turns: []modeltest.Turn{
//		modeltest.Say("Hello, Ada."),
//		{Err: errors.New("overloaded")},
//	}}
//
// It waits with timers and stops when the call's context is done, so inside a
// testing/synctest bubble an hour of delay takes no time. It is safe for
// concurrent use; its exported fields must not change after the first call.
type Script struct {
	// Turns are played in order, one for each call. A call gets the first turn that
	// matches its messages and has plays left.
	Turns []Turn

	// Answer, if set, is asked before Turns; where it returns false, Turns
	// decide. It must be safe for concurrent use if the model is used so.
	Answer func(Call) (Turn, bool)

	// Defaults are the model's own settings: the options of a call are applied on
	// top, as a provider's client does. A test of a wrapper sets them to
	// distinguish an option that was set to zero from one that was never set.
	Defaults llms.CallOptions

	// Reasoning is what SupportsReasoning reports.
	Reasoning bool

	// ReuseBuffer makes all chunks of a call share one buffer, overwritten after
	// each callback, as by a client that reads into a fixed buffer. A caller that
	// keeps a chunk without copying it then has wrong bytes.
	ReuseBuffer bool

	mu     sync.Mutex
	calls  []*Call
	played []int // times each turn was played
}

// A Turn is what the model does in one call, in this order: wait for Delay,
// stream Chunks, hang if Hang, then panic, fail or answer.
type Turn struct {
	// Match reports whether the turn is for these messages. Default: for all.
	Match func(messages []llms.MessageContent) bool

	// Times is how often the turn may be played, a negative number without end.
	// Default: once.
	Times int

	// Delay is the time before the first chunk, or before the answer of a
	// call that doesn't stream.
	Delay time.Duration

	// Chunks are streamed if the caller set a callback. A call that doesn't
	// stream waits for the sum of their delays.
	Chunks []Chunk

	// Choices is the answer. If nil, it is made from Chunks; set it to an empty
	// slice for an answer with no choice. It is copied for each call. If there are
	// Choices and no Chunks, a streaming call gets each choice's reasoning, text
	// and tool calls as one chunk each.
	Choices []*llms.ContentChoice

	// Stop is the stop reason of an answer made from Chunks. Default: "stop", or
	// "tool_calls" if the choice calls a tool.
	Stop string

	// Usage, if set, is written to every choice's GenerationInfo under the
	// keys that langchaingo's OpenAI client uses.
	Usage *Usage

	// Hang waits, after the chunks, until the context is done.
	Hang bool

	// HideContext is returned instead of ctx.Err() when the context is done, as by
	// providers that have their own error for that.
	HideContext error

	// Err is returned after Chunks instead of an answer.
	Err error

	// Panic is the value to panic with, after Chunks.
	Panic any

	// NilResponse answers nil with a nil error, as some models do.
	NilResponse bool
}

// A Chunk is one call of the streaming callbacks: a piece of text (perhaps an
// empty one), of reasoning, or of tool calls.
//
// Text and tool deltas go to the text callback and, as its second argument, to the
// reasoning callback; reasoning goes to the reasoning callback alone. That is what
// langchaingo's OpenAI client does, except that it also gives an empty chunk to the
// other callback.
type Chunk struct {
	Text      string
	Reasoning string
	Tools     []ToolDelta // as the JSON array that OpenAI sends

	Choice int           // the choice it belongs to
	Delay  time.Duration // the time since the chunk before

	// Unmarked leaves out the chunk's kind and choice on the callback's context, as
	// models of other libraries do.
	Unmarked bool
}

// A ToolDelta is a fragment of a tool call, in OpenAI's form: the first one of an
// index has the id and the name, and the others add to the arguments.
type ToolDelta struct {
	Index    int          `json:"index"`
	ID       string       `json:"id,omitempty"`
	Type     string       `json:"type,omitempty"`
	Function ToolFunction `json:"function"`
}

// ToolFunction is the function's part of a [ToolDelta].
type ToolFunction struct {
	Name      string `json:"name,omitempty"`
	Arguments string `json:"arguments"`
}

// Usage is a token count. Cached is part of Prompt, Reasoning of Completion.
type Usage struct {
	Prompt, Completion, Cached, Reasoning int
}

// Say returns a turn that answers text, streamed word by word.
func Say(text string) Turn { return Turn{Chunks: Words(text)} }

// Words returns text as chunks, one a word, each with the space before it.
func Words(text string) []Chunk {
	var chunks []Chunk
	for text != "" {
		end := len(text)
		start := len(text) - len(strings.TrimLeft(text, " \n\t"))
		if i := strings.IndexAny(text[start:], " \n\t"); i >= 0 && start < len(text) {
			end = start + i
		}
		chunks = append(chunks, Chunk{Text: text[:end]})
		text = text[end:]
	}
	return chunks
}

// CallTool returns the chunks of one whole tool call: the first has id and name,
// the second the arguments. Join several with slices.Concat for calls one after the
// other; write [ToolDelta] values for interleaved ones.
func CallTool(index int, id, name, arguments string) []Chunk {
	return []Chunk{
		{Tools: []ToolDelta{{Index: index, ID: id, Type: "function", Function: ToolFunction{Name: name}}}},
		{Tools: []ToolDelta{{Index: index, Function: ToolFunction{Arguments: arguments}}}},
	}
}

// LastText returns a matcher for turns: the last message's text contains s.
func LastText(s string) func([]llms.MessageContent) bool {
	return func(messages []llms.MessageContent) bool {
		return len(messages) > 0 && strings.Contains(textOf(messages[len(messages)-1]), s)
	}
}

func textOf(m llms.MessageContent) string {
	var b strings.Builder
	for _, p := range m.Parts {
		switch p := p.(type) {
		case llms.TextContent:
			b.WriteString(p.Text)
		case llms.ToolCallResponse:
			b.WriteString(p.Content)
		}
	}
	return b.String()
}

// An ExhaustedError means that no turn was left for a call: the code under test
// called the model more often than the test expects, or with other messages.
type ExhaustedError struct {
	Call  int    // the call's number, from 1
	Turns int    // the turns the script has
	Last  string // the text of the call's last message
}

func (e *ExhaustedError) Error() string {
	return fmt.Sprintf("modeltest: call %d has no turn left in a script of %d; its last message is %.80q: add a turn, or Times: -1 to one that repeats", e.Call, e.Turns, e.Last)
}

// ErrEmpty is returned by [Script.Call] for an answer without a first choice.
var ErrEmpty = errors.New("modeltest: the answer has no first choice")

// SupportsReasoning reports the Reasoning field.
func (s *Script) SupportsReasoning() bool { return s.Reasoning }

// Call asks with one human message and returns the first choice's text, or
// [ErrEmpty].
func (s *Script) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	r, err := s.GenerateContent(ctx, []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, prompt)}, options...)
	if err != nil {
		return "", err
	}
	if r == nil || len(r.Choices) == 0 || r.Choices[0] == nil {
		return "", ErrEmpty
	}
	return r.Choices[0].Content, nil
}

// GenerateContent plays the next turn.
func (s *Script) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	opts := cloneOptions(s.Defaults)
	for _, set := range options {
		set(&opts)
	}
	call := &Call{Context: ctx, Messages: llmcopy.Messages(messages), Options: cloneOptions(opts)}
	turn, err := s.due(call)
	if err != nil {
		return nil, err
	}
	return s.play(ctx, turn, opts)
}

// due records the call and picks its turn.
func (s *Script) due(call *Call) (Turn, error) {
	s.mu.Lock()
	s.calls = append(s.calls, call)
	number := len(s.calls)
	s.mu.Unlock()

	if s.Answer != nil {
		if turn, ok := s.Answer(call.clone()); ok {
			return turn, nil
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.played == nil {
		s.played = make([]int, len(s.Turns))
	}
	for i, turn := range s.Turns {
		spent := turn.Times >= 0 && s.played[i] >= max(turn.Times, 1)
		if !spent && (turn.Match == nil || turn.Match(llmcopy.Messages(call.Messages))) {
			s.played[i]++
			return turn, nil
		}
	}
	last := ""
	if n := len(call.Messages); n > 0 {
		last = textOf(call.Messages[n-1])
	}
	return Turn{}, &ExhaustedError{Call: number, Turns: len(s.Turns), Last: last}
}

func (s *Script) play(ctx context.Context, turn Turn, opts llms.CallOptions) (*llms.ContentResponse, error) {
	if err := turn.wait(ctx, turn.Delay); err != nil {
		return nil, err
	}
	streaming := opts.StreamingFunc != nil || opts.StreamingReasoningFunc != nil
	chunks := turn.Chunks
	if chunks == nil && streaming {
		chunks = chunksOf(turn.Choices)
	}
	out := emitter{opts: opts, contexts: delta.NewContexts(ctx), base: ctx, reuse: s.ReuseBuffer}
	for _, c := range chunks {
		if err := turn.wait(ctx, c.Delay); err != nil {
			return nil, err
		}
		if !streaming {
			continue
		}
		if err := out.emit(c); err != nil {
			return nil, fmt.Errorf("modeltest: the streaming callback failed: %w", err)
		}
	}
	if turn.Hang {
		<-ctx.Done()
		return nil, turn.done(ctx)
	}
	switch {
	case turn.Panic != nil:
		panic(turn.Panic)
	case turn.Err != nil:
		return nil, turn.Err
	case turn.NilResponse:
		return nil, nil
	}
	return turn.response(), nil
}

// wait sleeps for d, which may be 0, and returns early when ctx is done.
func (t *Turn) wait(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil {
		return t.done(ctx)
	}
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return t.done(ctx)
	}
}

func (t *Turn) done(ctx context.Context) error {
	if t.HideContext != nil {
		return t.HideContext
	}
	return ctx.Err()
}

// response returns the turn's answer, new for each call.
func (t *Turn) response() *llms.ContentResponse {
	r := &llms.ContentResponse{}
	if t.Choices != nil {
		r.Choices = make([]*llms.ContentChoice, len(t.Choices))
		for i, c := range t.Choices {
			r.Choices[i] = llmcopy.Choice(c)
		}
	} else {
		r.Choices = assemble(t.Chunks, t.Stop)
	}
	if t.Usage != nil {
		for _, c := range r.Choices {
			if c != nil {
				t.Usage.into(c)
			}
		}
	}
	return r
}

// into writes the counts under the keys of langchaingo's OpenAI client.
func (u *Usage) into(c *llms.ContentChoice) {
	if c.GenerationInfo == nil {
		c.GenerationInfo = make(map[string]any, 5)
	}
	c.GenerationInfo["PromptTokens"] = u.Prompt
	c.GenerationInfo["CompletionTokens"] = u.Completion
	c.GenerationInfo["TotalTokens"] = u.Prompt + u.Completion
	c.GenerationInfo["PromptCachedTokens"] = u.Cached
	c.GenerationInfo["CompletionReasoningTokens"] = u.Reasoning
}

// assemble joins the chunks of a stream into at least one choice.
func assemble(chunks []Chunk, stop string) []*llms.ContentChoice {
	choices := []*llms.ContentChoice{{}}
	slots := []map[int]int{nil} // by choice: from a tool call's index to its place
	for _, c := range chunks {
		for len(choices) <= c.Choice {
			choices, slots = append(choices, &llms.ContentChoice{}), append(slots, nil)
		}
		choice := choices[c.Choice]
		choice.Content += c.Text
		choice.ReasoningContent += c.Reasoning
		for _, d := range c.Tools {
			if slots[c.Choice] == nil {
				slots[c.Choice] = make(map[int]int)
			}
			at, ok := slots[c.Choice][d.Index]
			if !ok {
				at = len(choice.ToolCalls)
				slots[c.Choice][d.Index] = at
				choice.ToolCalls = append(choice.ToolCalls, llms.ToolCall{ID: d.ID, Type: "function", FunctionCall: &llms.FunctionCall{Name: d.Function.Name}})
			}
			choice.ToolCalls[at].FunctionCall.Arguments += d.Function.Arguments
		}
	}
	for _, c := range choices {
		switch {
		case stop != "":
			c.StopReason = stop
		case len(c.ToolCalls) > 0:
			c.StopReason = "tool_calls"
		default:
			c.StopReason = "stop"
		}
		if len(c.ToolCalls) > 0 {
			call := *c.ToolCalls[0].FunctionCall
			c.FuncCall = &call
		}
	}
	return choices
}

// chunksOf is the stream of an answer that was given in Choices.
func chunksOf(choices []*llms.ContentChoice) []Chunk {
	var chunks []Chunk
	for i, c := range choices {
		if c == nil {
			continue
		}
		if c.ReasoningContent != "" {
			chunks = append(chunks, Chunk{Reasoning: c.ReasoningContent, Choice: i})
		}
		if c.Content != "" {
			chunks = append(chunks, Chunk{Text: c.Content, Choice: i})
		}
		for j, t := range c.ToolCalls {
			d := ToolDelta{Index: j, ID: t.ID, Type: t.Type}
			if t.FunctionCall != nil {
				d.Function = ToolFunction{Name: t.FunctionCall.Name, Arguments: t.FunctionCall.Arguments}
			}
			chunks = append(chunks, Chunk{Tools: []ToolDelta{d}, Choice: i})
		}
	}
	return chunks
}

// Calls returns the calls so far, oldest first. The caller may change it.
func (s *Script) Calls() []Call {
	s.mu.Lock()
	calls := slices.Clone(s.calls)
	s.mu.Unlock()
	out := make([]Call, len(calls))
	for i, c := range calls {
		out[i] = c.clone()
	}
	return out
}
