package jsonl_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/prodailabs/prodai/trace/cost"
	"github.com/prodailabs/prodai/trace/jsonl"
)

func Example() {
	var file bytes.Buffer
	exporter, err := jsonl.New(&file)
	if err != nil {
		fmt.Println(err)
		return
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
	_, span := provider.Tracer("example").Start(context.Background(), "chat gpt-4o-mini")
	span.End()
	for s, err := range jsonl.Read(&file) {
		fmt.Println(s.Name, s.Kind, s.Status, err)
	}
	// Output: chat gpt-4o-mini internal Unset <nil>
}

// Package cost writes the totals of a file as a table or as CSV. Both report all tokens
// written to a provider's cache together, so either of its two fields fits.
func ExampleSum_table() {
	file := strings.NewReader(`
{"attributes":{"gen_ai.operation.name":"chat","prodai.tenant":"acme","gen_ai.usage.input_tokens":1200,"gen_ai.usage.cache_read.input_tokens":1024,"gen_ai.usage.output_tokens":80,"prodai.cost.pico_usd":151200000}}
{"attributes":{"gen_ai.operation.name":"chat","prodai.tenant":"acme","error.type":"429"}}
{"attributes":{"gen_ai.operation.name":"chat","prodai.tenant":"umbra","gen_ai.usage.input_tokens":1200,"gen_ai.usage.output_tokens":80,"prodai.cost.pico_usd":228000000}}`)
	totals, err := jsonl.Sum(jsonl.Records(file), jsonl.ByTenant)
	if err != nil {
		fmt.Println(err)
		return
	}
	var table []cost.Total
	for _, t := range totals {
		table = append(table, cost.Total{
			Key: t.Key, Calls: int64(t.Calls), Unpriced: int64(t.Unpriced), PicoUSD: t.PicoUSD,
			Usage: cost.Usage{Input: t.Input, CacheRead: t.CacheRead, CacheWrite5m: t.CacheWrite, Output: t.Output, Reasoning: t.Reasoning},
		})
	}
	if err := cost.WriteTable(os.Stdout, "tenant", table); err != nil {
		fmt.Println(err)
	}
	// Output:
	// tenant  calls  input  cached  output  cost
	// umbra   1      1200   0       80      $0.000228
	// acme    2      1200   1024    80      $0.0001512  + 1 unpriced
}
