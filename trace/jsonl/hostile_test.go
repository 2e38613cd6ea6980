package jsonl

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/prodailabs/prodai/internal/race"
)

func hostileSpans(n int, name string) []sdktrace.ReadOnlySpan {
	out := tracetest.SpanStubs{}
	for i := range n {
		out = append(out, tracetest.SpanStub{Name: fmt.Sprint(name, i)})
	}
	return out.Snapshots()
}

// cutWriter takes a fixed number of bytes at each write and fails after that.
type cutWriter struct {
	b    bytes.Buffer
	cuts []int
}

func (w *cutWriter) Write(p []byte) (int, error) {
	if len(w.cuts) == 0 {
		return w.b.Write(p)
	}
	n := min(w.cuts[0], len(p))
	w.cuts = w.cuts[1:]
	w.b.Write(p[:n])
	if n < len(p) {
		return n, errors.New("full")
	}
	return n, nil
}

// However the lines were cut: the spans of Read and those that Lost counts are all
// spans, and no whole line is damaged.
func TestPartialWrites(t *testing.T) {
	var whole bytes.Buffer
	e, _ := New(&whole)
	require.NoError(t, e.ExportSpans(t.Context(), hostileSpans(3, "a")))
	size := whole.Len()
	step := 3
	if race.Enabled { // one goroutine; slow under the race detector
		step = 9
	}
	for a := 0; a <= size+2; a += 7 * step {
		for b := 0; b <= size+3; b += 3 * step {
			w := &cutWriter{cuts: []int{a, b}}
			e, _ := New(w)
			_ = e.ExportSpans(t.Context(), hostileSpans(3, "a"))
			_ = e.ExportSpans(t.Context(), hostileSpans(3, "b"))
			require.NoError(t, e.ExportSpans(t.Context(), hostileSpans(3, "c")))
			good := 0
			for s, err := range Read(&w.b) {
				if err == nil && s.Name != "" {
					good++
				}
			}
			if sum := good + e.Lost(); sum < 9 || sum > 11 { // a line without its line end is counted as lost, and can be read all the same
				t.Fatalf("cuts at %d and %d: %d spans can be read, %d are said to be lost, of 9", a, b, good, e.Lost())
			}
		}
	}
}

// A program that was killed in the middle of a line, and is started again.
func TestAppendToATornFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spans")
	open := func() *os.File {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		require.NoError(t, err)
		return f
	}
	f := open()
	e, _ := New(f)
	require.NoError(t, e.ExportSpans(t.Context(), hostileSpans(2, "a")))
	info, _ := f.Stat()
	require.NoError(t, f.Truncate(info.Size()-10))
	require.NoError(t, f.Close())
	f = open()
	e, _ = New(f)
	require.NoError(t, e.ExportSpans(t.Context(), hostileSpans(2, "b")))
	require.NoError(t, f.Close())
	r, _ := os.Open(path)
	defer r.Close()
	var names []string
	for s, err := range Read(r) {
		if err == nil {
			names = append(names, s.Name)
		}
	}
	require.Equal(t, []string{"a0", "b0", "b1"}, names, "b0 was written whole")
}

// A span that can't be written is counted, and the others of its batch are written.
func TestOneBadSpan(t *testing.T) {
	spans := append(hostileSpans(2, "a"), tracetest.SpanStubs{{Name: "bad", EndTime: time.Date(10001, 1, 1, 0, 0, 0, 0, time.UTC)}}.Snapshots()...)
	var b bytes.Buffer
	e, _ := New(&b)
	err := e.ExportSpans(t.Context(), spans)
	n := strings.Count(b.String(), "\n")
	require.Equal(t, 3, n+e.Lost(), "written %d, lost %d: %v", n, e.Lost(), err)
}

func TestShutdownCounts(t *testing.T) {
	var b bytes.Buffer
	e, _ := New(&b)
	require.NoError(t, e.Shutdown(t.Context()))
	require.ErrorIs(t, e.ExportSpans(t.Context(), hostileSpans(2, "a")), ErrShutdown)
	done, cancel := context.WithCancel(t.Context())
	cancel()
	require.Error(t, e.ExportSpans(done, hostileSpans(2, "a")))
	t.Log("lost:", e.Lost())
	require.Equal(t, 4, e.Lost())
}

func TestOddSpans(t *testing.T) {
	require.NotPanics(t, func() {
		var e Exporter
		_ = e.ExportSpans(t.Context(), hostileSpans(1, "a"))
	}, "the zero Exporter")
	require.NotPanics(t, func() {
		e, _ := New(io.Discard)
		_ = e.ExportSpans(t.Context(), []sdktrace.ReadOnlySpan{nil})
	}, "a nil span")
	require.NotPanics(t, func() {
		for range Read(nil) {
		}
	})
	var b bytes.Buffer
	e, _ := New(&b)
	require.NoError(t, e.ExportSpans(t.Context(), tracetest.SpanStubs{{Name: "x\n\xff\u2028", Attributes: []attribute.KeyValue{attribute.String("k\n", "v\n{}"), {}, attribute.Float64("nan", 0/zero())}, Links: []sdktrace.Link{{}}, SpanKind: oteltrace.SpanKind(99)}}.Snapshots()))
	require.Equal(t, 1, strings.Count(b.String(), "\n"))
}

func zero() float64 { return 0 }
