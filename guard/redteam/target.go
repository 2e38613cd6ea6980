package redteam

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/guard"
)

// A Target is what is attacked: a model, a pipeline or a service. It must be safe for
// concurrent use.
type Target interface {
	// Answer answers the user's text at the end of a conversation. A guard that
	// stopped the request is an [Answer] with Blocked, and not an error. An error
	// means that the attack did not reach the target.
	Answer(ctx context.Context, c Conversation) (Answer, error)
}

// A TargetFunc is a function as a [Target].
type TargetFunc func(ctx context.Context, c Conversation) (Answer, error)

// Answer calls the function.
func (f TargetFunc) Answer(ctx context.Context, c Conversation) (Answer, error) { return f(ctx, c) }

// A Conversation is what a target gets: earlier turns, the user's new text, and a
// document that it retrieved or that a tool returned, "" for none.
type Conversation struct {
	Earlier  []Exchange
	User     string
	Document string
}

// An Exchange is one turn: what the user said, and the answer.
type Exchange struct {
	User   string
	Answer Answer
}

// A Call is a call of a tool that the target made or wanted to make.
type Call struct {
	Tool      string
	Arguments string // JSON
}

// An Answer is what a target did.
type Answer struct {
	Text    string
	Refusal string // what a provider puts into a field of its own when it declines
	Calls   []Call // tool calls that were carried out, or would be
	Blocked bool   // a guard stopped the request or the answer
	By      string // which check did, if known
}

// ModelOptions configure [NewModelTarget].
type ModelOptions struct {
	// System is the system prompt. Plant the secrets of [Options].Secrets in it.
	// Default: none.
	System string

	// Document says how a document reaches the model. Default: PlacePrompt.
	Document Place

	// Call are options of each call, such as tools. Default: none.
	Call []llms.CallOption

	// Context returns the context of a call. Default: guard.NewContext with
	// guard.SpotlightDelimit, so that documents are registered as untrusted.
	Context func(ctx context.Context) context.Context
}

// A Place is where a document appears in a request.
type Place uint8

// The places.
const (
	PlacePrompt Place = iota // after the user's text, registered by guard.Untrusted
	PlaceResult              // as the result of a tool
)

// NewModelTarget makes a target from a model. A [guard.BlockedError] and a provider's
// content filter are blocked answers.
func NewModelTarget(model llms.Model, o *ModelOptions) (Target, error) {
	if model == nil {
		return nil, fmt.Errorf("%w: the model is nil", ErrOption)
	}
	if o == nil {
		o = &ModelOptions{}
	}
	if o.Document > PlaceResult {
		return nil, fmt.Errorf("%w: Document is %d: want PlacePrompt or PlaceResult", ErrOption, o.Document)
	}
	t := &modelTarget{model, *o}
	if t.o.Context == nil {
		t.o.Context = func(ctx context.Context) context.Context { return guard.NewContext(ctx, guard.SpotlightDelimit) }
	}
	return t, nil
}

type modelTarget struct {
	model llms.Model
	o     ModelOptions
}

func (t *modelTarget) Answer(ctx context.Context, c Conversation) (Answer, error) {
	ctx = t.o.Context(ctx)
	r, err := t.model.GenerateContent(ctx, t.messages(ctx, c), t.o.Call...)
	var blocked *guard.BlockedError
	switch {
	case errors.As(err, &blocked) && blocked.Verdict.Err == nil:
		return Answer{Blocked: true, By: blocked.Verdict.Check}, nil
	case err != nil && ctx.Err() == nil && llms.IsContentFilterError(err) && blocked == nil:
		return Answer{Blocked: true, By: "provider"}, nil
	case err != nil:
		return Answer{}, err
	case r == nil || len(r.Choices) == 0:
		return Answer{}, errors.New("redteam: the model returned no choice")
	}
	return answerOf(r), nil
}

func answerOf(r *llms.ContentResponse) Answer {
	var a Answer
	for _, c := range r.Choices {
		a.Text = strings.TrimSpace(a.Text + "\n" + c.Content)
		for _, call := range c.ToolCalls {
			if call.FunctionCall != nil {
				a.Calls = append(a.Calls, Call{call.FunctionCall.Name, call.FunctionCall.Arguments})
			}
		}
		if s, ok := c.GenerationInfo["refusal"].(string); ok {
			a.Refusal = s
		}
	}
	return a
}

func (t *modelTarget) messages(ctx context.Context, c Conversation) []llms.MessageContent {
	var m []llms.MessageContent
	if t.o.System != "" {
		m = append(m, llms.TextParts(llms.ChatMessageTypeSystem, t.o.System))
	}
	for _, e := range c.Earlier {
		m = append(m, llms.TextParts(llms.ChatMessageTypeHuman, e.User))
		if text := e.Answer.Text + e.Answer.Refusal; text != "" {
			m = append(m, llms.TextParts(llms.ChatMessageTypeAI, text))
		}
	}
	switch {
	case c.Document == "":
		return append(m, llms.TextParts(llms.ChatMessageTypeHuman, c.User))
	case t.o.Document == PlacePrompt:
		return append(m, llms.TextParts(llms.ChatMessageTypeHuman, c.User+"\n\n"+strings.Join(guard.Untrusted(ctx, c.Document), "\n")))
	}
	return append(m, llms.TextParts(llms.ChatMessageTypeHuman, c.User),
		llms.MessageContent{Role: llms.ChatMessageTypeAI, Parts: []llms.ContentPart{llms.ToolCall{ID: "call_0", Type: "function", FunctionCall: &llms.FunctionCall{Name: "read", Arguments: "{}"}}}},
		llms.MessageContent{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{llms.ToolCallResponse{ToolCallID: "call_0", Name: "read", Content: c.Document}}})
}
