package trace

// The span attributes that are this library's own. All others are those of the
// semantic conventions for generative AI.
const (
	SpanCostPicoUSD    = "prodai.cost.pico_usd"   // int: what an attempt cost, in pico-USD
	SpanTenant         = "prodai.tenant"          // string: the tenant that the call belongs to
	SpanFromCache      = "prodai.from_cache"      // bool: the answer came from a response cache
	SpanRetrievalCount = "prodai.retrieval.count" // int: how many documents were found
)

// The names of OpenTelemetry's semantic conventions for generative AI, v1.41.1
// (2026-05-11). They are in one place because they are still in development and
// will change.
const (
	opChat       = "chat"
	opEmbeddings = "embeddings"
	opRetrieval  = "retrieval"
	opWorkflow   = "invoke_workflow"

	keyOperation    = "gen_ai.operation.name"
	keyProvider     = "gen_ai.provider.name"
	keyWorkflow     = "gen_ai.workflow.name"
	keyConversation = "gen_ai.conversation.id"

	keyModel            = "gen_ai.request.model"
	keyMaxTokens        = "gen_ai.request.max_tokens"
	keyTemperature      = "gen_ai.request.temperature"
	keyTopP             = "gen_ai.request.top_p"
	keyTopK             = "gen_ai.request.top_k"
	keySeed             = "gen_ai.request.seed"
	keyChoices          = "gen_ai.request.choice.count"
	keyFrequencyPenalty = "gen_ai.request.frequency_penalty"
	keyPresencePenalty  = "gen_ai.request.presence_penalty"
	keyStop             = "gen_ai.request.stop_sequences"
	keyStream           = "gen_ai.request.stream"

	keyResponseModel = "gen_ai.response.model"
	keyResponseID    = "gen_ai.response.id"
	keyFinish        = "gen_ai.response.finish_reasons"
	keyFirstChunk    = "gen_ai.response.time_to_first_chunk"

	keyInputTokens     = "gen_ai.usage.input_tokens"
	keyOutputTokens    = "gen_ai.usage.output_tokens"
	keyCacheRead       = "gen_ai.usage.cache_read.input_tokens"
	keyCacheCreation   = "gen_ai.usage.cache_creation.input_tokens"
	keyReasoningTokens = "gen_ai.usage.reasoning.output_tokens"

	keyDimensions = "gen_ai.embeddings.dimension.count"
	keySource     = "gen_ai.data_source.id"

	keySystem    = "gen_ai.system_instructions"
	keyInput     = "gen_ai.input.messages"
	keyOutput    = "gen_ai.output.messages"
	keyQuery     = "gen_ai.retrieval.query.text"
	keyDocuments = "gen_ai.retrieval.documents"

	keyErrorType        = "error.type"
	keyExceptionType    = "exception.type"
	keyExceptionMessage = "exception.message"
)

// Names of our own, where the conventions have none.
const (
	keyCost      = SpanCostPicoUSD
	keyTenant    = SpanTenant
	keyAttempt   = "retry.attempt" // on the link from an attempt to the failed one before
	keyFromCache = SpanFromCache
	keyCount     = SpanRetrievalCount
)
