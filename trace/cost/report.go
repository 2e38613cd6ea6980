package cost

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// WriteTable writes totals as a table of text, with money in dollars. A cost that
// leaves calls out is marked with "+ N unpriced". The totals are those of a [Ledger], or
// of a file of spans: an example of jsonl.Sum converts these.
func WriteTable(w io.Writer, name string, totals []Total) error {
	if w == nil {
		return fmt.Errorf("%w: the writer is nil", ErrOption)
	}
	var b strings.Builder
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "%s\tcalls\tinput\tcached\toutput\tcost\t\n", name)
	for _, t := range totals {
		fmt.Fprintf(tw, "%s\t%d\t%d\t%d\t%d\t%s\t", printable(t.Key), t.Calls, t.Usage.Input, t.Usage.CacheRead, t.Usage.Output, USD(t.PicoUSD))
		if t.Unpriced > 0 {
			fmt.Fprintf(tw, "+ %d unpriced", t.Unpriced)
		}
		fmt.Fprintln(tw)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(b.String()) {
		if _, err := io.WriteString(w, strings.TrimRight(line, " \n")+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// printable is a key that keeps the table's lines and columns.
func printable(key string) string {
	if key == "" {
		return "(none)"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, key)
}

// WriteCSV writes totals as CSV with a header line. Money is in whole pico-USD and in
// dollars. A key that a spreadsheet would take for a formula gets a quote in front.
func WriteCSV(w io.Writer, name string, totals []Total) error {
	if w == nil {
		return fmt.Errorf("%w: the writer is nil", ErrOption)
	}
	cw := csv.NewWriter(w)
	rows := [][]string{{name, "calls", "unpriced", "input", "cache_read", "cache_write", "output", "reasoning", "pico_usd", "usd"}}
	for _, t := range totals {
		row := []string{harmless(t.Key)}
		for _, n := range []int64{t.Calls, t.Unpriced, t.Usage.Input, t.Usage.CacheRead, t.Usage.CacheWrite5m + t.Usage.CacheWrite1h, t.Usage.Output, t.Usage.Reasoning, t.PicoUSD} {
			row = append(row, strconv.FormatInt(n, 10))
		}
		rows = append(rows, append(row, strings.Replace(USD(t.PicoUSD), "$", "", 1)))
	}
	return cw.WriteAll(rows)
}

func harmless(key string) string {
	if key != "" && strings.ContainsRune("=+-@\t\r", rune(key[0])) {
		return "'" + key
	}
	return key
}
