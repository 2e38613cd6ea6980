package trace

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/tmc/langchaingo/llms"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	oteltrace "go.opentelemetry.io/otel/trace"
)

// A Step is a span in progress. Every wrapper of this package makes one for each
// call. Use [Start] for steps that no wrapper fits: a reranker, a whole request.
type Step struct {
	o         *Options
	span      oteltrace.Span
	operation string
	model     string // for metrics
	began     time.Time
	failed    string // error.type of an end, "" on success
	ended     bool
	messages  []llms.MessageContent // of an attempt
	pending   []attribute.KeyValue  // of the request, which are set together with the answer's
}

// Start begins the span of a step with the kind and name of o: KindLogical and
// KindAgent have a span each; an attempt is begun by a [Model] only. Calls below
// with the returned context are its children. End the step on every path:
//
//	ctx, step, err := trace.Start(ctx, &trace.Options{Kind: trace.KindLogical, Name: "import"})
//	if err != nil {
//		return err
//	}
//	err = run(ctx)
//	step.End(err)
//
// The error wraps [ErrOption].
func Start(ctx context.Context, o *Options) (context.Context, *Step, error) {
	checked, err := o.check()
	if err != nil {
		return ctx, nil, err
	}
	if checked.Kind == KindAttempt {
		return ctx, nil, optionError("Options.Kind is KindAttempt: want KindLogical or KindAgent, since a Model makes the spans of attempts")
	}
	ctx, s := checked.startKind(ctx)
	if s.span.IsRecording() {
		s.set(checked.identity(ctx, nil))
	}
	return ctx, s, nil
}

// Input records what the step works on, if Options.Content is set.
func (s *Step) Input(text string) { s.text(true, text) }

// Output records the step's result, if Options.Content is set.
func (s *Step) Output(text string) { s.text(false, text) }

func (s *Step) text(input bool, text string) {
	if !s.o.Content || !s.span.IsRecording() {
		return
	}
	key, role, reason := SpanInput, "user", ""
	if !input {
		key, role, reason = SpanOutput, "assistant", "stop"
	}
	s.set([]attribute.KeyValue{attribute.String(key, asJSON([]message{{Role: role, Parts: []part{{Type: "text", Content: text}}, FinishReason: reason}}))})
	if s.o.OpenInference {
		s.span.SetAttributes(openInferenceText(input, text)...)
	}
}

// Context returns the span's context: trace id and span id.
func (s *Step) Context() oteltrace.SpanContext { return s.span.SpanContext() }

// End ends the step; a non-nil err marks it as failed. The second End does nothing.
func (s *Step) End(err error) {
	if s.ended {
		return
	}
	if err != nil {
		s.fail(err)
	}
	s.end()
}

// end ends the span and records the metrics.
func (s *Step) end() {
	s.ended = true
	s.o.meters.ended(s)
	s.span.End()
}

// startKind begins the span of a logical call or an agent.
func (o *Options) startKind(ctx context.Context) (context.Context, *Step) {
	ctx = context.WithValue(ctx, attemptsKey{}, &attempts{})
	if o.Kind == KindAgent {
		return o.start(ctx, OperationAgent, o.Name, oteltrace.SpanKindInternal, nil,
			attribute.String(SpanOperation, OperationAgent), attribute.String(SpanAgent, o.Name), attribute.String(SpanProvider, o.provider()))
	}
	return o.start(ctx, OperationWorkflow, o.Name, oteltrace.SpanKindInternal, nil,
		attribute.String(SpanOperation, OperationWorkflow), attribute.String(SpanWorkflow, o.Name))
}

// start begins a span "operation target".
func (o *Options) start(ctx context.Context, operation, target string, kind oteltrace.SpanKind, links []oteltrace.Link, a ...attribute.KeyValue) (context.Context, *Step) {
	name := operation
	if target != "" {
		name += " " + target
	}
	return o.startNamed(ctx, name, operation, kind, links, a)
}

func (o *Options) startNamed(ctx context.Context, name, operation string, kind oteltrace.SpanKind, links []oteltrace.Link, a []attribute.KeyValue) (context.Context, *Step) {
	s := &Step{o: o, operation: operation, began: time.Now()}
	if o.OpenInference {
		a = append(a, openInference(operation, a)...)
	}
	config := make([]oteltrace.SpanStartOption, 2, 3)
	config[0], config[1] = oteltrace.WithSpanKind(kind), oteltrace.WithAttributes(o.renamed(operation, a)...)
	if links != nil {
		config = append(config, oteltrace.WithLinks(links...))
	}
	ctx, s.span = o.tracer().Start(ctx, name, config...)
	return ctx, s
}

// set sets attributes under the names of the profile, and of OpenInference too if
// that is asked for.
func (s *Step) set(a []attribute.KeyValue) {
	if len(a) == 0 {
		return
	}
	if s.o.OpenInference {
		a = append(a, openInference(s.operation, a)...)
	}
	s.span.SetAttributes(s.o.renamed(s.operation, a)...)
}

// fail marks the span. The error's message may quote the prompt, so it counts as
// content.
func (s *Step) fail(err error) {
	s.failed = errorType(err)
	if !s.span.IsRecording() {
		return
	}
	event := []attribute.KeyValue{attribute.String(SpanExceptionType, fmt.Sprintf("%T", err))}
	description := s.failed
	if s.o.Content {
		description = err.Error()
		event = append(event, attribute.String(SpanExceptionMessage, description))
	}
	s.span.AddEvent("exception", oteltrace.WithAttributes(event...))
	s.broke(s.failed, description)
}

// broke sets an error without an event.
func (s *Step) broke(kind, description string) {
	s.failed = kind
	s.span.SetAttributes(attribute.String(SpanErrorType, kind))
	s.span.SetStatus(codes.Error, description)
}

// done ends a span whose call may have panicked.
func (s *Step) done(returned *bool) {
	if !*returned { // a panic, or a goroutine that was ended
		s.broke("panic", "the call panicked")
		s.set(s.pending)
	}
	s.end()
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
