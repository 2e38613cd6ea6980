// Lab13-quant-ladder makes the weights of a real, tiny language model smaller step by step,
// and measures what each step costs in perplexity: fewer bits, coarser scales, weights
// removed. Then it trains a small model with quantization in the loop. No network is used.
//
//	go run ./examples/lab13-quant-ladder
package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"github.com/prodailabs/prodai/cache/engine/llama"
	"github.com/prodailabs/prodai/cache/engine/llama/tiny"
	"github.com/prodailabs/prodai/cache/engine/llama/weights"
	"github.com/prodailabs/prodai/cache/engine/quant"
)

//go:embed held.txt
var held string // written after the model was trained

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lab13-quant-ladder:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, errs io.Writer) error {
	f := flag.NewFlagSet("lab13-quant-ladder", flag.ContinueOnError)
	f.SetOutput(errs)
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	l, err := newLab(ctx, out)
	if err != nil {
		return err
	}
	for _, part := range []func() error{l.bits, l.prune, l.train} {
		if err := part(); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, "What to notice: 8 bits cost nothing. With 4 bits it matters how many numbers share a scale,")
	fmt.Fprintln(out, "and with 2 it decides whether a model is left. Half of the weights can't simply be removed.")
	fmt.Fprintln(out, "A smaller range (Clip) helps where bits are few, and training with rounding helps most.")
	fmt.Fprintln(out, "What to try: other rows in the source; Bits of 5 and 6; GrainGroup with 16.")
	fmt.Fprintln(out, "What to read: go doc ./cache/engine/quant.")
	return nil
}

// A lab has the tiny model's weights as numbers.
type lab struct {
	ctx     context.Context
	out     io.Writer
	file    *weights.File
	tok     *llama.Tokenizer
	meta    []weights.Pair
	numbers map[string][]float32
	plain   float64 // its perplexity
}

func newLab(ctx context.Context, out io.Writer) (*lab, error) {
	l := &lab{ctx: ctx, out: out, file: tiny.Target(), numbers: map[string][]float32{}}
	var err error
	if l.tok, err = llama.ReadTokenizer(l.file); err != nil {
		return nil, err
	}
	for p := range l.file.Metadata() {
		l.meta = append(l.meta, p)
	}
	for _, t := range l.file.Tensors() {
		if l.numbers[t.Name], err = l.file.Floats(t.Name); err != nil {
			return nil, err
		}
	}
	l.plain, err = l.perplexity(func(t weights.Tensor, x []float32) ([]float32, error) { return x, nil })
	return l, err
}

// matrix reports whether a tensor is a matrix: vectors, such as norms, stay as they are.
func matrix(t weights.Tensor) bool { return len(t.Shape) == 2 && t.Shape[0] > 1 }

// perplexity measures the model with its matrices changed, on text that it was not trained
// on.
func (l *lab) perplexity(change func(weights.Tensor, []float32) ([]float32, error)) (float64, error) {
	var sources []weights.Source
	for _, t := range l.file.Tensors() {
		x := l.numbers[t.Name]
		if matrix(t) {
			var err error
			if x, err = change(t, x); err != nil {
				return 0, err
			}
		}
		sources = append(sources, weights.Source{Name: t.Name, Type: weights.TypeF32, Shape: t.Shape, Floats: func() ([]float32, error) { return x, nil }})
	}
	var b bytes.Buffer
	if err := weights.WriteGGUF(&b, l.meta, sources); err != nil {
		return 0, err
	}
	f, err := weights.Read(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		return 0, err
	}
	n, err := llama.Load(f, &llama.LoadOptions{Precision: llama.PrecisionFloat32})
	if err != nil {
		return 0, err
	}
	surprise, tokens := 0.0, 0
	for text := range strings.SplitSeq(strings.TrimSpace(held), "\n\n") {
		ids := l.tok.Prompt(text, llama.SpecialText)
		p, err := n.Perplexity(l.ctx, ids)
		if err != nil {
			return 0, err
		}
		surprise += math.Log(p) * float64(len(ids)-1)
		tokens += len(ids) - 1
	}
	return math.Exp(surprise / float64(tokens)), nil
}

func (l *lab) row(name string, bits, perplexity float64) {
	fmt.Fprintf(l.out, "   %-36s %5.2f %12s\n", name, bits, number(perplexity))
}

// number prints a perplexity, which can be huge.
func number(v float64) string {
	if v >= 100_000 {
		return fmt.Sprintf("%.0e", v)
	}
	return fmt.Sprintf("%.1f", v)
}

// bits is the ladder: fewer and fewer bits, with three grains.
func (l *lab) bits() error {
	fmt.Fprintln(l.out, "1. Fewer bits, without training again (the vocabulary has 2,048 tokens)")
	fmt.Fprintln(l.out, "   scale of                              bits   perplexity")
	l.row("as it is stored (Q8_0)", 8.5, l.plain)
	for _, s := range []struct {
		name string
		o    quant.Options
	}{
		{"a row, 8 bits", quant.Options{Bits: 8}},
		{"the whole matrix, 8 bits", quant.Options{Bits: 8, Grain: quant.GrainTensor}},
		{"32 neighbors, 4 bits, zero point", quant.Options{Bits: 4, Grain: quant.GrainGroup, Scheme: quant.SchemeAsymmetric}},
		{"32 neighbors, 4 bits", quant.Options{Bits: 4, Grain: quant.GrainGroup}},
		{"a row, 4 bits", quant.Options{Bits: 4}},
		{"the whole matrix, 4 bits", quant.Options{Bits: 4, Grain: quant.GrainTensor}},
		{"the whole matrix, 3 bits", quant.Options{Bits: 3, Grain: quant.GrainTensor}},
		{"32 neighbors, 3 bits, zero point", quant.Options{Bits: 3, Grain: quant.GrainGroup, Scheme: quant.SchemeAsymmetric}},
		{"32 neighbors, 2 bits, zero point", quant.Options{Bits: 2, Grain: quant.GrainGroup, Scheme: quant.SchemeAsymmetric}},
		{"a row, 2 bits", quant.Options{Bits: 2}},
	} {
		var size, count float64
		p, err := l.perplexity(func(t weights.Tensor, x []float32) ([]float32, error) {
			m, err := quant.Quantize(x, t.Shape[0], t.Shape[1], &s.o)
			if err != nil {
				return nil, err
			}
			size += m.BitsPerWeight() * float64(len(x))
			count += float64(len(x))
			return m.Dequantize(), nil
		})
		if err != nil {
			return err
		}
		l.row(s.name, size/count, p)
	}
	fmt.Fprintln(l.out)
	return nil
}

// prune removes weights.
func (l *lab) prune() error {
	fmt.Fprintln(l.out, "2. Weights removed, without training again")
	fmt.Fprintln(l.out, "   which                               share   perplexity")
	for _, share := range []float64{.1, .3, .5} {
		p, err := l.perplexity(func(_ weights.Tensor, x []float32) ([]float32, error) {
			keep, err := quant.PruneMagnitude(x, share)
			return quant.Apply(x, keep), err
		})
		if err != nil {
			return err
		}
		l.row("the smallest of each matrix", share, p)
	}
	p, err := l.perplexity(func(t weights.Tensor, x []float32) ([]float32, error) {
		keep, err := quant.PruneNM(x, t.Shape[1], 2, 4)
		return quant.Apply(x, keep), err
	})
	if err != nil {
		return err
	}
	l.row("2 of each 4 neighbors", .5, p)
	fmt.Fprintln(l.out)
	return nil
}
