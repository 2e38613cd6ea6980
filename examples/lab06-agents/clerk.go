package main

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
)

// A clerk is a scripted model. One that looks asks for the status before it acts; the
// other one guesses from the customer's words, which are the same for each order.
type clerk struct {
	random *rand.Rand
	slip   float64 // the chance of a wrong decision
	looks  bool
	tries  int // of a call that returns an error
}

var number = regexp.MustCompile(`order (\d+)`)

func (c *clerk) model() llms.Model {
	return &modeltest.Script{Answer: func(call modeltest.Call) (modeltest.Turn, bool) { return c.answer(call.Messages), true }}
}

func (c *clerk) answer(messages []llms.MessageContent) modeltest.Turn {
	id, last, errors := "", "", 0
	refunded := false
	for _, m := range messages {
		for _, p := range m.Parts {
			switch p := p.(type) {
			case llms.TextContent:
				if found := number.FindStringSubmatch(p.Text); found != nil && m.Role == llms.ChatMessageTypeHuman {
					id = found[1]
				}
			case llms.ToolCallResponse:
				last = p.Name + ": " + p.Content
				if strings.HasPrefix(p.Content, "error") {
					errors++
				}
				refunded = refunded || p.Content == "refunded"
			}
		}
	}
	slips := c.random.Float64() < c.slip
	failed := strings.Contains(last, ": error")
	switch {
	case refunded:
		return c.say("I have refunded order "+id+".", messages)
	case failed && errors >= c.tries:
		return c.say("I have refunded order "+id+".", messages) // the claim of an agent that gave up
	case failed:
		return c.call(strings.SplitN(last, ":", 2)[0], id, messages)
	case last == "" && c.looks:
		return c.call("lookup", id, messages)
	case last == "": // seven of ten orders are not lost
		if slips || c.random.Float64() < 0.25 {
			return c.call("refund", id, messages)
		}
		return c.call("lookup", id, messages)
	case strings.HasSuffix(last, "lost") != slips:
		return c.call("refund", id, messages)
	}
	return c.say("Order "+id+" was delivered, so I can't refund it.", messages)
}

// usage grows with the conversation, as a real one's does.
func usage(messages []llms.MessageContent) *modeltest.Usage {
	return &modeltest.Usage{Prompt: 120 + 40*len(messages), Completion: 25}
}

func (c *clerk) say(text string, messages []llms.MessageContent) modeltest.Turn {
	t := modeltest.Say(text)
	t.Usage = usage(messages)
	return t
}

func (c *clerk) call(name, id string, messages []llms.MessageContent) modeltest.Turn {
	return modeltest.Turn{
		Choices: []*llms.ContentChoice{{StopReason: "tool_calls", ToolCalls: []llms.ToolCall{{
			ID: fmt.Sprint("call_", len(messages)), Type: "function", FunctionCall: &llms.FunctionCall{Name: name, Arguments: fmt.Sprintf(`{"order": %q}`, id)},
		}}}},
		Usage: usage(messages),
	}
}
