package guard_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/guard"
)

func TestHandler(t *testing.T) {
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		assert.Equal(t, int64(len(body)), r.ContentLength)
		_, _ = w.Write([]byte(r.URL.Query().Get("q") + string(body)))
	})
	h, err := guard.NewHandler(echo, &guard.Options{MaxBytes: 1000, Input: []guard.Check{
		{Name: "bad", Find: word("swordfish", "WORD")},
		{Name: "mail", Find: word("ana@example.org", "EMAIL"), Policy: guard.PolicyRedact},
	}})
	require.NoError(t, err)
	for _, c := range []struct {
		name, query, body, encoding string
		status                      int
		want                        string
	}{
		{name: "json", body: `{"messages": [{"content": "I am ana@example.org", "n": 1.50}]}`, status: 200, want: `{"messages": [{"content": "I am [EMAIL]", "n": 1.50}]}`},
		{name: "escaped", body: `{"m":"sword\u0066ish"}`, status: 403, want: "guard_blocked"},
		{name: "text", body: "say swordfish", status: 403, want: "guard_blocked"},
		{name: "query", query: "?q=ana%40example.org", body: "x", status: 200, want: "[EMAIL]x"},
		{name: "blocked query", query: "?q=swordfish", status: 403, want: "guard_blocked"},
		{name: "compressed", body: "x", encoding: "gzip", status: 415, want: "guard_unreadable"},
		{name: "binary", body: "\xff\xfe", status: 415, want: "guard_unreadable"},
		{name: "twice", body: `{"a":"x","a":"swordfish"}`, status: 400, want: "guard_unreadable"},
		{name: "broken", body: `{"a":`, status: 400, want: "guard_unreadable"},
		{name: "deep", body: strings.Repeat("[", 200) + strings.Repeat("]", 200), status: 400, want: "guard_unreadable"},
		{name: "large", body: strings.Repeat("x", 1001), status: 413, want: "guard_too_large"},
		{name: "empty", status: 200},
	} {
		r := httptest.NewRequest(http.MethodPost, "/chat"+c.query, strings.NewReader(c.body))
		if c.body == "" {
			r.Body, r.ContentLength = http.NoBody, 0
		}
		r.Header.Set("Content-Encoding", c.encoding)
		r.Header.Set("Content-Type", "image/png") // a lie
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		assert.Equal(t, c.status, w.Code, c.name)
		assert.Contains(t, w.Body.String(), c.want, c.name)
		assert.NotContains(t, w.Body.String(), "swordfish")
	}
}

// A failure has what errors of an HTTP answer may have.
type failure struct {
	status int
	code   string
	wait   time.Duration
}

func (f failure) Error() string                     { return "hunter2" }
func (f failure) HTTPStatus() int                   { return f.status }
func (f failure) Code() string                      { return f.code }
func (f failure) RetryAfter() (time.Duration, bool) { return f.wait, f.wait > 0 }

func TestWriteErrorIsOpenAIsForm(t *testing.T) {
	for _, c := range []struct {
		err          error
		status       int
		body         string
		wait, waitMS string
	}{
		{err: &guard.BlockedError{Verdict: guard.Verdict{Stage: guard.StageInput, Check: "secrets", Findings: []guard.Finding{{Kind: "JWT"}}}}, status: 403,
			body: `{"message":"guard: input blocked by check \"secrets\": JWT","type":"invalid_request_error","param":null,"code":"guard_blocked"}`},
		{err: &guard.BlockedError{Verdict: guard.Verdict{Stage: guard.StageOutput, Check: "pii", Err: errors.New("down")}}, status: 503,
			body: `{"message":"guard: output blocked by check \"pii\": the check failed","type":"server_error","param":null,"code":"guard_unavailable"}`},
		{err: fmt.Errorf("late: %w", failure{429, "rate_limit_exceeded", 1500 * time.Millisecond}), status: 429, wait: "2", waitMS: "1500",
			body: `{"message":"Too Many Requests","type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}`},
		{err: failure{status: 502}, status: 502, body: `{"message":"Bad Gateway","type":"server_error","param":null,"code":null}`},
		{err: failure{status: 1000, code: "odd"}, status: 500, body: `{"message":"internal error","type":"server_error","param":null,"code":"internal_error"}`},
		{err: fmt.Errorf("slow: %w", context.DeadlineExceeded), status: 504, body: `{"message":"the time is over","type":"server_error","param":null,"code":"timeout"}`},
		{err: errors.New("hunter2"), status: 500, body: `{"message":"internal error","type":"server_error","param":null,"code":"internal_error"}`},
	} {
		w := httptest.NewRecorder()
		guard.WriteError(w, c.err)
		assert.Equal(t, c.status, w.Code)
		assert.JSONEq(t, `{"error":`+c.body+`}`, w.Body.String())
		assert.Equal(t, c.wait, w.Header().Get("Retry-After"))
		assert.Equal(t, c.waitMS, w.Header().Get("retry-after-ms"))
	}
}

func TestWriteErrorTellsNoSecrets(t *testing.T) {
	w := httptest.NewRecorder()
	guard.WriteError(w, errors.New("dial postgres://root:hunter2@db"))
	assert.Equal(t, 500, w.Code)
	assert.NotContains(t, w.Body.String(), "hunter2")
}
