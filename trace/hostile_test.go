package trace

import (
	"context"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

type hostileModel struct {
	r *llms.ContentResponse
	p any
}

func (m hostileModel) GenerateContent(ctx context.Context, _ []llms.MessageContent, o ...llms.CallOption) (*llms.ContentResponse, error) {
	var c llms.CallOptions
	for _, f := range o {
		f(&c)
	}
	if c.StreamingFunc != nil {
		_ = c.StreamingFunc(ctx, nil)
		_ = c.StreamingFunc(ctx, []byte("x"))
	}
	if m.p != nil {
		panic(m.p)
	}
	return m.r, nil
}
func (hostileModel) Call(context.Context, string, ...llms.CallOption) (string, error) { return "", nil }

type hostilePart struct{ llms.TextContent }

func TestOddAnswers(t *testing.T) {
	ex := tracetest.NewInMemoryExporter()
	tp := sdktrace.NewTracerProvider(sdktrace.WithSyncer(ex))
	for _, r := range []*llms.ContentResponse{nil, {}, {Choices: []*llms.ContentChoice{nil}}, {Choices: []*llms.ContentChoice{nil, {ToolCalls: []llms.ToolCall{{}}}, {FuncCall: &llms.FunctionCall{Arguments: "{"}}}}} {
		for _, kind := range []Kind{KindAttempt, KindLogical} {
			m, err := New(hostileModel{r: r}, &Options{Tracer: tp.Tracer(""), Content: true, Kind: kind, Cost: func(string, *llms.ContentResponse) (int64, bool) { return -1, true }})
			require.NoError(t, err)
			require.NotPanics(t, func() {
				_, _ = m.GenerateContent(t.Context(), []llms.MessageContent{{Parts: []llms.ContentPart{nil, llms.CachedContent{}, hostilePart{}, llms.ToolCall{}, llms.BinaryContent{}}}}, llms.WithStreamingFunc(func(context.Context, []byte) error { return nil }))
			})
		}
	}
	n := len(ex.GetSpans())
	require.Equal(t, 8, n)
	m, _ := New(hostileModel{p: "boom"}, &Options{Tracer: tp.Tracer("")})
	require.Panics(t, func() { _, _ = m.GenerateContent(t.Context(), nil) })
	require.Len(t, ex.GetSpans(), n+1, "a panic ends its span")
	require.Equal(t, "Error", ex.GetSpans()[n].Status.Code.String(), "the span of a panic says nothing of it")
}

type hostileRetriever struct{}

func (hostileRetriever) GetRelevantDocuments(context.Context, string) ([]schema.Document, error) {
	return []schema.Document{{}, {Metadata: map[string]any{"id": 5}}}, nil
}

type loop struct{ n int }

func (l loop) LogValue() slog.Value { return slog.AnyValue(loop{l.n + 1}) }

func TestLogHandler(t *testing.T) {
	tp := sdktrace.NewTracerProvider(sdktrace.WithSyncer(tracetest.NewInMemoryExporter()))
	ctx, span := tp.Tracer("").Start(t.Context(), "x")
	defer span.End()
	require.NotPanics(t, func() {
		l := slog.New(NewLogHandler(nil))
		l.InfoContext(ctx, "x", "a", loop{}, "b", nil, "", 1, slog.Group("", slog.Int("c", 1)), "d", []any{1, nil}, "e", (*hostileModel)(nil))
		l.WithGroup("").WithGroup("g").With().With("k", slog.GroupValue(slog.Int("z", 1))).InfoContext(ctx, "\xff")
		r, _ := NewRetriever(hostileRetriever{}, "", &Options{Tracer: tp.Tracer(""), Content: true})
		_, _ = r.GetRelevantDocuments(ctx, "")
	})
}
