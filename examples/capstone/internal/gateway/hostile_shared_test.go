package gateway

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A page that does not read its events must not hold up another caller of the same
// question, who shares the model's call with it.
func TestASlowPageHoldsUpNobody(t *testing.T) {
	release := make(chan struct{})
	var asked atomic.Int32
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if asked.Add(1) == 1 {
			<-release
			w.WriteHeader(http.StatusServiceUnavailable) // so that the retry is logged: an event of the page
			return
		}
		_, _ = io.WriteString(w, `{"choices":[{"message":{"role":"assistant","content":"Every 90 days. [1]"},"finish_reason":"stop"}]}`)
	}))
	t.Cleanup(provider.Close)
	inner := startWith(t, provider.URL)
	var stuck atomic.Bool
	drained := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Slow") != "" {
			w = stuckWriter{w, &stuck, drained}
		}
		inner.Config.Handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	ask := func(ctx context.Context, slow string) string {
		req, _ := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/api/ask", strings.NewReader(`{"question":"How often are keys rotated?"}`))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Slow", slow)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err.Error()
		}
		defer func() { _ = resp.Body.Close() }()
		b, _ := io.ReadAll(resp.Body)
		return string(b)
	}
	go ask(t.Context(), "yes")
	require.Eventually(t, func() bool { return asked.Load() > 0 }, time.Minute, time.Millisecond)
	answered := make(chan string, 1)
	go func() { answered <- ask(t.Context(), "") }()
	time.Sleep(200 * time.Millisecond)
	stuck.Store(true) // the socket's buffer is full from here on: a write ends when the page is read
	close(release)
	select {
	case <-answered:
	case <-time.After(time.Minute):
		t.Error("the other caller waits for the slow page's writes")
	}
	close(drained)
}

type stuckWriter struct {
	http.ResponseWriter
	stuck   *atomic.Bool
	drained chan struct{}
}

func (w stuckWriter) Write(b []byte) (int, error) {
	if w.stuck.Load() { // as a full socket does
		<-w.drained
	}
	return w.ResponseWriter.Write(b)
}
func (w stuckWriter) Flush() { w.ResponseWriter.(http.Flusher).Flush() }

// A body of 24 KiB sent to the server: what it costs.
func TestNestedBodyEndToEnd(t *testing.T) {
	server := start(t, Options{})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := post(t, server, "/v1/chat/completions", `{"messages":`+strings.Repeat("[", 12_000))
	runtime.ReadMemStats(&after)
	t.Logf("%d: %d KiB", r.status, (after.TotalAlloc-before.TotalAlloc)>>10)
	require.Equal(t, 400, r.status)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(16<<20), "the square of its depth is 137 MiB")
}

// IPv6 listeners, and what a browser sends as their host.
func TestIPv6(t *testing.T) {
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skip(err)
	}
	inner := start(t, Options{Loopback: true})
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: inner.Config.Handler}}
	server.Start()
	t.Cleanup(server.Close)
	require.Equal(t, 200, get(t, server, "/api/status").status)
	r := post(t, server, "/api/ask", `{"question":"How often are keys rotated?"}`, "Origin", "http://"+l.Addr().String())
	require.Equal(t, 200, r.status)
	r = post(t, server, "/api/ask", `{"question":"How often are keys rotated?"}`, "Origin", fmt.Sprintf("http://[::1]:%d", 1))
	require.Equal(t, 403, r.status)
}
