package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/prodailabs/prodai/examples/capstone/internal/service"
	"github.com/prodailabs/prodai/trace/cost"
)

// An access is what one request leaves in the log and on its span. A handler
// fills in what it learns.
type access struct {
	id     string
	tenant string
	began  time.Time

	status  int    // of the response; 0: none was written
	failure string // why a response is not what was asked for, in a word
	model   string
	in, out int // tokens
	pico    int64
	first   time.Duration // until the first text of a stream
}

type accessKey struct{}

// accessOf returns the request's access, or one that is thrown away.
func accessOf(ctx context.Context) *access {
	if a, ok := ctx.Value(accessKey{}).(*access); ok {
		return a
	}
	return &access{began: time.Now()}
}

// broken notes that a response that had begun did not end well: its status says
// 200 all the same.
func (a *access) broken(why string) {
	if a.failure == "" {
		a.failure = why
	}
}

// spoke notes the first text of a stream.
func (a *access) spoke() {
	if a.first == 0 {
		a.first = time.Since(a.began)
	}
}

// answered notes an answer.
func (a *access) answered(backend string, answer *service.Answer, pico int64) {
	a.model, a.in, a.out, a.pico = backend, answer.InputTokens, answer.OutputTokens, pico
}

// log writes the request's line.
func (a *access) log(ctx context.Context, log *slog.Logger, r *http.Request) {
	attrs := []slog.Attr{
		slog.String("id", a.id), slog.String("tenant", a.tenant), slog.String("method", r.Method), slog.String("path", r.URL.Path),
		slog.Int("status", a.status), slog.Duration("elapsed", time.Since(a.began)),
	}
	if a.model != "" {
		attrs = append(attrs, slog.String("model", a.model), slog.Int("input_tokens", a.in), slog.Int("output_tokens", a.out), slog.String("cost", cost.USD(a.pico)))
	}
	if a.first > 0 {
		attrs = append(attrs, slog.Duration("first_token", a.first))
	}
	level := slog.LevelInfo
	if a.failure != "" {
		attrs, level = append(attrs, slog.String("failure", a.failure)), slog.LevelWarn
	}
	log.LogAttrs(ctx, level, "request", attrs...)
}

// startSpan begins the request's span, in the trace that the caller's
// traceparent names.
func startSpan(ctx context.Context, tracer trace.Tracer, r *http.Request, id string) (context.Context, trace.Span) {
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(r.Header))
	return tracer.Start(ctx, r.Method+" "+r.URL.Path, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
		attribute.String("http.request.method", r.Method), attribute.String("url.path", r.URL.Path), attribute.String("http.request.header.x-request-id", id)))
}

func (a *access) endSpan(span trace.Span) {
	span.SetAttributes(attribute.Int("http.response.status_code", a.status))
	if a.failure != "" || a.status >= 500 {
		why := a.failure
		if why == "" {
			why = strconv.Itoa(a.status)
		}
		span.SetAttributes(attribute.String("error.type", why))
		span.SetStatus(codes.Error, why)
	}
}

// A recorder notes the status and gives each write a deadline of its own, so
// that a client that does not read holds nothing for longer.
type recorder struct {
	http.ResponseWriter
	*access
	timeout time.Duration // of a write
	longest time.Duration // of the response, from the request on
}

// WriteHeader writes the status, with the time that it took.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
		r.Header().Set("OpenAI-Processing-Ms", strconv.FormatInt(time.Since(r.began).Milliseconds(), 10))
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write writes in pieces, since a deadline bounds one write.
func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.WriteHeader(http.StatusOK)
	}
	const piece = 64 << 10
	written := 0
	for {
		// A server that cannot set deadlines, such as a test's, does without.
		now := time.Now()
		deadline := now.Add(r.timeout)
		if last := r.began.Add(r.longest); last.Before(deadline) {
			deadline = last // the whole response is bounded too
		}
		_ = http.NewResponseController(r.ResponseWriter).SetWriteDeadline(deadline)
		n, err := r.ResponseWriter.Write(b[written:min(written+piece, len(b))])
		written += n
		if err != nil {
			r.broken("client gone")
			return written, err
		}
		if written == len(b) {
			return written, nil
		}
	}
}

// Unwrap lets http.ResponseController find Flush.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// places counts the requests in progress, of all tenants and of each.
type places struct {
	all, each int
	mu        sync.Mutex
	n         int
	of        map[string]int
}

// take takes a place. Without one it reports whether it is the tenant's own
// requests that took them all.
func (p *places) take(tenant string) (own, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.of[tenant] >= p.each {
		return true, false
	}
	if p.n >= p.all {
		return false, false
	}
	p.n++
	p.of[tenant]++
	return false, true
}

func (p *places) leave(tenant string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n--
	if p.of[tenant]--; p.of[tenant] == 0 {
		delete(p.of, tenant)
	}
}
