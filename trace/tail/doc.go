// Package tail decides which traces are kept when they have ended, when it is known
// whether they failed, were slow or were expensive.
//
// # The idea
//
// Keeping every trace of a busy system costs more than most of them are worth.
// Deciding at the start loses the failures: a sample of 1 % has 1 % of them. [New]
// returns a span processor that holds the spans of a trace until its root has ended,
// and then keeps the trace if any of these holds:
//
//	rule       kept
//	error      a span has the status Error
//	slow       the root took at least Options.Slow
//	expensive  the attempts cost at least Options.ExpensivePicoUSD
//	rare       its tenant had fewer than Options.Rare traces in the last hour
//	chance     one in Options.OneIn of the others, chosen by the trace id
//
// The choice by chance does not bias sums: a trace that is kept by chance carries
// the attribute SampleRate ([trace.SpanSampleRate]), the number of traces it stands
// for, and the W3C tracestate "ot=th:…" with the same meaning. Honeycomb reads the
// first, OpenTelemetry collectors the second, and jsonl.Sum the first. A trace that
// is kept by another rule stands for itself. Counting each trace as often as its
// SampleRate gives an unbiased estimate of the totals of all traces.
//
// Exact totals do not depend on sampling at all: take them from metrics, or from a
// ledger of trace/cost that sees every call.
//
// # A minimal program
//
// The program's middle: everything that went wrong or was expensive is kept, and 1 %
// of the rest.
//
//	sampler, err := tail.New(sdktrace.NewBatchSpanProcessor(exporter), &tail.Options{
//		OneIn:            100,
//		Slow:             10 * time.Second,
//		ExpensivePicoUSD: 50_000_000_000, // five cents
//		Rare:             10,
//	})
//	if err != nil {
//		return err
//	}
//	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(sampler))
//
// # Pitfalls
//
//   - Don't read averages from kept traces without SampleRate: failures and slow
//     ones are over-represented.
//   - Don't combine it with head sampling in the same process: what is not recorded
//     cannot be kept. SampleRate then leaves the first decision out.
//   - Don't expect it to see other services: it decides by the spans of this
//     process. A collector that gets the spans of all services can decide for the
//     whole trace.
//
// # Questions
//
// How do I keep failed and slow traces without storing all? To keep failed and slow
// traces, decide at their end (tail sampling). [New] does it in the process: it keeps
// all that failed, were slow, expensive or of a rare tenant, and a part of the others.
//
// Does sampling make my cost report wrong? Sampling changes a cost report unless
// each kept trace counts as often as its SampleRate. [Stats] has exact numbers of
// what was seen, and jsonl.Total.EstimatedPicoUSD the weighted sum.
package tail
