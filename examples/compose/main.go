// Compose puts four layers around a model, in the order of the README, and shows the
// traces of two calls. It runs offline: a server in this process takes the place of
// the provider, and refuses the first request.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/tmc/langchaingo/llms"
	"go.opentelemetry.io/otel"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/prodailabs/prodai/cache"
	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/guard"
	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/openai"
	"github.com/prodailabs/prodai/trace"
	"github.com/prodailabs/prodai/trace/jsonl"
)

func main() {
	server, err := modeltest.NewServer(&modeltest.ServerOptions{Replies: []modeltest.Reply{
		{Error: modeltest.RateLimited(100 * time.Millisecond)}, {Turn: modeltest.Say("Within 30 days.")},
	}})
	check(err)
	defer server.Close()
	baseURL, client := server.URL+"/v1", server.Client()
	if url := os.Getenv("OPENAI_BASE_URL"); url != "" {
		baseURL, client = url, nil
	}
	var spans bytes.Buffer
	exporter, err := jsonl.New(&spans)
	check(err)
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter))
	otel.SetTracerProvider(provider)
	model := compose(baseURL, os.Getenv("OPENAI_API_KEY"), client)
	for range 2 {
		answer, err := llms.GenerateFromSinglePrompt(context.Background(), model, "When can I return it?")
		check(err)
		fmt.Println(answer)
	}
	check(provider.Shutdown(context.Background()))
	show(&spans)
}

// show prints a waterfall of each trace. The first has two attempts, and the second
// none, since the cache answered.
func show(spans io.Reader) {
	var records []jsonl.Record
	for r, err := range jsonl.Records(spans) {
		check(err)
		records = append(records, r)
	}
	for _, t := range jsonl.Traces(records) {
		fmt.Println()
		check(t.WriteText(os.Stdout))
	}
}

// compose is the README's example.
func compose(baseURL, key string, client *http.Client) llms.Model {
	log := slog.New(slog.NewTextHandler(os.Stdout, nil))
	provider, err := openai.New("gpt-4o-mini", &openai.Options{BaseURL: baseURL, APIKey: key, HTTPClient: client})
	check(err)
	attempt, err := trace.New(provider, &trace.Options{Provider: "openai", Model: "gpt-4o-mini"})
	check(err)
	retried, err := retry.New(attempt, &retry.Options{MaxAttempts: 3, Logger: log})
	check(err)
	cached, err := cache.New(retried, &cache.Options{Model: "gpt-4o-mini", Logger: log})
	check(err)
	guarded, err := guard.New(cached, &guard.Options{Logger: log})
	check(err)
	answer, err := trace.New(guarded, &trace.Options{Kind: trace.KindLogical, Name: "support"})
	check(err)
	return answer
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "compose:", err)
		os.Exit(1)
	}
}
