package trace

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/tmc/langchaingo/llms"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/prodailabs/prodai/internal/callopt"
	"github.com/prodailabs/prodai/internal/usage"
	"github.com/prodailabs/prodai/internal/wrap"
)

// ErrOption is wrapped by the errors of constructors whose arguments cannot work:
// nothing to wrap, or a Kind that does not exist.
var ErrOption = errors.New("trace: invalid option")

// A Kind is which of the two spans a [Model] makes.
type Kind uint8

// A trace has one span for the logical call, which the caller asked for, and
// one for each attempt, which a provider was asked for. Only attempts carry
// usage and cost, so that adding up spans gives the bill.
const (
	KindAttempt Kind = iota // a request to a provider: CLIENT span "chat MODEL"
	KindLogical             // what the caller asked for: INTERNAL span "invoke_workflow NAME"
)

// Options configure the wrappers of this package. The zero value works: it
// makes attempt spans on the global tracer provider and captures no content.
type Options struct {
	// Kind is which span is made. Default: KindAttempt.
	Kind Kind

	// Tracer makes the spans. Default: the global provider's. It is read at each
	// call, so that a provider that is set later is used.
	Tracer oteltrace.Tracer

	// Name is the workflow's name on a logical span. Default: "answer".
	Name string

	// Provider is the company or service that answers, by its name in the semantic
	// conventions: "openai", "anthropic", "aws.bedrock", "azure.ai.openai", …
	// Default: "unknown".
	Provider string

	// Model is the model's name, for calls that do not name one. Default: none.
	Model string

	// Cost returns what an answer cost in pico-USD, and whether that is known.
	// (*cost.Table).Of of trace/cost has this form. Default: no cost is recorded.
	Cost func(model string, r *llms.ContentResponse) (picoUSD int64, ok bool)

	// Tenant returns the tenant that a call belongs to; "" is not recorded.
	// Default: none.
	Tenant func(context.Context) string

	// Conversation returns the id of the conversation; "" is not recorded.
	// Default: none.
	Conversation func(context.Context) string

	// Content captures prompts, answers, queries, document ids and error
	// messages. Default: off, because more people can read traces than may read
	// the data.
	Content bool
}

// scope names this library as the source of its spans.
const scope = "github.com/prodailabs/prodai/trace"

func (o *Options) tracer() oteltrace.Tracer {
	if o.Tracer != nil {
		return o.Tracer
	}
	return otel.Tracer(scope)
}

func (o *Options) provider() string {
	if o.Provider == "" {
		return "unknown"
	}
	return o.Provider
}

// Model records a span for each call of the wrapped model. Chunks are passed on
// unchanged. It is safe for concurrent use.
type Model struct {
	next llms.Model
	o    Options
}

// New returns a Model around next; nil options mean the defaults. Its error wraps
// [ErrOption].
func New(next llms.Model, o *Options) (*Model, error) {
	if next == nil {
		return nil, fmt.Errorf("%w: the model to wrap is nil", ErrOption)
	}
	m := &Model{next: next}
	if o != nil {
		m.o = *o
	}
	if m.o.Kind > KindLogical {
		return nil, fmt.Errorf("%w: Options.Kind is %d: want KindAttempt (0, the default) or KindLogical (1)", ErrOption, m.o.Kind)
	}
	if m.o.Name == "" {
		m.o.Name = "answer"
	}
	return m, nil
}

// Unwrap returns the wrapped model.
func (m *Model) Unwrap() llms.Model { return m.next }

// SupportsReasoning reports whether the wrapped model does.
func (m *Model) SupportsReasoning() bool {
	return wrap.SupportsReasoning(m.next)
}

// Call answers a single prompt, as [Model.GenerateContent] does.
func (m *Model) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return wrap.Call(ctx, m, prompt, options...)
}

// GenerateContent calls the wrapped model within a span.
func (m *Model) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	o := callopt.Resolve(options)
	if o.Model == "" {
		o.Model = m.o.Model
	}
	spanCtx, span := m.start(ctx, &o)
	returned := false
	defer func() {
		if !returned { // a panic, or a goroutine that was ended
			span.SetAttributes(attribute.String(keyErrorType, "panic"))
			span.SetStatus(codes.Error, "the model panicked")
		}
		span.End()
	}()
	if !span.IsRecording() {
		r, err := m.next.GenerateContent(spanCtx, messages, options...)
		returned = true
		return r, wrap.ContextError(ctx, err)
	}
	m.request(spanCtx, span, messages, &o)
	var first firstChunk
	r, err := m.next.GenerateContent(spanCtx, messages, first.listen(options, &o)...)
	returned = true
	err = wrap.ContextError(ctx, err)
	m.response(span, o.Model, r, first.elapsed())
	if err != nil {
		attemptsOf(spanCtx).failed(span)
		m.o.fail(span, err)
	} else if reason := broken(r); reason != "" && m.o.Kind == KindAttempt {
		span.SetAttributes(attribute.String(keyErrorType, "answer_"+reason))
		span.SetStatus(codes.Error, "the answer is not known to be complete: "+reason)
	}
	return r, err
}

// start begins the span. An attempt gets a link to the failed one before it in the
// same logical call.
func (m *Model) start(ctx context.Context, o *callopt.Options) (context.Context, oteltrace.Span) {
	if m.o.Kind == KindLogical {
		ctx = context.WithValue(ctx, attemptsKey{}, &attempts{})
		return m.o.tracer().Start(ctx, opWorkflow+" "+m.o.Name, oteltrace.WithSpanKind(oteltrace.SpanKindInternal),
			oteltrace.WithAttributes(attribute.String(keyOperation, opWorkflow), attribute.String(keyWorkflow, m.o.Name)))
	}
	config := []oteltrace.SpanStartOption{oteltrace.WithSpanKind(oteltrace.SpanKindClient), oteltrace.WithAttributes(
		attribute.String(keyOperation, opChat), attribute.String(keyProvider, m.o.provider()), attribute.String(keyModel, o.Model))}
	if number, before := attemptsOf(ctx).next(); before.IsValid() {
		config = append(config, oteltrace.WithLinks(oteltrace.Link{SpanContext: before, Attributes: []attribute.KeyValue{attribute.Int(keyAttempt, number)}}))
	}
	return m.o.tracer().Start(ctx, opChat+" "+o.Model, config...)
}

// request records the options of the call.
func (m *Model) request(ctx context.Context, span oteltrace.Span, messages []llms.MessageContent, o *callopt.Options) {
	var a []attribute.KeyValue
	if m.o.Tenant != nil {
		a = appendText(a, keyTenant, m.o.Tenant(ctx))
	}
	if m.o.Conversation != nil {
		a = appendText(a, keyConversation, m.o.Conversation(ctx))
	}
	if m.o.Kind == KindAttempt {
		a = appendOptions(a, o)
	}
	if m.o.Content {
		a = appendMessages(a, messages)
	}
	span.SetAttributes(a...)
}

func appendText(a []attribute.KeyValue, key, value string) []attribute.KeyValue {
	if value == "" {
		return a
	}
	return append(a, attribute.String(key, value))
}

func appendOptions(a []attribute.KeyValue, o *callopt.Options) []attribute.KeyValue {
	if o.Has(callopt.MaxTokens) {
		a = append(a, attribute.Int(keyMaxTokens, o.MaxTokens))
	}
	if o.Has(callopt.Seed) {
		a = append(a, attribute.Int(keySeed, o.Seed))
	}
	if o.Has(callopt.N) && o.N != 1 {
		a = append(a, attribute.Int(keyChoices, o.N))
	}
	if o.Has(callopt.TopK) {
		a = append(a, attribute.Float64(keyTopK, float64(o.TopK)))
	}
	for _, f := range []struct {
		field callopt.Field
		key   string
		value float64
	}{
		{callopt.Temperature, keyTemperature, o.Temperature},
		{callopt.TopP, keyTopP, o.TopP},
		{callopt.FrequencyPenalty, keyFrequencyPenalty, o.FrequencyPenalty},
		{callopt.PresencePenalty, keyPresencePenalty, o.PresencePenalty},
	} {
		if o.Has(f.field) {
			a = append(a, attribute.Float64(f.key, f.value))
		}
	}
	if len(o.StopWords) > 0 {
		a = append(a, attribute.StringSlice(keyStop, o.StopWords))
	}
	if o.StreamingFunc != nil || o.StreamingReasoningFunc != nil {
		a = append(a, attribute.Bool(keyStream, true))
	}
	return a
}

// response records the answer, on attempts with its usage and cost.
func (m *Model) response(span oteltrace.Span, model string, r *llms.ContentResponse, first time.Duration) {
	var a []attribute.KeyValue
	if first > 0 {
		a = append(a, attribute.Float64(keyFirstChunk, first.Seconds()))
	}
	if r != nil {
		if usage.Cached(r) {
			a = append(a, attribute.Bool(keyFromCache, true))
		}
		if m.o.Kind == KindAttempt {
			a = m.appendAnswer(a, model, r)
		}
		if m.o.Content {
			a = append(a, attribute.String(keyOutput, outputMessages(r)))
		}
	}
	span.SetAttributes(a...)
}

func (m *Model) appendAnswer(a []attribute.KeyValue, model string, r *llms.ContentResponse) []attribute.KeyValue {
	var reasons []string
	for _, c := range r.Choices {
		if c == nil {
			continue
		}
		if len(reasons) == 0 {
			id, _ := c.GenerationInfo["ID"].(string)
			name, _ := c.GenerationInfo["Model"].(string)
			a = appendText(appendText(a, keyResponseID, id), keyResponseModel, name)
		}
		reasons = append(reasons, finishReason(c))
	}
	if len(reasons) > 0 {
		a = append(a, attribute.StringSlice(keyFinish, reasons))
	}
	if u, err := usage.Of(r); err == nil {
		a = append(a, attribute.Int64(keyInputTokens, u.Input), attribute.Int64(keyOutputTokens, u.Output))
		for _, part := range []struct {
			key string
			n   int64
		}{{keyCacheRead, u.CacheRead}, {keyCacheCreation, u.CacheWrite}, {keyReasoningTokens, u.Reasoning}} {
			if part.n > 0 {
				a = append(a, attribute.Int64(part.key, part.n))
			}
		}
	}
	if m.o.Cost != nil {
		if pico, ok := m.o.Cost(model, r); ok {
			a = append(a, attribute.Int64(keyCost, pico))
		}
	}
	return a
}

// fail marks the span. The error's message may quote the prompt, so it counts as
// content.
func (o *Options) fail(span oteltrace.Span, err error) {
	kind := errorType(err)
	event := []attribute.KeyValue{attribute.String(keyExceptionType, fmt.Sprintf("%T", err))}
	description := kind
	if o.Content {
		description = err.Error()
		event = append(event, attribute.String(keyExceptionMessage, description))
	}
	span.AddEvent("exception", oteltrace.WithAttributes(event...))
	span.SetAttributes(attribute.String(keyErrorType, kind))
	span.SetStatus(codes.Error, description)
}

// errorType is one of a few words: the HTTP status if there was one, else the cause
// that ended the call.
func errorType(err error) string {
	var status interface{ HTTPStatus() int }
	if errors.As(err, &status) && status.HTTPStatus() > 0 {
		return strconv.Itoa(status.HTTPStatus())
	}
	var code interface{ Code() string }
	var provider *llms.Error
	switch {
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.As(err, &code) && code.Code() != "":
		return code.Code()
	case errors.As(err, &provider):
		return string(provider.Code)
	}
	return "_OTHER"
}

// attempts numbers the attempts of one logical call.
type attempts struct {
	mu   sync.Mutex
	n    int
	last oteltrace.SpanContext // of the last attempt that failed
}

type attemptsKey struct{}

// attemptsOf returns the logical call's attempts, or nil outside of one.
func attemptsOf(ctx context.Context) *attempts {
	a, _ := ctx.Value(attemptsKey{}).(*attempts)
	return a
}

// next returns the number of the attempt that begins, 1 first, and the span of
// the last one that failed.
func (a *attempts) next() (int, oteltrace.SpanContext) {
	if a == nil {
		return 1, oteltrace.SpanContext{}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.n++
	return a.n, a.last
}

func (a *attempts) failed(span oteltrace.Span) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last = span.SpanContext()
}
