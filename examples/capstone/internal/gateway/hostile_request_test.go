package gateway

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retry/fault"
)

// A body of nested brackets must cost what it is long, not the square of it.
func TestNestedBrackets(t *testing.T) {
	cost := func(depth int) uint64 {
		body := []byte(`{"x":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + `}`)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var q chatRequest
		checkKeys(body, &q)
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	began := time.Now()
	small, large := cost(2000), cost(16000)
	t.Logf("2000 deep: %d KiB; 16000 deep: %d KiB, %v", small>>10, large>>10, time.Since(began))
	require.Less(t, large, 24*small, "eight times as deep")
}

func TestNestedKeys(t *testing.T) {
	cost := func(depth int) uint64 {
		body := []byte(strings.Repeat(`{"aaaaaaaaaaaaaaaaaaaaaaaaa":`, depth) + "1" + strings.Repeat("}", depth))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var q chatRequest
		checkKeys(body, &q)
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	small, large := cost(1000), cost(8000)
	t.Logf("1000 deep: %d KiB; 8000 deep: %d KiB", small>>10, large>>10)
	require.Less(t, large, 24*small)
}

// encoding/json folds U+017F to s and U+212A to k.
func TestFoldedKeys(t *testing.T) {
	server := start(t, Options{})
	for _, body := range []string{
		`{"model":"course","messages":[{"role":"user","content":"hi"}],"me` + "\u017f\u017f" + `ages":[{"role":"user","content":"How often are keys rotated?"}]}`,
		`{"model":"course","me` + "\u017f\u017f" + `ages":[{"role":"user","content":"How often are keys rotated?"}]}`,
		`{"model":"course","` + "\u017f" + `tream":true,"messages":[{"role":"user","content":"How often are keys rotated?"}]}`,
	} {
		r := post(t, server, "/v1/chat/completions", body)
		if r.status == http.StatusOK {
			t.Errorf("%s\n  was read as the lower-case key: %.120s", body, r.body)
		}
	}
	r := post(t, server, "/api/ask", `{"question":"hi","que`+"\u017f"+`tion":"How often are keys rotated?"}`)
	t.Logf("%d %.200s", r.status, r.body)
}

// A key of the caller's own metadata is not a known key.
func TestMetadataKeysMayDifferInCase(t *testing.T) {
	server := start(t, Options{})
	r := post(t, server, "/v1/chat/completions", strings.Replace(chat("How often are keys rotated?"), "{", `{"metadata":{"a":"1","A":"2"},`, 1))
	require.Equal(t, http.StatusOK, r.status, r.body)
}

func TestContentPartCase(t *testing.T) {
	server := start(t, Options{})
	r := post(t, server, "/v1/chat/completions", `{"model":"course","messages":[{"role":"user","content":[{"TYPE":"text","TEXT":"How often are keys rotated?"}]}]}`)
	require.Equal(t, http.StatusBadRequest, r.status, "a key of the wrong case was read: %.100s", r.body)
}

// lateWriter reports uses of a ResponseWriter after the handler has returned.
type lateWriter struct {
	http.ResponseWriter
	over *atomic.Bool
	late *atomic.Int32
}

func (l lateWriter) Write(b []byte) (int, error) {
	if l.over.Load() {
		l.late.Add(1)
		return 0, io.ErrClosedPipe
	}
	return l.ResponseWriter.Write(b)
}
func (l lateWriter) Flush() {
	if !l.over.Load() {
		l.ResponseWriter.(http.Flusher).Flush()
	}
}

// Nothing writes to the response of /api/ask after its handler has returned.
func TestNoWriteAfterTheHandler(t *testing.T) {
	release := make(chan struct{})
	var asked atomic.Int32
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-r.Context().Done():
		case <-release:
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(provider.Close)
	t.Cleanup(func() { close(release) })
	inner := startWith(t, provider.URL)
	g := inner.Config.Handler
	var over atomic.Bool
	var late atomic.Int32
	returned := make(chan struct{})
	outer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.ServeHTTP(lateWriter{w, &over, &late}, r)
		over.Store(true)
		close(returned)
	}))
	t.Cleanup(outer.Close)
	ctx, cancel := context.WithCancel(t.Context())
	req, _ := http.NewRequestWithContext(ctx, http.MethodPost, outer.URL+"/api/ask", strings.NewReader(`{"question":"How often are keys rotated?"}`))
	req.Header.Set("Content-Type", "application/json")
	go func() {
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	}()
	require.Eventually(t, func() bool { return asked.Load() > 0 }, time.Minute, time.Millisecond)
	time.Sleep(50 * time.Millisecond)
	cancel()
	<-returned
	time.Sleep(500 * time.Millisecond)
	require.Zero(t, late.Load(), "writes after the handler had returned")
}

// A second caller of the same question keeps the first one's flight alive.
func TestNoWriteAfterTheHandlerShared(t *testing.T) {
	release := make(chan struct{})
	var asked atomic.Int32
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		<-release
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(provider.Close)
	inner := startWith(t, provider.URL)
	g := inner.Config.Handler
	var over atomic.Bool
	var late atomic.Int32
	returned := make(chan struct{})
	outer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("First") == "" {
			g.ServeHTTP(w, r)
			return
		}
		g.ServeHTTP(lateWriter{w, &over, &late}, r)
		over.Store(true)
		close(returned)
	}))
	t.Cleanup(outer.Close)
	ask := func(ctx context.Context, first string) {
		req, _ := http.NewRequestWithContext(ctx, http.MethodPost, outer.URL+"/api/ask", strings.NewReader(`{"question":"How often are keys rotated?"}`))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("First", first)
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	wait.Go(func() { ask(ctx, "yes") })
	require.Eventually(t, func() bool { return asked.Load() > 0 }, time.Minute, time.Millisecond)
	wait.Go(func() { ask(t.Context(), "") })
	time.Sleep(200 * time.Millisecond)
	cancel()
	<-returned
	close(release)
	wait.Wait()
	require.Zero(t, late.Load(), "writes after the handler had returned")
}

// Readers that dribble must not keep others from embedding.
func TestDescribe(t *testing.T) {
	for _, c := range []fault.Class{fault.ClassUnknown, fault.ClassAuth, fault.ClassContentFilter, fault.ClassContextLength, fault.ClassInvalidRequest, fault.ClassRateLimit, fault.ClassQuota, fault.ClassRequestTooLarge, fault.ClassStreamInterrupted, fault.ClassCanceled, fault.ClassTimeout} {
		for _, status := range []int{0, 200, 302, 400, 429, 500, 999} {
			e := fault.New(c, nil)
			e.Status = status
			p := describe(e)
			if p.status < 400 || p.status > 599 || p.Code == nil || p.Message == "" {
				t.Errorf("%v with status %d: the answer's status is %d", c, status, p.status)
			}
			if c == fault.ClassContentFilter && p.status >= 500 {
				t.Errorf("%v with status %d: status %d, code %s", c, status, p.status, *p.Code)
			}
		}
	}
}

func TestHosts(t *testing.T) {
	for host, want := range map[string]bool{
		"": false, "localhost": true, "LOCALHOST:80": true, "localhost.": true, "localhost.:80": true, "localhost..": false, "127.0.0.1": true, "127.9.9.9:1": true, "[::1]": true, "[::1]:80": true, "::1": true,
		"[::ffff:127.0.0.1]:80": true, "0.0.0.0": false, "[::]:80": false, "evil.com": false, "localhost.evil.com": false, "127.0.0.1.evil.com": false, "evil.com:80@localhost": false, "[::1%25lo]": true, "a@localhost": false, "localhost:80:80": false, "localhost/evil.com": false, "0177.0.0.1": false,
		"[localhost]": true, "[evil.localhost": true,
	} {
		if isLoopback(host) != want {
			t.Errorf("%q: %v", host, !want)
		}
	}
	server := start(t, Options{Loopback: true})
	raw := func(req string) string {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(time.Minute))
		_, _ = io.WriteString(conn, req)
		line, _ := bufio.NewReader(conn).ReadString('\n')
		return strings.TrimSpace(line)
	}
	for req, want := range map[string]string{
		"GET /api/status HTTP/1.0\r\n\r\n":                                                                       "403",
		"GET /api/status HTTP/1.0\r\nX-Forwarded-Host: localhost\r\n\r\n":                                        "403",
		"GET /api/status HTTP/1.1\r\nHost: evil.com\r\nX-Forwarded-Host: localhost\r\nConnection: close\r\n\r\n": "403",
		"GET http://evil.com/api/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n":                "403",
		"GET /api/status HTTP/1.1\r\nHost: localhost\r\nHost: evil.com\r\nConnection: close\r\n\r\n":             "400",
		"GET /api/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n":                               "200",
		"GET //api/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n":                              "30",
		"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n":                                     "200",
		"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n":                          "405",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n":                                                                       "",
	} {
		if got := raw(req); !strings.Contains(got, want) {
			t.Errorf("%q: %s, want %s", req, got, want)
		}
	}
}

func TestOrigins(t *testing.T) {
	server := start(t, Options{Loopback: true})
	for _, h := range [][]string{{"Origin", "null"}, {"Origin", "http://evil.com"}, {"Origin", "http://localhost.evil.com"}, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "http://127.0.0.1:1"}, {"Origin", "garbage"}} {
		r := post(t, server, "/api/ask", `{"question":"How often are keys rotated?"}`, h...)
		if r.status != http.StatusForbidden {
			t.Errorf("%v: %d", h, r.status)
		}
	}
	for _, kind := range []string{"", "text/plain", "application/jsonx", "application/json/evil", "application/x-www-form-urlencoded", "text/plain; application/json", "multipart/form-data"} {
		req, _ := http.NewRequest(http.MethodPost, server.URL+"/api/ask", strings.NewReader(`{"question":"x"}`))
		if kind != "" {
			req.Header.Set("Content-Type", kind)
		}
		if r := send(t, req); r.status != http.StatusUnsupportedMediaType {
			t.Errorf("%q: %d", kind, r.status)
		}
	}
}

// The log of odd requests is one line each, and holds no key.
func TestLog(t *testing.T) {
	var mu sync.Mutex
	var b bytes.Buffer
	log := slog.New(slog.NewTextHandler(writerFunc(func(p []byte) (int, error) { mu.Lock(); defer mu.Unlock(); return b.Write(p) }), nil))
	server := start(t, Options{Log: log, Keys: []string{"sk-this-is-the-key"}})
	n := 0
	raw := func(req string) {
		n++
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(time.Minute))
		_, _ = io.WriteString(conn, req)
		_, _ = io.ReadAll(conn)
	}
	raw("GET /a%0alevel=ERROR%20msg=forged HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	raw("GET /?key=sk-this-is-the-key HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	raw("GET / HTTP/1.1\r\nHost: x\r\nX-Request-Id: a\tb=c\r\nConnection: close\r\n\r\n")
	raw("GET / HTTP/1.1\r\nHost: x\r\nTraceparent: 00-zz\r\nTracestate: " + strings.Repeat("a=b,", 600) + "\r\nConnection: close\r\n\r\n")
	raw("GET / HTTP/1.1\r\nHost: x\r\nTraceparent: 00-00000000000000000000000000000000-0000000000000000-ff\r\nBaggage: a=b\r\nConnection: close\r\n\r\n")
	raw("GET /v1/models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk-this-is-not-the-key\r\nConnection: close\r\n\r\n")
	raw("GET /v1/models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk-this-is-the-key\r\nConnection: close\r\n\r\n")
	raw("GET /%e2%80%a8%1b[31mred HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	mu.Lock()
	defer mu.Unlock()
	t.Log(b.String())
	require.Equal(t, n, strings.Count(b.String(), "\n"))
	require.NotContains(t, b.String(), "sk-this")
	require.NotContains(t, b.String(), "\x1b")
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
