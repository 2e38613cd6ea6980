// Package chunk measures the chunkers beside langchaingo's text splitters on the
// same text with the same sizes:
//
//	cd internal/bench && go test -bench . ./chunk
package chunk

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/textsplitter"

	"github.com/prodailabs/prodai/chunk"
	"github.com/prodailabs/prodai/chunk/token/o200k"
	"github.com/prodailabs/prodai/internal/bench/chunk/text"
)

func BenchmarkRecursive(b *testing.B) {
	text, err := text.Speech()
	require.NoError(b, err)
	for _, unit := range []struct {
		name  string
		size  int
		count func(string) int
	}{{"1000 runes", 1000, nil}, {"200 tokens", 200, o200k.Encoding().Count}} {
		o := &chunk.Options{Size: unit.size, Tokens: unit.count}
		ours, err := chunk.NewRecursive(o)
		require.NoError(b, err)
		markdown, err := chunk.NewMarkdown(o)
		require.NoError(b, err)
		options := []textsplitter.Option{textsplitter.WithChunkSize(unit.size), textsplitter.WithChunkOverlap(0)}
		if unit.count != nil {
			options = append(options, textsplitter.WithLenFunc(unit.count))
		}
		for name, c := range map[string]chunk.Chunker{"recursive": ours, "markdown": markdown} {
			b.Run(unit.name+"/"+name+"/prodai", func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				for b.Loop() {
					chunks, err := c.Chunk(b.Context(), text)
					if err != nil || len(chunks) < 1000 {
						b.Fatal(len(chunks), err)
					}
				}
			})
		}
		for name, s := range map[string]textsplitter.TextSplitter{
			"recursive": textsplitter.NewRecursiveCharacter(options...),
			"markdown":  textsplitter.NewMarkdownTextSplitter(options...),
		} {
			b.Run(unit.name+"/"+name+"/langchaingo", func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				for b.Loop() {
					chunks, err := s.SplitText(text)
					if err != nil || len(chunks) < 1000 {
						b.Fatal(len(chunks), err)
					}
				}
			})
		}
	}
}
