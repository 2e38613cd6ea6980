// Lab06-abtest shows what peeking does to an A/B test, and what to use instead.
//
// Two prompts are shown to pairs of users, who answer with a thumb up or down.
// First nothing differs between the prompts (an A/A test), a thousand times
// over: how often does each way of reading the results announce a difference?
// Then the new prompt is better: how soon does each way find out, and how large
// does it say the difference is?
//
//	go run ./examples/lab06-abtest            # the summary
//	go run ./examples/lab06-abtest -out p.html  # and the plots
//
// See the notes of eval/stats, section "Peeking".
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"text/tabwriter"

	"github.com/prodailabs/prodai/eval/stats"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lab06-abtest:", err)
		os.Exit(1)
	}
}

func run(args []string, w io.Writer) error {
	flags := flag.NewFlagSet("lab06-abtest", flag.ContinueOnError)
	flags.SetOutput(w)
	experiments := flags.Int("experiments", 1000, "experiments of each kind")
	pairs := flags.Int("pairs", 1500, "largest number of pairs of users in an experiment")
	base := flags.Float64("base", 0.62, "share of thumbs up for the old prompt")
	lift := flags.Float64("lift", 0.05, "what the new prompt adds where it is better")
	alpha := flags.Float64("alpha", 0.05, "share of false alarms that a test promises")
	seed := flags.Uint64("seed", 6, "seed of the simulated users")
	out := flags.String("out", "", "write the plots to this HTML file")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *experiments < 1 || *pairs < 50 {
		return fmt.Errorf("%d experiments of %d pairs: want at least 1 experiment of at least 50 pairs", *experiments, *pairs)
	}
	lab := &lab{experiments: *experiments, pairs: *pairs, base: *base, lift: *lift, alpha: *alpha}
	if err := lab.simulate(*seed); err != nil {
		return err
	}
	if err := lab.summary(w); err != nil {
		return err
	}
	if *out == "" {
		return nil
	}
	if err := lab.page().WriteFile(*out); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nPlots: %s\n", *out)
	return nil
}

func (l *lab) summary(w io.Writer) error {
	fmt.Fprintf(w, "Old prompt: %.0f %% thumbs up. %d experiments of up to %d pairs, alpha %.2f.\n",
		100*l.base, l.experiments, l.pairs, l.alpha)
	design := stats.Design{Alpha: l.alpha}
	if n, err := design.SampleSizeProportions(l.base, l.base+l.lift); err == nil {
		fmt.Fprintf(w, "To see +%.0f points with 80 %% power a fixed test needs %.0f pairs.\n", 100*l.lift, math.Ceil(n))
	}
	if err := l.assignment(w); err != nil {
		return err
	}

	fmt.Fprintf(w, "\nNothing differs: the share of experiments that announce a difference\n")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "way of reading\tfalse alarms\t95%% interval\tpromise\t\n")
	for i, p := range policies {
		k := count(l.same, i, l.pairs)
		ci, err := stats.ProportionInterval(k, l.experiments, 0.95, stats.ProportionWilson)
		if err != nil {
			return err
		}
		verdict := "kept"
		if ci.Low > l.alpha {
			verdict = "BROKEN"
		}
		fmt.Fprintf(t, "%s\t%.1f %%\t[%.1f, %.1f]\t%s\t\n", p.name, 100*float64(k)/float64(l.experiments), 100*ci.Low, 100*ci.High, verdict)
	}
	if err := t.Flush(); err != nil {
		return err
	}

	fmt.Fprintf(w, "\nThe new prompt is %.0f points better: what each way finds\n", 100*l.lift)
	t = tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "way of reading\tfound\tpairs used, mean\tlift announced, mean\t\n")
	for i, p := range policies {
		found, used, announced := l.findings(i)
		fmt.Fprintf(t, "%s\t%.0f %%\t%.0f\t%s\t\n", p.name, 100*found, used, points(announced))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nA test that stops at the first good look announces too large a lift: the looks that cross\n"+
		"the line early are those with luck. An always-valid test stops early too, and shows it by\n"+
		"the width of its interval. Report the interval, not the point.\n")
	return nil
}

func points(x float64) string {
	if math.IsNaN(x) {
		return "-"
	}
	return fmt.Sprintf("%+.1f points", 100*x)
}

// assignment shows the two steps that come before any comparison: users get
// their arm by hash, and the arms' sizes are checked.
func (l *lab) assignment(w io.Writer) error {
	e, err := stats.NewExperiment("lab06", stats.Arm{Name: "old", Weight: 1}, stats.Arm{Name: "new", Weight: 1})
	if err != nil {
		return err
	}
	counts := [2]int{}
	for user := range 2 * l.pairs {
		arm := 0
		if e.Assign(fmt.Sprint("user-", user)).Name == "new" {
			arm = 1
		}
		counts[arm]++
	}
	good, err := stats.SampleRatioMismatch(counts[:], []float64{1, 1})
	if err != nil {
		return err
	}
	lost := counts[1] / 10 // the new page crashes before logging for one user in ten
	bad, err := stats.SampleRatioMismatch([]int{counts[0], counts[1] - lost}, []float64{1, 1})
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "Assignment by hash: %d old, %d new (sample ratio p = %.2f, fine).\n", counts[0], counts[1], good.P)
	fmt.Fprintf(w, "With a tenth of the new arm lost in logging: p = %.1g, so stop reading and fix that first.\n", bad.P)
	return nil
}
