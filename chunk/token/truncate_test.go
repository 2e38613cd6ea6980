package token_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/clipperhouse/uax29/v2/graphemes"
	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/chunk/token"
	"github.com/prodailabs/prodai/chunk/token/o200k"
)

func TestTruncateLaws(t *testing.T) {
	count := o200k.Encoding().Count
	rng := rand.New(rand.NewPCG(3, 3))
	for _, text := range texts(rng, 150) {
		for _, keep := range []token.Keep{token.KeepHead, token.KeepTail, token.KeepEnds} {
			truncateLaws(t, count, text, rng.IntN(30), keep, "…")
		}
	}
}

func FuzzTruncate(f *testing.F) {
	f.Add("a\u0301👩‍👩‍👧 word", 3, uint8(2), "…")
	count := o200k.Encoding().Count
	f.Fuzz(func(t *testing.T, text string, budget int, keep uint8, marker string) {
		truncateLaws(t, count, text, budget, token.Keep(keep%3), marker)
	})
}

func truncateLaws(t *testing.T, count func(string) int, text string, budget int, keep token.Keep, marker string) {
	t.Helper()
	got, err := token.Truncate(text, budget, &token.TruncateOptions{Tokens: count, Keep: keep, Marker: marker})
	require.NoError(t, err)
	require.Equal(t, count(got.Text), got.Tokens)
	require.LessOrEqual(t, got.Tokens, max(budget, 0), "%q", text)
	if got.CutStart == got.CutEnd {
		require.Equal(t, text, got.Text)
		return
	}
	head, tail := text[:got.CutStart], text[got.CutEnd:]
	require.True(t, strings.HasPrefix(got.Text, head) && strings.HasSuffix(got.Text, tail))
	switch keep {
	case token.KeepHead:
		require.Empty(t, tail)
	case token.KeepTail:
		require.Empty(t, head)
	}
	ends := map[int]bool{0: true}
	for g := graphemes.FromString(text); g.Next(); {
		ends[g.End()] = true
	}
	require.True(t, ends[got.CutStart] && ends[got.CutEnd], "%q cut at %d and %d", text, got.CutStart, got.CutEnd)
}

func TestTruncateWithoutRoom(t *testing.T) {
	count := o200k.Encoding().Count
	for _, row := range []struct {
		text   string
		budget int
		marker string
		want   token.Truncated
	}{
		{"abc d", 0, "…", token.Truncated{CutEnd: 5}},
		{"", -1, "…", token.Truncated{}},
		{"one two three", 1, " [cut here]", token.Truncated{Text: "one", Tokens: 1, CutStart: 3, CutEnd: 13}},
	} {
		got, err := token.Truncate(row.text, row.budget, &token.TruncateOptions{Tokens: count, Marker: row.marker})
		require.NoError(t, err)
		require.Equal(t, row.want, got)
	}
}

func TestTruncateAndPackEstimateWithoutACounter(t *testing.T) {
	text := strings.Repeat("some words ", 20)
	cut, err := token.Truncate(text, 7, nil)
	require.NoError(t, err)
	require.Equal(t, 7, token.Estimate(cut.Text))
	p, err := token.Pack([]token.Part{{Text: text, MinTokens: 1}}, 7, nil)
	require.NoError(t, err)
	require.Equal(t, token.Estimate(p.Text), p.Tokens)
	require.LessOrEqual(t, p.Tokens, 7)
}

func TestTruncateAndPackRefuse(t *testing.T) {
	_, err := token.Truncate("a", 1, &token.TruncateOptions{Keep: 3})
	require.ErrorIs(t, err, token.ErrOption)
	require.ErrorContains(t, err, "TruncateOptions.Keep is 3: want KeepHead, KeepTail or KeepEnds")
	_, err = token.Pack([]token.Part{{Keep: 3}}, 1, nil)
	require.ErrorIs(t, err, token.ErrOption)
	_, err = token.Pack([]token.Part{{}, {MinTokens: -1}}, 1, nil)
	require.ErrorIs(t, err, token.ErrOption)
	require.ErrorContains(t, err, "part 1 is -1")
}
