package modeltest

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/delta"
)

// answerRules say that Call is GenerateContent, and that an answer stays complete.
var answerRules = []rule{
	{name: "call-equals-generate", law: "Call is GenerateContent with one human message: it returns the first choice's text", check: func(c *checker) {
		s := always(Turn{Choices: []*llms.ContentChoice{{Content: "Titan", StopReason: "stop"}, {Content: "Rhea", StopReason: "stop"}}})
		m := c.model(s)
		text, err := c.call(context.Background(), m, questions[0], llms.WithSeed(7))
		if err != nil {
			c.broken("error "+show(err), "the first choice's text")
			return
		}
		r := c.answer(context.Background(), c.model(s), ask(questions[0]), llms.WithSeed(7))
		c.equal("Call returned", text, r.Choices[0].Content)
		c.text("Call returned", text, "Titan")
		got := s.Calls()[0]
		c.request(got.Messages, ask(questions[0]))
		c.equal("Call's WithSeed(7) reached next as seed", got.Options.Seed, 7)
	}},
	{name: "call-streams", law: "Call passes its options on, the streaming callback too", check: func(c *checker) {
		l := &listener{}
		text, err := c.call(context.Background(), c.model(always(Say("seven minutes or so"))), questions[1], llms.WithStreamingFunc(l.text))
		c.close(l)
		if err != nil {
			c.broken("error "+show(err), "the text")
			return
		}
		heard := ""
		for _, h := range l.chunks("") {
			heard += h.chunk
		}
		c.equal("the chunks add up to", heard, text)
		c.text("Call returned", text, "seven minutes or so")
	}},
	{name: "call-no-choice", law: "Call fails where the answer has no first choice: there is no text to return", check: func(c *checker) {
		for i, choices := range [][]*llms.ContentChoice{{}, {nil}} {
			text, err := c.call(context.Background(), c.model(always(Turn{Choices: choices})), questions[i])
			if err == nil {
				c.broken(fmt.Sprintf("text %q and no error for choices %v", text, choices), "an error")
			}
		}
	}},
	{name: "call-error", law: "Call returns next's error", check: func(c *checker) {
		_, err := c.call(context.Background(), c.model(always(Turn{Err: errProvider})), questions[0])
		c.isProvider(err)
	}},
	{name: "choices", law: "all choices survive, in order", check: func(c *checker) {
		s := always(Turn{Choices: []*llms.ContentChoice{
			{Content: "snow", StopReason: "stop"}, {Content: "ice", StopReason: "length"}, {Content: "frost", StopReason: "stop"},
		}})
		r := c.answer(context.Background(), c.model(s), ask(questions[5]), llms.WithN(3))
		if !c.equal("the number of choices", len(r.Choices), 3) {
			return
		}
		for i, right := range []string{"snow", "ice", "frost"} {
			if r.Choices[i] == nil {
				c.broken(fmt.Sprintf("choice %d is nil", i), right)
				continue
			}
			c.text(fmt.Sprintf("choice %d", i), r.Choices[i].Content, right)
		}
	}},
	{name: "stop-reason", law: "the stop reason survives", check: func(c *checker) {
		for i, reason := range []string{"stop", "length", "content_filter", "a reason of next's own", ""} {
			s := always(Turn{Choices: []*llms.ContentChoice{{Content: "blue", StopReason: reason}}})
			r := c.answer(context.Background(), c.model(s), ask(questions[i]))
			c.equal("stop reason", r.Choices[0].StopReason, reason)
		}
	}},
	{name: "tool-calls", law: "tool calls survive: ids, types, names, arguments, order, and the older FuncCall", check: func(c *checker) {
		right := richChoice()
		r := c.answer(context.Background(), c.model(always(Turn{Choices: []*llms.ContentChoice{right}})), ask(questions[3]))
		c.equal("tool calls", calls(r.Choices[0].ToolCalls), calls(right.ToolCalls))
		c.equal("FuncCall", r.Choices[0].FuncCall, right.FuncCall)
	}},
	{name: "generation-info", law: "GenerationInfo survives: every key, known or not, with its value and type", check: func(c *checker) {
		right := richChoice()
		r := c.answer(context.Background(), c.model(always(Turn{Choices: []*llms.ContentChoice{right}})), ask(questions[4]))
		for k, v := range right.GenerationInfo {
			if got, ok := r.Choices[0].GenerationInfo[k]; !ok || !reflect.DeepEqual(got, v) {
				c.broken(fmt.Sprintf("GenerationInfo[%q] is %T %v", k, got, got), fmt.Sprintf("%T %v", v, v))
			}
		}
	}},
	{name: "reasoning-content", law: "the reasoning survives as well as the text", check: func(c *checker) {
		right := richChoice()
		r := c.answer(context.Background(), c.model(always(Turn{Choices: []*llms.ContentChoice{right}})), ask(questions[6]))
		c.text("reasoning", r.Choices[0].ReasoningContent, right.ReasoningContent)
		c.text("text", r.Choices[0].Content, right.Content)
	}},
	{name: "no-choice", law: "an answer without a choice isn't a reason to panic: it is passed on, or is an error", check: func(c *checker) {
		r, err := c.generate(context.Background(), c.model(always(Turn{Choices: []*llms.ContentChoice{}})), ask(questions[0]))
		if err == nil && (r == nil || len(r.Choices) != 0) {
			c.broken(fmt.Sprintf("%+v and no error", r), "the empty answer, or an error")
		}
	}},
	{name: "nil-choice", law: "a nil choice isn't a reason to panic: the others survive", check: func(c *checker) {
		r, err := c.generate(context.Background(), c.model(always(Turn{Choices: []*llms.ContentChoice{nil, {Content: "cedar", StopReason: "stop"}}})), ask(questions[2]))
		if err != nil {
			return
		}
		found := false
		for _, choice := range deref(r).Choices {
			found = found || choice != nil && (choice.Content == "cedar" || c.o.MayRewrite)
		}
		if !found {
			c.broken(fmt.Sprintf("%+v", r), "an answer with the choice that isn't nil, or an error")
		}
	}},
	{name: "nil-response", law: "a nil answer with a nil error isn't a reason to panic", check: func(c *checker) {
		s := always(Turn{NilResponse: true})
		_, _ = c.generate(context.Background(), c.model(s), ask(questions[0]))
		l := &listener{}
		_, _ = c.generate(context.Background(), c.model(s), ask(questions[1]), llms.WithStreamingFunc(l.text))
		text, err := c.call(context.Background(), c.model(s), questions[2])
		if err == nil {
			c.broken(fmt.Sprintf("Call returned %q and no error", text), "an error from Call")
		}
	}},
	{name: "answers-apart", law: "many goroutines may call at once, each gets its own answer and its own chunks", check: concurrent},
}

func deref(r *llms.ContentResponse) llms.ContentResponse {
	if r == nil {
		return llms.ContentResponse{}
	}
	return *r
}

// richChoice is an answer with something in every field.
func richChoice() *llms.ContentChoice {
	return &llms.ContentChoice{
		Content:          "Let me look that up.",
		ReasoningContent: "The user wants two facts.",
		StopReason:       "tool_calls",
		FuncCall:         &llms.FunctionCall{Name: "lookup", Arguments: `{"q": "a"}`},
		ToolCalls: []llms.ToolCall{
			{ID: "call_1", Type: "function", FunctionCall: &llms.FunctionCall{Name: "lookup", Arguments: `{"q": "a"}`}},
			{ID: "call_2", Type: "function", FunctionCall: &llms.FunctionCall{Name: "lookup", Arguments: `{"q": "b", "n": 1.50}`}},
		},
		GenerationInfo: map[string]any{
			"PromptTokens":         12,
			"CompletionTokens":     int64(34),
			"Confidence":           0.25,
			"ID":                   "chatcmpl-1",
			"next's own key":       []string{"kept", "too"},
			"nested":               map[string]any{"deep": []any{1, "two"}},
			"Latency":              3 * time.Millisecond,
			"nothing":              nil,
			"CompletionUsageKnown": true,
		},
	}
}

// calls shows tool calls by value.
func calls(tools []llms.ToolCall) []string {
	var out []string
	for _, t := range tools {
		f := llms.FunctionCall{}
		if t.FunctionCall != nil {
			f = *t.FunctionCall
		}
		out = append(out, fmt.Sprintf("{%s %s %s(%s)}", t.ID, t.Type, f.Name, f.Arguments))
	}
	return out
}

func concurrent(c *checker) {
	const callers = 24
	answer := func(seed int) string { return fmt.Sprintf("answer number %d of many", seed) }
	s := &Script{Answer: func(call Call) (Turn, bool) {
		seed := call.Options.Seed
		turn := Say(answer(seed))
		turn.Usage = &Usage{Prompt: seed, Completion: 1}
		turn.Delay = time.Duration(seed%5) * time.Millisecond
		for i := range turn.Chunks {
			turn.Chunks[i].Delay = time.Duration(seed%3) * time.Millisecond
		}
		return turn, true
	}}
	m := c.model(s)
	shared := make([]llms.CallOption, 1, 8) // free room that no wrapper may use
	shared[0] = llms.WithTopP(0.5)
	type outcome struct {
		text, heard string
		tokens      any
		err         error
	}
	var done sync.WaitGroup
	out := make([]outcome, callers)
	for i := range callers {
		done.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					out[i].err = fmt.Errorf("a panic: %v", p)
				}
			}()
			l := &listener{}
			options := append(shared[:1:1], llms.WithSeed(i+1), llms.WithStreamingFunc(l.text))
			if i%2 == 0 {
				options = append(shared[:1:1], llms.WithSeed(i+1))
			}
			r, err := m.GenerateContent(context.Background(), ask(questions[i]), options...)
			o := outcome{err: err}
			if err == nil && r != nil && len(r.Choices) > 0 && r.Choices[0] != nil {
				o.text = r.Choices[0].Content
				o.tokens = r.Choices[0].GenerationInfo["PromptTokens"]
				o.heard = l.joined("text", delta.Text, 0)
				if i%2 == 0 {
					o.heard = o.text
				}
			}
			out[i] = o
		})
	}
	// At the same time, calls that share one slice with free room: a wrapper that
	// appends to it has a data race.
	for range 4 {
		done.Go(func() {
			defer func() { _ = recover() }() // reported above
			_, _ = m.GenerateContent(context.Background(), ask(questions[callers]), shared...)
		})
	}
	done.Wait()
	for i, o := range out {
		who := fmt.Sprintf("caller %d of %d at once got", i+1, callers)
		if o.err != nil {
			c.broken(who+" error "+show(o.err), "its answer")
			return
		}
		c.text(who, o.text, answer(i+1))
		if !c.equal(who+" PromptTokens", o.tokens, any(i+1)) || !c.equal(who+" chunks", o.heard, o.text) {
			return // one report is enough
		}
	}
}
