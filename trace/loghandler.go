package trace

import (
	"context"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/attribute"
	oteltrace "go.opentelemetry.io/otel/trace"
)

// A LogHandler turns log records into events of the span that is in the record's
// context. Set it as the handler of the other packages' Logger options, and a trace
// shows their decisions (a cache hit, a retry, a guard's verdict) where they
// happened. If there is a next handler, it gets every record; otherwise records
// without a recording span are dropped.
type LogHandler struct {
	next   slog.Handler
	prefix string
	attrs  []attribute.KeyValue
}

// NewLogHandler returns a LogHandler that also passes every record to next. A nil
// next is allowed: then nothing is passed on.
func NewLogHandler(next slog.Handler) *LogHandler { return &LogHandler{next: next} }

// Enabled reports whether there is a recording span or next handles the record.
func (h *LogHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return oteltrace.SpanFromContext(ctx).IsRecording() || h.next != nil && h.next.Enabled(ctx, level)
}

// Handle adds the record to the current span as an event.
func (h *LogHandler) Handle(ctx context.Context, r slog.Record) error {
	if span := oteltrace.SpanFromContext(ctx); span.IsRecording() {
		attrs := make([]attribute.KeyValue, len(h.attrs), len(h.attrs)+r.NumAttrs())
		copy(attrs, h.attrs)
		r.Attrs(func(a slog.Attr) bool {
			attrs = appendAttr(attrs, h.prefix, a)
			return true
		})
		options := []oteltrace.EventOption{oteltrace.WithAttributes(attrs...)}
		if !r.Time.IsZero() {
			options = append(options, oteltrace.WithTimestamp(r.Time))
		}
		span.AddEvent(r.Message, options...)
	}
	if h.next == nil || !h.next.Enabled(ctx, r.Level) {
		return nil
	}
	return h.next.Handle(ctx, r)
}

// WithAttrs returns a LogHandler whose events carry attrs too.
func (h *LogHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	out := *h
	out.attrs = append([]attribute.KeyValue(nil), h.attrs...)
	for _, a := range attrs {
		out.attrs = appendAttr(out.attrs, h.prefix, a)
	}
	if h.next != nil {
		out.next = h.next.WithAttrs(attrs)
	}
	return &out
}

// WithGroup returns a LogHandler that puts name and a dot before later keys.
func (h *LogHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	out := *h
	out.prefix = h.prefix + name + "."
	if h.next != nil {
		out.next = h.next.WithGroup(name)
	}
	return &out
}

// appendAttr converts an attribute; durations become seconds, as in all of the
// conventions.
func appendAttr(out []attribute.KeyValue, prefix string, a slog.Attr) []attribute.KeyValue {
	v := a.Value.Resolve()
	if a.Equal(slog.Attr{}) {
		return out
	}
	key := prefix + a.Key
	switch v.Kind() {
	case slog.KindGroup:
		if a.Key != "" {
			prefix = key + "."
		}
		for _, inner := range v.Group() {
			out = appendAttr(out, prefix, inner)
		}
		return out
	case slog.KindString:
		return append(out, attribute.String(key, v.String()))
	case slog.KindInt64:
		return append(out, attribute.Int64(key, v.Int64()))
	case slog.KindFloat64:
		return append(out, attribute.Float64(key, v.Float64()))
	case slog.KindBool:
		return append(out, attribute.Bool(key, v.Bool()))
	case slog.KindDuration:
		return append(out, attribute.Float64(key, v.Duration().Seconds()))
	case slog.KindTime:
		return append(out, attribute.String(key, v.Time().Format(time.RFC3339Nano)))
	}
	switch list := v.Any().(type) {
	case []string:
		return append(out, attribute.StringSlice(key, list))
	case []float64:
		return append(out, attribute.Float64Slice(key, list))
	case []int:
		return append(out, attribute.IntSlice(key, list))
	}
	return append(out, attribute.String(key, v.String()))
}
