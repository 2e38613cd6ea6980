// Lab04-overload shows what retries do to a service in an overload. It compares
// strategies in four scenarios. One of them is a metastable failure; the policies
// of retry/defaults, in the last two rows of each table, end it. A last table has
// streams that go on for a minute, which a limit made for short calls starves.
//
//	go run ./examples/lab04-overload
//	go run ./examples/lab04-overload -html overload.html    with figures
//	go run ./examples/lab04-overload -seed 7
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/prodailabs/prodai/examples/plot"
	"github.com/prodailabs/prodai/retry/overload"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lab04-overload:", err)
		os.Exit(1)
	}
}

func run(args []string, out, errs io.Writer) error {
	f := flag.NewFlagSet("lab04-overload", flag.ContinueOnError)
	f.SetOutput(errs)
	page := f.String("html", "", "write a page with figures to this `file`")
	seed := f.Uint64("seed", 1, "seed of the arrivals and service times")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	html := plot.Page{Title: "Retries under overload", Sections: []plot.Section{plot.Text(
		"Load rises for a short while and falls again. Does the service come back? In the unbounded queue it doesn't while clients just retry; " +
			"a limit on what is sent brings it back. A limit on the rate, learned by refusals, is right for a quota and does not see a queue: " +
			"the defaults of retry/defaults limit the rate and the calls in progress.")}}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, scenario := range overload.Scenarios() {
		fmt.Fprintf(w, "\n%v\n\tanswered %%\tcalls\twasted\tlate goodput /s (offered %.0f)\tp99 s\t\n", scenario, scenario.Offered())
		goodput := &plot.Chart{Title: fmt.Sprintf("Goodput, %v", scenario), Caption: "Requests answered in time, mean of 5 s.",
			X: plot.Axis{Label: "time", Unit: "s"}, Y: plot.Axis{Label: "answers a second", Zero: true}}
		waste := &plot.Chart{Title: fmt.Sprintf("Wasted calls, %v", scenario), Caption: "Calls that served no caller, mean of 5 s.",
			X: goodput.X, Y: plot.Axis{Label: "calls a second", Zero: true}}
		for _, s := range overload.Strategies() {
			r, err := overload.Run(scenario, s, *seed)
			if err != nil {
				return err
			}
			fmt.Fprintf(w, "%s\t%.1f\t%d\t%d\t%.1f\t%.1f\t\n", s.Name, 100*float64(r.OK)/float64(r.Requests), r.Calls, r.Wasted, r.LateGoodput, r.P99)
			switch s.Name {
			case "full_jitter_x5", overload.ZeroOptions, "adaptive_rate+deadline_shed+budget10%", overload.Defaults:
				goodput.Series = append(goodput.Series, series(s.Name, r.Goodput))
				waste.Series = append(waste.Series, series(s.Name, r.Waste))
			}
			if s.Name == overload.Defaults { // the last: the strategies have the same colors in both figures
				goodput.Series = append(goodput.Series, series("arrivals", r.Arrived))
			}
		}
		html.Sections = append(html.Sections, goodput, waste)
	}
	fmt.Fprintln(w)
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(out, "queue_metastable: the spike ends at 40 s, and at 120 s every plain retry still answers no request.\n"+
		"The cure is to send less: a limit on calls in progress (aimd), on the rate (adaptive_rate), or, as in\n"+
		"retry/defaults, on both, with what can't be answered in time refused at once. It knows nothing of the\n"+
		"server; the row client_rate_limit(known) does.")
	r, err := overload.Run(overload.ScenarioQuotaFree, overload.Strategy{Defaults: true, Mixed: true}, *seed)
	if err != nil {
		return err
	}
	fmt.Fprint(out, "\nThe same with priorities, quota_free_rejections:")
	for i, name := range []string{"high", "normal", "low"} {
		fmt.Fprintf(out, "  %s %.0f %%", name, 100*float64(r.Answered[i])/float64(r.Asked[i]))
	}
	fmt.Fprintln(out)
	if err := streams(out, *seed); err != nil {
		return err
	}
	if *page == "" {
		return nil
	}
	return html.WriteFile(*page)
}

// streams prints what a limit on calls in progress does to streams that last for a
// minute, if it learns by their ends and if it learns by their first tokens.
func streams(out io.Writer, seed uint64) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "\n%v\tanswered %%\tfirst token p50 s\tp99 s\t\n", overload.ScenarioStreams)
	for _, s := range []overload.Strategy{
		{Name: "no_retry"},
		{Name: "defaults, learning by ends", Defaults: true, ByEnds: true},
		{Name: "defaults", Defaults: true},
	} {
		r, err := overload.Run(overload.ScenarioStreams, s, seed)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s\t%.1f\t%.2f\t%.1f\t\n", s.Name, 100*float64(r.OK)/float64(r.Requests), r.P50, r.P99)
	}
	return w.Flush()
}

// series is the mean of every 5 s.
func series(name string, v [overload.ArrivalSeconds]float64) plot.Series {
	s := plot.Series{Name: name}
	for i := 0; i+5 <= len(v); i += 5 {
		mean := 0.0
		for _, x := range v[i : i+5] {
			mean += x / 5
		}
		s.X, s.Y = append(s.X, float64(i)+2.5), append(s.Y, mean)
	}
	return s
}
