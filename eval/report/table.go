package report

import (
	"fmt"
	"strconv"
	"time"

	"github.com/prodailabs/prodai/eval"
	"github.com/prodailabs/prodai/eval/suite"
)

// number shows a score.
func number(x float64) string { return strconv.FormatFloat(x, 'g', 4, 64) }

// scored is a score's value, or a dash where nothing was measured.
func scored(s eval.Score) string {
	if s.Signature.N == 0 {
		return "–"
	}
	return number(s.Value)
}

func verdict(r *suite.Report) string {
	if r.Passed() {
		return "passed"
	}
	if len(r.Gates) == 0 {
		return "FAILED: " + notJudged
	}
	failed := 0
	for _, g := range r.Gates {
		if !g.Passed {
			failed++
		}
	}
	return fmt.Sprintf("FAILED: %d of %d gates", failed, len(r.Gates))
}

// notJudged is why a report without gates didn't pass.
const notJudged = "the run stopped early and was not judged"

func title(r *suite.Report) string {
	if r.Suite == "" {
		return "evaluation"
	}
	return r.Suite
}

func summary(r *suite.Report) string {
	s := fmt.Sprintf("%d cases, %d system errors, %v", r.Cases, r.Errors, r.Elapsed.Round(time.Millisecond))
	if r.Version != "" {
		s += ", dataset " + shortVersion(r.Version)
	}
	if r.SlicesOmitted > 0 {
		s += fmt.Sprintf(", %d results beyond the first 1,000 slices", r.SlicesOmitted)
	}
	return s
}

// shortVersion keeps enough of a version to distinguish versions on a screen.
func shortVersion(v string) string {
	if len(v) > 24 {
		return v[:19] + "…"
	}
	return v
}

// metricRows returns a row for each metric: name, value, n, skipped, failed.
func metricRows(r *suite.Report) [][]string {
	var rows [][]string
	for _, m := range r.Metrics {
		better := "higher"
		if m.Signature.LowerIsBetter {
			better = "lower"
		}
		rows = append(rows, []string{m.Signature.Metric, scored(m.Score), strconv.Itoa(m.Signature.N), strconv.Itoa(m.Skipped), strconv.Itoa(m.Failed), better, m.Signature.String()})
	}
	return rows
}

var metricHead = []string{"metric", "value", "n", "skipped", "failed", "better", "signature"}

// sliceTable has a row for each slice and a column for each metric.
func sliceTable(r *suite.Report) (head []string, rows [][]string) {
	head = []string{"slice", "n"}
	at := map[string]int{}
	for i, m := range r.Metrics {
		head = append(head, m.Signature.Metric)
		for _, s := range m.Slices {
			row, ok := at[s.Slice]
			if !ok {
				row = len(rows)
				at[s.Slice] = row
				rows = append(rows, make([]string, 2+len(r.Metrics)))
				rows[row][0] = s.Slice
				rows[row][1] = strconv.Itoa(s.Signature.N + s.Skipped + s.Failed)
			}
			rows[row][2+i] = scored(s.Score)
		}
	}
	return head, rows
}
