package redact

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/slogtest"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/prodailabs/prodai/trace"
	"github.com/prodailabs/prodai/trace/jsonl"
)

const canary = "CANARY-7f3a"

func hide(text string) string { return strings.ReplaceAll(text, canary, "[SECRET]") }

type model struct{ err error }

func (m model) GenerateContent(ctx context.Context, _ []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	var o llms.CallOptions
	for _, apply := range options {
		apply(&o)
	}
	if o.StreamingFunc != nil {
		_ = o.StreamingFunc(ctx, []byte("chunk "+canary))
	}
	if m.err != nil {
		return nil, m.err
	}
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "answer " + canary, ReasoningContent: canary, StopReason: "stop",
		ToolCalls:      []llms.ToolCall{{ID: "1", FunctionCall: &llms.FunctionCall{Name: "f", Arguments: `{"k":"` + canary + `"}`}}},
		GenerationInfo: map[string]any{"ID": canary, "PromptTokens": 1, "CompletionTokens": 1}}}}, nil
}

func (m model) Call(context.Context, string, ...llms.CallOption) (string, error) { return "", nil }

type docs struct{}

func (docs) GetRelevantDocuments(context.Context, string) ([]schema.Document, error) {
	return []schema.Document{{PageContent: canary, Metadata: map[string]any{"id": "x" + canary, "deep": map[string]any{"a": canary}}}}, nil
}

type tool struct{}

func (tool) Name() string                                         { return "lookup" }
func (tool) Description() string                                  { return "d" }
func (tool) Call(_ context.Context, input string) (string, error) { return "result " + input, nil }

// TestCanariesNeverLeave: a secret in each place that a text can come from is in no
// byte that is exported, with all content captured, and in no log line. Without the
// mask it is there, so the test can fail.
func TestCanariesNeverLeave(t *testing.T) {
	for _, masked := range []bool{true, false} {
		var spans, logs bytes.Buffer
		file, err := jsonl.New(&spans)
		require.NoError(t, err)
		mask := Mask(hide)
		if !masked {
			mask = func(s string) string { return s }
		}
		exporter, err := New(file, mask, nil)
		require.NoError(t, err)
		handler, err := NewHandler(slog.NewJSONHandler(&logs, nil), mask, nil)
		require.NoError(t, err)
		provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter), sdktrace.WithResource(resource.NewSchemaless(attribute.String("host", canary))))
		play(t, provider.Tracer("t"), slog.New(trace.NewLogHandler(handler)))
		require.NoError(t, provider.Shutdown(t.Context()))
		require.GreaterOrEqual(t, strings.Count(spans.String(), "\n"), 6)
		require.Equal(t, masked, !strings.Contains(spans.String(), canary))
		require.Equal(t, masked, !strings.Contains(logs.String(), canary))
		if !masked {
			require.Greater(t, strings.Count(spans.String(), canary), 20)
		}
	}
}

func play(t *testing.T, tracer oteltrace.Tracer, log *slog.Logger) {
	t.Helper()
	o := trace.Options{Tracer: tracer, Content: true, OpenInference: true, Model: "m"}
	member, err := baggage.NewMemberRaw(trace.BaggageTenant, canary)
	require.NoError(t, err)
	bag, err := baggage.New(member)
	require.NoError(t, err)
	in, err := trace.NewBaggage(nil)
	require.NoError(t, err)
	ctx := in.Receive(baggage.ContextWithBaggage(t.Context(), bag))
	ctx = trace.WithPrompt(ctx, trace.NewPrompt(canary, canary, canary))
	ctx, root := tracer.Start(ctx, "GET /"+canary, oteltrace.WithLinks(oteltrace.Link{Attributes: []attribute.KeyValue{attribute.String("a", canary)}}))
	defer root.End()
	messages := []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeSystem, canary), llms.TextParts(llms.ChatMessageTypeHuman, canary)}
	for _, failing := range []error{nil, errors.New("provider quotes " + canary)} {
		m, err := trace.New(model{failing}, &o)
		require.NoError(t, err)
		_, _ = m.GenerateContent(ctx, messages, llms.WithStreamingFunc(func(context.Context, []byte) error { return nil }), llms.WithStopWords([]string{canary}))
	}
	r, err := trace.NewRetriever(docs{}, "source-"+canary, &o)
	require.NoError(t, err)
	_, err = r.GetRelevantDocuments(ctx, canary)
	require.NoError(t, err)
	tl, err := trace.NewTool(tool{}, &o)
	require.NoError(t, err)
	_, err = tl.Call(trace.WithToolCall(ctx, canary), `{"k":"`+canary+`"}`)
	require.NoError(t, err)
	_, step, err := trace.Start(ctx, &trace.Options{Kind: trace.KindLogical, Name: canary, Tracer: tracer, Content: true})
	require.NoError(t, err)
	step.Input(canary)
	step.End(fmt.Errorf("wrapped: %w", errors.New(canary)))
	log.With("with", canary).WithGroup("g"+canary).InfoContext(ctx, "msg "+canary, "k", canary, canary, 1, "err", errors.New(canary), "list", []string{canary},
		slog.Group("in", "deep", canary), "any", map[string]string{canary: canary})
	root.AddEvent("event "+canary, oteltrace.WithAttributes(attribute.StringSlice("list", []string{canary}), attribute.String(canary, "key"),
		attribute.Map("map", attribute.Slice("list", attribute.StringValue(canary)), attribute.ByteSlice("bytes", []byte(canary)))))
	root.SetStatus(codes.Error, canary)
}

// TestAMaskThatPanicsFailsClosed: one value is lost, and no span.
func TestAMaskThatPanicsFailsClosed(t *testing.T) {
	ex := tracetest.NewInMemoryExporter()
	e, err := New(ex, func(text string) string {
		if text == "bad" {
			panic("mask")
		}
		return text
	}, nil)
	require.NoError(t, err)
	p := sdktrace.NewTracerProvider(sdktrace.WithBatcher(e))
	for i := range 100 {
		_, s := p.Tracer("t").Start(t.Context(), "s")
		value := "good"
		if i == 50 {
			value = "bad"
		}
		s.SetAttributes(attribute.String("k", value))
		s.End()
	}
	require.NoError(t, p.ForceFlush(t.Context()))
	require.Len(t, ex.GetSpans(), 100)
	require.Equal(t, int64(1), e.Failures())
	require.Equal(t, Failed, ex.GetSpans()[50].Attributes[0].Value.AsString())
}

// TestLongTextsAreCut: names and events too, at a whole character.
func TestLongTextsAreCut(t *testing.T) {
	ex := tracetest.NewInMemoryExporter()
	e, err := New(ex, hide, &Options{MaxBytes: 1001})
	require.NoError(t, err)
	long := strings.Repeat("😀", 5000) + "\xff"
	_, s := sdktrace.NewTracerProvider(sdktrace.WithSyncer(e)).Tracer("t").Start(t.Context(), long)
	s.AddEvent(long, oteltrace.WithAttributes(attribute.String("a", long)))
	s.End()
	got := ex.GetSpans()[0]
	for _, text := range []string{got.Name, got.Events[0].Name, got.Events[0].Attributes[0].Value.AsString()} {
		require.LessOrEqual(t, len(text), 1001)
		require.True(t, utf8.ValidString(text))
		require.Contains(t, text, "[cut: 200")
	}
}

func TestOptions(t *testing.T) {
	_, err := New(nil, hide, nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = New(tracetest.NewNoopExporter(), nil, nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = NewHandler(nil, hide, nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = NewHandler(slog.DiscardHandler, nil, nil)
	require.ErrorIs(t, err, ErrOption)
	for _, bad := range []map[string]string{nil, {"A": "("}, {"A": "x*"}} {
		_, err = Patterns(bad)
		require.ErrorIs(t, err, ErrOption)
	}
}

func TestHandlerIsAHandler(t *testing.T) {
	var b strings.Builder
	h, err := NewHandler(slog.NewJSONHandler(&b, nil), hide, nil)
	require.NoError(t, err)
	require.NoError(t, slogtest.TestHandler(h, func() []map[string]any {
		var out []map[string]any
		for line := range strings.Lines(b.String()) {
			var m map[string]any
			require.NoError(t, json.Unmarshal([]byte(line), &m))
			out = append(out, m)
		}
		return out
	}))
}

func ExamplePatterns() {
	mask, err := Patterns(map[string]string{"EMAIL": `[\w.+-]+@[\w-]+\.[\w.]+`, "KEY": `sk-[A-Za-z0-9]{20,}`})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(mask("ann@example.com uses sk-abcdefghijklmnopqrstuvwx"))
	// Output: [EMAIL] uses [KEY]
}
