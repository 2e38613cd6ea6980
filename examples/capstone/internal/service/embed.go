package service

import (
	"context"

	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retry/limit"
)

// Embed returns the vectors of texts and how many tokens they have. The tokens
// count against the tenant's limits, as those of questions do.
func (s *Service) Embed(ctx context.Context, texts []string) (vectors [][]float32, tokens int, err error) {
	call := &embedCall{texts: texts}
	message := llms.MessageContent{Role: llms.ChatMessageTypeHuman}
	for _, t := range texts {
		tokens += s.Count(t)
		message.Parts = append(message.Parts, llms.TextContent{Text: t})
	}
	call.tokens = tokens
	_, err = s.embedding.GenerateContent(context.WithValue(ctx, embedKey{}, call), []llms.MessageContent{message}, llms.WithMaxTokens(1))
	return call.vectors, tokens, err
}

// newEmbedding returns the embedder under the tenants' limits, which are kept in
// store.
func (s *Service) newEmbedding(store limit.Store) (llms.Model, error) {
	return limit.New(embedModel{s.embedder}, &limit.Options{Quota: perTenant, Store: store, Tenant: s.tenant, Tokens: s.Count, Model: "embedding",
		Cost: func(string, *llms.ContentResponse) (int64, bool) { return 0, true }, // it runs here
		Usage: func(r *llms.ContentResponse) (int, bool) {
			n, ok := r.Choices[0].GenerationInfo["PromptTokens"].(int)
			return n, ok
		}})
}

type embedKey struct{}

// An embedCall takes the texts of an Embed past the limits, and the vectors back.
type embedCall struct {
	texts   []string
	tokens  int
	vectors [][]float32
}

// embedModel is an embedder in the form that a limit wraps.
type embedModel struct{ embedder embeddings.Embedder }

func (m embedModel) GenerateContent(ctx context.Context, _ []llms.MessageContent, _ ...llms.CallOption) (*llms.ContentResponse, error) {
	call := ctx.Value(embedKey{}).(*embedCall) // Embed is the only caller
	var err error
	if call.vectors, err = m.embedder.EmbedDocuments(ctx, call.texts); err != nil {
		return nil, err
	}
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{GenerationInfo: map[string]any{"PromptTokens": call.tokens, "CompletionTokens": 0}}}}, nil
}

func (m embedModel) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, m, prompt, options...)
}
