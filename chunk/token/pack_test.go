package token_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/chunk/token"
	"github.com/prodailabs/prodai/chunk/token/o200k"
)

func TestPackLaws(t *testing.T) {
	count := o200k.Encoding().Count
	rng := rand.New(rand.NewPCG(4, 4))
	all := texts(rng, 60)
	for range 200 {
		var parts []token.Part
		for range rng.IntN(8) {
			parts = append(parts, token.Part{
				Name: "p", Text: all[rng.IntN(len(all))], Priority: rng.IntN(3), Required: rng.IntN(6) == 0,
				MinTokens: rng.IntN(2) * 3, Keep: token.Keep(rng.IntN(3)),
			})
		}
		budget := rng.IntN(120)
		p, err := token.Pack(parts, budget, &token.PackOptions{Tokens: count, Cutoff: rng.IntN(2) == 0})
		var overflow *token.OverflowError
		if errors.As(err, &overflow) {
			continue
		}
		require.NoError(t, err)
		require.LessOrEqual(t, p.Tokens, budget)
		require.Equal(t, count(p.Text), p.Tokens)
		require.Len(t, p.Parts, len(parts))
		for i, f := range p.Parts {
			if f.Why == "" {
				require.Equal(t, f.Full, f.Tokens)
				require.Contains(t, p.Text, parts[i].Text)
			} else {
				require.Less(t, f.Tokens, max(f.Full, 1), "%+v", f)
			}
			if parts[i].Required && f.Full > 0 {
				require.NotZero(t, f.Tokens)
			}
		}
	}
}

func TestPackOverflowAndCutoff(t *testing.T) {
	words := func(s string) int { return len(strings.Fields(s)) }
	_, err := token.Pack([]token.Part{{Name: "rules", Text: "a b c d", Required: true}}, 3, &token.PackOptions{Tokens: words})
	var overflow *token.OverflowError
	require.ErrorAs(t, err, &overflow)
	require.Equal(t, token.OverflowError{What: `the required part "rules"`, NeedTokens: 4, BudgetTokens: 3}, *overflow)
	require.Equal(t, "context_length_exceeded", overflow.Code())

	parts := []token.Part{{Name: "big", Text: "a b c d", Priority: 2}, {Name: "small", Text: "e", Priority: 1}}
	p, err := token.Pack(parts, 3, &token.PackOptions{Tokens: words})
	require.NoError(t, err)
	require.Equal(t, "e", p.Text)
	p, err = token.Pack(parts, 3, &token.PackOptions{Tokens: words, Cutoff: true})
	require.NoError(t, err)
	require.Empty(t, p.Text)
	require.Equal(t, `below the cutoff: "big" did not fit`, p.Parts[1].Why)
}
