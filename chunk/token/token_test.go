package token_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/chunk/token"
	"github.com/prodailabs/prodai/chunk/token/cl100k"
	"github.com/prodailabs/prodai/chunk/token/o200k"
	"github.com/prodailabs/prodai/chunk/token/p50k"
	"github.com/prodailabs/prodai/chunk/token/r50k"
	"github.com/prodailabs/prodai/internal/growth"
	"github.com/prodailabs/prodai/internal/race"
)

func encodings() []*token.Encoding {
	return []*token.Encoding{
		r50k.Encoding(), p50k.Encoding(), p50k.Edit(), cl100k.Encoding(), o200k.Encoding(), o200k.Harmony(),
	}
}

func rankMap(e *token.Encoding) map[string]int {
	ranks := map[string]int{}
	for id := range e.Ranks().Len() {
		if t := e.Ranks().Token(id); t != "" {
			ranks[t] = id
		}
	}
	return ranks
}

// laws checks what is true for every text and every encoding.
func laws(t *testing.T, e *token.Encoding, text string, cut, budget int) {
	t.Helper()
	ids := e.Encode(text)
	n := len(ids)
	back, err := e.Decode(ids)
	require.NoError(t, err)
	require.Equal(t, text, back, e.Name())
	require.Equal(t, n, e.Count(text), "%s %q", e.Name(), text)

	got, ok := e.CountUpTo(text, budget)
	require.Equal(t, n <= budget, ok)
	if ok {
		require.Equal(t, n, got)
	} else {
		require.Greater(t, got, budget)
	}

	var fromTokens []int
	at := 0
	for id, part := range e.Tokens(text) {
		fromTokens = append(fromTokens, id)
		require.Equal(t, part, e.TokenText(id))
		at += len(part)
	}
	require.Equal(t, len(text), at)
	require.Equal(t, len(ids), len(fromTokens))

	head, tail := e.SplitAt(text, budget)
	require.Equal(t, text, head+tail)
	require.LessOrEqual(t, e.Count(head), max(budget, 0))
	if utf8.ValidString(text) {
		require.True(t, utf8.ValidString(head), "%q", head)
	}

	a := e.NewStreamCounter()
	for rest := text; rest != ""; {
		k := min(max(cut, 1), len(rest))
		_, err := a.WriteString(rest[:k])
		require.NoError(t, err)
		rest = rest[k:]
		if len(text) < 300 {
			require.Equal(t, e.Count(text[:len(text)-len(rest)]), a.Count(), "%s %q", e.Name(), text)
		}
	}
	require.Equal(t, n, a.Count(), "%s %q", e.Name(), text)

	if cut >= 0 && cut <= len(text) {
		r := e.NewRangeCounter(text)
		require.Equal(t, n, r.Total())
		require.Equal(t, e.Count(text[:cut]), r.Count(0, cut), "%s %q[:%d]", e.Name(), text, cut)
		require.Equal(t, e.Count(text[cut:]), r.Count(cut, len(text)), "%s %q[%d:]", e.Name(), text, cut)
		if mid := cut + (len(text)-cut)/2; true {
			require.Equal(t, e.Count(text[cut:mid]), r.Count(cut, mid), "%s %q[%d:%d]", e.Name(), text, cut, mid)
		}
	}

	_, err = e.EncodeSpecial(text, token.SpecialSet{}, token.AllSpecial())
	var special *token.SpecialTokenError
	if errors.As(err, &special) {
		require.True(t, strings.HasPrefix(text[special.Offset:], special.Token))
	} else {
		require.NoError(t, err)
	}
	ids, err = e.EncodeSpecial(text, token.AllSpecial(), token.SpecialSet{})
	require.NoError(t, err)
	back, err = e.Decode(ids)
	require.NoError(t, err)
	if !strings.Contains(text, "<|reserved_200018|>") { // which has another name as well
		require.Equal(t, text, back)
	}
}

// texts makes inputs that have the pieces of the patterns in many orders.
func texts(rng *rand.Rand, n int) []string {
	atoms := []string{"a", "B", "word", "Word", "WORD", "'s", "'S", "'ll", "'ſ", "'", " ", "  ", "\t", "\n", "\r\n", "\u00a0", "\u2028", "1", "23", "４", "½",
		"!", "...", "//", "/", "日本", "字", "한국", "é", "e\u0301", "\u0301", "ǅ", "ʰ", "ª", "👩‍👩‍👧", "🇩🇪", "\xff", "\xe6\x97", "\x00", "<|endoftext|>", "<|end", "}\n\n", "aaaa",
		"    ", "the", "ing", "ß", "İ", "\ufeff", "०१२", "नमस्ते"}
	out := []string{"", " ", "\n", "\xff", strings.Repeat("a", 1000), strings.Repeat(" ", 1000), strings.Repeat("ab", 400), strings.Repeat("日", 300),
		strings.Repeat("\n ", 200), strings.Repeat("A", 200) + "b", "ʰ" + strings.Repeat("A", 200), strings.Repeat("7", 500)}
	for range n {
		var b strings.Builder
		for range 1 + rng.IntN(30) {
			b.WriteString(atoms[rng.IntN(len(atoms))])
		}
		out = append(out, b.String())
	}
	return out
}

func TestLaws(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for i, text := range texts(rng, 400) {
		e := encodings()[i%6]
		laws(t, e, text, rng.IntN(len(text)+1), rng.IntN(40))
	}
}

// TestLawsOfLongTexts has texts of many windows, streamed in parts of all sizes.
func TestLawsOfLongTexts(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 8))
	for i := range 120 {
		text := strings.Join(texts(rng, 40)[12:], "")
		laws(t, encodings()[i%6], text, 1+rng.IntN(300), rng.IntN(600))
	}
}

func FuzzEncoding(f *testing.F) {
	for _, text := range texts(rand.New(rand.NewPCG(1, 1)), 20) {
		f.Add(text, 3, 5, uint8(4))
	}
	f.Fuzz(func(t *testing.T, text string, cut, budget int, which uint8) {
		laws(t, encodings()[which%6], text, cut, budget)
	})
}

func TestMergeIsThePlainOne(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, e := range []*token.Encoding{r50k.Encoding(), p50k.Encoding(), cl100k.Encoding(), o200k.Encoding()} {
		ranks := rankMap(e)
		for _, text := range texts(rng, 300) {
			requirePlain(t, e, ranks, text)
		}
		for range 300 { // pieces of any bytes: letters only, so that they stay whole
			b := make([]byte, 1+rng.IntN(60))
			for i := range b {
				b[i] = "aaabcdeinorst"[rng.IntN(13)]
			}
			require.Equal(t, mergePlainly(ranks, string(b)), e.Encode(string(b)), "%s %q", e.Name(), b)
		}
		for range 300 { // tokens of ASCII in any order, such as identifiers have
			requirePlain(t, e, ranks, randomTokens(e, rng, func(last byte) bool { return last < utf8.RuneSelf }))
		}
		for range 300 { // tokens that are not ASCII, whole characters or not, in any order
			requirePlain(t, e, ranks, randomTokens(e, rng, func(last byte) bool { return last >= utf8.RuneSelf }))
		}
	}
}

// randomTokens is a text of up to twelve tokens whose last bytes are of some kind.
func randomTokens(e *token.Encoding, rng *rand.Rand, kind func(last byte) bool) (text string) {
	for n := 1 + rng.IntN(12); n > 0; {
		if part := e.TokenText(rng.IntN(e.Ranks().Len())); part != "" && kind(part[len(part)-1]) {
			text += part
			n--
		}
	}
	return text
}

// requirePlain compares the tokens of text with those of the plain algorithm.
func requirePlain(t *testing.T, e *token.Encoding, ranks map[string]int, text string) {
	t.Helper()
	var want []int
	for _, piece := range e.Pieces(text) {
		want = append(want, mergePlainly(ranks, piece)...)
	}
	require.Equal(t, want, append([]int(nil), e.Encode(text)...), "%s %q", e.Name(), text)
	require.Equal(t, len(want), e.Count(text), "%s %q", e.Name(), text)
}

func FuzzMerge(f *testing.F) {
	e := o200k.Encoding()
	ranks := rankMap(e)
	old := r50k.Encoding()
	oldRanks := rankMap(old)
	f.Add("the quick brown fox")
	f.Fuzz(func(t *testing.T, text string) {
		requirePlain(t, e, ranks, text)
		requirePlain(t, old, oldRanks, text)
	})
}

func TestGrowthOfHostileTexts(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	random := make([]byte, 1<<20)
	for i := range random {
		random[i] = byte(rng.IntN(256))
	}
	for _, e := range encodings() {
		for i, text := range []string{strings.Repeat("a", 1<<20), strings.Repeat(" ", 1<<20), strings.Repeat("\n", 1<<20),
			strings.Repeat("ab", 1<<19), strings.Repeat("日", 1<<18), strings.Repeat("-", 1<<20), "ʰ" + strings.Repeat("A", 1<<20), string(random)} {
			t.Run(fmt.Sprintf("%s/%d", e.Name(), i), func(t *testing.T) {
				growth.Test(t, len(text)/4, 3.3, func(n int) func() { return func() { e.Count(text[:n]) } })
			})
		}
	}
}

// A piece of seven bytes and one of eight that ends in the byte 7 have the same
// words in memory.
func TestCountOfControlCharacters(t *testing.T) {
	seven := " \ufffd\ufffd"
	text := strings.Repeat(seven+"a"+seven+"\x07a"+seven+"\x07b\x00\x00\x00\x00\x00\x00\x00\x01c\x00d", 40)
	for _, e := range encodings() {
		require.Equal(t, len(e.Encode(text)), e.Count(text), e.Name())
	}
}

func TestCountDoesNotAllocate(t *testing.T) {
	if race.Enabled {
		t.Skip("not under the race detector")
	}
	text := strings.Repeat("A model's context is finite; tokenizers aren't. 日本語のテキスト "+strings.Repeat("x", 100)+" ", 20)
	for _, e := range encodings() {
		e.Count(text)
		require.Zero(t, testing.AllocsPerRun(20, func() { e.Count(text) }), e.Name())
		require.Zero(t, testing.AllocsPerRun(20, func() { e.CountUpTo(text, 300) }), e.Name())
	}
}

func TestDecodeNamesTheUnknownToken(t *testing.T) {
	e := cl100k.Encoding()
	text, err := e.Decode([]int{9906, 100256, 5})
	var bad *token.DecodeError
	require.ErrorAs(t, err, &bad)
	require.Equal(t, token.DecodeError{Encoding: "cl100k_base", ID: 100256, Index: 1}, *bad)
	require.Equal(t, "Hello", text)
	_, err = e.Decode([]int{-1})
	require.ErrorAs(t, err, &bad)
}
