// Package modeltest checks that a wrapper of a model keeps the contract that lets wrappers compose.
// It has the contract as a test suite ([Run]), a model that plays a script ([Script]), and an
// OpenAI-compatible server that fails as the test asks ([Server]).
//
// # The problem
//
// Retries, caches, guards, limits and traces are each a model around a model, and a production
// system is a stack of them. The interface has two methods, so a wrapper looks like an hour's work.
//
//	your program
//	    │  GenerateContent(ctx, messages, options...)
//	    ▼
//	  trace ─▶ guard ─▶ cache ─▶ retry ─▶ client ─▶ provider
//	    ▲        chunks, answer, error on the way back
//
// Then the cache drops the tool calls, the tracer turns every call into a stream, and the retry
// repeats half an answer to the user. The guard reports a canceled request as "provider: request
// timeout", so the retry around it tries again. None of these wrappers fails its own tests. Each
// was tested for what it adds, and not for what it must leave alone.
//
// # The idea
//
// The contract is written down rule by rule, as a test that every wrapper runs. The package
// log/slog of the standard library does the same for its handlers. A wrapper that passes works at
// any place in the stack.
//
// # Terms
//
//   - Wrapper (also: middleware, decorator): A wrapper is a model that calls another model and adds
//     one thing: retries, a cache, a guard. It has the same interface as the model it calls.
//   - Contract (also: wrapper contract): A contract is the list of rules that every wrapper keeps,
//     such as "tool calls survive" or "the error wraps ctx.Err()".
//   - Conformance suite (also: compliance test): A conformance suite is a set of tests that every
//     implementation of an interface runs. [Run] is the conformance suite of llms.Model wrappers.
//   - Fake model (also: mock LLM, stub model, scripted model): A fake model answers from a script,
//     without network and cost. [Script] is one: it streams, waits, calls tools and fails as its
//     turns say.
//   - Fault injection (also: chaos test): Fault injection makes a part fail on purpose, so that the
//     handling of the failure is tested. [Server] injects wrong status codes, broken streams and
//     silence.
//   - Chunk (also: delta, streamed token): A chunk is one piece of a streamed answer. It isn't a
//     token or a word, and may end in the middle of a character.
//   - Bubble (also: synctest, virtual time): A bubble is a test of package testing/synctest in
//     which time is virtual: an hour of waiting takes no time once all goroutines wait.
//
// # The contract
//
// The contract is a list of rules. Each rule is a subtest of [Run] with the name in front of the
// colon.
//
// These rules let other code find the wrapped model (next):
//
//   - unwrap: Unwrap() llms.Model leads to next.
//   - supports-reasoning: SupportsReasoning is next's, and false where next has no such method.
//
// These rules keep an answer complete:
//
//   - call-equals-generate, call-streams, call-error: Call is GenerateContent with one human
//     message, with all options, and next's error.
//   - call-no-choice: an answer without a first choice is an error from Call.
//   - choices, stop-reason, tool-calls, generation-info, reasoning-content: all of these survive,
//     GenerationInfo with unknown keys and with types.
//   - no-choice, nil-choice, nil-response: the wrapper doesn't panic if next returns no choice, a
//     nil choice or a nil response.
//   - answers-apart: many goroutines may call at once; each gets its own answer and chunks. Run it
//     with -race.
//
// These rules keep a request complete and unchanged for the caller:
//
//   - messages: every message and part, text or not, in order.
//   - messages-unchanged: the caller's messages stay as they are, and the free room of the caller's
//     slices stays unused.
//   - options, options-unset, options-zero, options-order: options are passed on one by one, never
//     collapsed into a struct, in which an option set to zero and one never set look the same.
//   - options-slice: append to slices.Clip(options), since another call may be using the free room
//     of the caller's slice.
//   - options-values: metadata, tools and stop words aren't changed.
//   - context-values: next's context comes from the caller's.
//   - asked-once: one call is one call of next.
//
// These rules keep a stream as it is:
//
//   - stream-chunks, stream-kinds: the same chunks, in bytes, boundaries, kind and choice; the
//     empty ones and half characters too.
//   - stream-content: a text answer's chunks add up to Choices[0].Content.
//   - stream-borrowed: a chunk belongs to next again when the callback returns, so a wrapper that
//     keeps it copies it.
//   - stream-order: one callback runs at a time, while next produces, and none after the call
//     returned.
//   - plain-stays-plain, text-callback-only, reasoning-callback-only: only the callbacks that the
//     caller set are wrapped.
//   - both-callbacks: with both set the text counts once.
//   - callback-error: an error of the callback stops the stream, is found by errors.Is in the
//     result, and is never retried.
//
// These rules keep a failure a failure:
//
//   - errors, stream-errors: found by errors.Is and errors.As; what was streamed before a stream
//     broke isn't streamed again.
//   - error-no-answer: the call after a failed one works.
//   - panic: a panic of next reaches the caller as a panic or as an error. A wrapper need not
//     recover, but must release its locks and slots. A wrapper that calls next on a goroutine of
//     its own must recover there, because a panic on that goroutine ends the process. So this rule
//     runs last, and only if all other rules passed.
//
// These rules end a call when its context is done:
//
//   - ctx-before, ctx-cancel, ctx-deadline, ctx-stream: promptly, with an error that wraps
//     ctx.Err(), and no goroutine left.
//   - ctx-hidden, ctx-hidden-call: even if next returned an error of its own.
//   - ctx-in-callback: also if the callback ended the context and returned nil.
//   - ctx-not-done: while ctx isn't done no error wraps its error.
//
// A wrapper passes a success on even if the context is done by then, because the answer is paid
// for. A wrapped model that ignores its context is not the wrapper's fault.
//
// These rules apply to a wrapper that replays stored answers:
//
//   - answer-owned, request-owned: what the caller changes after the call changes no later answer.
//   - replay-stream, replay-callback-error: with [Options].MayCache, a replayed answer is streamed
//     to the callbacks that are set, and obeys them.
//   - no-replay-of-failure: a stream that broke is never stored as an answer.
//
// # A model and a server for tests
//
// [Script] is a fake model. It streams, waits, calls tools, hangs and fails as its [Turn] values
// say, and it records what it was asked.
//
// [Server] is a fake provider for the HTTP layer. It answers as real servers sometimes do: status
// 200 with an error inside, a stream without its end, silence after two chunks, a page of HTML. It
// needs no port, so it works inside a testing/synctest bubble. An httptest.Server hangs there,
// because a goroutine that waits for the network keeps virtual time from moving on.
//
// # A minimal program
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
// A wrapper that changes something by design says so in [Options]. Each field relaxes the rules
// that it must, and no other.
//
// # Pitfalls
//
//   - Don't pass on options that you resolved: because an option set to zero and one never set then
//     look the same. Resolve a copy to look at it, and pass the original list on.
//   - Don't write append(options, mine): because it may write into the caller's array. Write
//     append(slices.Clip(options), mine). The race detector finds the fault.
//   - Don't treat a chunk as a token, a word or valid UTF-8: because a chunk may end in the middle
//     of a character.
//   - Don't rely on errors.Is(err, context.DeadlineExceeded) with langchaingo's OpenAI client:
//     because the client replaces the error. The rule ctx-hidden asks wrappers to add ctx.Err().
//   - Don't leave out the wrapper's own tests: because the suite doesn't test what a wrapper is
//     for.
//   - Don't wait for a sync.Mutex forever in a bubble: because the bubble can't see that deadlock.
//     The timeout of go test ends it and names the rule.
//
// # Questions
//
// How do I test code that calls an LLM without paying? Give the code a [Script] in place of the
// real model. The script has a list of turns, such as modeltest.Say("Hello"), and records each
// call, so a test can check the messages that were sent. The tests need no network and no key, and
// give the same result each time.
//
// How do I test what happens when the provider fails? Start a [Server] with replies such as
// [RateLimited] (status 429), [Overloaded], [OutOfQuota] or [ContextTooLong], or with a stream that
// is cut. Point the client at Server.URL with Server.Client. Then check that retries, errors and
// messages are right.
//
// How do I write my own wrapper of a model? Embed nothing; keep the wrapped model in a field, and
// write the four methods of the minimal program. Run the suite before you add a feature. The rule
// both-callbacks is the one that most wrappers break.
//
// Why does my wrapper hang in the test? A call that never returns is reported as a broken rule,
// with its name. The usual cause is a goroutine that waits for a channel after the context is done.
// End each goroutine by ctx or by tb.Cleanup.
//
// # Exercises
//
//  1. Write a wrapper that counts the bytes of every answer, streamed or not. Run the suite before
//     you trust it. (The rule both-callbacks is the hard one.)
//  2. Write one that asks next on a goroutine and gives up after a second. Which rules does the
//     obvious version break, and why does the suite keep one of them for last?
//  3. Break a wrapper in a way that no rule finds, and write the rule.
//  4. Point langchaingo's OpenAI client at a [Server] whose stream lacks its end. What does the
//     caller see? What should it see?
//
// # Further reading
//
//   - testing/slogtest, testing/fstest and golang.org/x/net/nettest: conformance suites for
//     slog.Handler, fs.FS and net.Conn.
//   - "Testing concurrent code with testing/synctest", go.dev/blog/synctest.
//   - B. Liskov, J. Wing: A behavioral notion of subtyping. ACM TOPLAS 16(6), 1994. Why a type that
//     has the methods isn't yet a substitute.
//   - "Server-sent events", section 9.2 of the HTML standard; the OpenAI API reference on chat
//     completions and their streams.
package modeltest
