package guard_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

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

func TestWriteErrorTellsNoSecrets(t *testing.T) {
	w := httptest.NewRecorder()
	guard.WriteError(w, errors.New("dial postgres://root:hunter2@db"))
	assert.Equal(t, 500, w.Code)
	assert.NotContains(t, w.Body.String(), "hunter2")
}
