// Package structured gets typed values out of a model's text. It has a schema from a Go
// type, a parser that repairs the form, and a validator that checks the content. If an
// answer does not fit, it asks the model once more.
//
// # What you will be able to do
//
//   - Write the request model and the response model of an AI service, and state
//     what its validation rejects.
//   - Get a Go struct out of any model with [Generate], and explain each attempt.
//   - Tell a wrong form, which code repairs, from a wrong content, which only the
//     model can correct.
//   - Choose between a prompt, JSON mode, a response format and a tool call.
//   - Bound what invalid answers cost, in attempts and in tokens.
//
// # The problem
//
// A team asks a model for the total of an invoice, and its program needs a number.
// In the demo json.Unmarshal works. In production the answers to the same prompt vary.
// Some are in a code fence, have "Sure!" in front, or have a comma too many. Some have
// the number as "12,50", or are cut at the token limit, and one is an apology. Each case
// is rare. Together they are two calls in a hundred, and each one is an error page.
//
// The team then parses with regular expressions. The pages disappear, and three
// weeks later an accountant finds totals of 0: the code had turned "many" into 0.
// A wrong value that looks right costs more than an error.
//
// # The idea
//
// A model's answer can be wrong in two ways, and they need opposite reactions. A
// wrong form (fences, quotes, commas) changes nothing about the content, so code can
// repair the form without asking. A wrong content is a missing field, a string in the
// place of a number, or a date that does not exist. Code can't repair that, since it
// does not know what was meant. So the model is asked once more, with the problems.
//
// The diagram shows the path of an answer, from text to value:
//
//	answer ──▶ Repair ──▶ Validate ──▶ Check ──▶ value
//	             │           │           │
//	             └── no JSON ┴─ problems ┘
//	                         │
//	                 ask once more, with the list,
//	                 while attempts and tokens last
//
// The package has one function for each step. [For] makes a [Schema] of a Go type, and
// [ParseSchema] reads one that pydantic's model_json_schema() wrote. [Repair] reads
// what a model meant as JSON. [Schema.Validate] names each problem with its place.
// [Generate] does all of it under a budget.
//
// # Terms
//
//   - Structured output (also: typed output, JSON output): Structured output is an
//     answer of a model that follows a given form, such as JSON with given fields, so
//     that a program can use it. [Generate] returns it as a Go value.
//   - JSON: JSON is a text format for objects, lists, strings, numbers, true, false
//     and null. Most web services and models exchange data in JSON.
//   - JSON Schema (also: schema): JSON Schema is a standard language, itself written in
//     JSON, that describes which JSON values are allowed: their types, fields,
//     ranges and patterns. [For] writes such a schema for a Go type.
//   - Validation (also: validator, validating): Validation checks that a value
//     follows its schema before a program uses the value. [Schema.Validate] reports
//     each problem with its place.
//   - Parsing (also: parser, decoding): Parsing turns text into values of a program. It
//     fails on text that breaks the grammar, and does not check what the values mean.
//   - Serialization (also: marshalling, encoding): Serialization turns a value of a
//     program into text or bytes, such as JSON, to send or store it.
//   - Repair (also: JSON repair): Repair changes the form of an answer so that it
//     becomes legal JSON, and never guesses a value. [Repair] drops fences and fixes
//     quotes, commas and brackets.
//   - Re-ask (also: asking again, reask, corrective retry): A re-ask sends an
//     invalid answer back to the model with the list of what is wrong, and requests a
//     corrected answer. [Generate] does so up to Options.MaxAttempts times.
//   - Request model (also: request schema, input model): A request model is the type
//     that describes what a client may send to a service. A request that does not fit
//     is rejected before any code, and any paid model call, runs.
//   - Response model (also: response schema, output model): A response model is the
//     type that describes what a service returns. It keeps internal fields out of
//     the answer, and gives clients and documentation one fixed form.
//   - Pydantic (also: pydantic v2, BaseModel): Pydantic is a Python library that checks
//     data against classes with type hints. Version 2 has its core in Rust and is several
//     times faster than version 1. [ParseSchema] reads its schemas.
//   - FastAPI: FastAPI is a Python framework for web services. It reads a request into
//     a Pydantic model, rejects a bad one with status 422, and writes the API's
//     documentation from the same types.
//   - Dependency injection (also: DI, Depends): Dependency injection means that a
//     function receives the things it needs, such as a model client or a database, as
//     parameters, instead of creating them. A test can then pass a replacement.
//   - OpenAPI (also: Swagger): OpenAPI is a standard description of a web API: its
//     paths, its parameters and the schemas of its bodies. FastAPI writes one by itself.
//   - Path parameter: A path parameter is a part of a URL's path, such as 42 in /orders/42.
//     FastAPI takes it from the path because its name is in the route.
//   - Query parameter: A query parameter is a value after the question mark of a URL, such as
//     limit in /orders?limit=10. FastAPI takes plain arguments of a function from there.
//   - Middleware: Middleware is code that runs around every request of a service, for logs,
//     limits or authentication. In Go it is an http.Handler around another one.
//   - Status 422 (also: 422 Unprocessable Entity, unprocessable content): Status 422
//     reports that a request could be read, but that its values are invalid. FastAPI
//     sends it with a list of the wrong fields.
//   - Type hint (also: type annotation): A type hint is the type that Python code
//     writes beside a name, as in total: float. Python does not check it at run time;
//     Pydantic does. In Go, types are checked by the compiler.
//   - Required field: A required field is a field without which a value is invalid. For
//     [For], each field is required unless its json tag has omitempty or omitzero.
//   - Optional field (also: nullable): An optional field is one that may be left out
//     or be null. A Go pointer may be null; omitempty allows leaving a field out.
//   - Enum (also: enumeration, allowed values): An enum is a fixed list of the values
//     that a field may have. The tag `schema:"enum=slow|fast"` sets one.
//   - Coercion (also: type conversion, lax mode): Coercion turns a value of one type
//     into another, such as "12" into 12. Pydantic coerces by default; this
//     package does not, and reports the problem instead.
//   - JSON mode: JSON mode is a provider's switch that makes each answer legal JSON, but
//     does not promise any fields. [ModeJSON] sets it.
//   - Response format (also: response_format, structured outputs): A response format
//     is a schema that is sent with the request, and that the provider enforces.
//     [ModeResponseFormat] sends it.
//   - Strict mode (also: strict): Strict mode is a provider's promise that an answer
//     fits the schema exactly. It accepts a subset of JSON Schema: all properties
//     required, and no others admitted.
//   - Constrained decoding (also: guided generation, grammar-constrained
//     decoding, masking): Constrained decoding removes, at each step of generation, the
//     tokens that the schema forbids. The form is then right by construction.
//   - Tool call (also: function calling, function call): A tool call is an answer in
//     which the model names a function and gives its arguments as JSON. [ModeTool]
//     uses a forced tool call to get a typed value.
//   - Code fence (also: markdown fence, triple backticks): A code fence is a pair of
//     lines with three backticks around code in markdown. Models put JSON between such
//     lines, and json.Unmarshal fails on them.
//   - Cut answer (also: truncated answer, finish reason length): A cut answer ended at
//     the token limit before the model was finished. It can still be valid JSON with
//     half of the data, so [Generate] never uses one.
//   - Refusal: A refusal is a model's answer that it won't do what was asked. Some
//     providers put it into a field of its own. Asking again does not help.
//   - Partial value (also: partial JSON, streaming JSON): A partial value is what is
//     complete of a structured answer while it still streams. Options.OnPartial
//     receives it; it is a preview, and not validated.
//   - JSON Pointer: A JSON Pointer is a path to one place in a JSON value, such as
//     /lines/0/price. Problems are reported with it.
//   - Constraint (also: field validator, Field): A constraint limits a field beyond
//     its type, such as minimum=0 or a pattern. The schema tag holds constraints;
//     Options.Check holds rules about several fields together.
//
// # Ways to ask for a form
//
// The modes of [Options] differ in what keeps the model to the schema. The table
// compares them:
//
//	mode                what is sent                   what keeps the form
//	ModePrompt          the schema in the prompt       the model's good will
//	ModeJSON            the same, and JSON mode        the provider: legal JSON only
//	ModeResponseFormat  the schema as response_format  the provider, if it is strict
//	ModeTool            the schema as a forced tool    the provider, if it is strict
//
// Validate every answer, of any model and in any mode. A strict answer can still be
// cut, refused, or valid and false. Strict modes take a subset of JSON Schema, so a
// provider may ignore a minimum or a pattern. And a fallback may send the same
// request to a model that is not strict.
//
// Models write fields in the order of the schema. A field "reason" before the field
// "verdict" lets the verdict follow from the reason; the other order gives a
// reason that only defends the verdict.
//
// # How a quote ends a string
//
// The hardest repair is a quote inside a string. In
// {"said": "she said "hi", then left", "n": 1} five quotes could end the string.
// [Repair] asks at each quote whether what follows could follow a string there: a
// comma and then a key, a bracket, or the end. Every other quote belongs to the
// string. The look ahead is bounded, so the time is linear in the text. A parser that
// tries and backtracks can be made to run for minutes by a model that writes quotes.
//
// # A minimal program
//
// The program asks for an invoice, shows it while it streams, and prints the total:
//
//	type Invoice struct {
//		Number string  `json:"number" schema:"pattern=^INV-[0-9]+$"`
//		Total  float64 `json:"total" jsonschema:"with tax, in euros" schema:"minimum=0"`
//	}
//	r, err := structured.Generate(ctx, model, messages, &structured.Options[Invoice]{
//		Mode:      structured.ModeResponseFormat,
//		OnPartial: func(_ context.Context, v Invoice) error { return show(v) },
//	})
//	if err == nil {
//		fmt.Println(r.Value.Total, len(r.Attempts))
//	}
//
// # Measured
//
// The table counts, for 14 answers that models really give, how many a program can use
// after each step. "go run ./examples/lab03-typed-output" prints it, answer by answer:
//
//	step                                       usable of 14
//	encoding/json alone                                   1
//	Repair (12 are legal JSON), then Validate             9
//	Generate, which asks once more                       14
//
// # Pitfalls
//
//   - Don't ask the same question again after an invalid answer: the model does not
//     know what was wrong, and at temperature 0 it repeats itself. Send the list of
//     problems instead, as [Generate] does.
//   - Don't ask again without a budget: a schema that no answer fits costs money
//     forever. Set Options.MaxAttempts, and set Options.MaxTokens as well.
//   - Don't accept a cut answer because it is valid: a list of three items may be the
//     beginning of a list of ten. [Generate] reads an answer only if its stop reason
//     proves that it is complete.
//   - Don't act on a partial value: "sl" is not yet "slow", and a number may get more
//     digits. Show partial values, and use the final one.
//   - Don't read large numbers as float64: above 2^53 digits are lost. A Go int64
//     reads them whole, and [Value].JSON keeps the digits as they were written.
//   - Don't take valid for true: a schema checks that the total is a number, not
//     that it is the right total. Measure correctness with
//     [github.com/prodailabs/prodai/eval].
//   - Don't replace a missing or unreadable value by 0 or "": the error then looks
//     like data. Return the error, or make the field optional and handle its absence.
//   - Don't trust a field because it passed validation: a string of a valid form can
//     contain SQL, HTML or a false address. Check it again where it is used, with
//     [github.com/prodailabs/prodai/guard/sink].
//
// # Questions
//
// How do I get valid JSON out of a language model? To get valid JSON, ask for it with a
// schema, and do not rely on the prompt alone: use [Generate]. It sends the schema, repairs
// the form, validates the content, and asks once more with the list of problems.
//
// Why validate a model's answer at all? Validate a model's answer because a model produces
// text that is likely, not text that is correct in form. Some answers lack a field, change a
// type or add a sentence. Validation finds such an answer at the border of the program, where
// the model can still be asked again, instead of deep in the code.
//
// Why use FastAPI and Pydantic for an AI service? FastAPI suits an AI service because it reads
// each request into a Pydantic model. It rejects a bad request with status 422 before an
// expensive model call starts. It is asynchronous, so one process can wait for many slow model
// calls. It also writes the OpenAPI documentation from the same types.
//
// What does this library have instead of FastAPI and Pydantic? This library is written
// in Go and has no web framework: services use Go's net/http. For Pydantic's job on
// model answers it has [For], [Schema.Validate] and [Generate]. A schema of a Pydantic
// class works here through [ParseSchema].
//
// What is the difference between a request model and a response model? A request model
// describes what the client may send, and rejects what is too long, missing or
// unknown. A response model describes what the service returns, and drops what must
// not leave, such as a raw prompt or a cost. Use two types, even if they look alike.
//
// What is dependency injection good for in an AI service? Dependency injection lets a
// test replace the real model by a scripted one. The test is then free and fast, and gives
// the same result each time. FastAPI does it with Depends. In this library each
// constructor takes its dependencies as parameters, as in [Generate]'s model, and
// [github.com/prodailabs/prodai/eval/modeltest] has the scripted model.
//
// What does 422 Unprocessable Entity mean? Status 422 (Unprocessable Entity) means that the
// server read the request but that its values are invalid: a required field is missing, or a
// string came where a number must be. The body lists the fields. Correct the request; sending
// the same one again gives the same status.
//
// What is the difference between 400, 422 and 502? The difference is where the mistake is. A
// 400 reports a request that can't be read. A 422 reports a request that was read and has
// invalid values. A 502 reports that a server that was needed gave a bad answer: an
// [AnswerError] has this status, because the model failed and not the client.
//
// Which mode should I choose? As the mode, choose [ModeResponseFormat] if the provider
// supports response formats, because it enforces the schema. Choose [ModeTool] if the provider
// has tools but no response formats. [ModePrompt], the default, works with any model.
//
// What is the difference between JSON mode and structured outputs? JSON mode
// promises legal JSON with any fields. Structured outputs (a strict response format)
// promise the fields and types of your schema. Neither promises true values.
//
// Why does json.Unmarshal fail with "invalid character '`' looking for beginning of value"?
// This error of json.Unmarshal means that the model put its JSON into a code fence, which
// begins with a backtick. [Repair] drops the fence and any text around the JSON, so use
// [Generate] or [Schema.Find] in place of json.Unmarshal.
//
// How many times should I ask again? Ask again two times: that is the default
// (Options.MaxAttempts is 3). If a third attempt is often needed, the schema or the prompt is
// unclear: look at the problems in [AnswerError].Attempts, and rename or describe the fields.
//
// What happens if no attempt gives a valid answer? If no attempt gives a valid answer,
// [Generate] returns an [AnswerError] with every attempt: its text, its problems and its
// tokens. It also has the reason why there was no further attempt. The program then shows an
// error, uses a default that is marked as one, or hands the case to a person.
//
// Does asking again differ from a retry? Asking again differs from a retry: a retry repeats
// the same call because the network or the provider failed. A re-ask sends a different
// conversation because the answer was invalid. Retries belong below, in
// [github.com/prodailabs/prodai/retry]; [Generate] does not retry errors of the model.
//
// How do I check a rule about two fields, such as an end after its beginning? A rule about two
// fields belongs in Options.Check, which receives the typed value and returns an error in
// words for the model. It has the place of Pydantic's model_validator. A schema checks each
// field alone.
//
// Can I stream structured output? You can stream structured output: Options.OnPartial receives
// the Go value each time that the value has grown. The values are previews. The result of
// [Generate] is the one that was validated.
//
// Should a field be optional? Make a field optional if the source may lack it. A model
// that must fill a required field that the text does not contain invents a value. A
// pointer field that may be null gives the model an honest way out.
//
// How do I write a good schema for a model? To write a good schema for a model, use few fields
// with plain names. Describe each in its jsonschema tag, and use an enum in place of free
// text. Put the reason before the decision. Keep it flat, because errors become more frequent
// with depth.
//
// Should an endpoint that calls a model be async? An endpoint that calls a model should be
// async in FastAPI: write async def and use an asynchronous client, because a call of seconds
// would otherwise block a worker. Plain def runs in a pool of threads, which is limited. In Go
// each request has its own goroutine, so an ordinary function is enough.
//
// How does FastAPI know what comes from the body and what from the URL? FastAPI knows it from
// the arguments of the function. Arguments named in the route are path parameters, taken from
// the URL. Other arguments of plain types are query parameters. An argument whose type is a
// Pydantic model is read from the body as JSON.
//
// Are there Python libraries that do what this package does? Some Python libraries do what
// this package does: Instructor validates answers with Pydantic and asks again, Outlines masks
// tokens of local models, and json_repair repairs JSON. The path of an answer is the same:
// repair, validate, ask again.
//
// What should a request model of an AI endpoint limit? A request model of an AI endpoint
// should limit the length of the text, and the number of messages. It should also limit the
// list of models and the maximum of output tokens: each of them is money. Refuse unknown
// fields, so that a misspelled one is noticed.
//
// How do I handle errors of AI calls in a web handler? To handle errors of AI calls in a web
// handler, sort them by what the client can do: invalid input is 422, a rate limit 429 with
// Retry-After, a failed or unusable answer 502, and a timeout 504. The lecture's package for
// that is [github.com/prodailabs/prodai/retry/fault].
//
// # Lab
//
// Run the lab, then look at the columns of its table: a "yes" in the second and a "-"
// in the third column is legal JSON with a wrong content. With -v it prints what was
// sent back to the model.
//
//	go run ./examples/lab03-typed-output -v
//
// # Exercises
//
//  1. Write ten model answers, each broken in one way, and find the first that
//     [Repair] reads differently from you. Which reading is right, and why?
//  2. Measure how often a model needs a second attempt for your schema, with the
//     list of problems in the question and without it.
//  3. Put the field "reason" after the verdict instead of before. Does an evaluation
//     see a difference?
//  4. Write the incremental reader that Options.OnPartial does not have: one that
//     never reads a byte twice.
//
// # Further reading
//
//   - RFC 8259, JSON; RFC 6901, JSON Pointer; JSON Schema draft 2020-12.
//   - FastAPI and pydantic: their documentation. OpenAI: Structured outputs.
//   - B. Willard, R. Louf: Efficient guided generation for large language models.
//     arXiv:2307.09702, 2023. How the tokens are masked.
//   - S. Geng et al.: JSONSchemaBench. arXiv:2501.10868, 2025. What engines do not
//     support.
//   - N. Seriot: Parsing JSON is a minefield, 2016.
//   - mangiucugna/json_repair, the Python library measured against here.
package structured
