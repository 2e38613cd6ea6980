package token_test

import (
	"math/rand/v2"
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

func TestPatchesOfThinImages(t *testing.T) {
	r := token.ImageRule{Multiplier: 1}
	for _, c := range []struct{ w, h, want int }{
		{1, 100000, 1536}, {100000, 1, 1536}, {1, 1, 1}, {1, 32 * 1536, 1536}, {1, 32*1536 + 1, 1536}, {31, 60000, 1536}, {40, 30000, 750}, {1 << 40, 1 << 40, 1521}, {1 << 40, 1, 1536},
	} {
		n, err := r.Tokens(token.Image{Width: c.w, Height: c.h})
		require.NoError(t, err)
		require.Equal(t, c.want, n, "%d by %d", c.w, c.h)
	}
	rng := rand.New(rand.NewPCG(16, 1))
	for range 20000 {
		w, h := 1+rng.IntN(1<<(1+rng.IntN(30))), 1+rng.IntN(1<<(1+rng.IntN(30)))
		n, err := r.Tokens(token.Image{Width: w, Height: h})
		require.NoError(t, err)
		require.True(t, n >= 1 && n <= 1536, "%d by %d: %d", w, h, n)
	}
}

// Images of no model are free, whether the model is known or not.
func TestImagesAreNeverFree(t *testing.T) {
	for _, model := range append(token.Models(), "some-model", "gpt-5.1", "gpt-5.2", "claude-sonnet-4-5") {
		rule, err := token.ChatRuleOf(model)
		if err != nil {
			rule = token.ChatRule{PerMessage: 3}
		}
		for _, img := range []token.Image{{}, {Width: 1024, Height: 1024}, {Width: 1, Height: 1 << 20}, {Detail: "low"}, {Width: -1, Height: 5, Detail: "?"}} {
			m := token.Message{Role: "user", Content: "hi"}
			plain := rule.CountMessage(nil, &m)
			m.Images = []token.Image{img, img}
			with := rule.CountMessage(nil, &m)
			require.Greater(t, with.Tokens, plain.Tokens+100, "%s %+v", model, img)
			require.True(t, with.Estimated)
		}
	}
	estimate := token.ImageEstimate()
	require.Equal(t, token.Count{Tokens: 1403, Estimated: true}, estimate.Count(token.Image{}))
	require.Equal(t, token.Count{Tokens: 1403, Estimated: true}, estimate.Count(token.Image{Width: 1024, Height: 1024}))
	known, err := token.ImageRuleOf("gpt-4o")
	require.NoError(t, err)
	require.Equal(t, token.Count{Tokens: 765}, known.Count(token.Image{Width: 1024, Height: 1024}))
}
