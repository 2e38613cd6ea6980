// Package gateway serves a service over HTTP: the OpenAI protocol for programs,
// a page for people, and the probes that an orchestrator asks for.
//
//	POST /v1/chat/completions   an answer, streamed or not; GET /v1/models, POST /v1/embeddings
//	GET  /                      the page: a conversation with its sources
//	GET  /source                a document with the passage of an answer marked
//	POST /api/ask               what the page asks: an answer as a stream, with each layer's decisions
//	GET  /api/source            what that page reads: ?doc=NAME&start=BYTE&end=BYTE, or ?id=PASSAGE
//	GET  /api/status            what answers, from how many documents
//	GET  /livez, /readyz        for an orchestrator
//
// An answer of the OpenAI protocol has one field more, prodai, in a stream in its
// last chunk with a choice. What it holds was checked as the answer was:
//
//	passages   what was found, best first, each with its place, similarity and address
//	citations  each number that the answer cites, compared with its passage
//	uncited    the sentences that cite nothing, as bytes of the answer
//	nearest    only of a refusal: the passages nearest to the question, first those that it
//	           names, then one of each document
package gateway

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/prodailabs/prodai/examples/capstone/internal/service"
)

// Options configure a [Gateway].
type Options struct {
	// Keys are the API keys that are accepted. Default: no key is needed.
	Keys []string

	// Loopback says that the listener is one of this machine's own addresses.
	// Then only requests to a loopback host name are answered: a web page whose
	// name was pointed at 127.0.0.1 (DNS rebinding) cannot read answers.
	Loopback bool

	// MaxBody bounds a request's body. Default: 1 MiB.
	MaxBody int64

	// Timeout bounds an answer. Default: two minutes.
	Timeout time.Duration

	// WriteTimeout bounds each write of a response. A client that does not read
	// holds memory for that long, not forever. Default: 30 s.
	WriteTimeout time.Duration

	// MaxRequests and MaxPerTenant bound the requests in progress, of all tenants
	// and of one. Default: 256 and 32.
	MaxRequests, MaxPerTenant int

	// Tracer makes a span for each request. Default: no spans.
	Tracer trace.Tracer

	// Log receives a line for each request, each failure and each panic. Default:
	// none.
	Log *slog.Logger
}

// A Gateway is the http.Handler of a service.
type Gateway struct {
	service *service.Service
	o       Options
	mux     *http.ServeMux
	keys    map[[sha256.Size]byte]bool // digests of the keys
	places  places
	origins *http.CrossOriginProtection
	open    bool // no key is needed

	embedding chan struct{} // a place for each request whose vectors are in memory
	stopped   atomic.Bool
}

// New returns a Gateway.
func New(s *service.Service, o Options) *Gateway {
	if o.MaxBody <= 0 {
		o.MaxBody = 1 << 20
	}
	if o.Timeout <= 0 {
		o.Timeout = 2 * time.Minute
	}
	if o.WriteTimeout <= 0 {
		o.WriteTimeout = 30 * time.Second
	}
	if o.MaxRequests <= 0 {
		o.MaxRequests = 256
	}
	if o.MaxPerTenant <= 0 {
		o.MaxPerTenant = 32
	}
	if o.Tracer == nil {
		o.Tracer = noop.NewTracerProvider().Tracer("")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	g := &Gateway{service: s, o: o, mux: http.NewServeMux(), keys: map[[sha256.Size]byte]bool{}, origins: http.NewCrossOriginProtection()}
	g.places = places{all: o.MaxRequests, each: o.MaxPerTenant, of: map[string]int{}}
	g.embedding = make(chan struct{}, 2*runtime.GOMAXPROCS(0))
	for _, key := range o.Keys {
		if key != "" { // a request without a key has the empty one
			g.keys[sha256.Sum256([]byte(key))] = true
		}
	}
	g.open = len(o.Keys) == 0
	g.mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	g.mux.HandleFunc("GET /readyz", g.ready)
	g.mux.HandleFunc("GET /{$}", page("index.html"))
	g.mux.HandleFunc("GET /source", page("source.html"))
	g.mux.HandleFunc("GET /assets/{name}", g.asset)
	g.mux.Handle("POST /api/ask", g.guarded(g.ask))
	g.mux.Handle("GET /api/status", g.guarded(g.status))
	g.mux.Handle("GET /api/source", g.guarded(g.source))
	g.mux.Handle("GET /v1/models", g.guarded(g.models))
	g.mux.Handle("GET /v1/models/{id}", g.guarded(g.model))
	g.mux.Handle("POST /v1/chat/completions", g.guarded(g.chat))
	g.mux.Handle("POST /v1/embeddings", g.guarded(g.embeddings))
	g.mux.HandleFunc("/", g.elsewhere)
	return g
}

// Stop makes /readyz fail, so that no new requests are sent here. Requests in
// progress go on.
func (g *Gateway) Stop() { g.stopped.Store(true) }

// ServeHTTP gives every request an id, a span, a deadline and a line in the log,
// and turns a panic into a 500.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := &access{began: time.Now(), id: requestID(r)}
	w.Header().Set("X-Request-Id", a.id)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	ctx, cancel := context.WithTimeout(r.Context(), g.o.Timeout)
	defer cancel()
	ctx, span := startSpan(ctx, g.o.Tracer, r, a.id)
	defer span.End()
	rec := &recorder{ResponseWriter: w, access: a, timeout: g.o.WriteTimeout, longest: g.o.Timeout + 2*g.o.WriteTimeout}
	defer func() {
		if p := recover(); p != nil {
			g.o.Log.ErrorContext(ctx, "panic", "id", a.id, "value", p, "stack", string(debug.Stack()))
			if a.status == 0 {
				fail(rec, http.StatusInternalServerError, "server_error", "internal_error", "", "an internal error; the request id tells which")
			} else {
				a.broken("panic")
			}
		}
		a.endSpan(span)
		a.log(ctx, g.o.Log, r)
	}()
	r = r.WithContext(context.WithValue(ctx, accessKey{}, a))
	if code, message := g.foreign(r); code != "" {
		fail(rec, http.StatusForbidden, "invalid_request_error", code, "", message)
		return
	}
	g.mux.ServeHTTP(rec, r)
}

// requestID returns the request's own id, if it is a plain one, else a new one.
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	if id != "" && len(id) <= 100 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == "" {
		return id
	}
	return "req_" + strings.ToLower(rand.Text())
}

type tenantKey struct{}

// Tenant returns the tenant that a request belongs to: a hash of its key, or
// "local".
func Tenant(ctx context.Context) string {
	if t, ok := ctx.Value(tenantKey{}).(string); ok {
		return t
	}
	return "local"
}

// guarded lets a request through that has a key and for which there is room, if
// its body is JSON of a bounded size.
func (g *Gateway) guarded(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tenant := "local"
		if !g.open {
			var ok bool
			if tenant, ok = g.authenticate(r); !ok {
				w.Header().Set("WWW-Authenticate", `Bearer realm="capstone"`)
				fail(w, http.StatusUnauthorized, "invalid_request_error", "invalid_api_key", "", "incorrect or missing API key: send it as Authorization: Bearer KEY")
				return
			}
			r = r.WithContext(context.WithValue(r.Context(), tenantKey{}, tenant))
		}
		accessOf(r.Context()).tenant = tenant
		if r.Method == http.MethodPost {
			kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
			if kind = strings.TrimSpace(kind); !strings.EqualFold(kind, "application/json") {
				// A web page of another site can send any other type, or none, without
				// asking first.
				fail(w, http.StatusUnsupportedMediaType, "invalid_request_error", "unsupported_media_type", "", fmt.Sprintf("the body's type is %q: want application/json", kind))
				return
			}
			data, ok := g.body(w, r)
			if !ok {
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(data)) // a body that is still coming takes no place
		}
		switch own, ok := g.places.take(tenant); {
		case ok:
			defer g.places.leave(tenant)
			next(w, r)
		case own:
			w.Header().Set("Retry-After", "1")
			fail(w, http.StatusTooManyRequests, "rate_limit_error", "concurrency_limit_exceeded", "", fmt.Sprintf("%d of your requests are in progress: want at most that many at once", g.o.MaxPerTenant))
		default:
			w.Header().Set("Retry-After", "1")
			fail(w, http.StatusServiceUnavailable, "server_error", "overloaded", "", "this server has as many requests in progress as it can take; try again later")
		}
	})
}

// authenticate returns the tenant of a request's key. The keys are compared as
// digests, so the time of a comparison gives nothing of a key away.
func (g *Gateway) authenticate(r *http.Request) (tenant string, ok bool) {
	key := r.Header.Get("Api-Key")
	if scheme, credentials, found := strings.Cut(r.Header.Get("Authorization"), " "); found && strings.EqualFold(scheme, "Bearer") {
		key = strings.TrimSpace(credentials) // RFC 9110 §11.4: one or more blanks
	}
	sum := sha256.Sum256([]byte(key))
	return "key-" + hex.EncodeToString(sum[:4]), g.keys[sum]
}

// body reads a request's body; it has answered if it returns false.
func (g *Gateway) body(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, g.o.MaxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		fail(w, http.StatusRequestEntityTooLarge, "invalid_request_error", "request_too_large", "", "the body is larger than "+strconv.FormatInt(large.Limit, 10)+" bytes")
		return nil, false
	case err != nil:
		fail(w, http.StatusBadRequest, "invalid_request_error", "incomplete_body", "", "the body could not be read to its end")
		return nil, false
	}
	return data, true
}

// read decodes a request's JSON; it has answered if it returns false.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		fail(w, http.StatusBadRequest, "invalid_request_error", "incomplete_body", "", "the body could not be read to its end")
		return false
	}
	if !utf8.Valid(data) { // encoding/json would replace the bytes and not say so
		fail(w, http.StatusBadRequest, "invalid_request_error", "invalid_utf8", "", "the body is no valid UTF-8")
		return false
	}
	if err := checkKeys(data, into); err != nil {
		fail(w, http.StatusBadRequest, "invalid_request_error", "invalid_json", err.param, err.message)
		return false
	}
	if err := json.Unmarshal(data, into); err != nil {
		param := ""
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			param = wrong.Field
		}
		fail(w, http.StatusBadRequest, "invalid_request_error", "invalid_json", param, "the body is no valid JSON for this request: "+err.Error())
		return false
	}
	return true
}

// elsewhere answers paths and methods that there are none of, in OpenAI's shape.
func (g *Gateway) elsewhere(w http.ResponseWriter, r *http.Request) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		if method == r.Method {
			continue
		}
		probe := r.Clone(r.Context())
		probe.Method = method
		if _, pattern := g.mux.Handler(probe); pattern != "/" && pattern != "" {
			w.Header().Set("Allow", method)
			fail(w, http.StatusMethodNotAllowed, "invalid_request_error", "method_not_allowed", "", r.Method+" is not for "+r.URL.Path+", want "+method)
			return
		}
	}
	fail(w, http.StatusNotFound, "invalid_request_error", "unknown_url", "", "there is no "+r.Method+" "+r.URL.Path)
}

func (g *Gateway) ready(w http.ResponseWriter, _ *http.Request) {
	if g.stopped.Load() {
		http.Error(w, "stopping", http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, "ready\n") // fails only if the client is gone
}
