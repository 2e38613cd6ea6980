package openai

import (
	"context"
	"fmt"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/callopt"
	"github.com/prodailabs/prodai/internal/wrap"
)

// Model is an llms.Model over the OpenAI protocol's chat completions. It is
// safe for concurrent use.
type Model struct {
	client *client
	model  string
	extras extras
}

// New returns a Model that asks the model of that name, unless a call names another
// one. It fails with [ErrOption].
func New(model string, o *Options) (*Model, error) {
	c, err := newClient(model, o)
	if err != nil {
		return nil, err
	}
	return &Model{client: c, model: model}, nil
}

// SupportsReasoning reports whether the model's name is that of a reasoning
// model, OpenAI's or another's.
func (m *Model) SupportsReasoning() bool {
	return openaiReasons(m.model) || llms.IsReasoningModel(m.model)
}

// openaiReasons reports whether a name is that of one of OpenAI's reasoning
// models: o1, o3-mini, gpt-5.2, with or without a gateway's "openai/" before
// it. (llms.IsReasoningModel doesn't know a bare o1, and knows other makers'.)
func openaiReasons(model string) bool {
	name := strings.ToLower(model[strings.LastIndexByte(model, '/')+1:])
	if strings.HasPrefix(name, "gpt-5") {
		return true
	}
	generation, ok := strings.CutPrefix(name, "o")
	rest := strings.TrimLeft(generation, "0123456789")
	return ok && rest != generation && (rest == "" || rest[0] == '-')
}

// Call answers a single prompt, as [Model.GenerateContent] does.
func (m *Model) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return wrap.Call(ctx, m, prompt, options...)
}

// GenerateContent asks for a chat completion, streamed if a streaming function is
// set. Every choice is in the response, with its finish reason as StopReason. An
// answer that isn't known to be complete is an error that wraps [ErrStopReason]. An
// answer that was cut at its maximum length is not an error.
//
// GenerationInfo has langchaingo's keys for the usage (PromptTokens,
// CompletionTokens, TotalTokens and the details), if the server sent a usage. It
// also has ID, Model, SystemFingerprint, ServiceTier, RequestID, FinishReason,
// Refusal, ThinkingContent and Logprobs, where the server sent them. Where a server
// sends content as a list, as Mistral's reasoning models do, its texts and thoughts
// are joined, and the rest of it (references) is ContentParts, a []any. What a
// server sends beside tool calls, such as Gemini's thought signatures, is
// ToolCallExtra. See [MetadataToolCallExtra].
//
// A call that can't be sent fails with [ErrOption], and any other failure is an
// [*Error].
func (m *Model) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("openai: %w", err)
	}
	o := callopt.Resolve(options)
	body, err := m.request(messages, &o)
	if err != nil {
		return nil, err
	}
	sending, hangUp := context.WithCancel(ctx)
	defer hangUp()
	resp, err := m.client.post(sending, m.client.address(m.modelOf(&o), "chat/completions"), body, streams(&o))
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // an unread rest is dropped with its connection
	a, err := m.client.answer(ctx, resp, &o, hangUp)
	if err != nil {
		return nil, err
	}
	m.extras.learn(a)
	return a.response(resp.Header), nil
}

func (m *Model) modelOf(o *callopt.Options) string {
	if o.Model != "" {
		return o.Model
	}
	return m.model
}
