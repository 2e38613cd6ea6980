package trace

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/slogtest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/vectorstores"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/internal/golden"
	"github.com/prodailabs/prodai/internal/usage"
)

// recorder returns a provider and the spans it made.
func recorder() (*sdktrace.TracerProvider, *tracetest.SpanRecorder) {
	r := tracetest.NewSpanRecorder()
	return sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(r)), r
}

type generate func(ctx context.Context, o llms.CallOptions) (*llms.ContentResponse, error)

func (g generate) GenerateContent(ctx context.Context, _ []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	var o llms.CallOptions
	for _, apply := range options {
		apply(&o)
	}
	return g(ctx, o)
}

func (g generate) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, g, prompt, options...)
}

type failure struct{ status int }

func (f failure) Error() string {
	return fmt.Sprintf("status %d: the prompt 'secret words' was refused", f.status)
}
func (f failure) HTTPStatus() int { return f.status }

func warranty() []llms.MessageContent {
	return []llms.MessageContent{
		llms.TextParts(llms.ChatMessageTypeSystem, "Answer from the manual."),
		llms.TextParts(llms.ChatMessageTypeHuman, "Wie lange gilt die Garantie?"),
	}
}

func answered(info map[string]any) *llms.ContentResponse {
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "24 Monate.", StopReason: "stop", GenerationInfo: info}}}
}

// played makes the calls whose spans the golden file expects, from its values. The
// spans of other wrappers (tools, agents, MCP) aren't made here.
func played(t *testing.T, o Options) map[string]sdktrace.ReadOnlySpan {
	t.Helper()
	provider, rec := recorder()
	o.Tracer = provider.Tracer("test")
	call := func(ctx context.Context, o Options, g generate, options ...llms.CallOption) {
		m, err := New(g, &o)
		require.NoError(t, err)
		_, _ = m.GenerateContent(ctx, warranty(), options...) // some calls fail by design
	}
	by := func(o Options, provider, model string) Options {
		o.Provider, o.Model = provider, model
		return o
	}
	spans := map[string]sdktrace.ReadOnlySpan{}
	last := func(id string) { spans[id] = rec.Ended()[len(rec.Ended())-1] }

	mini := by(o, "openai", "gpt-4o-mini")
	call(t.Context(), mini, func(context.Context, llms.CallOptions) (*llms.ContentResponse, error) {
		return answered(map[string]any{"PromptTokens": 1200, "PromptCachedTokens": 1024, "CompletionTokens": 80, "ID": "chatcmpl-1", "Model": "gpt-4o-mini-2024-07-18"}), nil
	}, llms.WithMaxTokens(256), llms.WithTemperature(0.2))
	last("chat")

	call(t.Context(), mini, func(ctx context.Context, o llms.CallOptions) (*llms.ContentResponse, error) {
		time.Sleep(time.Millisecond)
		return answered(nil), o.StreamingFunc(ctx, []byte("24 Monate."))
	}, llms.WithStreamingFunc(func(context.Context, []byte) error { return nil }))
	last("chat_stream")

	call(t.Context(), by(o, "anthropic", "claude-sonnet-4-5"), func(context.Context, llms.CallOptions) (*llms.ContentResponse, error) {
		return answered(map[string]any{"InputTokens": 7, "OutputTokens": 445, "CacheCreationInputTokens": 2089, "CacheReadInputTokens": 16399}), nil
	})
	last("chat_anthropic_cache")

	logical := o
	logical.Kind = KindLogical
	attempt, err := New(func() generate {
		n := 0
		return func(context.Context, llms.CallOptions) (*llms.ContentResponse, error) {
			if n++; n == 1 {
				return nil, failure{429}
			}
			return answered(nil), nil
		}
	}(), &mini)
	require.NoError(t, err)
	call(t.Context(), logical, func(ctx context.Context, _ llms.CallOptions) (*llms.ContentResponse, error) {
		_, err := attempt.GenerateContent(ctx, warranty())
		require.Error(t, err)
		last("chat_error")
		r, err := attempt.GenerateContent(ctx, warranty())
		last("chat_retry")
		return r, err
	})

	small := by(o, "openai", "text-embedding-3-small")
	small.Tokens = func(string) int { return 9 }
	e, err := NewEmbedder(embedder{}, &small)
	require.NoError(t, err)
	_, err = e.EmbedQuery(t.Context(), "Garantie")
	require.NoError(t, err)
	last("embeddings")

	v, err := NewVectorStore(manuals{}, "manuals", &o)
	require.NoError(t, err)
	_, err = v.SimilaritySearch(t.Context(), "Wie lange gilt die Garantie?", 2)
	require.NoError(t, err)
	last("retrieval")

	tool, err := NewTool(lookup{"ticket_lookup"}, &o)
	require.NoError(t, err)
	_, err = tool.Call(WithToolCall(t.Context(), "call_1"), `{"id":17}`)
	require.NoError(t, err)
	last("tool")
	mcp := o
	mcp.Tool = ToolMCP
	tool, err = NewTool(lookup{"get-weather"}, &mcp)
	require.NoError(t, err)
	_, err = tool.Call(t.Context(), `{}`)
	require.NoError(t, err)
	last("mcp_tool")

	agent := by(o, "openai", "")
	agent.Kind, agent.Name, agent.Conversation = KindAgent, "support-bot", func(context.Context) string { return "conv-1" }
	call(t.Context(), agent, func(context.Context, llms.CallOptions) (*llms.ContentResponse, error) { return answered(nil), nil })
	last("agent")
	return spans
}

type lookup struct{ name string }

func (l lookup) Name() string                               { return l.name }
func (lookup) Description() string                          { return "looks up" }
func (lookup) Call(context.Context, string) (string, error) { return `{"state":"open"}`, nil }

type embedder struct{}

func (embedder) EmbedDocuments(_ context.Context, texts []string) ([][]float32, error) {
	return make([][]float32, len(texts)), nil
}
func (embedder) EmbedQuery(context.Context, string) ([]float32, error) {
	return make([]float32, 1536), nil
}

type manuals struct{}

func (manuals) AddDocuments(context.Context, []schema.Document, ...vectorstores.Option) ([]string, error) {
	return []string{"doc1"}, nil
}

func (m manuals) SimilaritySearch(ctx context.Context, query string, _ int, _ ...vectorstores.Option) ([]schema.Document, error) {
	return m.GetRelevantDocuments(ctx, query)
}

func (manuals) GetRelevantDocuments(context.Context, string) ([]schema.Document, error) {
	return []schema.Document{{Metadata: map[string]any{"id": "doc1"}, Score: 0.93}, {Metadata: map[string]any{"id": "doc7"}, Score: 0.71}}, nil
}

func TestGoldenSpans(t *testing.T) {
	var file struct {
		Spans []struct {
			ID, Name, Kind, Status string
			Attributes             map[string]any
			ContentAttributes      map[string]any `json:"content_attributes"`
			OpenInference          map[string]any
			Events                 []string
			Links                  []struct {
				To         string
				Attributes map[string]any
			}
		}
	}
	require.NoError(t, json.Unmarshal(golden.Read(t, "trace", "expected_spans.json"), &file))
	require.NotEmpty(t, file.Spans)
	plain, open := played(t, Options{}), played(t, Options{Content: true, OpenInference: true})
	for _, want := range file.Spans {
		got, ok := plain[want.ID]
		require.True(t, ok, want.ID)
		t.Run(want.ID, func(t *testing.T) {
			require.Equal(t, want.Name, got.Name())
			require.Equal(t, strings.ToLower(want.Kind), got.SpanKind().String())
			require.Equal(t, want.Status, strings.ToUpper(got.Status().Code.String()))
			for key, v := range want.Attributes {
				requireAttribute(t, got.Attributes(), key, v)
			}
			for key, v := range want.ContentAttributes {
				_, captured := find(got.Attributes(), key)
				require.False(t, captured, "%s without Content", key)
				data, err := json.Marshal(v)
				require.NoError(t, err)
				a, ok := find(open[want.ID].Attributes(), key)
				require.True(t, ok, key)
				if text, isText := v.(string); isText {
					require.Equal(t, text, a.AsString())
				} else {
					require.JSONEq(t, string(data), a.AsString())
				}
			}
			for key, v := range want.OpenInference {
				requireAttribute(t, open[want.ID].Attributes(), key, v)
				_, twice := find(got.Attributes(), key)
				require.False(t, twice, "%s without OpenInference", key)
			}
			for i, name := range want.Events {
				require.Equal(t, name, got.Events()[i].Name)
			}
			require.Len(t, got.Links(), len(want.Links))
			for i, l := range want.Links {
				require.Equal(t, plain[l.To].SpanContext().SpanID(), got.Links()[i].SpanContext.SpanID())
				for key, v := range l.Attributes {
					requireAttribute(t, got.Links()[i].Attributes, key, v)
				}
			}
		})
	}
}

func find(attrs []attribute.KeyValue, key string) (attribute.Value, bool) {
	for _, a := range attrs {
		if string(a.Key) == key {
			return a.Value, true
		}
	}
	return attribute.Value{}, false
}

func requireAttribute(t *testing.T, attrs []attribute.KeyValue, key string, want any) {
	t.Helper()
	got, ok := find(attrs, key)
	require.True(t, ok, "%s is missing", key)
	if text, isText := want.(string); isText && strings.HasPrefix(text, "<seconds") {
		require.Positive(t, got.AsFloat64())
		return
	}
	wantJSON, err := json.Marshal(want)
	require.NoError(t, err)
	gotJSON, err := json.Marshal(got.AsInterface())
	require.NoError(t, err)
	require.JSONEq(t, string(wantJSON), string(gotJSON), key)
}

func TestOnlyAttemptsCarryUsageAndCost(t *testing.T) {
	provider, rec := recorder()
	base := Options{Tracer: provider.Tracer("test"), Provider: "openai", Model: "m",
		Cost:   func(string, *llms.ContentResponse) (int64, bool) { return 42, true },
		Tenant: func(context.Context) string { return "acme" }}
	attempt, err := New(generate(func(context.Context, llms.CallOptions) (*llms.ContentResponse, error) {
		return answered(map[string]any{"PromptTokens": 5, "CompletionTokens": 3, "ReasoningTokens": 2}), nil
	}), &base)
	require.NoError(t, err)
	outer := base
	outer.Kind, outer.Name = KindLogical, "support"
	logical, err := New(attempt, &outer)
	require.NoError(t, err)
	_, err = logical.Call(t.Context(), "q")
	require.NoError(t, err)
	inner, whole := rec.Ended()[0], rec.Ended()[1]
	require.Equal(t, "invoke_workflow support", whole.Name())
	require.Equal(t, whole.SpanContext().SpanID(), inner.Parent().SpanID())
	requireAttribute(t, inner.Attributes(), SpanCostPicoUSD, 42)
	requireAttribute(t, inner.Attributes(), SpanReasoningTokens, 2)
	requireAttribute(t, whole.Attributes(), SpanTenant, "acme")
	for _, key := range []string{SpanCostPicoUSD, SpanInputTokens, SpanOutputTokens} {
		_, ok := find(whole.Attributes(), key)
		require.False(t, ok, key)
	}
}

func TestErrorsAreWordsOfLowCardinality(t *testing.T) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for want, err := range map[string]error{
		"429": fmt.Errorf("wrapped: %w", failure{429}), "timeout": context.DeadlineExceeded, "canceled": gone.Err(),
		"quota_exceeded": llms.NewError(llms.ErrCodeQuotaExceeded, "x", "y"), "_OTHER": errors.New("secret words"),
	} {
		require.Equal(t, want, errorType(err))
	}
	provider, rec := recorder()
	m, err := New(generate(func(context.Context, llms.CallOptions) (*llms.ContentResponse, error) { return nil, failure{400} }), &Options{Tracer: provider.Tracer("t")})
	require.NoError(t, err)
	_, err = m.Call(t.Context(), "q")
	require.ErrorAs(t, err, &failure{})
	require.NotContains(t, fmt.Sprint(rec.Ended()[0].Events(), rec.Ended()[0].Status(), rec.Ended()[0].Attributes()), "secret")
}

func TestHiddenContextErrorComesOut(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	m, err := New(generate(func(context.Context, llms.CallOptions) (*llms.ContentResponse, error) {
		cancel()
		return nil, errors.New("hidden")
	}), nil)
	require.NoError(t, err)
	_, err = m.Call(ctx, "q")
	require.ErrorIs(t, err, context.Canceled)
}

func TestCachedAnswersAreMarked(t *testing.T) {
	provider, rec := recorder()
	m, err := New(generate(func(context.Context, llms.CallOptions) (*llms.ContentResponse, error) {
		return answered(map[string]any{usage.FromCache: "exact"}), nil
	}), &Options{Tracer: provider.Tracer("t"), Kind: KindLogical})
	require.NoError(t, err)
	_, err = m.Call(t.Context(), "q")
	require.NoError(t, err)
	requireAttribute(t, rec.Ended()[0].Attributes(), SpanFromCache, true)
}

func TestNil(t *testing.T) {
	_, err := New(nil, nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = NewRetriever(nil, "", nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = NewEmbedder(nil, nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = New(generate(nil), &Options{Kind: 3})
	require.ErrorIs(t, err, ErrOption)
}

func TestHandlerMakesSpanEvents(t *testing.T) {
	provider, rec := recorder()
	log := slog.New(NewLogHandler(nil)).With("static", 1).WithGroup("g")
	ctx, span := provider.Tracer("t").Start(t.Context(), "s")
	log.InfoContext(ctx, event.RetryAttempt, event.Delay, 1500*time.Millisecond, event.Scores, []float64{1, 2}, slog.Group("in", "b", true))
	log.Info("outside of a span")
	span.End()
	events := rec.Ended()[0].Events()
	require.Len(t, events, 1)
	require.Equal(t, event.RetryAttempt, events[0].Name)
	requireAttribute(t, events[0].Attributes, "static", 1)
	requireAttribute(t, events[0].Attributes, "g.delay", 1.5)
	requireAttribute(t, events[0].Attributes, "g.scores", []float64{1, 2})
	requireAttribute(t, events[0].Attributes, "g.in.b", true)
}

func TestHandlerPassesOnFaithfully(t *testing.T) {
	var b strings.Builder
	err := slogtest.TestHandler(NewLogHandler(slog.NewJSONHandler(&b, nil)), func() []map[string]any {
		var out []map[string]any
		for line := range strings.Lines(b.String()) {
			var m map[string]any
			require.NoError(t, json.Unmarshal([]byte(line), &m))
			out = append(out, m)
		}
		return out
	})
	require.NoError(t, err)
	require.False(t, NewLogHandler(nil).Enabled(t.Context(), slog.LevelError), "nobody listens")
}

func BenchmarkAttempt(b *testing.B) {
	answer := answered(map[string]any{"PromptTokens": 5, "CompletionTokens": 3})
	next := generate(func(context.Context, llms.CallOptions) (*llms.ContentResponse, error) { return answer, nil })
	messages := warranty()
	for name, provider := range map[string]*sdktrace.TracerProvider{"off": nil, "sampled": sdktrace.NewTracerProvider()} {
		b.Run(name, func(b *testing.B) {
			o := &Options{Provider: "openai", Model: "m"}
			if provider != nil {
				o.Tracer = provider.Tracer("b")
			}
			m, err := New(next, o)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := m.GenerateContent(b.Context(), messages); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestBrokenAnswersAreErrors: an answer that ended by an error, a filter or an
// unknown stop reason is an error on the attempt's span, though the client reported
// none.
func TestBrokenAnswersAreErrors(t *testing.T) {
	for reason, want := range map[string]string{"stop": "", "tool_calls": "", "length": "", "": "",
		"error": "answer_failed", "network_error": "answer_failed", "content_filter": "answer_filtered", "sensitive": "answer_filtered", "made_up": "answer_unknown"} {
		provider, rec := recorder()
		m, err := New(generate(func(context.Context, llms.CallOptions) (*llms.ContentResponse, error) {
			return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "half", StopReason: reason}}}, nil
		}), &Options{Tracer: provider.Tracer("t")})
		require.NoError(t, err)
		_, err = m.Call(t.Context(), "q")
		require.NoError(t, err)
		span := rec.Ended()[0]
		if want == "" {
			require.Equal(t, codes.Unset, span.Status().Code, reason)
			continue
		}
		require.Equal(t, codes.Error, span.Status().Code, reason)
		requireAttribute(t, span.Attributes(), SpanErrorType, want)
	}
}
