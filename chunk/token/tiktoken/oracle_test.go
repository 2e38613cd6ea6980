package tiktoken

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	tiktokengo "github.com/pkoukk/tiktoken-go"
	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/chunk/token"
	"github.com/prodailabs/prodai/chunk/token/openai"
	"github.com/prodailabs/prodai/internal/race"
)

var names = []string{"o200k_base", "cl100k_base", "p50k_base", "p50k_edit", "r50k_base"}

// An oracle compares an encoding with tiktoken-go's of the same name: another
// program with the same ranks.
type oracle struct {
	ours   *token.Encoding
	theirs *tiktokengo.Tiktoken
}

func oracles(tb testing.TB) []oracle {
	tb.Helper()
	Use()
	out := make([]oracle, len(names))
	for i, name := range names {
		var err error
		out[i].ours, err = openai.Encoding(name)
		require.NoError(tb, err)
		out[i].theirs, err = tiktokengo.GetEncoding(name)
		require.NoError(tb, err)
	}
	return out
}

// check compares both encodings of a text: with its special tokens as ordinary
// text, and with all of them special.
func (o oracle) check(tb testing.TB, text string) {
	tb.Helper()
	text = valid(text)
	want := o.theirs.EncodeOrdinary(text)
	got := o.ours.Encode(text)
	if len(want)+len(got) > 0 {
		require.Equal(tb, want, got, "%s: %q", o.ours.Name(), text)
	}
	require.Equal(tb, len(want), o.ours.Count(text), "%s: %q", o.ours.Name(), text)
	want = o.theirs.Encode(text, []string{"all"}, nil)
	got, err := o.ours.EncodeSpecial(text, token.AllSpecial(), token.SpecialSet{})
	require.NoError(tb, err)
	if len(want)+len(got) > 0 {
		require.Equal(tb, want, got, "%s: %q, with special tokens", o.ours.Name(), text)
	}
	back, err := o.ours.Decode(got)
	require.NoError(tb, err)
	require.Equal(tb, text, back)
	require.Equal(tb, text, o.theirs.Decode(got))
}

// valid replaces what is not UTF-8, as tiktoken-go does; ours encodes the bytes.
func valid(text string) string { return strings.ToValidUTF8(text, "\ufffd") }

func hostile() []string {
	out := []string{
		"", " ", "\n", "\r\n\r\n", "  \n \n", "a  b", "\t\t x", "x   ", "don't DON'T we'LL it's'", "'s's'S", "HTTPServer camelCase XMLHttpRequest", "1234567890 12 345", "3.14159e-10",
		"!!!???...", "/* comment */\n\n\n}", "a\u0301e\u0301 नमस्ते ไทย 日本語テキスト 한국어", "שלום مرحبا", "🧑‍🚀👨‍👩‍👧‍👦🇩🇪", "\u00a0\u2003\u3000x", "\ufeffBOM", "a\x00b\x01\x02",
		"<|endoftext|>", "a<|endoftext|>b<|endofprompt|>", "<|fim_prefix|>x<|fim_middle|><|fim_suffix|>", "<|endoftext|", "<|<|endoftext|>|>", "<|im_start|>",
		"$€¥ ½ Ⅷ ٣ 𝟘𝟙", "\u2028\u2029 \u0085", "ǅ ﬁ İstanbul ß ẞ", "\ufffd\ufffe", "MixedCASE's UPPER's lower'S",
	}
	for _, s := range []string{"a", "A", "aA", " ", "\n", " \n", "0", "-", "=", "é", "日", "🚀", "\u0301", "ab ", "\t", "'s", "<|endoftext|>"} {
		out = append(out, strings.Repeat(s, 200/len(s)+1))
	}
	return out
}

// scripts are alphabets to draw random texts from.
var scripts = []string{
	"abcdefghijklmnopqrstuvwxyz     ", "ABCdefGHI '\n", "0123456789abcdef", " \t\n\r\u00a0", "äöüßéèñçøå ", "абвгдежз ", "日本語中文字的了", "あいうえおカキク", "हिन्दीमें ", "אבגד عربي ", "🚀🎉👩\u200d💻🏽",
	"(){}[];:=<>!&|+-*/\\\"'`~@#$%^_,.? \n", "\u0301\u0308\u200d\ufe0f\u0e31", "ǅⅧ½²", "<|>endoftxfimprsu_",
}

func random(rng *rand.Rand) string {
	var b strings.Builder
	for range 1 + rng.IntN(6) {
		runes := []rune(scripts[rng.IntN(len(scripts))])
		for range rng.IntN(40) {
			b.WriteRune(runes[rng.IntN(len(runes))])
		}
		if rng.IntN(8) == 0 {
			b.WriteString([]string{"<|endoftext|>", "<|fim_prefix|>", "<|endofprompt|>", "<|fim_suffix|>"}[rng.IntN(4)])
		}
	}
	return b.String()
}

func TestOracle(t *testing.T) {
	n := 1500
	if testing.Short() || race.Enabled {
		n = 100
	}
	for _, o := range oracles(t) {
		t.Run(o.ours.Name(), func(t *testing.T) {
			for i, text := range hostile() {
				t.Run(fmt.Sprint("hostile ", i), func(t *testing.T) { o.check(t, text) })
			}
			rng := rand.New(rand.NewPCG(7, 7))
			for range n {
				o.check(t, random(rng))
			}
		})
	}
}

// TestOracleCodePoints compares the classes of code points: all of the first, and
// a sample of the others.
func TestOracleCodePoints(t *testing.T) {
	if race.Enabled {
		t.Skip("no goroutines, and many texts")
	}
	for _, o := range oracles(t) {
		for r := rune(0); r < unicode.MaxRune; r++ {
			if r > 0x800 {
				r += 100
			}
			if c := string(r); utf8.ValidRune(r) {
				o.check(t, "a"+c+"B 1"+c+"2 '"+c+" "+c+c+"\n")
			}
		}
	}
}

func FuzzOracle(f *testing.F) {
	for i, text := range hostile() {
		f.Add(text, uint8(i))
	}
	all := oracles(f)
	f.Fuzz(func(t *testing.T, text string, which uint8) {
		if len(text) > 2000 {
			t.Skip("tiktoken-go needs time that is quadratic in the length of a piece")
		}
		all[int(which)%len(all)].check(t, text)
	})
}
