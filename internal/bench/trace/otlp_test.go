package trace_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	oteltrace "go.opentelemetry.io/otel/trace"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"github.com/prodailabs/prodai/trace/otlp"
)

// spans are n spans with every kind of field.
func spans(tb testing.TB, n int) []sdktrace.ReadOnlySpan {
	tb.Helper()
	rec := tracetest.NewSpanRecorder()
	tp := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(rec), sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", "s"))))
	ctx, root := tp.Tracer("scope", oteltrace.WithInstrumentationVersion("v1"), oteltrace.WithSchemaURL("https://x/1")).Start(tb.Context(), "root", oteltrace.WithSpanKind(oteltrace.SpanKindServer))
	for i := range n - 1 {
		_, s := tp.Tracer("scope").Start(ctx, fmt.Sprint("chat ", i), oteltrace.WithSpanKind(oteltrace.SpanKindClient), oteltrace.WithLinks(oteltrace.Link{SpanContext: root.SpanContext(), Attributes: []attribute.KeyValue{attribute.Int("retry.attempt", 2)}}))
		s.SetAttributes(attribute.String("gen_ai.operation.name", "chat"), attribute.String("empty", ""), attribute.Int("gen_ai.usage.input_tokens", 1200), attribute.Int("zero", 0), attribute.Int("negative", -7), attribute.Float64("f", 0.2), attribute.Float64("f0", 0),
			attribute.Bool("yes", true), attribute.Bool("no", false), attribute.StringSlice("ss", []string{"stop", ""}), attribute.Int64Slice("is", []int64{-1, 0}), attribute.BoolSlice("bs", []bool{false}), attribute.Float64Slice("fs", []float64{1.5}), attribute.String("ünicode", "日本語"),
			attribute.Map("map", attribute.Slice("list", attribute.StringValue("x"), attribute.IntValue(3)), attribute.ByteSlice("bytes", []byte{1, 0})))
		s.AddEvent("cache.hit", oteltrace.WithAttributes(attribute.String("kind", "exact")))
		if i%2 == 0 {
			s.SetStatus(codes.Error, "429")
		} else {
			s.SetStatus(codes.Ok, "")
		}
		s.End(oteltrace.WithTimestamp(time.Now().Add(time.Second)))
	}
	root.End()
	return rec.Ended()
}

// received decodes what an exporter sends with OpenTelemetry's own code.
func received(t *testing.T, send func(url string)) *collector.ExportTraceServiceRequest {
	t.Helper()
	got := &collector.ExportTraceServiceRequest{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var body io.Reader = r.Body
		if r.Header.Get("Content-Encoding") == "gzip" {
			zr, err := gzip.NewReader(r.Body)
			if err != nil {
				t.Error(err)
				return
			}
			body = zr
		}
		data, err := io.ReadAll(body)
		if err != nil {
			t.Error(err)
		}
		if err := proto.Unmarshal(data, got); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	send(server.URL + "/v1/traces")
	return got
}

// TestSameMessage: our encoder and OpenTelemetry's exporter send the same message.
func TestSameMessage(t *testing.T) {
	all := spans(t, 7)
	ours := received(t, func(url string) {
		e, err := otlp.New(otlp.Target{URL: url}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.ExportSpans(t.Context(), all); err != nil {
			t.Error(err)
		}
	})
	theirs := received(t, func(url string) {
		e, err := otlptracehttp.New(t.Context(), otlptracehttp.WithEndpointURL(url), otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
		if err != nil {
			t.Fatal(err)
		}
		if err := e.ExportSpans(t.Context(), all); err != nil {
			t.Error(err)
		}
	})
	for _, r := range []*collector.ExportTraceServiceRequest{ours, theirs} {
		for _, rs := range r.ResourceSpans {
			for _, ss := range rs.ScopeSpans {
				for _, s := range ss.Spans {
					if s.Status == nil {
						s.Status = &tracepb.Status{} // an empty message means the same as none
					}
					s.Flags &= 0xff // the upper bits say whether the parent is remote, which ours leaves open
					for _, l := range s.Links {
						l.Flags &= 0xff
					}
				}
			}
		}
	}
	count := func(r *collector.ExportTraceServiceRequest) (n int) {
		for _, rs := range r.ResourceSpans {
			for _, ss := range rs.ScopeSpans {
				n += len(ss.Spans)
			}
		}
		return n
	}
	if count(ours) != 7 || count(theirs) != 7 {
		t.Fatalf("%d and %d of 7 spans", count(ours), count(theirs))
	}
	for _, rs := range ours.ResourceSpans { // the order of scopes is not part of the message's meaning
		for _, ss := range rs.ScopeSpans {
			found := false
			for _, other := range theirs.ResourceSpans {
				for _, os := range other.ScopeSpans {
					found = found || proto.Equal(ss, os) && proto.Equal(rs.Resource, other.Resource)
				}
			}
			if !found {
				t.Errorf("the peer has no such scope:\n%s\nbut\n%s", prototext.Format(ours), prototext.Format(theirs))
			}
		}
	}
}

// BenchmarkExport sends 512 spans to a server on this machine.
func BenchmarkExport(b *testing.B) {
	all := spans(b, 512)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	defer server.Close()
	ours, err := otlp.New(otlp.Target{URL: server.URL}, &otlp.Options{Compression: otlp.CompressionNone})
	if err != nil {
		b.Fatal(err)
	}
	theirs, err := otlptracehttp.New(b.Context(), otlptracehttp.WithEndpointURL(server.URL))
	if err != nil {
		b.Fatal(err)
	}
	for name, e := range map[string]sdktrace.SpanExporter{"ours": ours, "otlptracehttp": theirs} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := e.ExportSpans(b.Context(), all); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(512*b.N)/b.Elapsed().Seconds(), "spans/s")
		})
	}
}
