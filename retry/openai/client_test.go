package openai

import (
	"context"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
)

// saying is a transport that answers every request with the same response. The
// response lacks what http.Transport fills in, as those of a test's own transports
// do.
type saying struct {
	status int
	body   string
	header http.Header
}

func (s saying) RoundTrip(*http.Request) (*http.Response, error) {
	h := s.header.Clone()
	if h == nil {
		h = http.Header{"Content-Type": {"application/json"}}
	}
	return &http.Response{StatusCode: s.status, Header: h, Body: io.NopCloser(strings.NewReader(s.body))}, nil
}

func (s saying) model(t testing.TB, o Options) *Model {
	t.Helper()
	o.BaseURL, o.HTTPClient = "http://said/v1", &http.Client{Transport: s}
	m, err := New("m", &o)
	require.NoError(t, err)
	return m
}

var toStream = llms.WithStreamingFunc(func(context.Context, []byte) error { return nil })

const (
	plainAnswer    = `{"choices":[{"message":{"content":"a"},"finish_reason":"stop"}]}`
	streamedAnswer = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\n"
)

var eventStream = http.Header{"Content-Type": {"text/event-stream"}}

func TestLimitsOfAnySize(t *testing.T) {
	long := strings.Repeat("x", 600)
	for _, n := range []int{1, 10, 599} {
		_, err := saying{200, long, nil}.model(t, Options{MaxBodyBytes: n}).Call(t.Context(), "q")
		require.ErrorIs(t, err, ErrTooLarge)
		var provider *llms.Error
		require.ErrorAs(t, err, &provider)
		require.Equal(t, llms.ErrCodeUnknown, provider.Code, "our own limit says nothing about the provider")
	}
	for _, n := range []int{0, math.MaxInt} {
		o := Options{MaxBodyBytes: n, MaxLineBytes: n}
		_, err := saying{200, plainAnswer, nil}.model(t, o).Call(t.Context(), "q")
		require.NoError(t, err)
		_, err = saying{200, streamedAnswer, eventStream}.model(t, o).Call(t.Context(), "q", toStream)
		require.NoError(t, err)
	}
}

// TestResponsesOfBareTransports: http.Transport sets Response.Request, other
// transports needn't.
func TestResponsesOfBareTransports(t *testing.T) {
	for body, want := range map[string]error{"": ErrEmpty, "{}": ErrEmpty, "[]": ErrMalformed, `{"error":{}}`: ErrInBand} {
		_, err := saying{200, body, nil}.model(t, Options{}).Call(t.Context(), "q")
		require.ErrorIs(t, err, want, body)
	}
	e, err := NewEmbedder("m", &Options{HTTPClient: &http.Client{Transport: saying{200, "", nil}}})
	require.NoError(t, err)
	_, err = e.EmbedQuery(t.Context(), "q")
	require.ErrorIs(t, err, ErrEmpty)
}

// TestRedirectsAreNotFollowed: net/http would send the prompt, and every
// header but Authorization, to wherever the server points.
func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the prompt left for another server") }))
	t.Cleanup(elsewhere.Close)
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	t.Cleanup(server.Close)
	for _, client := range []*http.Client{nil, server.Client()} {
		m, err := New("d", &Options{BaseURL: server.URL, APIKey: "azure-key", Azure: &Azure{APIVersion: "v"}, HTTPClient: client})
		require.NoError(t, err)
		_, err = m.Call(t.Context(), "q")
		e := new(Error)
		require.ErrorAs(t, err, &e)
		require.Equal(t, http.StatusTemporaryRedirect, e.HTTPStatus())
		require.Contains(t, e.Message(), elsewhere.URL)
	}
	require.Nil(t, server.Client().CheckRedirect, "the caller's client is the caller's")

	stop := http.ErrHandlerTimeout // any error will do
	m, err := New("d", &Options{BaseURL: server.URL, HTTPClient: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return stop }}})
	require.NoError(t, err)
	_, err = m.Call(t.Context(), "q")
	require.ErrorIs(t, err, stop, "a caller's own rule holds")
}

// TestStreamsUseTheirConnectionAgain: the bytes that end a transfer may come
// a little after [DONE].
func TestStreamsUseTheirConnectionAgain(t *testing.T) {
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, streamedAnswer+"data: [DONE]\n\n")
		_ = http.NewResponseController(w).Flush()
		time.Sleep(time.Millisecond)
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	m, err := New("m", &Options{BaseURL: server.URL})
	require.NoError(t, err)
	for calls := int32(1); calls <= 1000; calls++ { // a busy machine may take longer than settleTime now and then
		_, err := m.Call(t.Context(), "q", toStream)
		require.NoError(t, err)
		if connections.Load() < calls {
			return
		}
	}
	t.Error("a thousand streams, and no connection was used again")
}

// TestStreamsThatStayOpen: a server that never ends the transfer delays a complete
// answer by settleTime at most, and loses the connection.
func TestStreamsThatStayOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events := []modeltest.Event{{Data: streamedAnswer + "data: [DONE]\n\n"}, {Delay: time.Hour, Data: ": still here\n"}}
		s, err := modeltest.NewServer(&modeltest.ServerOptions{Replies: []modeltest.Reply{{Events: events}}})
		require.NoError(t, err)
		defer s.Close()
		m, err := New("m", &Options{BaseURL: s.URL + "/v1", HTTPClient: s.Client()})
		require.NoError(t, err)
		began := time.Now()
		answer, err := m.Call(t.Context(), "q", toStream)
		require.NoError(t, err)
		require.Equal(t, "a", answer)
		require.Equal(t, settleTime, time.Since(began))
		synctest.Wait()
		require.Zero(t, s.Connections())
	})
}

func TestTheNameOfTheTokenLimit(t *testing.T) {
	for _, c := range []struct{ base, model, want string }{
		{"", "gpt-4o", "max_completion_tokens"},
		{"http://x/v1", "gpt-4o", "max_tokens"},
		{"http://x/v1", "o1", "max_completion_tokens"},
		{"http://x/v1", "openai/o3-mini-2025-01-31", "max_completion_tokens"},
		{"http://x/v1", "GPT-5.2", "max_completion_tokens"},
		{"http://x/v1", "deepseek-reasoner", "max_tokens"}, // the new name is ignored there
		{"http://x/v1", "olmo-2", "max_tokens"},
		{"http://x/v1", "o1k", "max_tokens"},
	} {
		m, err := New(c.model, &Options{BaseURL: c.base})
		require.NoError(t, err)
		var sent string
		m.client.http.Transport = tap(func(body []byte) { sent = string(body) })
		_, err = m.Call(t.Context(), "q", llms.WithMaxTokens(3))
		require.ErrorIs(t, err, ErrEmpty)
		require.Contains(t, sent, `"`+c.want+`":3`, c.model)
	}
}

func TestAFunctionIsNamedInAnObject(t *testing.T) {
	var sent string
	m := saying{}.model(t, Options{})
	m.client.http.Transport = tap(func(body []byte) { sent = string(body) })
	_, err := m.Call(t.Context(), "q", llms.WithFunctionCallBehavior(`{"name": "f"}`))
	require.ErrorIs(t, err, ErrEmpty)
	require.Contains(t, sent, `"function_call":{"name":"f"}`)
}

// TestTheKeyIsNowhere: the key is not in an error's text, nor in what the error
// wraps.
func TestTheKeyIsNowhere(t *testing.T) {
	const key = "sk-secret-1234"
	var hold func(error)
	hold = func(err error) {
		require.NotContains(t, err.Error(), key)
		switch u := err.(type) { // each layer is looked at by itself
		case interface{ Unwrap() error }:
			if inner := u.Unwrap(); inner != nil {
				hold(inner)
			}
		case interface{ Unwrap() []error }:
			for _, inner := range u.Unwrap() {
				hold(inner)
			}
		}
	}
	for _, s := range []saying{
		{200, "event: error\ndata: bad " + key + "\n\n", eventStream},
		{200, "event: error\ndata: {\"message\":\"bad " + key + "\"}\n\n", eventStream},
		{200, "data: {\"error\":\"" + key + "\"}\n\n", eventStream},
		{400, `{"error":{"message":"` + key + `","code":"` + key + `","type":"` + key + `","param":"` + key + `"}}`, nil},
		{401, "<p>" + key, nil},
	} {
		_, err := s.model(t, Options{APIKey: key}).Call(t.Context(), "q", toStream)
		hold(err)
		e := new(Error)
		require.ErrorAs(t, err, &e)
		require.NotContains(t, e.Code()+e.Type()+e.Param()+e.Message()+string(e.Body()), key)
	}
	require.NotPanics(t, func() { require.NotErrorIs(t, &Error{}, io.EOF) })
}

// FuzzErrorBody: any bytes that a server sends with its failure become an *Error,
// with the status, a text, and one of langchaingo's codes.
func FuzzErrorBody(f *testing.F) {
	for _, s := range []string{
		`{"error":{"message":"m","type":"t","code":5,"param":null}}`, `{"error":"x"}`, `{"detail":[{"loc":[1]}]}`, `{"object":"error","message":["a"]}`, "<html>", "",
		`{"error":{"message":{"a":1},"code":[],"innererror":{"code":{}}}}`, `[]`, `null`, `{"error":{"innererror":5}}`,
	} {
		f.Add(400, s)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 300 || status > 999 {
			status = 300 + int(uint(status)%700)
		}
		_, err := saying{status, body, nil}.model(t, Options{}).Call(t.Context(), "q")
		e := new(Error)
		require.ErrorAs(t, err, &e)
		require.Equal(t, status, e.HTTPStatus())
		require.NotEmpty(t, err.Error())
		var provider *llms.Error
		require.ErrorAs(t, err, &provider)
	})
}

// TestCodesOfLangchaingo: where a status alone would mislead.
func TestCodesOfLangchaingo(t *testing.T) {
	for body, want := range map[string]func(error) bool{
		`{"error":{"message":"This model's maximum context length is 1024 tokens. However, your prompt","type":"BadRequestError","param":"input_text","code":400}}`: llms.IsTokenLimitError,
		`{"error":{"message":"no","type":"insufficient_quota","code":"credit_balance_exhausted"}}`:                                                                  llms.IsQuotaExceededError,
		`{"error":{"message":"Unknown parameter: 'rate_limit'","type":"invalid_request_error","code":null}}`:                                                        llms.IsInvalidRequestError,
		`{"error":{"message":["a"],"type":"invalid_request_error","code":"content_filter"}}`:                                                                        llms.IsContentFilterError,
	} {
		_, err := saying{400, body, nil}.model(t, Options{}).Call(t.Context(), "q")
		require.True(t, want(err), body)
	}
}

// TestBeginningOfAnyBytes: a page in another encoding has no start of a character to
// cut at.
func TestBeginningOfAnyBytes(t *testing.T) {
	require.Equal(t, strings.Repeat("\x80", 296)+"…", beginning(strings.Repeat("\x80", 1000)))
	require.Equal(t, strings.Repeat("a", 299)+"…", beginning(strings.Repeat("a", 299)+"ä"+strings.Repeat("b", 300)))
	_, err := saying{502, strings.Repeat("\x80", 1000), nil}.model(t, Options{}).Call(t.Context(), "q")
	require.ErrorAs(t, err, new(*Error))
}
