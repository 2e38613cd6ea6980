package token_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/chunk/token"
)

func TestEstimate(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, " ": 0, "a": 1, "hello world": 2, "日本語": 3, "1234567": 3, "internationalization": 4, "a  b\n": 4, "{}();": 3, "é": 1, "🚀": 2, "\xff\xff": 2,
	} {
		require.Equal(t, want, token.Estimate(text), "%q", text)
	}
}
