package otlp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/prodailabs/prodai/trace"
	"github.com/prodailabs/prodai/trace/cost"
)

// answers fails once with status 429, then answers as gpt-4o-mini does.
type answers struct{ calls int }

type refused struct{}

func (refused) Error() string   { return "slow down" }
func (refused) HTTPStatus() int { return 429 }

func (a *answers) GenerateContent(ctx context.Context, _ []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	var o llms.CallOptions
	for _, apply := range options {
		apply(&o)
	}
	if a.calls++; a.calls == 1 {
		return nil, refused{}
	}
	const text = "The warranty lasts 24 months [1]."
	if o.StreamingFunc != nil {
		time.Sleep(20 * time.Millisecond)
		if err := o.StreamingFunc(ctx, []byte(text)); err != nil {
			return nil, err
		}
	}
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: text, StopReason: "stop",
		GenerationInfo: map[string]any{"ID": "chatcmpl-1", "Model": "gpt-4o-mini", "PromptTokens": 1200, "PromptCachedTokens": 1024, "CompletionTokens": 80}}}}, nil
}

func (a *answers) Call(context.Context, string, ...llms.CallOption) (string, error) { return "", nil }

// rag is a request through retrieval, an embedding, a tool, and a retried model.
type rag struct {
	model llms.Model
	docs  schema.Retriever
	embed *trace.Embedder
	tool  *trace.Tool
}

func (r rag) GenerateContent(ctx context.Context, m []llms.MessageContent, o ...llms.CallOption) (*llms.ContentResponse, error) {
	if _, err := r.embed.EmbedQuery(ctx, "How long is the warranty?"); err != nil {
		return nil, err
	}
	if _, err := r.docs.GetRelevantDocuments(ctx, "How long is the warranty?"); err != nil {
		return nil, err
	}
	if _, err := r.tool.Call(trace.WithToolCall(ctx, "call_1"), `{"id":17}`); err != nil {
		return nil, err
	}
	res, err := r.model.GenerateContent(ctx, m, o...)
	if err != nil {
		res, err = r.model.GenerateContent(ctx, m, o...)
	}
	return res, err
}

func (r rag) Call(context.Context, string, ...llms.CallOption) (string, error) { return "", nil }

type manual struct{}

func (manual) GetRelevantDocuments(context.Context, string) ([]schema.Document, error) {
	return []schema.Document{{PageContent: "The warranty lasts 24 months from the day of purchase.", Metadata: map[string]any{"id": "doc1", "source": "manual.md"}, Score: 0.93}}, nil
}

type embed3 struct{}

func (embed3) EmbedDocuments(_ context.Context, texts []string) ([][]float32, error) {
	return make([][]float32, len(texts)), nil
}
func (embed3) EmbedQuery(context.Context, string) ([]float32, error) { return make([]float32, 3), nil }

type ticket struct{}

func (ticket) Name() string                                 { return "ticket_lookup" }
func (ticket) Description() string                          { return "looks up a ticket" }
func (ticket) Call(context.Context, string) (string, error) { return `{"state":"open"}`, nil }

// TestRealPhoenix sends a trace to the Phoenix at $PRODAI_PHOENIX, and asks its API
// for the spans, the tokens and the cost. `.ci/full phoenix` starts one.
func TestRealPhoenix(t *testing.T) {
	base := os.Getenv("PRODAI_PHOENIX")
	if base == "" {
		t.Skip("PRODAI_PHOENIX is not set to a running Phoenix: .ci/full phoenix starts one")
	}
	project := fmt.Sprint("prodai-", time.Now().UnixNano())
	e, err := New(Phoenix(base, project), nil)
	require.NoError(t, err)
	tp := sdktrace.NewTracerProvider(sdktrace.WithBatcher(e))
	prices, err := cost.Default()
	require.NoError(t, err)
	o := trace.Options{Tracer: tp.Tracer("phoenix-test"), Provider: "openai", Model: "gpt-4o-mini", Cost: prices.Of, OpenInference: true, Content: true,
		Conversation: func(context.Context) string { return "conv-1" }}
	made := func(err error) { require.NoError(t, err) }
	attempt, err := trace.New(&answers{}, &o)
	made(err)
	docs, err := trace.NewRetriever(manual{}, "manuals", &o)
	made(err)
	eo := o
	eo.Model, eo.Cost, eo.Tokens = "text-embedding-3-small", nil, func(string) int { return 9 }
	embedder, err := trace.NewEmbedder(embed3{}, &eo)
	made(err)
	tool, err := trace.NewTool(ticket{}, &o)
	made(err)
	lo := o
	lo.Kind, lo.Name = trace.KindLogical, "support"
	whole, err := trace.New(rag{attempt, docs, embedder, tool}, &lo)
	made(err)
	ctx := trace.WithPrompt(trace.WithLabels(t.Context(), trace.Labels{Tenant: "acme", User: "u1", Feature: "support"}), trace.NewPrompt("support", "7", "Answer from the manual."))
	_, err = whole.GenerateContent(ctx, []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeSystem, "Answer from the manual."), llms.TextParts(llms.ChatMessageTypeHuman, "How long is the warranty?")},
		llms.WithTemperature(0.2), llms.WithStreamingFunc(func(context.Context, []byte) error { return nil }))
	require.NoError(t, err)
	require.NoError(t, tp.Shutdown(context.Background()))
	require.Equal(t, int64(6), e.Stats().Sent)

	spans := phoenixSpans(t, base, project)
	byName := map[string]phoenixSpan{}
	for _, s := range spans {
		if s.Name != "chat gpt-4o-mini" || s.Status == "OK" || s.Status == "UNSET" {
			byName[s.Name] = s
		}
	}
	kinds := map[string]string{"invoke_workflow support": "CHAIN", "embeddings text-embedding-3-small": "EMBEDDING", "retrieval manuals": "RETRIEVER", "execute_tool ticket_lookup": "TOOL", "chat gpt-4o-mini": "LLM"}
	for name, kind := range kinds {
		require.Equal(t, kind, byName[name].Kind, name)
	}
	chat := byName["chat gpt-4o-mini"].Attributes
	require.EqualValues(t, 1200, chat["llm.token_count.prompt"])
	require.EqualValues(t, 80, chat["llm.token_count.completion"])
	require.EqualValues(t, 1024, chat["llm.token_count.prompt_details.cache_read"])
	require.Equal(t, "The warranty lasts 24 months [1].", chat["output.value"])
	require.Contains(t, byName["retrieval manuals"].Attributes["retrieval.documents.0.document.content"], "24 months")
	require.InDelta(t, 0.0001512, phoenixCost(t, base, project), 1e-15, "Phoenix's own price table gives the cost of ours")
	t.Logf("project %s of %s: 6 spans and their cost came back", project, base)
}

type phoenixSpan struct {
	Name       string
	Kind       string `json:"span_kind"`
	Status     string `json:"status_code"`
	Attributes map[string]any
}

// phoenixSpans waits until the spans are there: Phoenix stores them in batches.
func phoenixSpans(t *testing.T, base, project string) []phoenixSpan {
	t.Helper()
	var page struct{ Data []phoenixSpan }
	for range 100 {
		res, err := http.Get(base + "/v1/projects/" + project + "/spans?limit=100")
		require.NoError(t, err)
		err = json.NewDecoder(res.Body).Decode(&page)
		require.NoError(t, errors.Join(res.Body.Close()))
		if err == nil && res.StatusCode == http.StatusOK && len(page.Data) == 6 {
			return page.Data
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("%d of 6 spans came back", len(page.Data))
	return nil
}

// phoenixCost waits for the cost of a project, which Phoenix computes later.
func phoenixCost(t *testing.T, base, project string) float64 {
	t.Helper()
	query, err := json.Marshal(map[string]string{"query": "{projects{edges{node{name costSummary{total{cost}}}}}}"})
	require.NoError(t, err)
	for range 150 {
		res, err := http.Post(base+"/graphql", "application/json", bytes.NewReader(query))
		require.NoError(t, err)
		var out struct {
			Data struct {
				Projects struct {
					Edges []struct {
						Node struct {
							Name        string
							CostSummary struct{ Total struct{ Cost *float64 } }
						}
					}
				}
			}
		}
		require.NoError(t, json.NewDecoder(res.Body).Decode(&out))
		require.NoError(t, res.Body.Close())
		for _, e := range out.Data.Projects.Edges {
			if c := e.Node.CostSummary.Total.Cost; e.Node.Name == project && c != nil && *c > 0 {
				return *c
			}
		}
		time.Sleep(200 * time.Millisecond)
	}
	t.Fatal("Phoenix has no cost for the project")
	return 0
}
