// Lab16-alerts compares four designs of an alert on the same traffic: weeks without an
// incident, and incidents of three sizes. It prints how soon each design pages, and how
// often it pages for nothing.
//
//	go run ./examples/lab16-alerts
package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"

	"github.com/prodailabs/prodai/trace/monitor"
)

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "lab16-alerts:", err)
		os.Exit(1)
	}
}

const (
	objective = 0.99
	usual     = 0.004 // share of requests that fail in good times
	perMinute = 6
	weeks     = 4
)

var start = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)

// A design looks at a minute's requests and says whether its condition is true.
type design struct {
	name string
	make func() (func(at time.Time, good, bad int) (bool, error), error)
}

var designs = []design{
	{"any failed request", func() (func(time.Time, int, int) (bool, error), error) {
		return func(_ time.Time, _, bad int) (bool, error) { return bad > 0, nil }, nil
	}},
	{"above 1 % in 5 minutes", func() (func(time.Time, int, int) (bool, error), error) {
		var good, bad [5]int
		n := 0
		return func(_ time.Time, g, b int) (bool, error) {
			good[n%5], bad[n%5] = g, b
			n++
			sumGood, sumBad := 0, 0
			for i := range good {
				sumGood, sumBad = sumGood+good[i], sumBad+bad[i]
			}
			return float64(sumBad) > 0.01*float64(sumGood+sumBad), nil
		}, nil
	}},
	{"above 1 % in a day", func() (func(time.Time, int, int) (bool, error), error) {
		tracker, err := monitor.NewTracker(monitor.SLO{Objective: objective, Period: 24 * time.Hour, Windows: []monitor.BurnWindow{
			{Long: 24 * time.Hour, Short: 23 * time.Hour, Budget: 1, Severity: monitor.SeverityPage}}})
		return tracked(tracker), err
	}},
	{"burn rates, two windows", func() (func(time.Time, int, int) (bool, error), error) {
		tracker, err := monitor.NewTracker(monitor.SLO{Objective: objective, MinEvents: 60})
		return tracked(tracker), err
	}},
}

// tracked is true if a window that pages is.
func tracked(t *monitor.Tracker) func(time.Time, int, int) (bool, error) {
	return func(at time.Time, good, bad int) (bool, error) {
		for i := range good + bad {
			o := monitor.OutcomeGood
			if i < bad {
				o = monitor.OutcomeBad
			}
			if err := t.Observe(at, o); err != nil {
				return false, err
			}
		}
		for _, b := range t.Budget(at).Burns {
			if b.Severity == monitor.SeverityPage && b.Condition == monitor.ConditionTrue {
				return true, nil
			}
		}
		return false, nil
	}
}

// simulate sends traffic through a design, and returns how often it pages, and when
// first after the incident begins.
func simulate(d design, minutes, incident int, share float64) (pages int, first time.Duration, err error) {
	look, err := d.make()
	if err != nil {
		return 0, 0, err
	}
	alert, err := monitor.NewAlert(nil)
	if err != nil {
		return 0, 0, err
	}
	rng := rand.New(rand.NewPCG(16, 2))
	first = -1
	for m := range minutes {
		p := usual
		if incident >= 0 && m >= incident {
			p = share
		}
		bad := 0
		for range perMinute {
			if rng.Float64() < p {
				bad++
			}
		}
		at := start.Add(time.Duration(m) * time.Minute)
		on, err := look(at, perMinute-bad, bad)
		if err != nil {
			return 0, 0, err
		}
		c := monitor.ConditionFalse
		if on {
			c = monitor.ConditionTrue
		}
		if alert.Look(at, c) == monitor.ChangeFired {
			pages++
		}
		if incident >= 0 && m >= incident && alert.Firing() && first < 0 {
			first = time.Duration(m-incident+1) * time.Minute
		}
	}
	return pages, first, nil
}

func run(out io.Writer) error {
	fmt.Fprintf(out, "Objective: %.0f %% of requests succeed. In good times %.1f %% fail. %d requests a minute.\n\n", 100*objective, 100*usual, perMinute)
	fmt.Fprintf(out, "How to read it: pages in a week without an incident, and minutes until an incident\nin which that share of all requests fails is noticed.\n\n")
	fmt.Fprintf(out, "%-26s %14s %8s %8s %8s\n", "design", "false pages/wk", "10 %", "30 %", "100 %")
	for _, d := range designs {
		pages, _, err := simulate(d, weeks*7*24*60, -1, 0)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%-26s %14.1f", d.name, float64(pages)/weeks)
		for _, share := range []float64{0.1, 0.3, 1} {
			_, first, err := simulate(d, 48*60, 24*60, share)
			if err != nil {
				return err
			}
			text := "never"
			if first >= 0 {
				text = fmt.Sprintf("%.0f", first.Minutes())
			}
			fmt.Fprintf(out, " %8s", text)
		}
		fmt.Fprintln(out)
	}
	fmt.Fprintln(out, `
What to notice: the fast designs page for nothing, many times a week, and such pages
are soon ignored. The slow one pages late. Burn rates in two windows page for nothing
hardly ever, and notice a large incident in minutes. A small one takes longer, because
it spends little of the budget.

What to try: set perMinute to 1. Which design suffers most from few requests? Set usual
to 0.009, close to what the objective allows.

What to read: the notes of package trace/monitor, "Service level objectives".`)
	return nil
}
