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
	"github.com/prodailabs/prodai/examples/plot"
)

// shown is how much of the text is shown with its cuts.
const shown = 1200

// A cutting is the beginning of a text, cut.
type cutting struct {
	title  string
	chunks []chunk.Chunk
}

// cuttings cuts the beginning of the last text with windows and with a
// structured chunker of the same size.
func cuttings(ctx context.Context, data *chunkeval.Data) ([]cutting, error) {
	names := slices.Sorted(maps.Keys(data.Corpora))
	text := data.Corpora[names[len(names)-1]]
	windows, err := chunk.NewWindows(o200k.Encoding().Ends, &chunk.WindowsOptions{Size: 60})
	if err != nil {
		return nil, err
	}
	recursive, err := chunk.NewRecursive(&chunk.Options{Size: 60, Ranges: o200k.Encoding().Ranges})
	if err != nil {
		return nil, err
	}
	var out []cutting
	for _, c := range []contestant{
		{"Windows of 60 tokens cut anywhere", windows},
		{"A recursive chunker of 60 tokens cuts between paragraphs and sentences", recursive},
	} {
		chunks, err := c.chunker.Chunk(ctx, text)
		if err != nil {
			return nil, err
		}
		n := slices.IndexFunc(chunks, func(c chunk.Chunk) bool { return c.Start > shown })
		if n < 0 {
			n = len(chunks)
		}
		out = append(out, cutting{c.name, chunks[:n]})
	}
	return out, nil
}

func printCuttings(out io.Writer, all []cutting) {
	for _, c := range all {
		fmt.Fprintf(out, "%s:\n", c.title)
		for _, c := range c.chunks {
			fmt.Fprintf(out, "  %4d-%-4d │ %s\n", c.Start, c.End, ends(oneLine(c)))
		}
		fmt.Fprintln(out)
	}
}

// table shows a cutting on the page.
func (c cutting) table() *plot.Table {
	t := &plot.Table{Title: c.title, Head: []string{"passage", "from", "to byte"}}
	for _, c := range c.chunks {
		t.Rows = append(t.Rows, []string{oneLine(c), fmt.Sprint(c.Start), fmt.Sprint(c.End)})
	}
	return t
}

func oneLine(c chunk.Chunk) string { return strings.Join(strings.Fields(c.Text), " ") }

// ends shortens a line to its two ends, where the cuts can be seen.
func ends(s string) string {
	const side = 32
	r := []rune(s)
	if len(r) <= 2*side+3 {
		return s
	}
	return string(r[:side]) + " … " + string(r[len(r)-side:])
}
