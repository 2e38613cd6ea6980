package eval

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBLEUIsThePlainOne(t *testing.T) {
	tokenizer, err := NewTokenizer("none")
	require.NoError(t, err)
	b, err := NewBLEU(&BLEUOptions{Tokenizer: tokenizer, Smooth: SmoothNone})
	require.NoError(t, err)
	r := rand.New(rand.NewPCG(3, 4))
	text := func(words int) string {
		out := make([]string, r.IntN(12))
		for i := range out {
			out[i] = strings.Repeat("wörd", 1+r.IntN(words)) // tokens up to 25 bytes: short and long keys
		}
		return strings.Join(out, " ")
	}
	positive := 0
	for range 2000 {
		outputs, references := make([]string, 1+r.IntN(4)), [][]string{}
		words := 1 + r.IntN(5)
		for i := range outputs {
			outputs[i] = text(words)
			references = append(references, nil)
			for range 1 + r.IntN(3) {
				references[i] = append(references[i], text(words))
			}
		}
		got, err := ScoreCorpus(t.Context(), b, outputs, references)
		require.NoError(t, err)
		want := plainBLEU(outputs, references)
		require.InDelta(t, want, got.Value, 1e-9, "%q %q", outputs, references)
		if want > 0 {
			positive++
		}
	}
	require.Greater(t, positive, 500, "most of the texts say nothing")
}
