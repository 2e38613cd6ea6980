// Lab15-tracing follows one request through its trace, and then many: a waterfall
// with a retry, costs by tenant read back from a file, secrets that never leave the
// process, and a sample that keeps what matters. It runs offline.
//
//	go run ./examples/lab15-tracing
//	go run ./examples/lab15-tracing -phoenix http://127.0.0.1:6006
//
// The second command also sends the trace of part 1 to an Arize Phoenix (pip install
// arize-phoenix; phoenix serve).
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/guard/detect"
	"github.com/prodailabs/prodai/guard/pii"
	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/openai"
	"github.com/prodailabs/prodai/trace"
	"github.com/prodailabs/prodai/trace/cost"
	"github.com/prodailabs/prodai/trace/jsonl"
	"github.com/prodailabs/prodai/trace/otlp"
	"github.com/prodailabs/prodai/trace/redact"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lab15-tracing:", err)
		os.Exit(1)
	}
}

func run(args []string, out, errs io.Writer) error {
	f := flag.NewFlagSet("lab15-tracing", flag.ContinueOnError)
	f.SetOutput(errs)
	phoenix := f.String("phoenix", "", "send the trace of part 1 to the Phoenix at this address too")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	prices, err := cost.Default()
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "1. One request, as its trace shows it")
	if err := oneRequest(out, prices, *phoenix); err != nil {
		return err
	}
	fmt.Fprintln(out, "\n2. A secret in the prompt, with all content recorded")
	if err := secrets(out); err != nil {
		return err
	}
	fmt.Fprintln(out, "\n3. 5,000 requests, of which a sample is kept")
	if err := sample(out, prices); err != nil {
		return err
	}
	fmt.Fprint(out, `
What to notice
- The user waited for the whole of line 1. The cost is on the attempts only: adding up
  all lines gives the bill. The failed attempt is an error and the request is not.
- The estimate of part 3 counts each kept trace as often as its SampleRate.
What to try
- Ask for two retries to fail: set MaxAttempts in oneRequest to 2 and see the error.
- Raise OneIn in sample.go to 1000. What happens to the estimate of the small tenants?
- Run a Phoenix and look at the same trace there: -phoenix http://127.0.0.1:6006.
What to read: go doc ./trace, ./trace/jsonl, ./trace/tail, ./trace/redact, ./trace/otlp
`)
	return nil
}

// manual is a retriever with one passage.
type manual struct{}

func (manual) GetRelevantDocuments(context.Context, string) ([]schema.Document, error) {
	return []schema.Document{{PageContent: "Returns are accepted within 30 days.", Metadata: map[string]any{"id": "returns#1"}, Score: 0.93}}, nil
}

// A shop searches, then asks the model: what the logical span is around.
type shop struct {
	search schema.Retriever
	model  llms.Model
}

func (s shop) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	docs, err := s.search.GetRelevantDocuments(ctx, "returns")
	if err != nil {
		return nil, err
	}
	system := llms.TextParts(llms.ChatMessageTypeSystem, "Answer from this: "+docs[0].PageContent)
	return s.model.GenerateContent(ctx, append([]llms.MessageContent{system}, messages...), options...)
}

func (s shop) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, s, prompt, options...)
}

// oneRequest traces a request whose first attempt is refused, into a file and
// perhaps a Phoenix, and reads it back.
func oneRequest(out io.Writer, prices *cost.Table, phoenix string) error {
	server, err := modeltest.NewServer(&modeltest.ServerOptions{Replies: []modeltest.Reply{
		{Error: modeltest.RateLimited(50 * time.Millisecond)},
		{Turn: modeltest.Turn{Chunks: modeltest.Words("Within 30 days."), Usage: &modeltest.Usage{Prompt: 1200, Cached: 1024, Completion: 80}}, Delay: 20 * time.Millisecond},
	}})
	if err != nil {
		return err
	}
	defer server.Close()

	dir, err := os.MkdirTemp("", "lab15")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "spans.jsonl")
	file, err := jsonl.OpenFile(path, nil)
	if err != nil {
		return err
	}
	exporter, err := jsonl.New(file)
	if err != nil {
		return err
	}
	to := []sdktrace.TracerProviderOption{sdktrace.WithBatcher(exporter)}
	if phoenix != "" {
		there, err := otlp.New(otlp.Phoenix(phoenix, "lab15"), nil)
		if err != nil {
			return err
		}
		to = append(to, sdktrace.WithBatcher(there))
	}
	provider := sdktrace.NewTracerProvider(to...)
	model, err := compose(provider, server, prices, phoenix != "")
	if err != nil {
		return err
	}
	ctx := trace.WithLabels(context.Background(), trace.Labels{Tenant: "acme", Feature: "returns"})
	ctx = trace.WithPrompt(ctx, trace.NewPrompt("support", "7", "Answer from this: {{.Passage}}"))
	answer, err := llms.GenerateFromSinglePrompt(ctx, model, "When can I return it?", llms.WithStreamingFunc(func(context.Context, []byte) error { return nil }))
	if err != nil {
		return err
	}
	if err := errors.Join(provider.Shutdown(ctx), file.Close()); err != nil {
		return err
	}
	fmt.Fprintf(out, "Answer: %s\n", answer)
	return show(out, path)
}

// compose puts the layers around the client: the attempt's span inside the retries,
// the logical span outside.
func compose(provider *sdktrace.TracerProvider, server *modeltest.Server, prices *cost.Table, content bool) (llms.Model, error) {
	o := trace.Options{Tracer: provider.Tracer("lab15"), Provider: "openai", Model: "gpt-4o-mini", Cost: prices.Of, OpenInference: content, Content: content}
	client, err := openai.New("gpt-4o-mini", &openai.Options{BaseURL: server.URL + "/v1", HTTPClient: server.Client()})
	if err != nil {
		return nil, err
	}
	attempt, err := trace.New(client, &o)
	if err != nil {
		return nil, err
	}
	retried, err := retry.New(attempt, &retry.Options{MaxAttempts: 3})
	if err != nil {
		return nil, err
	}
	search, err := trace.NewRetriever(manual{}, "manual", &o)
	if err != nil {
		return nil, err
	}
	o.Kind, o.Name = trace.KindLogical, "support"
	return trace.New(shop{search, retried}, &o)
}

// show prints what the file has: the waterfall, and the cost of each tenant.
func show(out io.Writer, path string) error {
	var records []jsonl.Record
	for r, err := range jsonl.ReadFile(path) {
		if err != nil {
			return err
		}
		records = append(records, r)
	}
	for _, t := range jsonl.Traces(records) {
		if err := t.WriteText(out); err != nil {
			return err
		}
	}
	totals, err := jsonl.Sum(jsonl.ReadFile(path), jsonl.ByPrompt)
	if err != nil {
		return err
	}
	for _, t := range totals {
		fmt.Fprintf(out, "Prompt %s: %d calls, %d failed, %s\n", t.Key, t.Calls, t.Failed, cost.USD(t.PicoUSD))
	}
	return nil
}

// secrets records content of a call whose prompt has an address, and looks for it in
// the bytes that are exported.
func secrets(out io.Writer) error {
	const address = "ann.lee@example.com"
	detector, err := pii.New(nil)
	if err != nil {
		return err
	}
	mask := func(text string) string {
		return detector.Redact(text, func(f detect.Finding, _ string) string { return "[" + f.Kind + "]" })
	}
	for _, masked := range []bool{false, true} {
		var file bytes.Buffer
		plain, err := jsonl.New(&file)
		if err != nil {
			return err
		}
		var exporter sdktrace.SpanExporter = plain
		if masked {
			if exporter, err = redact.New(plain, mask, nil); err != nil {
				return err
			}
		}
		provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
		next := &modeltest.Script{Turns: []modeltest.Turn{modeltest.Say("I wrote to " + address + ".")}}
		m, err := trace.New(next, &trace.Options{Tracer: provider.Tracer("lab15"), Content: true})
		if err != nil {
			return err
		}
		if _, err := m.Call(context.Background(), "Write to "+address+"."); err != nil {
			return err
		}
		if err := provider.Shutdown(context.Background()); err != nil {
			return err
		}
		fmt.Fprintf(out, "redaction %-5t  the address appears %d times in the exported bytes\n", masked, bytes.Count(file.Bytes(), []byte(address)))
	}
	return nil
}
