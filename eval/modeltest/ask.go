package modeltest

import (
	"context"
	"errors"
	"fmt"

	"github.com/tmc/langchaingo/llms"
)

// The questions have nothing in common, so that even a cache that compares meanings
// doesn't give one question the answer of another.
var questions = []string{
	"Name the largest moon of Saturn.",
	"How long do I boil an egg?",
	"Translate 'harbour' into Finnish.",
	"What does a carburettor do?",
	"Who wrote the Divine Comedy?",
	"Give me a rhyme for winter.",
	"Sort these numbers: nine, two, five.",
	"Which gas do plants breathe in?",
	"Why is the sea salty?",
	"Explain a leveraged loan to a child.",
	"Suggest a name for a gray cat.",
	"When was paper invented?",
	"How do bees find their way home?",
	"What is a sonnet?",
	"Convert ten miles to kilometres.",
	"Which planet spins on its side?",
	"Tell me about the Hanseatic League.",
	"How is cheese made?",
	"What should I pack for a week in Norway?",
	"Define entropy in one line.",
	"Who painted the Night Watch?",
	"Is a tomato a fruit?",
	"What makes thunder?",
	"How many strings has a cello?",
	"Recommend a board game for two.",
}

func ask(text string) []llms.MessageContent {
	return []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, text)}
}

// generate calls m and reports a panic as a broken rule.
func (c *checker) generate(ctx context.Context, m llms.Model, messages []llms.MessageContent, options ...llms.CallOption) (r *llms.ContentResponse, err error) {
	defer c.nopanic("GenerateContent")
	return m.GenerateContent(ctx, messages, options...)
}

func (c *checker) call(ctx context.Context, m llms.Model, prompt string, options ...llms.CallOption) (text string, err error) {
	defer c.nopanic("Call")
	return m.Call(ctx, prompt, options...) //nolint:staticcheck // deprecated, but part of the interface: the contract has a rule for it
}

// nopanic is deferred around a call of the wrapper.
func (c *checker) nopanic(method string) {
	switch p := recover(); p {
	case nil:
	case any(stop{}):
		panic(p)
	default:
		c.broken(fmt.Sprintf("%s panicked: %v", method, p), "an answer or an error")
		panic(stop{})
	}
}

// answer is generate for a call that must succeed with at least one choice.
func (c *checker) answer(ctx context.Context, m llms.Model, messages []llms.MessageContent, options ...llms.CallOption) *llms.ContentResponse {
	r, err := c.generate(ctx, m, messages, options...)
	switch {
	case err != nil:
		c.broken("error "+show(err), "the answer of next, which succeeded")
	case r == nil || len(r.Choices) == 0 || r.Choices[0] == nil:
		c.broken(fmt.Sprintf("an answer without a first choice: %+v", r), "the answer of next, which has one")
	default:
		return r
	}
	panic(stop{})
}

// first returns the first call that next got.
func (c *checker) first(s *Script) Call {
	calls := s.Calls()
	if len(calls) == 0 {
		c.broken("next was never called", "a call of next")
		panic(stop{})
	}
	return calls[0]
}

// always is a model that plays the same turn in each call.
func always(turn Turn) *Script {
	return &Script{Answer: func(Call) (Turn, bool) { return turn, true }}
}

// bySeed is a model that plays the turn whose number is the call's seed: the
// text of the messages may have been rewritten.
func bySeed(turns ...Turn) *Script {
	return &Script{Answer: func(c Call) (Turn, bool) {
		if c.Options.Seed < 0 || c.Options.Seed >= len(turns) {
			return Turn{}, false
		}
		return turns[c.Options.Seed], true
	}}
}

// A providerError is an error with a type of its own, as providers have.
type providerError struct{ status int }

func (e *providerError) Error() string { return fmt.Sprintf("provider: status %d", e.status) }

// errProvider is an error with an identity.
var errProvider = errors.New("provider: refused")
