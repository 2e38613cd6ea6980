package token_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/chunk/token"
)

func TestEveryModelOfTheTableIsFound(t *testing.T) {
	n := 0
	for _, name := range token.Models() {
		l, err := token.LimitsOf(name)
		require.NoError(t, err, name)
		require.Equal(t, name, l.Model)
		require.NotEmpty(t, l.Provider)
		require.Positive(t, l.MaxInputTokens)
		n++
	}
	require.Greater(t, n, 300)
}

func TestLimitsOf(t *testing.T) {
	for name, want := range map[string]string{
		"gpt-4o": "gpt-4o", "gpt-4o-2031-01-01": "gpt-4o", "openai/gpt-4o-mini": "gpt-4o-mini",
		"ft:gpt-4o-2024-08-06:acme::1": "ft:gpt-4o-2024-08-06", "ft:o3-2025-04-16:x": "o3-2025-04-16",
		"gpt-35-turbo": "gpt-3.5-turbo", "claude-sonnet-4-6-20301231": "claude-sonnet-4-6", "gpt-5.1-2031-01-01": "gpt-5.1",
	} {
		l, err := token.LimitsOf(name)
		require.NoError(t, err, name)
		require.Equal(t, want, l.Model, name)
	}
	for _, name := range []string{"", "gpt", "gpt-9", "gpt-4o-turbo-ultra", "ft:", "ft:nothing", "-", "#", "gpt-4o 1", "openai/", "name", "\n"} {
		_, err := token.LimitsOf(name)
		var unknown *token.UnknownModelError
		require.ErrorAs(t, err, &unknown, "%q", name)
		require.Equal(t, name, unknown.Model)
	}
	l, err := token.LimitsOf("o1")
	require.NoError(t, err)
	require.Equal(t, time.Date(2026, 10, 23, 0, 0, 0, 0, time.UTC), l.Retired)
}

func TestEncodingName(t *testing.T) {
	for model, want := range map[string]string{
		"gpt-4o": "o200k_base", "gpt-5-mini": "o200k_base", "o3-mini": "o200k_base", "gpt-oss-20b": "o200k_harmony",
		"gpt-4-32k": "cl100k_base", "gpt-4": "cl100k_base", "gpt-35-turbo-16k": "cl100k_base", "chatgpt-4o-latest": "o200k_base",
		"ft:gpt-4o-2024-08-06:acme": "o200k_base", "ft:gpt-4:acme": "cl100k_base", "ft:gpt-4.1-2025-04-14:x": "o200k_base",
		"ft:davinci-002:x": "cl100k_base", "ft:gpt-4o-mini-2024-07-18:org::id": "o200k_base", "ft:gpt-3.5-turbo-0125:o:n:i": "cl100k_base",
		"ft:o4-mini-2025-04-16:x": "o200k_base", "ft:babbage-002": "cl100k_base", "text-davinci-003": "p50k_base", "code-davinci-edit-001": "p50k_edit", "gpt2": "gpt2", "davinci": "r50k_base",
	} {
		got, err := token.EncodingName(model)
		require.NoError(t, err, model)
		require.Equal(t, want, got, model)
	}
	for _, model := range []string{"", "gpt-6-sol", "claude-sonnet-5", "o5", "ft:", "ft:claude", "ft:gpt-4oops:x", "ft:ft:gpt-6"} {
		_, err := token.EncodingName(model)
		var unknown *token.UnknownModelError
		require.ErrorAs(t, err, &unknown, model)
	}
}

// Every table finds a model by the names that gateways and clouds give it.
func TestNamesOfGateways(t *testing.T) {
	for _, model := range []string{"gpt-4o", "gpt-4o-mini-2024-07-18", "gpt-5-mini", "o3", "gpt-3.5-turbo", "gpt-4.1", "ft:gpt-4o-2024-08-06:acme/team::id"} {
		limits, err := token.LimitsOf(model)
		require.NoError(t, err)
		encoding, err := token.EncodingName(model)
		require.NoError(t, err)
		chat, err := token.ChatRuleOf(model)
		require.NoError(t, err)
		image, imageErr := token.ImageRuleOf(model)
		for _, format := range []string{"openai/%s", "azure/%s", "openrouter/openai/%s", "models/%s", "openai:%s", "azure_openai:%s", "github/openai/%s", "https://host/deployments/%s"} {
			name := fmt.Sprintf(format, model)
			got, err := token.LimitsOf(name)
			require.NoError(t, err, name)
			require.Equal(t, limits, got, name)
			e, err := token.EncodingName(name)
			require.NoError(t, err, name)
			require.Equal(t, encoding, e, name)
			c, err := token.ChatRuleOf(name)
			require.NoError(t, err, name)
			c.Model = chat.Model
			require.Equal(t, chat, c, name)
			i, err := token.ImageRuleOf(name)
			require.Equal(t, imageErr == nil, err == nil, name)
			require.Equal(t, image, i, name)
		}
	}
	for name, want := range map[string]string{
		"anthropic/claude-opus-4-5": "claude-opus-4-5", "us.anthropic.claude-opus-4-5-20251101-v1:0": "claude-opus-4-5-20251101", "anthropic.claude-opus-4-6-v1": "claude-opus-4-6",
		"anthropic:claude-opus-4-5": "claude-opus-4-5", "claude-opus-4-5@20251101": "claude-opus-4-5", "models/gemini-2.5-pro": "gemini-2.5-pro", "google/gemini-2.5-pro": "gemini-2.5-pro",
		"projects/p/locations/l/publishers/google/models/gemini-2.5-pro": "gemini-2.5-pro", "google_genai:gemini-2.5-pro": "gemini-2.5-pro", "openai/gpt-4o:free": "gpt-4o",
		"OpenAI/GPT-4o": "gpt-4o", "azure/gpt-35-turbo": "gpt-3.5-turbo", "gpt-4o-2024-08-06.ft-0123abc": "gpt-4o-2024-08-06",
	} {
		l, err := token.LimitsOf(name)
		require.NoError(t, err, name)
		require.Equal(t, want, l.Model, name)
	}
	for name, want := range map[string]string{
		"groq/openai/gpt-oss-20b": "o200k_harmony", "openai.gpt-oss-20b-1:0": "o200k_harmony", "azure/gpt-35-turbo-16k": "cl100k_base", "openai/text-embedding-3-small": "cl100k_base",
		"gpt-4o-2024-08-06.ft-0123abc": "o200k_base",
	} {
		got, err := token.EncodingName(name)
		require.NoError(t, err, name)
		require.Equal(t, want, got, name)
	}
	for _, name := range []string{"openai/", "azure/my-deployment", "anthropic/claude-opus-4-5", "models/gemini-2.5-pro", "openai:", "us.", "/", ":free"} {
		_, err := token.EncodingName(name)
		var unknown *token.UnknownModelError
		require.ErrorAs(t, err, &unknown, name)
		require.Equal(t, name, unknown.Model)
	}
}
