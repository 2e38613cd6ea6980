// Package jsonl writes finished spans as JSON lines, one span a line, and
// reads them back.
//
// A file of spans needs no collector: it can be searched with grep, loaded
// into a notebook, and replayed into an evaluation. [Exporter] is an exporter
// of OpenTelemetry's SDK:
//
//	file, err := os.Create("spans.jsonl")
//	exporter, err := jsonl.New(file)
//	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter))
//	defer provider.Shutdown(ctx)
//
// Each line stands for itself, so a file that was cut by a crash is readable
// up to its last whole line. See [Span] for the fields.
package jsonl
