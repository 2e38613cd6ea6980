package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/prodailabs/prodai/chunk"
	"github.com/prodailabs/prodai/chunk/chunkeval"
	"github.com/prodailabs/prodai/chunk/token/o200k"
)

// shown is how much of the text showCuts shows.
const shown = 700

// showCuts prints the beginning of the first text with the cuts of windows and
// of a structured chunker.
func showCuts(ctx context.Context, out io.Writer, data *chunkeval.Data) error {
	name := slices.Sorted(maps.Keys(data.Corpora))
	text := data.Corpora[name[len(name)-1]]
	recursive, err := chunk.NewRecursive(&chunk.Options{Size: 60, Ranges: o200k.Encoding().Ranges})
	if err != nil {
		return err
	}
	windows, err := chunk.NewWindows(60, 0, o200k.Encoding().Ends)
	if err != nil {
		return err
	}
	for _, c := range []contestant{{"Windows of 60 tokens cut anywhere", windows}, {"A recursive chunker of 60 tokens cuts between paragraphs and sentences", recursive}} {
		chunks, err := c.chunker.Chunk(ctx, text)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s:\n", c.name)
		for _, c := range chunks {
			if c.Start > shown {
				break
			}
			fmt.Fprintf(out, "  %4d-%-4d │ %s\n", c.Start, c.End, ends(strings.Join(strings.Fields(c.Text), " ")))
		}
		fmt.Fprintln(out)
	}
	return nil
}

// ends shortens a line to its two ends, which is where a cut shows.
func ends(s string) string {
	const side = 32
	r := []rune(s)
	if len(r) <= 2*side+3 {
		return s
	}
	return string(r[:side]) + " … " + string(r[len(r)-side:])
}
