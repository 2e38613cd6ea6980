package agent

import (
	"context"
	"errors"
	"fmt"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval"
	"github.com/prodailabs/prodai/internal/usage"
)

// LoopOptions are the settings of [NewLoop]; nil means the defaults.
type LoopOptions struct {
	// System is the system message. Default: none.
	System string
	// MaxTurns is how often the model is called in a trial. Default: 20.
	MaxTurns int
	// CallOptions are added to each call. Default: none.
	CallOptions []llms.CallOption
	// Cost returns what a response cost in 10⁻¹² USD, false if that is unknown.
	// Default: nil, each cost is unknown.
	Cost func(*llms.ContentResponse) (picoUSD int64, known bool)
}

// NewLoop returns the plainest agent there is: it calls the model with the tools, runs
// the calls that the model asks for, shows it the results, and ends at an answer
// without a call.
func NewLoop(model llms.Model, o *LoopOptions) (Agent, error) {
	if model == nil {
		return nil, fmt.Errorf("%w: the model is nil", ErrOption)
	}
	var opts LoopOptions
	if o != nil {
		opts = *o
	}
	if opts.MaxTurns == 0 {
		opts.MaxTurns = 20
	}
	if opts.MaxTurns < 1 {
		return nil, fmt.Errorf("%w: LoopOptions.MaxTurns is %d: want a positive number", ErrOption, opts.MaxTurns)
	}
	return func(ctx context.Context, request string, s *Session) (string, error) {
		return opts.run(ctx, model, request, s)
	}, nil
}

func (o *LoopOptions) run(ctx context.Context, model llms.Model, request string, s *Session) (string, error) {
	var messages []llms.MessageContent
	if o.System != "" {
		messages = append(messages, llms.TextParts(llms.ChatMessageTypeSystem, o.System))
	}
	messages = append(messages, llms.TextParts(llms.ChatMessageTypeHuman, request))
	options := append([]llms.CallOption{llms.WithTools(s.Tools())}, o.CallOptions...)
	for range o.MaxTurns {
		response, err := model.GenerateContent(ctx, messages, options...)
		s.Spend(o.usage(response))
		if err != nil {
			return "", fmt.Errorf("agent: call the model: %w", err)
		}
		if response == nil || len(response.Choices) == 0 || response.Choices[0] == nil {
			return "", errors.New("agent: the model's response has no choice")
		}
		choice := response.Choices[0]
		if len(choice.ToolCalls) == 0 {
			return choice.Content, nil
		}
		said := llms.MessageContent{Role: llms.ChatMessageTypeAI}
		if choice.Content != "" {
			said.Parts = append(said.Parts, llms.TextPart(choice.Content))
		}
		var results []llms.MessageContent
		for _, c := range choice.ToolCalls {
			said.Parts = append(said.Parts, c)
			if c.FunctionCall == nil {
				return "", errors.New("agent: a tool call of the model has no function")
			}
			result, err := s.Call(ctx, eval.Call{Name: c.FunctionCall.Name, Arguments: c.FunctionCall.Arguments})
			if errors.Is(err, ErrSteps) {
				return "", err
			}
			if err != nil {
				result = "error: " + err.Error()
			}
			results = append(results, llms.MessageContent{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{llms.ToolCallResponse{ToolCallID: c.ID, Name: c.FunctionCall.Name, Content: result}}})
		}
		messages = append(append(messages, said), results...)
	}
	return "", fmt.Errorf("%w: %d turns of the model without an answer", ErrSteps, o.MaxTurns)
}

func (o *LoopOptions) usage(r *llms.ContentResponse) Usage {
	u := Usage{ModelCalls: 1}
	if tokens, err := usage.Of(r); err == nil {
		u.InputTokens, u.OutputTokens = tokens.Input, tokens.Output
	} else {
		u.TokensUnknown = 1
	}
	known := false
	if o.Cost != nil && r != nil {
		u.PicoUSD, known = o.Cost(r)
	}
	if !known {
		u.PicoUSD, u.CostUnknown = 0, 1
	}
	return u
}
