package openai

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
)

// TestStreamRulesOverHTTP plays the scripts of the conformance suite through a real
// exchange: the caller gets the chunks that the server sends, one for one.
func TestStreamRulesOverHTTP(t *testing.T) {
	chunks := []modeltest.Chunk{{Text: "a"}, {Text: "b c"}, {Choice: 1, Text: "x"}, {Text: "日本"}}
	m, _ := serve(t, Options{}, modeltest.Reply{Turn: modeltest.Turn{Chunks: chunks}})
	var h heard
	r, err := m.GenerateContent(t.Context(), ask("q"), h.options()...)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b c", "x", "日本"}, h.text)
	require.Equal(t, "ab c日本", r.Choices[0].Content)

	m, s := serve(t, Options{}, modeltest.Reply{Times: -1, Turn: modeltest.Say("x")})
	options := make([]llms.CallOption, 0, 4)
	options = append(options, llms.WithSeed(1))
	metadata := map[string]any{MetadataExtra: map[string]any{"user": "u"}}
	for range 2 {
		_, err := m.GenerateContent(t.Context(), ask("q"), append(options, llms.WithMetadata(metadata))...)
		require.NoError(t, err)
	}
	require.Equal(t, map[string]any{MetadataExtra: map[string]any{"user": "u"}}, metadata, "the caller's map is the caller's")
	require.Equal(t, string(s.Requests()[0].Body), string(s.Requests()[1].Body))

	only := []llms.CallOption{llms.WithStreamingReasoningFunc(func(context.Context, []byte, []byte) error { return nil })}
	_, err = m.GenerateContent(t.Context(), ask("q"), only...)
	require.NoError(t, err, "a reasoning function alone is a stream too")
}
