package gateway

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/examples/capstone/internal/service"
)

// A caller must not be able to switch off the accounting: a traceparent that says
// "not sampled" leaves no spans, and the cost is summed over the spans.
func TestUnsampledCallersCost(t *testing.T) {
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"model":"gpt-4o-mini","choices":[{"message":{"role":"assistant","content":"Every 90 days. [1]"},"finish_reason":"stop"}],"usage":{"prompt_tokens":100000,"completion_tokens":1000,"total_tokens":101000}}`)
	}))
	t.Cleanup(provider.Close)
	s, err := service.New(t.Context(), service.Options{NoCourse: true, Tenant: Tenant, BaseURL: provider.URL, Model: "gpt-4o-mini", APIKey: "k"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close(context.Background())) })
	_, err = s.Ingest(t.Context(), manual, nil)
	require.NoError(t, err)
	var b bytes.Buffer
	server := httptest.NewServer(New(s, Options{Tracer: s.Tracer(), Log: slog.New(slog.NewTextHandler(&b, nil))}))
	for i, flags := range []string{"01", "00"} {
		r := post(t, server, "/v1/chat/completions", strings.Replace(chat("How often are keys rotated?"), "{", `{"seed":`+string(rune('1'+i))+`,`, 1), "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-"+flags)
		require.Equal(t, 200, r.status, r.body)
	}
	server.Close()
	t.Log(b.String())
	for _, line := range strings.Split(strings.TrimSpace(b.String()), "\n") {
		require.NotContains(t, line, "cost=$0.00", "an answer of 101000 tokens")
	}
}

// A list of keys that contains an empty one, as a badly split setting does, lets
// no request in without a key.
func TestEmptyKey(t *testing.T) {
	server := start(t, Options{Keys: []string{""}})
	require.Equal(t, http.StatusUnauthorized, get(t, server, "/v1/models").status)
}

// Nothing of a request's parameters is quoted back at any length.
func TestEchoes(t *testing.T) {
	server := start(t, Options{})
	long := strings.Repeat("x", 900_000)
	for _, body := range []string{`{"model":"` + long + `"}`, `{"model":"course","messages":[{"role":"` + long + `","content":"x"}]}`, `{"` + long + `":1,"` + long + `":1}`, `{"model":"course","messages":[{"role":"user","content":[{"type":"` + long + `"}]}]}`} {
		r := post(t, server, "/v1/chat/completions", body)
		if len(r.body) > 10_000 {
			t.Errorf("%.40s…: an error of %d bytes", body, len(r.body))
		}
	}
}
