// Lab 5a: where BLEU and ROUGE mislead.
//
// The lab shows three things: pairs of a right and a wrong answer where overlap
// metrics prefer the wrong one, the same translations under five tokenizers, and a
// corpus score that no average of sentence scores gives.
//
//	go run ./examples/lab05-metrics
//	go run ./examples/lab05-metrics -html metrics.html
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/prodailabs/prodai/eval"
	"github.com/prodailabs/prodai/examples/plot"
)

// A trap is a reference, an answer that says the same and one that doesn't.
type trap struct{ name, reference, right, wrong string }

var traps = []trap{
	{"negation", "The drug is safe for children.", "Children can take this medicine without any danger.", "The drug is not safe for children."},
	{"number", "The refund of 250 euros was paid on 3 May.", "On May 3rd we sent you back the 250 euros.", "The refund of 520 euros was paid on 3 May."},
	{"roles", "The bank sued the customer.", "The customer was taken to court by the bank.", "The customer sued the bank."},
	{"hedge", "The update fixes the crash.", "With the update, it no longer crashes.", "The update may fix the crash."},
	{"copying", "Yes, you can return it within 30 days.", "Sure, send it back any time in the first month.", "Can you return it within 30 days, yes?"},
	{"script", "Привет, мир!", "Привет, мир!", "Прощай, мир!"},
}

type scorer struct {
	name  string
	score func(output, reference string) (float64, error)
}

func scorers() ([]scorer, error) {
	bleu, err := eval.NewBLEU(&eval.BLEUOptions{EffectiveOrder: true})
	if err != nil {
		return nil, err
	}
	chrf, err := eval.NewChrF(nil)
	if err != nil {
		return nil, err
	}
	rouge, err := eval.NewROUGE(&eval.ROUGEOptions{Types: []string{"rougeL"}, Stem: true})
	if err != nil {
		return nil, err
	}
	meteor, err := eval.NewMETEOR(nil)
	if err != nil {
		return nil, err
	}
	tok := eval.UnicodeTokenizer()
	return []scorer{
		{"BLEU", func(o, r string) (float64, error) { s, err := bleu.Score(o, r); return s.Value, err }},
		{"chrF", func(o, r string) (float64, error) { return chrf.Score(o, r) }},
		{"ROUGE-L", func(o, r string) (float64, error) {
			s, err := rouge.Score(o, r)
			if err != nil {
				return 0, err
			}
			return 100 * s[0].F, nil
		}},
		{"METEOR", func(o, r string) (float64, error) { return 100 * meteor.Score(tok.Tokens(o), tok.Tokens(r)), nil }},
	}, nil
}

func main() {
	html := flag.String("html", "", "also write the figure to this `file`")
	flag.Usage = func() {
		fmt.Fprintf(flag.CommandLine.Output(), "Shows where BLEU and ROUGE mislead.\n\nusage: lab05-metrics [-html FILE]\n\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	log.SetFlags(0)
	if err := run(os.Stdout, *html); err != nil {
		log.Fatal(err)
	}
}

func run(w io.Writer, html string) error {
	page := &plot.Page{Title: "Where overlap metrics mislead"}
	if err := trapped(w, page); err != nil {
		return err
	}
	if err := tokenized(w); err != nil {
		return err
	}
	if err := averaged(w); err != nil {
		return err
	}
	if html == "" {
		return nil
	}
	if err := page.WriteFile(html); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nThe figure is in %s.\n", html)
	return nil
}

// trapped scores the right and the wrong answer of every trap.
func trapped(w io.Writer, page *plot.Page) error {
	metrics, err := scorers()
	if err != nil {
		return err
	}
	fmt.Fprint(w, "1. A right answer in other words, and a wrong one in the same words\n\n")
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(tw, "\t")
	for _, m := range metrics {
		fmt.Fprintf(tw, "%s\t\t\t", m.name)
	}
	fmt.Fprint(tw, "\ntrap\t")
	for range metrics {
		fmt.Fprint(tw, "right\twrong\t\t")
	}
	fmt.Fprintln(tw)
	table := &plot.Table{Title: "The answers", Head: []string{"trap", "reference", "right answer", "wrong answer"}}
	bars := make([]*plot.Bars, len(metrics))
	for i, m := range metrics {
		bars[i] = &plot.Bars{Title: m.name, Y: plot.Axis{Label: m.name, Max: plot.Fixed(100)}, Series: []plot.BarSeries{{Name: "right answer"}, {Name: "wrong answer"}}}
	}
	fooled := make([]int, len(metrics))
	for _, t := range traps {
		fmt.Fprintf(tw, "%s\t", t.name)
		table.Rows = append(table.Rows, []string{t.name, t.reference, t.right, t.wrong})
		for i, m := range metrics {
			right, err := m.score(t.right, t.reference)
			if err != nil {
				return err
			}
			wrong, err := m.score(t.wrong, t.reference)
			if err != nil {
				return err
			}
			verdict := ""
			if wrong >= right {
				verdict = "✗"
				fooled[i]++
			}
			fmt.Fprintf(tw, "%.0f\t%.0f\t%s\t", right, wrong, verdict)
			bars[i].Groups = append(bars[i].Groups, t.name)
			bars[i].Series[0].Values = append(bars[i].Series[0].Values, right)
			bars[i].Series[1].Values = append(bars[i].Series[1].Values, wrong)
		}
		fmt.Fprintln(tw)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	page.Sections = append(page.Sections, plot.Text("For each question there is an answer that is right in other words and one that is wrong in the same words. A metric is wrong where the bar of the wrong answer is as high or higher."), table)
	fmt.Fprintln(w)
	for i, m := range metrics {
		fmt.Fprintf(w, "   %s prefers the wrong answer, or scores both the same, in %d of %d cases.\n", m.name, fooled[i], len(traps))
		bars[i].Caption = fmt.Sprintf("Wrong in %d of %d cases.", fooled[i], len(traps))
		page.Sections = append(page.Sections, bars[i])
	}
	fmt.Fprint(w, "   ROUGE gives Привет мир with itself a 0: its tokenizer keeps ASCII only.\n\n")
	return nil
}

// tokenized scores one corpus with every tokenizer.
func tokenized(w io.Writer) error {
	outputs := []string{"Version 2.0.1 (beta) of the low-cost plan costs $9.99/month.", "It isn't available in the U.S., but it's in the E.U.!"}
	refs := [][]string{{"Version 2.0.1 (beta) of the low cost plan is $9.99 per month."}, {"It is not available in the U.S. but it is in the E.U.!"}}
	fmt.Fprint(w, "2. The same two sentences under five tokenizers\n\n")
	for _, name := range []string{"13a", "intl", "zh", "char", "none"} {
		tok, err := eval.NewTokenizer(name)
		if err != nil {
			return err
		}
		bleu, err := eval.NewBLEU(&eval.BLEUOptions{Tokenizer: tok})
		if err != nil {
			return err
		}
		score, err := eval.ScoreCorpus(context.Background(), bleu, outputs, refs)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "   %5.1f  %s\n", score.Value, score.Signature)
	}
	fmt.Fprint(w, "   All five are \"the BLEU of these outputs\". Compare signatures before scores.\n\n")
	return nil
}

// averaged shows that a corpus score isn't the mean of its sentences' scores.
func averaged(w io.Writer) error {
	outputs := []string{"Yes.", "The committee will meet again on the first Monday of every month until the end of the year."}
	refs := [][]string{{"No."}, {"The committee will meet again on the first Monday of each month until the end of the year."}}
	bleu, err := eval.NewBLEU(&eval.BLEUOptions{EffectiveOrder: true})
	if err != nil {
		return err
	}
	corpus, err := bleu.Corpus(outputs, refs)
	if err != nil {
		return err
	}
	fmt.Fprint(w, "3. A corpus score is not the mean of sentence scores\n\n")
	mean := 0.0
	for i, o := range outputs {
		s, err := bleu.Score(o, refs[i]...)
		if err != nil {
			return err
		}
		mean += s.Value / float64(len(outputs))
		fmt.Fprintf(w, "   %5.1f  %s\n", s.Value, short(o, 48))
	}
	fmt.Fprintf(w, "   %5.1f  mean of the two\n   %5.1f  BLEU of the corpus: counts are summed first, so long segments weigh more\n", mean, corpus.Value)
	return nil
}

func short(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.TrimSpace(s[:n-3]) + "..."
}
