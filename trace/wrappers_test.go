package trace

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

func text(t *testing.T, s sdktrace.ReadOnlySpan, key string) string {
	t.Helper()
	v, ok := find(s.Attributes(), key)
	require.True(t, ok, "%s is missing", key)
	return v.AsString()
}

// TestLabelsReachEverySpan: tenant, user, feature and prompt version come from the
// context, and are on spans of every kind.
func TestLabelsReachEverySpan(t *testing.T) {
	provider, rec := recorder()
	o := &Options{Tracer: provider.Tracer("t")}
	ctx := WithLabels(t.Context(), Labels{Tenant: "acme", User: "u1"})
	ctx = WithLabels(ctx, Labels{Feature: "chat"})
	ctx = WithPrompt(ctx, NewPrompt("support", "7", "Answer: {{.}}"))
	m, err := New(generate(func(context.Context, llms.CallOptions) (*llms.ContentResponse, error) { return answered(nil), nil }), o)
	require.NoError(t, err)
	_, err = m.Call(ctx, "q")
	require.NoError(t, err)
	v, err := NewVectorStore(manuals{}, "m", o)
	require.NoError(t, err)
	_, err = v.SimilaritySearch(ctx, "q", 1)
	require.NoError(t, err)
	_, err = v.AddDocuments(ctx, nil)
	require.NoError(t, err)
	e, err := NewEmbedder(embedder{}, o)
	require.NoError(t, err)
	_, err = e.EmbedDocuments(ctx, []string{"a"})
	require.NoError(t, err)
	tool, err := NewTool(lookup{"x"}, o)
	require.NoError(t, err)
	_, err = tool.Call(ctx, "")
	require.NoError(t, err)
	c, err := NewChain[string](chain{}, o)
	require.NoError(t, err)
	_, err = c.Call(ctx, nil)
	require.NoError(t, err)
	_, step, err := Start(ctx, &Options{Kind: KindLogical, Tracer: o.Tracer})
	require.NoError(t, err)
	step.End(nil)
	step.End(errors.New("twice"))
	require.Len(t, rec.Ended(), 7)
	for _, s := range rec.Ended() {
		require.Equal(t, "acme u1 chat support 7", strings.Join([]string{text(t, s, SpanTenant), text(t, s, SpanUser), text(t, s, SpanFeature), text(t, s, SpanPrompt), text(t, s, SpanPromptVersion)}, " "), s.Name())
		require.Len(t, text(t, s, SpanPromptHash), 16)
	}
	require.NotEqual(t, NewPrompt("p", "1", "a").Hash, NewPrompt("p", "1", "b").Hash, "the hash finds a change without a new version")
}

// TestBaggageIsAnAllowList: what is not allowed, not printable, too long or one too
// many is not taken over, and nothing of it reaches a model's host.
func TestBaggageIsAnAllowList(t *testing.T) {
	_, err := NewBaggage(&BaggageOptions{Allow: []string{"session"}})
	require.ErrorIs(t, err, ErrOption)
	all, err := NewBaggage(nil)
	require.NoError(t, err)
	ctx := all.Send(WithPrompt(WithLabels(t.Context(), Labels{Tenant: "acme", User: "ü 1", Feature: "chat"}), Prompt{Name: "p", Version: "7"}))
	other, err := baggage.NewMemberRaw("other", "stays")
	require.NoError(t, err)
	bag, err := baggage.FromContext(ctx).SetMember(other)
	require.NoError(t, err)
	wire, err := baggage.Parse(bag.String()) // as the header baggage carries it
	require.NoError(t, err)
	ctx = baggage.ContextWithBaggage(t.Context(), wire)

	got := all.Receive(ctx)
	require.Equal(t, Labels{"acme", "ü 1", "chat"}, LabelsFrom(got))
	require.Equal(t, Prompt{Name: "p", Version: "7"}, PromptFrom(got))
	require.Equal(t, "mine", LabelsFrom(all.Receive(WithLabels(ctx, Labels{Tenant: "mine"}))).Tenant, "what the service knows wins")
	edge, err := NewBaggage(&BaggageOptions{Allow: []string{BaggageFeature}})
	require.NoError(t, err)
	require.Equal(t, Labels{Feature: "chat"}, LabelsFrom(edge.Receive(ctx)))

	m, err := New(generate(func(ctx context.Context, _ llms.CallOptions) (*llms.ContentResponse, error) {
		require.Equal(t, "other=stays", baggage.FromContext(ctx).String())
		return answered(nil), nil
	}), nil)
	require.NoError(t, err)
	_, err = m.Call(got, "q")
	require.NoError(t, err)

	few, err := NewBaggage(&BaggageOptions{MaxValues: 2})
	require.NoError(t, err)
	for value, want := range map[string]string{"a": "a", strings.Repeat("x", 65): "", "a\x00b": ""} {
		member, err := baggage.NewMemberRaw(BaggageTenant, value)
		require.NoError(t, err)
		bag, err := baggage.New(member)
		require.NoError(t, err)
		require.Equal(t, want, LabelsFrom(few.Receive(baggage.ContextWithBaggage(t.Context(), bag))).Tenant)
	}
	var last string
	for i := range 5 {
		member, err := baggage.NewMemberRaw(BaggageTenant, fmt.Sprint("t", i))
		require.NoError(t, err)
		bag, err := baggage.New(member)
		require.NoError(t, err)
		last = LabelsFrom(few.Receive(baggage.ContextWithBaggage(t.Context(), bag))).Tenant
	}
	require.Equal(t, BaggageOther, last)
}

// TestWrappedTwiceCountsOnce: two instruments around one client make one attempt.
func TestWrappedTwiceCountsOnce(t *testing.T) {
	provider, rec := recorder()
	o := &Options{Tracer: provider.Tracer("t"), Model: "m"}
	inner, err := New(generate(func(context.Context, llms.CallOptions) (*llms.ContentResponse, error) {
		return answered(map[string]any{"PromptTokens": 5, "CompletionTokens": 3}), nil
	}), o)
	require.NoError(t, err)
	outer, err := New(inner, o)
	require.NoError(t, err)
	_, err = outer.Call(t.Context(), "q")
	require.NoError(t, err)
	require.Len(t, rec.Ended(), 1)
	requireAttribute(t, rec.Ended()[0].Attributes(), SpanInputTokens, 5)
}

// TestAStreamThatBreaksOffIsCounted: what it produced is recorded, and marked.
func TestAStreamThatBreaksOffIsCounted(t *testing.T) {
	provider, rec := recorder()
	m, err := New(generate(func(ctx context.Context, o llms.CallOptions) (*llms.ContentResponse, error) {
		_ = o.StreamingFunc(ctx, []byte("two "))
		_ = o.StreamingFunc(ctx, []byte("words"))
		return nil, errors.New("cut")
	}), &Options{Tracer: provider.Tracer("t"), Model: "m", Content: true,
		Tokens: func(s string) int { return len(strings.Fields(s)) },
		Cost: func(_ string, r *llms.ContentResponse) (int64, bool) {
			return r.Choices[0].GenerationInfo["CompletionTokens"].(int64) * 100, true
		}})
	require.NoError(t, err)
	_, err = m.Call(t.Context(), "one two three", llms.WithStreamingFunc(func(context.Context, []byte) error { return nil }))
	require.Error(t, err)
	a := rec.Ended()[0].Attributes()
	requireAttribute(t, a, SpanInputTokens, 3)
	requireAttribute(t, a, SpanOutputTokens, 2)
	requireAttribute(t, a, SpanEstimated, true)
	requireAttribute(t, a, SpanCostPicoUSD, 200)
	requireAttribute(t, a, SpanChunks, 2)
	require.Contains(t, text(t, rec.Ended()[0], SpanOutput), "two words")
}

// TestStalls: a wait of the provider is a stall, a slow reader is not.
func TestStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		provider, rec := recorder()
		m, err := New(generate(func(ctx context.Context, o llms.CallOptions) (*llms.ContentResponse, error) {
			for _, wait := range []time.Duration{300 * time.Millisecond, 10 * time.Millisecond, 3 * time.Second} {
				time.Sleep(wait)
				_ = o.StreamingFunc(ctx, []byte("x"))
			}
			return answered(nil), nil
		}), &Options{Tracer: provider.Tracer("t")})
		require.NoError(t, err)
		_, err = m.Call(t.Context(), "q", llms.WithStreamingFunc(func(context.Context, []byte) error {
			time.Sleep(5 * time.Second)
			return nil
		}))
		require.NoError(t, err)
		a := rec.Ended()[0].Attributes()
		requireAttribute(t, a, SpanFirstChunk, 0.3)
		requireAttribute(t, a, SpanMaxGap, 3.0)
		requireAttribute(t, a, SpanStalls, 1)
		requireAttribute(t, a, SpanChunks, 3)
	})
}

// A long chat passes the SDK's limit of attributes: identity, tokens and cost are
// there all the same.
func TestContentComesLast(t *testing.T) {
	provider, rec := recorder()
	m, err := New(generate(func(context.Context, llms.CallOptions) (*llms.ContentResponse, error) {
		return answered(map[string]any{"PromptTokens": 5, "CompletionTokens": 3}), nil
	}), &Options{Tracer: provider.Tracer("t"), Content: true, OpenInference: true, Conversation: func(context.Context) string { return "c" },
		Cost: func(string, *llms.ContentResponse) (int64, bool) { return 9, true }})
	require.NoError(t, err)
	messages := warranty()
	for range 200 {
		messages = append(messages, llms.TextParts(llms.ChatMessageTypeHuman, "again"))
	}
	_, err = m.GenerateContent(WithLabels(t.Context(), Labels{User: "u"}), messages)
	require.NoError(t, err)
	s := rec.Ended()[0]
	for _, key := range []string{SpanConversation, SpanUser, SpanInputTokens, SpanCostPicoUSD, SpanInput, SpanOutput, "session.id", "llm.token_count.total", "output.value"} {
		_, ok := find(s.Attributes(), key)
		require.True(t, ok, key)
	}
	require.Positive(t, s.DroppedAttributes())
}

type chain struct{ err error }

func (c chain) Call(context.Context, map[string]any, ...string) (map[string]any, error) {
	return map[string]any{"text": "b", "odd": func() {}}, c.err
}
func (chain) GetMemory() schema.Memory { return nil }
func (chain) GetInputKeys() []string   { return []string{"in"} }
func (chain) GetOutputKeys() []string  { return []string{"text"} }

func TestChainsAndAgents(t *testing.T) {
	provider, rec := recorder()
	c, err := NewChain[string](chain{errors.New("secret")}, &Options{Tracer: provider.Tracer("t"), Kind: KindAgent, Name: "bot", OpenInference: true})
	require.NoError(t, err)
	_, err = c.Call(t.Context(), map[string]any{"in": "a"})
	require.Error(t, err)
	require.Equal(t, "invoke_agent bot", rec.Ended()[0].Name())
	require.Equal(t, "AGENT", text(t, rec.Ended()[0], "openinference.span.kind"))
	require.NotContains(t, fmt.Sprint(rec.Ended()[0].Attributes(), rec.Ended()[0].Events(), rec.Ended()[0].Status()), "secret")
	c, err = NewChain[string](chain{}, &Options{Tracer: provider.Tracer("t"), Content: true, OpenInference: true})
	require.NoError(t, err)
	_, err = c.Call(t.Context(), map[string]any{"in": "a"})
	require.NoError(t, err)
	require.Equal(t, "invoke_workflow answer", rec.Ended()[1].Name())
	require.Contains(t, text(t, rec.Ended()[1], oiInput), `"in":"a"`)
	require.Contains(t, text(t, rec.Ended()[1], oiOutput), `"text":"b"`, "also with a value that JSON can't represent")
	require.Equal(t, []string{"in"}, c.GetInputKeys())
	require.Equal(t, []string{"text"}, c.GetOutputKeys())
	require.Nil(t, c.GetMemory())
}

// TestCallbacksTolerateEverything: calls with nil, doubled and outside of a span.
func TestCallbacksTolerateEverything(t *testing.T) {
	provider, rec := recorder()
	ctx, span := provider.Tracer("t").Start(t.Context(), "s")
	for _, ctx := range []context.Context{t.Context(), ctx, ctx} {
		c := Callbacks{}
		c.HandleText(ctx, "secret")
		c.HandleLLMStart(ctx, nil)
		c.HandleLLMGenerateContentStart(ctx, nil)
		c.HandleLLMGenerateContentEnd(ctx, nil)
		c.HandleLLMGenerateContentEnd(ctx, answered(nil))
		c.HandleLLMError(ctx, nil)
		c.HandleLLMError(ctx, failure{429})
		c.HandleChainStart(ctx, map[string]any{"a": "secret"})
		c.HandleChainEnd(ctx, nil)
		c.HandleChainError(ctx, nil)
		c.HandleToolStart(ctx, "secret")
		c.HandleToolEnd(ctx, "secret")
		c.HandleToolError(ctx, errors.New("secret"))
		c.HandleAgentAction(ctx, schema.AgentAction{Tool: "t", ToolInput: "secret"})
		c.HandleAgentFinish(ctx, schema.AgentFinish{})
		c.HandleRetrieverStart(ctx, "secret")
		c.HandleRetrieverEnd(ctx, "secret", nil)
		c.HandleStreamingFunc(ctx, []byte("secret"))
	}
	span.End()
	require.Len(t, rec.Ended()[0].Events(), 32)
	require.NotContains(t, fmt.Sprint(rec.Ended()[0].Events()), "secret")
	requireAttribute(t, rec.Ended()[0].Events()[5].Attributes, SpanErrorType, "429")
}

// A meter that keeps what is recorded.
type meter struct {
	noop.Meter
	mu   sync.Mutex
	seen map[string][]float64
	sets map[string]map[attribute.Distinct]bool
}

func (m *meter) add(name string, value float64, set attribute.Set) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen[name] = append(m.seen[name], value)
	if m.sets[name] == nil {
		m.sets[name] = map[attribute.Distinct]bool{}
	}
	m.sets[name][set.Equivalent()] = true
}

type keptHistogram struct {
	noop.Float64Histogram
	m    *meter
	name string
}

func (k keptHistogram) Enabled(context.Context) bool { return true }
func (k keptHistogram) Record(_ context.Context, v float64, o ...metric.RecordOption) {
	k.m.add(k.name, v, metric.NewRecordConfig(o).Attributes())
}

type keptCounter struct {
	noop.Int64Counter
	m    *meter
	name string
}

func (k keptCounter) Add(_ context.Context, v int64, o ...metric.AddOption) {
	k.m.add(k.name, float64(v), metric.NewAddConfig(o).Attributes())
}

func (m *meter) Float64Histogram(name string, _ ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	return keptHistogram{m: m, name: name}, nil
}

func (m *meter) Int64Counter(name string, _ ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return keptCounter{m: m, name: name}, nil
}

// TestMetricsAreBounded: also a client that makes up models and error codes does not
// make a series for each.
func TestMetricsAreBounded(t *testing.T) {
	for _, profile := range []Profile{ProfileV1_41, ProfileNext} {
		got := &meter{seen: map[string][]float64{}, sets: map[string]map[attribute.Distinct]bool{}}
		n := 0
		m, err := New(generate(func(ctx context.Context, o llms.CallOptions) (*llms.ContentResponse, error) {
			if o.StreamingFunc != nil {
				_ = o.StreamingFunc(ctx, nil)
			}
			if n++; n%3 == 0 {
				return nil, llms.NewError(llms.ErrorCode(fmt.Sprint("code", n)), "p", "m")
			}
			return answered(map[string]any{"PromptTokens": 5, "CompletionTokens": 3}), nil
		}), &Options{Meter: got, Profile: profile, Cost: func(model string, _ *llms.ContentResponse) (int64, bool) { return 11, model != "m1" }})
		require.NoError(t, err)
		for i := range 3000 {
			_, _ = m.Call(t.Context(), "q", llms.WithModel(fmt.Sprint("m", i)), llms.WithStreamingFunc(func(context.Context, []byte) error { return nil }))
		}
		duration := MetricDuration
		if profile == ProfileNext {
			duration = "gen_ai.client.inference.duration"
			require.Len(t, got.seen["gen_ai.client.inference.usage.output_tokens"], 2000)
		} else {
			require.Len(t, got.seen[MetricTokens], 4000, "input and output of each answer, though no span records")
			require.Len(t, got.seen[MetricFirstChunk], 3000)
		}
		require.Len(t, got.seen[duration], 3000)
		require.Len(t, got.seen[MetricCostPicoUSD], 1999)
		require.Len(t, got.seen[MetricUnpriced], 1)
		require.LessOrEqual(t, len(got.sets[duration]), maxSeries+2)
	}
}

func TestStartRefusesAttempts(t *testing.T) {
	_, _, err := Start(t.Context(), nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = NewVectorStore(nil, "", nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = NewTool(nil, nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = NewChain[string](nil, nil)
	require.ErrorIs(t, err, ErrOption)
	for _, o := range []*Options{{Tool: 7}, {Stall: -1}, {Kind: 9}} {
		_, err = NewTool(lookup{}, o)
		require.ErrorIs(t, err, ErrOption)
	}
}
