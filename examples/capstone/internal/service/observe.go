package service

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/prodailabs/prodai/trace"
	"github.com/prodailabs/prodai/trace/jsonl"
)

// An Event is a decision that some layer logged, as the page shows it.
type Event struct {
	Name  string         `json:"name"`
	At    time.Time      `json:"at"`
	Attrs map[string]any `json:"attrs,omitempty"`
}

// A Sink collects what happens during one request: the layers' events and the
// finished spans. It travels in the request's context.
type Sink struct {
	OnEvent func(Event) // called as they come; nil: only collected

	mu     sync.Mutex
	events []Event
	spans  []jsonl.Span
}

type sinkKey struct{}

// WithSink returns ctx with the sink on it.
func WithSink(ctx context.Context, s *Sink) context.Context {
	return context.WithValue(ctx, sinkKey{}, s)
}

// SinkOf returns the sink on ctx, or nil.
func SinkOf(ctx context.Context) *Sink {
	s, _ := ctx.Value(sinkKey{}).(*Sink)
	return s
}

// Events returns what was logged so far.
func (s *Sink) Events() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Event(nil), s.events...)
}

// Spans returns the spans that have ended so far.
func (s *Sink) Spans() []jsonl.Span {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]jsonl.Span(nil), s.spans...)
}

// PicoUSD returns what the finished attempts cost.
func (s *Sink) PicoUSD() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	var sum int64
	for _, span := range s.spans {
		if n, ok := span.Attributes[trace.SpanCostPicoUSD].(int64); ok {
			sum += n
		}
	}
	return sum
}

// A collector is a slog.Handler that gives each record to its request's sink.
type collector struct{ next slog.Handler }

func (c collector) Enabled(ctx context.Context, l slog.Level) bool {
	return SinkOf(ctx) != nil || c.next != nil && c.next.Enabled(ctx, l)
}

func (c collector) Handle(ctx context.Context, r slog.Record) error {
	if s := SinkOf(ctx); s != nil {
		e := Event{Name: r.Message, At: r.Time, Attrs: map[string]any{}}
		r.Attrs(func(a slog.Attr) bool {
			switch v := a.Value.Resolve().Any().(type) {
			case time.Duration:
				e.Attrs[a.Key] = float64(v.Microseconds()) / 1000 // milliseconds
			default:
				e.Attrs[a.Key] = v
			}
			return true
		})
		s.mu.Lock()
		s.events = append(s.events, e)
		s.mu.Unlock()
		if s.OnEvent != nil {
			s.OnEvent(e)
		}
	}
	if c.next != nil && c.next.Enabled(ctx, r.Level) {
		return c.next.Handle(ctx, r)
	}
	return nil
}

func (c collector) WithAttrs([]slog.Attr) slog.Handler { return c }
func (c collector) WithGroup(string) slog.Handler      { return c }

// spanSinks is an OpenTelemetry span processor that gives each finished span
// to the sink of the context it began in.
type spanSinks struct {
	mu   sync.Mutex
	open map[[8]byte]*Sink
}

func (p *spanSinks) OnStart(ctx context.Context, s sdktrace.ReadWriteSpan) {
	if sink := SinkOf(ctx); sink != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.open[s.SpanContext().SpanID()] = sink
	}
}

func (p *spanSinks) OnEnd(s sdktrace.ReadOnlySpan) {
	p.mu.Lock()
	sink := p.open[s.SpanContext().SpanID()]
	delete(p.open, s.SpanContext().SpanID())
	p.mu.Unlock()
	if sink != nil {
		sink.mu.Lock()
		defer sink.mu.Unlock()
		sink.spans = append(sink.spans, jsonl.Convert(s))
	}
}

func (p *spanSinks) Shutdown(context.Context) error   { return nil }
func (p *spanSinks) ForceFlush(context.Context) error { return nil }

// propagating returns an HTTP client that sends the traceparent of the span that
// a request is made in, so that the provider's spans join the trace.
func propagating() *http.Client { return &http.Client{Transport: traceparent{http.DefaultTransport}} }

type traceparent struct{ next http.RoundTripper }

func (t traceparent) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context()) // a RoundTripper must not change its request
	propagation.TraceContext{}.Inject(r.Context(), propagation.HeaderCarrier(r.Header))
	return t.next.RoundTrip(r)
}
