package report

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/prodailabs/prodai/eval/suite"
)

// ErrOption is wrapped by every error about a bad argument or option: a writer or
// report that is nil, a metric that the report doesn't have.
var ErrOption = errors.New("report: invalid option")

func check(w io.Writer, r *suite.Report) error {
	if w == nil {
		return fmt.Errorf("%w: the writer is nil", ErrOption)
	}
	if r == nil {
		return fmt.Errorf("%w: the report is nil", ErrOption)
	}
	return nil
}

// Terminal writes the report as aligned tables of plain text.
func Terminal(w io.Writer, r *suite.Report) error {
	if err := check(w, r); err != nil {
		return err
	}
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%s: %s\n%s\n\n", title(r), verdict(r), summary(r))
	table(b, metricHead, metricRows(r))
	if head, rows := sliceTable(r); len(rows) > 0 {
		fmt.Fprintln(b)
		table(b, head, rows)
	}
	if len(r.Gates) > 0 {
		fmt.Fprintln(b)
	}
	for _, g := range r.Gates {
		mark := "ok  "
		if !g.Passed {
			mark = "FAIL"
		}
		fmt.Fprintf(b, "%s  %s: %s\n", mark, g.Name, g.Detail)
	}
	return b.Flush()
}

func table(w io.Writer, head []string, rows [][]string) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{head}, rows...) {
		fmt.Fprintln(tw, strings.Join(row, "\t"))
	}
	tw.Flush()
}

// Markdown writes the report for a pull request's comment or GitHub's step
// summary.
func Markdown(w io.Writer, r *suite.Report) error {
	if err := check(w, r); err != nil {
		return err
	}
	b := bufio.NewWriter(w)
	mark := func(ok bool) string {
		if ok {
			return "✅"
		}
		return "❌"
	}
	fmt.Fprintf(b, "## %s %s: %s\n\n%s\n\n", mark(r.Passed()), cell(title(r)), verdict(r), cell(summary(r)))
	if len(r.Gates) > 0 {
		var rows [][]string
		for _, g := range r.Gates {
			rows = append(rows, []string{mark(g.Passed), g.Name, g.Detail})
		}
		markdownTable(b, []string{"", "gate", "found"}, rows)
	}
	markdownTable(b, metricHead, metricRows(r))
	if head, rows := sliceTable(r); len(rows) > 0 {
		fmt.Fprintf(b, "<details><summary>By slice</summary>\n\n")
		markdownTable(b, head, rows)
		fmt.Fprintf(b, "</details>\n")
	}
	return b.Flush()
}

func markdownTable(w io.Writer, head []string, rows [][]string) {
	line := func(cells []string) {
		for _, c := range cells {
			fmt.Fprintf(w, "| %s ", cell(c))
		}
		fmt.Fprintln(w, "|")
	}
	line(head)
	fmt.Fprintln(w, strings.Repeat("| --- ", len(head))+"|")
	for _, row := range rows {
		line(row)
	}
	fmt.Fprintln(w)
}

// cell escapes a text so that it stays in its cell and isn't HTML.
func cell(s string) string {
	return strings.NewReplacer("|", "\\|", "\n", " ", "\r", " ", "<", "&lt;", "&", "&amp;", "`", "\\`").Replace(s)
}

// Failures writes the cases that a person should look at, at most n of them: for
// each case that the system failed on, or whose value of the metric is out of the
// bound, it shows what was asked, what came and what was expected.
func Failures(w io.Writer, r *suite.Report, bound suite.Threshold, n int) error {
	if err := check(w, r); err != nil {
		return err
	}
	if n < 0 {
		return fmt.Errorf("%w: the number of failures is %d: want 0 or more", ErrOption, n)
	}
	m, ok := r.Metric(bound.Metric)
	if !ok {
		return fmt.Errorf("%w: the report has no metric %q", ErrOption, bound.Metric)
	}
	b := bufio.NewWriter(w)
	left := n
	for rec, err := range r.Records() {
		if err != nil {
			return err
		}
		if left == 0 {
			break
		}
		if rec.Error != "" {
			fmt.Fprintf(b, "%s  system error: %s\n", rec.Case.ID, oneLine(rec.Error))
			left--
			continue
		}
		for i := range rec.Results {
			res := &rec.Results[i]
			if res.Metric != m.Signature.Name() || !res.Scored() || bound.Met(res.Value) {
				continue
			}
			fmt.Fprintf(b, "%s  %s %s\n  asked  %s\n  got    %s\n", rec.Case.ID, m.Signature.Metric, number(res.Value), oneLine(rec.Case.Input), oneLine(rec.Output.Text))
			for _, ref := range rec.Case.References {
				fmt.Fprintf(b, "  wanted %s\n", oneLine(ref))
			}
			left--
		}
	}
	return b.Flush()
}

// oneLine shows a text on one line, without control characters, which could change
// what the terminal shows.
func oneLine(s string) string {
	r := []rune(strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, s))
	if len(r) > 160 {
		return string(r[:159]) + "…"
	}
	return string(r)
}
