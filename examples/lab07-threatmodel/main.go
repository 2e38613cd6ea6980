// Lab07-threatmodel goes from a drawing of a system to a list of attacks: each flow of
// data, what an attacker can do there, the ids of OWASP and MITRE ATLAS, and the layer
// that answers it.
//
//	go run ./examples/lab07-threatmodel                 # the system of this lab
//	go run ./examples/lab07-threatmodel -file mine.json # your own
//	go run ./examples/lab07-threatmodel -print          # the description, to begin with
//
// How to read the output: a row is an attack. ">" means that the data comes from a less
// trusted zone, "open" that no layer of the system answers the attack, and "-review",
// "-access" and "-network" are practices that no package has. See the notes of package
// threat.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/prodailabs/prodai/guard/threat"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lab07-threatmodel:", err)
		os.Exit(1)
	}
}

// shop is an assistant that answers from documents, reads customers' mail and can send
// mail. Customers write reviews, which the search finds.
func shop() *threat.System {
	return &threat.System{
		Name: "the assistant of a lamp shop",
		Parts: []threat.Part{
			{Name: "customer", Kind: threat.PartUser, Zone: threat.ZoneOutside},
			{Name: "gateway", Kind: threat.PartApp, Zone: threat.ZoneInside},
			{Name: "model", Kind: threat.PartModel, Zone: threat.ZoneInside},
			{Name: "documents", Kind: threat.PartDocuments, Zone: threat.ZoneInside},
			{Name: "send_email", Kind: threat.PartTool, Zone: threat.ZoneInside, Acts: true},
			{Name: "page", Kind: threat.PartBrowser, Zone: threat.ZoneOutside},
			{Name: "log", Kind: threat.PartLog, Zone: threat.ZoneInside},
			{Name: "model hub", Kind: threat.PartSupplier, Zone: threat.ZoneOutside},
		},
		Flows: []threat.Flow{
			{From: "customer", To: "gateway", Data: "the question", Personal: true},
			{From: "gateway", To: "model", Data: "the prompt", Personal: true},
			{From: "documents", To: "model", Data: "passages"},
			{From: "model", To: "send_email", Data: "a call"},
			{From: "model", To: "page", Data: "the answer", Personal: true},
			{From: "gateway", To: "log", Data: "requests", Personal: true},
			{From: "model hub", To: "model", Data: "weights"},
		},
	}
}

// reviews is the flow that the lab adds: what customers write is searched.
var reviews = threat.Flow{From: "customer", To: "documents", Data: "reviews"}

func run(args []string, w io.Writer) error {
	flags := flag.NewFlagSet("lab07-threatmodel", flag.ContinueOnError)
	flags.SetOutput(w)
	file := flags.String("file", "", "analyze the system in this JSON file")
	show := flags.Bool("print", false, "print the description of the lab's system")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *show {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(shop())
	}
	if *file != "" {
		f, err := os.Open(*file)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		system, err := threat.ReadSystem(f)
		if err != nil {
			return err
		}
		_, err = list(w, system)
		return err
	}
	return lesson(w)
}

// lesson analyzes the shop as it is, with reviews, and with layers.
func lesson(w io.Writer) error {
	before, err := list(w, shop())
	if err != nil {
		return err
	}
	open := shop()
	open.Flows = append(open.Flows, reviews)
	after, err := open.Analyze()
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\nOne flow more: customers write reviews into the documents. %d attacks become %d. New are:\n", len(before), len(after))
	for _, a := range after {
		if !slices.ContainsFunc(before, func(b threat.Attack) bool { return b.Flow == a.Flow && b.How == a.How }) {
			fmt.Fprintf(w, "  %s → %s: %s (%s)\n", a.Flow.From, a.Flow.To, a.How, strings.Join(a.Threats, ", "))
		}
	}
	fmt.Fprintln(w, "\nLayers, added one after another, and the attacks that stay open:")
	fmt.Fprintf(w, "  %-18s %2d open\n", "none", len(after))
	for _, name := range []string{"guard", "guard/sink", "retry/limit", "guard/secret", "guard/supply", "guard/content", "retrieve/rag", "guard/injection", "trace", "-access", "-review"} {
		open.Layers = append(open.Layers, name)
		all, err := open.Analyze()
		if err != nil {
			return err
		}
		var still []string
		for _, a := range all {
			if len(a.Answered) == 0 {
				still = append(still, strings.TrimSuffix(a.Threats[0], ":2025"))
			}
		}
		fmt.Fprintf(w, "  + %-16s %2d open  %s\n", name, len(still), strings.Join(counted(still), " "))
	}
	_, err = fmt.Fprint(w, next)
	return err
}

const next = `
What to notice: before the reviews, the model read only what the shop wrote, so documents could
not give it orders. One flow from outside adds an attack two flows further on. Each layer answers
a few rows, and none answers half of them.
What to try: print the description, add a memory or a second tool, and analyze it with -file.
What to read: the notes of guard/threat; then measure a layer with lab07-redteam, since a layer
that is listed may be switched off.
`

func list(w io.Writer, s *threat.System) ([]threat.Attack, error) {
	all, err := s.Analyze()
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(w, "%s: %d attacks. \">\" comes from a less trusted zone; -access, -network and -review are practices.\n", s.Name, len(all))
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, a := range all {
		border, answer := " ", "open"
		if a.Border {
			border = ">"
		}
		if len(a.Answered) > 0 {
			answer = "has"
		}
		fmt.Fprintf(tw, "%s %s → %s\t%s\t%s\t%s\t%s: %s\n", border, a.Flow.From, a.Flow.To, a.Threats[0], a.STRIDE, a.How, answer, names(a.Layers))
	}
	return all, tw.Flush()
}

// counted returns each word once, in order, with how often it is there.
func counted(words []string) []string {
	words = slices.Sorted(slices.Values(words))
	var out []string
	for len(words) > 0 {
		n := 1
		for n < len(words) && words[n] == words[0] {
			n++
		}
		if n == 1 {
			out = append(out, words[0])
		} else {
			out = append(out, fmt.Sprintf("%s×%d", words[0], n))
		}
		words = words[n:]
	}
	return out
}

func names(layers []threat.Layer) string {
	var out []string
	for _, l := range layers {
		out = append(out, l.Package)
	}
	return strings.Join(out, ", ")
}
