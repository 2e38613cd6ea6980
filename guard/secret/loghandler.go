package secret

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/prodailabs/prodai/guard/detect"
)

// LogHandlerOptions configure a [LogHandler]. The zero value works.
type LogHandlerOptions struct {
	// Detector finds what the handler replaces in messages and values. Make one that
	// also finds personal data with detect.New and pii.Rules. Default: a detector of
	// every secret of this package.
	Detector *detect.Detector

	// Replace returns the text that replaces a value. Default: [detect.Label].
	Replace detect.Replace

	// Keys are attribute keys whose whole value the handler drops, whatever the value
	// is. Case, hyphens and underscores of a key don't matter. A list that is empty
	// and not nil means none. Default: nil, which means the usual names of secrets:
	// password, secret, token, api_key, authorization, cookie and similar ones.
	Keys []string
}

// A LogHandler is a [slog.Handler] that redacts records before it passes them to the next
// handler. It redacts the message, strings, errors and all other values that print as
// text, in groups too. Numbers, times and durations stay as they are. Make one with
// [NewLogHandler].
type LogHandler struct {
	next    slog.Handler
	d       *detect.Detector
	replace detect.Replace
	keys    map[string]bool
}

// NewLogHandler returns a handler that redacts records and passes them to next. A nil next
// and a Detector without rules are errors that wrap [ErrOption].
func NewLogHandler(next slog.Handler, o *LogHandlerOptions) (*LogHandler, error) {
	if next == nil {
		return nil, fmt.Errorf("%w: the handler to wrap is nil", ErrOption)
	}
	if o == nil {
		o = &LogHandlerOptions{}
	}
	h := &LogHandler{next: next, d: o.Detector, replace: o.Replace, keys: map[string]bool{}}
	if h.d != nil && h.d.MaxHold() == 0 {
		return nil, fmt.Errorf("%w: LogHandlerOptions.Detector has no rules: want one made with detect.New, or nil for the default", ErrOption)
	}
	if h.d == nil {
		var err error
		if h.d, err = New(nil); err != nil {
			return nil, err
		}
	}
	if h.replace == nil {
		h.replace = detect.Label
	}
	keys := o.Keys
	if keys == nil {
		keys = append([]string{"authorization", "proxyauthorization", "cookie", "setcookie"}, names...)
	}
	for _, k := range keys {
		h.keys[foldKey(k)] = true
	}
	return h, nil
}

func foldKey(k string) string {
	return strings.NewReplacer("_", "", "-", "", ".", "").Replace(strings.ToLower(k))
}

// Enabled reports whether the next handler is enabled.
func (h *LogHandler) Enabled(ctx context.Context, l slog.Level) bool { return h.next.Enabled(ctx, l) }

// Handle redacts the record and passes it to the next handler.
func (h *LogHandler) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, h.text(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(h.attr(a))
		return true
	})
	return h.next.Handle(ctx, clean)
}

// WithAttrs redacts the attributes, once for all records.
func (h *LogHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	clean := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		clean[i] = h.attr(a)
	}
	next := *h
	next.next = h.next.WithAttrs(clean)
	return &next
}

// WithGroup opens a group in the next handler.
func (h *LogHandler) WithGroup(name string) slog.Handler {
	next := *h
	next.next = h.next.WithGroup(name)
	return &next
}

func (h *LogHandler) text(s string) string { return h.d.Redact(s, h.replace) }

func (h *LogHandler) attr(a slog.Attr) slog.Attr {
	a.Value = a.Value.Resolve()
	if h.keys[foldKey(a.Key)] && a.Value.Kind() != slog.KindGroup {
		return slog.String(a.Key, redacted)
	}
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(h.text(a.Value.String()))
	case slog.KindGroup:
		group := a.Value.Group()
		clean := make([]slog.Attr, len(group))
		for i, g := range group {
			clean[i] = h.attr(g)
		}
		a.Value = slog.GroupValue(clean...)
	case slog.KindAny:
		if v := a.Value.Any(); v != nil {
			// The next handler may print the value in a way that is not known
			// here. A value that contains a secret becomes text, because text
			// can be redacted.
			if text := fmt.Sprintf("%+v", v); h.text(text) != text {
				a.Value = slog.StringValue(h.text(text))
			}
		}
	}
	return a
}
