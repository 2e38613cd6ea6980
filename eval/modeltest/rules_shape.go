package modeltest

import (
	"context"
	"fmt"
	"reflect"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/llmcopy"
)

// shapeRules say that the wrapped model can be found.
var shapeRules = []rule{
	{name: "unwrap", law: "Unwrap() llms.Model leads to next", check: func(c *checker) {
		next := &Script{}
		var m llms.Model = c.model(next)
		for range 32 { // a stack of wrappers is a wrapper
			u, ok := m.(interface{ Unwrap() llms.Model })
			if !ok {
				c.broken(fmt.Sprintf("%T has no method Unwrap() llms.Model", m), "the method, returning next")
				return
			}
			m = u.Unwrap()
			if m == llms.Model(next) {
				return
			}
			if m == nil {
				break
			}
		}
		c.broken(fmt.Sprintf("Unwrap led to %T", m), "the model that was wrapped")
	}},
	{name: "supports-reasoning", law: "SupportsReasoning is next's, and false where next has no such method", check: func(c *checker) {
		for _, next := range []llms.Model{&Script{Reasoning: true}, &Script{}, struct{ llms.Model }{&Script{Reasoning: true}}} {
			got, right := llms.SupportsReasoningModel(c.model(next)), llms.SupportsReasoningModel(next)
			c.equal(fmt.Sprintf("over a %T, llms.SupportsReasoningModel of the wrapper", next), got, right)
		}
	}},
}

// requestRules say that a request stays complete, and unchanged for the caller.
var requestRules = []rule{
	{name: "messages", law: "next gets every message and part: system, text, image, binary, tool call, tool result, in order", check: func(c *checker) {
		s := always(Say("noted"))
		c.answer(context.Background(), c.model(s), richMessages())
		c.request(c.first(s).Messages, richMessages())
	}},
	{name: "messages-unchanged", law: "the caller's messages aren't changed, nor the free room of their slices", check: func(c *checker) {
		messages := richMessages()
		for i := range messages {
			parts := make([]llms.ContentPart, len(messages[i].Parts), len(messages[i].Parts)+3)
			copy(parts, messages[i].Parts)
			messages[i].Parts = parts
		}
		roomy := make([]llms.MessageContent, len(messages), len(messages)+3)
		copy(roomy, messages)
		before := llmcopy.Messages(roomy[:cap(roomy)])
		c.answer(context.Background(), c.model(always(Turn{Chunks: Words("noted")})), roomy)
		c.equal("after the call the caller's messages are", llmcopy.Messages(roomy[:cap(roomy)]), before)
		for i, m := range messages {
			for _, p := range m.Parts[len(m.Parts):cap(m.Parts)] {
				if p != nil {
					c.broken(fmt.Sprintf("message %d has %v written after its parts", i, p), "a clone of the parts before anything is appended")
				}
			}
		}
	}},
	{name: "options", law: "next gets every option", check: func(c *checker) {
		s := always(Say("fine"))
		right := richOptions()
		c.answer(context.Background(), c.model(s), ask(questions[7]), each(right)...)
		c.options(c.first(s).Options, right)
	}},
	{name: "options-unset", law: "what the caller didn't set keeps next's default: options are passed on one by one, never combined into one", check: func(c *checker) {
		right := llms.CallOptions{Model: "next's default", Temperature: 0.7, MaxTokens: 256, TopP: 0.9, Seed: 3, StopWords: []string{"END"}}
		s := always(Say("fine"))
		s.Defaults = right
		c.answer(context.Background(), c.model(s), ask(questions[8]))
		c.options(c.first(s).Options, right)
		c.answer(context.Background(), c.model(s), ask(questions[9]), llms.WithN(2))
		right.N = 2
		c.options(s.Calls()[len(s.Calls())-1].Options, right)
	}},
	{name: "options-zero", law: "an option that the caller set to zero reaches next", check: func(c *checker) {
		s := &Script{
			Defaults: llms.CallOptions{Model: "next's default", Temperature: 0.7, MaxTokens: 256, Seed: 3, StopWords: []string{"END"}},
			Turns:    []Turn{{Times: -1, Chunks: Words("fine")}},
		}
		c.answer(context.Background(), c.model(s), ask(questions[10]), llms.WithTemperature(0), llms.WithMaxTokens(0), llms.WithSeed(0), llms.WithStopWords(nil))
		c.options(c.first(s).Options, llms.CallOptions{Model: "next's default"})
	}},
	{name: "options-order", law: "options keep their order: the last one wins, and WithOptions resets those before it", check: func(c *checker) {
		s := always(Say("fine"))
		c.answer(context.Background(), c.model(s), ask(questions[11]),
			llms.WithTemperature(0.9), llms.WithModel("first"), llms.WithOptions(llms.CallOptions{Model: "second", TopK: 5}), llms.WithTopK(6), llms.WithTopK(7))
		c.options(c.first(s).Options, llms.CallOptions{Model: "second", TopK: 7})
	}},
	{name: "options-slice", law: "the caller's slice of options isn't written to: append to slices.Clip(options)", check: func(c *checker) {
		roomy := make([]llms.CallOption, 1, 9)
		roomy[0] = llms.WithSeed(11)
		c.answer(context.Background(), c.model(always(Turn{Chunks: Words("fine")})), ask(questions[0]), roomy...)
		l := &listener{}
		roomy[0] = llms.WithStreamingFunc(l.text)
		c.answer(context.Background(), c.model(always(Turn{Chunks: Words("fine")})), ask(questions[1]), roomy...)
		for i, o := range roomy[1:cap(roomy)] {
			if o != nil {
				c.broken(fmt.Sprintf("an option written into the free room of the caller's slice, at place %d", i+1), "free room that stays unused: another call may be using it")
				return
			}
		}
	}},
	{name: "options-values", law: "the values of options aren't changed: metadata, tools, stop words", check: func(c *checker) {
		stop := append(make([]string, 0, 4), "END")
		tools := append(make([]llms.Tool, 0, 4), richOptions().Tools...)
		metadata := map[string]any{"user": "ada", "nested": map[string]any{"a": 1}}
		before := llmcopy.Value(metadata)
		c.answer(context.Background(), c.model(always(Turn{Chunks: Words("fine")})), ask(questions[2]),
			llms.WithStopWords(stop), llms.WithTools(tools), llms.WithMetadata(metadata))
		c.equal("after the call the caller's metadata are", metadata, before)
		c.equal("after the call the caller's stop words are", stop[:cap(stop)], []string{"END", "", "", ""})
		c.equal("after the call the caller's tools are", tools, richOptions().Tools)
		for _, t := range tools[1:cap(tools)] {
			if t.Type != "" || t.Function != nil {
				c.broken(fmt.Sprintf("a tool %+v written into the free room of the caller's slice", t), "a clone of the tools before anything is appended")
			}
		}
	}},
	{name: "context-values", law: "next's context is the caller's, or one made from it", check: func(c *checker) {
		type key struct{}
		s := always(Say("fine"))
		c.answer(context.WithValue(context.Background(), key{}, "kept"), c.model(s), ask(questions[3]))
		c.equal("the context's value in next is", c.first(s).Context.Value(key{}), any("kept"))
	}},
	{name: "asked-once", law: "one call is one call of next, unless the wrapper is for something else", check: func(c *checker) {
		s := always(Turn{Chunks: Words("fine")})
		m := c.model(s)
		c.answer(context.Background(), m, ask(questions[4]))
		c.equal("after the first call, the number of calls of next:", len(s.Calls()), 1)
		if !c.o.MayCache {
			c.answer(context.Background(), m, ask(questions[4]))
			c.equal("after the second, equal call, the number of calls of next:", len(s.Calls()), 2)
		}
	}},
}

// request compares the messages that next got with the caller's.
func (c *checker) request(came, right []llms.MessageContent) {
	if !c.o.MayRewrite {
		c.equal("next got", came, llmcopy.Messages(right))
		return
	}
	c.equal("next got, texts aside,", skeleton(came), skeleton(right))
	roles := 0
	for _, m := range came {
		if roles < len(right) && m.Role == right[roles].Role {
			roles++
		}
	}
	if roles < len(right) {
		c.broken(fmt.Sprintf("next got %v, without the caller's message %d of role %s in its place", came, roles+1, right[roles].Role), "the caller's messages in order, and perhaps others between them")
	}
}

// skeleton lists the parts that aren't text, each with its role.
func skeleton(messages []llms.MessageContent) []string {
	var out []string
	for _, m := range messages {
		for _, p := range m.Parts {
			switch p := p.(type) {
			case llms.TextContent:
			case llms.ToolCallResponse: // its content is text
				out = append(out, fmt.Sprintf("%s: result of %s %s", m.Role, p.ToolCallID, p.Name))
			case llms.ToolCall:
				out = append(out, fmt.Sprintf("%s: call %s", m.Role, calls([]llms.ToolCall{p})))
			default:
				out = append(out, fmt.Sprintf("%s: %T %+v", m.Role, p, p))
			}
		}
	}
	return out
}

// options compares resolved options, callbacks aside. A wrapper may add
// metadata, such as an idempotency key.
func (c *checker) options(came, right llms.CallOptions) {
	ignored := map[string]bool{"StreamingFunc": true, "StreamingReasoningFunc": true, "Metadata": true}
	for _, name := range c.o.MaySet {
		ignored[name] = true
	}
	a, b := reflect.ValueOf(came), reflect.ValueOf(right)
	for i := range a.NumField() {
		name := a.Type().Field(i).Name
		if ignored[name] || a.Field(i).Kind() == reflect.Slice && a.Field(i).Len() == 0 && b.Field(i).Len() == 0 {
			continue
		}
		c.equal("in next, "+name+" is", a.Field(i).Interface(), b.Field(i).Interface())
	}
	for k, v := range right.Metadata {
		c.equal(fmt.Sprintf("in next, Metadata[%q] is", k), came.Metadata[k], v)
	}
}

func richMessages() []llms.MessageContent {
	return []llms.MessageContent{
		llms.TextParts(llms.ChatMessageTypeSystem, "You are brief."),
		{Role: llms.ChatMessageTypeHuman, Parts: []llms.ContentPart{
			llms.TextPart("What is in this picture,"),
			llms.ImageURLWithDetailPart("https://example.org/cat.png", "low"),
			llms.BinaryPart("image/png", []byte{0x89, 'P', 'N', 'G', 0, 0xff}),
			llms.TextPart("and how warm is it in Oslo?"),
		}},
		{Role: llms.ChatMessageTypeAI, Parts: []llms.ContentPart{
			llms.TextPart("I look up the weather."),
			llms.ToolCall{ID: "call_1", Type: "function", FunctionCall: &llms.FunctionCall{Name: "weather", Arguments: `{"city": "Oslo"}`}},
			llms.ToolCall{ID: "call_2", Type: "function", FunctionCall: &llms.FunctionCall{Name: "weather", Arguments: `{"city": "Bergen"}`}},
		}},
		{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{llms.ToolCallResponse{ToolCallID: "call_1", Name: "weather", Content: "4 degrees"}}},
		{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{llms.ToolCallResponse{ToolCallID: "call_2", Name: "weather", Content: "7 degrees"}}},
		llms.TextParts(llms.ChatMessageTypeHuman, "Go on."),
	}
}

// richOptions has a value in every field but the callbacks.
func richOptions() llms.CallOptions {
	return llms.CallOptions{
		Model: "scripted-1", CandidateCount: 2, MaxTokens: 64, Temperature: 0.25, StopWords: []string{"END", "\n\n"},
		TopK: 40, TopP: 0.5, Seed: 11, MinLength: 1, MaxLength: 500, N: 3,
		RepetitionPenalty: 1.5, FrequencyPenalty: 0.125, PresencePenalty: -0.25, JSONMode: true,
		Tools: []llms.Tool{{Type: "function", Function: &llms.FunctionDefinition{
			Name: "weather", Description: "The temperature in a city.", Strict: true,
			Parameters: map[string]any{"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}},
		}}},
		ToolChoice:           llms.ToolChoice{Type: "function", Function: &llms.FunctionReference{Name: "weather"}},
		Functions:            []llms.FunctionDefinition{{Name: "older", Description: "The older form of a tool."}},
		FunctionCallBehavior: llms.FunctionCallBehaviorAuto,
		Metadata:             map[string]any{"user": "ada", "openai:extra": map[string]any{"service_tier": "flex"}},
		ResponseMIMEType:     "application/json",
	}
}

// each returns o as one option a field, as callers write them.
func each(o llms.CallOptions) []llms.CallOption {
	return []llms.CallOption{
		llms.WithModel(o.Model), llms.WithCandidateCount(o.CandidateCount), llms.WithMaxTokens(o.MaxTokens),
		llms.WithTemperature(o.Temperature), llms.WithStopWords(o.StopWords), llms.WithTopK(o.TopK), llms.WithTopP(o.TopP),
		llms.WithSeed(o.Seed), llms.WithMinLength(o.MinLength), llms.WithMaxLength(o.MaxLength), llms.WithN(o.N),
		llms.WithRepetitionPenalty(o.RepetitionPenalty), llms.WithFrequencyPenalty(o.FrequencyPenalty),
		llms.WithPresencePenalty(o.PresencePenalty), llms.WithJSONMode(), llms.WithTools(o.Tools), llms.WithToolChoice(o.ToolChoice),
		func(set *llms.CallOptions) {
			set.Functions, set.FunctionCallBehavior = o.Functions, o.FunctionCallBehavior
		},
		llms.WithMetadata(o.Metadata), llms.WithResponseMIMEType(o.ResponseMIMEType),
	}
}
