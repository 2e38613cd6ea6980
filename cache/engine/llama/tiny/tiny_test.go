package tiny_test

import (
	"math"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/cache/engine/llama"
	"github.com/prodailabs/prodai/cache/engine/llama/tiny"
	"github.com/prodailabs/prodai/cache/engine/llama/weights"
)

func load(t *testing.T, f *weights.File) (*llama.Network, *llama.Tokenizer) {
	t.Helper()
	n, err := llama.Load(f, nil)
	require.NoError(t, err)
	tok, err := llama.ReadTokenizer(f)
	require.NoError(t, err)
	return n, tok
}

// bitsPerByte is what paragraphs that no training saw cost a model.
func bitsPerByte(t *testing.T, n *llama.Network, tok *llama.Tokenizer) float64 {
	t.Helper()
	data, err := os.ReadFile("testdata/held.txt")
	require.NoError(t, err)
	bits, bytes := 0.0, 0
	for text := range strings.SplitSeq(string(data), "\n\f\n") {
		ids := tok.Prompt(text, llama.SpecialText)
		require.Equal(t, text, tok.Decode(ids))
		p, err := n.Perplexity(t.Context(), ids)
		require.NoError(t, err)
		bits += math.Log2(p) * float64(len(ids)-1)
		bytes += len(text)
	}
	return bits / float64(bytes)
}

func TestTheModelsLearned(t *testing.T) {
	target, tok := load(t, tiny.Target())
	draft, _ := load(t, tiny.Draft())
	big, small := bitsPerByte(t, target, tok), bitsPerByte(t, draft, tok)
	t.Logf("held-out text: target %.3f bits a byte, draft %.3f", big, small)
	require.Less(t, big, 2.0)
	require.Less(t, big, small)
	require.Less(t, small, 2.3)
}

func TestTheDraftGuessesTheTarget(t *testing.T) {
	target, tok := load(t, tiny.Target())
	draft, _ := load(t, tiny.Draft())
	stats := &llama.Stats{}
	for _, prompt := range []string{"A retry is", "The cache keeps", "// Package queue", "An error that", "The number of tokens", "If the model"} {
		drafter, err := llama.NewDraftModel(draft)
		require.NoError(t, err)
		var text []int32
		for token, err := range target.Generate(t.Context(), target.NewCache(), tok.Prompt(prompt, llama.SpecialText), &llama.GenerateOptions{
			Drafter: drafter, MaxTokens: 60, Stats: stats, DraftTokens: 3,
		}) {
			require.NoError(t, err)
			text = append(text, token)
		}
		t.Logf("%s%s", prompt, tok.Decode(text))
	}
	rate := float64(stats.Accepted) / float64(stats.Drafted)
	t.Logf("%d of %d drafts kept (%.2f), %d tokens in %d passes", stats.Accepted, stats.Drafted, rate, stats.Tokens, stats.Passes)
	require.Greater(t, rate, .3)
	require.Less(t, stats.Passes*3, stats.Tokens*2, "a pass of the target yields more than 1.5 tokens")
}
