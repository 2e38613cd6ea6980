package otlp

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/internal/race"
	"github.com/prodailabs/prodai/trace"
)

// A receiver answers in the client's process, so that tests can run on a clock of
// their own.
type receiver func(w http.ResponseWriter, r *http.Request)

func (f receiver) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	rec := httptest.NewRecorder()
	f(rec, r)
	if rec.Code == 599 { // the test's word for a refused connection
		return nil, errors.New("connection refused")
	}
	return rec.Result(), nil
}

func (f receiver) exporter(t *testing.T, target Target, o Options) *Exporter {
	t.Helper()
	o.Client = &http.Client{Transport: f}
	e, err := New(target, &o)
	require.NoError(t, err)
	return e
}

// A seen span is what a receiver reads.
type seen struct {
	traceID, spanID, parent, name, state, message string
	kind, status                                  uint64
	start, end                                    uint64
	attributes                                    map[string]any
	events                                        []string
	links                                         int
}

// received decodes a request as a receiver does.
func received(t *testing.T, r *http.Request) (spans []seen, resources []map[string]any) {
	t.Helper()
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		zr, err := gzip.NewReader(r.Body)
		require.NoError(t, err)
		body = zr
	}
	data, err := io.ReadAll(body)
	require.NoError(t, err)
	each(t, data, 1, func(rs []byte) {
		each(t, rs, 1, func(res []byte) { resources = append(resources, attributes(t, res, 1)) })
		each(t, rs, 2, func(ss []byte) {
			each(t, ss, 2, func(s []byte) { spans = append(spans, span(t, s)) })
		})
	})
	return spans, resources
}

func each(t *testing.T, message []byte, field int, see func([]byte)) {
	t.Helper()
	require.NoError(t, fields(message, func(f int, _ uint64, data []byte) error {
		if f == field {
			see(data)
		}
		return nil
	}))
}

func span(t *testing.T, data []byte) seen {
	t.Helper()
	out := seen{attributes: attributes(t, data, 9)}
	require.NoError(t, fields(data, func(f int, n uint64, data []byte) error {
		switch f {
		case 1:
			out.traceID = fmt.Sprintf("%x", data)
		case 2:
			out.spanID = fmt.Sprintf("%x", data)
		case 3:
			out.state = string(data)
		case 4:
			out.parent = fmt.Sprintf("%x", data)
		case 5:
			out.name = string(data)
		case 6:
			out.kind = n
		case 7:
			out.start = n
		case 8:
			out.end = n
		case 11:
			each(t, data, 2, func(name []byte) { out.events = append(out.events, string(name)) })
		case 13:
			out.links++
		case 15:
			return fields(data, func(f int, n uint64, data []byte) error {
				if f == 2 {
					out.message = string(data)
				} else {
					out.status = n
				}
				return nil
			})
		}
		return nil
	}))
	return out
}

func attributes(t *testing.T, message []byte, field int) map[string]any {
	t.Helper()
	out := map[string]any{}
	each(t, message, field, func(kv []byte) {
		var key string
		each(t, kv, 1, func(k []byte) { key = string(k) })
		each(t, kv, 2, func(v []byte) { out[key] = anyValue(t, v) })
	})
	return out
}

func anyValue(t *testing.T, data []byte) any {
	t.Helper()
	var out any
	require.NoError(t, fields(data, func(f int, n uint64, data []byte) error {
		switch f {
		case 1:
			out = string(data)
		case 2:
			out = n == 1
		case 3:
			out = int64(n)
		case 4:
			out = math.Float64frombits(n)
		case 5:
			list := []any{}
			each(t, data, 1, func(v []byte) { list = append(list, anyValue(t, v)) })
			out = list
		}
		return nil
	}))
	return out
}

// stubs are n spans of one trace with a text of some length each.
func stubs(n, length int) []sdktrace.ReadOnlySpan {
	var out []sdktrace.ReadOnlySpan
	for i := range n {
		id := oteltrace.NewSpanContext(oteltrace.SpanContextConfig{TraceID: oteltrace.TraceID{1}, SpanID: oteltrace.SpanID{byte(i / 256), byte(i), 1}})
		out = append(out, tracetest.SpanStub{Name: fmt.Sprint("span ", i), SpanContext: id, Attributes: []attribute.KeyValue{attribute.String("text", strings.Repeat("x", length))}}.Snapshot())
	}
	return out
}

// TestEncoding: what is sent is what the span has, every type of value included. That
// OpenTelemetry's own code reads it the same is checked in internal/bench.
func TestEncoding(t *testing.T) {
	for _, compression := range []Compression{CompressionGzip, CompressionNone} {
		var got []seen
		var res []map[string]any
		e := receiver(func(_ http.ResponseWriter, r *http.Request) { got, res = received(t, r) }).
			exporter(t, Target{URL: "http://x/", Resource: []attribute.KeyValue{attribute.String("project", "p")}}, Options{Compression: compression})
		tp := sdktrace.NewTracerProvider(sdktrace.WithSyncer(e), sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", "s"))))
		ctx, root := tp.Tracer("scope", oteltrace.WithInstrumentationVersion("v1")).Start(t.Context(), "root")
		_, s := tp.Tracer("scope").Start(ctx, "bad \xff utf8", oteltrace.WithSpanKind(oteltrace.SpanKindClient), oteltrace.WithLinks(oteltrace.Link{SpanContext: root.SpanContext(), Attributes: []attribute.KeyValue{attribute.Int("n", 2)}}))
		s.SetAttributes(attribute.String("empty", ""), attribute.String("text", strings.Repeat("ü\xff", 200)), attribute.Int64("zero", 0), attribute.Int64("negative", -5), attribute.Float64("f", 0), attribute.Bool("no", false),
			attribute.StringSlice("ss", []string{"a", ""}), attribute.Int64Slice("is", []int64{-1, 0}), attribute.BoolSlice("bs", []bool{true, false}), attribute.Float64Slice("fs", []float64{1.5}), attribute.StringSlice("none", nil))
		s.AddEvent("happened", oteltrace.WithAttributes(attribute.String("k", "v")))
		s.SetStatus(codes.Error, "why")
		s.End()
		require.Len(t, got, 1)
		g := got[0]
		require.Equal(t, root.SpanContext().TraceID().String(), g.traceID)
		require.Equal(t, root.SpanContext().SpanID().String(), g.parent)
		require.Equal(t, []any{"bad � utf8", uint64(3), uint64(2), "why", 1}, []any{g.name, g.kind, g.status, g.message, g.links})
		require.Equal(t, []string{"happened"}, g.events)
		require.GreaterOrEqual(t, g.end, g.start)
		require.Equal(t, map[string]any{"empty": "", "text": strings.Repeat("ü�", 200), "zero": int64(0), "negative": int64(-5), "f": 0.0, "no": false,
			"ss": []any{"a", ""}, "is": []any{int64(-1), int64(0)}, "bs": []any{true, false}, "fs": []any{1.5}, "none": []any{}}, g.attributes)
		require.Equal(t, []map[string]any{{"service.name": "s", "project": "p"}}, res)
		root.End()
		require.Equal(t, Stats{Sent: 2}, e.Stats())
	}
}

// TestRetries: 429 with Retry-After and refused connections are tried again, as long
// as there is time; 400 is not.
func TestRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		answers := []int{599, 429, 503, 200}
		e := receiver(func(w http.ResponseWriter, _ *http.Request) {
			if answers[0] == 429 {
				w.Header().Set("Retry-After", "7")
			}
			if answers[0] == 503 {
				w.Header().Set("Retry-After", time.Now().Add(9*time.Second).UTC().Format(http.TimeFormat))
			}
			w.WriteHeader(answers[0])
			answers = answers[1:]
		}).exporter(t, Target{URL: "http://x"}, Options{})
		require.NoError(t, e.ExportSpans(t.Context(), stubs(3, 1)))
		require.InDelta(t, 17, time.Since(began).Seconds(), 1)
		require.Equal(t, Stats{Sent: 3, Retries: 3}, e.Stats())

		calls := 0
		e = receiver(func(w http.ResponseWriter, _ *http.Request) { calls++; w.WriteHeader(400) }).exporter(t, Target{Name: "x", URL: "http://x"}, Options{})
		err := e.ExportSpans(t.Context(), stubs(3, 1))
		require.EqualError(t, err, "otlp: x answered 400 Bad Request")
		require.Equal(t, 1, calls)
		require.Equal(t, Stats{Lost: 3}, e.Stats())

		began, calls = time.Now(), 0
		e = receiver(func(w http.ResponseWriter, _ *http.Request) { calls++; w.WriteHeader(503) }).exporter(t, Target{URL: "http://x"}, Options{MaxElapsed: 20 * time.Second})
		require.Error(t, e.ExportSpans(t.Context(), stubs(1, 1)))
		require.LessOrEqual(t, time.Since(began), 20*time.Second)
		require.InDelta(t, 5, calls, 1)

		e = receiver(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }).exporter(t, Target{URL: "http://x"}, Options{MaxElapsed: time.Hour})
		began = time.Now()
		time.AfterFunc(3*time.Second, func() { _ = e.Shutdown(context.Background()) })
		require.Error(t, e.ExportSpans(t.Context(), stubs(1, 1)))
		require.Equal(t, 3*time.Second, time.Since(began), "a shutdown ends the waits")
		require.ErrorIs(t, e.ExportSpans(t.Context(), stubs(1, 1)), ErrShutdown)

		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		e = receiver(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }).exporter(t, Target{URL: "http://x"}, Options{})
		began = time.Now()
		require.Error(t, e.ExportSpans(ctx, stubs(1, 1)))
		require.LessOrEqual(t, time.Since(began), 2*time.Second)
	})
}

// TestLimits: batches are split by size, halved on 413, and a span that is too large
// is lost alone.
func TestLimits(t *testing.T) {
	arrived, posts := 0, 0
	count := receiver(func(w http.ResponseWriter, r *http.Request) {
		posts++
		require.LessOrEqual(t, r.ContentLength, int64(1<<20))
		spans, _ := received(t, r)
		arrived += len(spans)
	})
	e := count.exporter(t, Target{URL: "http://x", MaxBytes: 1 << 20}, Options{Compression: CompressionNone})
	require.NoError(t, e.ExportSpans(t.Context(), stubs(50, 100<<10)))
	require.Equal(t, 50, arrived)
	require.InDelta(t, 6, posts, 1)

	arrived = 0
	err := e.ExportSpans(t.Context(), append(stubs(2, 10), stubs(1, 2<<20)...))
	require.ErrorIs(t, err, ErrTooLarge)
	require.Equal(t, 2, arrived)
	require.Equal(t, int64(1), e.Stats().Lost)

	arrived = 0
	e = receiver(func(w http.ResponseWriter, r *http.Request) {
		spans, _ := received(t, r)
		if len(spans) > 3 || spans[0].name == "span 7" {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		arrived += len(spans)
	}).exporter(t, Target{URL: "http://x"}, Options{})
	require.Error(t, e.ExportSpans(t.Context(), stubs(20, 10)))
	require.Equal(t, Stats{Sent: 19, Lost: 1}, e.Stats())
	require.Equal(t, 19, arrived)
}

func TestPartialSuccessIsCountedAndLogged(t *testing.T) {
	var b buffer
	b.message(1, func(b *buffer) { b.varint(1, 2); b.text(2, "no room") })
	var log bytes.Buffer
	checker := &event.Checker{Report: t.Errorf, Next: slog.NewTextHandler(&log, nil)}
	e := receiver(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-protobuf")
		_, _ = w.Write(b)
	}).exporter(t, Target{Name: "x", URL: "http://x"}, Options{Logger: slog.New(checker)})
	require.NoError(t, e.ExportSpans(t.Context(), stubs(5, 1)))
	require.Equal(t, Stats{Sent: 3, Rejected: 2}, e.Stats())
	require.Contains(t, log.String(), `reason="no room"`)
}

// TestExportsAreNotTraced: a client that is traced makes no spans for exports.
func TestExportsAreNotTraced(t *testing.T) {
	var posts atomic.Int64
	var tp *sdktrace.TracerProvider
	e := receiver(func(_ http.ResponseWriter, r *http.Request) {
		posts.Add(1)
		_, s := tp.Tracer("http").Start(r.Context(), "HTTP POST")
		s.End()
	}).exporter(t, Target{URL: "http://x"}, Options{})
	tp = sdktrace.NewTracerProvider(sdktrace.WithSyncer(e))
	_, s := tp.Tracer("t").Start(t.Context(), "one")
	s.End()
	require.Equal(t, int64(1), posts.Load())
}

// TestRedirectsAreNotFollowed: a key is not given to another host.
func TestRedirectsAreNotFollowed(t *testing.T) {
	e := receiver(func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, "x", r.URL.Host)
		w.Header().Set("Location", "http://evil/")
		w.WriteHeader(http.StatusTemporaryRedirect)
	}).exporter(t, Honeycomb("secret", ""), Options{})
	e.target.URL = "http://x"
	require.Error(t, e.ExportSpans(t.Context(), stubs(1, 1)))
}

// honeycomb is its open translator's rules: the key, the content types, the size.
func honeycomb(t *testing.T, got *[]seen) receiver {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("x-honeycomb-team") == "":
			w.WriteHeader(http.StatusUnauthorized)
		case r.Header.Get("Content-Type") != "application/x-protobuf" && r.Header.Get("Content-Type") != "application/protobuf" && r.Header.Get("Content-Type") != "application/json":
			w.WriteHeader(http.StatusUnsupportedMediaType)
		case len(r.Header.Get("x-honeycomb-team")) == 32 && r.Header.Get("x-honeycomb-dataset") == "": // a classic key
			w.WriteHeader(http.StatusBadRequest)
		default:
			zr, err := gzip.NewReader(r.Body)
			require.NoError(t, err)
			data, err := io.ReadAll(zr)
			require.NoError(t, err)
			if len(data) > 20<<20 {
				w.WriteHeader(http.StatusRequestEntityTooLarge)
				return
			}
			r.Header.Del("Content-Encoding")
			r.Body = io.NopCloser(bytes.NewReader(data))
			spans, _ := received(t, r)
			*got = append(*got, spans...)
		}
	}
}

func TestHoneycomb(t *testing.T) {
	var got []seen
	server := honeycomb(t, &got)
	e := server.exporter(t, Honeycomb("key", ""), Options{})
	require.Equal(t, "https://api.honeycomb.io/v1/traces", e.target.URL)
	n := 160 // 16 MB in all, above one request of 15 MiB
	if race.Enabled {
		n = 10
	}
	require.NoError(t, e.ExportSpans(t.Context(), stubs(n, 100<<10)))
	require.Len(t, got, n)
	err := server.exporter(t, Honeycomb(strings.Repeat("a", 32), ""), Options{}).ExportSpans(t.Context(), stubs(1, 1))
	var status *StatusError
	require.ErrorAs(t, err, &status)
	require.Equal(t, 400, status.HTTPStatus())
	require.NoError(t, server.exporter(t, Honeycomb(strings.Repeat("a", 32), "data"), Options{}).ExportSpans(t.Context(), stubs(1, 1)))
	_, err = New(Honeycomb("", ""), nil)
	require.ErrorIs(t, err, ErrOption, "a missing key is found before the first span")
}

// chat is the attributes of an attempt with content.
func chat() []sdktrace.ReadOnlySpan {
	return []sdktrace.ReadOnlySpan{tracetest.SpanStub{Name: "chat m", SpanContext: stubs(1, 1)[0].SpanContext(), Attributes: []attribute.KeyValue{
		attribute.String(trace.SpanOperation, "chat"), attribute.String(trace.SpanProvider, "openai"), attribute.String(trace.SpanModel, "m"), attribute.String(trace.SpanConversation, "c"),
		attribute.String(trace.SpanTenant, "acme"), attribute.String(trace.SpanPrompt, "p"), attribute.String(trace.SpanPromptVersion, "7"),
		attribute.Int(trace.SpanInputTokens, 1200), attribute.Int(trace.SpanCacheRead, 1024), attribute.Int(trace.SpanOutputTokens, 80), attribute.Int(trace.SpanReasoningTokens, 16), attribute.Int(trace.SpanCostPicoUSD, 151_200_000),
		attribute.String(trace.SpanSystem, `[{"type":"text","content":"be brief"}]`), attribute.String(trace.SpanInput, `[{"role":"user","parts":[{"type":"text","content":"hi"},{"type":"tool_call"}]}]`), attribute.String(trace.SpanOutput, `[{"role":"assistant","parts":[{"type":"text","content":"yes"}]}]`),
	}}.Snapshot()}
}

// TestLangSmith: its headers, and the names that its documentation lists.
func TestLangSmith(t *testing.T) {
	var got []seen
	server := receiver(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/otel/v1/traces" || r.Header.Get("x-api-key") != "key" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		require.Equal(t, "support", r.Header.Get("Langsmith-Project"))
		got, _ = received(t, r)
	})
	require.NoError(t, server.exporter(t, LangSmith("key", "support"), Options{}).ExportSpans(t.Context(), chat()))
	for key, want := range map[string]any{"langsmith.span.kind": "llm", "gen_ai.system": "openai", "langsmith.trace.session_id": "c", "langsmith.metadata.prodai.tenant": "acme", "langsmith.metadata.prodai.prompt.version": "7",
		"gen_ai.prompt.0.role": "system", "gen_ai.prompt.0.content": "be brief", "gen_ai.prompt.1.role": "user", "gen_ai.prompt.1.content": "hi", "gen_ai.completion.0.content": "yes", "gen_ai.usage.input_tokens": int64(1200)} {
		require.Equal(t, want, got[0].attributes[key], key)
	}
	require.Error(t, server.exporter(t, LangSmith("wrong", "support"), Options{}).ExportSpans(t.Context(), chat()))
	require.Len(t, langSmith([]attribute.KeyValue{attribute.String("http.method", "GET")}), 1, "a span of another library is sent as it is")
}

// TestLangfuse: its counts exclude one another.
func TestLangfuse(t *testing.T) {
	var got []seen
	require.NoError(t, receiver(func(_ http.ResponseWriter, r *http.Request) {
		user, pass, ok := r.BasicAuth()
		require.True(t, ok && user == "pk" && pass == "sk" && r.URL.Path == "/api/public/otel/v1/traces")
		got, _ = received(t, r)
	}).exporter(t, Langfuse("https://cloud.langfuse.com/", "pk", "sk"), Options{}).ExportSpans(t.Context(), chat()))
	require.JSONEq(t, `{"input":176,"input_cached_tokens":1024,"output":64,"output_reasoning_tokens":16}`, got[0].attributes["langfuse.observation.usage_details"].(string))
	require.JSONEq(t, `{"total":0.0001512}`, got[0].attributes["langfuse.observation.cost_details"].(string))
	require.Equal(t, int64(7), got[0].attributes["langfuse.observation.prompt.version"])
}

func TestOptions(t *testing.T) {
	for _, bad := range []Target{{}, {URL: "ftp://x"}, {URL: "http://"}, {URL: "::"}, {URL: "http://x", Headers: map[string]string{"a b": "c"}}, {URL: "http://x", Headers: map[string]string{"a": "c\r\nd"}}, {URL: "http://x", MaxBytes: -1}} {
		_, err := New(bad, nil)
		require.ErrorIs(t, err, ErrOption, "%+v", bad)
	}
	for _, bad := range []Options{{Timeout: -1}, {MaxElapsed: -1}, {Compression: 2}} {
		_, err := New(Collector("http://x"), &bad)
		require.ErrorIs(t, err, ErrOption)
	}
	require.Equal(t, "http://x/v1/traces", Collector("http://x/").URL)
	require.Equal(t, "p", Phoenix("http://x", "p").Resource[0].Value.AsString())
}

func FuzzPartialSuccess(f *testing.F) {
	f.Add([]byte{0x0a, 0x02, 0x08, 0x03})
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _, _ = partialSuccess(data)
	})
}

func FuzzRewrite(f *testing.F) {
	f.Add(`[{"role":"user","parts":[{"content":"hi"}]}]`, `[{"content":3}]`, int64(1), int64(2))
	f.Fuzz(func(t *testing.T, messages, system string, in, read int64) {
		a := []attribute.KeyValue{attribute.String(trace.SpanOperation, "chat"), attribute.String(trace.SpanInput, messages), attribute.String(trace.SpanSystem, system), attribute.Int64(trace.SpanInputTokens, in), attribute.Int64(trace.SpanCacheRead, read)}
		require.GreaterOrEqual(t, len(langSmith(a)), len(a))
		require.GreaterOrEqual(t, len(langfuse(a)), len(a))
		require.Len(t, a, 5)
	})
}

func ExampleNew() {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		fmt.Println(r.URL.Path, r.Header.Get("Content-Type"), r.Header.Get("Content-Encoding"))
	}))
	defer server.Close()
	exporter, err := New(Collector(server.URL), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter))
	_, span := provider.Tracer("example").Start(context.Background(), "chat gpt-4o-mini")
	span.End()
	if err := provider.Shutdown(context.Background()); err != nil { // sends what is left
		fmt.Println(err)
	}
	fmt.Println(exporter.Stats().Sent)
	// Output:
	// /v1/traces application/x-protobuf gzip
	// 1
}
