package jsonl

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// A Span is one line.
type Span struct {
	TraceID    string         `json:"trace_id"` // 32 hexadecimal digits
	SpanID     string         `json:"span_id"`  // 16
	ParentID   string         `json:"parent_id,omitempty"`
	Name       string         `json:"name"`
	Kind       string         `json:"kind"` // internal, server, client, producer, consumer
	Start      time.Time      `json:"start"`
	End        time.Time      `json:"end"`
	Status     string         `json:"status"` // Unset, Ok, Error
	Message    string         `json:"message,omitempty"`
	Attributes map[string]any `json:"attributes,omitempty"`
	Events     []Event        `json:"events,omitempty"`
	Links      []Link         `json:"links,omitempty"`
	Resource   map[string]any `json:"resource,omitempty"`
	Scope      string         `json:"scope,omitempty"`
}

// An Event is something that happened during a span.
type Event struct {
	Name       string         `json:"name"`
	Time       time.Time      `json:"time"`
	Attributes map[string]any `json:"attributes,omitempty"`
}

// A Link points at another span.
type Link struct {
	TraceID    string         `json:"trace_id"`
	SpanID     string         `json:"span_id"`
	Attributes map[string]any `json:"attributes,omitempty"`
}

// Duration is how long the span lasted.
func (s *Span) Duration() time.Duration { return s.End.Sub(s.Start) }

// Convert returns a finished span of the SDK as a line.
func Convert(s sdktrace.ReadOnlySpan) Span {
	out := Span{
		TraceID: s.SpanContext().TraceID().String(), SpanID: s.SpanContext().SpanID().String(),
		Name: s.Name(), Kind: s.SpanKind().String(), Start: s.StartTime(), End: s.EndTime(),
		Status: s.Status().Code.String(), Attributes: toMap(s.Attributes()), Scope: s.InstrumentationScope().Name,
	}
	if s.Status().Code == codes.Error {
		out.Message = s.Status().Description
	}
	if s.Parent().SpanID().IsValid() {
		out.ParentID = s.Parent().SpanID().String()
	}
	for _, e := range s.Events() {
		out.Events = append(out.Events, Event{e.Name, e.Time, toMap(e.Attributes)})
	}
	for _, l := range s.Links() {
		out.Links = append(out.Links, Link{l.SpanContext.TraceID().String(), l.SpanContext.SpanID().String(), toMap(l.Attributes)})
	}
	if r := s.Resource(); r != nil {
		out.Resource = toMap(r.Attributes())
	}
	return out
}

func toMap(attrs []attribute.KeyValue) map[string]any {
	if len(attrs) == 0 {
		return nil
	}
	out := make(map[string]any, len(attrs))
	for _, a := range attrs {
		out[string(a.Key)] = valueOf(a.Value)
	}
	return out
}

func valueOf(v attribute.Value) any {
	switch v.Type() {
	case attribute.SLICE:
		list := v.AsSlice()
		out := make([]any, len(list))
		for i, x := range list {
			out[i] = valueOf(x)
		}
		return out
	case attribute.MAP:
		return toMap(v.AsMap())
	}
	return finite(v.AsInterface())
}

// finite replaces the numbers that JSON can't represent by their names.
func finite(v any) any {
	switch v := v.(type) {
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Sprint(v)
		}
	case []float64:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = finite(x)
		}
		return out
	}
	return v
}

// ErrShutdown is the error of an export after Shutdown.
var ErrShutdown = errors.New("jsonl: the exporter was shut down")

// An Exporter writes spans to a writer. It is safe for concurrent use, and writes
// the spans of one call with one Write.
type Exporter struct {
	mu   sync.Mutex
	w    io.Writer
	shut bool
	torn bool // the last write ended within a line
	lost int
}

// ErrOption is wrapped by the error of a nil writer or reader.
var ErrOption = errors.New("jsonl: invalid option")

// New returns an Exporter that writes to w. It does not close w. If w is a file
// that is not empty, the first span begins on a line of its own: the last line
// may have been cut by a crash.
func New(w io.Writer) (*Exporter, error) {
	if w == nil {
		return nil, fmt.Errorf("%w: the writer is nil", ErrOption)
	}
	e := &Exporter{w: w}
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		e.torn = err == nil && info.Mode().IsRegular() && info.Size() > 0
	}
	return e, nil
}

// ExportSpans writes the spans. One that cannot be encoded is left out, and its
// error is returned after the others were written.
func (e *Exporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	err := ctx.Err()
	switch {
	case err != nil:
	case e.w == nil:
		err = fmt.Errorf("%w: the exporter was not made by New", ErrOption)
	case e.shut:
		err = ErrShutdown
	}
	if err != nil {
		e.lost += len(spans)
		return err
	}
	var b bytes.Buffer
	if e.torn { // the next span begins a new line
		b.WriteByte('\n')
	}
	head := b.Len()
	lines := 0
	var bad error
	for _, s := range spans {
		line, err := encode(s)
		if err != nil {
			e.lost++
			bad = errors.Join(bad, err)
			continue
		}
		b.Write(line)
		lines++
	}
	if lines == 0 {
		return bad
	}
	data := b.Bytes()
	n, err := e.w.Write(data)
	e.torn = n > 0 && data[n-1] != '\n' || n == 0 && e.torn
	if err != nil {
		e.lost += lines - bytes.Count(data[min(head, n):n], []byte{'\n'})
	}
	return errors.Join(bad, err)
}

// encode returns a span as a line. A span of a foreign SDK may panic.
func encode(s sdktrace.ReadOnlySpan) (line []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("jsonl: a span cannot be read: %v", p)
		}
	}()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(Convert(s)); err != nil {
		return nil, fmt.Errorf("jsonl: %w", err)
	}
	return b.Bytes(), nil
}

// Lost returns how many spans were not written: on a full disk, after a shutdown,
// or because they cannot be encoded.
func (e *Exporter) Lost() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.lost
}

// Shutdown makes later exports fail with [ErrShutdown].
func (e *Exporter) Shutdown(context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.shut = true
	return nil
}
