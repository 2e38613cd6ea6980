// Package otlp sends spans to any service that takes OpenTelemetry's protocol over
// HTTP, with presets for Arize Phoenix, LangSmith, Honeycomb and Langfuse.
//
// # The idea
//
// OTLP is one protocol, but each service has its own address, its own header for the
// key, its own limits, and reads some attributes of its own. A [Target] has these
// differences, and [New] returns an exporter of OpenTelemetry's SDK that sends to
// it. [Collector] is the target for everything else.
//
// The exporter writes protobuf itself, with a few hundred lines. OpenTelemetry's own
// exporter over HTTP compiles gRPC too, and works here as well: every exporter of the
// SDK can take the place of this one.
//
// What goes wrong on the way is handled as the protocol asks for. A refused
// connection and the statuses 429, 502, 503 and 504 are tried again, after the wait
// in the header Retry-After, else with growing waits. Other refusals are final.
// Batches are split before they pass the receiver's limit, and halved if it answers
// 413. Nothing is lost silently: see [Stats].
//
// # A minimal program
//
// The program's middle: traces go to a Phoenix on this machine.
//
//	exporter, err := otlp.New(otlp.Phoenix("http://127.0.0.1:6006", "support"), nil)
//	if err != nil {
//		return err
//	}
//	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter))
//	defer provider.Shutdown(ctx) // sends what is left
//	attempt, err := trace.New(client, &trace.Options{Tracer: provider.Tracer("support"), OpenInference: true})
//
// Other destinations differ in the target only:
//
//	otlp.LangSmith(os.Getenv("LANGSMITH_API_KEY"), "support")
//	otlp.Honeycomb(os.Getenv("HONEYCOMB_API_KEY"), "")
//	otlp.Langfuse("https://cloud.langfuse.com", public, secret)
//	otlp.Collector("http://127.0.0.1:4318")
//
// # Pitfalls
//
//   - Don't end a short program without Shutdown of the provider: the last spans are
//     still in memory.
//   - Don't send prompts to a service of another company by accident: leave
//     Options.Content of package trace off, or put trace/redact before the exporter.
//   - Don't ignore [Stats].Lost and Rejected: a wrong key or a full queue looks like
//     a quiet day.
//
// # Questions
//
// How do I send traces to Phoenix, LangSmith, Honeycomb or Langfuse from Go? To send
// traces to one of them, give its target to [New] and the exporter to the tracer
// provider: [Phoenix], [LangSmith], [Honeycomb] and [Langfuse] know the address, the
// headers and the attributes that each reads.
package otlp
