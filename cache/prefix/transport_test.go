package prefix

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/anthropic"
)

// sent returns what a request becomes.
func sent(t *testing.T, o *TransportOptions, path, body string) string {
	t.Helper()
	var got string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		data, err := io.ReadAll(q.Body)
		if err != nil || int64(len(data)) != q.ContentLength {
			t.Error(err, len(data), q.ContentLength)
		}
		got = string(data)
	}))
	defer server.Close()
	transport, err := NewTransport(server.Client().Transport, o)
	require.NoError(t, err)
	r, err := (&http.Client{Transport: transport}).Post(server.URL+path, "application/json", strings.NewReader(body))
	require.NoError(t, err)
	require.NoError(t, r.Body.Close())
	return got
}

func TestTransport(t *testing.T) {
	_, err := NewTransport(nil, &TransportOptions{TTL: time.Minute})
	require.ErrorIs(t, err, ErrOption)
	hour := &TransportOptions{TTL: time.Hour}
	const five, one = `{"type":"ephemeral"}`, `{"type":"ephemeral","ttl":"1h"}`
	for _, c := range []struct {
		name, body, want string
		o                *TransportOptions
	}{
		{"system text", `{"system":"You <help>.","messages":[]}`, `{"system":[{"type":"text","text":"You <help>.","cache_control":` + five + `}],"messages":[]}`, nil},
		{"an hour everywhere", `{"system":"s","messages":[{"role":"user","content":[{"type":"text","text":"a","cache_control":` + five + `}]},{"role":"user","content":"b"}]}`,
			`{"system":[{"type":"text","text":"s","cache_control":` + one + `}],"messages":[{"role":"user","content":[{"type":"text","text":"a","cache_control":` + one + `}]},{"role":"user","content":"b"}]}`, hour},
		{"system blocks", `{"system":[{"text":"a"},{"text":"b"}],"messages":[]}`, `{"system":[{"text":"a"},{"text":"b","cache_control":` + five + `}],"messages":[]}`, nil},
		{"tools", `{"tools":[{"name":"a"}],"messages":[],"max_tokens":12345678901234567890}`, `{"tools":[{"name":"a","cache_control":` + five + `}],"messages":[],"max_tokens":12345678901234567890}`, nil},
		{"four marks", `{"system":"s","messages":[{"content":[{"cache_control":{}},{"cache_control":{}},{"cache_control":{}},{"cache_control":{}}]}]}`,
			`{"system":"s","messages":[{"content":[{"cache_control":` + five + `},{"cache_control":` + five + `},{"cache_control":` + five + `},{"cache_control":` + five + `}]}]}`, nil},
		{"left alone", `{"system":"s","messages":[]}`, `{"system":"s","messages":[]}`, &TransportOptions{UnmarkedSystem: true}},
		{"no system", `{"system":"","messages":[]}`, `{"system":"","messages":[]}`, nil},
	} {
		require.JSONEq(t, c.want, sent(t, c.o, "/v1/messages", c.body), c.name)
	}
	for _, body := range []string{"", "{", "null", "[]", `{"system":"s"}`, `{"system":"s","messages":[null]}`, `{"system":"s","messages":7}`} {
		require.Equal(t, body, sent(t, nil, "/v1/messages", body))
	}
	require.Equal(t, `{"system":"s","messages":[]}`, sent(t, nil, "/v1/complete", `{"system":"s","messages":[]}`))
}

// What langchaingo's client loses arrives.
func TestLangchaingosGaps(t *testing.T) {
	var got struct {
		System   json.RawMessage
		Messages []struct {
			Content []map[string]any
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if err := json.NewDecoder(q.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(w, `{"content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":1,"cache_read_input_tokens":2000,"cache_creation_input_tokens":10}}`)
	}))
	defer server.Close()
	ask := func(client *http.Client) *llms.ContentResponse {
		model, err := anthropic.New(anthropic.WithToken("x"), anthropic.WithBaseURL(server.URL+"/v1"), anthropic.WithHTTPClient(client), anthropic.WithModel("claude"))
		require.NoError(t, err)
		hour := anthropic.EphemeralCacheOneHour()
		r, err := model.GenerateContent(t.Context(), []llms.MessageContent{
			{Role: llms.ChatMessageTypeSystem, Parts: []llms.ContentPart{llms.WithCacheControl(llms.TextPart("long"), hour)}},
			{Role: llms.ChatMessageTypeHuman, Parts: []llms.ContentPart{llms.WithCacheControl(llms.TextPart("q"), hour)}},
		})
		require.NoError(t, err)
		return r
	}
	ask(server.Client())
	require.JSONEq(t, `"long"`, string(got.System), "langchaingo drops the mark; if it doesn't any more, Transport isn't needed")
	require.Equal(t, map[string]any{"type": "ephemeral"}, got.Messages[0].Content[0]["cache_control"])

	transport, err := NewTransport(server.Client().Transport, &TransportOptions{TTL: time.Hour})
	require.NoError(t, err)
	r := ask(&http.Client{Transport: transport})
	require.JSONEq(t, `[{"type":"text","text":"long","cache_control":{"type":"ephemeral","ttl":"1h"}}]`, string(got.System))
	require.Equal(t, map[string]any{"type": "ephemeral", "ttl": "1h"}, got.Messages[0].Content[0]["cache_control"])

	bill, err := Anthropic(1024, true).Observed(r)
	require.NoError(t, err)
	require.Equal(t, 2000, bill.Read)
	require.Equal(t, 10, bill.Written)
	require.Equal(t, 3, bill.Uncached)
	require.InDelta(t, 223, bill.Units, 1e-9)
}

func FuzzMark(f *testing.F) {
	f.Add(`{"system":"s","tools":[{}],"messages":[{"content":[{"cache_control":{}}]}]}`)
	f.Add(`{"system":[null],"messages":[]}`)
	transport, err := NewTransport(nil, nil)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, body string) {
		out, ok := transport.mark([]byte(body))
		if !ok {
			return
		}
		require.True(t, json.Valid(out))
		again, ok := transport.mark(out)
		require.True(t, ok)
		if strings.Count(string(out), cacheControl) <= maxMarks {
			require.JSONEq(t, string(out), string(again), "marks are not added twice")
		}
	})
}
