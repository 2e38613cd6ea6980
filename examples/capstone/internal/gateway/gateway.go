// Package gateway serves a service over HTTP: the OpenAI protocol for programs,
// a page for people, and the probes that an orchestrator asks for.
package gateway

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/prodailabs/prodai/examples/capstone/internal/service"
)

//go:embed page.html
var files embed.FS

// Options configure a [Gateway].
type Options struct {
	// Keys are the API keys that are accepted; none: everybody is let in.
	Keys []string

	// MaxBody bounds a request's body; 0: 1 MiB.
	MaxBody int64

	// Timeout bounds an answer; 0: two minutes.
	Timeout time.Duration

	// Log receives a line for each request and for each panic; nil: none.
	Log *slog.Logger
}

// A Gateway is the http.Handler of a service.
type Gateway struct {
	service *service.Service
	o       Options
	mux     *http.ServeMux
	stopped atomic.Bool
}

// New returns a Gateway.
func New(s *service.Service, o Options) *Gateway {
	if o.MaxBody <= 0 {
		o.MaxBody = 1 << 20
	}
	if o.Timeout <= 0 {
		o.Timeout = 2 * time.Minute
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	g := &Gateway{service: s, o: o, mux: http.NewServeMux()}
	g.mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	g.mux.HandleFunc("GET /readyz", g.ready)
	g.mux.HandleFunc("GET /{$}", g.page)
	g.mux.Handle("POST /api/ask", g.guarded(g.ask))
	g.mux.Handle("GET /api/status", g.guarded(g.status))
	g.mux.Handle("GET /v1/models", g.guarded(g.models))
	g.mux.Handle("GET /v1/models/{id}", g.guarded(g.model))
	g.mux.Handle("POST /v1/chat/completions", g.guarded(g.chat))
	g.mux.Handle("POST /v1/embeddings", g.guarded(g.embeddings))
	g.mux.HandleFunc("/", g.elsewhere)
	return g
}

// Stop makes /readyz fail, so that no new requests are sent here; those under
// way go on.
func (g *Gateway) Stop() { g.stopped.Store(true) }

// ServeHTTP gives every request an id and a deadline, and turns a panic into a
// 500.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	id := requestID(r)
	w.Header().Set("X-Request-Id", id)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	rec := &recorder{ResponseWriter: w, began: began}
	defer func() {
		if p := recover(); p != nil {
			g.o.Log.ErrorContext(r.Context(), "panic", "request", id, "value", p, "stack", string(debug.Stack()))
			if rec.status == 0 {
				fail(rec, http.StatusInternalServerError, "server_error", "", "", "an internal error; the request id tells which")
			}
		}
		g.o.Log.InfoContext(r.Context(), "request", "id", id, "method", r.Method, "path", r.URL.Path, "status", rec.status, "elapsed", time.Since(began))
	}()
	ctx, cancel := context.WithTimeout(r.Context(), g.o.Timeout)
	defer cancel()
	g.mux.ServeHTTP(rec, r.WithContext(ctx))
}

// requestID is the caller's, if it is a plain one, else a new one.
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	if id != "" && len(id) <= 100 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == "" {
		return id
	}
	return "req_" + strings.ToLower(rand.Text())
}

// A recorder remembers the status, and passes Flush on.
type recorder struct {
	http.ResponseWriter
	status int
	began  time.Time
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
		r.Header().Set("OpenAI-Processing-Ms", strconv.FormatInt(time.Since(r.began).Milliseconds(), 10))
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.WriteHeader(http.StatusOK)
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController find Flush.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

type tenantKey struct{}

// Tenant returns whose request ctx is: a hash of its key, or "local".
func Tenant(ctx context.Context) string {
	if t, ok := ctx.Value(tenantKey{}).(string); ok {
		return t
	}
	return "local"
}

// guarded lets through who has a key, bounds the body, and asks for JSON.
func (g *Gateway) guarded(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(g.o.Keys) > 0 {
			tenant, ok := g.authenticate(r)
			if !ok {
				w.Header().Set("WWW-Authenticate", `Bearer realm="capstone"`)
				fail(w, http.StatusUnauthorized, "invalid_request_error", "invalid_api_key", "", "incorrect or missing API key: send it as Authorization: Bearer KEY")
				return
			}
			r = r.WithContext(context.WithValue(r.Context(), tenantKey{}, tenant))
		}
		if r.Method == http.MethodPost {
			kind := r.Header.Get("Content-Type")
			if kind, _, _ = strings.Cut(kind, ";"); kind != "" && !strings.EqualFold(strings.TrimSpace(kind), "application/json") {
				fail(w, http.StatusUnsupportedMediaType, "invalid_request_error", "unsupported_media_type", "", "the body's type is "+kind+", want application/json")
				return
			}
			r.Body = http.MaxBytesReader(w, r.Body, g.o.MaxBody)
		}
		next(w, r)
	})
}

func (g *Gateway) authenticate(r *http.Request) (tenant string, ok bool) {
	key := r.Header.Get("Api-Key")
	if bearer, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); found {
		key = bearer
	}
	sum := sha256.Sum256([]byte(key))
	for _, known := range g.o.Keys {
		want := sha256.Sum256([]byte(known))
		if subtle.ConstantTimeCompare(sum[:], want[:]) == 1 {
			ok = true
		}
	}
	return "key-" + hex.EncodeToString(sum[:4]), ok
}

// read decodes a request's JSON; it has answered if it returns false.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	data, err := io.ReadAll(r.Body)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		fail(w, http.StatusRequestEntityTooLarge, "invalid_request_error", "request_too_large", "", "the body is larger than "+strconv.FormatInt(large.Limit, 10)+" bytes")
		return false
	case err != nil:
		fail(w, http.StatusBadRequest, "invalid_request_error", "incomplete_body", "", "the body could not be read to its end")
		return false
	}
	if !utf8.Valid(data) { // encoding/json would replace the bytes and not say so
		fail(w, http.StatusBadRequest, "invalid_request_error", "invalid_utf8", "", "the body is no valid UTF-8")
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
	_, _ = io.WriteString(w, "ready\n") // whoever asked has gone
}

func (g *Gateway) page(w http.ResponseWriter, _ *http.Request) {
	data, err := files.ReadFile("page.html")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	w.Header().Set("Referrer-Policy", "no-referrer")
	_, _ = w.Write(data) // whoever asked has gone
}
