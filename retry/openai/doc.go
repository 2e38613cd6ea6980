// Package openai is a langchaingo model for the OpenAI protocol that tells the
// truth about what the server sent.
//
// # The lecture
//
// Lecture 3. A demo calls a model and prints the answer. In production the
// connection is cut in the middle of a sentence, a proxy answers with a web
// page, the provider reports an error inside of a success, and a program that
// calls all of that an answer stores half a sentence in a database. Everything
// above the client (retries, caches, guards, metrics) can only be as honest as
// the client is. So the first job of a client isn't to send a request. It is
// to know the difference between an answer and the absence of one.
//
// # What can go wrong after status 200
//
// The status line comes before the answer. What follows may still fail, and a
// stream has no length to compare with, only a protocol: an answer has ended
// when each choice has a reason (finish_reason) that is known to be good. The
// mark [DONE] alone isn't proof, for proxies send it after a cut. Beside it what
// langchaingo v0.1.14's own client makes of the same bytes:
//
//	what the server does                      here                    langchaingo v0.1.14
//	data: {"error": …} after some chunks      ErrInBand, Partial      success, half an answer
//	stream ends without finish_reason         ErrIncompleteStream     success, half an answer
//	finish_reason "error", "abort", …         ErrStopReason, Partial  success, half an answer
//	stream stalls until the deadline          DeadlineExceeded        success every other time
//	the callback cancels the context          Canceled                success every other time
//	no first byte until the deadline          DeadlineExceeded        a text
//	connection is cut                         ErrIncompleteStream     error, what was seen is lost
//	empty stream                              ErrEmpty                success, empty answer
//	a web page or an error without events     ErrMalformed, ErrInBand success, empty answer
//	200 with an empty body or an error        ErrEmpty, ErrInBand     an error without the server's words
//	a line of broken JSON                     ErrMalformed            the line is skipped
//	a line of more than 64 KiB                read, up to a limit     error
//	content as a list (Mistral's thoughts)    read, thoughts apart    success, empty answer
//	two choices, streamed                     two choices             one, their words mixed
//	tool calls that interleave by index       two calls               all arguments in the last
//	429, 400, 500                             status, code, type,     a text
//	                                          Retry-After, request id
//	an option that was set to 0               sent                    sent whether set or not (temperature),
//	                                                                  or never sent (seed; top_p of any value)
//	a redirect                                an error                prompt and Azure's key go there
//
// Each row is a test here, and internal/bench/openai asks both clients. An [*Error] holds all that the server said; it
// unwraps to the cause, so errors.Is finds context.Canceled even where net/http
// hid it, and to an *llms.Error, so llms.IsRateLimitError works. When a stream
// breaks, Error.Partial is what the user has already seen.
//
// # Using it
//
//	model, err := openai.New("gpt-4o-mini", &openai.Options{APIKey: key})
//	r, err := model.GenerateContent(ctx, messages, llms.WithMaxTokens(200))
//	var e *openai.Error
//	if errors.As(err, &e) {
//		wait, asked := e.RetryAfter()
//		log.Printf("%s: status %d, code %q, wait %v %v", e.RequestID(), e.HTTPStatus(), e.Code(), wait, asked)
//	}
//
// BaseURL points it at any server of the protocol: vLLM, llama.cpp, Ollama, a
// gateway. Options.Azure speaks Azure OpenAI's dialect. [NewEmbedder] does the
// same for embeddings.
//
// # Unset is not zero
//
// llms.CallOptions can't say "not set": its temperature is 0 either way. This
// client finds out by applying the options twice, and sends only what was set.
// A provider's default then stays the provider's, and temperature 0 can be
// asked for. What the options have no name for goes through metadata, per call:
//
//	llms.WithMetadata(map[string]any{
//		openai.MetadataResponseFormat: schema,
//		openai.MetadataExtra:          map[string]any{"logprobs": true, "top_logprobs": 5},
//	})
//
// # Streams
//
// StreamingFunc gets each delta of text, and of tool calls as a JSON array in
// the protocol's form; StreamingReasoningFunc gets reasoning in its first
// argument and the rest in its second. Chunks are the server's, one for one. An
// error from either function ends the call at once, hangs up, so that the
// provider stops generating and billing, and comes back wrapped.
//
// # Pitfalls
//
//   - A timeout on the http.Client ends long streams that are healthy. Use the
//     context, and timeouts between chunks (package retry).
//   - Don't retry after the first chunk was shown: the user would read the
//     beginning twice.
//   - Read a stream to its end, past [DONE]: a connection that is dropped there
//     costs the next call a handshake.
//   - Ask for usage: without stream_options a streamed answer has none, and a
//     bill that misses the streams is too small.
//   - An error's body may quote the prompt. Log its code, not its words.
//
// # How fast
//
// A stream of 2,000 chunks costs 0.31 of the processor time and 0.07 of the
// memory that it costs with langchaingo's client, and 0.31 and 0.11 of what it
// does with OpenAI's own (openai-go v3.96.0). A plain answer: 0.69 and 0.57,
// 0.54 and 0.46. The server's share is in all of these times. Wall-clock times
// and memory are what this prints; for processor time, run one client at a time
// (-bench '^BenchmarkStream/prodai$' -benchtime 100x) under time:
//
//	cd internal/bench && go test -run - -bench . ./openai
//
// # Exercises
//
//  1. Start eval/modeltest's Server with Reply{CutAfter: 2} and ask it with this
//     client and with langchaingo's. What does each tell you?
//  2. Print Error.Partial for a stream that breaks. What would you show the user?
//  3. Find a server that sends usage in every chunk. Which one is the bill?
//
// # Further reading
//
//   - WHATWG HTML, 9.2 "Server-sent events": the format, its line ends and its
//     blank lines.
//   - OpenAI, "API reference: chat completions".
//   - RFC 9110, 10.2.3 "Retry-After".
package openai
