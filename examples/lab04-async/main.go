// Lab04-async runs one workload in five ways, with asyncio's form beside each: one
// after another, all at once, at most a few at once, with a deadline, and as a pipeline
// of three steps with back-pressure.
//
//	go run ./examples/lab04-async
//	go run ./examples/lab04-async -calls 200 -limit 16
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lab04-async:", err)
		os.Exit(1)
	}
}

func run(args []string, out, errs io.Writer) error {
	f := flag.NewFlagSet("lab04-async", flag.ContinueOnError)
	f.SetOutput(errs)
	calls := f.Int("calls", 60, "how many calls the workload has")
	limit := f.Int("limit", 10, "how many calls the model takes at once")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 || *calls < 1 || *limit < 1 {
		return fmt.Errorf("want no arguments, and 1 or more for -calls and -limit")
	}
	fmt.Fprintf(out, "%d calls of 20 ms each, to a model that takes %d at once and refuses more with status 429.\n\n", *calls, *limit)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "way\ttime\tanswered\trefused\tmost at once\tasyncio's form")
	for _, way := range []struct {
		name, python string
		do           func(m *model, n, limit int)
	}{
		{"one after another", "for x in xs: await call(x)", sequential},
		{"all at once", "await asyncio.gather(*map(call, xs))", allAtOnce},
		{"bounded", "async with asyncio.Semaphore(n): await call(x)", bounded},
		{"bounded, 50 ms in all", "async with asyncio.timeout(0.05): …", canceled},
	} {
		m := &model{limit: int64(*limit)}
		start := time.Now()
		way.do(m, *calls, *limit)
		fmt.Fprintf(w, "%s\t%v\t%d\t%d\t%d\t%s\n", way.name, time.Since(start).Round(time.Millisecond), m.answered.Load(), m.refused.Load(), m.most.Load(), way.python)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(out, "\nAll at once is fastest and mostly refused: the fast failure is not the fast answer. Bounded at the\n"+
		"model's own limit answers every call in the least time. With a deadline, the calls that have not\n"+
		"begun are never sent, and those that run end at once: no goroutine is left.")
	fmt.Fprintln(out, "\nA pipeline: chunk (1 ms) -> embed (20 ms, 4 workers) -> index (1 ms). asyncio's form: asyncio.Queue(maxsize=n).")
	w = tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "queue between the steps\ttime\tindexed\tmost chunks waiting")
	for _, room := range []int{*calls, 4, 0} {
		start := time.Now()
		indexed, most := pipeline(context.Background(), *calls, room)
		fmt.Fprintf(w, "%d\t%v\t%d\t%d\n", room, time.Since(start).Round(time.Millisecond), indexed, most)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(out, "\nThe time is the same: the slowest step decides. What a larger queue changes is the memory, because\n"+
		"the chunker runs ahead. A bounded queue makes it wait: that is back-pressure. A job that must survive\n"+
		"the program's end belongs into a durable queue: go run ./examples/lab04-queues.")
	return nil
}

// A model answers in 20 ms and takes a limited number of calls at once.
type model struct {
	limit                              int64
	now, most, answered, refused, gone atomic.Int64
}

var errTooMany = errors.New("status 429: too many requests")

// call is what a client of a model does: it waits, and gives up when ctx is done.
func (m *model) call(ctx context.Context) error {
	n := m.now.Add(1)
	defer m.now.Add(-1)
	if n > m.limit {
		m.refused.Add(1)
		return errTooMany
	}
	for most := m.most.Load(); n > most && !m.most.CompareAndSwap(most, n); most = m.most.Load() {
	}
	timer := time.NewTimer(20 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		m.gone.Add(1)
		return ctx.Err()
	case <-timer.C:
		m.answered.Add(1)
		return nil
	}
}

func sequential(m *model, n, _ int) {
	for range n {
		_ = m.call(context.Background()) // the model counts what becomes of it
	}
}

func allAtOnce(m *model, n, _ int) {
	var all sync.WaitGroup
	for range n {
		all.Go(func() { _ = m.call(context.Background()) })
	}
	all.Wait()
}

func bounded(m *model, n, limit int) { boundedUntil(context.Background(), m, n, limit) }

func canceled(m *model, n, limit int) {
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	boundedUntil(ctx, m, n, limit)
}

// boundedUntil makes calls with at most limit at once, until ctx is done. The channel
// is the semaphore: a goroutine starts when it has a place.
func boundedUntil(ctx context.Context, m *model, n, limit int) {
	places := make(chan struct{}, limit)
	var all sync.WaitGroup
	defer all.Wait()
	for range n {
		select {
		case <-ctx.Done():
			return
		case places <- struct{}{}:
		}
		all.Go(func() {
			_ = m.call(ctx)
			<-places
		})
	}
}

// pipeline chunks n documents, embeds and indexes them. room is the size of the queue
// after each step. It returns how many were indexed, and the most that waited.
func pipeline(ctx context.Context, n, room int) (indexed int, most int64) {
	var waiting, top atomic.Int64
	chunks := make(chan int, room)
	vectors := make(chan int, room)
	go func() {
		defer close(chunks)
		for doc := range n {
			time.Sleep(time.Millisecond)
			if w := waiting.Add(1); w > top.Load() {
				top.Store(w)
			}
			select {
			case chunks <- doc: // blocks while the queue is full: back-pressure
			case <-ctx.Done():
				return
			}
		}
	}()
	var embedders sync.WaitGroup
	for range 4 {
		embedders.Go(func() {
			for doc := range chunks {
				waiting.Add(-1)
				time.Sleep(20 * time.Millisecond)
				select {
				case vectors <- doc:
				case <-ctx.Done():
					return
				}
			}
		})
	}
	go func() {
		embedders.Wait()
		close(vectors)
	}()
	for range vectors {
		time.Sleep(time.Millisecond)
		indexed++
	}
	return indexed, top.Load()
}
