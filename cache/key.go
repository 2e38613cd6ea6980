package cache

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/callopt"
)

// A Key names a call: two calls have the same key if and only if one answer may
// serve both. It is a SHA-256 over the call's canonical form. Every field in it is
// preceded by its length, so that two different calls never have the same form.
type Key [sha256.Size]byte

// String returns the key in hexadecimal.
func (k Key) String() string { return hex.EncodeToString(k[:]) }

// ErrUncacheable is wrapped by the error of a call that has no key because a part
// of it can't be compared, such as a function among the tools' parameters.
var ErrUncacheable = errors.New("cache: the call can't be compared with another")

// A Scope is what goes into every key of a [Model] beside the call itself.
type Scope struct {
	Model     string              // the model, unless the call names another
	Tenant    string              // answers never cross it
	Namespace string              // version of the prompt or index that the answers depend on
	Normalize func(string) string // applied to each text; nil means byte for byte
	Metadata  []string            // keys of CallOptions.Metadata that change the answer
}

// KeyOf returns the key of a call.
//
// The key is made of all messages, byte for byte, with their roles, parts and
// borders of parts, and of every option that can change the answer. An option that
// is absent differs from one that is zero. Stop words are a set. Schemas and tool
// parameters are compared as JSON values: numbers by value, objects without the
// order of their keys. Left out are the streaming functions, cache-control marks,
// and all metadata but the keys that Scope.Metadata lists, the thinking
// configuration and those that begin with "openai:".
func KeyOf(scope Scope, messages []llms.MessageContent, options ...llms.CallOption) (Key, error) {
	o := callopt.Resolve(options)
	return keyOf(&scope, messages, &o)
}

func keyOf(scope *Scope, messages []llms.MessageContent, o *callopt.Options) (Key, error) {
	k := writers.Get().(*keyWriter)
	defer k.free()
	k.normalize = scope.Normalize
	k.text("model", orElse(o.Model, scope.Model))
	k.text("tenant", scope.Tenant)
	k.text("namespace", scope.Namespace)
	k.options(o, scope.Metadata)
	for _, m := range messages {
		k.text("role", string(m.Role))
		for _, p := range m.Parts {
			k.part(p)
		}
	}
	if k.err != nil {
		return Key{}, k.err
	}
	return Key(k.hash.Sum(k.scratch[:0])), nil
}

// writers keeps the memory of a writer for the next key.
var writers = sync.Pool{New: func() any { return &keyWriter{hash: sha256.New()} }}

// maxScratch is the size from which the buffer of a long message isn't kept.
const maxScratch = 64 << 10

func (k *keyWriter) free() {
	k.hash.Reset()
	k.normalize, k.err = nil, nil
	if cap(k.scratch) > maxScratch {
		k.scratch = nil
	}
	writers.Put(k)
}

func orElse(s, other string) string {
	if s != "" {
		return s
	}
	return other
}

// keyWriter frames fields into a hash and keeps the first error.
type keyWriter struct {
	hash      hash.Hash
	normalize func(string) string
	scratch   []byte
	err       error
}

func (k *keyWriter) text(name, value string) {
	b := k.scratch[:0]
	b = binary.AppendUvarint(b, uint64(len(name)))
	b = append(b, name...)
	b = binary.AppendUvarint(b, uint64(len(value)))
	b = append(b, value...)
	k.hash.Write(b) // a hash never fails
	k.scratch = b
}

func (k *keyWriter) prose(name, value string) {
	if k.normalize != nil {
		value = k.normalize(value)
	}
	k.text(name, value)
}

func (k *keyWriter) json(name string, v any) {
	data, err := canonical(v)
	if err != nil && k.err == nil {
		k.err = fmt.Errorf("%w: %s: %w", ErrUncacheable, name, err)
	}
	k.text(name, string(data))
}

func (k *keyWriter) part(p llms.ContentPart) {
	switch p := p.(type) {
	case llms.TextContent:
		k.prose("text", p.Text)
	case llms.ImageURLContent:
		k.text("image", p.URL)
		k.text("detail", p.Detail)
	case llms.BinaryContent:
		k.text("mime", p.MIMEType)
		k.text("binary", string(p.Data))
	case llms.ToolCall:
		k.text("toolcall", p.ID)
		k.text("type", p.Type)
		if p.FunctionCall != nil {
			k.text("name", p.FunctionCall.Name)
			k.text("arguments", p.FunctionCall.Arguments)
		}
	case llms.ToolCallResponse:
		k.text("toolresult", p.ToolCallID)
		k.text("name", p.Name)
		k.prose("content", p.Content)
	case llms.CachedContent:
		k.part(p.ContentPart) // the mark changes the bill, not the answer
	default:
		if k.err == nil {
			k.err = fmt.Errorf("%w: a part of type %T", ErrUncacheable, p)
		}
	}
}

func (k *keyWriter) options(o *callopt.Options, metadata []string) {
	for _, f := range []struct {
		name  string
		field callopt.Field
		value float64
	}{
		{"candidate_count", callopt.CandidateCount, float64(o.CandidateCount)},
		{"max_tokens", callopt.MaxTokens, float64(o.MaxTokens)},
		{"temperature", callopt.Temperature, o.Temperature},
		{"top_k", callopt.TopK, float64(o.TopK)},
		{"top_p", callopt.TopP, o.TopP},
		{"min_length", callopt.MinLength, float64(o.MinLength)},
		{"max_length", callopt.MaxLength, float64(o.MaxLength)},
		{"n", callopt.N, float64(o.N)},
		{"repetition_penalty", callopt.RepetitionPenalty, o.RepetitionPenalty},
		{"frequency_penalty", callopt.FrequencyPenalty, o.FrequencyPenalty},
		{"presence_penalty", callopt.PresencePenalty, o.PresencePenalty},
	} {
		if o.Has(f.field) {
			k.text(f.name, string(binary.BigEndian.AppendUint64(nil, math.Float64bits(f.value+0)))) // +0: no minus zero
		}
	}
	if o.Has(callopt.Seed) { // float64 can't represent every seed
		k.text("seed", fmt.Sprint(o.Seed))
	}
	if len(o.StopWords) > 0 {
		for _, w := range slices.Compact(slices.Sorted(slices.Values(o.StopWords))) {
			k.text("stop", w)
		}
	}
	if o.JSONMode {
		k.text("json", "true")
	}
	k.text("mime", o.ResponseMIMEType)
	for _, t := range o.Tools {
		k.json("tool", t)
	}
	if o.ToolChoice != nil {
		k.json("tool_choice", o.ToolChoice)
	}
	for _, f := range o.Functions {
		k.json("function", f)
	}
	k.text("function_call", string(o.FunctionCallBehavior))
	if len(o.Metadata) == 0 {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(o.Metadata)) {
		if name == "thinking_config" || strings.HasPrefix(name, "openai:") || slices.Contains(metadata, name) {
			k.json("metadata:"+name, o.Metadata[name])
		}
	}
}

// canonical returns v as JSON with sorted keys and numbers by value.
func canonical(v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return nil, err
	}
	return json.Marshal(byValue(tree)) // encoding/json sorts the keys of maps
}

func byValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			v[key] = byValue(inner)
		}
	case []any:
		for i, inner := range v {
			v[i] = byValue(inner)
		}
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		if f, err := v.Float64(); err == nil {
			if n := int64(f); math.Abs(f) < 1<<53 && float64(n) == f {
				return n
			}
			return f
		}
	}
	return v
}
