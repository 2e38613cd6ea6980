// Command lab13-vector-quantization makes vectors small in several ways, and measures how
// many of the true nearest are still found: by the codes alone, and after the best by the
// codes were ranked again by the vectors themselves.
//
//	go run ./examples/lab13-vector-quantization
//	go run ./examples/lab13-vector-quantization -html bits.html
//	go run ./examples/lab13-vector-quantization -shift 0.1
//
// The vectors are those of the sentences of this course, by the embedder of
// retrieve/embed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/prodailabs/prodai/retrieve/vecquant"
)

func main() {
	l := lab{}
	flag.StringVar(&l.kind, "data", "course", "the vectors: course (its sentences, embedded), or shuffled (their elements exchanged among the sentences)")
	flag.IntVar(&l.n, "n", 5000, "the number of vectors, at most")
	flag.IntVar(&l.k, "k", 10, "how many nearest are looked for")
	flag.Float64Var(&l.shift, "shift", 0, "add this to every element of every vector first")
	flag.StringVar(&l.html, "html", "", "also draw recall against bits on this page")
	flag.Parse()
	if err := l.run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "lab13-vector-quantization:", err)
		os.Exit(1)
	}
}

type lab struct {
	kind, html string
	n, k       int
	shift      float64
}

// A row is what was measured of one quantizer.
type row struct {
	name   string
	family string // quantizers that differ in one number only
	bytes  int
	bits   float64 // of an element
	lost   float64 // share of the vectors' variance, 0 to 1
	recall []float64
}

// factors are how many times k candidates are ranked again by the vectors; 1: the codes
// alone decide.
var factors = []int{1, 4, 20}

func (l *lab) run(ctx context.Context, out io.Writer) error {
	if l.k < 1 || l.n < 100 {
		return errors.New("want -k of 1 or more and -n of 100 or more")
	}
	vectors, queries, err := l.shifted(ctx)
	if err != nil {
		return err
	}
	rows, err := l.measure(vectors, queries)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d vectors of %d elements, %d queries, the %d nearest of each\n\n", len(vectors), len(vectors[0]), len(queries), l.k)
	report(out, rows)
	if l.html == "" {
		return nil
	}
	if err := l.page(rows, len(vectors), len(vectors[0])).WriteFile(l.html); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nThe figure is in %s.\n", l.html)
	return nil
}

// shifted returns the vectors and the queries, moved by l.shift and of length 1.
func (l *lab) shifted(ctx context.Context) (all, queries [][]float32, err error) {
	if all, queries, err = l.vectors(ctx); err != nil {
		return nil, nil, err
	}
	for _, set := range [][][]float32{all, queries} {
		for i, v := range set {
			for j := range v {
				v[j] += float32(l.shift)
			}
			if set[i], err = vecquant.Normalize(v); err != nil {
				return nil, nil, err
			}
		}
	}
	return all, queries, nil
}

// A coder is a quantizer to measure.
type coder struct {
	name, family string
	vecquant.Quantizer
}

// coders returns the quantizers, those of a family with the most bits first. The product
// quantizers learn from a part of the vectors.
func coders(vectors [][]float32) ([]coder, error) {
	dim := len(vectors[0])
	half, err := vecquant.NewFloat16(dim)
	if err != nil {
		return nil, err
	}
	eight, err := vecquant.NewInt8(dim)
	if err != nil {
		return nil, err
	}
	all := []coder{{"float16", "float16", half}, {"int8", "int8", eight}}
	for _, elements := range []int{4, 8, 16, 32} {
		product, err := vecquant.TrainProduct(vectors[:min(len(vectors), 2000)], &vecquant.ProductOptions{Parts: dim / elements, Iterations: 8})
		if err != nil {
			return nil, err
		}
		all = append(all, coder{fmt.Sprintf("product, 1 byte for %d", elements), "product", product})
	}
	signs, err := vecquant.NewBinary(dim)
	if err != nil {
		return nil, err
	}
	return append(all, coder{"binary", "binary", signs}), nil
}

func report(out io.Writer, rows []row) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "quantizer\tbits an element\tbytes a vector\tlost\trecall")
	for _, f := range factors[1:] {
		fmt.Fprintf(w, "\tof %dk", f)
	}
	fmt.Fprintln(w, "\t")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%.2f\t%d\t%.4f", r.name, r.bits, r.bytes, r.lost)
		for _, recall := range r.recall {
			fmt.Fprintf(w, "\t%.3f", recall)
		}
		fmt.Fprintln(w, "\t")
	}
	w.Flush()
	fmt.Fprint(out, "\nThe shortest code that finds 95 %:\n")
	for i, f := range factors {
		how := "alone"
		if f > 1 {
			how = fmt.Sprintf("with %dk ranked again", f)
		}
		best := row{name: "none"}
		for _, r := range rows {
			if r.recall[i] >= .95 && (best.bytes == 0 || r.bytes < best.bytes) {
				best = r
			}
		}
		fmt.Fprintf(out, "  %s: %s, %d bytes\n", how, best.name, best.bytes)
	}
	fmt.Fprint(out, `
How to read it: "lost" is the share of the vectors' variance that the codes don't represent.
"recall" is the share of the true nearest that the codes alone put among the k best. "of 4k"
takes the 4k best by the codes, and ranks these by the vectors themselves.

What to notice: eight bits lose almost nothing. Below that, codes put the right vectors near
the top rather than in the right order, so a few more candidates bring most of the recall
back. At the same number of bytes, codes that were learned from the vectors find more than
their signs; signs need no learning, and are compared faster than anything else.

To see it as a figure: -html bits.html.

What to try: -shift 0.1. Which quantizer suffers, and why? (Look at the signs of the elements.)
Then -data shuffled: each element has the values that it had, but none goes with the others any
more. The codes lose hardly more than before: why do they find so much less? Then -k 100.

What to read: the notes of retrieve/vecquant; Jégou and others, "Product quantization for
nearest neighbor search", 2011.
`)
}
