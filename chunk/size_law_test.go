package chunk

import (
	"context"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/chunk/token"
	"github.com/prodailabs/prodai/chunk/token/cl100k"
	"github.com/prodailabs/prodai/chunk/token/hf"
	"github.com/prodailabs/prodai/chunk/token/o200k"
	"github.com/prodailabs/prodai/chunk/token/r50k"
)

// realCounters are the counters of real tokenizers, and those that read a text
// once.
func realCounters(t testing.TB) map[string]Options {
	t.Helper()
	out := map[string]Options{}
	for _, e := range []*token.Encoding{o200k.Encoding(), cl100k.Encoding(), r50k.Encoding()} {
		out[e.Name()] = Options{Tokens: e.Count}
		out[e.Name()+" ranges"] = Options{Tokens: e.Count, Ranges: e.Ranges}
	}
	for _, name := range []string{"spm", "unigram"} {
		f, err := os.Open("token/hf/testdata/" + name + ".json")
		require.NoError(t, err)
		tok, err := hf.Read(f)
		require.NoError(t, err)
		require.NoError(t, f.Close())
		out[name] = Options{Tokens: tok.Count}
	}
	return out
}

// loose returns words that have more tokens without the white space before them.
func loose(t testing.TB, e *token.Encoding) (words []string) {
	t.Helper()
	for id := 0; id < e.Size() && len(words) < 300; id += 37 {
		w, err := e.Decode([]int{id})
		if bare := strings.TrimLeft(w, " \t\n"); err == nil && bare != w && e.Count(bare) > 2 && e.Count(w) == 1 {
			words = append(words, w)
		}
	}
	require.NotEmpty(t, words)
	return words
}

// TestSizeLaw cuts texts whose words have fewer tokens with the white space before
// them than alone.
func TestSizeLaw(t *testing.T) {
	rng := rand.New(rand.NewPCG(14, 1))
	words := append(loose(t, o200k.Encoding()), loose(t, cl100k.Encoding())...)
	words = append(words, "\tdefer", " notably", "\treturn", "\n\tdefer", " outFile", "    x", "\t\tif")
	joints := []string{"\n", "\n\n", "\n\n    ", ",", ", ", ".", ". ", "[", "]", "{\"a\":", "}", "\n- ", "\n# ", "\n| a | b |\n|---|---|\n| ", "<p>", "<h2> ", "</h2>", "\n\\section{", "\n\\item ",
		"\n\n```\n", "\nfunc f() {\n", "\n}\n", "\n\n\t", " ", "  ", "\u00a0", "\r\n\t"}
	counters := realCounters(t)
	rounds := 25
	if *long {
		rounds = 3000
	}
	for range rounds {
		var b strings.Builder
		for range 1 + rng.IntN(60) {
			if rng.IntN(3) == 0 {
				b.WriteString(joints[rng.IntN(len(joints))])
			}
			b.WriteString(words[rng.IntN(len(words))])
		}
		size := 1 + rng.IntN(12)
		requireSizeLaw(t, counters, b.String(), size, rng.IntN(size))
	}
}

func requireSizeLaw(t testing.TB, counters map[string]Options, text string, size, overlap int) {
	t.Helper()
	for counter, o := range counters {
		o.Size, o.Overlap = size, overlap
		for name, build := range makers() {
			if name == "Windows" { // whose law is another
				continue
			}
			c, err := build(&o)
			require.NoError(t, err)
			chunks, err := c.Chunk(context.Background(), text)
			require.NoError(t, err)
			requireLaws(t, name+" "+counter, text, size, o.Tokens, chunks)
		}
	}
}

func FuzzSizeLaw(f *testing.F) {
	f.Add("x := open(name)\n\tdefer outFile.Close()\n\treturn x\n", uint8(4), uint8(0))
	f.Add("[alpha, notably the BSDs, and linux too]", uint8(4), uint8(0))
	f.Add("# T\n\n   # notably\n\n    outFile\n\n- a\n", uint8(1), uint8(0))
	counters := realCounters(f)
	f.Fuzz(func(t *testing.T, text string, size, overlap uint8) {
		n := 1 + int(size)%40
		requireSizeLaw(t, counters, text, n, int(overlap)%n)
	})
}
