// Lab01-tradeoffs runs one workload with seven settings, from cheap to reliable, and
// prints what each costs, how long users wait, how many get no answer, and how many
// get a good one. Settings that another one beats in everything are marked. Time is
// simulated with a fixed seed; the prices are real.
//
//	go run ./examples/lab01-tradeoffs
//	go run ./examples/lab01-tradeoffs -failures 0.1
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/prodailabs/prodai/trace/cost"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lab01-tradeoffs:", err)
		os.Exit(1)
	}
}

// A model is a provider's model as this lab assumes it. Only the price is a fact:
// measure the others for your own work, with packages trace and eval.
type model struct {
	name   string        // in the price table
	median time.Duration // of the time to the whole answer
	spread float64       // sigma of the log-normal distribution of that time
	good   float64       // the share of answers that are good
}

var (
	small = model{"gpt-4o-mini", 900 * time.Millisecond, 0.6, 0.86}
	large = model{"gpt-4o", 1800 * time.Millisecond, 0.7, 0.95}
)

// A setting is a way to run the system.
type setting struct {
	name     string
	first    model
	next     model         // asked after the attempts of the first failed; the zero model: none
	attempts int           // of the first model
	timeout  time.Duration // of an attempt
	hedge    time.Duration // a second request starts after this wait; 0: none
	cached   float64       // the share of requests that a cache answers
}

var settings = []setting{
	{name: "small, one attempt", first: small, attempts: 1, timeout: 30 * time.Second},
	{name: "small, 3 attempts", first: small, attempts: 3, timeout: 10 * time.Second},
	{name: "small, cache", first: small, attempts: 3, timeout: 10 * time.Second, cached: 0.3},
	{name: "large, one attempt", first: large, attempts: 1, timeout: 30 * time.Second},
	{name: "large, 3 attempts", first: large, attempts: 3, timeout: 15 * time.Second},
	{name: "large, hedged", first: large, attempts: 3, timeout: 15 * time.Second, hedge: 4 * time.Second},
	{name: "large, hedged, cache, then small", first: large, next: small, attempts: 2, timeout: 10 * time.Second, hedge: 4 * time.Second, cached: 0.3},
}

// An outcome is what a setting did with the workload.
type outcome struct {
	setting
	perThousand float64 // dollars
	p50, p95    time.Duration
	failed      float64 // share without an answer
	good        float64 // share with a good answer
	beaten      string  // the name of a setting that is better in everything
}

func run(args []string, out, errs io.Writer) error {
	f := flag.NewFlagSet("lab01-tradeoffs", flag.ContinueOnError)
	f.SetOutput(errs)
	failures := f.Float64("failures", 0.02, "the share of attempts that fail")
	requests := f.Int("n", 20_000, "how many requests the workload has")
	if err := f.Parse(args); err != nil {
		return err
	}
	switch {
	case f.NArg() > 0:
		return fmt.Errorf("unexpected argument %q", f.Arg(0))
	case !(*failures >= 0 && *failures <= 1) || *requests < 1 || *requests > 1_000_000:
		return errors.New("-failures is a share from 0 to 1, and -n from 1 to a million")
	}
	prices, err := cost.Default()
	if err != nil {
		return err
	}
	var all []outcome
	for _, s := range settings {
		o, err := play(s, prices, *requests, *failures)
		if err != nil {
			return err
		}
		all = append(all, o)
	}
	pareto(all)
	fmt.Fprintf(out, "%d questions of 1,500 input and 200 output tokens, %.0f %% of attempts fail\n\n", *requests, *failures*100)
	fmt.Fprintf(out, "%-34s %12s %7s %7s %10s %6s  %s\n", "setting", "$ per 1,000", "p50", "p95", "no answer", "good", "")
	for _, o := range all {
		mark := "efficient"
		if o.beaten != "" {
			mark = "beaten by: " + o.beaten
		}
		fmt.Fprintf(out, "%-34s %12.3f %6.1fs %6.1fs %9.2f%% %5.1f%%  %s\n", o.name, o.perThousand, o.p50.Seconds(), o.p95.Seconds(), o.failed*100, o.good*100, mark)
	}
	fmt.Fprint(out, `
How to read it: a setting is efficient if no other one is at least as good in cost, p95,
answers and quality, and better in one. Choosing among efficient ones is a decision about
the product: what does a second of waiting cost you, and what a wrong answer?

What to notice
- Retries cost almost nothing and remove nearly all failures. They don't shorten the wait.
- Hedging shortens p95 by a tenth and costs a tenth; it pays twice only for the slow ones.
- The step from the small to the large model costs a factor of sixteen. A cache lowers
  cost, waiting and failures at once, if users ask the same.
What to try
- Raise the failures: -failures 0.2. Which settings still answer?
- Set the quality of the small model in main.go to the one that you measured.
- Add a setting: the small model first, and the large one for the answers that a check
  refuses. What does the check have to cost to be worth it?
What to read: go doc ./trace/cost, go doc ./retry
`)
	return nil
}

// play runs the workload through a setting. Each setting has the same seed.
func play(s setting, prices *cost.Table, n int, failures float64) (outcome, error) {
	usage := cost.Usage{Input: 1500, Output: 200}
	price := map[string]int64{}
	for _, m := range []model{small, large} {
		b, err := prices.Bill(m.name, "", usage)
		if err != nil {
			return outcome{}, err
		}
		price[m.name] = b.PicoUSD
	}
	rng := rand.New(rand.NewPCG(1, 1))
	o := outcome{setting: s}
	var spent int64
	var waits []time.Duration
	var good float64
	for range n {
		if rng.Float64() < s.cached {
			waits = append(waits, 5*time.Millisecond)
			good += s.first.good
			continue
		}
		wait, answered, by, paid := request(s, rng, failures)
		waits = append(waits, wait)
		for name, attempts := range paid {
			spent += int64(attempts) * price[name]
		}
		if !answered {
			o.failed++
			continue
		}
		good += by.good
	}
	slices.Sort(waits)
	o.perThousand = float64(spent) / 1e12 / float64(n) * 1000
	o.p50, o.p95 = waits[len(waits)/2], waits[len(waits)*95/100]
	o.failed, o.good = o.failed/float64(n), good/float64(n)
	return o, nil
}

// request makes the attempts of one question. A failed attempt costs nothing, since
// providers don't bill a refusal; one that is given up after the timeout, or loses
// against its hedge, is billed.
func request(s setting, rng *rand.Rand, failures float64) (wait time.Duration, answered bool, by model, paid map[string]int) {
	paid = map[string]int{}
	plan := slices.Repeat([]model{s.first}, s.attempts)
	if s.next.name != "" {
		plan = append(plan, s.next)
	}
	backoff := 500 * time.Millisecond
	for i, m := range plan {
		if i > 0 {
			wait += time.Duration(rng.Float64() * float64(backoff)) // full jitter
			backoff *= 2
		}
		took, ok := attempt(m, rng, failures, paid)
		if s.hedge > 0 && took > s.hedge {
			second, fine := attempt(m, rng, failures, paid)
			if second += s.hedge; fine && (!ok || second < took) {
				took, ok = second, true
			}
		}
		if took > s.timeout {
			took, ok = s.timeout, false
		}
		wait += took
		if ok {
			return wait, true, m, paid
		}
	}
	return wait, false, model{}, paid
}

func attempt(m model, rng *rand.Rand, failures float64, paid map[string]int) (time.Duration, bool) {
	if rng.Float64() < failures {
		return 100 * time.Millisecond, false
	}
	paid[m.name]++
	return time.Duration(float64(m.median) * math.Exp(m.spread*rng.NormFloat64())), true
}

// pareto marks the settings that another one beats.
func pareto(all []outcome) {
	for i := range all {
		for _, b := range all {
			a := &all[i]
			notWorse := b.perThousand <= a.perThousand && b.p95 <= a.p95 && b.failed <= a.failed && b.good >= a.good
			better := b.perThousand < a.perThousand || b.p95 < a.p95 || b.failed < a.failed || b.good > a.good
			if notWorse && better && a.beaten == "" {
				a.beaten = b.name
			}
		}
	}
}
