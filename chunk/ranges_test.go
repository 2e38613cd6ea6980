package chunk

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/chunk/token/o200k"
)

// Options.Ranges gives the same passages as Options.Tokens, faster.
func FuzzRanges(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 2000)
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	for _, s := range []string{sample, strings.Repeat(sample, 10), strings.Repeat("aAbB", 300), strings.Repeat("1234567890", 50), strings.Repeat("返金は三十日以内です。", 30), strings.Repeat(" \r\n", 200) + "x", string(noise)} {
		f.Add(s, uint8(6), uint8(2))
		f.Add(s, uint8(60), uint8(0))
	}
	f.Fuzz(func(t *testing.T, text string, size, overlap uint8) {
		n := 1 + int(size)
		for _, name := range []string{"Recursive", "Markdown", "JSON"} {
			var got [2][]Chunk
			for i, o := range []Options{{Tokens: o200k.Encoding().Count}, {Ranges: o200k.Encoding().Ranges}} {
				o.Size, o.Overlap = n, int(overlap)%n
				c, err := makers()[name](&o)
				got[i] = cut(t, c, err, text)
			}
			require.Equal(t, got[0], got[1], name)
			requireLaws(t, name, text, n, o200k.Encoding().Count, got[1])
		}
	})
}
