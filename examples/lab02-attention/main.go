// Lab02-attention runs a small transformer in this process and shows what lecture 2 says
// about it: which tokens look at which, what the cache of keys and values saves, and why a
// prompt is read faster than an answer is written. No network is used.
//
//	go run ./examples/lab02-attention                     the tiny model of this module
//	go run ./examples/lab02-attention -gguf FILE          a model of your own
//	go run ./examples/lab02-attention -prompt "A retry"   another text
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/prodailabs/prodai/cache/engine/llama"
	"github.com/prodailabs/prodai/cache/engine/llama/tiny"
	"github.com/prodailabs/prodai/cache/engine/llama/weights"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lab02-attention:", err)
		os.Exit(1)
	}
}

// A lab is a loaded model and the page.
type lab struct {
	net *llama.Network
	tok *llama.Tokenizer
	out io.Writer
}

func run(ctx context.Context, args []string, out, errs io.Writer) error {
	f := flag.NewFlagSet("lab02-attention", flag.ContinueOnError)
	f.SetOutput(errs)
	path := f.String("gguf", "", "file of a Llama, Qwen or Gemma model, or folder of a checkpoint (default the tiny model of this module)")
	prompt := f.String("prompt", "A queue keeps jobs. A queue", "text to look at")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	file := tiny.Target()
	if *path != "" {
		var err error
		if file, err = weights.Open(*path); err != nil {
			return err
		}
		defer func() { _ = file.Close() }() // it was only read
	}
	l := &lab{out: out}
	var err error
	if l.net, err = llama.Load(file, nil); err != nil {
		return err
	}
	if l.tok, err = llama.ReadTokenizer(file); err != nil {
		return err
	}
	for _, part := range []func(context.Context, string) error{l.shape, l.attention, l.next, l.cache, l.speed} {
		if err := part(ctx, *prompt); err != nil {
			return err
		}
	}
	fmt.Fprint(out, `
Notice: a token looks only back. One head looks at the token before it, another more than
the rest at what followed the same word earlier: together they repeat a pattern, and the
likeliest next word is the one that followed before.
Without the cache the work grows with the square of the length.
Try: -prompt with a word that appears twice, and -gguf with a model of your own.
Read: go doc github.com/prodailabs/prodai/cache/engine/llama
`)
	return nil
}

func (l *lab) shape(context.Context, string) error {
	c := l.net.Config()
	fmt.Fprintf(l.out, "1. The model: %s\n", c.Name)
	fmt.Fprintf(l.out, "   %d layers, %d heads that share %d of keys and values, vectors of %d, %d tokens in the vocabulary\n",
		c.Layers, c.Heads, c.KVHeads, c.Width, c.Vocabulary)
	fmt.Fprintf(l.out, "   each new token reads %.2f MB of weights; each token in the cache takes %d bytes\n\n", float64(l.net.Bytes())/1e6, c.KVBytes())
	return nil
}

// attention draws, for the head that looks back most, what each token looks at.
func (l *lab) attention(ctx context.Context, prompt string) error {
	tokens := l.tok.Prompt(prompt, llama.SpecialText)
	if len(tokens) > 24 {
		tokens = tokens[:24]
	}
	var mu sync.Mutex
	type head struct{ layer, head int }
	weight := map[head][][]float32{}
	_, err := l.net.Forward(ctx, []llama.Step{{Cache: l.net.NewCache(), Tokens: tokens, Attention: func(layer, h, position int, w []float32) {
		mu.Lock()
		defer mu.Unlock()
		k := head{layer, h}
		if weight[k] == nil {
			weight[k] = make([][]float32, len(tokens))
		}
		weight[k][position] = w
	}}})
	if err != nil {
		return err
	}
	previous, repeated := head{}, head{}
	best, most := -1.0, -1.0
	for k, w := range weight {
		back, again := lookBack(w, tokens)
		if back > best || back == best && (k.layer < previous.layer || k.layer == previous.layer && k.head < previous.head) {
			best, previous = back, k
		}
		if again > most || again == most && (k.layer < repeated.layer || k.layer == repeated.layer && k.head < repeated.head) {
			most, repeated = again, k
		}
	}
	fmt.Fprintln(l.out, "2. Attention: each row is a token, each column a token that it looks at; darker is more")
	l.draw(fmt.Sprintf("layer %d, head %d: looks at the token before (%.0f %% of its weight)", previous.layer, previous.head, 100*best), weight[previous], tokens)
	if most > 0 {
		l.draw(fmt.Sprintf("layer %d, head %d: looks at what followed the same token before (%.0f %%)", repeated.layer, repeated.head, 100*most), weight[repeated], tokens)
	}
	return nil
}

// lookBack returns the mean weight that tokens give to the one before them, and to the one
// that followed their first appearance.
func lookBack(w [][]float32, tokens []int32) (previous, repeated float64) {
	n := 0
	for i := 1; i < len(tokens); i++ {
		previous += float64(w[i][i-1]) / float64(len(tokens)-1)
		for j := range i {
			if tokens[j] == tokens[i] && j+1 < i {
				repeated += float64(w[i][j+1])
				n++
				break
			}
		}
	}
	if n > 0 {
		repeated /= float64(n)
	}
	return previous, repeated
}

func (l *lab) draw(title string, w [][]float32, tokens []int32) {
	fmt.Fprintf(l.out, "   %s\n", title)
	const shades = " .:-=+*#%@"
	for i, row := range w {
		var b strings.Builder
		for _, x := range row {
			b.WriteByte(shades[min(len(shades)-1, int(x*float32(len(shades))))])
			b.WriteByte(' ')
		}
		text := l.tok.Bytes(tokens[i])
		if text == "" {
			text = "begin"
		}
		fmt.Fprintf(l.out, "   %12q  %s\n", text, b.String())
	}
	fmt.Fprintln(l.out)
}

// next shows the tokens that may follow, and a text of the most likely ones.
func (l *lab) next(ctx context.Context, prompt string) error {
	tokens := l.tok.Prompt(prompt, llama.SpecialText)
	rows, err := l.net.Forward(ctx, []llama.Step{{Cache: l.net.NewCache(), Tokens: tokens}})
	if err != nil {
		return err
	}
	s, err := llama.NewSampler(&llama.SamplerOptions{Temperature: 1, TopK: 4})
	if err != nil {
		return err
	}
	d := s.Distribution(rows[0][0])
	fmt.Fprintf(l.out, "3. What may follow %q\n  ", prompt)
	for i, id := range d.IDs {
		fmt.Fprintf(l.out, " %q %.0f %%", l.tok.Bytes(id), 100*d.P[i])
	}
	var text strings.Builder
	for id, err := range l.net.Generate(ctx, l.net.NewCache(), tokens, &llama.GenerateOptions{MaxTokens: 24, End: l.tok.IsEnd}) {
		if err != nil {
			return err
		}
		text.WriteString(l.tok.Bytes(id))
	}
	fmt.Fprintf(l.out, "\n   the most likely each time: %q\n\n", prompt+text.String())
	return nil
}

// cache counts what a text costs with the keys and values kept, and without.
func (l *lab) cache(ctx context.Context, prompt string) error {
	fmt.Fprintln(l.out, "4. The cache of keys and values: tokens computed to write an answer, and the time")
	fmt.Fprintln(l.out, "   answer      with cache              without")
	for _, n := range []int{16, 32, 64} {
		tokens := l.tok.Prompt(prompt, llama.SpecialText)
		start := time.Now()
		count := len(tokens)
		for _, err := range l.net.Generate(ctx, l.net.NewCache(), tokens, &llama.GenerateOptions{MaxTokens: n}) {
			if err != nil {
				return err
			}
		}
		count += n - 1
		with := time.Since(start)
		start = time.Now()
		all := 0
		text := tokens
		for range n {
			rows, err := l.net.Forward(ctx, []llama.Step{{Cache: l.net.NewCache(), Tokens: text}})
			if err != nil {
				return err
			}
			all += len(text)
			s, err := llama.NewSampler(nil)
			if err != nil {
				return err
			}
			text = append(text[:len(text):len(text)], s.Sample(rows[0][0]))
		}
		fmt.Fprintf(l.out, "   %4d   %5d  %8.1f ms     %5d  %8.1f ms\n", n, count, ms(with), all, ms(time.Since(start)))
	}
	fmt.Fprintln(l.out)
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// speed compares reading a prompt with writing, and writing after short and long texts.
func (l *lab) speed(ctx context.Context, prompt string) error {
	fmt.Fprintln(l.out, "5. Speed: a prompt is read in one pass, an answer is written in one pass for each token")
	fmt.Fprintln(l.out, "   length   reading            writing after it")
	most := min(l.net.Config().Context-16, 496)
	for _, n := range []int{16, 64, 240, most} {
		tokens := l.tok.Prompt(strings.Repeat(prompt+" ", n), llama.SpecialText)
		tokens = tokens[:min(len(tokens), n)]
		c := l.net.NewCache()
		start := time.Now()
		if _, err := l.net.Forward(ctx, []llama.Step{{Cache: c, Tokens: tokens}}); err != nil {
			return err
		}
		read := time.Since(start)
		start = time.Now()
		for range 16 {
			if _, err := l.net.Forward(ctx, []llama.Step{{Cache: c, Tokens: tokens[:1]}}); err != nil {
				return err
			}
		}
		wrote := time.Since(start)
		fmt.Fprintf(l.out, "   %6d   %7.0f tokens/s   %7.0f tokens/s\n", len(tokens), float64(len(tokens))/read.Seconds(), 16/wrote.Seconds())
	}
	return nil
}
