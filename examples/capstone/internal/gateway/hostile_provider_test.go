package gateway

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/examples/capstone/internal/service"
	"github.com/prodailabs/prodai/guard/secret"
	"github.com/prodailabs/prodai/retry/fault"
	"github.com/prodailabs/prodai/retry/limit"
)

// Messages of every role count for the window.
// Every error that the service may return becomes a response with a status, a code
// and no word of the provider's account.
func TestErrorMapping(t *testing.T) {
	g := New(nil, Options{})
	secretText := "sk-provider-secret"
	for name, c := range map[string]struct {
		err  error
		want int
	}{
		"store down":          {fmt.Errorf("x: %w", storeDown(t, secretText)), 503},
		"auth":                {status(fault.ClassAuth, 401, secretText), 502},
		"not found":           {status(fault.ClassNotFound, 404, secretText), 502},
		"rate":                {status(fault.ClassRateLimit, 429, secretText), 429},
		"bad request":         {status(fault.ClassInvalidRequest, 400, secretText), 400},
		"filter":              {status(fault.ClassContentFilter, 200, secretText), 400},
		"filter, no status":   {fault.New(fault.ClassContentFilter, errors.New(secretText)), 400},
		"too long, no status": {fault.New(fault.ClassContextLength, errors.New(secretText)), 400},
		"quota, no status":    {fault.New(fault.ClassQuota, errors.New(secretText)), 429},
		"interrupted":         {status(fault.ClassStreamInterrupted, 200, secretText), 502},
		"plain":               {errors.New(secretText), 502},
		"deadline":            {context.DeadlineExceeded, 504},
		"canceled":            {context.Canceled, 499},
		"stopping":            {fmt.Errorf("%w: %w", ErrStopping, context.Canceled), 503},
		"too long":            {fmt.Errorf("%w: 9", service.ErrTooLong), 400},
	} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			require.NotPanics(t, func() { g.failWith(w, r, c.err) })
			require.Equal(t, c.want, w.Code, w.Body.String())
			require.NotContains(t, w.Body.String(), secretText)
		})
	}
}

func status(c fault.Class, status int, message string) error {
	e := fault.New(c, errors.New(message))
	e.Status, e.Message = status, message
	return e
}

type downStore struct{ err error }

func (s downStore) Take(context.Context, []limit.Claim, time.Duration) (limit.Decision, error) {
	return limit.Decision{}, s.err
}
func (s downStore) Charge(context.Context, []limit.Claim) error { return s.err }

func storeDown(t *testing.T, text string) error {
	m, err := limit.New(nopModel{}, &limit.Options{Quota: limit.Quota{Requests: limit.Rate{N: 1, Per: time.Second}}, Store: downStore{errors.New(text)}, RefuseOnStoreFailure: true})
	require.NoError(t, err)
	_, err = m.GenerateContent(t.Context(), nil)
	return err
}

// A provider's words reach the log redacted, and as one line.
func TestProvidersWordsInTheLog(t *testing.T) {
	var b bytes.Buffer
	h, err := secret.NewLogHandler(slog.NewTextHandler(&b, nil), nil)
	require.NoError(t, err)
	g := New(nil, Options{Log: slog.New(h)})
	w := httptest.NewRecorder()
	key := "sk-proj-" + strings.Repeat("aB3dE5fG7h", 5)
	g.failWith(w, httptest.NewRequest(http.MethodPost, "/", nil), status(fault.ClassAuth, 401, "Incorrect API key provided: "+key+"\nlevel=ERROR msg=forged\x1b[31m"))
	t.Log(b.String())
	require.Equal(t, 1, strings.Count(b.String(), "\n"))
	require.NotContains(t, b.String(), key)
	require.NotContains(t, b.String(), "\x1b")
}

// A path or a method may hold a key, too.
func TestKeyInThePath(t *testing.T) {
	var b bytes.Buffer
	h, err := secret.NewLogHandler(slog.NewTextHandler(&b, nil), nil)
	require.NoError(t, err)
	key := "sk-proj-" + strings.Repeat("aB3dE5fG7h", 5)
	g := New(nil, Options{Log: slog.New(h)})
	r := httptest.NewRequest(http.MethodGet, "/v1/"+key, nil)
	g.ServeHTTP(httptest.NewRecorder(), r)
	r = httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("X-Request-Id", key)
	g.ServeHTTP(httptest.NewRecorder(), r)
	t.Log(b.String())
	require.NotContains(t, b.String(), key)
}

// A panic of http.ErrAbortHandler, and one after the response has begun.
func TestHandlerPanics(t *testing.T) {
	var b bytes.Buffer
	g := New(nil, Options{Log: slog.New(slog.NewTextHandler(&b, nil))}) // no service: every answer panics
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", strings.NewReader(chat("x")))
	r.Header.Set("Content-Type", "application/json")
	require.NotPanics(t, func() { g.ServeHTTP(w, r) })
	require.Equal(t, 500, w.Code)
	require.Zero(t, g.places.n)
}

// Slow bodies: a client that dribbles its body holds a place for how long?
func TestABodyThatIsStillComingTakesNoPlace(t *testing.T) {
	server := start(t, Options{MaxPerTenant: 2})
	for range 2 {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		defer conn.Close()
		fmt.Fprintf(conn, "POST /api/ask HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n")
		line, err := bufio.NewReader(conn).ReadString('\n')
		require.NoError(t, err)
		require.Contains(t, line, "100", "the handler reads the body")
		fmt.Fprint(conn, "{")
	}
	r := post(t, server, "/api/ask", `{"question":"How often are keys rotated?"}`)
	require.Equal(t, http.StatusOK, r.status, "two unfinished requests keep the tenant out: %s", r.body)
}

// Bodies of odd kinds.
func TestOddBodies(t *testing.T) {
	server := start(t, Options{})
	for _, body := range []string{"", "null", "[]", "1", `"x"`, "{", `{"model":"course"`, `{"model":"course","messages":null}`, `{"model":"course","messages":[null]}`, `{"model":"course","messages":[{}]}`, `{"model":"course","messages":[[]]}`, `{"model":"course","messages":{}}`,
		`{"model":"course","messages":[{"role":"user","content":{}}]}`, `{"model":"course","messages":[{"role":"user","content":[null]}]}`, `{"model":"course","messages":[{"role":"user","content":[]}]}`, `{"model":"course","messages":[{"role":"user","content":"\ud800"}]}`,
		`{"model":"course","messages":[{"role":"user","content":"x"}],"n":1e400}`, `{"model":"course","messages":[{"role":"user","content":"x"}],"stop":{}}`, `{"model":"course","messages":[{"role":"user","content":"x"}]} {}`, "\ufeff{}", `{"model":"course","messages":[{"role":"user","content":"x"}],"max_tokens":9223372036854775808}`,
		`{"model":"course","messages":[{"role":"user","content":"x"}],"temperature":-0.0001}`, `{"model":"course","messages":[{"role":"user","content":"x"}],"seed":1.5}`} {
		r := post(t, server, "/v1/chat/completions", body)
		if r.status >= 500 || r.status == 200 && !strings.Contains(body, "ud800") {
			t.Errorf("%s: %d %.100s", body, r.status, r.body)
		}
	}
	r := post(t, server, "/v1/embeddings", `{"model":"static-en-256","input":["a"],"dimensions":0}`)
	require.Equal(t, 400, r.status)
	req, _ := http.NewRequest(http.MethodPost, server.URL+"/api/ask", io.LimitReader(zeros{}, 2<<20))
	req.Header.Set("Content-Type", "application/json")
	require.Equal(t, 413, send(t, req).status)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// What a provider's filter refuses is the request's fault, however it says so.
func TestProvidersFilter(t *testing.T) {
	for name, answer := range map[string]string{
		"400":    "",
		"200":    `{"error":{"message":"filtered","type":"invalid_request_error","code":"content_filter"}}`,
		"stream": "data: {\"error\":{\"message\":\"filtered\",\"type\":\"invalid_request_error\",\"code\":\"content_filter\"}}\n\n",
		"late":   "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Keys are\"}}]}\n\ndata: {\"error\":{\"message\":\"filtered\",\"type\":\"invalid_request_error\",\"code\":\"content_filter\"}}\n\n",
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked++
				_, _ = io.Copy(io.Discard, r.Body)
				if name == "400" {
					w.WriteHeader(400)
					answer = `{"error":{"message":"filtered","type":"invalid_request_error","code":"content_filter"}}`
				}
				if strings.HasPrefix(answer, "data:") {
					w.Header().Set("Content-Type", "text/event-stream")
				}
				_, _ = io.WriteString(w, answer)
			}))
			t.Cleanup(provider.Close)
			server := startWith(t, provider.URL)
			body := chat("How often are keys rotated?")
			if strings.HasPrefix(answer, "data:") {
				body = strings.Replace(body, "{", `{"stream":true,`, 1)
			}
			r := post(t, server, "/v1/chat/completions", body)
			t.Logf("asked %d times: %d %s", asked, r.status, r.body)
			if name != "late" {
				require.Equal(t, 400, r.status)
			}
			require.Contains(t, r.body, "content_filter")
		})
	}
}

type nopModel struct{}

func (nopModel) GenerateContent(context.Context, []llms.MessageContent, ...llms.CallOption) (*llms.ContentResponse, error) {
	return nil, nil
}
func (nopModel) Call(context.Context, string, ...llms.CallOption) (string, error) { return "", nil }
