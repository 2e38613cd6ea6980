// Package wrap has what every wrapper of an llms.Model needs to keep the wrapper
// contract.
package wrap

import (
	"context"
	"errors"
	"fmt"

	"github.com/tmc/langchaingo/llms"
)

// ErrNoChoice means that Call has no text to return: the model's answer has no
// first choice. (llms.GenerateFromSinglePrompt panics on some such answers.)
var ErrNoChoice = errors.New("the model's answer has no choice to return")

// Call implements Model.Call by Model.GenerateContent: it sends prompt as one human
// message and returns the first choice's text.
func Call(ctx context.Context, m llms.Model, prompt string, options ...llms.CallOption) (string, error) {
	r, err := m.GenerateContent(ctx, []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, prompt)}, options...)
	if err != nil {
		return "", err
	}
	if r == nil || len(r.Choices) == 0 || r.Choices[0] == nil {
		return "", ErrNoChoice
	}
	return r.Choices[0].Content, nil
}

// SupportsReasoning reports what next's own method reports, and false for a model
// without that method.
func SupportsReasoning(next llms.Model) bool {
	r, ok := next.(llms.ReasoningModel)
	return ok && r.SupportsReasoning()
}

// ContextError makes sure that an error which came because ctx is done wraps
// ctx.Err(), which providers hide in errors of their own. Other errors, and nil,
// are returned as they are.
func ContextError(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil || errors.Is(err, ctx.Err()) {
		return err
	}
	return fmt.Errorf("%w: %w", ctx.Err(), err)
}
