package redact

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// ErrOption is wrapped by the errors of constructors whose arguments cannot work.
var ErrOption = errors.New("redact: invalid option")

// Failed replaces a value whose mask panicked.
const Failed = "[redaction failed]"

// A Mask returns text with what is secret replaced. It must be safe for concurrent
// use.
type Mask func(text string) string

// Patterns returns a Mask that replaces what matches regular expressions by their
// names in brackets: "[EMAIL]". They are applied in the order of their names. The
// error wraps [ErrOption].
func Patterns(byName map[string]string) (Mask, error) {
	if len(byName) == 0 {
		return nil, fmt.Errorf("%w: no patterns", ErrOption)
	}
	type pattern struct {
		name string
		re   *regexp.Regexp
	}
	var all []pattern
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		re, err := regexp.Compile(byName[name])
		if err != nil {
			return nil, fmt.Errorf("%w: pattern %s: %w", ErrOption, name, err)
		}
		if re.MatchString("") {
			return nil, fmt.Errorf("%w: pattern %s matches the empty text", ErrOption, name)
		}
		all = append(all, pattern{"[" + name + "]", re})
	}
	return func(text string) string {
		for _, p := range all {
			text = p.re.ReplaceAllLiteralString(text, p.name)
		}
		return text
	}, nil
}

// Options configure redaction. The zero value works.
type Options struct {
	// MaxBytes cuts longer texts, at a whole character and with a mark. Default:
	// 65,535, what Honeycomb keeps. Negative: no limit.
	MaxBytes int
}

func (o *Options) limit() int {
	switch {
	case o == nil || o.MaxBytes == 0:
		return 65_535
	case o.MaxBytes < 0:
		return 0
	}
	return o.MaxBytes
}

// A cleaner applies a mask.
type cleaner struct {
	mask     Mask
	limit    int // 0: none
	failures atomic.Int64
}

// text returns text masked, valid as UTF-8 and cut. An invalid byte would make a
// receiver refuse the whole batch.
func (c *cleaner) text(text string) (out string) {
	defer func() {
		if recover() != nil {
			c.failures.Add(1)
			out = Failed
		}
	}()
	out = strings.ToValidUTF8(c.mask(strings.ToValidUTF8(text, "\uFFFD")), "\uFFFD")
	if c.limit > 0 && len(out) > c.limit {
		mark := fmt.Sprintf("[cut: %d bytes]", len(out))
		cut := max(c.limit-len(mark), 0)
		for cut > 0 && !utf8.RuneStart(out[cut]) {
			cut--
		}
		out = out[:cut] + mark
	}
	return out
}

func (c *cleaner) attributes(in []attribute.KeyValue) []attribute.KeyValue {
	out := make([]attribute.KeyValue, len(in))
	for i, kv := range in {
		out[i] = kv
		out[i].Key = attribute.Key(c.text(string(kv.Key)))
		out[i].Value = c.value(kv.Value)
	}
	return out
}

// value returns a value with its texts redacted. Bytes are replaced, since a secret in
// them cannot be recognized.
func (c *cleaner) value(v attribute.Value) attribute.Value {
	switch v.Type() {
	case attribute.STRING:
		return attribute.StringValue(c.text(v.AsString()))
	case attribute.STRINGSLICE:
		list := slices.Clone(v.AsStringSlice())
		for i, s := range list {
			list[i] = c.text(s)
		}
		return attribute.StringSliceValue(list)
	case attribute.SLICE:
		list := slices.Clone(v.AsSlice())
		for i, x := range list {
			list[i] = c.value(x)
		}
		return attribute.SliceValue(list...)
	case attribute.MAP:
		return attribute.MapValue(c.attributes(v.AsMap())...)
	case attribute.BYTESLICE:
		return attribute.StringValue(fmt.Sprintf("[%d bytes]", len(v.AsByteSlice())))
	case attribute.BOOL, attribute.INT64, attribute.FLOAT64, attribute.BOOLSLICE, attribute.INT64SLICE, attribute.FLOAT64SLICE, attribute.EMPTY:
		return v
	}
	return attribute.StringValue(c.text(v.String())) // a kind that is newer than this package
}

// An Exporter redacts spans and passes them on. It is safe for concurrent use if the
// wrapped exporter is.
type Exporter struct {
	next sdktrace.SpanExporter
	c    cleaner
}

// New returns an Exporter around next; mask is required. Its error wraps
// [ErrOption].
func New(next sdktrace.SpanExporter, mask Mask, o *Options) (*Exporter, error) {
	if next == nil {
		return nil, fmt.Errorf("%w: the exporter to wrap is nil", ErrOption)
	}
	if mask == nil {
		return nil, fmt.Errorf("%w: the mask is nil", ErrOption)
	}
	return &Exporter{next: next, c: cleaner{mask: mask, limit: o.limit()}}, nil
}

// ExportSpans exports redacted copies.
func (e *Exporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	out := make([]sdktrace.ReadOnlySpan, len(spans))
	for i, s := range spans {
		out[i] = e.redacted(s)
	}
	return e.next.ExportSpans(ctx, out)
}

// Shutdown shuts the wrapped exporter down.
func (e *Exporter) Shutdown(ctx context.Context) error { return e.next.Shutdown(ctx) }

// Failures returns how many values were replaced because the mask panicked.
func (e *Exporter) Failures() int64 { return e.c.failures.Load() }

// A clean is a span whose texts are redacted.
type clean struct {
	sdktrace.ReadOnlySpan
	name       string
	attributes []attribute.KeyValue
	events     []sdktrace.Event
	links      []sdktrace.Link
	status     sdktrace.Status
	resource   *resource.Resource
}

func (c *clean) Name() string                     { return c.name }
func (c *clean) Attributes() []attribute.KeyValue { return c.attributes }
func (c *clean) Events() []sdktrace.Event         { return c.events }
func (c *clean) Links() []sdktrace.Link           { return c.links }
func (c *clean) Status() sdktrace.Status          { return c.status }
func (c *clean) Resource() *resource.Resource     { return c.resource }

func (e *Exporter) redacted(s sdktrace.ReadOnlySpan) *clean {
	out := &clean{ReadOnlySpan: s, name: e.c.text(s.Name()), attributes: e.c.attributes(s.Attributes()), status: s.Status(), resource: s.Resource()}
	out.status.Description = e.c.text(out.status.Description)
	for _, event := range s.Events() {
		event.Name, event.Attributes = e.c.text(event.Name), e.c.attributes(event.Attributes)
		out.events = append(out.events, event)
	}
	for _, link := range s.Links() {
		link.Attributes = e.c.attributes(link.Attributes)
		out.links = append(out.links, link)
	}
	if r := s.Resource(); r != nil {
		out.resource = resource.NewWithAttributes(r.SchemaURL(), e.c.attributes(r.Attributes())...)
	}
	return out
}
