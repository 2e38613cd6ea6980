// Lab08-guardrails switches the layers of a guard on, one by one and together,
// and counts which attacks still succeed, and in which ordinary requests the
// user is asked, loses a link or is stopped.
//
// The model inside the guard is the worst case: it obeys whatever text it read last. So
// the numbers show what the guard stops, not how often a model obeys an attack, and
// they are the same every time.
//
//	go run ./examples/lab08-guardrails               # the table
//	go run ./examples/lab08-guardrails -v            # each ordinary request, and its result
//	go run ./examples/lab08-guardrails -out lab.html # and the figures
//
// At the end it composes guard/flood with retry/limit: what one text may cost, and
// what one tenant may. See the notes of package guard.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/prodailabs/prodai/examples/plot"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lab08-guardrails:", err)
		os.Exit(1)
	}
}

func run(args []string, w io.Writer) error {
	flags := flag.NewFlagSet("lab08-guardrails", flag.ContinueOnError)
	flags.SetOutput(w)
	verbose := flags.Bool("v", false, "show each ordinary request")
	out := flags.String("out", "", "write the figures to this HTML file")
	if err := flags.Parse(args); err != nil {
		return err
	}
	l, err := measure()
	if err != nil {
		return err
	}
	if err := l.table(w); err != nil {
		return err
	}
	if err := l.ordinary(w, *verbose); err != nil {
		return err
	}
	if err := consumption(w); err != nil {
		return err
	}
	fmt.Fprint(w, next)
	if *out == "" {
		return nil
	}
	if err := l.page().WriteFile(*out); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nFigures: %s\n", *out)
	return nil
}

const next = `
What to notice: each layer stops its own kind of attack, and only all together stop every one. The
filter, which judges each text, stops one attack in nine; taint, which judges none, stops most. The
price of taint is the questions to the user: the address that is meant is in a mail, and so is the
attacker's.
What to try: -v, and decide for each request that is asked about whether you would have asked;
take a layer out of layers.go.
What to read: the notes of guard on provenance and taint; lab07-redteam for attacks in other forms.
`

// A setting is a choice of layers.
type setting struct {
	name string
	on   []layer
}

func settings(layers []layer) []setting {
	all := []setting{{name: "none"}}
	for _, l := range layers {
		all = append(all, setting{l.name, []layer{l}})
	}
	return append(all, setting{"all", layers})
}

// A lab is what was measured.
type lab struct {
	layers   []layer
	settings []setting
	classes  []string
	succeed  map[string]map[string]int // attacks, by class and setting
	of       map[string]int            // attacks of a class
	stopped  map[string]int            // ordinary requests that the guard disturbs, by setting
	tasks    []scenario
	final    []outcome // of the tasks, with all layers
	doubted  int       // attacks that the user was asked about, with all layers
}

const total = "all attacks"

func measure() (*lab, error) {
	layers, err := newLayers()
	if err != nil {
		return nil, err
	}
	l := &lab{layers: layers, settings: settings(layers), succeed: map[string]map[string]int{total: {}}, of: map[string]int{}, stopped: map[string]int{}, tasks: tasks()}
	for _, s := range attacks() {
		if l.succeed[s.class] == nil {
			l.succeed[s.class] = map[string]int{}
			l.classes = append(l.classes, s.class)
		}
		l.of[s.class]++
		l.of[total]++
		for _, set := range l.settings {
			o, err := play(s, set.on)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.name, err)
			}
			if !o.stopped {
				l.succeed[s.class][set.name]++
				l.succeed[total][set.name]++
			}
			if o.asked && set.name == "all" {
				l.doubted++
			}
		}
	}
	l.classes = append(l.classes, total)
	for _, s := range l.tasks {
		for _, set := range l.settings {
			o, err := play(s, set.on)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.name, err)
			}
			if !o.smooth() {
				l.stopped[set.name]++
			}
			if set.name == "all" {
				l.final = append(l.final, o)
			}
		}
	}
	return l, nil
}

func (l *lab) table(w io.Writer) error {
	fmt.Fprintf(w, "%d attacks (%d orders in %d wordings, in documents and tool results, and %d for the prompt) and %d ordinary requests.\n",
		l.of[total], len(orders), len(wordings), l.of["prompt leak"], len(l.tasks))
	fmt.Fprintln(w, "How many succeed, with which layer on:")
	fmt.Fprintln(w)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := []string{"attack", "of"}
	for _, s := range l.settings {
		row = append(row, s.name)
	}
	fmt.Fprintln(tw, strings.Join(row, "\t")+"\t")
	for _, c := range l.classes {
		row := []string{c, fmt.Sprint(l.of[c])}
		for _, s := range l.settings {
			row = append(row, fmt.Sprint(l.succeed[c][s.name]))
		}
		fmt.Fprintln(tw, strings.Join(row, "\t")+"\t")
	}
	row = []string{"ordinary, disturbed", fmt.Sprint(len(l.tasks))}
	for _, s := range l.settings {
		row = append(row, fmt.Sprint(l.stopped[s.name]))
	}
	fmt.Fprintln(tw, strings.Join(row, "\t")+"\t")
	if err := tw.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	for _, layer := range l.layers {
		fmt.Fprintf(w, "  %-7s %s\n", layer.name, layer.why)
	}
	all := l.succeed[total]["all"]
	low, high := wilson(all, l.of[total])
	_, err := fmt.Fprintf(w, "\nAll layers: %d of %d attacks succeed; with as many tries of this kind, %.1f to %.1f %% (95 %%, Wilson).\n"+
		"The users were asked about %d of them and said no; a user who always says yes lets these through.\n", all, l.of[total], 100*low, 100*high, l.doubted)
	return err
}

func (l *lab) ordinary(w io.Writer, verbose bool) error {
	count := map[string]int{}
	for i := range l.tasks {
		count[l.final[i].String()]++
	}
	fmt.Fprintf(w, "The price: of %d ordinary requests %d pass, %d after a question to the user; %d shows an address without a link; %d are stopped.\n",
		len(l.tasks), count[passes], count[asks], count[unlinked], count[stopped])
	for i, s := range l.tasks {
		if o := l.final[i]; verbose || !o.smooth() {
			if _, err := fmt.Fprintf(w, "  %-8s  %s%s\n", o, s.user, because(l.why(i))); err != nil {
				return err
			}
		}
	}
	return nil
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return "  (" + why + ")"
}

// why returns why the user noticed something.
func (l *lab) why(i int) string {
	if l.final[i].by == "injection" {
		return "the filter is mistaken"
	}
	return l.tasks[i].class
}

// wilson is the 95 % interval of a share.
func wilson(k, n int) (low, high float64) {
	const z = 1.959964
	p, m := float64(k)/float64(n), float64(n)
	center := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return max(0, center-half), min(1, center+half)
}

func (l *lab) page() *plot.Page {
	bars := &plot.Bars{Title: "Attacks that succeed", Y: plot.Axis{Label: "share of the attacks", Unit: "%"}, Caption: "Each layer alone, and all of them. Bars show Wilson's 95 % interval."}
	var series, price plot.BarSeries
	series.Name, price.Name = "attacks that succeed", "ordinary requests disturbed"
	for _, s := range l.settings {
		bars.Groups = append(bars.Groups, s.name)
		k, n := l.succeed[total][s.name], l.of[total]
		low, high := wilson(k, n)
		series.Values, series.Low, series.High = append(series.Values, 100*float64(k)/float64(n)), append(series.Low, 100*low), append(series.High, 100*high)
		k, n = l.stopped[s.name], len(l.tasks)
		low, high = wilson(k, n)
		price.Values, price.Low, price.High = append(price.Values, 100*float64(k)/float64(n)), append(price.Low, 100*low), append(price.High, 100*high)
	}
	bars.Series = []plot.BarSeries{series, price}
	table := &plot.Table{Title: "By what the attacker wants", Head: []string{"attack", "of"}, Caption: "How many succeed."}
	for _, s := range l.settings {
		table.Head = append(table.Head, s.name)
	}
	for _, c := range l.classes {
		row := []string{c, fmt.Sprint(l.of[c])}
		for _, s := range l.settings {
			row = append(row, fmt.Sprint(l.succeed[c][s.name]))
		}
		table.Rows = append(table.Rows, row)
	}
	requests := &plot.Table{Title: "Ordinary requests, all layers on", Head: []string{"request", "outcome", "why"}}
	for i, s := range l.tasks {
		requests.Rows = append(requests.Rows, []string{s.user, l.final[i].String(), l.why(i)})
	}
	return &plot.Page{Title: "Guardrails, layer by layer", Sections: []plot.Section{
		plot.Text("The model inside the guard obeys whatever text it read last, so these figures show what the guard stops. The filter reads the wording, and stops what looks like an attack. The taint layer asks whether the user wanted the action, and stops an attack in any wording. Its price is that it can't know all that a user means: in such a case it asks."),
		bars, table, requests,
	}}
}
