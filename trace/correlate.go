package trace

import (
	"context"
	"fmt"
	"log/slog"

	oteltrace "go.opentelemetry.io/otel/trace"
)

// The keys that a [Correlator] adds to log records.
const (
	LogTraceID = "trace_id" // 32 hexadecimal digits
	LogSpanID  = "span_id"  // 16
)

// A Correlator adds the trace's and span's ids of a record's context to the record,
// so that a log line leads to its trace. The ids stand at the top of the record, also
// below WithGroup. It is safe for concurrent use if the wrapped handler is.
type Correlator struct {
	next slog.Handler // with all of more
	root slog.Handler // without
	more []func(slog.Handler) slog.Handler
	deep bool // a group is open
}

// NewCorrelator returns a Correlator around next. Its error wraps [ErrOption].
func NewCorrelator(next slog.Handler) (*Correlator, error) {
	if next == nil {
		return nil, fmt.Errorf("%w: the handler to wrap is nil", ErrOption)
	}
	return &Correlator{next: next, root: next}, nil
}

// Enabled reports whether the wrapped handler handles records of a level.
func (c *Correlator) Enabled(ctx context.Context, level slog.Level) bool {
	return c.next.Enabled(ctx, level)
}

// Handle passes the record on, with ids if its context has a span.
func (c *Correlator) Handle(ctx context.Context, r slog.Record) error {
	sc := oteltrace.SpanContextFromContext(ctx)
	if !sc.IsValid() {
		return c.next.Handle(ctx, r)
	}
	ids := []slog.Attr{slog.String(LogTraceID, sc.TraceID().String()), slog.String(LogSpanID, sc.SpanID().String())}
	if !c.deep {
		r = r.Clone()
		r.AddAttrs(ids...)
		return c.next.Handle(ctx, r)
	}
	h := c.root.WithAttrs(ids)
	for _, f := range c.more {
		h = f(h)
	}
	return h.Handle(ctx, r)
}

// WithAttrs returns a Correlator whose records carry attrs too.
func (c *Correlator) WithAttrs(attrs []slog.Attr) slog.Handler {
	return c.with(c.deep, func(h slog.Handler) slog.Handler { return h.WithAttrs(attrs) })
}

// WithGroup returns a Correlator that puts later attributes into a group.
func (c *Correlator) WithGroup(name string) slog.Handler {
	if name == "" {
		return c
	}
	return c.with(true, func(h slog.Handler) slog.Handler { return h.WithGroup(name) })
}

func (c *Correlator) with(deep bool, f func(slog.Handler) slog.Handler) *Correlator {
	return &Correlator{next: f(c.next), root: c.root, more: append(c.more[:len(c.more):len(c.more)], f), deep: deep}
}
