// Lab14-speculative shows speculative decoding with two real models: a small one guesses
// some tokens, the large one checks them all in one pass, and the text is the same as
// without. It compares guesses of a draft model with guesses from the prompt itself.
// No network is used.
//
//	go run ./examples/lab14-speculative
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"

	"github.com/prodailabs/prodai/cache/engine/llama"
	"github.com/prodailabs/prodai/cache/engine/llama/tiny"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lab14-speculative:", err)
		os.Exit(1)
	}
}

type lab struct {
	target, draft *llama.Network
	tok           *llama.Tokenizer
	out           io.Writer
}

func run(ctx context.Context, args []string, out, errs io.Writer) error {
	f := flag.NewFlagSet("lab14-speculative", flag.ContinueOnError)
	f.SetOutput(errs)
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	l := &lab{out: out}
	var err error
	if l.target, err = llama.Load(tiny.Target(), nil); err != nil {
		return err
	}
	if l.draft, err = llama.Load(tiny.Draft(), nil); err != nil {
		return err
	}
	if l.tok, err = llama.ReadTokenizer(tiny.Target()); err != nil {
		return err
	}
	for _, part := range []func(context.Context) error{l.lengths, l.temperatures, l.quoting} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	fmt.Fprint(out, `Notice: at temperature 0 the text is the same, token for token, whatever guesses. A longer
guess is kept to a smaller share, so the gain flattens while each pass costs more.
A guess from the prompt costs nothing, and wins where the answer quotes.
Try: another seed or prompt in main.go; a draft that is the target itself.
Read: go doc github.com/prodailabs/prodai/cache/engine/llama.Draft
`)
	return nil
}

var prompts = []string{"A retry is", "The cache keeps", "An error that", "The number of tokens", "If the model", "A guard"}

// generate writes a text for each prompt and adds up what it took.
func (l *lab) generate(ctx context.Context, drafter func() (llama.Drafter, error), gamma int, o llama.SamplerOptions) ([][]int32, llama.Stats, error) {
	var stats llama.Stats
	var texts [][]int32
	for _, prompt := range prompts {
		s, err := llama.NewSampler(&o)
		if err != nil {
			return nil, stats, err
		}
		g := &llama.GenerateOptions{Sampler: s, MaxTokens: 60, DraftTokens: gamma, Stats: &stats}
		if drafter != nil {
			if g.Drafter, err = drafter(); err != nil {
				return nil, stats, err
			}
		}
		var text []int32
		for token, err := range l.target.Generate(ctx, l.target.NewCache(), l.tok.Prompt(prompt, llama.SpecialText), g) {
			if err != nil {
				return nil, stats, err
			}
			text = append(text, token)
		}
		texts = append(texts, text)
	}
	return texts, stats, nil
}

func (l *lab) drafter() (llama.Drafter, error) { return llama.NewDraftModel(l.draft) }

// lengths tries guesses of 1 to 8 tokens.
func (l *lab) lengths(ctx context.Context) error {
	plain, _, err := l.generate(ctx, nil, 0, llama.SamplerOptions{})
	if err != nil {
		return err
	}
	fmt.Fprintln(l.out, "1. The target writes the most likely token; the draft has a fifth of its weights")
	fmt.Fprintf(l.out, "   %q goes on: %q\n", prompts[0], l.tok.Decode(plain[0][:30]))
	fmt.Fprintln(l.out, "   guess   kept of the guessed   tokens a pass   the same text")
	for _, gamma := range []int{1, 2, 4, 8} {
		texts, stats, err := l.generate(ctx, l.drafter, gamma, llama.SamplerOptions{})
		if err != nil {
			return err
		}
		same := slices.EqualFunc(plain, texts, slices.Equal[[]int32])
		fmt.Fprintf(l.out, "   %5d   %14.0f %%       %10.2f      %v\n", gamma, 100*float64(stats.Accepted)/float64(stats.Drafted),
			float64(stats.Tokens)/float64(stats.Passes), same)
	}
	fmt.Fprintln(l.out)
	return nil
}

// temperatures draws tokens: the text differs each time, its distribution does not.
func (l *lab) temperatures(ctx context.Context) error {
	fmt.Fprintln(l.out, "2. Drawn tokens: a guess x is kept with probability min(1, p(x)/q(x)), else replaced from max(0, p-q)")
	fmt.Fprintln(l.out, "   temperature   kept of the guessed   alpha = sum of min(p, q)   tokens a pass   expected")
	for _, t := range []float64{.5, 1, 1.5} {
		o := llama.SamplerOptions{Temperature: t, Rand: rand.New(rand.NewPCG(14, 2))}
		_, stats, err := l.generate(ctx, l.drafter, 1, o)
		if err != nil {
			return err
		}
		alpha, err := l.overlap(ctx, t)
		if err != nil {
			return err
		}
		fmt.Fprintf(l.out, "   %8.1f      %14.0f %%      %15.2f            %10.2f       %.2f\n", t, 100*float64(stats.Accepted)/float64(stats.Drafted),
			alpha, float64(stats.Tokens)/float64(stats.Passes), llama.ExpectedTokens(alpha, 1))
	}
	fmt.Fprintln(l.out)
	return nil
}

// overlap computes how much of p and q agree, over texts that the target draws.
func (l *lab) overlap(ctx context.Context, temperature float64) (float64, error) {
	texts, _, err := l.generate(ctx, nil, 0, llama.SamplerOptions{Temperature: temperature, Rand: rand.New(rand.NewPCG(14, 3))})
	if err != nil {
		return 0, err
	}
	s, err := llama.NewSampler(&llama.SamplerOptions{Temperature: temperature})
	if err != nil {
		return 0, err
	}
	sum, n := 0.0, 0
	for i, text := range texts {
		all := append(l.tok.Prompt(prompts[i], llama.SpecialText), text...)
		p, err := l.target.Forward(ctx, []llama.Step{{Cache: l.target.NewCache(), Tokens: all, Logits: llama.RowsAll}})
		if err != nil {
			return 0, err
		}
		q, err := l.draft.Forward(ctx, []llama.Step{{Cache: l.draft.NewCache(), Tokens: all, Logits: llama.RowsAll}})
		if err != nil {
			return 0, err
		}
		for j := len(all) - len(text); j < len(all); j++ {
			sum += llama.Overlap(dense(s.Distribution(p[0][j])), dense(s.Distribution(q[0][j])))
			n++
		}
	}
	return sum / float64(n), nil
}

// dense returns a distribution as one probability for each token.
func dense(d llama.Distribution) []float64 {
	out := make([]float64, len(d.IDs))
	for i, id := range d.IDs {
		out[id] = d.P[i]
	}
	return out
}

// quoting writes after a prompt that repeats itself, where looking up pays.
func (l *lab) quoting(ctx context.Context) error {
	fmt.Fprintln(l.out, "3. Prompt lookup: guess what followed the same words before")
	text := "A permit ends with an outcome. A permit that is not used is given back. "
	prompt := l.tok.Prompt(text+text+text, llama.SpecialText)
	for _, row := range []struct {
		name    string
		drafter llama.Drafter
	}{{"none", nil}, {"lookup", llama.Lookup{}}} {
		var stats llama.Stats
		for _, err := range l.target.Generate(ctx, l.target.NewCache(), prompt, &llama.GenerateOptions{MaxTokens: 40, Drafter: row.drafter, Stats: &stats}) {
			if err != nil {
				return err
			}
		}
		fmt.Fprintf(l.out, "   %-8s %3d tokens in %3d passes, %3d of %3d guesses kept\n", row.name, stats.Tokens, stats.Passes+1, stats.Accepted, stats.Drafted)
	}
	fmt.Fprintln(l.out)
	return nil
}
