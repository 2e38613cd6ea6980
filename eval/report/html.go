package report

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"

	"github.com/prodailabs/prodai/eval/suite"
	"github.com/prodailabs/prodai/internal/plot"
)

// HTMLOptions sets what the page shows beside the scores; nil means the defaults.
type HTMLOptions struct {
	// Baseline are the records of an earlier run, whose outputs are shown
	// beside this one's with the differences marked. Default: no comparison.
	Baseline iter.Seq2[*suite.Record, error]
	// MaxCases bounds how many cases the page contains; the page reports how many
	// it left out. Default: 5,000, since a browser doesn't open a page with every
	// answer of a million.
	MaxCases int
}

//go:embed cases.html
var casesHTML []byte

// endOfPage is the end of a rendered page; the cases are inserted before it.
var endOfPage = []byte("</main></body></html>\n")

// A pageCase is what the page's script knows of a case. The names are short
// because every row repeats them.
type pageCase struct {
	ID       string     `json:"id"`
	Slices   []string   `json:"s"`
	Input    string     `json:"q"`
	Output   string     `json:"o"`
	Refs     []string   `json:"r,omitempty"`
	Before   *string    `json:"b,omitempty"`
	Error    string     `json:"e,omitempty"`
	Values   []*float64 `json:"v"`
	Reasons  []string   `json:"w,omitempty"` // why there is no value
	Millis   float64    `json:"ms"`
	PicoUSD  int64      `json:"usd,omitempty"`
	Free     bool       `json:"free,omitempty"` // a cost of 0 that is known
	InTokens int64      `json:"in,omitempty"`
	Tokens   int64      `json:"out,omitempty"`
}

// HTML writes the report as one page that loads no other file: scores, slices and
// gates, the distribution of each metric, and the cases. The cases can be searched,
// filtered by slice and sorted by any metric. An opened case shows the output
// beside the reference or the baseline's output, with the differences marked. HTML
// in texts of cases and outputs is shown as text.
func HTML(w io.Writer, r *suite.Report, o *HTMLOptions) error {
	if err := check(w, r); err != nil {
		return err
	}
	if o == nil {
		o = &HTMLOptions{}
	}
	maxCases := cmp.Or(o.MaxCases, 5000)
	if maxCases < 0 {
		return fmt.Errorf("%w: HTMLOptions.MaxCases is %d: want 1 or more", ErrOption, maxCases)
	}
	before, err := baselineTexts(o.Baseline)
	if err != nil {
		return err
	}
	values := make([][]float64, len(r.Metrics))
	var latencies []float64
	cases := []pageCase{}
	total := 0
	for rec, err := range r.Records() {
		if err != nil {
			return err
		}
		total++
		for i, res := range rec.Results {
			if i < len(values) && res.Scored() {
				values[i] = append(values[i], res.Value)
			}
		}
		if rec.Output != nil {
			latencies = append(latencies, rec.Output.Latency.Seconds())
		}
		if len(cases) < maxCases {
			cases = append(cases, newPageCase(rec, before))
		}
	}
	var page bytes.Buffer
	if err := summaryPage(r, values, latencies).Render(&page); err != nil {
		return err
	}
	body, ok := bytes.CutSuffix(page.Bytes(), endOfPage)
	if !ok {
		return errors.New("report: the page doesn't end as expected")
	}
	data, err := pageData(r, cases, total)
	if err != nil {
		return err
	}
	head, tail, _ := bytes.Cut(casesHTML, []byte("{{DATA}}"))
	for _, part := range [][]byte{body, head, data, tail, endOfPage} {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// pageData is what the page's script reads. encoding/json escapes <, > and &, so
// that no text can end the script.
func pageData(r *suite.Report, cases []pageCase, total int) ([]byte, error) {
	var names []string
	var lower []bool
	for _, m := range r.Metrics {
		names = append(names, m.Signature.Metric)
		lower = append(lower, m.Signature.LowerIsBetter)
	}
	data, err := json.Marshal(map[string]any{"metrics": names, "lower": lower, "cases": cases, "total": total})
	if err != nil {
		return nil, fmt.Errorf("report: HTML: %w", err)
	}
	return data, nil
}

// baselineTexts returns the earlier outputs by the case's id.
func baselineTexts(records iter.Seq2[*suite.Record, error]) (map[string]string, error) {
	texts := map[string]string{}
	if records == nil {
		return texts, nil
	}
	for rec, err := range records {
		if err != nil {
			return nil, fmt.Errorf("report: the baseline: %w", err)
		}
		if rec.Output != nil {
			texts[rec.Case.ID] = rec.Output.Text
		}
	}
	return texts, nil
}

func newPageCase(rec *suite.Record, before map[string]string) pageCase {
	c := pageCase{ID: rec.Case.ID, Slices: append([]string{}, rec.Slices...), Input: rec.Case.Input, Refs: rec.Case.References, Error: rec.Error, Values: []*float64{}}
	if b, ok := before[rec.Case.ID]; ok {
		c.Before = &b
	}
	if out := rec.Output; out != nil {
		c.Output = out.Text
		c.Millis = float64(out.Latency.Microseconds()) / 1000
		c.Free = out.CostKnown && out.CostPicoUSD == 0
		c.PicoUSD, c.InTokens, c.Tokens = out.CostPicoUSD, out.InputTokens, out.OutputTokens
	}
	for _, res := range rec.Results {
		if res.Scored() {
			v := res.Value
			c.Values = append(c.Values, &v)
		} else {
			c.Values = append(c.Values, nil)
			c.Reasons = append(c.Reasons, res.Metric+": "+res.Skipped+res.Failed)
		}
	}
	return c
}

func summaryPage(r *suite.Report, values [][]float64, latencies []float64) *plot.Page {
	p := &plot.Page{Title: title(r) + ": " + verdict(r), Sections: []plot.Section{plot.Text(summary(r))}}
	if len(r.Gates) > 0 {
		t := &plot.Table{Title: "Gates", Head: []string{"", "gate", "found"}}
		for _, g := range r.Gates {
			mark := "✓ passed"
			if !g.Passed {
				mark = "✗ failed"
			}
			t.Rows = append(t.Rows, []string{mark, g.Name, g.Detail})
		}
		p.Sections = append(p.Sections, t)
	}
	p.Sections = append(p.Sections, &plot.Table{Title: "Scores", Head: metricHead, Rows: metricRows(r),
		Caption: "Skipped: the metric doesn't apply to the case. Failed: it couldn't be computed. Neither counts as a pass."})
	if head, rows := sliceTable(r); len(rows) > 0 {
		p.Sections = append(p.Sections, &plot.Table{Title: "By slice", Head: head, Rows: rows, Caption: "Read the worst slice first."})
	}
	for i, m := range r.Metrics {
		if len(values[i]) > 1 {
			h := plot.Histogram("Distribution of "+m.Signature.Metric, m.Signature.Metric+" of a case", values[i], 0)
			h.Height = 200
			h.Caption = strconv.Itoa(len(values[i])) + " cases"
			p.Sections = append(p.Sections, h)
		}
	}
	if len(latencies) > 1 {
		h := plot.Histogram("Distribution of latency", "seconds", latencies, 0)
		h.Height = 200
		p.Sections = append(p.Sections, h)
	}
	return p
}
