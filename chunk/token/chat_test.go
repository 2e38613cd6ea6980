package token_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/chunk/token"
	"github.com/prodailabs/prodai/chunk/token/o200k"
)

func TestChatEstimates(t *testing.T) {
	count := o200k.Encoding().Count
	published, err := token.ChatRuleOf("gpt-4o-mini")
	require.NoError(t, err)
	later, err := token.ChatRuleOf("gpt-5")
	require.NoError(t, err)
	hi := token.Message{Role: "user", Content: "hi"}
	require.Equal(t, token.Count{Tokens: 8}, published.CountMessages(count, hi))
	require.Equal(t, token.Count{Tokens: 8, Estimated: true}, later.CountMessages(count, hi))
	hi.ToolCalls = []token.ToolCall{{Name: "f", Arguments: "{}"}}
	require.True(t, published.CountMessages(count, hi).Estimated)

	guess := token.Message{Role: "user", Content: "hi"}
	require.Equal(t, token.Count{Tokens: 8, Estimated: true}, published.CountMessages(nil, guess))
	require.Equal(t, token.Count{Tokens: 5, Estimated: true}, published.CountMessage(nil, &guess))
	guessed, err := published.CountTools(nil, token.Tool{Name: "f"})
	require.NoError(t, err)
	require.True(t, guessed.Estimated)

	nested := token.Tool{Name: "f", Parameters: json.RawMessage(`{"properties":{"a":{"type":["string","null"]},"b":{"type":"object","properties":{"c":{"type":"string"}}}}}`)}
	total, err := published.CountTools(count, nested)
	require.NoError(t, err)
	require.True(t, total.Estimated)
	_, err = published.CountTools(count, token.Tool{Name: "f", Parameters: "text"})
	require.ErrorContains(t, err, `"f"`)
	_, err = published.CountTools(count, token.Tool{Name: "f", Parameters: func() {}})
	require.Error(t, err)

	for _, model := range []string{"gpt2", "text-embedding-3-small", "claude-sonnet-5", "davinci-002"} {
		_, err = token.ChatRuleOf(model)
		var unknown *token.UnknownModelError
		require.ErrorAs(t, err, &unknown, model)
	}
}
