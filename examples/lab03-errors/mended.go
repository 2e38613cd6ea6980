package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"

	"github.com/tmc/langchaingo/llms/openai"

	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/fault"
)

// serve asks a model whose nth request, from 1, is answered by handler.
func serve(o *retry.Options, stream bool, handler func(n int64, w http.ResponseWriter, r *http.Request)) (answer result, requests int64, err error) {
	var n atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler(n.Add(1), w, r) }))
	defer server.Close()
	client, err := openai.New(openai.WithToken("none"), openai.WithBaseURL(server.URL), openai.WithHTTPClient(fault.HTTPClient(nil)))
	if err != nil {
		return answer, 0, err
	}
	model, err := retry.New(client, o)
	if err != nil {
		return answer, 0, err
	}
	answer = ask(model, stream)
	return answer, n.Load(), answer.err
}

// resumed cuts a stream after three words. The model is asked to repeat them and to
// go on.
func resumed() error {
	const rest = `data: {"choices":[{"index":0,"delta":{"content":" 42."},"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n"
	answer, requests, err := serve(&retry.Options{
		Resume:  &retry.Resume{},
		Backoff: retry.Exponential{Base: time.Millisecond},
	}, true, func(n int64, w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, chunk) // "The answer is"
		if n > 1 {
			_, _ = io.WriteString(w, rest)
		}
	})
	if err != nil {
		return err
	}
	fmt.Printf("\nThe stream without its end, resumed: %q, of %d requests.\n", answer.text, requests)
	return nil
}

// hedged sends the first request to a replica that doesn't answer.
func hedged() error {
	h, err := retry.NewHedger(&retry.HedgerOptions{Delay: 50 * time.Millisecond, Share: 1})
	if err != nil {
		return err
	}
	answer, requests, err := serve(&retry.Options{Hedger: h}, false, func(n int64, w http.ResponseWriter, r *http.Request) {
		if n == 1 {
			_, _ = io.Copy(io.Discard, r.Body) // else the server doesn't notice that the client has gone
			<-r.Context().Done()
			return
		}
		_, _ = io.WriteString(w, `{"choices":[{"index":0,"message":{"content":"quick"},"finish_reason":"stop"}]}`)
	})
	if err != nil {
		return err
	}
	fmt.Printf("A replica that never answers, hedged after 50 ms: %q, of %d requests.\n", answer.text, requests)
	return nil
}
