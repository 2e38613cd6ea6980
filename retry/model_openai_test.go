package retry_test

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/fault"
	"github.com/prodailabs/prodai/retry/openai"
)

// bodies counts the response bodies that a client was given and has not closed.
type bodies struct {
	base http.RoundTripper
	open atomic.Int64
}

func (b *bodies) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := b.base.RoundTrip(req)
	if err == nil {
		b.open.Add(1)
		resp.Body = &body{ReadCloser: resp.Body, open: &b.open}
	}
	return resp, err
}

type body struct {
	io.ReadCloser
	open   *atomic.Int64
	closed atomic.Bool
}

func (b *body) Close() error {
	if b.closed.CompareAndSwap(false, true) {
		b.open.Add(-1)
	}
	return b.ReadCloser.Close()
}

// TestOverTheRealClient asks retry/openai over a connection in memory. The
// bubble fails if a goroutine is left, and its clock says when a timeout fired.
func TestOverTheRealClient(t *testing.T) {
	half := modeltest.Words("half an answer")
	hangs := modeltest.Turn{Chunks: half, Hang: true}
	for name, c := range map[string]struct {
		reply    modeltest.Reply
		timeouts retry.Timeouts
		stream   bool
		class    fault.Class
		status   int
		delay    time.Duration
		partial  string
		after    time.Duration // virtual time until the call returns
	}{
		"rate limit":     {reply: modeltest.Reply{Error: modeltest.RateLimited(3 * time.Second)}, class: fault.ClassRateLimit, status: 429, delay: 3 * time.Second},
		"quota":          {reply: modeltest.Reply{Error: modeltest.OutOfQuota()}, class: fault.ClassQuota, status: 429},
		"context length": {reply: modeltest.Reply{Error: modeltest.ContextTooLong(100, 200)}, class: fault.ClassContextLength, status: 400},
		"cut stream":     {reply: modeltest.Reply{Turn: modeltest.Turn{Chunks: half}, CutAfter: 3}, stream: true, class: fault.ClassStreamInterrupted, partial: "half an"},
		"error in the stream": {
			reply:  modeltest.Reply{Turn: modeltest.Turn{Chunks: half}, StreamError: modeltest.Overloaded()},
			stream: true, class: fault.ClassOverloaded, partial: "half an answer",
		},
		"first token":    {reply: modeltest.Reply{Turn: modeltest.Turn{Hang: true}}, timeouts: retry.Timeouts{FirstToken: 5 * time.Second}, stream: true, class: fault.ClassTimeout, after: 5 * time.Second},
		"between tokens": {reply: modeltest.Reply{Turn: hangs}, timeouts: retry.Timeouts{BetweenTokens: 4 * time.Second}, stream: true, class: fault.ClassStreamInterrupted, partial: "half an answer", after: 4 * time.Second},
		"attempt":        {reply: modeltest.Reply{Stall: true}, timeouts: retry.Timeouts{Attempt: 7 * time.Second}, class: fault.ClassTimeout, after: 7 * time.Second},
		"total":          {reply: modeltest.Reply{Turn: hangs}, timeouts: retry.Timeouts{Total: 8 * time.Second}, stream: true, class: fault.ClassTimeout, partial: "half an answer", after: 8 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, err := modeltest.NewServer(&modeltest.ServerOptions{Replies: []modeltest.Reply{c.reply}})
				require.NoError(t, err)
				defer server.Close()
				client := server.Client()
				counted := &bodies{base: client.Transport}
				client.Transport = counted
				llm, err := openai.New("scripted-1", &openai.Options{BaseURL: server.URL + "/v1", HTTPClient: client})
				require.NoError(t, err)
				m, err := retry.New(llm, &retry.Options{MaxAttempts: 1, Timeouts: c.timeouts})
				require.NoError(t, err)
				heard := ""
				var options []llms.CallOption
				if c.stream {
					options = append(options, llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
						heard += string(chunk)
						return nil
					}))
				}
				begin := time.Now()
				_, err = m.GenerateContent(t.Context(), []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "hi")}, options...)
				took := time.Since(begin)
				var e *fault.Error
				require.ErrorAs(t, err, &e)
				require.Equal(t, c.class, e.Class, "%v", err)
				if c.status != 0 {
					require.Equal(t, c.status, e.Status)
				}
				require.Equal(t, c.delay, e.Delay)
				require.Equal(t, c.partial, heard)
				if c.partial != "" {
					require.NotNil(t, e.Partial)
					require.Equal(t, c.partial, e.Partial.Choices[0].Content)
				}
				require.InDelta(t, c.after.Seconds(), took.Seconds(), 0.01)
				synctest.Wait()
				require.Zero(t, counted.open.Load(), "a body was left open")
			})
		})
	}
}

// TestResumeOverTheRealClient cuts a connection in the middle of an answer.
func TestResumeOverTheRealClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, err := modeltest.NewServer(&modeltest.ServerOptions{Replies: []modeltest.Reply{
			{Turn: modeltest.Turn{Chunks: modeltest.Words("it is half an answer")}, CutAfter: 5},
			{Turn: modeltest.Turn{Chunks: modeltest.Words("it is half an answer, and half a question."), Usage: &modeltest.Usage{Prompt: 20, Completion: 9}}},
		}})
		require.NoError(t, err)
		defer server.Close()
		llm, err := openai.New("scripted-1", &openai.Options{BaseURL: server.URL + "/v1", HTTPClient: server.Client()})
		require.NoError(t, err)
		m, err := retry.New(llm, &retry.Options{Resume: &retry.Resume{}})
		require.NoError(t, err)
		var heard []string
		resp, err := m.GenerateContent(t.Context(), []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "hi")},
			llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
				heard = append(heard, string(chunk))
				return nil
			}))
		require.NoError(t, err)
		require.Equal(t, []string{"it", " is", " half", " an", " answer,", " and", " half", " a", " question."}, heard)
		require.Equal(t, "it is half an answer, and half a question.", resp.Choices[0].Content)
		info := resp.Choices[0].GenerationInfo
		require.Equal(t, 20, info["PromptTokens"])
		require.Equal(t, 1, info[retry.InfoResumed])
		require.Equal(t, 1, info[retry.InfoUnreported])
		synctest.Wait()
	})
}

// TestHedgeOverTheRealClient hedges a stream that stalls after its headers: the
// loser's body is closed, and both requests are one logical call's.
func TestHedgeOverTheRealClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, err := modeltest.NewServer(&modeltest.ServerOptions{Replies: []modeltest.Reply{
			{Turn: modeltest.Turn{Hang: true}},
			{Turn: modeltest.Turn{Chunks: modeltest.Words("a quick answer")}},
		}})
		require.NoError(t, err)
		defer server.Close()
		client := fault.HTTPClient(server.Client())
		counted := &bodies{base: client.Transport}
		client.Transport = counted
		llm, err := openai.New("scripted-1", &openai.Options{BaseURL: server.URL + "/v1", HTTPClient: client})
		require.NoError(t, err)
		h, err := retry.NewHedger(&retry.HedgerOptions{Delay: 3 * time.Second, Share: 1})
		require.NoError(t, err)
		m, err := retry.New(llm, &retry.Options{Hedger: h})
		require.NoError(t, err)
		begin := time.Now()
		heard := ""
		_, err = m.GenerateContent(t.Context(), []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "hi")},
			llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error { heard += string(chunk); return nil }))
		require.NoError(t, err)
		require.Equal(t, "a quick answer", heard)
		require.Equal(t, 3*time.Second, time.Since(begin))
		synctest.Wait()
		require.Zero(t, counted.open.Load(), "a body was left open")
		requests := server.Requests()
		require.Len(t, requests, 2)
		require.NotEmpty(t, requests[0].Header.Get("Idempotency-Key"))
		require.Equal(t, requests[0].Header.Get("Idempotency-Key"), requests[1].Header.Get("Idempotency-Key"))
	})
}

// TestPrefillOverTheRealClient sends vLLM the settings that it needs, in the
// continuation only.
func TestPrefillOverTheRealClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, err := modeltest.NewServer(&modeltest.ServerOptions{Replies: []modeltest.Reply{
			{Turn: modeltest.Turn{Chunks: modeltest.Words("it is half")}, CutAfter: 4},
			{Turn: modeltest.Turn{Chunks: modeltest.Words(" an answer.")}},
		}})
		require.NoError(t, err)
		defer server.Close()
		llm, err := openai.New("scripted-1", &openai.Options{BaseURL: server.URL + "/v1", HTTPClient: server.Client()})
		require.NoError(t, err)
		m, err := retry.New(llm, &retry.Options{Resume: &retry.Resume{Continuation: retry.ContinuationPrefill, Metadata: map[string]any{
			openai.MetadataExtra: map[string]any{"continue_final_message": true, "add_generation_prompt": false},
		}}})
		require.NoError(t, err)
		resp, err := m.GenerateContent(t.Context(), []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "hi")},
			llms.WithStreamingFunc(func(context.Context, []byte) error { return nil }))
		require.NoError(t, err)
		require.Equal(t, "it is half an answer.", resp.Choices[0].Content)
		requests := server.Requests()
		require.Len(t, requests, 2)
		require.NotContains(t, string(requests[0].Body), "continue_final_message")
		require.Contains(t, string(requests[1].Body), `"continue_final_message":true`)
		require.Contains(t, string(requests[1].Body), `{"role":"assistant","content":"it is half"}`)
	})
}
