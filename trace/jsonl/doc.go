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
// [File] is a file for a program that runs for months: it begins anew when it is
// large or old, keeps a number of full files, and loses no line when the program
// is killed.
//
// Reading back is typed. [Records] and [ReadFile] yield a [Record] for each span,
// with tenant, model, tokens and cost as fields. [Sum] adds them up by group, as
// exact integers. [Traces] puts spans into trees, and Waterfall gives their order.
//
// # A minimal program
//
// The program's middle: spans go into a file, and are read back to add up the cost
// of each tenant.
//
//	file, err := jsonl.OpenFile("spans.jsonl", nil)
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
//	err = file.Close()
//
// Reading the file again, for the cost of all attempts:
//
//	totals, err := jsonl.Sum(jsonl.ReadFile("spans.jsonl"), jsonl.ByTenant)
//	if err != nil {
//		return err
//	}
//	for _, t := range totals {
//		fmt.Println(t.Key, t.Calls, t.Unpriced, t.PicoUSD)
//	}
//
// # Pitfalls
//
//   - Don't forget Shutdown at the end of the program: a batching provider keeps
//     the last spans in memory, and they are lost.
//   - Don't let two programs write one path with [OpenFile]: each would rename the
//     other's file. Do give each its own path.
//   - Don't ignore [Exporter.Lost]: it counts spans that weren't written, on a full
//     disk for example.
//   - Don't read a sum without [Total].Unpriced: calls of an unknown model are
//     counted there and have no cost.
//
// # Questions
//
// How do I see spans and traces without a tracing service? To look at traces
// without a server, use this package as the exporter, and open the file: each line
// is one span as JSON. The command grep '"status":"Error"' spans.jsonl shows the
// failed ones, and jq can add up costs by tenant.
package jsonl
