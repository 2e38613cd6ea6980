package redteam

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHTTPTarget(t *testing.T) {
	status, reply := http.StatusOK, ""
	var got map[string]any
	var header http.Header
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header = r.Header
		data, _ := io.ReadAll(r.Body)
		got = nil
		_ = json.Unmarshal(data, &got)
		w.Header().Set("Location", "http://127.0.0.1:1/")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, reply)
	}))
	defer server.Close()
	target, err := NewHTTPTarget(server.URL, &HTTPOptions{Model: "m", Header: http.Header{"Authorization": {"Bearer x"}}, MaxBytes: 10_000})
	require.NoError(t, err)
	ask := func() (Answer, error) {
		return target.Answer(context.Background(), Conversation{Earlier: []Exchange{{"a", Answer{Text: "b"}}}, User: "c", Document: "d"})
	}
	reply = `{"choices":[{"message":{"content":"hello","refusal":"no","tool_calls":[{"function":{"name":"send","arguments":"{}"}}]},"finish_reason":"stop"}]}`
	a, err := ask()
	require.NoError(t, err)
	require.Equal(t, Answer{Text: "hello", Refusal: "no", Calls: []Call{{"send", "{}"}}}, a)
	require.Equal(t, "Bearer x", header.Get("Authorization"))
	require.Equal(t, "m", got["model"])
	require.Len(t, got["messages"], 3)
	for _, c := range []struct {
		status  int
		body    string
		blocked bool
	}{
		{403, `{"error":{"code":"guard_blocked"}}`, true}, {400, `{"error":{"code":"content_filter"}}`, true}, {400, `{"error":"no model"}`, false},
		{503, `{"error":{"code":"guard_unavailable"}}`, false}, {401, "", false}, {500, "", false}, {302, "", false}, {200, "not json", false}, {200, `{"choices":[]}`, false}, {200, `{}`, false},
		{200, strings.Repeat(" ", 10_001), false}, {200, `{"choices":[{"message":{"content":null},"finish_reason":"content_filter"}]}`, true},
	} {
		status, reply = c.status, c.body
		a, err := ask()
		require.Equal(t, c.blocked, a.Blocked, "%d %.60s", c.status, c.body)
		require.Equal(t, c.blocked, err == nil, "%d %.60s: %v", c.status, c.body, err)
	}
	status, reply = 200, `{"data":[{"reply":"hi"}]}`
	target, err = NewHTTPTarget(server.URL, &HTTPOptions{Text: "data.0.reply", Body: func(c Conversation) any { return map[string]string{"q": c.User} }})
	require.NoError(t, err)
	a, err = ask()
	require.NoError(t, err)
	require.Equal(t, "hi", a.Text)
	require.Equal(t, map[string]any{"q": "c"}, got)
	reply = `{"data":[]}`
	_, err = ask()
	require.Error(t, err)
	for _, endpoint := range []string{"", "x", "ftp://a", "http://"} {
		_, err := NewHTTPTarget(endpoint, nil)
		require.ErrorIs(t, err, ErrOption)
	}
	_, err = NewHTTPTarget(server.URL, &HTTPOptions{MaxBytes: -1})
	require.ErrorIs(t, err, ErrOption)
}
