package trace

import (
	"context"

	"github.com/tmc/langchaingo/callbacks"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"
	"go.opentelemetry.io/otel/attribute"
	oteltrace "go.opentelemetry.io/otel/trace"
)

// The events of [Callbacks].
const (
	EventLLMStart       = "llm.start"
	EventLLMEnd         = "llm.end"
	EventLLMError       = "llm.error"
	EventChainStart     = "chain.start"
	EventChainEnd       = "chain.end"
	EventChainError     = "chain.error"
	EventToolStart      = "tool.start"
	EventToolEnd        = "tool.end"
	EventToolError      = "tool.error"
	EventAgentAction    = "agent.action"
	EventAgentFinish    = "agent.finish"
	EventRetrieverStart = "retriever.start"
	EventRetrieverEnd   = "retriever.end"
)

// Callbacks is a callbacks.Handler of langchaingo that adds an event to the span on
// the context for each call. It makes no spans, because its methods cannot return a
// context, and half of langchaingo's providers never report an end or an error: the
// wrappers do that. It tolerates calls that come twice, never, or with nil. Chunks of
// a stream make no events, and content is never recorded.
type Callbacks struct{}

var _ callbacks.Handler = Callbacks{}

func addEvent(ctx context.Context, name string, a ...attribute.KeyValue) {
	if span := oteltrace.SpanFromContext(ctx); span.IsRecording() {
		span.AddEvent(name, oteltrace.WithAttributes(a...))
	}
}

func addError(ctx context.Context, name string, err error) {
	kind := "unknown" // mistral reports a nil error
	if err != nil {
		kind = errorType(err)
	}
	addEvent(ctx, name, attribute.String(SpanErrorType, kind))
}

// HandleText does nothing: no part of langchaingo calls it.
func (Callbacks) HandleText(context.Context, string) {}

// HandleLLMStart adds the event llm.start with the number of prompts.
func (Callbacks) HandleLLMStart(ctx context.Context, prompts []string) {
	addEvent(ctx, EventLLMStart, attribute.Int(AttrCount, len(prompts)))
}

// HandleLLMGenerateContentStart adds the event llm.start with the number of
// messages.
func (Callbacks) HandleLLMGenerateContentStart(ctx context.Context, ms []llms.MessageContent) {
	addEvent(ctx, EventLLMStart, attribute.Int(AttrCount, len(ms)))
}

// HandleLLMGenerateContentEnd adds the event llm.end with the number of choices.
func (Callbacks) HandleLLMGenerateContentEnd(ctx context.Context, res *llms.ContentResponse) {
	n := 0
	if res != nil {
		n = len(res.Choices)
	}
	addEvent(ctx, EventLLMEnd, attribute.Int(AttrCount, n))
}

// HandleLLMError adds the event llm.error with the error's type.
func (Callbacks) HandleLLMError(ctx context.Context, err error) { addError(ctx, EventLLMError, err) }

// HandleChainStart adds the event chain.start.
func (Callbacks) HandleChainStart(ctx context.Context, _ map[string]any) {
	addEvent(ctx, EventChainStart)
}

// HandleChainEnd adds the event chain.end.
func (Callbacks) HandleChainEnd(ctx context.Context, _ map[string]any) { addEvent(ctx, EventChainEnd) }

// HandleChainError adds the event chain.error with the error's type.
func (Callbacks) HandleChainError(ctx context.Context, err error) {
	addError(ctx, EventChainError, err)
}

// HandleToolStart adds the event tool.start.
func (Callbacks) HandleToolStart(ctx context.Context, _ string) { addEvent(ctx, EventToolStart) }

// HandleToolEnd adds the event tool.end.
func (Callbacks) HandleToolEnd(ctx context.Context, _ string) { addEvent(ctx, EventToolEnd) }

// HandleToolError adds the event tool.error with the error's type.
func (Callbacks) HandleToolError(ctx context.Context, err error) { addError(ctx, EventToolError, err) }

// HandleAgentAction adds the event agent.action with the tool's name.
func (Callbacks) HandleAgentAction(ctx context.Context, action schema.AgentAction) {
	addEvent(ctx, EventAgentAction, attribute.String(SpanTool, action.Tool))
}

// HandleAgentFinish adds the event agent.finish.
func (Callbacks) HandleAgentFinish(ctx context.Context, _ schema.AgentFinish) {
	addEvent(ctx, EventAgentFinish)
}

// HandleRetrieverStart adds the event retriever.start.
func (Callbacks) HandleRetrieverStart(ctx context.Context, _ string) {
	addEvent(ctx, EventRetrieverStart)
}

// HandleRetrieverEnd adds the event retriever.end with the number of documents.
func (Callbacks) HandleRetrieverEnd(ctx context.Context, _ string, documents []schema.Document) {
	addEvent(ctx, EventRetrieverEnd, attribute.Int(AttrCount, len(documents)))
}

// HandleStreamingFunc does nothing: an event for each chunk would cost more than the
// stream.
func (Callbacks) HandleStreamingFunc(context.Context, []byte) {}
