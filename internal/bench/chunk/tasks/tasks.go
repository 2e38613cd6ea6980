// Package tasks has what the chunkers are measured on: a text, and the ways to
// cut it of package chunk and of langchaingo.
package tasks

import (
	"context"
	"fmt"
	"strings"

	"github.com/pkoukk/tiktoken-go"
	loader "github.com/pkoukk/tiktoken-go-loader"
	"github.com/tmc/langchaingo/textsplitter"

	"github.com/prodailabs/prodai/chunk"
	"github.com/prodailabs/prodai/chunk/chunkeval/sample"
	"github.com/prodailabs/prodai/chunk/token/o200k"
)

// Speech returns about 2 MB of markdown: a speech forty times over, with a
// heading before every eighth paragraph.
func Speech() (string, error) {
	d, err := sample.Data()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for i, p := range strings.SplitAfter(strings.Repeat(d.Corpora["state_of_the_union"], 40), "\n\n") {
		if i%8 == 0 {
			b.WriteString("## A heading\n\n")
		}
		b.WriteString(p)
	}
	return b.String(), nil
}

// A Task is one way to cut a text.
type Task struct {
	Name string // kind-size-unit, such as recursive-200-tokens
	By   string // the library that cuts
	Cut  func(text string) (chunks int, err error)
}

// All returns the tasks. A size in code points is counted by each splitter in
// its default way. For a size in tokens langchaingo is given the length function
// that its own token splitter uses, tiktoken-go, and once more ours, which shows
// what the counter alone is worth.
func All() ([]Task, error) {
	tiktoken.SetBpeLoader(loader.NewOfflineLoader())
	theirs, err := tiktoken.GetEncoding("o200k_base")
	if err != nil {
		return nil, err
	}
	ours := o200k.Encoding()
	tiktokenGo := func(s string) int { return len(theirs.EncodeOrdinary(s)) }
	var all []Task
	for _, size := range []struct {
		n      int
		tokens bool
	}{{1000, false}, {200, false}, {200, true}} {
		o := &chunk.Options{Size: size.n, Unit: chunk.UnitRunes}
		peers := map[string]func(string) int{"langchaingo": nil}
		unit := "runes"
		if size.tokens {
			unit = "tokens"
			o = &chunk.Options{Size: size.n, Ranges: ours.Ranges}
			peers = map[string]func(string) int{"langchaingo": tiktokenGo, "langchaingo-our-counter": ours.Count}
		}
		recursive, err := chunk.NewRecursive(o)
		if err != nil {
			return nil, err
		}
		markdown, err := chunk.NewMarkdown(o)
		if err != nil {
			return nil, err
		}
		for kind, c := range map[string]chunk.Chunker{"recursive": recursive, "markdown": markdown} {
			all = append(all, Task{fmt.Sprintf("%s-%d-%s", kind, size.n, unit), "prodai", func(text string) (int, error) {
				chunks, err := c.Chunk(context.Background(), text)
				return len(chunks), err
			}})
		}
		for by, length := range peers {
			options := []textsplitter.Option{textsplitter.WithChunkSize(size.n), textsplitter.WithChunkOverlap(0)}
			if length != nil {
				options = append(options, textsplitter.WithLenFunc(length))
			}
			for kind, s := range map[string]textsplitter.TextSplitter{
				"recursive": textsplitter.NewRecursiveCharacter(options...),
				"markdown":  textsplitter.NewMarkdownTextSplitter(options...),
			} {
				all = append(all, Task{fmt.Sprintf("%s-%d-%s", kind, size.n, unit), by, func(text string) (int, error) {
					chunks, err := s.SplitText(text)
					return len(chunks), err
				}})
			}
		}
	}
	return all, nil
}
