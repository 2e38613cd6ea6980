package otlp

import (
	"encoding/json"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"

	"github.com/prodailabs/prodai/trace"
)

// values are a span's attributes by name.
type values map[attribute.Key]attribute.Value

func valuesOf(a []attribute.KeyValue) values {
	out := make(values, len(a))
	for _, kv := range a {
		out[kv.Key] = kv.Value
	}
	return out
}

// langSmithKinds are LangSmith's run types by operation.
var langSmithKinds = map[string]string{
	trace.OperationChat: "llm", trace.OperationEmbeddings: "embedding", trace.OperationRetrieval: "retriever",
	trace.OperationTool: "tool", trace.OperationAgent: "chain", trace.OperationWorkflow: "chain",
}

// langSmith adds what LangSmith's documentation of its OTLP endpoint lists.
func langSmith(a []attribute.KeyValue) []attribute.KeyValue {
	v := valuesOf(a)
	operation := v[trace.SpanOperation].AsString()
	kind, ok := langSmithKinds[operation]
	if !ok {
		return a
	}
	out := append(a[:len(a):len(a)], attribute.String("langsmith.span.kind", kind))
	add := func(to string, from attribute.Key) {
		if x, ok := v[from]; ok {
			out = append(out, attribute.KeyValue{Key: attribute.Key(to), Value: x})
		}
	}
	add("langsmith.trace.name", trace.SpanWorkflow)
	add("langsmith.trace.session_id", trace.SpanConversation)
	add("gen_ai.system", trace.SpanProvider)
	for _, key := range []attribute.Key{trace.SpanTenant, trace.SpanUser, trace.SpanFeature, trace.SpanPrompt, trace.SpanPromptVersion, trace.SpanPromptHash, trace.SpanCostPicoUSD} {
		add("langsmith.metadata."+string(key), key)
	}
	n := 0
	out = appendOld(out, "gen_ai.prompt.", &n, "system", v[trace.SpanSystem].AsString())
	out = appendOld(out, "gen_ai.prompt.", &n, "", v[trace.SpanInput].AsString())
	n = 0
	return appendOld(out, "gen_ai.completion.", &n, "", v[trace.SpanOutput].AsString())
}

// appendOld flattens messages to the names before v1.37, gen_ai.prompt.0.role and
// gen_ai.prompt.0.content. With a role, data is the parts of one message.
func appendOld(out []attribute.KeyValue, prefix string, n *int, role, data string) []attribute.KeyValue {
	if data == "" {
		return out
	}
	type part struct {
		Content any `json:"content"`
	}
	type message struct {
		Role  string `json:"role"`
		Parts []part `json:"parts"`
	}
	var messages []message
	if role != "" {
		messages = []message{{Role: role}}
		if json.Unmarshal([]byte(data), &messages[0].Parts) != nil {
			return out
		}
	} else if json.Unmarshal([]byte(data), &messages) != nil {
		return out
	}
	for _, m := range messages {
		var text []string
		for _, p := range m.Parts {
			if s, ok := p.Content.(string); ok {
				text = append(text, s)
			}
		}
		at := prefix + strconv.Itoa(*n)
		out = append(out, attribute.String(at+".role", m.Role), attribute.String(at+".content", strings.Join(text, "\n")))
		*n++
	}
	return out
}

// langfuse adds Langfuse's attributes. Its usage details are mutually exclusive,
// contrary to those of gen_ai: input excludes cached tokens. Langfuse adds the
// details up, so the gen_ai counts must not be counted beside them: its own
// attribute wins.
func langfuse(a []attribute.KeyValue) []attribute.KeyValue {
	v := valuesOf(a)
	out := a[:len(a):len(a)]
	add := func(to string, from attribute.Key) {
		if x, ok := v[from]; ok {
			out = append(out, attribute.KeyValue{Key: attribute.Key(to), Value: x})
		}
	}
	add("session.id", trace.SpanConversation)
	add("langfuse.observation.prompt.name", trace.SpanPrompt)
	if n, err := strconv.Atoi(v[trace.SpanPromptVersion].AsString()); err == nil { // its versions are whole numbers
		out = append(out, attribute.Int("langfuse.observation.prompt.version", n))
	}
	for _, key := range []attribute.Key{trace.SpanTenant, trace.SpanFeature} {
		add("langfuse.trace.metadata."+strings.ReplaceAll(string(key), ".", "_"), key)
	}
	if in, ok := v[trace.SpanInputTokens]; ok {
		read, write, reasoning := v[trace.SpanCacheRead].AsInt64(), v[trace.SpanCacheCreation].AsInt64(), v[trace.SpanReasoningTokens].AsInt64()
		details := map[string]int64{"input": max(in.AsInt64()-read-write, 0), "output": max(v[trace.SpanOutputTokens].AsInt64()-reasoning, 0)}
		for name, n := range map[string]int64{"input_cached_tokens": read, "input_cache_creation": write, "output_reasoning_tokens": reasoning} {
			if n > 0 {
				details[name] = n
			}
		}
		if data, err := json.Marshal(details); err == nil {
			out = append(out, attribute.String("langfuse.observation.usage_details", string(data)))
		}
	}
	if pico, ok := v[trace.SpanCostPicoUSD]; ok {
		out = append(out, attribute.String("langfuse.observation.cost_details", `{"total":`+strconv.FormatFloat(float64(pico.AsInt64())/1e12, 'g', -1, 64)+`}`))
	}
	return out
}
