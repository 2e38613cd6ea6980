// Lab14-cache shows what a full cache drops: the hit rates of rules of eviction on
// questions as users ask them. No network is used.
//
//	go run ./examples/lab14-cache
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"

	"github.com/prodailabs/prodai/cache/evict"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lab14-cache:", err)
		os.Exit(1)
	}
}

func run(args []string, out, errs io.Writer) error {
	f := flag.NewFlagSet("lab14-cache", flag.ContinueOnError)
	f.SetOutput(errs)
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if err := full(out); err != nil {
		return err
	}
	fmt.Fprint(out, `
What to notice: LRU keeps what was asked last, which most often is a question that never
comes back. The rules that wait for a second request hit nearly a third more often with the same
room, and leave a sixth of what even the future would bring.
What to try: another exponent than .9 in the code. Do the rules differ more or less?
What to read: the notes of cache/evict, with recorded traces and other libraries beside.
`)
	return nil
}

// full replays questions that follow Zipf's law: the k-th most popular of 100,000 is
// asked with weight 1/k^0.9.
func full(out io.Writer) error {
	const keys, requests, room = 100_000, 300_000, 1000
	sums := make([]float64, keys)
	sum := 0.0
	for k := range sums {
		sum += math.Pow(float64(k+1), -.9)
		sums[k] = sum
	}
	random := rand.New(rand.NewPCG(14, 14))
	trace := make([]evict.Request, requests)
	for i := range trace {
		at := random.Float64() * sum
		lo, hi := 0, keys-1
		for lo < hi {
			if mid := (lo + hi) / 2; sums[mid] < at {
				lo = mid + 1
			} else {
				hi = mid
			}
		}
		trace[i] = evict.Request{Key: uint64(lo), Size: 1, Cost: 1}
	}
	fmt.Fprintln(out, "A full cache of 1,000 answers, 300,000 questions, 100,000 different ones")
	lru, err := evict.NewLRU(room)
	if err != nil {
		return err
	}
	sieve, err := evict.NewSieve(room)
	if err != nil {
		return err
	}
	fifo, err := evict.NewS3FIFO(room)
	if err != nil {
		return err
	}
	tiny, err := evict.NewTinyLFU(room)
	if err != nil {
		return err
	}
	for _, p := range []struct {
		name   string
		policy evict.Policy
	}{{"LRU", lru}, {"SIEVE", sieve}, {"S3-FIFO", fifo}, {"W-TinyLFU", tiny}} {
		fmt.Fprintf(out, "   %-10s hit rate %4.1f %%\n", p.name, 100*evict.Replay(p.policy, trace).HitRate())
	}
	best, err := evict.Belady(room, trace)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "   %-10s hit rate %4.1f %%  (knows the future)\n", "Belady", 100*best.HitRate())
	return nil
}
