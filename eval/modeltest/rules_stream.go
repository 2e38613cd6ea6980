package modeltest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/delta"
)

// pieces is a stream with an empty chunk, a character cut in two, and
// whitespace alone.
var pieces = []string{"Nor", "", "wegian fjor", "d", " ", "\xc3", "\xa9", "\n\n", "t\u2028é", "end."}

func chunked(pieces []string) []Chunk {
	var out []Chunk
	for _, p := range pieces {
		out = append(out, Chunk{Text: p})
	}
	return out
}

// streamRules say that a stream passes as it is.
var streamRules = []rule{
	{name: "stream-chunks", law: "the callback gets exactly next's chunks: bytes, boundaries, empty ones", check: func(c *checker) {
		l, _ := c.stream(always(Turn{Chunks: chunked(pieces)}), questions[0], true, false)
		var right []heard
		for _, p := range pieces {
			right = append(right, heard{via: "text", kind: delta.Text, chunk: p})
		}
		c.heard(l, right)
	}},
	{name: "stream-content", law: "the chunks of a text answer add up to Choices[0].Content", check: func(c *checker) {
		l, r := c.stream(always(Turn{Chunks: chunked(pieces)}), questions[1], true, false)
		c.equal("the chunks add up to", l.joined("text", delta.Text, 0), r.Choices[0].Content)
		c.text("Content is", r.Choices[0].Content, strings.Join(pieces, ""))
	}},
	{name: "stream-kinds", law: "each chunk keeps the kind and choice that next put on the callback's context, or the lack of them", check: func(c *checker) {
		chunks := []Chunk{
			{Reasoning: "Two cities."}, {Text: "Let me "}, {Text: "Well, ", Choice: 1}, {Text: "see."}, {Text: "no.", Choice: 1},
			{Tools: []ToolDelta{{Index: 0, ID: "call_1", Type: "function", Function: ToolFunction{Name: "weather"}}}},
			{Tools: []ToolDelta{{Index: 1, ID: "call_2", Type: "function", Function: ToolFunction{Name: "weather"}}}},
			{Tools: []ToolDelta{{Index: 0, Function: ToolFunction{Arguments: `{"city":`}}}},
			{Tools: []ToolDelta{{Index: 1, Function: ToolFunction{Arguments: `{}`}}, {Index: 0, Function: ToolFunction{Arguments: `"Oslo"}`}}}},
		}
		c.sameAsNext(chunks, questions[2], true, true)
		c.sameAsNext([]Chunk{{Text: "un", Unmarked: true}, {Text: "marked", Unmarked: true}}, questions[3], true, false)
	}},
	{name: "stream-borrowed", law: "a chunk belongs to next again when the callback returns: a wrapper that keeps it copies it", check: func(c *checker) {
		l, r := c.stream(&Script{ReuseBuffer: true, Turns: []Turn{{Times: -1, Chunks: chunked(pieces)}}}, questions[4], true, false)
		c.equal("from a model that reuses its buffer, the chunks add up to", l.joined("text", delta.Text, 0), r.Choices[0].Content)
		c.text("Content is", r.Choices[0].Content, strings.Join(pieces, ""))
	}},
	{name: "stream-order", law: "callbacks run one after the other, while next produces, and none after the call returned", check: func(c *checker) {
		chunks := chunked([]string{"one. ", "two. ", "three. ", "four. "})
		for i := range chunks {
			chunks[i].Delay = time.Second
		}
		start := time.Now()
		var first time.Duration
		l := &listener{fail: func(n int) error {
			if n == 1 {
				first = time.Since(start)
			}
			time.Sleep(1500 * time.Millisecond) // slower than next
			return nil
		}}
		c.answer(context.Background(), c.model(always(Turn{Chunks: chunks})), ask(questions[5]), llms.WithStreamingFunc(l.text))
		c.close(l)
		if first > 2*time.Second && !c.o.MayRechunk {
			c.broken(fmt.Sprintf("the first chunk after %v", first), "after 1s, when next sent it")
		}
	}},
	{name: "plain-stays-plain", law: "a call without a callback never becomes a stream", check: func(c *checker) {
		s := always(Say("fine"))
		c.answer(context.Background(), c.model(s), ask(questions[6]))
		c.callbacks(c.first(s), false, false)
	}},
	{name: "text-callback-only", law: "only the callbacks that the caller set are wrapped: with a text callback alone, next gets no reasoning callback", check: func(c *checker) {
		s := always(Turn{Chunks: append([]Chunk{{Reasoning: "hm"}}, Words("fine by me")...)})
		c.stream(s, questions[7], true, false)
		c.callbacks(c.first(s), true, false)
		// The same through WithOptions.
		l := &listener{}
		s = always(Turn{Chunks: Words("fine by me")})
		r := c.answer(context.Background(), c.model(s), ask(questions[8]), llms.WithOptions(llms.CallOptions{StreamingFunc: l.text}))
		c.close(l)
		c.callbacks(c.first(s), true, false)
		c.equal("the chunks add up to", l.joined("text", delta.Text, 0), r.Choices[0].Content)
	}},
	{name: "reasoning-callback-only", law: "only the callbacks that the caller set are wrapped: with a reasoning callback alone, next gets no text callback", check: func(c *checker) {
		chunks := []Chunk{{Reasoning: "Let me "}, {Reasoning: "think."}, {Text: "Four "}, {Text: "strings."}}
		c.sameAsNext(chunks, questions[9], false, true)
		s := always(Turn{Chunks: chunks})
		c.stream(s, questions[10], false, true)
		c.callbacks(c.first(s), false, true)
	}},
	{name: "both-callbacks", law: "with both callbacks set each gets the stream once, and the text counts once", check: func(c *checker) {
		chunks := []Chunk{{Reasoning: "Easy."}, {Text: "Four "}, {Text: "strings."}}
		c.sameAsNext(chunks, questions[11], true, true)
		l, r := c.stream(always(Turn{Chunks: chunks}), questions[12], true, true)
		for _, via := range []string{"text", "reasoning"} {
			c.equal("through the "+via+" callback the text is", l.joined(via, delta.Text, 0), r.Choices[0].Content)
		}
		c.text("Content is", r.Choices[0].Content, "Four strings.")
	}},
	{name: "callback-error", law: "an error of the callback stops the stream, is found by errors.Is, and is never retried", check: func(c *checker) {
		for i, reasoning := range []bool{false, true} {
			c.callbackError(always(Turn{Chunks: Words("one two three four five six")}), questions[i], reasoning)
		}
	}},
}

// sameAsNext streams chunks through the wrapper and compares what the callbacks get
// with what next sends.
func (c *checker) sameAsNext(chunks []Chunk, question string, text, reasoning bool) {
	bare := &listener{}
	var opts llms.CallOptions
	if text {
		opts.StreamingFunc = bare.text
	}
	if reasoning {
		opts.StreamingReasoningFunc = bare.reasoning
	}
	next := always(Turn{Chunks: chunks})
	if _, err := next.GenerateContent(context.Background(), ask(question), llms.WithOptions(opts)); err != nil {
		c.broken("from the script: "+show(err), "no error")
	}
	l, _ := c.stream(next, question, text, reasoning)
	c.heard(l, bare.chunks(""))
}

// The received chunks must be the right ones, as far as the wrapper's options
// allow.
func (c *checker) heard(l *listener, right []heard) {
	came := l.chunks("")
	if c.o.MayRechunk {
		for _, via := range []string{"text", "reasoning"} {
			want := (&listener{got: right})
			for _, kind := range []delta.Kind{delta.Text, delta.Reasoning, delta.Tool} {
				for choice := range 2 {
					if kind == delta.Tool { // deltas may be joined into one array
						c.equal(fmt.Sprintf("through the %s callback, tool deltas of choice %d came:", via, choice), l.joined(via, kind, choice) != "", want.joined(via, kind, choice) != "")
						continue
					}
					c.text(fmt.Sprintf("through the %s callback, %s of choice %d adds up to", via, kind, choice), l.joined(via, kind, choice), want.joined(via, kind, choice))
				}
			}
		}
		return
	}
	for i := range max(len(came), len(right)) {
		switch {
		case i >= len(came):
			c.broken(fmt.Sprintf("%d chunks", len(came)), fmt.Sprintf("%d; the first that is missing is %v", len(right), right[i]))
			return
		case i >= len(right):
			c.broken(fmt.Sprintf("chunk %d is %v", i+1, came[i]), fmt.Sprintf("only %d chunks", len(right)))
			return
		}
		a, b := came[i], right[i]
		if c.o.MayRewrite { // the shape is next's, the text isn't
			a.chunk, a.reasoning, b.chunk, b.reasoning = "", "", "", ""
		}
		if a != b {
			c.broken(fmt.Sprintf("chunk %d is %v", i+1, came[i]), right[i].String())
			return
		}
	}
}

// callbacks checks which callbacks reached next.
func (c *checker) callbacks(call Call, text, reasoning bool) {
	c.equal("next got a text callback:", call.Options.StreamingFunc != nil, text)
	c.equal("next got a reasoning callback:", call.Options.StreamingReasoningFunc != nil, reasoning)
}

// errListener is the error of a caller's callback.
type errListener struct{ at int }

func (e *errListener) Error() string {
	return fmt.Sprintf("the reader had enough after chunk %d", e.at)
}

// callbackError lets the second callback fail.
func (c *checker) callbackError(s *Script, question string, reasoning bool) {
	stopAt := 2
	if c.o.MayRechunk {
		stopAt = 1
	}
	enough := &errListener{stopAt}
	l := &listener{fail: func(n int) error {
		if n >= stopAt {
			return enough
		}
		return nil
	}}
	option := llms.WithStreamingFunc(l.text)
	if reasoning {
		option = llms.WithStreamingReasoningFunc(l.reasoning)
	}
	before := len(s.Calls())
	_, err := c.generate(context.Background(), c.model(s), ask(question), option)
	c.close(l)
	if !errors.Is(err, enough) {
		c.broken("error "+show(err), "an error for which errors.Is finds the callback's")
	}
	if n := len(l.chunks("")); n != stopAt {
		c.broken(fmt.Sprintf("%d chunks", n), fmt.Sprintf("none after the %d at which the callback failed", stopAt))
	}
	if n := len(s.Calls()) - before; n > 1 {
		c.broken(fmt.Sprintf("%d calls of next", n), "one call, because the caller stopped")
	}
}
