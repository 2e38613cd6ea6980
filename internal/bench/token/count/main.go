// Command count measures chunk/token for chunk/token/testdata/peers/compare.py. It
// reads lines of an encoding, a way to count and the path of a text, and prints
// for each the nanoseconds of the first and the second pass, the processor's
// nanoseconds of the first, and the number of tokens.
//
// The ways are count (Encoding.Count), encode (Encoding.Encode), stream (a
// StreamCounter that is given 64 bytes at a time), range (a RangeCounter) and chunk
// (chunk.Recursive with a budget of 200 tokens, which prints the number of chunks).
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/prodailabs/prodai/chunk"
	"github.com/prodailabs/prodai/chunk/token"
	"github.com/prodailabs/prodai/chunk/token/cl100k"
	"github.com/prodailabs/prodai/chunk/token/o200k"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if err := measure(lines.Text()); err != nil {
			fmt.Fprintln(os.Stderr, "count:", err)
			os.Exit(1)
		}
	}
}

func measure(line string) error {
	var name, way, file string
	if _, err := fmt.Sscan(line, &name, &way, &file); err != nil {
		return fmt.Errorf("%q: want an encoding, a way and a file: %w", line, err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	text := string(data)
	known, count := encodings[name], ways[way]
	if known.encoding == nil || count == nil {
		return fmt.Errorf("%q: there is no such encoding or way", line)
	}
	// A new encoding remembers nothing of earlier texts. The collections end the work
	// that is left of making it.
	e, err := token.New(known.encoding().Ranks(), &token.Options{Pattern: known.pattern})
	if err != nil {
		return err
	}
	runtime.GC()
	runtime.GC()
	count(e, text[:len(text)/8])
	cpu, start := processorTime(), time.Now()
	n := count(e, text)
	first, firstCPU := time.Since(start), processorTime()-cpu
	start = time.Now()
	count(e, text)
	fmt.Println(first.Nanoseconds(), time.Since(start).Nanoseconds(), firstCPU.Nanoseconds(), n)
	return nil
}

var encodings = map[string]struct {
	encoding func() *token.Encoding
	pattern  token.Pattern
}{
	"o200k_base":  {o200k.Encoding, token.PatternO200K},
	"cl100k_base": {cl100k.Encoding, token.PatternCL100K},
}

// failed is the number that is printed for a way that failed.
const failed = -1

var ways = map[string]func(*token.Encoding, string) int{
	"count":  (*token.Encoding).Count,
	"encode": func(e *token.Encoding, text string) int { return len(e.Encode(text)) },
	"stream": func(e *token.Encoding, text string) int {
		c := e.NewStreamCounter()
		for ; len(text) > 64; text = text[64:] {
			_, _ = c.WriteString(text[:64])
		}
		_, _ = c.WriteString(text)
		return c.Count()
	},
	"range": func(e *token.Encoding, text string) int { return e.NewRangeCounter(text).Total() },
	"chunk": func(e *token.Encoding, text string) int {
		c, err := chunk.NewRecursive(&chunk.Options{Size: 200, Unit: chunk.UnitTokens, Ranges: e.Ranges})
		if err != nil {
			return failed
		}
		chunks, err := c.Chunk(context.Background(), text)
		if err != nil {
			return failed
		}
		return len(chunks)
	},
}
