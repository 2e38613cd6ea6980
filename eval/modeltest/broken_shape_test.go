package modeltest_test

import (
	"context"
	"errors"

	"github.com/tmc/langchaingo/llms"
)

// brokenShape have a fault in the wrapper itself and Call.
var brokenShape = []brokenWrapper{
	{name: "has no Unwrap", wrap: func(next llms.Model) llms.Model { return noUnwrap{&pass{base{next}}} }, rules: []string{"unwrap"}},
	{name: "unwraps to itself", wrap: func(next llms.Model) llms.Model { return circular{&pass{base{next}}} }, rules: []string{"unwrap"}},
	{name: "forgets SupportsReasoning", wrap: func(next llms.Model) llms.Model { return noReasoning{&pass{base{next}}} }, rules: []string{"supports-reasoning"}},
	{name: "drops Call's options", call: func(ctx context.Context, m *mutant, prompt string, _ []llms.CallOption) (string, error) {
		return callWith(ctx, m, prompt, nil)
	}, rules: []string{"call-equals-generate", "call-streams"}},
	{name: "Call takes the last choice", call: func(ctx context.Context, m *mutant, prompt string, options []llms.CallOption) (string, error) {
		r, err := m.GenerateContent(ctx, []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, prompt)}, options...)
		if err != nil {
			return "", err
		}
		if r == nil || len(r.Choices) == 0 || r.Choices[0] == nil {
			return "", errors.New("no choice")
		}
		return r.Choices[len(r.Choices)-1].Content, nil
	}, rules: []string{"call-equals-generate"}},
	{name: "Call indexes choices without a look", call: func(ctx context.Context, m *mutant, prompt string, options []llms.CallOption) (string, error) {
		r, err := m.GenerateContent(ctx, []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, prompt)}, options...)
		if err != nil {
			return "", err
		}
		return r.Choices[0].Content, nil
	}, rules: []string{"call-no-choice", "nil-response"}},
	{name: "Call turns no choice into no text", call: func(ctx context.Context, m *mutant, prompt string, options []llms.CallOption) (string, error) {
		text, err := callWith(ctx, m, prompt, options)
		if err != nil && err.Error() == "no choice" {
			return "", nil
		}
		return text, err
	}, rules: []string{"call-no-choice", "nil-response"}},
	{name: "Call swallows errors", call: func(ctx context.Context, m *mutant, prompt string, options []llms.CallOption) (string, error) {
		text, err := callWith(ctx, m, prompt, options)
		if err != nil && err.Error() != "no choice" && ctx.Err() == nil {
			return "sorry", nil
		}
		return text, err
	}, rules: []string{"call-error"}},
}
