package gateway

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
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
	var writing = make(chan struct{}, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Slow") != "" {
			w = stuckWriter{w, &stuck, writing}
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
	require.Eventually(t, func() bool { return asked.Load() > 0 }, 10*time.Second, time.Millisecond)
	answered := make(chan string, 1)
	go func() { answered <- ask(t.Context(), "") }()
	time.Sleep(200 * time.Millisecond)
	stuck.Store(true) // the socket's buffer is full from here on: a write takes up to WriteTimeout
	close(release)
	select {
	case <-answered:
	case <-time.After(4 * time.Second):
		t.Error("the other caller waits for the slow page's writes")
	}
	stuck.Store(false)
}

type stuckWriter struct {
	http.ResponseWriter
	stuck   *atomic.Bool
	writing chan struct{}
}

func (w stuckWriter) Write(b []byte) (int, error) {
	for i := 0; w.stuck.Load() && i < 600; i++ { // as a full socket does, for WriteTimeout
		time.Sleep(10 * time.Millisecond)
	}
	return w.ResponseWriter.Write(b)
}
func (w stuckWriter) Flush() { w.ResponseWriter.(http.Flusher).Flush() }

// A body of 24 KiB sent to the server: what it costs.
func TestNestedBodyEndToEnd(t *testing.T) {
	server := start(t, Options{})
	began := time.Now()
	r := post(t, server, "/v1/chat/completions", `{"messages":`+strings.Repeat("[", 12_000))
	t.Log(r.status, time.Since(began))
	require.Equal(t, 400, r.status)
	require.Less(t, time.Since(began), 100*time.Millisecond)
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
