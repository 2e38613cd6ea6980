// Package openai is a langchaingo model for the OpenAI protocol that reports exactly
// what the server sent.
//
// # What you will be able to do
//
//   - Describe the HTTP API of a model: endpoint, request model, response model,
//     errors, streaming.
//   - Say what FastAPI and Pydantic do for a Python service, and what takes their
//     place in Go.
//   - Choose between an answer in one piece and a stream, and between a sync and an
//     async endpoint.
//   - Call any server of the OpenAI protocol, and know for each result whether it is a
//     whole answer.
//   - Ask for embeddings, set exactly the options that you mean, and read the token
//     usage.
//
// # The problem
//
// A demo calls a model and prints the answer. In production the connection is cut in
// the middle of a sentence, a proxy answers with a web page, and the provider reports
// an error inside a success. A program that calls all of that an answer stores half a
// sentence in its database.
//
// One team found 1,200 such half answers in a month, in a cache. Its client had
// reported success for each. Everything above a client (retries, caches, guards,
// metrics) can be only as honest as the client. So a client's first job isn't to send
// a request: it is to know the difference between an answer and the absence of one.
//
// # The idea
//
// The client treats an answer as complete only when the protocol proves it. Each
// choice must have a finish_reason that is known to be good. The end of the connection
// isn't a proof, and the mark [DONE] alone isn't one either, because proxies send it
// after a cut.
//
// Everything else is an [*Error] with all that the server said: status, code, type,
// message, headers, request id, and the wait it asked for. When a stream breaks,
// Error.Partial has what the user has already seen. The error unwraps to its cause, so
// that errors.Is finds context.Canceled.
//
// The types are the contract. A request is built from typed messages and options, and
// an answer is read into a typed response. What was not set is not sent, and what was
// not received is not invented. That is the same idea as FastAPI with Pydantic models
// on the server's side.
//
// # Terms
//
//   - API (also: HTTP API, REST API, web API): An API is the set of requests that a
//     program offers to other programs. A model's API takes JSON over HTTP and returns
//     JSON or a stream of events.
//   - Endpoint (also: route, path operation, URL): An endpoint is one address and
//     method of an API, such as POST /v1/chat/completions. In FastAPI it is a function
//     with a decorator, in Go a handler.
//   - Request model (also: request body, input schema): A request model is the type
//     that a request's JSON must fit: its fields, their types, and which are required.
//     FastAPI takes it from a Pydantic class, Go from a struct.
//   - Response model (also: response schema, output schema): A response model is the
//     type of what an endpoint returns. It hides internal fields and lets clients rely
//     on the form.
//   - FastAPI: FastAPI is a Python web framework that reads requests into Pydantic
//     models, answers 422 when they don't fit, and writes the API's documentation
//     (OpenAPI) by itself.
//   - Pydantic (also: Pydantic v2, BaseModel): Pydantic is a Python library that
//     checks data against classes with type hints and converts it. Version 2 has its
//     core in Rust and is several times faster than version 1.
//   - Dependency injection (also: DI, Depends): Dependency injection means that a
//     function receives what it needs (a database, a client, the user) as parameters,
//     instead of making it. FastAPI does it with Depends; Go passes values to
//     constructors.
//   - ASGI (also: uvicorn, gunicorn): ASGI is the interface between an asynchronous
//     Python web server, such as uvicorn, and its application. Go doesn't need it,
//     because net/http is the server.
//   - OpenAPI (also: Swagger, API documentation): OpenAPI is a standard description of
//     an HTTP API as JSON or YAML. It is not related to OpenAI.
//   - Chat completion (also: chat/completions, completion): A chat completion is the
//     answer of a model to a list of messages, and the endpoint that makes it.
//     [Model.GenerateContent] asks for one.
//   - Message role (also: system, user, assistant, tool): A message role says from
//     where a message comes: system is the application's instruction, user the person,
//     assistant the model, tool the result of a tool.
//   - Choice (also: n, choices): A choice is one of the answers to one request. Most
//     requests ask for one.
//   - Streaming (also: stream, token streaming, StreamingFunc): Streaming sends an
//     answer in small parts while it is made. The whole takes as long as before, and
//     the user reads from the first token on.
//   - Server-sent events (also: SSE, text/event-stream): Server-sent events are lines
//     of text over one open HTTP response, and each event begins with the word data
//     and a colon. The OpenAI protocol streams with server-sent events and ends with
//     the event [DONE].
//   - Chunk of a stream (also: delta): A chunk is one part of a streamed answer, often
//     a token or a few. In the protocol it is called a delta.
//   - Finish reason (also: stop reason, finish_reason): A finish reason is the word
//     with which a server says why a choice ended: "stop" for its natural end,
//     "length" for the token limit, "tool_calls", "content_filter" and others.
//   - Tool call (also: function calling, function call): A tool call is an answer in
//     which the model asks the program to run a function, with arguments in JSON.
//   - Embedding (also: vector, embeddings endpoint): An embedding is a list of numbers
//     that represents the meaning of a text, so that texts of similar meaning have
//     similar numbers. [NewEmbedder] asks for them.
//   - Usage (also: token usage, prompt_tokens, completion_tokens): Usage is the number
//     of tokens that a call was billed for, as the server reports it.
//   - max_tokens (also: max_completion_tokens, token limit): max_tokens is the longest
//     answer that a request allows. An answer that reaches it ends with the finish
//     reason "length".
//   - Temperature (also: sampling, top_p, seed): Temperature is the setting of how
//     much chance there is in the choice of each token: 0 takes the most likely token,
//     and higher values vary more.
//   - Base URL (also: BaseURL, OPENAI_BASE_URL, OpenAI-compatible server): The base
//     URL is the address before /chat/completions. With another base URL the same
//     client talks to vLLM, Ollama or a gateway.
//   - API key (also: bearer token, OPENAI_API_KEY, authentication): An API key is the
//     secret by which the server knows who pays. It is sent in the Authorization
//     header and must never be in code, logs or error messages.
//   - Sync endpoint (also: synchronous, def, blocking): A sync endpoint occupies a
//     thread until its work is done. In FastAPI, a function with def runs in a pool of
//     threads.
//   - Async endpoint (also: asynchronous, async def, await): An async endpoint gives
//     the thread free while it waits, for example for a model. In FastAPI it is
//     written async def; in Go every handler is of this kind, because it runs on a
//     goroutine.
//   - HTTP method (also: GET, POST, PUT, DELETE): An HTTP method is the kind of a
//     request: GET reads, POST sends data to be worked on, PUT replaces, DELETE
//     removes. Calls of a model are POST.
//   - Path and query parameters (also: path parameter, query parameter): Path and
//     query parameters are values in the address of a request, such as 42 in
//     /items/42, or limit in /items?limit=10. FastAPI reads both from the function's
//     parameters.
//   - Middleware: Middleware is code that runs before and after every request of a
//     server, for example for logging, login or limits. In Go it is an http.Handler
//     around an http.Handler.
//   - WebSocket: A WebSocket is a connection over which client and server both send
//     messages at any time. It suits voice and games, and a streamed answer doesn't
//     need one.
//   - CORS (also: cross-origin request): CORS is the rule by which a browser lets a
//     page of one address call an API of another, only if that API allows it in a
//     header.
//   - Serialization (also: JSON encoding, marshal, model_dump): Serialization turns an
//     object into bytes, mostly JSON. Go does it with encoding/json, Pydantic with
//     model_dump_json.
//
// # What can go wrong after status 200
//
// The status line comes before the answer, so what follows may still fail. The table
// shows what this client reports, and beside it what langchaingo v0.1.14's own client
// makes of the same bytes.
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
// Each row is a test of this package, and internal/bench/openai asks both clients.
//
// # Typed APIs: FastAPI and Pydantic, and what Go has
//
// The table shows the parts of a typed HTTP service in Python, and what takes their
// place in Go. This module has no web framework and doesn't need one.
//
//	job                        Python                       Go, and here
//	server                     uvicorn                      net/http
//	routes                     FastAPI's decorators         http.ServeMux: "POST /v1/chat/completions"
//	request and response type  Pydantic BaseModel           struct with json tags
//	validation                 Pydantic, status 422         guard/structured: Schema.Validate
//	typed answers of a model   instructor, Pydantic         guard/structured: Generate
//	dependencies               Depends                      parameters of New
//	waiting for the model      async def, await             a goroutine for each request
//	limits on an endpoint      slowapi                      retry/limit: NewHandler
//	documentation              OpenAPI, made by itself      nothing here
//
// A whole service of this kind is examples/capstone. Its gateway has the routes of the
// OpenAI protocol on net/http, checks each field of a request, and answers errors in
// OpenAI's form.
//
// # Unset is not zero
//
// llms.CallOptions can't express "not set": its temperature is 0 in both cases. This
// client finds out by applying the options twice, and sends only what was set. A
// provider's default then stays the provider's, and temperature 0 can be asked for.
//
// What the options have no name for goes through metadata, for each call:
//
//	llms.WithMetadata(map[string]any{
//		openai.MetadataResponseFormat: schema,
//		openai.MetadataExtra:          map[string]any{"logprobs": true, "top_logprobs": 5},
//	})
//
// # Streams
//
// StreamingFunc gets each part of the text, and tool calls as a JSON array in the
// protocol's form. StreamingReasoningFunc gets reasoning in its first argument and the
// rest in its second. The chunks are the server's, one for one.
//
// An error from a streaming function ends the call at once and closes the connection,
// so that the provider stops generating and billing. The error comes back wrapped.
//
// # A minimal program
//
// The program asks for a short answer, prints it while it comes, and prints what is
// known if it fails.
//
//	model, err := openai.New("gpt-4o-mini", &openai.Options{APIKey: os.Getenv("OPENAI_API_KEY")})
//	if err != nil {
//		log.Fatal(err)
//	}
//	messages := []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "What is jitter?")}
//	r, err := model.GenerateContent(ctx, messages, llms.WithMaxTokens(200),
//		llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
//			fmt.Print(string(chunk))
//			return nil
//		}))
//	var e *openai.Error
//	if errors.As(err, &e) {
//		wait, asked := e.RetryAfter()
//		log.Fatalf("request %s: status %d, code %q, wait %v %v", e.RequestID(), e.HTTPStatus(), e.Code(), wait, asked)
//	}
//	fmt.Println(r.Choices[0].StopReason, r.Choices[0].GenerationInfo["CompletionTokens"])
//
// # Measured
//
// The table shows processor time and memory of this client as a share of another's,
// for the same answers of a local server; less is better. The server's own share is in
// all times.
//
//	                          langchaingo v0.1.14     openai-go v3.96.0
//	                          time      memory        time      memory
//	stream of 2,000 chunks    0.31      0.07          0.31      0.11
//	plain answer              0.69      0.57          0.54      0.46
//
// The command prints wall-clock times and memory: cd internal/bench && go test -run -
// -bench . ./openai (for processor time, run one client at a time, -bench
// '^BenchmarkStream/prodai$' -benchtime 100x, under the command time).
//
// # Pitfalls
//
//   - Don't set a Timeout on the http.Client for streams: because it ends long answers
//     that are healthy. Use the context's deadline, and timeouts between chunks
//     (retry.Timeouts).
//   - Don't retry after the first chunk was shown: because the user would read the
//     beginning twice. Show the error, or use retry.Resume.
//   - Don't stop reading a stream at [DONE]: because a stream that isn't read to its
//     end loses its connection, and the next call needs a new handshake. Read the
//     stream to its end, as this client does.
//   - Don't leave out the usage of streams: because a bill that misses them is too
//     small. This client asks for it with stream_options, unless Options.NoStreamUsage
//     is set.
//   - Don't log the body of an error: because it may quote the prompt. Log
//     [Error.Code] and [Error.RequestID].
//   - Don't make a new client for each request: because each then needs a new
//     connection. Make one [Model] and share it; it is safe for concurrent use.
//   - Don't call a model inside an async def with a blocking client: because it stops
//     all other requests of that Python process. Use the async client, or def without
//     async.
//   - Don't trust a request because it fits its type: because a valid string can
//     contain an attack or a million characters. Limit lengths, and check the content
//     ([github.com/prodailabs/prodai/guard]).
//
// # Questions
//
// Why FastAPI for AI services? FastAPI fits AI services because it has types, async
// and streaming from the start. Requests are checked by Pydantic before your code
// runs, async endpoints wait for slow models without blocking, and StreamingResponse
// sends tokens as they come. The documentation is made from the types.
//
// What is Pydantic used for? Pydantic checks that data has the form you declared. In
// an AI service it is used three times: for the request of the user, for settings from
// the environment, and for the JSON that a model returns. Wrong data becomes a clear
// error instead of a bug later.
//
// What does this library have instead of FastAPI and Pydantic? This library is written
// in Go: net/http is the server, structs with json tags are the models, and
// [github.com/prodailabs/prodai/guard/structured] validates against JSON Schema and
// asks a model again. There is no framework with generated documentation here.
//
// What does status 422 from FastAPI mean? Status 422 Unprocessable Entity from FastAPI
// means that the request's JSON didn't fit the Pydantic model. The body lists each
// wrong field under "detail", with its place ("loc"), message and type. Correct the
// request; a retry of the same request fails again.
//
// What is a request model, and why do I need one? A request model is a class or struct
// that says which fields a request has. It rejects wrong input at the door, documents
// the API, and gives the editor types to complete. Without it each field is checked by
// hand, or not at all.
//
// What is dependency injection, in simple words? Dependency injection means: a
// function is given what it needs. An endpoint gets its model client as a parameter,
// so that a test can give it a fake one. In FastAPI write client =
// Depends(get_client); in Go pass it to the constructor, as retry.New(next, …) does.
//
// What is the difference between a sync and an async endpoint? A sync endpoint (def)
// occupies a thread until its work is done, and an async endpoint (async def) gives
// the thread free while it waits.
//
// Should my endpoint be async def or def (sync)? An endpoint that waits for a model
// should be async def with an async client, because one process can then wait for
// hundreds of answers. An endpoint that computes should be def, or hand its work to a
// worker. In Go write plain code: each request has its own goroutine.
//
// What happens if I block inside async def? A blocking call inside async def stops the
// event loop, and every other request of that process waits. The functions time.sleep
// and requests.get block, and so does a sync model client. Use await asyncio.sleep,
// httpx or the async client.
//
// Why should I stream answers? Streaming lets the user read after about a second
// instead of waiting ten. Streaming also shows early that a target is dead, and lets
// you stop an unwanted answer and its cost. Streaming makes errors harder: the status
// 200 is already sent when something fails.
//
// How do I stream an answer to the browser? To stream an answer to the browser, write
// each chunk as a server-sent event to the open HTTP response and flush it. In FastAPI
// return a StreamingResponse, and in Go call Flush after each write. The browser reads
// it with EventSource, or with fetch for a POST. The program examples/capstone does
// so.
//
// When should I not stream? Don't stream when a program reads the answer, or when the
// whole answer must be checked before it is shown. JSON that is used only as a whole
// needs no stream either. One piece is simpler to retry and to cache.
//
// What is middleware good for? Middleware is good for what every endpoint needs: a
// request id, logging, login, limits, and errors in one form. In FastAPI it is added
// with app.add_middleware or @app.middleware; in Go wrap the handler, as
// limit.NewHandler does.
//
// How do I version and document my API? Put the version into the path, such as
// /v1/ask, and change it only for changes that break clients. FastAPI documents an API
// by itself at /docs, as OpenAPI. In Go, write the OpenAPI file by hand or generate it
// with a library; this module has none.
//
// How do I report an error in the middle of a stream? An error in the middle of a
// stream can't change the status, which was already sent as 200. Send an event with an
// error object, as OpenAI does, and end the stream without a finish_reason. The client
// must treat both as a failure; this client reports [ErrInBand] or
// [ErrIncompleteStream].
//
// What is the difference between SSE and WebSocket? SSE (server-sent events) goes one
// way, from the server to the client, over ordinary HTTP, and a WebSocket goes both
// ways. SSE suits a streamed answer, and a WebSocket suits voice. OpenAI's chat
// completions use SSE.
//
// How do I get structured output as a typed object? Ask for JSON by a schema and
// validate what comes: structured.Generate of
// [github.com/prodailabs/prodai/guard/structured] does both, and asks once more if the
// answer is wrong. In Python, instructor and OpenAI's parse method with a Pydantic
// class do the same.
//
// Which errors can a model call return? A call of this client fails with [ErrOption]
// if it can't be sent, and with an [*Error] otherwise. The [*Error] has the HTTP
// status, or wraps [ErrIncompleteStream], [ErrMalformed], [ErrEmpty], [ErrTooLarge],
// [ErrInBand], [ErrStopReason] or [ErrCallback] when the status was 200.
//
// How do I handle 429 and 503 from the provider? Wrap the model with package retry:
// retry.New(model, nil) waits as long as the server asks, with random time added, and
// tries at most three times. By hand, use fault.FromError and its Class. What each
// status means is in [github.com/prodailabs/prodai/retry/fault].
//
// Why is my answer cut off (finish_reason length)? The finish reason "length" means
// that the answer was cut off at max_tokens, or at the end of the context window. It
// is not an error here: raise llms.WithMaxTokens, or ask for a shorter answer. Don't
// parse such an answer as JSON without a check.
//
// Why is the content empty when finish_reason is tool_calls? With the finish reason
// "tool_calls" the model asks your program to run a function instead of answering. The
// calls are in Choices[0].ToolCalls. Run these functions, add their results as tool
// messages, and ask the model again.
//
// How do I call a local model or another provider? To call a local model, set
// Options.BaseURL to the address of its server: http://localhost:11434/v1 for Ollama,
// http://localhost:8000/v1 for vLLM, or a gateway's address. The model's name is the
// one that the server knows. To use Azure OpenAI, set Options.Azure with its
// APIVersion, and Options.BaseURL to the address of the resource.
//
// How do I set a timeout? Give the call a context with a deadline: ctx, cancel :=
// context.WithTimeout(ctx, 30*time.Second). For streams add retry.Timeouts, which
// bound the first token and the time between tokens. Don't set http.Client.Timeout.
//
// Where should I keep the API key? An API key belongs in an environment variable or a
// secret store, never in code or in an image. This package reads nothing from the
// environment: pass the key in Options.APIKey. A key that the server quotes in an
// error is replaced by "[key]".
//
// Can I set temperature 0? You can set temperature 0 with llms.WithTemperature(0):
// this client sends every option that you set, also if its value is 0, and sends
// nothing that you didn't set.
//
// How do I validate a request? To validate a request in Python, declare a Pydantic
// model and let FastAPI check it. In Go, decode the JSON into a struct with
// json.Decoder and DisallowUnknownFields, check the values, and answer 400 or 422 with
// the wrong field. Limit the size of the body with http.MaxBytesReader.
//
// What does "the stream ended before the answer did" mean? The error "the stream ended
// before the answer did" ([ErrIncompleteStream]) means that the connection or the
// stream ended without a finish_reason. What was received is in Error.Partial. If the
// user has seen nothing yet, retry; otherwise show the error.
//
// What is temperature and which value should I use? Temperature controls chance: 0
// gives nearly the same answer each time, 1 varies. Use 0 for extraction,
// classification and tests, and 0.7 or the provider's default for writing. Even at 0
// answers may differ between runs.
//
// How do I get embeddings? Call openai.NewEmbedder(model, options) and then
// EmbedDocuments or EmbedQuery. It sends up to 512 texts in one request and returns
// one vector for each, in order. An embedder that needs no network is in
// [github.com/prodailabs/prodai/retrieve/embed].
//
// How do I test without an API key and a real model? To test without an API key, use a
// server in your own process: modeltest.NewServer of
// [github.com/prodailabs/prodai/eval/modeltest] answers as you script it, with errors,
// cuts and delays. Such a test costs nothing.
//
// How do I see how many tokens a call used? The usage is in Choices[0].GenerationInfo
// under PromptTokens, CompletionTokens and TotalTokens, if the server sent it. The
// keys are absent if the server sent none: unknown is not zero. The package
// [github.com/prodailabs/prodai/trace/cost] turns the tokens into money.
//
// # Lab
//
// The lab serves failures from this machine to a client, and prints what it reports.
// Look at the last two rows of the table: the client alone reports success for half an
// answer.
//
//	go run ./examples/lab03-errors
//
// The program compose uses this client below three other layers. The lab of typed
// answers is lab03-typed-output, and assignment 1 (examples/assignment1) asks you to
// write a typed call yourself.
//
//	go run ./examples/compose
//
// # Exercises
//
//  1. Start eval/modeltest's Server with Reply{CutAfter: 2} and ask it with this
//     client and with langchaingo's. What does each report?
//  2. Print Error.Partial for a stream that breaks. What would you show the user?
//  3. Find a server that sends usage in every chunk. Which one is the bill?
//  4. Write a handler on net/http with one request struct. Answer 422 with the list of
//     wrong fields, as FastAPI does.
//
// # Further reading
//
//   - WHATWG HTML, 9.2 "Server-sent events": the format, its line ends and its blank
//     lines.
//   - OpenAI, "API reference: chat completions".
//   - RFC 9110, 10.2.3 "Retry-After".
//   - FastAPI documentation: "Request Body", "Dependencies", "Concurrency and async /
//     await".
//   - Pydantic documentation: "Models", "Validation Errors".
//   - This package's example "Server-sent events" (example_reference_test.go): a reader by
//     the rules of the specification, with its traps.
package openai
