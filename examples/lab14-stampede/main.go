// Lab14-stampede lets a hundred callers ask one question at the same moment: without a
// cache, with one, and just after the answer expired. Then it counts how many answers
// expire in one minute. No network is used.
//
//	go run ./examples/lab14-stampede
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/cache"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lab14-stampede:", err)
		os.Exit(1)
	}
}

func run(args []string, out, errs io.Writer) error {
	f := flag.NewFlagSet("lab14-stampede", flag.ContinueOnError)
	f.SetOutput(errs)
	jitter := f.Float64("jitter", .2, "the share of the hour by which an answer may expire earlier")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if err := stampede(out); err != nil {
		return err
	}
	if err := expired(out); err != nil {
		return err
	}
	if err := together(out, *jitter); err != nil {
		return err
	}
	fmt.Fprint(out, `
What to notice: the hundred callers are the load of one. After the hour none of them
waits: 100 old answers, and one call of the model in the background. Answers that were
stored together expire together, unless their times are spread.
What to try: -jitter 0.5, and -jitter 0. How many a minute are even?
What to read: the notes of cache on many equal misses, and of cache/redis on more than
one process.
`)
	return nil
}

// slow is a model that takes 50 ms and reports its calls.
type slow struct{ called chan bool }

func newSlow() *slow { return &slow{make(chan bool, 1000)} }

func (s *slow) GenerateContent(ctx context.Context, _ []llms.MessageContent, _ ...llms.CallOption) (*llms.ContentResponse, error) {
	s.called <- true
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

// hundred asks one question a hundred times at once.
func hundred(m llms.Model) error {
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
	return nil
}

func stampede(out io.Writer) error {
	fmt.Fprintln(out, "1. A hundred callers ask the same question at once")
	plain, behind := newSlow(), newSlow()
	cached, err := cache.New(behind, nil)
	if err != nil {
		return err
	}
	for _, m := range []llms.Model{plain, cached} {
		if err := hundred(m); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "   without a cache %3d calls of the model, with one %d\n\n", len(plain.called), len(behind.called))
	return nil
}

func expired(out io.Writer) error {
	fmt.Fprintln(out, "2. They ask again when the answer has just expired")
	var clock atomic.Int64
	model := newSlow()
	m, err := cache.New(model, &cache.Options{TTL: time.Hour, StaleWhileRevalidate: time.Minute,
		Now: func() time.Time { return time.Unix(clock.Load(), 0) }})
	if err != nil {
		return err
	}
	if err := hundred(m); err != nil {
		return err
	}
	<-model.called
	clock.Store(3600)
	began := m.Stats()
	if err := hundred(m); err != nil {
		return err
	}
	<-model.called // the one in the background
	s := m.Stats()
	fmt.Fprintf(out, "   %d answered from the cache, %d waited, %d more call of the model\n\n",
		s.Hits-began.Hits, s.Shared-began.Shared, s.Misses-began.Misses)
	return nil
}

// quick is a model that answers at once.
type quick struct{}

func (quick) GenerateContent(context.Context, []llms.MessageContent, ...llms.CallOption) (*llms.ContentResponse, error) {
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "Yes.", StopReason: "stop"}}}, nil
}

func (quick) Call(context.Context, string, ...llms.CallOption) (string, error) { return "Yes.", nil }

// together asks 200 questions in one minute, and again in each minute of an hour.
func together(out io.Writer, jitter float64) error {
	fmt.Fprintln(out, "3. Two hundred answers that were stored in the same minute, for an hour each")
	for _, share := range []float64{0, jitter} {
		now := time.Unix(0, 0)
		m, err := cache.New(quick{}, &cache.Options{TTL: time.Hour, Jitter: share, Rand: rand.New(rand.NewPCG(1, 4)).Float64,
			Now: func() time.Time { return now }})
		if err != nil {
			return err
		}
		var most, before int64
		for minute := range 61 {
			for i := range 200 {
				if _, err := m.Call(context.Background(), fmt.Sprintf("Is item %d in stock?", i)); err != nil {
					return err
				}
			}
			misses := m.Stats().Misses
			if minute > 0 {
				most = max(most, misses-before)
			}
			before = misses
			now = now.Add(time.Minute)
		}
		fmt.Fprintf(out, "   jitter %3.0f %%: at most %4d calls of the model in one minute\n", 100*share, most)
	}
	return nil
}
