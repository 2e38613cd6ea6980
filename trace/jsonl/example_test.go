package jsonl_test

import (
	"bytes"
	"context"
	"fmt"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

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
