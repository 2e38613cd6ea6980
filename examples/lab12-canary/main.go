// Lab12-canary rolls out good and bad versions in steps, in virtual time, and shows
// when each is promoted or rolled back. Then it compares the sequential test with
// looking at the rate of failures again and again. No network is used.
//
//	go run ./examples/lab12-canary
//	go run ./examples/lab12-canary -alarming 0.05
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"

	"github.com/prodailabs/prodai/retry/route"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lab12-canary:", err)
		os.Exit(1)
	}
}

func run(args []string, out, errs io.Writer) error {
	f := flag.NewFlagSet("lab12-canary", flag.ContinueOnError)
	f.SetOutput(errs)
	alarming := f.Float64("alarming", 0.03, "the rate of failures that must be found; 0.01 is allowed")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if err := versions(out, *alarming); err != nil {
		return err
	}
	if err := compare(out, *alarming); err != nil {
		return err
	}
	fmt.Fprint(out, `
What to notice: the worse a version is, the fewer users see it. A version that fails only
under load passes the small steps. An outage of both versions rolls nothing back. Looking
again and again at a rate ends half of the good rollouts, the sequential test few of them.
What to try: -alarming 0.02. How many more results does the test need?
What to read: go doc github.com/prodailabs/prodai/retry/route
`)
	return nil
}

// A rollout is a canary with a clock of its own.
type rollout struct {
	*route.Canary
	now time.Time
}

func newRollout(alarming float64) (*rollout, error) {
	r := &rollout{now: time.Unix(1_790_000_000, 0)}
	c, err := route.NewCanary(&route.CanaryOptions{Alarming: alarming, Now: func() time.Time { return r.now }})
	r.Canary = c
	return r, err
}

// over reports whether the rollout has ended.
func (r *rollout) over() bool {
	p := r.State().Phase
	return p == route.PhasePromoted || p == route.PhaseFailed
}

// versions rolls out five versions, at 20 calls a second.
func versions(out io.Writer, alarming float64) error {
	fmt.Fprintf(out, `1. Five versions, 20 calls a second, steps of 1, 5, 25 and 50 %%
%-28s %-9s %9s %9s %8s  %s
`, "", "end", "after", "failures", "calls", "largest share and reason")
	for _, v := range []struct {
		name           string
		canary, stable func(weight int) float64
	}{
		{"good: 0.5 % fail", flat(0.005), flat(0.005)},
		{"bad: 6 % fail", flat(0.06), flat(0.005)},
		{"broken: all fail", flat(1), flat(0.005)},
		{"breaks under load, at 25 %", func(w int) float64 {
			if w >= 25 {
				return 0.10
			}
			return 0.003
		}, flat(0.005)},
		{"outage of both: 30 % fail", flat(0.3), flat(0.3)},
	} {
		r, err := newRollout(alarming)
		if err != nil {
			return err
		}
		draw := rand.New(rand.NewPCG(3, 9))
		start, largest := r.now, 0
		for !r.over() && r.now.Sub(start) < 4*time.Hour {
			r.now = r.now.Add(50 * time.Millisecond)
			weight := r.State().Weight()
			largest = max(largest, weight)
			version, rate := r.Assign(""), v.stable
			if version == route.VersionCanary {
				rate = v.canary
			}
			r.Record(version, judged(draw.Float64() < rate(weight)), 200*time.Millisecond)
		}
		s := r.State()
		fmt.Fprintf(out, "%-28s %-9s %9s %9d %8d  %d %%: %s\n", v.name, s.Phase, r.now.Sub(start).Round(time.Second), s.Total.Canary.Failed, s.Total.Canary.N(), largest, s.Reason)
	}
	return nil
}

func flat(rate float64) func(int) float64 { return func(int) float64 { return rate } }

func judged(failed bool) route.Judgment {
	if failed {
		return route.JudgmentFailed
	}
	return route.JudgmentGood
}

// compare runs rollouts of a version that is as allowed, and of one that is alarming,
// under three rules, and counts the wrong ends and the results that were needed.
func compare(out io.Writer, alarming float64) error {
	const rollouts, fixed = 300, 521
	fmt.Fprintf(out, `
2. When to decide: %d rollouts of a version that fails 1 %%, and %d of one that fails %.3g %%
%-34s %15s %15s %9s
`, rollouts, rollouts, 100*alarming, "", "good, rolled back", "bad, promoted", "results")
	for _, rule := range []struct {
		name   string
		decide func(draw func() bool) (back bool, n int, err error)
	}{
		{"look at each result, limit 2 %", func(draw func() bool) (bool, int, error) { back, n := peek(draw, fixed); return back, n, nil }},
		{"look once, after 521 results", func(draw func() bool) (bool, int, error) { back := once(draw, fixed); return back, fixed, nil }},
		{"the sequential test", func(draw func() bool) (bool, int, error) { return sequential(draw, alarming) }},
	} {
		wrong, results := [2]int{}, 0
		for i, rate := range []float64{0.01, alarming} {
			for seed := range uint64(rollouts) {
				r := rand.New(rand.NewPCG(seed, uint64(i)))
				back, n, err := rule.decide(func() bool { return r.Float64() < rate })
				if err != nil {
					return err
				}
				results += n
				if back == (i == 0) {
					wrong[i]++
				}
			}
		}
		fmt.Fprintf(out, "%-34s %15.1f %% %13.1f %% %9d\n", rule.name, 100*float64(wrong[0])/rollouts, 100*float64(wrong[1])/rollouts, results/(2*rollouts))
	}
	return nil
}

// peek rolls back as soon as more than 2 % have failed, from the 20th result on.
func peek(failed func() bool, most int) (back bool, n int) {
	failures := 0
	for n = 1; n <= most; n++ {
		if failed() {
			failures++
		}
		if n >= 20 && float64(failures) > 0.02*float64(n) {
			return true, n
		}
	}
	return false, most
}

// once rolls back if more than 9 of the results have failed.
func once(failed func() bool, n int) bool {
	failures := 0
	for range n {
		if failed() {
			failures++
		}
	}
	return failures > 9
}

// sequential gives all results to a rollout until it ends.
func sequential(failed func() bool, alarming float64) (back bool, n int, err error) {
	r, err := newRollout(alarming)
	if err != nil {
		return false, 0, err
	}
	for !r.over() {
		n++
		r.now = r.now.Add(time.Minute)
		r.Record(route.VersionCanary, judged(failed()), 200*time.Millisecond)
	}
	return r.State().Phase == route.PhaseFailed, n, nil
}
