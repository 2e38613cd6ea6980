package trace_test

import (
	"testing"

	"github.com/tmc/langchaingo/chains"
	"github.com/tmc/langchaingo/prompts"
	"github.com/tmc/langchaingo/tools"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/prodailabs/prodai/trace"
)

// Our wrappers are langchaingo's own types, though trace imports neither package.
var (
	_ chains.Chain = (*trace.Chain[chains.ChainCallOption])(nil)
	_ tools.Tool   = (*trace.Tool)(nil)
)

// TestRealChain: a chain of langchaingo around a traced model makes a span with the
// attempt below it.
func TestRealChain(t *testing.T) {
	rec := tracetest.NewSpanRecorder()
	o := &trace.Options{Tracer: sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(rec)).Tracer("t"), Model: "m", Name: "greet"}
	m, err := trace.New(model{}, o)
	if err != nil {
		t.Fatal(err)
	}
	c, err := trace.NewChain(chains.NewLLMChain(m, prompts.NewPromptTemplate("Greet {{.name}}", []string{"name"})), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := chains.Call(t.Context(), c, map[string]any{"name": "Ann"}); err != nil {
		t.Fatal(err)
	}
	spans := rec.Ended()
	if len(spans) != 2 || spans[1].Name() != "invoke_workflow greet" || spans[0].Parent().SpanID() != spans[1].SpanContext().SpanID() {
		t.Errorf("%d spans", len(spans))
	}
}
