// Command run cuts the file named by its argument with package chunk and with
// langchaingo and prints, for each task: name, task, MB/s, number of chunks. With
// -write it writes the text that the benchmarks cut to that file instead.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/tmc/langchaingo/textsplitter"

	"github.com/prodailabs/prodai/chunk"
	"github.com/prodailabs/prodai/chunk/token/o200k"
	"github.com/prodailabs/prodai/internal/bench/chunk/text"
)

func main() {
	write := flag.Bool("write", false, "write the text to the file")
	flag.Parse()
	log.SetFlags(0)
	if *write {
		s, err := text.Speech()
		if err == nil {
			err = os.WriteFile(flag.Arg(0), []byte(s), 0o644)
		}
		if err != nil {
			log.Fatal(err)
		}
		return
	}
	data, err := os.ReadFile(flag.Arg(0))
	if err != nil {
		log.Fatal(err)
	}
	s := string(data)
	o200k.Encoding().Count("warm")
	for _, unit := range []struct {
		name  string
		size  int
		count func(string) int
	}{{"1000-runes", 1000, nil}, {"200-tokens", 200, o200k.Encoding().Count}} {
		o := &chunk.Options{Size: unit.size, Tokens: unit.count}
		recursive, err := chunk.NewRecursive(o)
		if err != nil {
			log.Fatal(err)
		}
		markdown, err := chunk.NewMarkdown(o)
		if err != nil {
			log.Fatal(err)
		}
		measure("prodai", "recursive-"+unit.name, s, func(s string) (int, error) { c, err := recursive.Chunk(context.Background(), s); return len(c), err })
		measure("prodai", "markdown-"+unit.name, s, func(s string) (int, error) { c, err := markdown.Chunk(context.Background(), s); return len(c), err })
		options := []textsplitter.Option{textsplitter.WithChunkSize(unit.size), textsplitter.WithChunkOverlap(0)}
		if unit.count != nil {
			options = append(options, textsplitter.WithLenFunc(unit.count))
		}
		for name, peer := range map[string]textsplitter.TextSplitter{"recursive-": textsplitter.NewRecursiveCharacter(options...), "markdown-": textsplitter.NewMarkdownTextSplitter(options...)} {
			measure("langchaingo", name+unit.name, s, func(s string) (int, error) { c, err := peer.SplitText(s); return len(c), err })
		}
	}
}

func measure(name, task, s string, cut func(string) (int, error)) {
	start := time.Now()
	n, err := cut(s)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s %s %.3f %d\n", name, task, float64(len(s))/1e6/time.Since(start).Seconds(), n)
}
