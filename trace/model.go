package trace

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tmc/langchaingo/llms"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/prodailabs/prodai/internal/callopt"
	"github.com/prodailabs/prodai/internal/wrap"
)

// ErrOption is wrapped by the errors of constructors whose arguments cannot work:
// nothing to wrap, or a Kind that does not exist.
var ErrOption = errors.New("trace: invalid option")

func optionError(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrOption}, args...)...)
}

// A Kind is which span a [Model] makes.
type Kind uint8

// A trace has one span for the logical call, which the caller asked for, and
// one for each attempt, which a provider was asked for. Only attempts carry
// usage and cost, so that adding up spans gives the bill.
const (
	KindAttempt Kind = iota // a request to a provider: CLIENT span "chat MODEL"
	KindLogical             // what the caller asked for: INTERNAL span "invoke_workflow NAME"
	KindAgent               // a logical call that an agent answers: INTERNAL span "invoke_agent NAME"
)

// Options configure the wrappers of this package. The zero value works: it
// makes attempt spans on the global tracer provider and captures no content.
type Options struct {
	// Kind is which span is made. Default: KindAttempt.
	Kind Kind

	// Tracer makes the spans. Default: the global provider's. It is read at each
	// call, so that a provider that is set later is used.
	Tracer oteltrace.Tracer

	// Meter makes the metrics: durations, tokens, times to the first chunk, cost
	// and calls of unknown cost, by operation, provider, model and error type. At
	// most 500 combinations are kept apart. Default: the global provider's.
	Meter metric.Meter

	// Profile is the version of the semantic conventions whose names are used.
	// Default: ProfileV1_41.
	Profile Profile

	// OpenInference writes the attributes of that convention too, which Arize
	// Phoenix reads. Default: off, because it doubles the size of a span.
	OpenInference bool

	// Name is the workflow's or agent's name on a logical span, and a chain's.
	// Default: "answer".
	Name string

	// Provider is the company or service that answers, by its name in the semantic
	// conventions: "openai", "anthropic", "aws.bedrock", "azure.ai.openai", …
	// Default: "unknown".
	Provider string

	// Model is the model's name, for calls that do not name one. Default: none.
	Model string

	// Cost returns what an answer cost in pico-USD, and whether that is known.
	// (*cost.Table).Of of trace/cost has this form. An embedding is passed as an
	// answer without output. Default: no cost is recorded.
	Cost func(model string, r *llms.ContentResponse) (picoUSD int64, ok bool)

	// Tokens counts the tokens of a text, where a provider reports none: of
	// embeddings, and of streams that broke off. Such counts are marked with
	// SpanEstimated. Count of chunk/token has this form. Default: unknown usage
	// stays unknown.
	Tokens func(text string) int

	// Tenant returns the tenant that a call belongs to; "" is not recorded.
	// Default: the tenant of [WithLabels], if there is one.
	Tenant func(context.Context) string

	// Conversation returns the id of the conversation; "" is not recorded.
	// Default: none.
	Conversation func(context.Context) string

	// Stall is the wait for a chunk of a stream, after the first, that counts as
	// a stall. Default: 2 s.
	Stall time.Duration

	// Tool is how a [Tool] is reached. Default: ToolFunction.
	Tool ToolKind

	// Content captures prompts, answers, queries, documents, the arguments and
	// results of tools, and error messages. Default: off, because more people can
	// read traces than may read the data. With it on, put trace/redact before
	// the exporter.
	Content bool

	meters *meters
}

// check returns a copy of o with its defaults.
func (o *Options) check() (*Options, error) {
	checked := Options{}
	if o != nil {
		checked = *o
	}
	switch {
	case checked.Kind > KindAgent:
		return nil, optionError("Options.Kind is %d: want KindAttempt (0, the default), KindLogical (1) or KindAgent (2)", checked.Kind)
	case checked.Profile > ProfileNext:
		return nil, optionError("Options.Profile is %d: want ProfileV1_41 (0, the default), ProfileV1_36 (1) or ProfileNext (2)", checked.Profile)
	case checked.Tool > ToolMCP:
		return nil, optionError("Options.Tool is %d: want ToolFunction (0, the default) or ToolMCP (1)", checked.Tool)
	case checked.Stall < 0:
		return nil, optionError("Options.Stall is %v: want more than 0, or 0 for 2 s", checked.Stall)
	}
	if checked.Name == "" {
		checked.Name = "answer"
	}
	if checked.Stall == 0 {
		checked.Stall = 2 * time.Second
	}
	checked.meters = newMeters(&checked)
	return &checked, nil
}

// scope names this library as the source of its spans.
const scope = "github.com/prodailabs/prodai/trace"

func (o *Options) tracer() oteltrace.Tracer {
	if o.Tracer != nil {
		return o.Tracer
	}
	if url := o.Profile.schemaURL(); url != "" {
		return otel.Tracer(scope, oteltrace.WithSchemaURL(url))
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
	o    *Options
}

// New returns a Model around next; nil options mean the defaults. Its error wraps
// [ErrOption].
func New(next llms.Model, o *Options) (*Model, error) {
	if next == nil {
		return nil, optionError("the model to wrap is nil")
	}
	checked, err := o.check()
	if err != nil {
		return nil, err
	}
	return &Model{next: next, o: checked}, nil
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

// GenerateContent calls the wrapped model within a span. If it is wrapped twice for
// attempts, the outer wrapper records the call and the inner one steps back, so that
// usage counts once.
func (m *Model) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	if m.o.Kind == KindAttempt && isAttempt(ctx, messages) {
		return m.next.GenerateContent(ctx, messages, options...)
	}
	var o callopt.Options
	if len(options) > 0 {
		o = callopt.Resolve(options)
	}
	if o.Model == "" {
		o.Model = m.o.Model
	}
	spanCtx, s := m.start(ctx, o.Model)
	returned := false
	defer s.done(&returned)
	recording := s.span.IsRecording()
	if !recording && !m.o.meters.on(ctx) {
		r, err := m.next.GenerateContent(spanCtx, messages, options...)
		returned = true
		return r, wrap.ContextError(ctx, err)
	}
	if recording {
		s.pending = m.request(spanCtx, &o)
	}
	if m.o.Kind == KindAttempt {
		spanCtx = asAttempt(spanCtx, s, messages)
	}
	w, listening := m.listen(options, &o)
	r, err := m.next.GenerateContent(spanCtx, messages, listening...)
	returned = true
	err = wrap.ContextError(ctx, err)
	if err != nil {
		attemptsOf(spanCtx).failed(s.span)
		s.fail(err)
	} else if reason := broken(r); reason != "" && m.o.Kind == KindAttempt {
		s.broke("answer_"+reason, "the answer is not known to be complete: "+reason)
	}
	m.response(s, messages, r, w, err)
	return r, err
}

// start begins the span. An attempt gets a link to the failed one before it in the
// same logical call.
func (m *Model) start(ctx context.Context, model string) (context.Context, *Step) {
	if m.o.Kind != KindAttempt {
		return m.o.startKind(ctx)
	}
	ctx = private(ctx)
	var links []oteltrace.Link
	if number, before := attemptsOf(ctx).next(); before.IsValid() {
		links = []oteltrace.Link{{SpanContext: before, Attributes: []attribute.KeyValue{attribute.Int(LinkAttempt, number)}}}
	}
	ctx, s := m.o.start(ctx, OperationChat, model, oteltrace.SpanKindClient, links,
		attribute.String(SpanOperation, OperationChat), attribute.String(SpanProvider, m.o.provider()), attribute.String(SpanModel, model))
	s.model = model
	return ctx, s
}

// request is the caller and the options of the call.
func (m *Model) request(ctx context.Context, o *callopt.Options) []attribute.KeyValue {
	a := m.o.identity(ctx, make([]attribute.KeyValue, 0, 20)) // with room for the answer
	if m.o.Kind == KindAttempt {
		a = appendOptions(a, o)
	}
	return a
}

func appendText(a []attribute.KeyValue, key, value string) []attribute.KeyValue {
	if value == "" {
		return a
	}
	return append(a, attribute.String(key, value))
}

func appendOptions(a []attribute.KeyValue, o *callopt.Options) []attribute.KeyValue {
	if o.Has(callopt.MaxTokens) {
		a = append(a, attribute.Int(SpanMaxTokens, o.MaxTokens))
	}
	if o.Has(callopt.Seed) {
		a = append(a, attribute.Int(SpanSeed, o.Seed))
	}
	if o.Has(callopt.N) && o.N != 1 {
		a = append(a, attribute.Int(SpanChoices, o.N))
	}
	if o.Has(callopt.TopK) {
		a = append(a, attribute.Float64(SpanTopK, float64(o.TopK)))
	}
	for _, f := range []struct {
		field callopt.Field
		key   string
		value float64
	}{
		{callopt.Temperature, SpanTemperature, o.Temperature},
		{callopt.TopP, SpanTopP, o.TopP},
		{callopt.FrequencyPenalty, SpanFrequencyPenalty, o.FrequencyPenalty},
		{callopt.PresencePenalty, SpanPresencePenalty, o.PresencePenalty},
	} {
		if o.Has(f.field) {
			a = append(a, attribute.Float64(f.key, f.value))
		}
	}
	if len(o.StopWords) > 0 {
		a = append(a, attribute.StringSlice(SpanStopSequences, o.StopWords))
	}
	if o.StreamingFunc != nil || o.StreamingReasoningFunc != nil {
		a = append(a, attribute.Bool(SpanStream, true))
	}
	return a
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
