// Lab14-cache shows what a cache saves and what it can get wrong: a hundred equal
// calls at once, similar questions with another answer, and what a full cache drops.
// No network is used.
//
//	go run ./examples/lab14-cache
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/cache"
	"github.com/prodailabs/prodai/cache/evict"
	"github.com/prodailabs/prodai/cache/semantic"
	"github.com/prodailabs/prodai/retrieve/embed"
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
	if err := stampede(out); err != nil {
		return err
	}
	if err := similar(out); err != nil {
		return err
	}
	return full(out)
}

// slow is a model that takes 50 ms and counts its calls.
type slow struct{ calls atomic.Int64 }

func (s *slow) GenerateContent(ctx context.Context, _ []llms.MessageContent, _ ...llms.CallOption) (*llms.ContentResponse, error) {
	s.calls.Add(1)
	select {
	case <-time.After(50 * time.Millisecond):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "Within 30 days.", StopReason: "stop"}}}, nil
}

func (s *slow) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, s, prompt, options...)
}

func stampede(out io.Writer) error {
	fmt.Fprintln(out, "1. A hundred callers ask the same question at once")
	plain, behind := &slow{}, &slow{}
	cached, err := cache.New(behind, nil)
	if err != nil {
		return err
	}
	for _, m := range []llms.Model{plain, cached} {
		var wg sync.WaitGroup
		failed := make(chan error, 100)
		for range 100 {
			wg.Go(func() {
				_, err := llms.GenerateFromSinglePrompt(context.Background(), m, "How long may I return a shoe?")
				failed <- err
			})
		}
		wg.Wait()
		close(failed)
		for err := range failed {
			if err != nil {
				return err
			}
		}
	}
	fmt.Fprintf(out, "   without a cache %3d calls of the model, with one %d\n\n", plain.calls.Load(), behind.calls.Load())
	return nil
}

// pairs are questions of a shop's customers. The first half have the same answer.
var pairs = []semantic.Pair{
	{A: "How do I reset my password?", B: "how can I reset the password", Same: true},
	{A: "What are your opening hours?", B: "When are your opening hours?", Same: true},
	{A: "How much does shipping cost?", B: "What does shipping cost?", Same: true},
	{A: "Where is my invoice?", B: "where can I find my invoice", Same: true},
	{A: "How long does delivery take?", B: "how long will delivery take", Same: true},
	{A: "Can I change my delivery address?", B: "May I change the delivery address?", Same: true},
	{A: "Do you ship to Norway?", B: "is shipping to norway possible", Same: true},
	{A: "Why was my card declined?", B: "For what reason was my card declined?", Same: true},
	{A: "How do I turn on notifications?", B: "How do I turn off notifications?"},
	{A: "Is the tent waterproof?", B: "Is the tent not waterproof?"},
	{A: "What is the price for 2 chairs?", B: "What is the price for 12 chairs?"},
	{A: "Can I send a parcel from Berlin to Rome?", B: "Can I send a parcel from Rome to Berlin?"},
	{A: "Can I pay with a credit card?", B: "Can I pay without a credit card?"},
	{A: "What is the status of order 48213?", B: "What is the status of order 48231?"},
	{A: "Is the shop in Vienna open on Sunday?", B: "Is the shop in Vienna closed on Sunday?"},
	{A: "Does the red jacket have pockets?", B: "Does the blue jacket have pockets?"},
}

func similar(out io.Writer) error {
	embedder, err := embed.New()
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "2. Similar questions: 8 with the same answer, 8 with another")
	fmt.Fprintln(out, "                without guard          with guard")
	fmt.Fprintln(out, "   threshold    right   wrong          right   wrong")
	ctx := context.Background()
	bare, err := semantic.Evaluate(ctx, embedder, pairs, nil)
	if err != nil {
		return err
	}
	guarded, err := semantic.Evaluate(ctx, embedder, pairs, semantic.Agree)
	if err != nil {
		return err
	}
	for _, threshold := range []float64{.70, .80, .90, .95} {
		b, g := bare.At(threshold), guarded.At(threshold)
		fmt.Fprintf(out, "   %.2f         %5d   %5d          %5d   %5d\n", threshold, b.Right, b.False(), g.Right, g.False())
	}
	_, err = guarded.Calibrate(.1, .95)
	if !errors.Is(err, semantic.ErrNoThreshold) {
		return fmt.Errorf("want no threshold from 16 questions, got %w", err)
	}
	fmt.Fprintf(out, "   calibration: %v\n\n", err)
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
	fmt.Fprintln(out, "3. A full cache of 1,000 answers, 300,000 questions, 100,000 different ones")
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
