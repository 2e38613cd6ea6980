// Lab11-hybrid-routing sends a day of requests to machines of one's own, to a managed
// API, and to both, in virtual time. Then it shows what affinity does for prefix caches,
// and what a call does when its target fails. No network is used.
//
//	go run ./examples/lab11-hybrid-routing
//	go run ./examples/lab11-hybrid-routing -spill 40
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retry/fault"
	"github.com/prodailabs/prodai/retry/route"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lab11-hybrid-routing:", err)
		os.Exit(1)
	}
}

func run(args []string, out, errs io.Writer) error {
	f := flag.NewFlagSet("lab11-hybrid-routing", flag.ContinueOnError)
	f.SetOutput(errs)
	spill := f.Int("spill", 20, "calls in progress at a machine from which on calls go to the API")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if *spill < 1 {
		return fmt.Errorf("-spill is %d: want 1 or more", *spill)
	}
	if err := day(out, *spill); err != nil {
		return err
	}
	if err := prefixes(out); err != nil {
		return err
	}
	if err := failing(out); err != nil {
		return err
	}
	fmt.Fprint(out, `
What to notice: machines alone are cheap and are late at noon, the API alone is never late
and has the largest bill, and both together are never late for a bill near the smallest.
What to try: -spill 16 and -spill 40. At which number does the 99th percentile grow?
What to read: go doc github.com/prodailabs/prodai/retry/route
`)
	return nil
}

func day(out io.Writer, spill int) error {
	fmt.Fprintf(out, `1. A day of requests: 2 a second at night, 18 at noon
Two machines of $2.50 an hour each answer 16 calls at once, in 2 s on average. A
managed API answers in 1.5 s, for $0.002 a call. These numbers are made up for the lab.

%-22s %9s %9s %9s %10s %10s
`, "", "p50", "p99", "longest", "to the API", "a day")
	for _, c := range []struct {
		name     string
		machines int
		api      bool
		spill    int
	}{{"two machines alone", 2, false, 0}, {"four machines alone", 4, false, 0}, {"the API alone", 0, true, 0}, {"two and the API", 2, true, spill}} {
		r, err := simulate(c.machines, c.api, c.spill)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%-22s %7.1f s %7.1f s %7.1f s %9.1f%% %10s\n", c.name, r.p50.Seconds(), r.p99.Seconds(), r.longest.Seconds(), 100*r.managed, fmt.Sprintf("$%.0f", r.dollars))
	}
	return nil
}

// prefixes counts how often a target has the beginning of a prompt in its cache.
func prefixes(out io.Writer) error {
	const replicas, room, calls = 8, 10, 20_000
	fmt.Fprintf(out, `
2. Prefix caches: 40 documents, and %d replicas with room for %d of them each
`, replicas, room)
	for _, keyed := range []bool{false, true} {
		p, err := route.NewPool(targets(replicas, llms.Model(silent{}), 0), &route.Options{Rand: rand.New(rand.NewPCG(1, 2))})
		if err != nil {
			return err
		}
		r := rand.New(rand.NewPCG(3, 4))
		caches := make([][]int, replicas)
		var busy []route.Pick
		hits, most := 0, 0
		count := make([]int, replicas)
		now := time.Now()
		for range calls {
			document := int(40 * r.Float64() * r.Float64()) // some are popular
			q := route.Request{Tokens: 2000}
			if keyed {
				q.Key = route.Hash(fmt.Sprint("document ", document))
			}
			k, err := p.TryAcquire(now, q)
			if err != nil {
				return err
			}
			i := k.Target()
			if count[i]++; count[i] > most {
				most = count[i]
			}
			var hit bool
			if caches[i], hit = use(caches[i], document, room); hit {
				hits++
			}
			if busy = append(busy, k); len(busy) > 64 {
				j := r.IntN(len(busy))
				busy[j].Cancel(now)
				busy = append(busy[:j], busy[j+1:]...)
			}
		}
		fmt.Fprintf(out, "%-22s found %4.1f %% of the prompts; the busiest replica had %.2f times the mean\n",
			map[bool]string{true: "by the document", false: "by load alone"}[keyed], 100*float64(hits)/calls, float64(most)*replicas/calls)
	}
	return nil
}

// use moves a document to the end of a cache, and reports whether it was there.
func use(cache []int, document, room int) ([]int, bool) {
	for i, have := range cache {
		if have == document {
			return append(append(cache[:i:i], cache[i+1:]...), document), true
		}
	}
	if cache = append(cache, document); len(cache) > room {
		cache = cache[1:]
	}
	return cache, false
}

// failing asks pools whose first target fails in several ways.
func failing(out io.Writer) error {
	fmt.Fprint(out, "\n3. A target fails: which failures another target can heal\n")
	for _, class := range []fault.Class{fault.ClassRateLimit, fault.ClassAuth, fault.ClassContextLength, fault.ClassServerError, fault.ClassInvalidRequest, fault.ClassContentFilter} {
		var asked string
		log := slog.New(picks{func(target, reason string) { asked += fmt.Sprintf("  %s (%s)", target, reason) }})
		m, err := route.New([]route.Target{
			{Name: "machine", Model: silent{fault.New(class, errors.New("no"))}, WindowTokens: 8000},
			{Name: "api", Model: silent{}, WindowTokens: 128_000, Tier: 1},
		}, &route.Options{Logger: log})
		if err != nil {
			return err
		}
		end := "answered"
		if _, err = m.Call(context.Background(), "hello"); err != nil {
			end = "failed"
		}
		fmt.Fprintf(out, "%-16s %-9s%s\n", class, end, asked)
	}
	return nil
}

// silent is a model that fails, or has one answer.
type silent struct{ err error }

func (s silent) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, s, prompt, options...)
}

func (s silent) GenerateContent(context.Context, []llms.MessageContent, ...llms.CallOption) (*llms.ContentResponse, error) {
	if s.err != nil {
		return nil, s.err
	}
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "an answer", StopReason: "stop"}}}, nil
}

// picks is a log handler that reports each choice of a target.
type picks struct{ report func(target, reason string) }

func (picks) Enabled(context.Context, slog.Level) bool { return true }

func (p picks) Handle(_ context.Context, r slog.Record) error {
	var target, reason string
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "target":
			target = a.Value.String()
		case "reason":
			reason = a.Value.String()
		}
		return true
	})
	p.report(target, reason)
	return nil
}

func (p picks) WithAttrs([]slog.Attr) slog.Handler { return p }
func (p picks) WithGroup(string) slog.Handler      { return p }
