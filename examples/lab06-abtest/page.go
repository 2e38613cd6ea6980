package main

import (
	"fmt"
	"math"

	"github.com/prodailabs/prodai/examples/plot"
)

func (l *lab) page() *plot.Page {
	sections := []plot.Section{
		plot.Text(fmt.Sprintf("Two prompts, %d simulated experiments of up to %d pairs of users. The old prompt gets %.0f %% thumbs up. "+
			"A test at alpha = %.2f promises at most %.0f %% false alarms, for one look at a size fixed beforehand.",
			l.experiments, l.pairs, 100*l.base, l.alpha, 100*l.alpha)),
		l.alarms("Nothing differs: experiments that have announced a difference", l.same,
			"Every look at a fixed test is another chance to be wrong, so the curve of a test with many looks never stops rising. "+
				"The always-valid tests stay below the promise at every moment.",
			plot.Rule{Name: "promise", At: 100 * l.alpha}),
	}
	if l.path != nil {
		sections = append(sections, l.pValues())
	}
	sections = append(sections, l.intervals(),
		l.alarms(fmt.Sprintf("The new prompt is %.0f points better: experiments that have found out", 100*l.lift), l.better,
			"What the promise costs: an always-valid test finds the effect later than a fixed test of the right size with one look, but that size "+
				"needn't be known, and large effects stop it early. Tests with many looks are earlier only because they announce a difference easily, also if nothing differs."),
		l.table())
	return &plot.Page{Title: "Lab 6: peeking at an A/B test", Sections: sections}
}

// steps is how many points a curve is drawn with.
const steps = 200

// alarms draws the share of experiments that each policy has stopped, over the
// pairs seen.
func (l *lab) alarms(title string, outcomes []outcome, caption string, rules ...plot.Rule) *plot.Chart {
	c := &plot.Chart{
		Title: title, Caption: caption, Rules: rules,
		X: plot.Axis{Label: "pairs of users seen"},
		Y: plot.Axis{Label: "experiments stopped", Unit: "%", Min: plot.Fixed(0)},
	}
	for i, p := range policies {
		s := plot.Series{Name: p.name, Kind: plot.Step}
		for k := range steps + 1 {
			n := l.pairs * k / steps
			s.X = append(s.X, float64(n))
			s.Y = append(s.Y, 100*float64(count(outcomes, i, n))/float64(len(outcomes)))
		}
		c.Series = append(c.Series, s)
	}
	return c
}

// pValues draws one experiment in which nothing differed and many looks would have
// announced a difference.
func (l *lab) pValues() *plot.Chart {
	fixed := plot.Series{Name: "fixed test's p"}
	valid := plot.Series{Name: "always-valid p (mixture SPRT)", Kind: plot.Step}
	for i := range l.path {
		now := &l.path[i]
		if now.n < 30 {
			continue
		}
		fixed.X, fixed.Y = append(fixed.X, float64(now.n)), append(fixed.Y, now.fixed())
		valid.X, valid.Y = append(valid.X, float64(now.n)), append(valid.Y, now.mixture.P)
	}
	return &plot.Chart{
		Title: "One of these experiments: the p-value wanders",
		Caption: "Under no difference the fixed test's p is uniform at each moment and falls below 0.05 at some moment. " +
			"The always-valid p only falls, and it falls slowly.",
		X:      plot.Axis{Label: "pairs of users seen"},
		Y:      plot.Axis{Label: "p-value", Log: true, Max: plot.Fixed(1)},
		Series: []plot.Series{fixed, valid},
		Rules:  []plot.Rule{{Name: "alpha", At: l.alpha}},
	}
}

// intervals draws one experiment with the lift: the interval for one look and
// the confidence sequence.
func (l *lab) intervals() *plot.Chart {
	fixed := plot.Series{Name: "interval for one look"}
	valid := plot.Series{Name: "confidence sequence"}
	for i := 0; i < len(l.betterPath); i += max(1, len(l.betterPath)/steps) {
		now := &l.betterPath[i]
		if now.n < 100 {
			continue
		}
		n, lift := float64(now.n), now.lift()
		half := 1.96 * math.Sqrt(2*l.base*(1-l.base)/n)
		for _, s := range []*plot.Series{&fixed, &valid} {
			s.X, s.Y = append(s.X, n), append(s.Y, 100*lift)
		}
		fixed.Low, fixed.High = append(fixed.Low, 100*(lift-half)), append(fixed.High, 100*(lift+half))
		ci := now.mixture.Interval
		valid.Low, valid.High = append(valid.Low, 100*ci.Low), append(valid.High, 100*ci.High)
	}
	return &plot.Chart{
		Title: "A real lift: the interval that may be watched",
		Caption: "The confidence sequence is wider and holds at all moments together: once it leaves zero you may stop, " +
			"and it contains the truth throughout with 95 % probability. The narrow interval makes that promise for one moment only.",
		X:      plot.Axis{Label: "pairs of users seen"},
		Y:      plot.Axis{Label: "lift", Unit: "points"},
		Series: []plot.Series{valid, fixed},
		Rules:  []plot.Rule{{Name: "no difference", At: 0}, {Name: "truth", At: 100 * l.lift}},
	}
}

func (l *lab) table() *plot.Table {
	t := &plot.Table{
		Title:   "Both worlds",
		Caption: "Lift announced: the mean over the experiments that stopped. A stop at the first good look makes it too large.",
		Head:    []string{"way of reading", "false alarms (%)", "lift found (%)", "pairs used", "lift announced (points)"},
	}
	for i, p := range policies {
		found, used, announced := l.findings(i)
		row := []string{p.name,
			fmt.Sprintf("%.1f", 100*float64(count(l.same, i, l.pairs))/float64(l.experiments)),
			fmt.Sprintf("%.0f", 100*found), fmt.Sprintf("%.0f", used), "-"}
		if !math.IsNaN(announced) {
			row[4] = fmt.Sprintf("%.1f", 100*announced)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
