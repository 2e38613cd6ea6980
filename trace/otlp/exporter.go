package otlp

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/prodailabs/prodai/internal/event"
)

// ErrOption is wrapped by the errors of [New].
var ErrOption = errors.New("otlp: invalid option")

// ErrShutdown is the error of an export after Shutdown.
var ErrShutdown = errors.New("otlp: the exporter was shut down")

// ErrTooLarge is wrapped by the error of an export with a span that is larger than
// the receiver accepts. The other spans were sent.
var ErrTooLarge = errors.New("otlp: a span is too large for the receiver")

// A StatusError is a refusal of the receiver.
type StatusError struct {
	Target string
	Status int // HTTP
}

// Error names the target and the status. The body is left out, since it may quote
// spans.
func (e *StatusError) Error() string {
	return fmt.Sprintf("otlp: %s answered %d %s", e.Target, e.Status, http.StatusText(e.Status))
}

// HTTPStatus returns the status.
func (e *StatusError) HTTPStatus() int { return e.Status }

// A Compression is how bodies are sent.
type Compression uint8

// The compressions.
const (
	CompressionGzip Compression = iota // about a tenth of the bytes
	CompressionNone
)

// Options configure an [Exporter]. The zero value works.
type Options struct {
	// Client sends the requests. Redirects are not followed, since they would give
	// the key to another host. Default: one of its own.
	Client *http.Client

	// Logger gets a warning when the receiver refuses a part of a batch. Default:
	// discards.
	Logger *slog.Logger

	// Compression is how bodies are sent. Default: CompressionGzip.
	Compression Compression

	// Timeout is the longest time of one request. Default: 10 s.
	Timeout time.Duration

	// MaxElapsed is the longest time that an export is tried again, waits
	// included. Default: 1 minute.
	MaxElapsed time.Duration
}

// Stats counts spans.
type Stats struct {
	Sent     int64 // accepted by the receiver
	Lost     int64 // not sent: refused, too large, or given up
	Rejected int64 // refused by the receiver in an answer that was else a success
	Retries  int64 // requests that were made again
}

// An Exporter sends spans as OTLP over HTTP, in protobuf. It is safe for concurrent
// use.
type Exporter struct {
	target Target
	o      Options
	client *http.Client
	base   context.Context // done after Shutdown
	stop   context.CancelFunc

	sent, lost, rejected, retries atomic.Int64
}

// New returns an Exporter that sends to target. Its error wraps [ErrOption].
func New(target Target, o *Options) (*Exporter, error) {
	e := &Exporter{target: target}
	if o != nil {
		e.o = *o
	}
	if err := target.check(); err != nil {
		return nil, err
	}
	switch {
	case e.o.Timeout < 0, e.o.MaxElapsed < 0:
		return nil, fmt.Errorf("%w: Options.Timeout is %v and MaxElapsed %v: want 0 (the default) or more", ErrOption, e.o.Timeout, e.o.MaxElapsed)
	case e.o.Compression > CompressionNone:
		return nil, fmt.Errorf("%w: Options.Compression is %d: want CompressionGzip (0, the default) or CompressionNone (1)", ErrOption, e.o.Compression)
	}
	if e.target.MaxBytes == 0 {
		e.target.MaxBytes = 4 << 20
	}
	if e.o.Timeout == 0 {
		e.o.Timeout = 10 * time.Second
	}
	if e.o.MaxElapsed == 0 {
		e.o.MaxElapsed = time.Minute
	}
	e.o.Logger = event.Logger(e.o.Logger)
	client := http.Client{}
	if e.o.Client != nil {
		client = *e.o.Client
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	e.client = &client
	e.base, e.stop = context.WithCancel(context.Background())
	return e, nil
}

// Stats returns the counts so far.
func (e *Exporter) Stats() Stats {
	return Stats{e.sent.Load(), e.lost.Load(), e.rejected.Load(), e.retries.Load()}
}

// Shutdown ends exports that wait to be tried again, and makes later ones fail with
// [ErrShutdown].
func (e *Exporter) Shutdown(context.Context) error {
	e.stop()
	return nil
}

// ExportSpans sends spans in as many requests as the receiver's limit needs. A
// refused connection and the statuses 429, 502, 503 and 504 are tried again, after
// the wait that the receiver asks for; other refusals are not. An error says what
// was lost; what could be sent was sent.
func (e *Exporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if e.base.Err() != nil {
		e.lost.Add(int64(len(spans)))
		return ErrShutdown
	}
	ctx, cancel := context.WithTimeout(untraced(ctx), e.o.MaxElapsed)
	defer cancel()
	defer context.AfterFunc(e.base, cancel)()
	var errs []error
	for batch := range e.batches(spans, &errs) {
		if err := e.send(ctx, batch); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// untraced marks ctx, so that an HTTP client that is traced makes no spans of its
// own for an export: they would be exported in turn, for ever. A parent that is not
// sampled does that with the SDK's default sampler.
func untraced(ctx context.Context) context.Context {
	return oteltrace.ContextWithSpanContext(ctx, oteltrace.NewSpanContext(oteltrace.SpanContextConfig{TraceID: oteltrace.TraceID{1}, SpanID: oteltrace.SpanID{1}}))
}

// An item is an encoded span and what it belongs to.
type item struct {
	data  []byte
	span  sdktrace.ReadOnlySpan
	scope instrumentation.Scope
}

// batches yields spans in parts whose request is not larger than the limit.
func (e *Exporter) batches(spans []sdktrace.ReadOnlySpan, errs *[]error) func(func([]item) bool) {
	return func(yield func([]item) bool) {
		var batch []item
		size := 0
		for _, s := range spans {
			data, err := e.encode(s)
			// The resource and scope are counted for each span, which is at most too
			// much.
			n := len(data) + 256 + resourceSize(s)
			if err == nil && n > e.target.MaxBytes {
				err = fmt.Errorf("%w: %d bytes of at most %d", ErrTooLarge, n, e.target.MaxBytes)
			}
			if err != nil {
				e.lost.Add(1)
				*errs = append(*errs, err)
				continue
			}
			if size+n > e.target.MaxBytes && len(batch) > 0 {
				if !yield(batch) {
					return
				}
				batch, size = nil, 0
			}
			batch = append(batch, item{data, s, s.InstrumentationScope()})
			size += n
		}
		if len(batch) > 0 {
			yield(batch)
		}
	}
}

func resourceSize(s sdktrace.ReadOnlySpan) int {
	n := 0
	for _, a := range s.Resource().Attributes() {
		n += len(a.Key) + len(a.Value.String()) + 16
	}
	return n
}

// encode returns a span's message. A span of a foreign SDK may panic.
func (e *Exporter) encode(s sdktrace.ReadOnlySpan) (data []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("otlp: a span cannot be read: %v", p)
		}
	}()
	a := s.Attributes()
	if e.target.Rewrite != nil {
		a = e.target.Rewrite(a)
	}
	var b buffer
	b.span(s, a)
	return b, nil
}

// body groups spans by resource and scope, and encodes the request.
func (e *Exporter) body(batch []item) []byte {
	type key struct{ name, version, schema string }
	var groups []group
	byResource := map[attribute.Distinct]int{}
	byScope := map[attribute.Distinct]map[key]int{}
	for _, it := range batch {
		r := it.span.Resource().Equivalent()
		i, ok := byResource[r]
		if !ok {
			i = len(groups)
			byResource[r], byScope[r] = i, map[key]int{}
			groups = append(groups, group{resource: it.span.Resource()})
		}
		k := key{it.scope.Name, it.scope.Version, it.scope.SchemaURL}
		j, ok := byScope[r][k]
		if !ok {
			j = len(groups[i].scopes)
			byScope[r][k] = j
			groups[i].scopes = append(groups[i].scopes, scoped{scope: it.scope})
		}
		groups[i].scopes[j].spans = append(groups[i].scopes[j].spans, it.data)
	}
	return request(groups, e.target.Resource)
}

// send sends a batch. One that the receiver finds too large is halved.
func (e *Exporter) send(ctx context.Context, batch []item) error {
	err := e.deliver(ctx, e.body(batch), len(batch))
	var status *StatusError
	if errors.As(err, &status) && status.Status == http.StatusRequestEntityTooLarge && len(batch) > 1 {
		half := len(batch) / 2
		return errors.Join(e.send(ctx, batch[:half]), e.send(ctx, batch[half:]))
	}
	if err != nil {
		e.lost.Add(int64(len(batch)))
	}
	return err
}

// deliver posts a body until it is accepted or refused for good.
func (e *Exporter) deliver(ctx context.Context, body []byte, n int) error {
	if e.o.Compression == CompressionGzip {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, err := w.Write(body)
		if err = errors.Join(err, w.Close()); err != nil {
			return fmt.Errorf("otlp: %w", err)
		}
		body = b.Bytes()
	}
	wait := time.Second
	for {
		after, err := e.post(ctx, body, n)
		if err == nil {
			return nil
		}
		if after < 0 || ctx.Err() != nil {
			return err
		}
		if after == 0 {
			after = wait/2 + rand.N(wait/2+1)
			wait = min(2*wait, 30*time.Second)
		}
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < after {
			return err // it would not be sent in time
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(after):
		}
		e.retries.Add(1)
	}
}

// never says that a request is not to be made again.
const never = time.Duration(-1)

// post makes one request. With an error it returns the wait that the receiver asked
// for, 0 if it asked for none, or never.
func (e *Exporter) post(ctx context.Context, body []byte, n int) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, e.o.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.target.URL, bytes.NewReader(body))
	if err != nil {
		return never, fmt.Errorf("otlp: %w", err)
	}
	for name, value := range e.target.Headers {
		req.Header.Set(name, value)
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	if e.o.Compression == CompressionGzip {
		req.Header.Set("Content-Encoding", "gzip")
	}
	res, err := e.client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("otlp: %s: %w", e.target.Name, err)
	}
	defer func() { _ = res.Body.Close() }()                   // what it has was read
	answer, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10)) // a body that breaks off changes nothing
	switch res.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return retryAfter(res.Header.Get("Retry-After")), &StatusError{e.target.Name, res.StatusCode}
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return never, &StatusError{e.target.Name, res.StatusCode}
	}
	e.accepted(ctx, res.Header.Get("Content-Type"), answer, n)
	return 0, nil
}

// accepted counts a success, which the receiver may have limited to a part.
func (e *Exporter) accepted(ctx context.Context, contentType string, answer []byte, n int) {
	var rejected int64
	var message string
	if strings.Contains(contentType, "protobuf") { // others have a text of their own
		rejected, message, _ = partialSuccess(answer)
	}
	rejected = min(max(rejected, 0), int64(n))
	e.sent.Add(int64(n) - rejected)
	e.rejected.Add(rejected)
	if rejected > 0 || message != "" {
		e.o.Logger.WarnContext(ctx, event.TraceRejected, event.Target, e.target.Name, event.Count, rejected, event.Reason, strings.ToValidUTF8(message[:min(len(message), 200)], ""))
	}
}

// retryAfter reads the header, in seconds or as a date. 0 means that the receiver
// asked for nothing that can be read.
func retryAfter(value string) time.Duration {
	if s, err := strconv.Atoi(value); err == nil {
		return time.Duration(min(max(s, 0), 3600)) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(time.Until(at), 0)
	}
	return 0
}
