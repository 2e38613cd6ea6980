// Lab14-attention computes attention over whole matrices and in tiles, compares the results
// and counts the bytes that each moves between the slow and the fast memory. No network is
// used.
//
//	go run ./examples/lab14-attention
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"

	"github.com/prodailabs/prodai/cache/engine/attention"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lab14-attention:", err)
		os.Exit(1)
	}
}

func run(args []string, out, errs io.Writer) error {
	f := flag.NewFlagSet("lab14-attention", flag.ContinueOnError)
	f.SetOutput(errs)
	dim := f.Int("dim", 64, "elements of a head")
	longest := f.Int("longest", 4096, "the longest text, in tokens")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if *longest > 16_384 || *dim > 256 {
		return fmt.Errorf("-longest is %d and -dim %d: want up to 16384 and 256, since plain Go computes them", *longest, *dim)
	}
	fmt.Fprintf(out, "1. One head of %d elements, causal, tiles of 64 queries and 64 keys\n", *dim)
	fmt.Fprintln(out, "   tokens   whole matrix       tiles   ratio   largest difference")
	for n := 256; n <= *longest; n *= 4 {
		if err := compare(out, n, *dim, 64); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, "\n2. 1,024 tokens, with tiles of another size")
	fmt.Fprintln(out, "   tile    fast memory    bytes moved")
	for _, tile := range []int{16, 32, 64, 128, 256} {
		q, k, v := inputs(1024, *dim)
		_, _, t, err := attention.Tiled(q, k, v, shape(1024, *dim), &attention.TileOptions{Queries: tile, Keys: tile})
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "   %4d %11.0f kB %11.1f MB\n", tile, float64(t.Fast)/1e3, float64(t.Total())/1e6)
	}
	fmt.Fprintln(out, "\nWhat to notice: the results agree but for rounding. The matrix of scores is most of what")
	fmt.Fprintln(out, "the first way moves; tiles never write it. Larger tiles move less, until they don't fit:")
	fmt.Fprintln(out, "a multiprocessor of an A100 has 192 kB, of an H100 256 kB.")
	fmt.Fprintln(out, "What to try: -dim 128, and find the largest tile that still fits.")
	fmt.Fprintln(out, "What to read: go doc ./cache/engine/attention.")
	return nil
}

func shape(n, dim int) attention.Shape {
	return attention.Shape{Heads: 1, KVHeads: 1, Queries: n, Keys: n, Dim: dim}
}

func inputs(n, dim int) (q, k, v []float32) {
	r := rand.New(rand.NewPCG(14, uint64(n)))
	fill := func() []float32 {
		x := make([]float32, max(n*dim, 0))
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		return x
	}
	return fill(), fill(), fill()
}

func compare(out io.Writer, n, dim, tile int) error {
	q, k, v := inputs(n, dim)
	whole, slow, err := attention.Naive(q, k, v, shape(n, dim))
	if err != nil {
		return err
	}
	tiled, _, fast, err := attention.Tiled(q, k, v, shape(n, dim), &attention.TileOptions{Queries: tile, Keys: tile})
	if err != nil {
		return err
	}
	worst := 0.0
	for i, x := range whole {
		worst = max(worst, math.Abs(float64(x-tiled[i])))
	}
	if worst > 1e-5 {
		return fmt.Errorf("the results differ by %v", worst)
	}
	difference := "none"
	if worst > 0 {
		difference = fmt.Sprintf("%.0e", worst)
	}
	fmt.Fprintf(out, "   %6d %11.1f MB %8.1f MB %7.1f %20s\n", n, float64(slow.Total())/1e6, float64(fast.Total())/1e6, float64(slow.Total())/float64(fast.Total()), difference)
	return nil
}
