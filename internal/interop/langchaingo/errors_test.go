package langchaingo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/anthropic"
	"github.com/tmc/langchaingo/llms/ollama"
	"github.com/tmc/langchaingo/llms/openai"

	"github.com/prodailabs/prodai/internal/golden"
	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/fault"
)

// A behaviour is something that servers do, and the class that a caller must get
// for it.
type behaviour struct {
	class  string
	stream bool
	hangs  bool
	serve  func(w http.ResponseWriter, r *http.Request)
	delay  time.Duration // that the server asked for
	heard  string        // of a stream, before it broke
}

const openaiChunk = `data: {"id":"x","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":"Hel"},"finish_reason":null}]}` + "\n\n"

const anthropicStart = "event: message_start\n" +
	`data: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","content":[],"model":"c","usage":{"input_tokens":1,"output_tokens":1}}}` + "\n\n" +
	"event: content_block_start\n" +
	`data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}` + "\n\n" +
	"event: content_block_delta\n" +
	`data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hel"}}` + "\n\n"

func status(code int, body string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

func openaiError(typ, code, message string) string {
	return fmt.Sprintf(`{"error":{"message":%q,"type":%q,"param":null,"code":%q}}`, message, typ, code)
}

// events writes a stream and flushes it; then it returns, hangs or hangs up.
func events(after func(r *http.Request), parts ...string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, p := range parts {
			_, _ = io.WriteString(w, p)
		}
		_ = http.NewResponseController(w).Flush()
		if after != nil {
			after(r)
		}
	}
}

// The server notices that the client has gone only once the body is read.
func hang(r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

func hangUp(*http.Request) { panic(http.ErrAbortHandler) }

var behaviours = map[string]behaviour{
	"401": {class: "auth", serve: status(401, openaiError("invalid_request_error", "invalid_api_key", "Incorrect API key provided: sk-xx."))},
	"429 rpm": {class: "rate_limit", delay: 20 * time.Second, serve: status(429, openaiError("requests", "rate_limit_exceeded",
		"Rate limit reached for gpt-4o in organization org-x on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in 20s."))},
	"429 insufficient_quota": {class: "quota", serve: status(429, openaiError("insufficient_quota", "insufficient_quota",
		"You exceeded your current quota, please check your plan and billing details."))},
	"400 context_length": {class: "context_length", serve: status(400, openaiError("invalid_request_error", "context_length_exceeded",
		"This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens."))},
	"400 input 429 tokens": {class: "invalid_request", serve: status(400, openaiError("invalid_request_error", "invalid_value", "Invalid 'max_tokens': 4296 is above the limit."))},
	"500":                  {class: "server_error", serve: status(500, `{"error":{"message":"The server had an error while processing your request","type":"server_error","code":null}}`)},
	"503 html":             {class: "overloaded", serve: status(503, "<html><body>503 Service Unavailable</body></html>")},
	"529":                  {class: "overloaded", serve: status(529, `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`)},
	"502 html":             {class: "server_error", serve: status(502, "<html>Bad gateway</html>")},
	"413":                  {class: "request_too_large", serve: status(413, `{"type":"error","error":{"type":"request_too_large","message":"Request exceeds the maximum size"}}`)},
	"409":                  {class: "conflict", serve: status(409, `{"error":{"message":"conflict","type":"conflict","code":null}}`)},
	"408":                  {class: "timeout", serve: status(408, `{"error":{"message":"Request timeout","type":"timeout","code":null}}`)},
	"403 region": {class: "permission", serve: status(403, openaiError("request_forbidden", "unsupported_country_region_territory",
		"Country, region, or territory not supported"))},
	"azure content filter": {class: "content_filter", serve: status(400, `{"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI's content management policy.","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation"}}}`)},
	"deadline":             {class: "timeout", hangs: true, serve: func(_ http.ResponseWriter, r *http.Request) { hang(r) }},
	"conn drop":            {class: "network", serve: func(_ http.ResponseWriter, r *http.Request) { hangUp(r) }},
	"empty 200":            {class: "malformed", serve: status(200, "")},
	"200 error body":       {class: "server_error", serve: status(200, `{"error":{"message":"Upstream error from provider","code":502}}`)},

	"stream truncated no DONE":  {class: "stream_interrupted", stream: true, heard: "Hel", serve: events(nil, openaiChunk)},
	"stream mid error (openai)": {class: "server_error", stream: true, heard: "Hel", serve: events(nil, openaiChunk, `data: {"error":{"message":"The server had an error","type":"server_error","code":null}}`+"\n\n")},
	"stream reset mid":          {class: "stream_interrupted", stream: true, heard: "Hel", serve: events(hangUp, openaiChunk)},
	"stream long line 70k":      {class: "malformed", stream: true, serve: events(nil, `data: {"choices":[{"index":0,"delta":{"content":"`+strings.Repeat("x", 70_000)+`"}}]}`+"\n\n", "data: [DONE]\n\n")},
	"stream stalls":             {class: "timeout", hangs: true, stream: true, heard: "Hel", serve: events(hang, openaiChunk)},
	"anthropic mid overloaded":  {class: "overloaded", stream: true, heard: "Hel", serve: events(nil, anthropicStart, "event: error\n", `data: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`+"\n\n")},
	"anthropic truncated":       {class: "stream_interrupted", stream: true, heard: "Hel", serve: events(nil, anthropicStart)},
}

func client(provider, url string, c *http.Client) (llms.Model, error) {
	switch provider {
	case "openai":
		return openai.New(openai.WithToken("k"), openai.WithBaseURL(url), openai.WithModel("gpt-4o"), openai.WithHTTPClient(c))
	case "anthropic":
		return anthropic.New(anthropic.WithToken("k"), anthropic.WithBaseURL(url), anthropic.WithModel("claude"), anthropic.WithHTTPClient(c))
	case "ollama":
		return ollama.New(ollama.WithServerURL(url), ollama.WithModel("llama"), ollama.WithHTTPClient(c))
	}
	return nil, fmt.Errorf("no client for provider %q", provider)
}

// TestGoldenBehaviours serves each of the behaviours to each of the real clients
// that the golden table has it for, and compares the class.
func TestGoldenBehaviours(t *testing.T) {
	type row struct {
		Case     string
		Provider string
		OK       *string // what langchaingo alone reports as a success
	}
	golden.Rows(t, "retry", "langchaingo_v0.1.14_errors.jsonl", func(r row) error {
		b, ok := behaviours[r.Case]
		if !ok {
			return fmt.Errorf("no behaviour %q", r.Case)
		}
		for _, attempts := range []int{1, 3} {
			if err := b.try(t, r.Provider, attempts); err != nil {
				return fmt.Errorf("%s, %s, %d attempts: %w", r.Case, r.Provider, attempts, err)
			}
		}
		return nil
	})
}

func (b behaviour) try(t *testing.T, provider string, attempts int) error {
	var hits, open atomic.Int64
	ctx := &overdue{Context: t.Context(), done: make(chan struct{})}
	keys := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		keys <- r.Header.Get("Idempotency-Key")
		if b.hangs && !b.stream {
			ctx.end()
		}
		b.serve(w, r)
	}))
	defer server.Close()
	base := &http.Client{Transport: &countOpen{&http.Transport{}, &open}}
	defer base.CloseIdleConnections()
	next, err := client(provider, server.URL, fault.HTTPClient(base))
	if err != nil {
		return err
	}
	m, err := retry.New(next, &retry.Options{MaxAttempts: attempts, Sleep: func(context.Context, time.Duration) error { return nil }})
	if err != nil {
		return err
	}
	heard := ""
	var options []llms.CallOption
	if b.stream {
		options = append(options, llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
			heard += string(chunk)
			if b.hangs {
				ctx.end()
			}
			return nil
		}))
	}
	_, err = m.GenerateContent(ctx, []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "hi")}, options...)
	var e *fault.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("got %v, want a *fault.Error", err)
	}
	if e.Class.String() != b.class {
		return fmt.Errorf("class %s (%v), want %s", e.Class, err, b.class)
	}
	if e.HasDelay != (b.delay > 0) || e.Delay != b.delay {
		return fmt.Errorf("asked to wait %v, want %v", e.Delay, b.delay)
	}
	if heard != b.heard {
		return fmt.Errorf("heard %q, want %q", heard, b.heard)
	}
	if b.heard != "" && (e.Partial == nil || e.Partial.Choices[0].Content != b.heard) {
		return fmt.Errorf("the partial answer is %+v, want %q", e.Partial, b.heard)
	}
	if want := int64(attempts); e.Class.Retryable() && b.heard == "" && ctx.Err() == nil && hits.Load() != want {
		return fmt.Errorf("%d requests, want %d", hits.Load(), want)
	} else if (!e.Class.Retryable() || b.heard != "") && hits.Load() != 1 {
		return fmt.Errorf("%d requests for what must not be retried", hits.Load())
	}
	if n := open.Load(); n != 0 {
		return fmt.Errorf("%d bodies are still open", n)
	}
	first := ""
	for range hits.Load() {
		key := <-keys
		if first == "" {
			first = key
		}
		if key == "" || key != first {
			return fmt.Errorf("idempotency keys %q and %q", first, key)
		}
	}
	if ctx.Err() != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("the deadline is hidden: %v", err)
	}
	if b.class == "rate_limit" && !llms.IsRateLimitError(err) {
		return fmt.Errorf("llms.IsRateLimitError is false for %v", err)
	}
	return nil
}

// overdue is a context whose deadline passes when end is called: when the server hangs,
// however long a busy machine took until then.
type overdue struct {
	context.Context
	done chan struct{}
	once sync.Once
}

func (o *overdue) end()                  { o.once.Do(func() { close(o.done) }) }
func (o *overdue) Done() <-chan struct{} { return o.done }
func (o *overdue) Err() error {
	select {
	case <-o.done:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// countOpen counts the bodies that were handed out and not closed.
type countOpen struct {
	*http.Transport
	open *atomic.Int64
}

func (c *countOpen) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.Transport.RoundTrip(r)
	if err == nil {
		c.open.Add(1)
		resp.Body = &countedBody{ReadCloser: resp.Body, open: c.open}
	}
	return resp, err
}

type countedBody struct {
	io.ReadCloser
	open *atomic.Int64
	once sync.Once
}

func (b *countedBody) Close() error {
	b.once.Do(func() { b.open.Add(-1) })
	return b.ReadCloser.Close()
}

// A whole answer is a success, streamed or not, with the transport in between.
func TestSuccess(t *testing.T) {
	answers := map[string][2]string{
		"openai": {
			`{"choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`,
			openaiChunk + `data: {"choices":[{"index":0,"delta":{"content":"lo"},"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n",
		},
		"anthropic": {
			`{"id":"m","type":"message","role":"assistant","content":[{"type":"text","text":"Hello"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}`,
			anthropicStart + "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"lo\"}}\n\n" +
				"event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n" +
				"event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":2}}\n\n" +
				"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
		},
		"ollama": {
			`{"model":"llama","message":{"role":"assistant","content":"Hello"},"done":true}`,
			`{"model":"llama","message":{"role":"assistant","content":"Hel"},"done":false}` + "\n" + `{"model":"llama","message":{"role":"assistant","content":"lo"},"done":true}` + "\n",
		},
	}
	for provider, bodies := range answers {
		for i, body := range bodies {
			server := httptest.NewServer(http.HandlerFunc(status(200, body)))
			if i == 1 && provider != "ollama" {
				server.Close()
				server = httptest.NewServer(http.HandlerFunc(events(nil, body)))
			}
			next, err := client(provider, server.URL, fault.HTTPClient(nil))
			require.NoError(t, err)
			m, err := retry.New(next, &retry.Options{MaxAttempts: 1})
			require.NoError(t, err)
			heard := ""
			var options []llms.CallOption
			if i == 1 {
				options = append(options, llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
					heard += string(chunk)
					return nil
				}))
			}
			resp, err := m.GenerateContent(t.Context(), []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "hi")}, options...)
			require.NoError(t, err, "%s %d", provider, i)
			require.Equal(t, "Hello", resp.Choices[0].Content, "%s %d", provider, i)
			if i == 1 {
				require.Equal(t, "Hello", heard, provider)
			}
			server.Close()
		}
	}
}
