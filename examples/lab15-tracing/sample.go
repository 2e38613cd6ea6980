package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"

	"github.com/tmc/langchaingo/llms"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/prodailabs/prodai/trace"
	"github.com/prodailabs/prodai/trace/cost"
	"github.com/prodailabs/prodai/trace/jsonl"
	"github.com/prodailabs/prodai/trace/tail"
)

// traffic answers with random usage, a few answers of which are long, and fails once
// in a hundred calls.
type traffic struct{ rng *rand.Rand }

func (t traffic) GenerateContent(context.Context, []llms.MessageContent, ...llms.CallOption) (*llms.ContentResponse, error) {
	if t.rng.IntN(100) == 0 {
		return nil, errors.New("the provider is down")
	}
	out := 50 + t.rng.IntN(200)
	if t.rng.IntN(200) == 0 {
		out = 20_000 // a loop of an agent
	}
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "…", StopReason: "stop",
		GenerationInfo: map[string]any{"PromptTokens": 500 + t.rng.IntN(1500), "CompletionTokens": out}}}}, nil
}

func (t traffic) Call(ctx context.Context, prompt string, o ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, t, prompt, o...)
}

// A counter is a span exporter that adds up what is kept.
type counter struct{ records []jsonl.Record }

func (c *counter) Shutdown(context.Context) error { return nil }
func (c *counter) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	for _, s := range spans {
		line := jsonl.Convert(s)
		c.records = append(c.records, line.Record())
	}
	return nil
}

func (c *counter) all(yield func(jsonl.Record, error) bool) {
	for _, r := range c.records {
		if !yield(r, nil) {
			return
		}
	}
}

// sample keeps failures, expensive traces and those of rare tenants, and one in
// fifty of the others.
func sample(out io.Writer, prices *cost.Table) error {
	const requests = 5000
	kept := &counter{}
	sampler, err := tail.New(sdktrace.NewSimpleSpanProcessor(kept), &tail.Options{
		OneIn:            50,
		ExpensivePicoUSD: 5_000_000_000, // half a cent
		Rare:             5,
	})
	if err != nil {
		return err
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(sampler))
	rng := rand.New(rand.NewPCG(15, 15))
	m, err := trace.New(traffic{rng}, &trace.Options{Tracer: provider.Tracer("lab15"), Provider: "openai", Model: "gpt-4o-mini", Cost: prices.Of})
	if err != nil {
		return err
	}
	exact := map[string]int64{}
	for i := range requests {
		tenant := "big"
		switch {
		case i%500 == 0:
			tenant = "tiny"
		case i%4 == 0:
			tenant = "middle"
		}
		before := sampler.Stats().PicoUSD
		// The failures are part of the traffic, and are seen on their spans.
		_, _ = m.Call(trace.WithLabels(context.Background(), trace.Labels{Tenant: tenant}), "q")
		exact[tenant] += sampler.Stats().PicoUSD - before
	}
	if err := provider.Shutdown(context.Background()); err != nil {
		return err
	}
	s := sampler.Stats()
	fmt.Fprintf(out, "kept %d of %d traces:", requests-s.Kept[tail.ReasonNone], s.Traces)
	for _, r := range []tail.Reason{tail.ReasonError, tail.ReasonExpensive, tail.ReasonRare, tail.ReasonChance} {
		fmt.Fprintf(out, " %d %s", s.Kept[r], r)
	}
	fmt.Fprintln(out)
	totals, err := jsonl.Sum(kept.all, jsonl.ByTenant)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%-8s %12s %14s %14s\n", "tenant", "exact", "in the sample", "estimated")
	for _, t := range totals {
		fmt.Fprintf(out, "%-8s %12s %14s %14s  (%+.0f %%)\n", t.Key, dollars(exact[t.Key]), dollars(t.PicoUSD), dollars(t.EstimatedPicoUSD), 100*(float64(t.EstimatedPicoUSD)/float64(exact[t.Key])-1))
	}
	return nil
}

// dollars is rounded, for a table; cost.USD is exact.
func dollars(pico int64) string { return fmt.Sprintf("$%.4f", float64(pico)/1e12) }
