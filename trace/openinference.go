package trace

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"
	"go.opentelemetry.io/otel/attribute"

	"github.com/prodailabs/prodai/internal/docmeta"
)

// OpenInference is the convention of Arize Phoenix. Its attributes are written
// beside those of gen_ai, since Phoenix derives only a part of them.
const (
	oiKind          = "openinference.span.kind"
	oiPrompt        = "llm.token_count.prompt"
	oiCompletion    = "llm.token_count.completion"
	oiTotal         = "llm.token_count.total"
	oiCost          = "llm.cost.total"
	oiParameters    = "llm.invocation_parameters"
	oiPromptVersion = "llm.prompt_template.version"
	oiInput         = "input.value"
	oiOutput        = "output.value"
	oiMetadata      = "metadata"
)

// oiKinds are the span kinds by operation.
var oiKinds = map[string]string{
	OperationChat: "LLM", OperationEmbeddings: "EMBEDDING", OperationRetrieval: "RETRIEVER",
	OperationTool: "TOOL", OperationAgent: "AGENT", OperationWorkflow: "CHAIN",
}

// oiNames are the attributes with the same value under another name.
var oiNames = map[attribute.Key][]string{
	SpanProvider:        {"llm.provider", "llm.system"},
	SpanInputTokens:     {oiPrompt},
	SpanOutputTokens:    {oiCompletion},
	SpanCacheRead:       {"llm.token_count.prompt_details.cache_read"},
	SpanCacheCreation:   {"llm.token_count.prompt_details.cache_write"},
	SpanReasoningTokens: {"llm.token_count.completion_details.reasoning"},
	SpanConversation:    {"session.id"},
	SpanTool:            {"tool.name"},
	SpanToolCallID:      {"tool.id"},
	SpanToolDescription: {"tool.description"},
	SpanToolArguments:   {"tool.parameters", oiInput},
	SpanToolResult:      {oiOutput},
	SpanAgent:           {"agent.name"},
	SpanQuery:           {oiInput},
	SpanPromptVersion:   {oiPromptVersion},
}

// metadata are the attributes that Phoenix shows as one JSON object.
var metadata = map[attribute.Key]bool{SpanTenant: true, SpanFeature: true, SpanPrompt: true, SpanPromptVersion: true, SpanPromptHash: true}

// openInference returns the attributes that say the same as a.
func openInference(operation string, a []attribute.KeyValue) []attribute.KeyValue {
	out := make([]attribute.KeyValue, 0, len(a)+4)
	var tokens int64
	var parameters, meta []attribute.KeyValue
	for _, kv := range a {
		if metadata[kv.Key] {
			meta = append(meta, kv)
		}
		for _, name := range oiNames[kv.Key] {
			out = append(out, attribute.KeyValue{Key: attribute.Key(name), Value: kv.Value})
		}
		switch kv.Key {
		case SpanOperation:
			out = append(out, attribute.String(oiKind, oiKinds[operation]))
		case SpanModel:
			name := "llm.model_name"
			if operation == OperationEmbeddings {
				name = "embedding.model_name"
			}
			out = append(out, attribute.String(name, kv.Value.AsString()))
		case SpanInputTokens, SpanOutputTokens:
			tokens += kv.Value.AsInt64()
		case SpanCostPicoUSD:
			out = append(out, attribute.Float64(oiCost, float64(kv.Value.AsInt64())/1e12))
		case SpanFinishReasons:
			if reasons := kv.Value.AsStringSlice(); len(reasons) > 0 {
				out = append(out, attribute.String("llm.finish_reason", reasons[0]))
			}
		default:
			if name, ok := strings.CutPrefix(string(kv.Key), "gen_ai.request."); ok && operation == OperationChat {
				parameters = append(parameters, attribute.KeyValue{Key: attribute.Key(name), Value: kv.Value})
			}
		}
	}
	if tokens > 0 {
		out = append(out, attribute.Int64(oiTotal, tokens))
	}
	if len(parameters) > 0 {
		out = append(out, attribute.String(oiParameters, object(parameters)))
	}
	if len(meta) > 0 {
		out = append(out, attribute.String(oiMetadata, object(meta)))
	}
	return out
}

// object writes attributes as a JSON object. encoding/json would take most of the time
// of a span for the few numbers and words in it.
func object(list []attribute.KeyValue) string {
	b := make([]byte, 0, 128)
	for i, kv := range list {
		if i == 0 {
			b = append(b, '{')
		} else {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), kv.Key...), `":`...) // the names need no escapes
		switch kv.Value.Type() {
		case attribute.INT64:
			b = strconv.AppendInt(b, kv.Value.AsInt64(), 10)
		case attribute.BOOL:
			b = strconv.AppendBool(b, kv.Value.AsBool())
		case attribute.FLOAT64:
			if f := kv.Value.AsFloat64(); math.IsNaN(f) || math.IsInf(f, 0) {
				b = append(b, "null"...)
			} else {
				b = strconv.AppendFloat(b, f, 'g', -1, 64)
			}
		default:
			b = append(b, asJSON(kv.Value.AsInterface())...)
		}
	}
	return string(append(b, '}'))
}

// openInferenceText is a step's input or output as plain text.
func openInferenceText(input bool, text string) []attribute.KeyValue {
	if input {
		return []attribute.KeyValue{attribute.String(oiInput, text), attribute.String("input.mime_type", mimeOf(text))}
	}
	return []attribute.KeyValue{attribute.String(oiOutput, text), attribute.String("output.mime_type", mimeOf(text))}
}

func mimeOf(text string) string {
	if strings.HasPrefix(text, "{") && json.Valid([]byte(text)) {
		return "application/json"
	}
	return "text/plain"
}

// openInferenceInput flattens messages, the system's first, one attribute a field.
// Roles are recorded always, texts only with content.
func openInferenceInput(messages []llms.MessageContent, content bool) []attribute.KeyValue {
	var out []attribute.KeyValue
	n := 0
	add := func(system bool) {
		for _, m := range messages {
			if (m.Role == llms.ChatMessageTypeSystem) != system {
				continue
			}
			prefix := "llm.input_messages." + strconv.Itoa(n) + ".message."
			out = append(out, attribute.String(prefix+"role", roleOf(m.Role)))
			n++
			if content {
				out = appendFlatParts(out, prefix, m.Parts)
			}
		}
	}
	add(true)
	add(false)
	return out
}

func appendFlatParts(out []attribute.KeyValue, prefix string, parts []llms.ContentPart) []attribute.KeyValue {
	var text []string
	calls := 0
	for _, p := range parts {
		switch p := p.(type) {
		case llms.TextContent:
			text = append(text, p.Text)
		case llms.CachedContent:
			if t, ok := p.ContentPart.(llms.TextContent); ok {
				text = append(text, t.Text)
			}
		case llms.ToolCallResponse:
			text = append(text, p.Content)
			out = append(out, attribute.String(prefix+"tool_call_id", p.ToolCallID))
		case llms.ToolCall:
			out = appendFlatCall(out, prefix, calls, p)
			calls++
		}
	}
	if text != nil {
		out = append(out, attribute.String(prefix+"content", strings.Join(text, "\n")))
	}
	return out
}

func appendFlatCall(out []attribute.KeyValue, prefix string, n int, t llms.ToolCall) []attribute.KeyValue {
	prefix += "tool_calls." + strconv.Itoa(n) + ".tool_call."
	out = append(out, attribute.String(prefix+"id", t.ID))
	if t.FunctionCall != nil {
		out = append(out, attribute.String(prefix+"function.name", t.FunctionCall.Name), attribute.String(prefix+"function.arguments", t.FunctionCall.Arguments))
	}
	return out
}

// openInferenceOutput flattens the answer.
func openInferenceOutput(r *llms.ContentResponse, content bool) []attribute.KeyValue {
	var out []attribute.KeyValue
	n := 0
	for _, c := range r.Choices {
		if c == nil {
			continue
		}
		prefix := "llm.output_messages." + strconv.Itoa(n) + ".message."
		out = append(out, attribute.String(prefix+"role", "assistant"))
		if content {
			out = append(out, attribute.String(prefix+"content", c.Content))
			for i, t := range c.ToolCalls {
				out = appendFlatCall(out, prefix, i, t)
			}
			if n == 0 {
				out = append(out, openInferenceText(false, c.Content)...)
			}
		}
		n++
	}
	return out
}

// openInferenceDocuments flattens what a search found. The conventions of gen_ai
// have no place for the documents' text.
func openInferenceDocuments(docs []schema.Document) []attribute.KeyValue {
	var out []attribute.KeyValue
	for i, d := range docs {
		prefix := "retrieval.documents." + strconv.Itoa(i) + ".document."
		id, _ := docmeta.String(d.Metadata, docmeta.ID)
		out = append(out, attribute.String(prefix+"id", id), attribute.Float64(prefix+"score", score(d.Score)), attribute.String(prefix+"content", d.PageContent))
		if data, err := json.Marshal(d.Metadata); err == nil && len(d.Metadata) > 0 {
			out = append(out, attribute.String(prefix+"metadata", string(data)))
		}
	}
	return out
}

// score returns the float64 that is written as the float32 is.
func score(s float32) float64 {
	f, err := strconv.ParseFloat(strconv.FormatFloat(float64(s), 'g', -1, 32), 64)
	if err != nil {
		return float64(s)
	}
	return f
}

// lastUserText is the text of the last message of a user.
func lastUserText(messages []llms.MessageContent) string {
	for i := len(messages) - 1; i >= 0; i-- {
		if messages[i].Role != llms.ChatMessageTypeHuman {
			continue
		}
		var text []string
		for _, p := range messages[i].Parts {
			if t, ok := p.(llms.TextContent); ok {
				text = append(text, t.Text)
			}
		}
		return strings.Join(text, "\n")
	}
	return ""
}
