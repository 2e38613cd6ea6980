package token_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/chunk/token"
)

func TestImageRule(t *testing.T) {
	r, err := token.ImageRuleOf("gpt-4o-mini-2024-07-18")
	require.NoError(t, err)
	require.Equal(t, 2833, r.Base)
	for _, bad := range [][2]int{{0, 5}, {5, 0}, {-1, 5}} {
		_, err = r.Tokens(token.Image{Width: bad[0], Height: bad[1], Detail: "high"})
		require.ErrorIs(t, err, token.ErrOption)
	}
	_, err = r.Tokens(token.Image{Width: 5, Height: 5, Detail: "ultra"})
	require.ErrorIs(t, err, token.ErrOption)
	require.True(t, r.Count(token.Image{}).Estimated)
	for _, model := range []string{"o3-mini", "gpt-4", "gpt-5.4", "gpt-4o2"} {
		_, err = token.ImageRuleOf(model)
		require.Error(t, err, model)
	}
}
