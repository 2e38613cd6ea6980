package trace_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/tmc/langchaingo/llms"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/prodailabs/prodai/trace"
	"github.com/prodailabs/prodai/trace/cost"
	"github.com/prodailabs/prodai/trace/jsonl"
)

// shaky fails once, then answers.
type shaky struct{ failed bool }

func (s *shaky) GenerateContent(context.Context, []llms.MessageContent, ...llms.CallOption) (*llms.ContentResponse, error) {
	if !s.failed {
		s.failed = true
		return nil, llms.NewError(llms.ErrCodeRateLimit, "openai", "slow down")
	}
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "24 months.", StopReason: "stop",
		GenerationInfo: map[string]any{"PromptTokens": 1200, "PromptCachedTokens": 1024, "CompletionTokens": 80}}}}, nil
}

func (s *shaky) Call(ctx context.Context, prompt string, o ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, s, prompt, o...)
}

// twice is a retry layer in its simplest form.
type twice struct {
	llms.Model
	log *slog.Logger
}

func (t twice) GenerateContent(ctx context.Context, m []llms.MessageContent, o ...llms.CallOption) (*llms.ContentResponse, error) {
	r, err := t.Model.GenerateContent(ctx, m, o...)
	if err != nil {
		t.log.InfoContext(ctx, "retry.attempt", "class", "rate_limit")
		r, err = t.Model.GenerateContent(ctx, m, o...)
	}
	return r, err
}

// A logical call with two attempts, written as JSON lines and read back.
func Example() {
	var file bytes.Buffer
	exporter, err := jsonl.New(&file)
	if err != nil {
		fmt.Println(err)
		return
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
	tracer := provider.Tracer("example")
	prices, err := cost.Default()
	if err != nil {
		fmt.Println(err)
		return
	}
	attempt, err1 := trace.New(&shaky{}, &trace.Options{Tracer: tracer, Provider: "openai", Model: "gpt-4o-mini", Cost: prices.Of})
	answer, err2 := trace.New(twice{attempt, slog.New(trace.NewLogHandler(nil))}, &trace.Options{Tracer: tracer, Kind: trace.KindLogical, Name: "support"})
	if err := errors.Join(err1, err2); err != nil {
		fmt.Println(err)
		return
	}
	if _, err := llms.GenerateFromSinglePrompt(context.Background(), answer, "How long is the warranty?"); err != nil {
		fmt.Println(err)
	}
	var total int64
	for r, err := range jsonl.Records(&file) {
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Printf("%s %s %s links: %d events: %d\n", r.Name, r.Status, r.ErrorType, len(r.Links), len(r.Events))
		total += r.CostPicoUSD
	}
	fmt.Println(cost.USD(total))
	// Output:
	// chat gpt-4o-mini Error rate_limit links: 0 events: 1
	// chat gpt-4o-mini Unset  links: 1 events: 0
	// invoke_workflow support Unset  links: 0 events: 1
	// $0.0001512
}
