// Package trace_test measures trace beside the bare SDK of OpenTelemetry with the
// same attributes, and trace/otlp beside its own exporter. Run
//
//	cd internal/bench && go test -bench . -benchmem ./trace
//
// On a busy machine only times taken in turn compare. This prints the median of the
// ratios of so many rounds:
//
//	cd internal/bench && go test ./trace -run Ratios -rounds 15 -v
package trace_test

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tmc/langchaingo/llms"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/prodailabs/prodai/trace"
	"github.com/prodailabs/prodai/trace/cost"
)

var rounds = flag.Int("rounds", 0, "how many rounds TestRatios makes; 0 skips it")

var answer = &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "ok", StopReason: "stop", GenerationInfo: map[string]any{"ID": "chatcmpl-1", "Model": "gpt-4o-mini-2024-07-18", "PromptTokens": 1200, "PromptCachedTokens": 1024, "CompletionTokens": 80}}}}

var messages = []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "How long is the warranty?")}

type model struct{}

func (model) GenerateContent(context.Context, []llms.MessageContent, ...llms.CallOption) (*llms.ContentResponse, error) {
	return answer, nil
}
func (model) Call(context.Context, string, ...llms.CallOption) (string, error) { return "ok", nil }

// discard is an exporter that does nothing, behind a batch processor as in
// production.
type discard struct{}

func (discard) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return nil }
func (discard) Shutdown(context.Context) error                             { return nil }

var options = []llms.CallOption{llms.WithTemperature(0.2), llms.WithMaxTokens(256)}

// bare writes the span of our attempt by hand, as a program without a library does:
// the same name, kind and attributes.
// The price is asked of the same table, since a price list is not tracing.
func bare(tb testing.TB, tracer oteltrace.Tracer) func(context.Context) {
	tb.Helper()
	next := model{}
	prices, err := cost.Default()
	if err != nil {
		tb.Fatal(err)
	}
	return func(ctx context.Context) {
		ctx, span := tracer.Start(ctx, "chat gpt-4o-mini", oteltrace.WithSpanKind(oteltrace.SpanKindClient), oteltrace.WithAttributes(
			attribute.String("gen_ai.operation.name", "chat"), attribute.String("gen_ai.provider.name", "openai"), attribute.String("gen_ai.request.model", "gpt-4o-mini")))
		defer span.End()
		span.SetAttributes(attribute.String("prodai.tenant", "acme"), attribute.Int("gen_ai.request.max_tokens", 256), attribute.Float64("gen_ai.request.temperature", 0.2))
		r, err := next.GenerateContent(ctx, messages, options...)
		if err != nil {
			span.SetStatus(codes.Error, err.Error())
			return
		}
		info := r.Choices[0].GenerationInfo
		id, _ := info["ID"].(string)
		name, _ := info["Model"].(string)
		in, _ := info["PromptTokens"].(int)
		cached, _ := info["PromptCachedTokens"].(int)
		out, _ := info["CompletionTokens"].(int)
		pico, _ := prices.Of("gpt-4o-mini", r)
		span.SetAttributes(attribute.String("gen_ai.response.id", id), attribute.String("gen_ai.response.model", name), attribute.StringSlice("gen_ai.response.finish_reasons", []string{"stop"}),
			attribute.Int("gen_ai.usage.input_tokens", in), attribute.Int("gen_ai.usage.output_tokens", out), attribute.Int("gen_ai.usage.cache_read.input_tokens", cached),
			attribute.Int64("prodai.cost.pico_usd", pico))
	}
}

func ours(tb testing.TB, tracer oteltrace.Tracer, change func(*trace.Options)) func(context.Context) {
	tb.Helper()
	prices, err := cost.Default()
	if err != nil {
		tb.Fatal(err)
	}
	o := &trace.Options{Tracer: tracer, Provider: "openai", Model: "gpt-4o-mini", Cost: prices.Of, Tenant: func(context.Context) string { return "acme" }}
	if change != nil {
		change(o)
	}
	m, err := trace.New(model{}, o)
	if err != nil {
		tb.Fatal(err)
	}
	return func(ctx context.Context) {
		if _, err := m.GenerateContent(ctx, messages, options...); err != nil {
			tb.Error(err)
		}
	}
}

func tracer(options ...sdktrace.TracerProviderOption) oteltrace.Tracer {
	return sdktrace.NewTracerProvider(options...).Tracer("bench")
}

func cases(tb testing.TB) (names []string, calls map[string]func(context.Context)) {
	batch := func() oteltrace.Tracer { return tracer(sdktrace.WithBatcher(discard{})) }
	never := func() oteltrace.Tracer { return tracer(sdktrace.WithSampler(sdktrace.NeverSample())) }
	calls = map[string]func(context.Context){
		"bare":            bare(tb, batch()),
		"ours":            ours(tb, batch(), nil),
		"bare, unsampled": bare(tb, never()),
		"ours, unsampled": ours(tb, never(), nil),
		"ours, OpenInference": ours(tb, batch(), func(o *trace.Options) {
			o.OpenInference = true
		}),
		"ours, metrics": ours(tb, batch(), func(o *trace.Options) {
			o.Meter = sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader())).Meter("bench")
		}),
	}
	for name := range calls {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, calls
}

func BenchmarkAttempt(b *testing.B) {
	names, calls := cases(b)
	for _, name := range names {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				calls[name](b.Context())
			}
		})
	}
}

// TestAllocations: an unsampled call allocates no more than the bare SDK with the
// span written by hand, and metrics add three allocations at most.
func TestAllocations(t *testing.T) {
	_, calls := cases(t)
	n := map[string]float64{}
	for name, call := range calls {
		call(t.Context())
		n[name] = testing.AllocsPerRun(500, func() { call(t.Context()) })
	}
	t.Log(n)
	if n["ours, unsampled"] > n["bare, unsampled"] {
		t.Errorf("unsampled: %v allocations, the bare SDK %v", n["ours, unsampled"], n["bare, unsampled"])
	}
	if more := n["ours, metrics"] - n["ours"]; more > 3 {
		t.Errorf("metrics add %v allocations", more)
	}
}

// TestRatios prints medians of times of short blocks, taken in turn.
func TestRatios(t *testing.T) {
	if *rounds == 0 {
		t.Skip("-rounds N measures")
	}
	names, calls := cases(t)
	took := map[string][]float64{}
	const n = 100 // short blocks, so that a collection of garbage or another process hits few of them
	for range *rounds * 30 {
		for _, name := range names {
			began := time.Now()
			for range n {
				calls[name](t.Context())
			}
			took[name] = append(took[name], float64(time.Since(began))/n)
		}
	}
	ratio := func(a, b string) float64 {
		var r []float64
		for i := range took[a] {
			r = append(r, took[a][i]/took[b][i])
		}
		slices.Sort(r)
		return r[len(r)/2]
	}
	for _, name := range names {
		l := slices.Clone(took[name])
		slices.Sort(l)
		t.Logf("%-20s %6.0f ns", name, l[len(l)/2])
	}
	for _, p := range [][2]string{{"ours", "bare"}, {"ours, unsampled", "bare, unsampled"}, {"ours, OpenInference", "bare"}, {"ours, metrics", "ours"}} {
		t.Logf("%s / %s: %.2f", p[0], p[1], ratio(p[0], p[1]))
	}
}

// BenchmarkChunk is the relay of a streamed chunk.
func BenchmarkChunk(b *testing.B) {
	for _, name := range []string{"bare", "ours"} {
		b.Run(name, func(b *testing.B) {
			s := &streaming{n: b.N}
			var m llms.Model = s
			if name == "ours" {
				traced, err := trace.New(s, &trace.Options{Tracer: tracer(sdktrace.WithBatcher(discard{}))})
				if err != nil {
					b.Fatal(err)
				}
				m = traced
			}
			b.ReportAllocs()
			if _, err := m.GenerateContent(b.Context(), messages, llms.WithStreamingFunc(func(context.Context, []byte) error { return nil })); err != nil {
				b.Fatal(err)
			}
		})
	}
}

type streaming struct{ n int }

func (s *streaming) GenerateContent(ctx context.Context, _ []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	var o llms.CallOptions
	for _, apply := range options {
		apply(&o)
	}
	chunk := []byte("token ")
	for range s.n {
		if err := o.StreamingFunc(ctx, chunk); err != nil {
			return nil, err
		}
	}
	return answer, nil
}
func (s *streaming) Call(context.Context, string, ...llms.CallOption) (string, error) { return "", nil }

// TestMetricsOfTheSDK: the SDK's own aggregation has our values in the buckets that
// the conventions ask for.
func TestMetricsOfTheSDK(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	call := ours(t, tracer(), func(o *trace.Options) {
		o.Meter = sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("bench")
	})
	for range 3 {
		call(t.Context())
	}
	var got metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &got); err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, m := range got.ScopeMetrics[0].Metrics {
		switch d := m.Data.(type) {
		case metricdata.Histogram[float64]:
			for _, p := range d.DataPoints {
				kind, _ := p.Attributes.Value("gen_ai.token.type")
				seen[m.Name+" "+kind.AsString()] = fmt.Sprint(p.Count, " ", len(p.Bounds), " ", p.Sum > 0)
			}
		case metricdata.Sum[int64]:
			seen[m.Name] = fmt.Sprint(d.DataPoints[0].Value)
		}
	}
	for name, want := range map[string]string{"gen_ai.client.token.usage input": "3 14 true", "gen_ai.client.token.usage output": "3 14 true", "gen_ai.client.operation.duration ": "3 14 true", "prodai.cost": "453600000"} {
		if seen[name] != want {
			t.Errorf("%s: got %q, want %q", name, seen[name], want)
		}
	}
}
