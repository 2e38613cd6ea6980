package gateway

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A pipes is a listener whose connections are in memory, so that the timeouts of a
// server run in the time of a testing/synctest bubble.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

// dial serves in a bubble, and returns one connection. It ends both with the test.
func dial(t *testing.T, server *http.Server) (net.Conn, *bufio.Reader) {
	t.Helper()
	l := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	ended := make(chan error)
	go func() { ended <- server.Serve(l) }()
	client, conn := net.Pipe()
	l.conns <- conn
	t.Cleanup(func() {
		_ = client.Close()
		_ = server.Close()
		require.ErrorIs(t, <-ended, http.ErrServerClosed)
	})
	return client, bufio.NewReader(client)
}

func wantAnswer(t *testing.T, conn *bufio.Reader) {
	t.Helper()
	resp, err := http.ReadResponse(conn, nil)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode, string(body))
}

const getModels = "GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n"

func postChat(header, body string) string {
	return "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" + header +
		"Content-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
}

// A connection that was idle for longer than the write timeout still gets the
// answer to go on.
func TestContinueAfterIdle(t *testing.T) {
	inner := start(t, Options{WriteTimeout: time.Second})
	synctest.Test(t, func(t *testing.T) {
		conn, read := dial(t, &http.Server{Handler: inner.Config.Handler})
		_, err := io.WriteString(conn, getModels)
		require.NoError(t, err)
		wantAnswer(t, read)
		time.Sleep(3 * time.Second)
		body := chat("How often are keys rotated?")
		_, err = io.WriteString(conn, strings.TrimSuffix(postChat("Expect: 100-continue\r\n", body), body))
		require.NoError(t, err)
		line, err := read.ReadString('\n')
		require.NoError(t, err, "no 100 Continue")
		require.Contains(t, line, "100")
		_, err = read.ReadString('\n')
		require.NoError(t, err)
		_, err = io.WriteString(conn, body)
		require.NoError(t, err)
		wantAnswer(t, read)
	})
}

// A keep-alive connection that was idle serves a plain request.
func TestKeepAliveAfterIdle(t *testing.T) {
	inner := start(t, Options{WriteTimeout: time.Second})
	synctest.Test(t, func(t *testing.T) {
		conn, read := dial(t, &http.Server{Handler: inner.Config.Handler})
		for range 3 {
			_, err := io.WriteString(conn, getModels)
			require.NoError(t, err)
			wantAnswer(t, read)
			time.Sleep(2 * time.Second)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// The server's read timeout, as serve sets it, must not end an answer that takes
// longer, up to Options.Timeout.
func TestReadTimeoutEndsTheAnswer(t *testing.T) {
	own := http.DefaultTransport // of the service's client
	http.DefaultTransport = roundTrip(func(r *http.Request) (*http.Response, error) {
		select {
		case <-time.After(20 * time.Second):
		case <-r.Context().Done():
			return nil, context.Cause(r.Context())
		}
		w := httptest.NewRecorder()
		_, _ = w.WriteString(`{"choices":[{"message":{"role":"assistant","content":"Every 90 days. [1]"},"finish_reason":"stop"}]}`)
		return w.Result(), nil
	})
	inner := startWith(t, "http://provider.invalid")
	http.DefaultTransport = own
	synctest.Test(t, func(t *testing.T) {
		conn, read := dial(t, &http.Server{Handler: inner.Config.Handler, ReadTimeout: 3 * time.Second, ReadHeaderTimeout: time.Second}) // longer in serve.go, where the answer may take two minutes
		_, err := io.WriteString(conn, postChat("", chat("How often are keys rotated?")))
		require.NoError(t, err)
		wantAnswer(t, read)
	})
}
