package jsonl

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	oteltrace "go.opentelemetry.io/otel/trace"
)

func TestRoundTrip(t *testing.T) {
	var b bytes.Buffer
	exporter, err := New(&b)
	require.NoError(t, err)
	p := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
	ctx, parent := p.Tracer("test").Start(t.Context(), "outer")
	_, child := p.Tracer("test").Start(ctx, "chat <m>", oteltrace.WithSpanKind(oteltrace.SpanKindClient),
		oteltrace.WithLinks(oteltrace.Link{SpanContext: parent.SpanContext(), Attributes: []attribute.KeyValue{attribute.Int("n", 2)}}))
	child.SetAttributes(attribute.Int("i", 1), attribute.StringSlice("s", []string{"a"}), attribute.Float64("nan", math.NaN()), attribute.Float64Slice("fs", []float64{1, math.Inf(1)}))
	child.AddEvent("cache.hit", oteltrace.WithAttributes(attribute.String("k", "v")))
	child.SetStatus(codes.Error, "429")
	child.End()
	parent.End()
	require.NoError(t, p.Shutdown(context.Background()))
	require.Contains(t, b.String(), "chat <m>", "readable, not escaped for HTML")

	var spans []Span
	for s, err := range Read(&b) {
		require.NoError(t, err)
		spans = append(spans, s)
	}
	require.Len(t, spans, 2)
	c, o := spans[0], spans[1]
	require.Equal(t, []any{o.TraceID, o.SpanID, "client", "Error", "429"}, []any{c.TraceID, c.ParentID, c.Kind, c.Status, c.Message})
	require.Equal(t, map[string]any{"i": int64(1), "s": []any{"a"}, "nan": "NaN", "fs": []any{int64(1), "+Inf"}}, c.Attributes)
	require.Equal(t, "cache.hit", c.Events[0].Name)
	require.Equal(t, Link{o.TraceID, o.SpanID, map[string]any{"n": int64(2)}}, c.Links[0])
	require.GreaterOrEqual(t, c.Duration(), c.Events[0].Time.Sub(c.Start))
	require.Empty(t, o.ParentID)
	require.Equal(t, "test", o.Scope)
}

func TestReadGoesOnAfterABrokenLine(t *testing.T) {
	var names []string
	bad := 0
	for s, err := range Read(strings.NewReader("{\"name\":\"a\"}\nnot json\n\n{\"name\":\"b\"}\n{\"name\":\"cut")) {
		if err != nil {
			bad++
			continue
		}
		names = append(names, s.Name)
	}
	require.Equal(t, []string{"a", "b"}, names)
	require.Equal(t, 2, bad)
	for _, err := range Read(iotest.ErrReader(os.ErrClosed)) {
		require.ErrorIs(t, err, os.ErrClosed)
	}
}

func TestExporterErrors(t *testing.T) {
	e, err := New(failing{})
	require.NoError(t, err)
	require.NoError(t, e.ExportSpans(t.Context(), nil))
	done, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, e.ExportSpans(done, nil), context.Canceled)
	require.NoError(t, e.Shutdown(t.Context()))
	require.ErrorIs(t, e.ExportSpans(t.Context(), nil), ErrShutdown)
}

type failing struct{}

func (failing) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	return 0, errors.New("disk full")
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("{\"name\":\"a\"}\n{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		n := 0
		for range Read(bytes.NewReader(data)) {
			n++
		}
		require.LessOrEqual(t, n, bytes.Count(data, []byte("\n"))+1)
	})
}

func TestNilWriterAndReader(t *testing.T) {
	_, err := New(nil)
	require.ErrorIs(t, err, ErrOption)
	for _, err := range Read(nil) {
		require.ErrorIs(t, err, ErrOption)
	}
}

// A small is a disk with room for n bytes.
type small struct {
	bytes.Buffer
	n int
}

func (s *small) Write(p []byte) (int, error) {
	n, err := len(p), error(nil)
	if n > s.n {
		n, err = s.n, errors.New("no space left on device")
	}
	s.n -= n
	s.Buffer.Write(p[:n])
	return n, err
}

// TestFullDisk: lost spans are counted, and spans that are written after there is
// room again can be read.
func TestFullDisk(t *testing.T) {
	disk := &small{n: 1 << 20}
	e, err := New(disk)
	require.NoError(t, err)
	p := sdktrace.NewTracerProvider(sdktrace.WithSyncer(e))
	span := func(name string) {
		_, s := p.Tracer("t").Start(t.Context(), name)
		s.End()
	}
	span("a")
	disk.n = 10
	span("b")
	span("c")
	disk.n = 1 << 20
	span("d")
	require.Equal(t, 2, e.Lost())
	var names []string
	for s, err := range Read(&disk.Buffer) {
		if err == nil {
			names = append(names, s.Name)
		}
	}
	require.Equal(t, []string{"a", "d"}, names)
}
