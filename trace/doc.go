// Package trace records what a request did: a span for the call that the user made,
// one for every attempt, the decisions of every layer between them, tokens and
// exact cost.
//
// # What you will be able to do
//
//   - Trace a request through model calls, embeddings and retrievals with
//     OpenTelemetry.
//   - Attribute cost to requests and tenants without counting anything twice.
//   - Keep prompts and answers out of traces, or record them on purpose.
//   - Define service level objectives for quality, alert on their burn rate, and
//     handle an incident with a playbook and a post-mortem.
//
// # The problem
//
// A customer writes: "On Tuesday the assistant wrote to me that I have sixty days
// to return it." The right number is thirty. The team looks into its logs and finds
// a line "200 OK, 3.1 s". Which passages was the model shown? Which provider
// answered, or did the answer come from a cache? What did the guard find, how long
// did each step take, and what did it cost? All of that existed for three seconds
// and is gone, because nothing wrote it down.
//
// The team then logs every prompt and every answer. A month later a support
// engineer finds a customer's medical history in the log system, which forty people
// can read. What is written down must not become the next leak.
//
// # The idea
//
// A trace is the story of one request. It is a tree of spans: each span is one step
// with a name, a start, an end, attributes and events. An AI system needs its own
// kind of trace, since a request can succeed technically and be wrong: the status
// is 200, and the answer is invented. So the trace must record what the model was
// asked, by which version, with which passages, at what cost.
//
// A caller asks once, but a retry asks twice, a hedge asks two providers, and a
// cache asks none. So there are two kinds of span here, and usage and cost are on
// attempts only. The picture shows a call whose first attempt failed:
//
//	invoke_workflow answer          what the caller asked for   (KindLogical)
//	├─ event cache.miss
//	├─ retrieval course
//	├─ chat gpt-4o-mini   ERROR 429       an attempt            (KindAttempt)
//	├─ event retry.attempt delay=0.8
//	└─ chat gpt-4o-mini   1200→80 tokens, 151200000 pico-USD ──link──► the failed one
//
// Add up usage and cost over all spans and you have the bill: failed attempts that
// produced tokens are included, cache hits aren't, and nothing is counted twice.
//
// # Terms
//
//   - Trace (also: tracing, distributed tracing): A trace is the record of one
//     request through all parts of a system: a tree of spans with one common trace
//     id.
//   - Span: A span is one step of a trace, such as a model call or a search. It has
//     a name, a start and an end, a parent, attributes, events and a status.
//   - Trace id (also: span id, request id): A trace id is the number that all spans
//     of one request share. Put it into logs and error messages, so that a user's
//     complaint leads to its trace.
//   - Instrumentation (also: auto-instrumentation): Instrumentation is the code
//     that makes spans and metrics. Automatic instrumentation patches known
//     libraries; here you wrap a model, an embedder or a retriever.
//   - Attribute (also: span attribute, tag): An attribute is a key with a value on
//     a span, such as gen_ai.request.model = "gpt-4o-mini". Traces are searched and
//     grouped by attributes.
//   - Span event (also: event): A span event is something that happened at one
//     moment inside a span, such as cache.hit or retry.attempt. [Events] lists
//     those of this library.
//   - Link (also: span link): A link connects a span with another that isn't its
//     parent. Here an attempt has a link to the failed attempt before it.
//   - Context propagation (also: trace context, traceparent, correlation id):
//     Context propagation carries the trace id and the id of the current span along
//     with a request, through function calls (Go's context.Context) and over HTTP
//     (the header traceparent), so that all spans end up in one trace.
//   - Baggage (also: W3C baggage): Baggage is a list of names and values that
//     travels with a request between services, in the header baggage. Anyone who
//     sends a request can write it, so read it by an allow-list.
//   - Prompt version (also: prompt management): A prompt version is one state of a
//     prompt's template, with a name and a number. On spans it shows which change
//     made answers worse or more expensive.
//   - Redaction (also: masking, scrubbing): Redaction replaces secrets and personal
//     data in a text before the text is stored or sent.
//   - Time to first token (also: TTFT, time to first chunk): The time to first token
//     is how long a user waits until a streamed answer begins.
//   - Stall (also: inter-token latency, stream gap): A stall is a long wait between
//     two chunks of a stream, as if the answer had stopped.
//   - Sampling (also: trace sampling): Sampling keeps only a part of all traces to
//     save money.
//   - Head sampling: Head sampling decides at the start of a request whether its
//     trace is kept, for example 1 % of all at random. It is simple, and loses most
//     failures.
//   - Tail sampling: Tail sampling decides at the end of a request whether its
//     trace is kept, and so can keep all failed, slow and expensive ones. It needs
//     memory for the traces in progress, usually in a collector.
//   - OpenTelemetry (also: OTel, OTLP): OpenTelemetry is the open standard for
//     traces, metrics and logs, with libraries for most languages. OTLP is its
//     protocol. Data made with it can be sent to any tool that understands it.
//   - Semantic conventions (also: GenAI semantic conventions, gen_ai attributes):
//     Semantic conventions are OpenTelemetry's agreed names for attributes. Those
//     for generative AI begin with gen_ai, such as gen_ai.usage.input_tokens. This
//     package follows v1.41.1.
//   - Exporter (also: collector, OpenTelemetry Collector): An exporter sends
//     finished spans to a place where they are stored. A collector is a separate
//     program that receives spans, filters them and passes them on.
//   - Logical call (also: workflow span): A logical call is what the caller asked
//     for, once, however many attempts it takes. Its span ([KindLogical]) has the
//     time that the user waited, and no usage.
//   - Attempt (also: attempt span, LLM call span): An attempt is one request to a
//     provider. Its span ([KindAttempt]) has the model, tokens, cost, stop reason
//     and time to first chunk.
//   - Usage (also: token usage): Usage is how many tokens a call used, as the
//     provider reports it: input, output, and of these cached and reasoning tokens.
//     Unknown usage is left out of a span, since zero would be a claim.
//   - Observability (also: LLM observability, monitoring): Observability means that
//     questions about a running system can be answered from what it records, also
//     questions that were not foreseen. Its three kinds of data are logs, metrics
//     and traces.
//   - Log (also: structured log, logging): A log is a list of events with a time. A
//     structured log has fields instead of sentences, so that programs can search
//     it.
//   - Metric (also: counter, gauge, histogram): A metric is a number over time,
//     such as requests a second or the 95th percentile of latency. It is cheap to
//     keep, and shows that something is wrong but not why.
//   - Cardinality (also: label cardinality): Cardinality is the number of different
//     values of a metric's label. A user id or an error message as a label makes a
//     time series for each value, which is expensive. Put such values on spans.
//   - Percentile (also: p50, p95, p99, tail latency): A percentile is the value
//     below which that share of requests lies: with a p95 of 4 seconds, 95 % take
//     at most 4 seconds. The mean hides slow requests, percentiles show them.
//   - LangSmith: LangSmith is a commercial service by the makers of LangChain for
//     traces, datasets and evaluations of LLM programs. It accepts OpenTelemetry
//     traces.
//   - Honeycomb: Honeycomb is a commercial service for traces of any system, made
//     for searching events with many attributes. It accepts OTLP.
//   - Phoenix (also: Arize Phoenix, OpenInference): Phoenix is an open-source tool
//     by Arize for traces and evaluations of LLM programs, which you can run on
//     your own machine. It accepts OTLP, with attributes in its own convention,
//     OpenInference.
//   - Quality regression (also: regression, quality drop): A quality regression is
//     a change that makes answers worse without any error: a new prompt, model
//     version, index or chunker. Only evaluations, samples of answers and users'
//     feedback show it.
//   - Drift (also: data drift, concept drift, model drift): Drift is a slow change
//     after release: users ask other questions (data drift), the right answers
//     change (concept drift), or the provider changes the model. It is found by
//     comparing recent distributions with older ones.
//   - Population stability index (also: PSI): The population stability index
//     compares two distributions in bins: the sum of (new share - old share) ×
//     ln(new share / old share). Below 0.1 is read as stable, above 0.25 as a large
//     change.
//   - Anomaly detection: Anomaly detection finds values that are unusual for their
//     time of day or week, without a fixed threshold. It finds surprises, and also
//     causes many false alerts.
//   - User feedback (also: thumbs up, thumbs down): User feedback is what users
//     report about answers, by thumbs, corrections or by asking again. Few users
//     give it, and mostly unhappy ones, so read its change and not its level.
//   - Golden signals (also: four golden signals): The golden signals are latency,
//     traffic, errors and saturation. For an AI service add quality and cost.
//   - Online evaluation (also: production evaluation): Online evaluation scores a
//     sample of real answers, by rules, a judge model or users' feedback, so that
//     quality becomes a number over time.
//   - Dashboard: A dashboard is a page of charts that shows the state of a system
//     at a glance. A good one answers "are users well served?" first: success,
//     latency, quality, cost.
//   - Service level indicator (also: SLI): A service level indicator is a measured
//     share of good events, such as the share of requests answered in 5 seconds.
//   - Service level objective (also: SLO): A service level objective is the target
//     for an indicator over a time, such as 99 % of answers in 5 seconds over 30
//     days.
//   - Service level agreement (also: SLA): A service level agreement is a contract
//     with a customer about a target, with a penalty if it is missed.
//   - Error budget: An error budget is the share of bad events that the objective
//     allows: 1 - SLO. With an SLO of 99.9 % over 30 days it is 0.1 %, or 43
//     minutes. While some is left, a team may take risks; when it is used up, it
//     stops releases and repairs.
//   - Burn rate: The burn rate is how fast the error budget is used: 1 means that
//     it lasts exactly to the end of the period, 14.4 means that 2 % of a 30-day
//     budget is used in one hour. Alerts on burn rate are about users, not about
//     single failures.
//   - Alert (also: alerting, page, paging): An alert is a message that asks a human
//     to act. A page asks now, also at night; a ticket asks in working hours.
//   - Alert fatigue (also: noisy alerts): Alert fatigue means that people stop
//     reacting because too many alerts need no action. The remedy is to delete or
//     change each alert that led to no action.
//   - Incident (also: outage): An incident is an unplanned event that harms users
//     or could.
//   - Severity (also: SEV1, priority of an incident): The severity of an incident
//     says how bad it is for users, for example SEV1 for many users or leaked data,
//     SEV3 for a small defect. It decides how many people work on it now, and how
//     users are informed.
//   - Escalation (also: escalation policy): Escalation means that an alert goes to
//     the next person if the first one doesn't answer in time, or that experts are
//     called in.
//   - Root cause (also: root cause analysis, five whys): A root cause is a
//     condition without which an incident wouldn't have happened. There are usually
//     several; asking "why?" five times leads from the symptom to them.
//   - On-call (also: on-call engineer): On-call is the duty of being reachable and
//     able to act when a page comes.
//   - Playbook (also: runbook): A playbook is a written list of steps for a kind of
//     incident: how to recognize it, what to check, how to limit the harm, whom to
//     inform. A runbook is the same for one task or one alert.
//   - Mitigation (also: rollback, kill switch): A mitigation limits the harm at
//     once, before the cause is known: roll back, switch to another model, turn a
//     feature off, lower a limit.
//   - Post-mortem (also: postmortem, incident review, retrospective, blameless
//     post-mortem): A post-mortem is a document after an incident: what happened,
//     when, whom it harmed, why, and what will be changed by whom. It is blameless:
//     it asks what made the mistake possible, not who made it.
//   - Mean time to recovery (also: MTTR, mean time to repair): The mean time to
//     recovery is the mean time from the start of an incident to the end of the
//     harm.
//   - Mean time to detect (also: MTTD, time to detect): The mean time to detect is
//     the mean time from the start of an incident until it is noticed. For quality
//     it is often days, unless answers are scored all the time.
//
// # What is recorded, and what is not
//
// Prompts, answers, queries and error messages (which quote prompts) are recorded
// only with Options.Content. The default is off, because more people can read
// traces than may read the data. Names, models, numbers, stop reasons and error
// types are always recorded.
//
// Labels say who and what a call was for: tenant, user and feature. [WithLabels] puts
// them on the context at the edge of the service, and every span below carries them,
// so that costs can be added up by each.
//
// A prompt version is a name, a version and a hash of the template. [NewPrompt] makes
// it where the template is defined, and [WithPrompt] puts it on the context of a
// call. The hash finds a change of the template without a new version.
//
// Content is recorded last on a span, because the SDK drops what comes after 128
// attributes: tenant, tokens and cost of a long chat are kept. Package trace/redact
// removes secrets from spans and logs before they leave the process.
//
// Usage is normalized: input tokens include cached ones, and output tokens include
// reasoning, whatever the provider's own habit is. The cost is in pico-USD (1e-12
// dollars) in the attribute [SpanCostPicoUSD], the tenant in [SpanTenant].
//
// # Layers and events
//
// The layers between the logical call and the attempts don't know about spans. They
// log their decisions with log/slog under fixed names, and a [LogHandler] turns
// each record into an event of the span it happened in. So a trace shows cache
// hits, retries, limits and verdicts of guards where they happened:
//
//	log := slog.New(trace.NewLogHandler(nil))
//	cached, err := cache.New(model, &cache.Options{Logger: log})
//
// Wrappers exist for every interface of langchaingo that does work: [New] for models,
// [NewEmbedder], [NewRetriever], [NewVectorStore], [NewTool] and [NewChain], which
// also fits an agent. [Start] makes a span for any other step. [Callbacks] is a
// callback handler that adds events to the current span.
//
// Streams are measured without delaying a chunk. A span has the time to the first
// chunk, the number of chunks, the longest wait between two, and how many waits were
// longer than Options.Stall. A slow reader of the stream is not counted as a slow
// provider.
//
// A stream that breaks off has no usage of the provider, though it is billed. With
// Options.Tokens the tokens that arrived are counted, and marked with
// [SpanEstimated].
//
// A profile is a version of the conventions. [ProfileV1_41] is the default; the
// others write the same spans under older or newer names. Options.OpenInference
// writes the attributes of that convention beside them, for Phoenix.
//
// The innermost wrapper makes attempt spans, the outermost makes the logical one.
// Attempts find their logical call through the context. [NewRetriever] and
// [NewEmbedder] do the same for searches and embeddings.
//
// # Names
//
// The attributes of spans are listed here by name, type, the spans that may have
// them, and meaning. "content" marks those that are recorded only with
// Options.Content. Each is a constant of this package, such as [SpanTenant] and
// [SpanCostPicoUSD], and [Attributes] returns the table:
//
//	gen_ai.operation.name                      string   all: what the step does: chat, embeddings, retrieval, execute_tool, invoke_agent, invoke_workflow
//	gen_ai.provider.name                       string   attempt, embedding, agent: the company or service that answers
//	gen_ai.request.model                       string   attempt, embedding: the model asked for
//	gen_ai.request.max_tokens                  int      attempt: the limit of output tokens
//	gen_ai.request.temperature                 double   attempt: the temperature asked for
//	gen_ai.request.top_p                       double   attempt: the probability mass that is sampled from
//	gen_ai.request.top_k                       double   attempt, retrieval: how many tokens are sampled from; of a search, how many documents are asked for
//	gen_ai.request.seed                        int      attempt: the seed asked for
//	gen_ai.request.choice.count                int      attempt: how many answers are asked for, if not one
//	gen_ai.request.frequency_penalty           double   attempt: the penalty of frequent tokens
//	gen_ai.request.presence_penalty            double   attempt: the penalty of tokens that occurred
//	gen_ai.request.stop_sequences              string[] attempt: texts that end the answer
//	gen_ai.request.stream                      boolean  attempt: the answer is streamed
//	gen_ai.response.model                      string   attempt: the model that answered
//	gen_ai.response.id                         string   attempt: the provider's id of the answer
//	gen_ai.response.finish_reasons             string[] attempt: why each choice ended
//	gen_ai.response.time_to_first_chunk        double   attempt: seconds to the first chunk
//	gen_ai.usage.input_tokens                  int      attempt, embedding: all input tokens, cached ones included
//	gen_ai.usage.output_tokens                 int      attempt: all output tokens, reasoning included
//	gen_ai.usage.cache_read.input_tokens       int      attempt: input tokens read from the provider's cache
//	gen_ai.usage.cache_creation.input_tokens   int      attempt: input tokens written to the provider's cache
//	gen_ai.usage.reasoning.output_tokens       int      attempt: output tokens that the answer does not show
//	gen_ai.embeddings.dimension.count          int      embedding: the length of a vector
//	gen_ai.data_source.id                      string   retrieval: what is searched
//	gen_ai.tool.name                           string   tool: the tool's name
//	gen_ai.tool.type                           string   tool: function
//	gen_ai.tool.description                    string   tool: what the tool does
//	gen_ai.tool.call.id                        string   tool: the model's id of the tool call
//	mcp.method.name                            string   tool: tools/call, for a tool of an MCP server
//	gen_ai.workflow.name                       string   logical: the workflow's name
//	gen_ai.agent.name                          string   agent: the agent's name
//	gen_ai.conversation.id                     string   all: the conversation's id
//	gen_ai.prompt.name                         string   all: the prompt's name
//	error.type                                 string   all: the HTTP status or one of a few words; absent on success
//	exception.type                             string   event exception: the Go type of the error
//	exception.message                          string   event exception: content: the error's text, which may quote the prompt
//	gen_ai.system_instructions                 json     attempt, logical: content: the system's instructions
//	gen_ai.input.messages                      json     attempt, logical: content: the other messages
//	gen_ai.output.messages                     json     attempt, logical: content: the answer, a message for each choice
//	gen_ai.retrieval.query.text                string   retrieval: content: what was searched for
//	gen_ai.retrieval.documents                 json     retrieval: content: ids and scores of what was found
//	gen_ai.tool.call.arguments                 json     tool: content: what the tool was called with
//	gen_ai.tool.call.result                    json     tool: content: what the tool returned
//	prodai.tenant                              string   all: the tenant that the call belongs to
//	user.id                                    string   all: the user, as an id that is not a name or address
//	prodai.feature                             string   all: the product's feature that made the call
//	prodai.prompt.version                      string   all: the prompt's version
//	prodai.prompt.hash                         string   all: 16 hexadecimal digits of the SHA-256 of the prompt's template
//	prodai.cost.pico_usd                       int      attempt, embedding: the cost in pico-USD; absent if unknown
//	prodai.usage.estimated                     boolean  attempt, embedding: the token counts were counted here, and not reported by the provider
//	prodai.from_cache                          boolean  attempt, logical: the answer came from a response cache
//	prodai.retrieval.count                     int      retrieval: how many documents were found
//	prodai.stream.chunks                       int      attempt, logical: how many chunks were streamed
//	prodai.stream.max_gap                      double   attempt, logical: the longest wait for a chunk after the first, in seconds
//	prodai.stream.stalls                       int      attempt, logical: how many waits were longer than Options.Stall
//	SampleRate                                 int      all: how many traces this one stands for, set by trace/tail; absent means 1
//	retry.attempt                              int      link of attempt: the attempt's number, 1 first
//
// The events of the library's layers are listed here by name, attributes and
// meaning. Each name and each attribute is a constant, such as [EventCacheHit] and
// [AttrTenant], and [Events] returns the table:
//
//	cache.hit            kind, key, model, elapsed, tokens: an answer came from the cache
//	cache.miss           key, model, reason: the cache had no answer, or the call may not be cached
//	cache.store          key, model, tokens, reason: an answer was stored, or the reason why not
//	retry.attempt        attempt, class, status, delay, model, target, reason: an attempt failed and another follows after the delay
//	retry.giveup         attempt, class, status, delay, model, target, reason, elapsed: the call failed for good
//	retry.hedge          attempt, delay, model, target: a second attempt was started beside a slow one
//	retry.nested         attempt, count, model, target: a client below repeated its request by itself: set its own retries to zero
//	retry.guess          attempt, class, model, target: an error had lost its status and code, and its class is a guess: give the client below a fault.Transport
//	retry.resume         attempt, class, status, delay, model, target: a stream was cut, and after the delay its answer is asked to be continued
//	retry.breaker        state, target, count, reason: a circuit breaker changed its state
//	limit.wait           dimension, tenant, delay, tokens, model: the call waits for room under a limit
//	limit.deny           dimension, tenant, delay, tokens, model, reason: a limit refused the call
//	limit.store          state, count, reason: the store of the limits failed: calls go by the rates of this process, or are refused
//	route.pick           target, model, reason, attempt: a target was chosen for an attempt, and why
//	route.target         target, state, reason: a target came up, went down, was drained, or its load can't be read
//	route.canary         state, count, reason: a rollout changed its phase or its weight in percent, or its store failed
//	route.shadow         state, reason: the budget of the shadow traffic is spent
//	queue.dead           id, target, class, attempt, reason: a job became a dead letter
//	queue.lost           id, target, reason: the end of a run could not be stored: the job runs again
//	queue.recover        count: jobs of lost workers were given back
//	queue.hang           id, target: a handler ignored the end of its context, and its slot was given away
//	queue.store          reason: the store of the jobs failed, and is asked again
//	queue.redrive        id: a dead letter was made pending again
//	guard.verdict        stage, check, policy, class, reason, scores, threats, count, elapsed, tenant: a check found something
//	retrieve.query       count, id, scores, elapsed, tenant: passages were retrieved
//	retrieve.truncated   bytes, reason: the end of a collection's file was lost in a crash, and cut off
//	retrieve.fallback    stage, count, reason, elapsed: a stage after the search failed or was too slow, and what came before it was used
//	retrieve.rebuilt     stage, reason: an index stored beside a collection's file could not be used, and is built again
//	tokens.dropped       count, tokens, reason, model: parts of a prompt were dropped to fit the window
//	trace.rejected       target, count, reason: a receiver of traces refused a part of what it was sent
//	usage.invalid        model, reason: a provider reported token counts that can't be right
//
// The events of [Callbacks], and the one of a failed call, are listed here in the same
// way:
//
//	llm.start            count: a provider was called
//	llm.end              count: it answered, with so many choices
//	llm.error            error.type: it failed
//	chain.start          -: a chain began
//	chain.end            -: it ended
//	chain.error          error.type: it failed
//	tool.start           -: a tool was called
//	tool.end             -: it returned
//	tool.error           error.type: it failed
//	agent.action         gen_ai.tool.name: an agent chose a tool
//	agent.finish         -: an agent ended
//	retriever.start      -: a search began
//	retriever.end        count: it found so many documents
//	exception            exception.type, exception.message: the call of the span failed
//
// The metrics are listed here by name, kind and meaning. They have the attributes
// gen_ai.operation.name, gen_ai.provider.name, gen_ai.request.model and error.type,
// and never a tenant or user, since each value of a label makes a time series:
//
//	gen_ai.client.operation.duration            histogram, s        how long a step took
//	gen_ai.client.token.usage                   histogram, {token}  tokens of an attempt, by gen_ai.token.type: input, output
//	gen_ai.client.operation.time_to_first_chunk histogram, s        the wait for the first chunk
//	prodai.cost                                 counter, pico-USD   the cost of attempts and embeddings
//	prodai.cost.unknown                         counter, {call}     calls whose cost is not known
//	prodai.stream.stalls                        counter, {stall}    waits for a chunk longer than Options.Stall
//
// # From a signal to an incident
//
// Quality can fall while every request succeeds, so AI systems need indicators of
// quality beside those of availability. Useful ones are the share of answers with
// valid citations, of refusals and "I don't know", of answers cut by a limit, of
// thumbs down, a judge's score on a sample, and the cost of a request.
//
// An alert should fire on symptoms that users feel, and only if a human must act.
// Burn-rate alerts use two windows, a long one so that a short spike doesn't page,
// and a short one so that the alert ends soon after the problem. For an SLO over 30
// days, Google's SRE workbook recommends:
//
//	burn rate   long window   short window   budget used   action
//	14.4        1 hour        5 minutes      2 %           page
//	6           6 hours       30 minutes     5 %           page
//	1           3 days        6 hours        10 %          ticket
//
// A playbook for a wrong-answer incident has these steps, in this order: confirm
// with a trace; limit the harm (roll back the prompt or model, turn the feature
// off); tell those who are affected; find the cause by comparing traces before and
// after; add the case to the regression set; write the post-mortem.
//
// # A minimal program
//
// The program's middle: spans into a file, an attempt span with cost around the
// client, and a logical span around everything.
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
//	defer provider.Shutdown(ctx)
//	otel.SetTracerProvider(provider)
//	prices, err := cost.Default()
//	if err != nil {
//		return err
//	}
//	attempt, err := trace.New(client, &trace.Options{Provider: "openai", Model: "gpt-4o-mini", Cost: prices.Of})
//	if err != nil {
//		return err
//	}
//	// retry, cache and guard around attempt go here
//	answer, err := trace.New(attempt, &trace.Options{Kind: trace.KindLogical, Name: "support"})
//
// # Measured
//
// The table has the time of a traced call relative to a span with the same attributes
// that is written by hand with OpenTelemetry's SDK, as medians of blocks taken in turn.
// The command prints it: cd internal/bench && go test ./trace -run Ratios -rounds 30 -v
//
//	case                                 time
//	an attempt                           1.3
//	an attempt that is not sampled       0.7
//	an attempt with OpenInference too    2.7
//	metrics added                        1.1 times an attempt
//
// # Pitfalls
//
//   - Don't record prompts and answers by default: traces are read by more people,
//     and kept longer, than the data allows. Do leave Options.Content off, or
//     restrict who reads the traces.
//   - Don't put usage on a parent span too: adding up all spans then doubles the
//     bill. Do put it on attempts only, as [Model] does.
//   - Don't use an error's message as a label of a metric: each message makes a new
//     time series. Do use error.type, which is a status or one of a few words here.
//   - Don't rely on langchaingo's callbacks for traces: they return no context, and
//     half of the providers never report an error or an end. Do wrap the model.
//   - Don't measure the user's wait on the attempt: the attempt's time to first
//     chunk leaves out retries and queues. Do take the duration of the logical
//     span.
//   - Don't sample before you know what matters: a head sample of 1 % loses 99 % of
//     the failures. Do keep all failed, slow and expensive traces (tail sampling).
//   - Don't alert on causes such as CPU load or a single failed request: most need
//     no action, and people stop reading alerts. Do alert on the burn rate of what
//     users feel.
//   - Don't put a tenant or user id on a metric: each makes a time series. Do put it
//     on spans, and on a ledger of trace/cost for exact sums.
//   - Don't take a tenant from a request's baggage at the edge of the system: a client
//     could be billed to another. Do leave it out of BaggageOptions.Allow there.
//   - Don't write a post-mortem that ends with "be more careful": it changes
//     nothing. Do name a change of the system, its owner and a date.
//
// # Questions
//
// What is the difference between logs, metrics and traces? A log is a list of
// single events. A metric is a number over time and shows that something is wrong.
// A trace shows one request with all its steps and shows where it went wrong. You
// need metrics for alerts and traces to find the cause.
//
// Why does AI need its own tracing, and why are logs not enough? An AI (LLM) call
// can return 200 OK and be wrong, so status and latency are not enough. A trace of
// an AI call needs the model and its version, the prompt's version, the passages,
// tokens, cost, stop reason and what guards found. It also has to show retries and
// cache hits, since they change what a request costs.
//
// What is OpenTelemetry, and do I need it? OpenTelemetry is an open standard for
// traces, metrics and logs. You need it if you don't want to depend on one tool:
// this package makes OpenTelemetry spans, and its exporters send them to Phoenix,
// Honeycomb, LangSmith, Jaeger or any other. Without a server, trace/jsonl writes
// spans to a file.
//
// Which tool should I choose: LangSmith, Honeycomb or Phoenix? Choose Phoenix to
// start: it is open source and runs on your machine. Take LangSmith if you use
// LangChain and want traces, datasets and evaluation in one service. Take Honeycomb
// if the AI part is one of many services and you want one place for all. All accept
// OpenTelemetry, so you can change later.
//
// How do I send traces to Phoenix, Honeycomb or LangSmith? To send traces to
// Phoenix, Honeycomb or LangSmith, use an exporter of package trace/otlp with the
// tool's target as the exporter of the tracer provider, instead of the jsonl
// exporter: otlp.Phoenix, otlp.Honeycomb, otlp.LangSmith, otlp.Langfuse, or
// otlp.Collector for any other. OpenTelemetry's own OTLP exporter works too. The
// wrappers of this package use the global tracer provider by default.
//
// How do I set up OpenTelemetry tracing in Go? To set up tracing, make a tracer
// provider of OpenTelemetry's SDK with an exporter, pass it to
// otel.SetTracerProvider, and call its Shutdown at the end. Then wrap the client,
// the embedder and the retriever. The minimal program above does it with a file as
// the destination.
//
// How do I trace an LLM call in Go? To trace an LLM call, wrap the client with
// trace.New(client, &trace.Options{Provider: "openai", Model: "gpt-4o-mini"}). Each
// call makes a span "chat gpt-4o-mini" with tokens, stop reason and errors. Add
// Cost: prices.Of to record the cost.
//
// What attributes should an LLM span have? A span of an LLM call should have the
// provider, the model asked for and the model that answered, the options
// (temperature, max_tokens), the input, output and cached tokens, the cost, the
// stop reason, the time to first chunk, the tenant, and the type of an error.
// [Model] sets these under the names of the semantic conventions.
//
// How do I trace embeddings and retrievals? To trace embeddings and retrievals,
// wrap the embedder with [NewEmbedder] and the retriever with [NewRetriever]. Their
// spans have the duration, the number of documents ([SpanRetrievalCount]) or
// dimensions, and with Options.Content the query and the ids. They appear under the
// logical call if the same context is passed on.
//
// Why are my spans not in one trace? Spans end up in different traces if the
// context is not passed on: a call with context.Background() starts a new trace.
// Pass the ctx of the request to every call. Between services, the header
// traceparent must be sent and read.
//
// Why does my trace show twice the cost? The cost is counted twice if both a parent
// and its child carry usage, or if a framework's own tracing and this package
// record the same call. Here only attempt spans carry usage and cost; add up those
// and nothing else.
//
// How do I find out which customer costs the most? To find out what each customer
// costs, set Options.Tenant, so that each span has the attribute prodai.tenant, and
// Options.Cost. Then add up prodai.cost.pico_usd of the attempt spans by tenant, in
// your tool or in the file of trace/jsonl.
//
// How do I attribute cost to a feature or a prompt version? To attribute cost to a
// feature or a prompt version, put them on the context with [WithLabels] and
// [WithPrompt] before the call. Then add up what the spans cost with jsonl.Sum and
// jsonl.ByFeature or jsonl.ByPrompt.
//
// How do I see which version of a prompt an answer came from? To see the version of a
// prompt in a trace, make a [Prompt] with [NewPrompt] and put it on the context with
// [WithPrompt]. Each span then has its name, version and hash, and two versions can be
// compared by cost, errors and quality.
//
// How do I trace tools and agents? To trace tools and agents, wrap each tool with
// [NewTool] and the agent with [NewChain] and KindAgent. An agent's span has no usage
// of its own; the model calls below it have.
//
// How do I pass the tenant from one service to another? To pass the tenant on, call
// [Baggage.Send] before the request and [Baggage.Receive] in the next service, with
// OpenTelemetry's baggage propagator between them. Only listed members are read, and
// the wrappers remove them before a model's host is called.
//
// How do I sample traces without losing failures? To sample traces without losing
// failures, give package trace/tail the exporter's processor: it keeps all traces
// that failed, were slow, expensive or of a rare tenant, and a part of the others,
// with the weight that makes sums right.
//
// How do I find the trace of a log line? To find the trace of a log line, wrap the
// log's handler with [NewCorrelator]: each record then has trace_id and span_id. A
// [LogHandler] does the reverse, and shows log records as events of the trace.
//
// How do I measure time to first token and stalls? Time to first token and stalls are
// measured by [Model] whenever the caller streams: [SpanFirstChunk], [SpanMaxGap] and
// [SpanStalls]. The metric gen_ai.client.operation.time_to_first_chunk has the
// distribution.
//
// How do I keep prompts out of traces? Leave Options.Content off, which is the
// default: then prompts, answers, queries and error messages are not recorded.
// Check your own log lines and attributes too. If content is needed for some
// requests, redact it first with guard/pii.
//
// Should I log prompts and answers, or store them in traces? Store prompts and
// answers only if you need them, know who can read the traces, and delete them
// after a fixed time. They contain personal data and secrets. This package leaves
// them out unless Options.Content is set. A middle way is to record content for a
// small sample after redaction with guard/pii.
//
// How much does tracing cost in speed? Tracing costs little speed: a span is some
// microseconds of work in the process, against seconds for a model call. Use a
// batching exporter, so that sending doesn't wait. The price of storage is the
// larger cost, and sampling lowers it.
//
// What is drift, and how do I detect it? Drift is a slow change of the questions,
// the right answers or the model after release. Compare a recent week with an older
// one: the distribution of topics, lengths, similarity of the best passage,
// refusals, scores. The population stability index (PSI) is a usual number; above
// 0.25 is read as a large change. Package eval/stats computes PSI,
// KolmogorovSmirnov and CUSUM; this library has no monitor that runs them yet.
//
// How do I notice a quality regression? To notice a quality regression, run a fixed
// regression set before each change of prompt, model or index, with package eval
// and its gates. After release, score a sample of answers each hour and compare
// with the week before. A new version for a few percent of users first (a canary)
// limits the harm.
//
// What is the difference between SLI, SLO and SLA? An SLI is a measurement (98.7 %
// of answers came within 5 seconds). An SLO is your own target for it (99 %). An
// SLA is a promise in a contract, with a penalty, and is set lower than the SLO.
//
// How do I set an SLO for answer quality? To set an SLO for quality, choose what
// counts as a good answer (valid citations, a judge's score of 4 or more, no thumbs
// down), score a fixed random sample each day, and set a target a little below what
// you reach now, such as 95 % of the sample. Alert on the burn rate over days,
// since samples are small.
//
// What is the difference between a page and a ticket? A page asks a human to act
// now, also at night, so it is for harm to users that goes on. A ticket asks for
// work in working hours, for problems that can wait, such as a slowly used error
// budget.
//
// What is an error budget? An error budget is what the objective leaves for
// failures: with an SLO of 99 % over 30 days, 1 % of the requests may be bad. While
// budget is left you may release changes. When it is used up, you stop releases and
// repair.
//
// What is a burn rate, with an example? A burn rate compares the current share of
// bad events with the share that is allowed. With an SLO of 99.9 % and 1.44 %
// failures now, the burn rate is 1.44 / 0.1 = 14.4: the budget of 30 days would be
// gone in 50 hours, and 2 % of it goes in one hour. That is worth a page.
//
// Which alerts should I set up for an LLM service? Set up alerts that page on the
// burn rate of failed or too slow answers, and on money spent an hour. Make tickets
// for a falling quality score, more refusals, fewer cache hits and a provider's
// deprecation date. Each alert needs a playbook; an alert without an action should
// be deleted.
//
// When should an alert wake someone up at night? An alert should page at night only
// if users are harmed now or soon, and a human can do something about it at once: a
// high burn rate, money spent far too fast, a leak. Everything else is a ticket for
// working hours.
//
// How do I avoid alert fatigue? To avoid alert fatigue, alert only on what users
// feel and only if someone must act now. Use two time windows, group alerts with
// one cause, and review each week which alerts led to no action. Change or delete
// those.
//
// What should be on a dashboard for an AI system? A dashboard should show requests
// and success rate, p50 and p95 of time to first token and total time, tokens and
// cost by model and tenant, cache hit rate, retries, guard verdicts, quality score
// and thumbs down, and a mark for each release. Put what users feel at the top.
//
// What should I do in the first five minutes of an incident? In the first minutes
// of an incident, say that it is one, and name one person who leads. Look at what
// changed last, and limit the harm: roll back or switch off. Write down times as
// you go. Inform users early, with what you know. Look for the cause afterwards.
//
// How do I write a runbook, and what does a playbook contain? A playbook contains
// how to recognize the incident (alert, dashboard, example), how to limit the harm
// at once (roll back, switch off, other model), how to find the cause, whom to
// inform and with which words, and how to confirm the end. Each step is a command
// or a link, so that a tired person can follow it at night. Practice it.
//
// What playbooks does an LLM service need? An LLM service needs playbooks for at
// least these: the provider is down or slow; quality has dropped; cost has
// exploded; the assistant wrote something harmful; personal data or a secret has
// leaked; a prompt injection worked; the provider retires the model.
//
// What should I do when the assistant gives wrong answers in production? When the
// assistant gives wrong answers in production, first limit the harm: roll back the
// last change, or turn the feature off. Save the trace ids. Compare traces from
// before and after: model version, prompt version, passages, guard. Repair, add the
// cases to the regression set, and write a post-mortem.
//
// What is in a post-mortem, and why without blame? A post-mortem has a summary, the
// harm to users, a timeline, the causes, what went well, and changes with an owner
// and a date. It is written without blame because people who fear punishment hide
// facts, and because a system that lets one mistake do harm has to be changed.
//
// # Lab
//
// The lab of tracing has a waterfall with a retry, costs read back from a file,
// redaction and a sample:
//
//	go run ./examples/lab15-tracing
//
// Look at the line of the retry and the cost beside it, and at the estimate of each
// tenant from the sample.
//
// The lab is a program with a logical span outside and an attempt span inside,
// whose layers log their events:
//
//	go run ./examples/compose
//
// Look at the events in order: cache.miss, retry.attempt with status 429,
// cache.store, then cache.hit for the second question. The capstone shows the
// events of each answer on its page:
//
//	go run ./examples/capstone
//
// # Exercises
//
//  1. Make the first attempt fail and follow the link from the second span to it.
//     What did the user wait for in between?
//  2. Write a query over a file of trace/jsonl that gives the cost for each tenant.
//  3. Turn Content on and find everything in the file that must not leave the
//     company.
//  4. Define two objectives for a support bot, one of them about quality. Compute
//     their error budgets for 10,000 requests a day.
//
// # Further reading
//
//   - OpenTelemetry, "Semantic conventions for generative AI systems", v1.41.1.
//   - Sigelman et al.: "Dapper, a large-scale distributed systems tracing
//     infrastructure", Google, 2010.
//   - Beyer et al.: "The site reliability workbook", Google, 2018, chapter 5,
//     "Alerting on SLOs".
//   - Beyer et al.: "Site reliability engineering", Google, 2016, chapter 15,
//     "Postmortem culture".
package trace
