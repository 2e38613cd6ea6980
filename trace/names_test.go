package trace

import (
	"context"
	"encoding/json"
	"go/parser"
	"go/token"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/prodailabs/prodai/internal/golden"
)

// conventions are the names of the golden files, with their types.
func conventions(t *testing.T) map[string]string {
	t.Helper()
	var gen, oi struct {
		Attributes []struct{ Name, Type string }
	}
	require.NoError(t, json.Unmarshal(golden.Read(t, "trace", "semconv_genai_v1.41.1.json"), &gen))
	require.NoError(t, json.Unmarshal(golden.Read(t, "trace", "openinference.json"), &oi))
	out := map[string]string{"user.id": "string"}
	for _, a := range append(oi.Attributes, gen.Attributes...) {
		out[a.Name] = a.Type
	}
	return out
}

// TestGoldenNames: every name of the table is one of the conventions, with its
// type, or is this library's own.
func TestGoldenNames(t *testing.T) {
	known := conventions(t)
	for _, a := range Attributes() {
		if strings.HasPrefix(a.Name, "prodai.") || a.Name == SpanSampleRate || a.Name == LinkAttempt {
			continue
		}
		want, ok := known[a.Name]
		require.True(t, ok, "%s is no name of the conventions", a.Name)
		if a.Type != "json" {
			require.True(t, strings.EqualFold(want, a.Type), "%s is %s, want %s", a.Name, a.Type, want)
		}
	}
}

var number = regexp.MustCompile(`^(llm\.(?:input|output)_messages|retrieval\.documents)\.\d+\.(.*)$`)

// TestNoUndeclaredName: every attribute that a wrapper sets is in the table or is
// OpenInference's, with the declared type; and what the table calls content is set
// only with Content.
func TestGoldenEmittedNames(t *testing.T) {
	known := conventions(t)
	table := map[string]AttributeInfo{}
	for _, a := range Attributes() {
		table[a.Name] = a
	}
	types := map[string]attribute.Type{"string": attribute.STRING, "json": attribute.STRING, "int": attribute.INT64, "double": attribute.FLOAT64, "boolean": attribute.BOOL, "string[]": attribute.STRINGSLICE}
	check := func(content bool, a attribute.KeyValue) {
		if info, ok := table[string(a.Key)]; ok {
			require.Equal(t, types[info.Type], a.Value.Type(), a.Key)
			require.False(t, info.Content && !content, "%s without Content", a.Key)
			return
		}
		name := string(a.Key)
		if m := number.FindStringSubmatch(name); m != nil {
			name = strings.TrimPrefix(m[2], "message.tool_calls.0.")
		}
		_, ok := known[name]
		require.True(t, ok, "%s is neither in the table nor OpenInference's", a.Key)
	}
	for _, content := range []bool{false, true} {
		for _, s := range played(t, Options{Content: content, OpenInference: true, Cost: func(string, *llms.ContentResponse) (int64, bool) { return 7, true }}) {
			for _, a := range s.Attributes() {
				check(content, a)
			}
			for _, e := range s.Events() {
				for _, a := range e.Attributes {
					check(content, a)
				}
			}
		}
	}
}

// TestTableIsInThePackageComment: each attribute, event and metric has a line.
func TestTableIsInThePackageComment(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments|parser.PackageClauseOnly)
	require.NoError(t, err)
	text := file.Doc.Text()
	lines := strings.Split(text, "\n")
	row := func(name string) bool {
		return slices.ContainsFunc(lines, func(line string) bool {
			f := strings.Fields(line)
			return strings.HasPrefix(line, "\t") && len(f) > 2 && f[0] == name
		})
	}
	for _, a := range Attributes() {
		require.True(t, row(a.Name), "the package comment has no line for %s", a.Name)
	}
	for _, e := range Events() {
		require.True(t, row(e.Name), "the package comment has no line for %s", e.Name)
	}
	for _, m := range []string{MetricDuration, MetricTokens, MetricFirstChunk, MetricCostPicoUSD, MetricUnpriced, MetricStalls} {
		require.True(t, row(m), "the package comment has no line for %s", m)
	}
	for name, value := range constants(t, "callbacks.go") {
		require.True(t, row(value), "the package comment has no line for %s", name)
	}
	declared := map[string]bool{}
	for name, value := range constants(t, "semconv.go") {
		if strings.HasPrefix(name, "Span") || strings.HasPrefix(name, "Link") {
			declared[value] = true
		}
	}
	require.Len(t, Attributes(), len(declared), "each constant has a row")
}

// TestGoldenSchemas: captured content is what the conventions' JSON schemas allow,
// for every kind of part.
func TestGoldenSchemas(t *testing.T) {
	provider, rec := recorder()
	m, err := New(generate(func(context.Context, llms.CallOptions) (*llms.ContentResponse, error) {
		return &llms.ContentResponse{Choices: []*llms.ContentChoice{
			{Content: "a", StopReason: "stop", ReasoningContent: "because"},
			{StopReason: "tool_calls", ToolCalls: []llms.ToolCall{{ID: "1", FunctionCall: &llms.FunctionCall{Name: "f", Arguments: `{"x":1}`}}, {ID: "2"}}},
			{Content: "b"}, {Content: "c", StopReason: "max_tokens"}, {Content: "d", StopReason: "safety"}, {Content: "e", StopReason: "made up"},
		}}, nil
	}), &Options{Tracer: provider.Tracer("t"), Content: true})
	require.NoError(t, err)
	_, err = m.GenerateContent(t.Context(), []llms.MessageContent{
		{Role: llms.ChatMessageTypeSystem, Parts: []llms.ContentPart{llms.TextPart("be brief"), llms.TextPart("")}},
		{Role: llms.ChatMessageTypeHuman, Parts: []llms.ContentPart{llms.TextPart("hi"), llms.ImageURLPart("https://x/y.png"), llms.BinaryPart("image/png", []byte{1, 2}), llms.BinaryPart("audio/wav", nil), nil}},
		{Role: llms.ChatMessageTypeAI, Parts: []llms.ContentPart{llms.ToolCall{ID: "1", FunctionCall: &llms.FunctionCall{Name: "f", Arguments: "not json"}}, llms.ToolCall{}}},
		{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{llms.ToolCallResponse{ToolCallID: "1", Content: "ok"}, llms.ToolCallResponse{}}},
		{Role: llms.ChatMessageTypeGeneric, Parts: nil},
	})
	require.NoError(t, err)
	v, err := NewVectorStore(manuals{}, "m", &Options{Tracer: provider.Tracer("t"), Content: true})
	require.NoError(t, err)
	_, err = v.SimilaritySearch(t.Context(), "q", 2)
	require.NoError(t, err)
	for file, where := range map[string]struct {
		span sdktrace.ReadOnlySpan
		key  string
	}{
		"gen-ai-input-messages.json": {rec.Ended()[0], SpanInput}, "gen-ai-output-messages.json": {rec.Ended()[0], SpanOutput},
		"gen-ai-system-instructions.json": {rec.Ended()[0], SpanSystem}, "gen-ai-retrieval-documents.json": {rec.Ended()[1], SpanDocuments},
	} {
		var schema jsonschema.Schema
		require.NoError(t, json.Unmarshal(golden.Read(t, "trace", "schemas/"+file), &schema))
		resolved, err := schema.Resolve(nil)
		require.NoError(t, err, file)
		got, ok := find(where.span.Attributes(), where.key)
		require.True(t, ok, where.key)
		var value any
		require.NoError(t, json.Unmarshal([]byte(got.AsString()), &value))
		require.NoError(t, resolved.Validate(value), "%s: %s", file, got.AsString())
		require.Error(t, resolved.Validate(map[string]any{"x": 1}), "the schema can fail")
	}
}

// TestProfiles: another version of the conventions is another set of names for the
// same spans.
func TestProfiles(t *testing.T) {
	old, next := played(t, Options{Profile: ProfileV1_36, Content: true}), played(t, Options{Profile: ProfileNext, Content: true, OpenInference: true})
	requireAttribute(t, old["chat"].Attributes(), "gen_ai.system", "openai")
	for _, key := range []string{SpanProvider, SpanInput, SpanOutput} {
		_, ok := find(old["chat"].Attributes(), key)
		require.False(t, ok, key)
	}
	requireAttribute(t, next["chat_anthropic_cache"].Attributes(), "gen_ai.usage.cache_write.input_tokens", 2089)
	requireAttribute(t, next["chat_anthropic_cache"].Attributes(), "llm.token_count.prompt_details.cache_write", 2089)
	requireAttribute(t, next["retrieval"].Attributes(), "gen_ai.retrieval.top_k", 2)
	_, ok := find(next["retrieval"].Attributes(), SpanTopK)
	require.False(t, ok)
	out, _ := find(next["chat"].Attributes(), SpanOutput)
	require.NotContains(t, out.AsString(), "finish_reason")
	require.Equal(t, "az.ai.openai", oldSystem(attribute.StringValue("azure.ai.openai")).AsString())
	_, err := New(generate(nil), &Options{Profile: 9})
	require.ErrorIs(t, err, ErrOption)
}

func TestObjectIsJSON(t *testing.T) {
	got := object([]attribute.KeyValue{attribute.Int("i", -3), attribute.Float64("f", 1e21), attribute.Float64("nan", math.NaN()), attribute.Bool("b", true), attribute.String("s", "a\"\x00<"), attribute.StringSlice("l", []string{"x"})})
	require.JSONEq(t, `{"i":-3,"f":1e21,"nan":null,"b":true,"s":"a\"\u0000<","l":["x"]}`, got)
}
