package trace

// The attributes of spans. Those that begin with gen_ai, error, exception, mcp
// and user are names of OpenTelemetry's semantic conventions for generative AI,
// v1.41.1 (2026-05-11), the others are this library's own. They are in one place,
// because the conventions are still in development: see [Profile]. [Attributes]
// has their types and meanings.
const (
	SpanOperation = "gen_ai.operation.name"
	SpanProvider  = "gen_ai.provider.name"

	SpanModel            = "gen_ai.request.model"
	SpanMaxTokens        = "gen_ai.request.max_tokens"
	SpanTemperature      = "gen_ai.request.temperature"
	SpanTopP             = "gen_ai.request.top_p"
	SpanTopK             = "gen_ai.request.top_k"
	SpanSeed             = "gen_ai.request.seed"
	SpanChoices          = "gen_ai.request.choice.count"
	SpanFrequencyPenalty = "gen_ai.request.frequency_penalty"
	SpanPresencePenalty  = "gen_ai.request.presence_penalty"
	SpanStopSequences    = "gen_ai.request.stop_sequences"
	SpanStream           = "gen_ai.request.stream"

	SpanResponseModel = "gen_ai.response.model"
	SpanResponseID    = "gen_ai.response.id"
	SpanFinishReasons = "gen_ai.response.finish_reasons"
	SpanFirstChunk    = "gen_ai.response.time_to_first_chunk"

	SpanInputTokens     = "gen_ai.usage.input_tokens"
	SpanOutputTokens    = "gen_ai.usage.output_tokens"
	SpanCacheRead       = "gen_ai.usage.cache_read.input_tokens"
	SpanCacheCreation   = "gen_ai.usage.cache_creation.input_tokens"
	SpanReasoningTokens = "gen_ai.usage.reasoning.output_tokens"

	SpanDimensions = "gen_ai.embeddings.dimension.count"
	SpanDataSource = "gen_ai.data_source.id"

	SpanTool            = "gen_ai.tool.name"
	SpanToolType        = "gen_ai.tool.type"
	SpanToolDescription = "gen_ai.tool.description"
	SpanToolCallID      = "gen_ai.tool.call.id"
	SpanMCPMethod       = "mcp.method.name"

	SpanWorkflow     = "gen_ai.workflow.name"
	SpanAgent        = "gen_ai.agent.name"
	SpanConversation = "gen_ai.conversation.id"
	SpanPrompt       = "gen_ai.prompt.name"

	SpanErrorType        = "error.type"
	SpanExceptionType    = "exception.type"    // of the event exception
	SpanExceptionMessage = "exception.message" // of the event exception

	SpanSystem        = "gen_ai.system_instructions"
	SpanInput         = "gen_ai.input.messages"
	SpanOutput        = "gen_ai.output.messages"
	SpanQuery         = "gen_ai.retrieval.query.text"
	SpanDocuments     = "gen_ai.retrieval.documents"
	SpanToolArguments = "gen_ai.tool.call.arguments"
	SpanToolResult    = "gen_ai.tool.call.result"

	SpanTenant         = "prodai.tenant"
	SpanUser           = "user.id"
	SpanFeature        = "prodai.feature"
	SpanPromptVersion  = "prodai.prompt.version"
	SpanPromptHash     = "prodai.prompt.hash"
	SpanCostPicoUSD    = "prodai.cost.pico_usd"
	SpanEstimated      = "prodai.usage.estimated"
	SpanFromCache      = "prodai.from_cache"
	SpanRetrievalCount = "prodai.retrieval.count"
	SpanChunks         = "prodai.stream.chunks"
	SpanMaxGap         = "prodai.stream.max_gap"
	SpanStalls         = "prodai.stream.stalls"
	SpanSampleRate     = "SampleRate"

	// LinkAttempt is on the link from an attempt to the failed one before it.
	LinkAttempt = "retry.attempt"
)

// The operations: values of [SpanOperation], and first words of span names.
const (
	OperationChat       = "chat"
	OperationEmbeddings = "embeddings"
	OperationRetrieval  = "retrieval"
	OperationTool       = "execute_tool"
	OperationAgent      = "invoke_agent"
	OperationWorkflow   = "invoke_workflow"
)

// An AttributeInfo is a row of the table of span attributes.
type AttributeInfo struct {
	Name    string
	Type    string // string, int, double, boolean, string[], json (a string)
	Spans   string // the spans that may have it
	Content bool   // it is recorded only with Options.Content
	Meaning string
}

// attributes is the table. The package comment has the same rows.
var attributes = []AttributeInfo{
	{SpanOperation, "string", "all", false, "what the step does: chat, embeddings, retrieval, execute_tool, invoke_agent, invoke_workflow"},
	{SpanProvider, "string", "attempt, embedding, agent", false, "the company or service that answers"},
	{SpanModel, "string", "attempt, embedding", false, "the model asked for"},
	{SpanMaxTokens, "int", "attempt", false, "the limit of output tokens"},
	{SpanTemperature, "double", "attempt", false, "the temperature asked for"},
	{SpanTopP, "double", "attempt", false, "the probability mass that is sampled from"},
	{SpanTopK, "double", "attempt, retrieval", false, "how many tokens are sampled from; of a search, how many documents are asked for"},
	{SpanSeed, "int", "attempt", false, "the seed asked for"},
	{SpanChoices, "int", "attempt", false, "how many answers are asked for, if not one"},
	{SpanFrequencyPenalty, "double", "attempt", false, "the penalty of frequent tokens"},
	{SpanPresencePenalty, "double", "attempt", false, "the penalty of tokens that occurred"},
	{SpanStopSequences, "string[]", "attempt", false, "texts that end the answer"},
	{SpanStream, "boolean", "attempt", false, "the answer is streamed"},
	{SpanResponseModel, "string", "attempt", false, "the model that answered"},
	{SpanResponseID, "string", "attempt", false, "the provider's id of the answer"},
	{SpanFinishReasons, "string[]", "attempt", false, "why each choice ended"},
	{SpanFirstChunk, "double", "attempt", false, "seconds to the first chunk"},
	{SpanInputTokens, "int", "attempt, embedding", false, "all input tokens, cached ones included"},
	{SpanOutputTokens, "int", "attempt", false, "all output tokens, reasoning included"},
	{SpanCacheRead, "int", "attempt", false, "input tokens read from the provider's cache"},
	{SpanCacheCreation, "int", "attempt", false, "input tokens written to the provider's cache"},
	{SpanReasoningTokens, "int", "attempt", false, "output tokens that the answer does not show"},
	{SpanDimensions, "int", "embedding", false, "the length of a vector"},
	{SpanDataSource, "string", "retrieval", false, "what is searched"},
	{SpanTool, "string", "tool", false, "the tool's name"},
	{SpanToolType, "string", "tool", false, "function"},
	{SpanToolDescription, "string", "tool", false, "what the tool does"},
	{SpanToolCallID, "string", "tool", false, "the model's id of the tool call"},
	{SpanMCPMethod, "string", "tool", false, "tools/call, for a tool of an MCP server"},
	{SpanWorkflow, "string", "logical", false, "the workflow's name"},
	{SpanAgent, "string", "agent", false, "the agent's name"},
	{SpanConversation, "string", "all", false, "the conversation's id"},
	{SpanPrompt, "string", "all", false, "the prompt's name"},
	{SpanErrorType, "string", "all", false, "the HTTP status or one of a few words; absent on success"},
	{SpanExceptionType, "string", "event exception", false, "the Go type of the error"},
	{SpanExceptionMessage, "string", "event exception", true, "the error's text, which may quote the prompt"},
	{SpanSystem, "json", "attempt, logical", true, "the system's instructions"},
	{SpanInput, "json", "attempt, logical", true, "the other messages"},
	{SpanOutput, "json", "attempt, logical", true, "the answer, a message for each choice"},
	{SpanQuery, "string", "retrieval", true, "what was searched for"},
	{SpanDocuments, "json", "retrieval", true, "ids and scores of what was found"},
	{SpanToolArguments, "json", "tool", true, "what the tool was called with"},
	{SpanToolResult, "json", "tool", true, "what the tool returned"},
	{SpanTenant, "string", "all", false, "the tenant that the call belongs to"},
	{SpanUser, "string", "all", false, "the user, as an id that is not a name or address"},
	{SpanFeature, "string", "all", false, "the product's feature that made the call"},
	{SpanPromptVersion, "string", "all", false, "the prompt's version"},
	{SpanPromptHash, "string", "all", false, "16 hexadecimal digits of the SHA-256 of the prompt's template"},
	{SpanCostPicoUSD, "int", "attempt, embedding", false, "the cost in pico-USD; absent if unknown"},
	{SpanEstimated, "boolean", "attempt, embedding", false, "the token counts were counted here, and not reported by the provider"},
	{SpanFromCache, "boolean", "attempt, logical", false, "the answer came from a response cache"},
	{SpanRetrievalCount, "int", "retrieval", false, "how many documents were found"},
	{SpanChunks, "int", "attempt, logical", false, "how many chunks were streamed"},
	{SpanMaxGap, "double", "attempt, logical", false, "the longest wait for a chunk after the first, in seconds"},
	{SpanStalls, "int", "attempt, logical", false, "how many waits were longer than Options.Stall"},
	{SpanSampleRate, "int", "all", false, "how many traces this one stands for, set by trace/tail; absent means 1"},
	{LinkAttempt, "int", "link of attempt", false, "the attempt's number, 1 first"},
}

// Attributes returns the table of the attributes that this package's wrappers set
// on spans. Attributes of OpenInference come beside them with
// Options.OpenInference.
func Attributes() []AttributeInfo { return append([]AttributeInfo(nil), attributes...) }
