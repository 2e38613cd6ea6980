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

// An incident makes a share of all requests fail for some minutes.
type incident struct {
	from, minutes int
	share         float64
}

// A result is how often a design pages, how soon after an incident begins, and for how
// long it still fires after the incident ended.
type result struct {
	pages        int
	first, after int // minutes; first is -1 if it never fires
}

// simulate sends traffic through a design.
func simulate(d design, minutes int, in incident) (result, error) {
	r := result{first: -1}
	look, err := d.make()
	if err != nil {
		return r, err
	}
	alert, err := monitor.NewAlert(nil)
	if err != nil {
		return r, err
	}
	rng := rand.New(rand.NewPCG(16, 2))
	for m := range minutes {
		p := usual
		if m >= in.from && m < in.from+in.minutes {
			p = in.share
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
			return r, err
		}
		c := monitor.ConditionFalse
		if on {
			c = monitor.ConditionTrue
		}
		if alert.Look(at, c) == monitor.ChangeFired {
			r.pages++
		}
		switch ended := in.from + in.minutes; {
		case !alert.Firing():
		case m >= in.from && m < ended && r.first < 0:
			r.first = m - in.from + 1
		case m >= ended && m-ended == r.after:
			r.after++
		}
	}
	return r, nil
}

func run(out io.Writer) error {
	fmt.Fprintf(out, "Objective: %.0f %% of requests succeed. In good times %.1f %% fail. %d requests a minute.\n\n", 100*objective, 100*usual, perMinute)
	fmt.Fprint(out, "How to read it: pages in a week without an incident; minutes until an incident of 3\nhours is noticed in which that share of all requests fails; and minutes that the alert\nstill fires after the incident of 30 % ended.\n\n")
	fmt.Fprintf(out, "%-26s %14s %8s %8s %8s %8s\n", "design", "false pages/wk", "10 %", "30 %", "100 %", "after")
	for _, d := range designs {
		calm, err := simulate(d, weeks*7*24*60, incident{})
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%-26s %14.1f", d.name, float64(calm.pages)/weeks)
		after := 0
		for _, share := range []float64{0.1, 0.3, 1} {
			r, err := simulate(d, 72*60, incident{24 * 60, 180, share})
			if err != nil {
				return err
			}
			text := "never"
			if r.first >= 0 {
				text = fmt.Sprint(r.first)
			}
			if share == 0.3 {
				after = r.after
			}
			fmt.Fprintf(out, " %8s", text)
		}
		fmt.Fprintf(out, " %8d\n", after)
	}
	fmt.Fprintln(out, `
What to notice: the fast designs page for nothing, many times a week, and such pages
are soon ignored. The share of a day pages for nothing hardly ever, but its alert fires
for a day after the incident has ended, and hides the next one. Burn rates in two
windows have neither fault. They leave a small incident to the ticket of the window of
three days, because it spends little of the budget.

What to try: set perMinute to 1. Which design suffers most from few requests? Set usual
to 0.009, close to what the objective allows.

What to read: the notes of package trace/monitor, "Service level objectives".`)
	return nil
}
