// Package jsonl writes finished spans as JSON lines, one span a line, and reads
// them back.
//
// # The idea
//
// A file of spans needs no server: it can be searched with grep, loaded into a
// notebook, and replayed into an evaluation. [Exporter] is an exporter of
// OpenTelemetry's SDK. Each line is complete by itself, so a file that was cut by a
// crash is readable up to its last whole line. See [Span] for the fields.
//
// # A minimal program
//
// The program's middle: spans go into a file, and are read back to add up the cost.
//
//	file, err := os.Create("spans.jsonl")
//	if err != nil {
//		return err
//	}
//	exporter, err := jsonl.New(file)
//	if err != nil {
//		return err
//	}
//	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter))
//	// … calls …
//	err = provider.Shutdown(ctx) // writes what is left
//
// Reading the file again, for the cost of all attempts:
//
//	total := 0.0
//	for span, err := range jsonl.Read(file) {
//		if err != nil {
//			return err
//		}
//		if pico, ok := span.Attributes["prodai.cost.pico_usd"].(float64); ok {
//			total += pico
//		}
//	}
//
// # Pitfalls
//
//   - Don't forget Shutdown at the end of the program: a batching provider keeps
//     the last spans in memory, and they are lost.
//   - Don't use the file as long-term storage in production: it grows without a
//     limit. Do send spans to a collector there.
//   - Don't ignore [Exporter.Lost]: it counts spans that weren't written, on a full
//     disk for example.
//
// # Questions
//
// How do I see spans and traces without a tracing service? To look at traces
// without a server, use this package as the exporter, and open the file: each line
// is one span as JSON. The command grep '"status":"Error"' spans.jsonl shows the
// failed ones, and jq can add up costs by tenant.
package jsonl
