package redact

import (
	"context"
	"fmt"
	"log/slog"
)

// A Handler redacts log records and passes them on: the message, keys, and every
// value as text, except numbers, booleans, times and durations. It is safe for
// concurrent use if the wrapped handler is.
type Handler struct {
	next slog.Handler
	c    *cleaner
}

// NewHandler returns a Handler around next; mask is required. Its error wraps
// [ErrOption].
func NewHandler(next slog.Handler, mask Mask, o *Options) (*Handler, error) {
	if next == nil {
		return nil, fmt.Errorf("%w: the handler to wrap is nil", ErrOption)
	}
	if mask == nil {
		return nil, fmt.Errorf("%w: the mask is nil", ErrOption)
	}
	return &Handler{next, &cleaner{mask: mask, limit: o.limit()}}, nil
}

// Enabled reports whether the wrapped handler handles records of a level.
func (h *Handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// Handle passes on a redacted copy of r.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	out := slog.NewRecord(r.Time, r.Level, h.c.text(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		out.AddAttrs(h.attr(a))
		return true
	})
	return h.next.Handle(ctx, out)
}

// WithAttrs returns a Handler whose records carry redacted attrs too.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	out := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		out[i] = h.attr(a)
	}
	return &Handler{h.next.WithAttrs(out), h.c}
}

// WithGroup returns a Handler that puts later attributes into a group.
func (h *Handler) WithGroup(name string) slog.Handler {
	return &Handler{h.next.WithGroup(h.c.text(name)), h.c}
}

// Failures returns how many values were replaced because the mask panicked.
func (h *Handler) Failures() int64 { return h.c.failures.Load() }

func (h *Handler) attr(a slog.Attr) slog.Attr {
	if a.Equal(slog.Attr{}) {
		return a
	}
	v := a.Value.Resolve()
	key := a.Key
	if key != "" {
		key = h.c.text(key)
	}
	switch v.Kind() {
	case slog.KindGroup:
		group := make([]slog.Attr, len(v.Group()))
		for i, inner := range v.Group() {
			group[i] = h.attr(inner)
		}
		return slog.Attr{Key: key, Value: slog.GroupValue(group...)}
	case slog.KindBool, slog.KindDuration, slog.KindFloat64, slog.KindInt64, slog.KindTime, slog.KindUint64:
		return slog.Attr{Key: key, Value: v}
	}
	switch list := v.Any().(type) {
	case []string:
		out := make([]string, len(list))
		for i, s := range list {
			out[i] = h.c.text(s)
		}
		return slog.Any(key, out)
	case []float64, []int:
		return slog.Any(key, list)
	}
	return slog.String(key, h.c.text(v.String()))
}
