// Command lab03-errors shows what a langchaingo client reports of a failure, and
// what package retry reports of the same bytes. Then it shows a stream that is cut
// and resumed, and a slow answer that is hedged. It serves each failure from this
// machine, and no network is used.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/openai"

	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/fault"
)

func main() {
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: lab03-errors\n\nServes a dozen failures to a client, and shows what the client and package retry report of each;\nthen a stream that is cut and resumed, and a slow answer that is hedged.")
	}
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

const chunk = `data: {"choices":[{"index":0,"delta":{"content":"The answer is"},"finish_reason":null}]}` + "\n\n"

var failures = []struct {
	name, header, body string
	status             int
	stream             bool
}{
	{name: "wrong key", status: 401, body: `{"error":{"message":"Incorrect API key provided.","type":"invalid_request_error","code":"invalid_api_key"}}`},
	{name: "429: wait", status: 429, header: "Retry-After: 7", body: `{"error":{"message":"Rate limit reached: Limit 3, Used 3, Requested 1.","code":"rate_limit_exceeded"}}`},
	{name: "429: can never pass", status: 429, body: `{"error":{"message":"Request too large: Limit 30000, Requested 35000.","code":"rate_limit_exceeded"}}`},
	{name: "429: no money", status: 429, body: `{"error":{"message":"You exceeded your current quota.","code":"insufficient_quota"}}`},
	{name: "number in the text", status: 400, body: `{"error":{"message":"Invalid 'max_tokens': 4296 is above the limit.","code":"invalid_value"}}`},
	{name: "prompt too long", status: 400, body: `{"error":{"message":"This model's maximum context length is 8192 tokens.","code":"context_length_exceeded"}}`},
	{name: "proxy's page", status: 502, body: "<html>Bad gateway</html>"},
	{name: "error inside a 200", status: 200, body: `{"error":{"code":503,"message":"no instance is free"}}`},
	{name: "empty 200", status: 200},
	{name: "stream without its end", status: 200, stream: true, body: chunk},
	{name: "error inside a stream", status: 200, stream: true, body: chunk + `data: {"error":{"message":"boom","type":"server_error"}}` + "\n\n"},
}

func run() error {
	fmt.Printf("%-23s %-44s %s\n", "what happened", "the client alone", "with package retry")
	for _, f := range failures {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if name, value, ok := strings.Cut(f.header, ": "); ok {
				w.Header().Set(name, value)
			}
			w.WriteHeader(f.status)
			_, _ = io.WriteString(w, f.body)
		}))
		client, err := openai.New(openai.WithToken("none"), openai.WithBaseURL(server.URL), openai.WithHTTPClient(fault.HTTPClient(nil)))
		if err != nil {
			return err
		}
		model, err := retry.New(client, &retry.Options{MaxAttempts: 1})
		if err != nil {
			return err
		}
		fmt.Printf("%-23s %-44s %s\n", f.name, alone(ask(client, f.stream)), ours(ask(model, f.stream)))
		server.Close()
	}
	fmt.Println("\nretry: the same target may be tried again. elsewhere: another model may be asked.\n" +
		"Neither word: the request itself is wrong, or the caller has received a part of the answer.")
	if err := resumed(); err != nil {
		return err
	}
	return hedged()
}

type result struct {
	text string
	err  error
}

func ask(m llms.Model, stream bool) result {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var options []llms.CallOption
	if stream {
		options = append(options, llms.WithStreamingFunc(func(context.Context, []byte) error { return nil }))
	}
	text, err := llms.GenerateFromSinglePrompt(ctx, m, "hi", options...)
	return result{text, err}
}

func alone(r result) string {
	if r.err == nil {
		return fmt.Sprintf("SUCCESS: %q", r.text)
	}
	text := []rune(strings.TrimPrefix(r.err.Error(), "API returned unexpected "))
	if len(text) > 42 {
		text = append(text[:41], '…')
	}
	return string(text)
}

func ours(r result) string {
	var e *fault.Error
	if !errors.As(r.err, &e) {
		return fmt.Sprintf("success: %q", r.text)
	}
	s := e.Class.String()
	if refusal := e.Class.Refusal(); refusal != fault.RefusalNone {
		s += " (" + refusal.String() + ")"
	}
	if e.Retryable {
		s += ", retry"
	}
	if e.Fallback {
		s += ", elsewhere"
	}
	if e.HasDelay {
		s += fmt.Sprintf(", after %v", e.Delay)
	}
	if e.Partial != nil {
		s += fmt.Sprintf(", received %q", e.Partial.Choices[0].Content)
	}
	return s
}
