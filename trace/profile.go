package trace

import (
	"encoding/json"

	"go.opentelemetry.io/otel/attribute"
)

// A Profile is a version of the semantic conventions for generative AI. Each of
// them renamed attributes, and a tool reads the names of its own version.
type Profile uint8

// The profiles. The names of the constants (SpanProvider, …) are those of
// ProfileV1_41.
const (
	ProfileV1_41 Profile = iota // v1.41.1 of 2026-05-11, the last one that was published
	ProfileV1_36                // v1.36, before gen_ai.system became gen_ai.provider.name
	ProfileNext                 // the head of the repository semantic-conventions-genai, which is not published
)

// A rename is what a profile calls an attribute. The value may have another form
// too.
type rename struct {
	name  string
	value func(attribute.Value) attribute.Value // nil: unchanged
}

// renames are the differences from ProfileV1_41. An attribute without a row keeps
// its name, also where an older version had none for it.
var renames = map[Profile]map[attribute.Key]rename{
	ProfileV1_36: {
		SpanProvider: {"gen_ai.system", oldSystem},
		SpanInput:    {"gen_ai.prompt", nil},
		SpanOutput:   {"gen_ai.completion", nil},
	},
	ProfileNext: {
		SpanCacheCreation: {"gen_ai.usage.cache_write.input_tokens", nil},
		SpanTopK:          {SpanTopK, whole},
		SpanPromptVersion: {"gen_ai.prompt.version", nil},
		SpanOutput:        {SpanOutput, withoutFinishReason},
	},
}

// onRetrieval has the rows for spans of searches, which differ.
var onRetrieval = map[Profile]map[attribute.Key]rename{
	ProfileNext: {SpanTopK: {"gen_ai.retrieval.top_k", whole}},
}

// oldSystems are the providers' names before v1.37.
var oldSystems = map[string]string{
	"azure.ai.inference": "az.ai.inference", "azure.ai.openai": "az.ai.openai", "x_ai": "xai",
}

func oldSystem(v attribute.Value) attribute.Value {
	if old, ok := oldSystems[v.AsString()]; ok {
		return attribute.StringValue(old)
	}
	return v
}

func whole(v attribute.Value) attribute.Value { return attribute.Int64Value(int64(v.AsFloat64())) }

func withoutFinishReason(v attribute.Value) attribute.Value {
	var messages []map[string]json.RawMessage
	if json.Unmarshal([]byte(v.AsString()), &messages) != nil {
		return v
	}
	for _, m := range messages {
		delete(m, "finish_reason")
	}
	return attribute.StringValue(asJSON(messages))
}

// renamed changes a to the names of the profile, in place.
func (o *Options) renamed(operation string, a []attribute.KeyValue) []attribute.KeyValue {
	table := renames[o.Profile]
	if table == nil {
		return a
	}
	special := onRetrieval[o.Profile]
	for i, kv := range a {
		r, ok := special[kv.Key]
		if !ok || operation != OperationRetrieval {
			r, ok = table[kv.Key]
		}
		if !ok {
			continue
		}
		a[i].Key = attribute.Key(r.name)
		if r.value != nil {
			a[i].Value = r.value(kv.Value)
		}
	}
	return a
}

// schemaURL names the profile's conventions to the tracer.
func (p Profile) schemaURL() string {
	switch p {
	case ProfileV1_36:
		return "https://opentelemetry.io/schemas/1.36.0"
	case ProfileNext:
		return "" // it has no number yet
	}
	return "https://opentelemetry.io/schemas/1.41.0"
}
