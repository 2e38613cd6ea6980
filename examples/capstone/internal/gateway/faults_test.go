package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/fault"
	"github.com/prodailabs/prodai/retry/limit"
)

// TestOwnRefusals: what this server refuses by itself is no failure of the
// provider's, and says when to come back.
func TestOwnRefusals(t *testing.T) {
	breaker, err := retry.NewBreaker(&retry.BreakerOptions{Failures: 1, OpenFor: time.Minute})
	require.NoError(t, err)
	policy, err := retry.NewPolicy(&retry.Options{Breaker: breaker, MaxAttempts: 1})
	require.NoError(t, err)
	fail := func(context.Context) (int, error) { return 0, errors.New("connection refused") }
	_, err = retry.Do(t.Context(), policy, fail)
	require.Error(t, err)
	_, open := retry.Do(t.Context(), policy, fail)
	require.ErrorIs(t, open, retry.ErrOpen)
	p := describe(open)
	require.Equal(t, http.StatusServiceUnavailable, p.status)
	require.Equal(t, "upstream_unavailable", *p.Code)
	require.True(t, p.asked)
	require.Greater(t, p.wait, 50*time.Second, "until the breaker lets a test call through")

	for _, own := range []error{retry.ErrBusy, retry.ErrShed} {
		p := describe(fmt.Errorf("wrapped: %w", own))
		require.Equal(t, http.StatusServiceUnavailable, p.status)
		require.Equal(t, "overloaded", *p.Code)
		require.True(t, p.asked)
	}
	p = describe(&limit.Error{Refusal: fault.RefusalWait, Dimension: "tokens", Delay: time.Second, HasDelay: true})
	require.Equal(t, http.StatusTooManyRequests, p.status)
	require.Contains(t, p.Message, "tokens")
}

// TestQuotaIsTheOperators: the client reads that waiting does not help, and the
// log has an error with what the provider answered.
func TestQuotaIsTheOperators(t *testing.T) {
	var log bytes.Buffer
	server := start(t, Options{Log: slog.New(slog.NewJSONHandler(&log, nil))}, modeltest.Reply{Error: modeltest.OutOfQuota(), Times: -1})
	r := post(t, server, "/v1/chat/completions", chat("How often are keys rotated?"))
	_, _, message := failure(t, r)
	require.Contains(t, message, "used up")
	require.NotContains(t, message, "too many")
	require.Equal(t, "false", r.header.Get("X-Should-Retry"))
	require.Contains(t, log.String(), `"level":"ERROR"`)
	require.Contains(t, log.String(), `"provider_code":"insufficient_quota"`)
	require.Contains(t, log.String(), r.header.Get("X-Request-Id"))
}

// TestTheLogKeepsTheEvidence: an answer's line has the tenant, tokens and cost; a
// stream that breaks has status 200 and its failure.
func TestTheLogKeepsTheEvidence(t *testing.T) {
	var log bytes.Buffer
	spans := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)).Tracer("t")
	server := start(t, Options{Log: slog.New(slog.NewJSONHandler(&log, nil)), Tracer: tracer},
		modeltest.Reply{Turn: modeltest.Say("Every 90 days. [1]")}, modeltest.Reply{Turn: modeltest.Say("half an answer that breaks"), CutAfter: 4})
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	post(t, server, "/v1/chat/completions", strings.Replace(chat("How often are keys rotated?"), "{", `{"stream":true,`, 1), "traceparent", parent)
	post(t, server, "/v1/chat/completions", strings.Replace(chat("When is a refund made?"), "{", `{"stream":true,`, 1), "X-Request-Id", "broken-1")
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	var answered, broken map[string]any
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &answered))
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &broken))
	require.Equal(t, "local", answered["tenant"])
	require.Equal(t, "scripted-1", answered["model"])
	require.Positive(t, answered["input_tokens"])
	require.Positive(t, answered["first_token"])
	require.Contains(t, answered["cost"], "$")
	require.NotContains(t, answered, "failure")
	require.EqualValues(t, 200, broken["status"])
	require.NotEmpty(t, broken["failure"])
	require.Equal(t, "WARN", broken["level"])

	ended := spans.Ended()
	require.Equal(t, "0af7651916cd43dd8448eb211c80319c", ended[0].SpanContext().TraceID().String(), "the caller's trace")
	require.Contains(t, fmt.Sprint(ended[1].Attributes()), "broken-1")
	require.Equal(t, "Error", ended[1].Status().Code.String())
}

// TestOtherSitesPages: a page of another site can neither ask nor read, also
// where no key is needed.
func TestOtherSitesPages(t *testing.T) {
	server := start(t, Options{Loopback: true})
	body := chat("How often are keys rotated?")
	for name, headers := range map[string][]string{
		"fetch":     {"Sec-Fetch-Site", "cross-site"},
		"old fetch": {"Origin", "https://evil.example"},
		"form":      {"Content-Type", "application/x-www-form-urlencoded"},
		"no-cors":   {"Content-Type", "text/plain"},
		"beacon":    {"Content-Type", ""},
	} {
		r := post(t, server, "/v1/chat/completions", body, headers...)
		require.Contains(t, []int{http.StatusForbidden, http.StatusUnsupportedMediaType}, r.status, name)
	}
	require.Equal(t, http.StatusOK, post(t, server, "/v1/chat/completions", body, "Sec-Fetch-Site", "same-origin").status)

	for host, status := range map[string]int{"localhost:1": 200, "127.0.0.1": 200, "[::1]:8080": 200, "app.localhost": 200,
		"evil.example": 403, "127.0.0.1.evil.example": 403, "localhost.evil.example:80": 403, "": 403} {
		req := httptest.NewRequest(http.MethodGet, "/", nil)
		req.Host = host
		w := httptest.NewRecorder()
		server.Config.Handler.ServeHTTP(w, req)
		require.Equal(t, status, w.Code, host)
	}
}

// TestStopWords end the answer, with the offline answerer too.
func TestStopWords(t *testing.T) {
	server := start(t, Options{})
	r := post(t, server, "/v1/chat/completions", strings.Replace(chat("How often are keys rotated?"), "{", `{"stop":[" by "],`, 1))
	require.Equal(t, http.StatusOK, r.status)
	require.Contains(t, r.body, "Keys are rotated every 90 days")
	require.NotContains(t, strings.SplitN(r.body, `"prodai"`, 2)[0], "security team")
}

// TestPlaces: requests in progress are bounded, of one tenant and of all.
func TestPlaces(t *testing.T) {
	reply := modeltest.Reply{Stall: true, Times: -1}
	server := start(t, Options{Keys: []string{"one", "two", "three"}, MaxRequests: 3, MaxPerTenant: 2}, reply)
	held, release := context.WithCancel(t.Context())
	defer release()
	var wait sync.WaitGroup
	ask := func(key string) response {
		return post(t, server, "/v1/chat/completions", chat("How often are keys rotated?"), "Authorization", "Bearer "+key)
	}
	for _, key := range []string{"one", "one", "two"} {
		wait.Go(func() {
			req, err := http.NewRequestWithContext(held, http.MethodPost, server.URL+"/v1/chat/completions", strings.NewReader(chat("How often are keys rotated?")))
			if err != nil {
				t.Error(err)
				return
			}
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Authorization", "Bearer "+key)
			if _, err = http.DefaultClient.Do(req); !errors.Is(err, context.Canceled) {
				t.Errorf("a held request ended with %v", err)
			}
		})
	}
	g := server.Config.Handler.(*Gateway)
	inProgress := func() int {
		g.places.mu.Lock()
		defer g.places.mu.Unlock()
		return g.places.n
	}
	require.Eventually(t, func() bool { return inProgress() == 3 }, time.Minute, time.Millisecond)
	own, all := ask("one"), ask("three")
	require.Equal(t, http.StatusTooManyRequests, own.status)
	require.Equal(t, http.StatusServiceUnavailable, all.status)
	require.NotEmpty(t, own.header.Get("Retry-After"))
	require.NotEmpty(t, all.header.Get("Retry-After"))
	release()
	wait.Wait()
	require.Eventually(t, func() bool { return inProgress() == 0 }, time.Minute, time.Millisecond)
	require.Empty(t, g.places.of)
}

// TestAClientThatDoesNotRead holds its response for the write timeout, not
// forever, and no more of it than its vectors.
func TestAClientThatDoesNotRead(t *testing.T) {
	server := start(t, Options{WriteTimeout: 200 * time.Millisecond})
	g := server.Config.Handler.(*Gateway)
	var input strings.Builder
	for range maxInputs - 1 {
		input.WriteString(`"a b c",`)
	}
	body := `{"model":"static-en-256","input":[` + input.String() + `"z"]}`
	for range 8 {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		require.NoError(t, conn.(*net.TCPConn).SetReadBuffer(4<<10))
		_, err = fmt.Fprintf(conn, "POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool {
		g.places.mu.Lock()
		defer g.places.mu.Unlock()
		return g.places.n == 0 && len(g.embedding) == 0
	}, time.Minute, 10*time.Millisecond, "each connection is given up")
	runtime.GC()
}

// TestEmbeddingsCount: they are taken from the tenant's tokens.
func TestEmbeddingsCount(t *testing.T) {
	server := start(t, Options{})
	body := `{"model":"static-en-256","input":"` + strings.Repeat("word ", 100_000) + `"}`
	var last response
	for range 20 {
		if last = post(t, server, "/v1/embeddings", body); last.status != http.StatusOK {
			break
		}
	}
	require.Equal(t, http.StatusTooManyRequests, last.status)
	code, _, _ := failure(t, last)
	require.Equal(t, "rate_limit_exceeded", code)
}

// TestTraceparentGoesOn: the provider's request carries the trace.
func TestTraceparentGoesOn(t *testing.T) {
	var mu sync.Mutex
	var got string
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		got = r.Header.Get("Traceparent")
		_, _ = io.WriteString(w, `{"choices":[{"message":{"role":"assistant","content":"Every 90 days. [1]"},"finish_reason":"stop"}]}`)
	}))
	t.Cleanup(provider.Close)
	server := startWith(t, provider.URL)
	const trace = "0af7651916cd43dd8448eb211c80319c"
	r := post(t, server, "/v1/chat/completions", chat("How often are keys rotated?"), "traceparent", "00-"+trace+"-b7ad6b7169203331-01")
	require.Equal(t, http.StatusOK, r.status, r.body)
	mu.Lock()
	defer mu.Unlock()
	require.Contains(t, got, trace)
}

func FuzzCheckKeys(f *testing.F) {
	f.Add(`{"model":"a","Model":"b"}`)
	f.Add(`{"messages":[{"role":"user","ROLE":1}]}`)
	f.Add(`[[{"a":1,"a":2}]]`)
	f.Fuzz(func(t *testing.T, body string) {
		var q chatRequest
		bad := checkKeys([]byte(body), &q)
		if bad != nil && bad.message == "" {
			t.Fatal("a complaint without words")
		}
	})
}

// In a list that breaks off, json.Decoder reports more values forever.
func TestCheckKeysEndsInABrokenList(t *testing.T) {
	for _, body := range []string{`[o`, `{"messages":[o`, `{"messages":[{"role":o`, `[[[o`} {
		var q chatRequest
		if bad := checkKeys([]byte(body), &q); bad != nil {
			t.Fatalf("%s: %v: encoding/json complains about it", body, bad)
		}
	}
}
