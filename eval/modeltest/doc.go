// Package modeltest checks that a wrapper of a model keeps the contract that
// lets wrappers compose. It has the contract as a test suite ([Run]), a
// model that plays a script ([Script]), and an OpenAI-compatible server that
// fails on request ([Server]).
//
// # The lecture
//
// Lecture 3. Retries, caches, guards, limits, traces: each is a model around a
// model, and a production system is a stack of them.
//
//	your program
//	    │  GenerateContent(ctx, messages, options...)
//	    ▼
//	  trace ─▶ guard ─▶ cache ─▶ retry ─▶ client ─▶ provider
//	    ▲        chunks, answer, error on the way back
//
// The interface has two methods, so a wrapper looks like an hour's work. Then
// the cache drops the tool calls, the tracer turns every call into a stream,
// the retry repeats half an answer to the user, and the guard reports a
// canceled request as "provider: request timeout", which the retry above it
// takes for a reason to try again. None of these wrappers fails its own tests:
// each was tested for what it adds, not for what it must leave alone.
//
// The way out is the one that log/slog took for its handlers: write down the
// law, sentence by sentence, as a test that every implementation runs. A
// wrapper that passes works anywhere in the stack.
//
// # The contract
//
// Each sentence is a subtest of [Run], by the name in front of it.
//
// A wrapper can be seen through:
//
//   - unwrap: Unwrap() llms.Model leads to next.
//   - supports-reasoning: SupportsReasoning is next's, and false where next
//     has no such method.
//
// An answer arrives whole:
//
//   - call-equals-generate, call-streams, call-error: Call is GenerateContent
//     with one human message, with all options, and next's error.
//   - call-no-choice: an answer without a first choice is an error from Call.
//   - choices, stop-reason, tool-calls, generation-info, reasoning-content:
//     all of these survive, GenerationInfo with unknown keys and with types.
//   - no-choice, nil-choice, nil-response: what a careless next returns is no
//     reason to panic.
//   - answers-apart: many goroutines may call at once; each gets its own
//     answer and chunks. Run it with -race.
//
// A request arrives whole and stays the caller's:
//
//   - messages: every message and part, text or not, in order.
//   - messages-unchanged: nor is anything written behind the caller's slices.
//   - options, options-unset, options-zero, options-order: options are passed
//     on one by one, never collapsed into a struct, in which an option set to
//     zero and one never set look the same.
//   - options-slice: append to slices.Clip(options): another call may be using
//     the room behind them.
//   - options-values: metadata, tools and stop words aren't changed.
//   - context-values: next's context comes from the caller's.
//   - asked-once: one call is one call of next.
//
// A stream passes as it is:
//
//   - stream-chunks, stream-kinds: the same chunks, in bytes, boundaries, kind
//     and choice; the empty ones and half characters too.
//   - stream-content: a text answer's chunks add up to Choices[0].Content.
//   - stream-borrowed: a chunk is next's again when the callback returns.
//   - stream-order: one callback at a time, while next produces, none after
//     the call returned.
//   - plain-stays-plain, text-callback-only, reasoning-callback-only: only the
//     callbacks that the caller set are wrapped.
//   - both-callbacks: with both set the text counts once.
//   - callback-error: stops the stream, comes back through errors.Is, and is
//     never retried.
//
// A failure stays one:
//
//   - errors, stream-errors: found by errors.Is and errors.As; what was
//     streamed before a stream broke isn't streamed again.
//   - error-no-answer: the call after a failed one works.
//   - panic: a panic of next reaches the caller as a panic or as an error.
//     Wrappers need not recover, but must keep no lock or slot through it.
//     (One that calls next on a goroutine of its own must bring the panic
//     back: no other code can. As a panic there ends the process, this rule runs
//     last, and only if all others hold.)
//
// A call ends with its context:
//
//   - ctx-before, ctx-cancel, ctx-deadline, ctx-stream: promptly, with an
//     error that wraps ctx.Err(), and no goroutine left.
//   - ctx-hidden, ctx-hidden-call: even if next returned an error of its own.
//   - ctx-in-callback: also if the callback ended the context and returned nil.
//   - ctx-not-done: while ctx isn't done no error wraps its error.
//
// A success is passed on even if the context is done by then: the answer is
// paid for. And a next that ignores its context is next's fault, not the
// wrapper's.
//
// A replay is an answer:
//
//   - answer-owned, request-owned: what the caller changes after the call
//     changes no later answer.
//   - replay-stream, replay-callback-error: with [Options].MayCache, a replayed
//     answer is streamed to the callbacks that are set, and obeys them.
//   - no-replay-of-failure: half a stream is no answer.
//
// # Running it
//
// The smallest wrapper that keeps the contract, and its test:
//
//	type Model struct{ next llms.Model }
//
//	func (m *Model) Unwrap() llms.Model      { return m.next }
//	func (m *Model) SupportsReasoning() bool { return llms.SupportsReasoningModel(m.next) }
//
//	func (m *Model) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
//		r, err := m.next.GenerateContent(ctx, messages, options...)
//		if err != nil && ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
//			err = fmt.Errorf("%w: %w", ctx.Err(), err)
//		}
//		return r, err
//	}
//
//	func (m *Model) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
//		… // GenerateContent, then the first choice, if there is one
//	}
//
//	func TestContract(t *testing.T) {
//		modeltest.Run(t, func(tb testing.TB, next llms.Model) llms.Model {
//			return &Model{next}
//		}, nil)
//	}
//
// A wrapper that changes something by design states it in [Options]; each field
// relaxes the rules that it must, and no other.
//
// # A model and a server for tests
//
// [Script] is next where a test needs one: it streams, waits, calls tools,
// hangs and fails as told, and remembers what it was asked.
//
// [Server] is for the layer below, where the wire is. It answers in HTTP and lies
// as real servers do: 200 with an error inside, a stream that ends without
// its end, silence after two chunks, a page of HTML. It needs no port, so that
// it works inside a testing/synctest bubble, where a stall of an hour is over
// at once; an httptest.Server would hang there, since a goroutine that waits
// for the network isn't idle in the bubble's eyes.
//
// # Pitfalls
//
//   - A wrapper that resolves the options to look at them (apply each to a
//     zero CallOptions) is right to do so, and wrong to pass on the result.
//   - append(options, mine) writes into the caller's array if it has room. It
//     mostly hasn't, so the test that shows it is the one with the race.
//   - A chunk isn't a token, a word or even valid UTF-8.
//   - errors.Is(err, context.DeadlineExceeded) is false for langchaingo's
//     OpenAI client: it replaces the error. Hence ctx-hidden.
//   - The suite doesn't test what a wrapper is for. It isn't a
//     replacement for the wrapper's own tests.
//   - A wrapper that holds a sync.Mutex forever stalls the bubble without a
//     deadlock that it could see; go test's timeout ends it, and names the rule.
//
// # Exercises
//
//  1. Write a wrapper that counts the bytes of every answer, streamed or not.
//     Run the suite before you believe it. (both-callbacks is the hard one.)
//  2. Write one that asks next on a goroutine and gives up after a second.
//     Which rules does the obvious version break, and why does the
//     suite keep one of them for last?
//  3. Break a wrapper in a way that no rule finds, and write the rule.
//  4. Point langchaingo's OpenAI client at a [Server] whose stream lacks its
//     end. What does the caller see? What should it?
//
// # Further reading
//
//   - testing/slogtest, testing/fstest and golang.org/x/net/nettest: conformance
//     suites for slog.Handler, fs.FS and net.Conn.
//   - "Testing concurrent code with testing/synctest", go.dev/blog/synctest.
//   - B. Liskov, J. Wing: A behavioral notion of subtyping. ACM TOPLAS 16(6),
//     1994. Why a type that has the methods isn't yet a substitute.
//   - "Server-sent events", section 9.2 of the HTML standard; the OpenAI API
//     reference on chat completions and their streams.
package modeltest
