package modeltest

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/delta"
)

func mayCache(o *Options) bool { return o.MayCache }

// cacheRules say that a replayed answer is an answer. The first two apply to every
// wrapper: one that stores nothing passes them.
var cacheRules = []rule{
	{name: "answer-owned", law: "the answer belongs to the caller: a change of it changes no later answer", check: func(c *checker) {
		right := richChoice()
		m := c.model(always(Turn{Choices: []*llms.ContentChoice{right}}))
		for round := range 3 {
			got := c.answer(context.Background(), m, ask(questions[0])).Choices[0]
			c.text(fmt.Sprintf("answer %d", round+1), got.Content, right.Content)
			c.equal(fmt.Sprintf("the tool calls of answer %d are", round+1), calls(got.ToolCalls), calls(right.ToolCalls))
			for k, v := range right.GenerationInfo {
				if !reflect.DeepEqual(got.GenerationInfo[k], v) {
					c.broken(fmt.Sprintf("answer %d has GenerationInfo[%q] %T %v", round+1, k, got.GenerationInfo[k], got.GenerationInfo[k]), fmt.Sprintf("%T %v", v, v))
				}
			}
			scribble(got)
		}
	}},
	{name: "request-owned", law: "the request belongs to the caller: a change of it after the call changes no later answer", check: func(c *checker) {
		s := &Script{Answer: func(call Call) (Turn, bool) { return Say(fmt.Sprintf("%d messages", len(call.Messages))), true }}
		m := c.model(s)
		messages := append(make([]llms.MessageContent, 0, 4), ask(questions[1])...)
		first := c.answer(context.Background(), m, messages).Choices[0].Content
		messages[0].Parts[0] = llms.TextPart(questions[2])
		messages = append(messages, llms.TextParts(llms.ChatMessageTypeAI, "Yes?"), llms.TextParts(llms.ChatMessageTypeHuman, questions[3]))
		c.text("a changed request got", c.answer(context.Background(), m, messages).Choices[0].Content, "3 messages")
		c.text("the first request, asked again, got", c.answer(context.Background(), m, ask(questions[1])).Choices[0].Content, first)
	}},
	{name: "replay-stream", when: mayCache, law: "a replayed answer is streamed to the callbacks that are set, once each, and returned whole", check: func(c *checker) {
		chunks := append([]Chunk{{Reasoning: "Hm."}}, Words("one two three")...)
		for i, streamFirst := range []bool{false, true} {
			m := c.model(always(Turn{Chunks: chunks}))
			if streamFirst {
				l := &listener{}
				c.answer(context.Background(), m, ask(questions[i]), llms.WithStreamingFunc(l.text))
			} else {
				c.answer(context.Background(), m, ask(questions[i]))
			}
			l := &listener{}
			r := c.answer(context.Background(), m, ask(questions[i]), llms.WithStreamingFunc(l.text), llms.WithStreamingReasoningFunc(l.reasoning))
			c.close(l)
			c.text("the replay is", r.Choices[0].Content, "one two three")
			for _, via := range []string{"text", "reasoning"} {
				c.equal("the replay, through the "+via+" callback, is", l.joined(via, delta.Text, 0), r.Choices[0].Content)
			}
		}
	}},
	{name: "replay-callback-error", when: mayCache, law: "an error of the callback stops a replay too", check: func(c *checker) {
		m := c.model(always(Turn{Chunks: Words("one two three")}))
		c.answer(context.Background(), m, ask(questions[2]))
		enough := &errListener{1}
		l := &listener{fail: func(int) error { return enough }}
		_, err := c.generate(context.Background(), m, ask(questions[2]), llms.WithStreamingFunc(l.text))
		c.close(l)
		if !errors.Is(err, enough) {
			c.broken("error "+show(err), "an error for which errors.Is finds the callback's")
		}
		c.equal("the number of chunks is", len(l.chunks("")), 1)
	}},
	{name: "no-replay-of-failure", when: mayCache, law: "a failed call or a broken stream is never replayed as an answer", check: func(c *checker) {
		m := c.model(&Script{Turns: []Turn{{Times: 1, Chunks: Words("one"), Err: failing()}, {Times: -1, Chunks: Words("one two three")}}})
		l := &listener{}
		_, err := c.generate(context.Background(), m, ask(questions[3]), llms.WithStreamingFunc(l.text))
		c.isProvider(err)
		c.text("after a broken stream the same request got", c.answer(context.Background(), m, ask(questions[3])).Choices[0].Content, "one two three")
	}},
}

// scribble changes everything that c reaches.
func scribble(c *llms.ContentChoice) {
	c.Content, c.ReasoningContent, c.StopReason = "scribbled", "scribbled", "scribbled"
	if c.FuncCall != nil {
		c.FuncCall.Name = "scribbled"
	}
	for i := range c.ToolCalls {
		c.ToolCalls[i].ID = "scribbled"
		if f := c.ToolCalls[i].FunctionCall; f != nil {
			f.Arguments = "scribbled"
		}
	}
	for k, v := range c.GenerationInfo {
		switch v := v.(type) {
		case map[string]any:
			for k := range v {
				v[k] = "scribbled"
			}
		case []string:
			for i := range v {
				v[i] = "scribbled"
			}
		}
		c.GenerationInfo[k] = "scribbled"
	}
	if c.GenerationInfo != nil {
		c.GenerationInfo["added"] = "scribbled"
	}
}
